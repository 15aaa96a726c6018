//! Outages: after a 5xx that asks for a pause, or after several failures in a row, no request goes there until a pause
//! has ended. Then one request probes. Its success opens the way for all others, its failure begins a longer pause.
//!
//! A pause that was asked for, and a host that takes no connection, close the whole host. Other failures close one bucket:
//! each path may be another program behind the same gateway. A 500 without `Retry-After` closes nothing, for the application
//! answers so about one account; nor does an answer that is late.

use std::collections::HashMap;
use std::time::Duration;

use super::retry_after::LONGEST_EDGE_PAUSE;
use super::{Bucket, UNUSED, Wait};

/// This many failures in a row begin a pause that no answer asked for.
pub(super) const FAILURES: u32 = 3;

/// The first such pause; each further one is twice as long.
pub(super) const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest such pause.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// A request that finds a probe under way comes back after a fourth of the last pause, within these bounds.
const AGAIN: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];

/// What is wrong with a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It answers with this status, a 5xx.
    Status(u16),
    /// It takes no connection, or the proxy before it lets none through: why, in words.
    NoConnection(&'static str),
}

/// A failure that may be one of many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// What was seen.
    pub trouble: Trouble,
    /// The pause of `Retry-After`.
    pub asked: Option<Duration>,
}

impl Outage {
    /// An answer with this status, if it is a sign of an outage.
    pub fn of_answer(status: u16, asked: Option<Duration>) -> Option<Self> {
        let tells = status > 500 || (status == 500 && asked.is_some());
        tells.then_some(Self { trouble: Trouble::Status(status), asked })
    }

    fn closes_the_host(self) -> bool {
        self.asked.is_some() || matches!(self.trouble, Trouble::NoConnection(_))
    }
}

/// How a request ended that had left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With an answer that is no sign of an outage.
    Answered,
    /// With a sign of an outage.
    Failed(Outage),
    /// Without an answer, for a reason that may be of this request alone.
    Silent,
    /// No pass waits for the answer any more.
    Dropped,
}

/// Whether a request is the probe of its host and of its bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Probes {
    host: bool,
    bucket: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Scope {
    Host(String),
    Bucket(Bucket),
}

#[derive(Debug)]
struct State {
    /// In a row, before the first pause.
    failures: u32,
    /// In a row; 0: it is open.
    pauses: u32,
    /// How long the last pause is.
    pause: Duration,
    /// When the last pause ends; before the first, when it failed last.
    until: Duration,
    outage: Outage,
    /// A probe is under way.
    probing: bool,
}

impl State {
    fn pause(&mut self, now: Duration) {
        self.pauses = self.pauses.saturating_add(1);
        let own = FIRST_PAUSE.saturating_mul(1 << (self.pauses - 1).min(20)).min(LONGEST_PAUSE);
        self.pause = self.outage.asked.unwrap_or_default().max(own);
        (self.until, self.probing) = (now + self.pause, false);
    }

    /// The pause is our own guess, or was cut down to the longest there is.
    fn is_guess(&self) -> bool {
        self.outage.asked.is_none_or(|asked| asked >= LONGEST_EDGE_PAUSE)
    }
}

/// All that is known of outages.
#[derive(Debug, Default)]
pub(super) struct Outages(HashMap<Scope, State>);

fn scopes(bucket: &Bucket) -> [Scope; 2] {
    [Scope::Host(bucket.host.clone()), Scope::Bucket(bucket.clone())]
}

impl Outages {
    /// Whether a request may leave now. `asked`: a person waits for it, and may end a pause that is a guess.
    pub fn open(&mut self, bucket: &Bucket, asked: bool, now: Duration) -> Result<(), Wait> {
        for scope in scopes(bucket) {
            let Some(state) = self.0.get_mut(&scope).filter(|state| state.pauses > 0) else { continue };
            if asked && state.is_guess() {
                state.until = state.until.min(now);
            }
            let (left, outage, probing) = (state.until.saturating_sub(now), state.outage, state.probing);
            if probing || !left.is_zero() {
                let again = (state.pause / 4).clamp(AGAIN[0], AGAIN[1]);
                return Err(Wait::Down { after: if probing { again } else { left }, outage, probing });
            }
        }
        Ok(())
    }

    /// A request leaves now; where a pause has ended, it is the probe.
    pub fn leave(&mut self, bucket: &Bucket, now: Duration) -> Result<Probes, Wait> {
        self.open(bucket, false, now)?;
        let [host, bucket] = scopes(bucket).map(|scope| {
            let paused = self.0.get_mut(&scope).filter(|state| state.pauses > 0);
            paused.map(|state| state.probing = true).is_some()
        });
        Ok(Probes { host, bucket })
    }

    /// A request has ended.
    pub fn ended(&mut self, bucket: &Bucket, probes: Probes, ending: Ending, now: Duration) {
        for (scope, probed) in scopes(bucket).into_iter().zip([probes.host, probes.bucket]) {
            match ending {
                Ending::Answered => self.answered(&scope, probed),
                Ending::Failed(outage) => self.failed(scope, probed, outage, now),
                Ending::Silent => self.probe_of(&scope, probed).into_iter().for_each(|state| {
                    state.outage.asked = None;
                    state.pause(now);
                }),
                Ending::Dropped => {
                    self.probe_of(&scope, probed).into_iter().for_each(|state| state.probing = false);
                }
            }
        }
    }

    fn probe_of(&mut self, scope: &Scope, probed: bool) -> Option<&mut State> {
        self.0.get_mut(scope).filter(|_| probed)
    }

    /// What left before a pause began does not end it.
    fn answered(&mut self, scope: &Scope, probed: bool) {
        if probed || self.0.get(scope).is_some_and(|state| state.pauses == 0) {
            self.0.remove(scope);
        }
    }

    fn failed(&mut self, scope: Scope, probed: bool, outage: Outage, now: Duration) {
        if let Some(state) = self.probe_of(&scope, probed) {
            state.outage = outage;
            return state.pause(now);
        }
        if outage.closes_the_host() != matches!(scope, Scope::Host(_)) {
            // An answer, whatever it is, came through a connection.
            return if matches!(scope, Scope::Host(_)) {
                self.answered(&scope, false)
            };
        }
        let new = State { failures: 0, pauses: 0, pause: Duration::ZERO, until: now, outage, probing: false };
        let state = self.0.entry(scope).or_insert(new);
        if state.pauses > 0 {
            // It left before the pause began: no failure more, but it may ask for longer.
            if let Some(asked) = outage.asked.filter(|asked| now + *asked > state.until) {
                (state.until, state.pause, state.outage) = (now + asked, asked, outage);
            }
            return;
        }
        (state.failures, state.until, state.outage) = (state.failures.saturating_add(1), now, outage);
        if outage.asked.is_some() || state.failures >= FAILURES {
            state.pause(now);
        }
    }

    /// Forgets what was not asked for in a long time.
    pub fn sweep(&mut self, now: Duration) {
        self.0.retain(|_, state| state.until + UNUSED > now);
    }
}

#[cfg(test)]
mod tests;
