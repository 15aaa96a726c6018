//! The budget of one verb and path of one host: what left lately, and who comes when.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::{Limit, Urgency};

/// Requests do not arrive as evenly as they leave: each window counts as this much longer.
const UNEVEN: Duration = Duration::from_millis(500);

/// The room that a turn took is for a request that leaves within this long.
const PROMISED: Duration = Duration::from_secs(10);

/// The part of its share that an urgency's turns fill.
const EASE: f64 = 0.95;

/// A turn that was not taken up for this long is nobody's any more.
const LAPSED: Duration = Duration::from_secs(600);

/// A turn, and how far its queue had been put off when it was given.
#[derive(Clone, Copy, Debug)]
struct Turn {
    at: Duration,
    put_off: Duration,
}

/// Turns that wait, for one urgency.
#[derive(Debug, Default)]
struct Queue {
    turns: HashMap<u64, Turn>,
    /// The turns to come, in order, with or without somebody who still wants them.
    planned: VecDeque<Turn>,
    /// How far the whole queue was put off in all because something more urgent had taken the room.
    put_off: Duration,
    /// Until when it was put off last.
    put_off_until: Duration,
    /// The next poll leaves no earlier, to be spread evenly.
    next: Duration,
    /// Lapsed turns are looked for when so many wait.
    sweep: usize,
}

#[derive(Debug)]
pub(super) struct Budget {
    limits: Box<[Limit]>,
    /// When requests left, oldest first, as far back as the longest window.
    left: VecDeque<Duration>,
    /// Of these, those that have taken room and not left yet.
    promised: VecDeque<Duration>,
    queues: [Queue; 3],
}

impl Budget {
    pub fn of(limits: &[Limit]) -> Self {
        Self { limits: limits.into(), left: VecDeque::new(), promised: VecDeque::new(), queues: Default::default() }
    }

    /// Takes the owner's turn and the room with it, or says how long until it comes.
    pub fn turn(&mut self, owner: u64, urgency: Urgency, now: Duration) -> Result<(), Duration> {
        self.forget(now);
        let (room, turn) = (self.room_at(urgency, now), self.plan(urgency, now));
        let spacing = self.spacing(urgency);
        let queue = self.queue(urgency);
        let granted = match queue.turns.get(&owner).map(|turn| queue.at(*turn)) {
            Some(turn) if turn > now => Err(turn),
            Some(_) if room <= now => {
                queue.turns.remove(&owner);
                Ok(())
            }
            // Something more urgent has taken the room. All wait longer, so that nobody behind overtakes.
            Some(_) => {
                queue.put_off(room, now);
                queue.turns.insert(owner, queue.turn(room));
                Err(room)
            }
            None => {
                queue.next = turn + spacing;
                if turn <= now {
                    Ok(())
                } else {
                    queue.planned.push_back(queue.turn(turn));
                    queue.turns.insert(owner, queue.turn(turn));
                    queue.sweep(now);
                    Err(turn)
                }
            }
        };
        match granted {
            Ok(()) => {
                self.promise(now);
                Ok(())
            }
            Err(turn) => Err(turn.saturating_sub(now)),
        }
    }

    /// Takes room for a request that leaves soon, whether or not there is any.
    pub fn promise(&mut self, now: Duration) {
        self.left.push_back(now);
        self.promised.push_back(now);
    }

    /// Counts a request that leaves now, or says how long until there is room.
    pub fn leave(&mut self, now: Duration) -> Result<(), Duration> {
        self.forget(now);
        if self.promised.pop_front().is_some() {
            return Ok(());
        }
        let room = self.room_at(Urgency::Urgent, now);
        if room > now {
            return Err(room - now);
        }
        self.left.push_back(now);
        Ok(())
    }

    /// When one more of this urgency fits: every interval as long as a window has room for it then.
    fn room_at(&self, urgency: Urgency, now: Duration) -> Duration {
        self.fits(None, urgency, now)
    }

    /// When one more fits behind those whose turns are to come. Polls are spread, what is urgent may come in a burst.
    fn plan(&self, urgency: Urgency, now: Duration) -> Duration {
        let queue = &self.queues[index(urgency)];
        let fits = self.fits(Some(queue), urgency, now);
        if urgency == Urgency::Poll { fits.max(queue.next) } else { fits }
    }

    fn fits(&self, behind: Option<&Queue>, urgency: Urgency, now: Duration) -> Duration {
        let all = self.left.len() + behind.map_or(0, |queue| queue.planned.len());
        let planned = |index: usize| behind.and_then(|queue| queue.planned.get(index).map(|turn| queue.at(*turn)));
        let at = |limit: &Limit| {
            let blocking = all.checked_sub(most(limit.count, urgency))?;
            let blocking = self.left.get(blocking).copied().or_else(|| planned(blocking - self.left.len()))?;
            Some(blocking + limit.per + UNEVEN)
        };
        self.limits.iter().filter_map(at).max().map_or(now, |at| at.max(now))
    }

    /// The pause between two that fills the share of this urgency evenly, and a little less: those that come somewhat late
    /// to their turn must not find the room taken.
    fn spacing(&self, urgency: Urgency) -> Duration {
        let between =
            self.limits.iter().map(|limit| (limit.per + UNEVEN).div_f64(most(limit.count, urgency) as f64 * EASE));
        between.max().unwrap_or_default()
    }

    fn queue(&mut self, urgency: Urgency) -> &mut Queue {
        &mut self.queues[index(urgency)]
    }

    fn forget(&mut self, now: Duration) {
        let longest = self.limits.iter().map(|limit| limit.per).max().unwrap_or_default() + UNEVEN;
        while self.left.front().is_some_and(|left| *left + longest <= now) {
            self.left.pop_front();
        }
        while self.promised.front().is_some_and(|promised| *promised + PROMISED <= now) {
            self.promised.pop_front();
        }
        for queue in &mut self.queues {
            while queue.planned.front().is_some_and(|turn| queue.at(*turn) <= now) {
                queue.planned.pop_front();
            }
        }
    }
}

/// Which queue it waits in.
fn index(urgency: Urgency) -> usize {
    match urgency {
        Urgency::Poll => 0,
        Urgency::First => 1,
        Urgency::Urgent | Urgency::Asked => 2,
    }
}

impl Queue {
    fn turn(&self, at: Duration) -> Turn {
        Turn { at, put_off: self.put_off }
    }

    /// When a turn comes, after all that put the queue off since.
    fn at(&self, turn: Turn) -> Duration {
        turn.at + self.put_off.saturating_sub(turn.put_off)
    }

    fn put_off(&mut self, until: Duration, now: Duration) {
        let longer = until.saturating_sub(self.put_off_until.max(now));
        (self.put_off, self.next) = (self.put_off + longer, self.next + longer);
        self.put_off_until = self.put_off_until.max(until);
    }

    fn sweep(&mut self, now: Duration) {
        if self.turns.len() > self.sweep {
            let put_off = self.put_off;
            self.turns.retain(|_, turn| turn.at + put_off.saturating_sub(turn.put_off) + LAPSED > now);
            self.sweep = 64 + 2 * self.turns.len();
        }
    }
}

/// The part of a limit that may be in use for this urgency; at least one.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
fn most(count: usize, urgency: Urgency) -> usize {
    ((count as f64 * urgency.share()) as usize).max(1)
}
