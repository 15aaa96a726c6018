//! The budget of one verb and path of one host: what left lately, and which object comes when.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::namespace_turns::{LATE, Place, Queue};
use super::{Ask, RateLimit, Urgency};
use crate::registry::Key;

/// Requests do not arrive as evenly as they leave: each window counts as this much longer.
const UNEVEN: Duration = Duration::from_millis(500);

/// The room that a turn took is for a request that leaves within this long.
const PROMISED: Duration = Duration::from_secs(10);

/// The part of its share that an urgency's turns fill.
const EASE: f64 = 0.95;

/// This many of each queue are called when their turn comes sooner than they were promised; the others are called once
/// they are as near.
const CALLED: usize = 16;

/// One urgency of each queue.
const QUEUES: [Urgency; 4] = [Urgency::Poll, Urgency::First, Urgency::Changed, Urgency::Urgent];

#[derive(Debug)]
pub(super) struct Budget {
    limits: Box<[RateLimit]>,
    /// When requests left, oldest first, as far back as the longest window.
    left: VecDeque<Duration>,
    /// Of these, those that have taken room and not left yet.
    promised: VecDeque<Duration>,
    queues: [Queue; 4],
    /// In which queue an object waits, and as which owner: it has one place at most.
    waits: HashMap<Key, (usize, u64)>,
    /// Lapsed places are looked for when this many objects wait.
    sweep: usize,
    /// The next poll leaves no earlier, so that polls are spread evenly.
    next_poll: Duration,
}

impl Budget {
    pub fn of(limits: &[RateLimit]) -> Self {
        Self {
            limits: limits.into(),
            left: VecDeque::new(),
            promised: VecDeque::new(),
            queues: Default::default(),
            waits: HashMap::new(),
            sweep: 0,
            next_poll: Duration::ZERO,
        }
    }

    /// Takes the turn and the room with it, or says how long until it comes.
    pub fn turn(&mut self, ask: &Ask<'_>, now: Duration) -> Result<(), Duration> {
        self.forget(now);
        let queue = index(ask.urgency);
        let elsewhere = self.waits.get(ask.object).is_some_and(|waits| *waits != (queue, ask.owner));
        if elsewhere {
            // It was edited, or its key was exchanged: the old place is not taken up.
            self.leave_queue(ask.object);
        }
        let changes = if ask.urgency == Urgency::Urgent { 0 } else { self.queues[index(Urgency::Urgent)].due(now) };
        let place = self.queues[queue].place(ask);
        // Without room for one, it does not matter how many come before.
        let mut time = self.time(changes, ask.urgency, now);
        if time <= now {
            time = self.time(changes + self.queues[queue].due_before(place, now), ask.urgency, now);
        }
        if time <= now {
            self.had_its_turn((queue, place), ask.owner);
            if ask.urgency == Urgency::Poll {
                self.next_poll = self.next_poll.max(now.saturating_sub(LATE)) + self.spacing();
            }
            self.promise(now);
            return Ok(());
        }
        let told = self.time(changes + self.queues[queue].before(place), ask.urgency, now);
        if self.queues[queue].wait(place, ask, told) {
            self.waits.insert(ask.object.clone(), (queue, ask.owner));
            self.drop_lapsed(now);
        }
        Err(told.saturating_sub(now))
    }

    /// The objects that wait for the same as this owner, with whatever urgency, have it now.
    fn had_its_turn(&mut self, (queue, place): (usize, Place), owner: u64) {
        let mut objects = self.queues[queue].had_its_turn(place, owner);
        objects.extend(self.queues.iter_mut().flat_map(|queue| queue.remove(owner)));
        for object in objects {
            self.waits.remove(&object);
        }
    }

    /// An object asks for nothing any more: the objects behind it move up. Returns whether it waited.
    pub fn leave_queue(&mut self, object: &Key) -> bool {
        let Some((queue, owner)) = self.waits.remove(object) else { return false };
        self.queues[queue].leave(owner, object);
        true
    }

    /// Objects whose turn comes sooner than they were promised.
    pub fn sooner(&mut self, now: Duration) -> Vec<Key> {
        self.forget(now);
        let mut sooner = Vec::new();
        for urgency in QUEUES {
            if self.queues[index(urgency)].is_empty() {
                continue;
            }
            let times = self.times(CALLED, urgency, now);
            sooner.extend(self.queues[index(urgency)].call(&times));
        }
        sooner
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
        let room = self.time(0, Urgency::Urgent, now);
        if room > now {
            return Err(room - now);
        }
        self.left.push_back(now);
        Ok(())
    }

    /// When one more fits behind this many others of its urgency.
    fn time(&self, before: usize, urgency: Urgency, now: Duration) -> Duration {
        let first = |urgency| self.times(1, urgency, now).pop().unwrap_or(now);
        match urgency {
            Urgency::Poll => first(urgency) + self.spacing() * u32::try_from(before).unwrap_or(u32::MAX),
            _ if before == 0 => first(urgency),
            _ => self.times(before + 1, urgency, now).pop().unwrap_or(now),
        }
    }

    /// When the next ones of this urgency fit: every interval as long as a window has room for each of them then. Polls are
    /// spread, all else may come in a burst.
    fn times(&self, how_many: usize, urgency: Urgency, now: Duration) -> Vec<Duration> {
        let mut times: Vec<Duration> = Vec::with_capacity(how_many);
        for before in 0..how_many {
            let at = |limit: &RateLimit| {
                let blocking = (self.left.len() + before).checked_sub(most(limit.count, urgency))?;
                let next = || times.get(blocking - self.left.len()).copied();
                Some(self.left.get(blocking).copied().or_else(next)? + limit.per + UNEVEN)
            };
            let at = self.limits.iter().filter_map(at).max().unwrap_or(now).max(now);
            let spread = match times.last() {
                _ if urgency != Urgency::Poll => at,
                None => at.max(self.next_poll),
                Some(last) => *last + self.spacing(),
            };
            times.push(spread);
        }
        times
    }

    /// The pause between two polls that fills their share evenly, and a little less: those that come somewhat late to their
    /// turn must not find the room taken.
    fn spacing(&self) -> Duration {
        let between = self
            .limits
            .iter()
            .map(|limit| (limit.per + UNEVEN).div_f64(most(limit.count, Urgency::Poll) as f64 * EASE));
        between.max().unwrap_or_default()
    }

    fn forget(&mut self, now: Duration) {
        let longest = self.limits.iter().map(|limit| limit.per).max().unwrap_or_default() + UNEVEN;
        while self.left.front().is_some_and(|left| *left + longest <= now) {
            self.left.pop_front();
        }
        while self.promised.front().is_some_and(|promised| *promised + PROMISED <= now) {
            self.promised.pop_front();
        }
    }

    fn drop_lapsed(&mut self, now: Duration) {
        if self.waits.len() <= self.sweep {
            return;
        }
        for queue in &mut self.queues {
            for object in queue.lapsed(now).into_iter().flat_map(|owner| queue.remove(owner)) {
                self.waits.remove(&object);
            }
        }
        self.sweep = 64 + 2 * self.waits.len();
    }
}

/// Which queue it waits in.
fn index(urgency: Urgency) -> usize {
    match urgency {
        Urgency::Poll => 0,
        Urgency::First => 1,
        Urgency::Changed | Urgency::Asked => 2,
        Urgency::Urgent => 3,
    }
}

/// The part of a limit that may be in use for this urgency; at least one.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
fn most(count: usize, urgency: Urgency) -> usize {
    ((count as f64 * urgency.share()) as usize).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row of the page: how many of these the vendor allows in a minute, and what each urgency gets; a cell may be empty.
    fn row(of: &str) -> (usize, [Option<usize>; QUEUES.len()]) {
        let rows = include_str!("../../../docs/bitwarden.md").lines().filter_map(|line| line.strip_prefix("| "));
        let rest = rows.filter_map(|row| row.strip_prefix(of)).find_map(|row| row.strip_prefix(", of "));
        let numbers: Vec<_> = rest.expect("a row").split('|').map(|cell| cell.trim().parse().ok()).collect();
        (numbers[0].expect("a number"), std::array::from_fn(|nth| numbers[nth + 1]))
    }

    #[test]
    fn each_urgency_has_its_part_of_the_vendors_limit() {
        for (of, count, parts) in [
            ("tokens", 10, [7, 8, 9, 9].map(Some)),
            ("readings of a path", 200, [150, 170, 180, 190].map(Some)),
            ("changes", 60, [None, None, None, Some(57)]),
        ] {
            assert_eq!(row(of), (count, parts), "{of}: docs/bitwarden.md");
            for (part, urgency) in parts.into_iter().zip(QUEUES).filter(|(part, _)| part.is_some()) {
                assert_eq!(Some(most(count, urgency)), part, "{of}, {urgency:?}");
            }
        }
    }
}
