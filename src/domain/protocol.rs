//! The part of the purchase protocol that every kind of change shares: the times, the clocks, and what an open intent allows.
//!
//! An intent is closed only by proof. All waiting is measured on the caller's monotonic clock from when this process
//! first saw the doubt, so a restart waits again and a clock jump changes nothing.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::Doubt;
use super::keys::Lack;
use super::settle_time::settle_time;
use super::{Numbers, Situation};
use crate::api::{Change, Intent, IntentPhase, Step};

/// How long our change explains the numbers of the vendor: showing exactly our base again is a revert by the vendor.
pub(super) const RECENT: SignedDuration = SignedDuration::from_hours(24);

/// The subject of a wait. Its clock runs as long as the subject is the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum WaitFor {
    /// The request of this intent may still be running.
    Request(String),
    /// The request of this intent was answered, and its late effects may still come.
    LateEffects(String),
    /// Two readings of a list must agree about the intent: `of` is the wait before, `sight` the reading.
    SecondReading {
        /// The wait for the request, or for its late effects.
        of: Box<WaitFor>,
        /// A hash of the reading.
        sight: String,
    },
    /// The vendor took back the change with this id.
    TakenBack(String),
    /// The object became active in this cluster. A hash of object, cluster and account.
    Activation(String),
    /// A row is no longer listed: one more reading must confirm that. A hash of the reading.
    Missing(String),
}

/// Per-process state of one open outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elapsed {
    /// The wait that it belongs to.
    pub wait: WaitFor,
    /// The time since this process first saw it.
    pub since: Duration,
    /// The reading after the settle time, and its age.
    pub settled: Option<(Numbers, Duration)>,
}

/// A wait before anything may be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wait {
    pub what: WaitFor,
    pub left: Duration,
    /// The settle time has passed: what was read now counts as the first of two readings.
    pub settled: bool,
    /// The wanted numbers are visible already.
    pub visible: bool,
}

impl Wait {
    pub(super) fn doubt(self) -> Doubt {
        Doubt { wait: self.what, left: self.left, settled: self.settled }
    }
}

/// Whether the recorded intent lets another request follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// No intent is open. The next request for the same change is this attempt.
    Free { attempt: i32 },
    /// No request may be sent for now.
    Wait(Wait),
    /// The vendor refused; the same is not sent again.
    Rejected,
    /// A person must look.
    Review,
}

/// The recorded intent, judged: what the record must say from now on, and what may follow.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Open {
    /// The intent that stays recorded, whatever else is decided.
    pub intent: Option<Intent>,
    /// A change that a reading shows as made and that the record lacks.
    pub applied: Option<Change>,
    pub state: State,
    /// The step that had no effect and may be sent once more.
    pub repeat: Option<Step>,
    /// With `Rejected`: the trouble, if it is more than a refusal.
    pub lack: Option<Lack>,
}

impl Open {
    pub(super) fn free() -> Self {
        Self { intent: None, applied: None, state: State::Free { attempt: 1 }, repeat: None, lack: None }
    }

    pub(super) fn keep(intent: &Intent, state: State) -> Self {
        Self { intent: Some(intent.clone()), state, ..Self::free() }
    }

    pub(super) fn turn(intent: &Intent, phase: IntentPhase, state: State) -> Self {
        Self::keep(&Intent { phase, ..intent.clone() }, state)
    }

    pub(super) fn wait(intent: &Intent, wait: Wait) -> Self {
        Self::keep(intent, State::Wait(wait))
    }

    /// The vendor shows the change as made, and the change is no longer open.
    pub(super) fn done(change: Change) -> Self {
        Self { applied: Some(change), ..Self::free() }
    }

    /// The request had no effect, or only a part of it: this step is requested again. Whatever blocks it, the record of
    /// the last request stays until there is another.
    pub(super) fn repeat(intent: &Intent, step: Step) -> Self {
        let from_here = Intent { step: step.clone(), phase: IntentPhase::WithoutEffect, ..intent.clone() };
        Self::again(&from_here, step)
    }

    /// This step is requested again, and until then the record stays as it is.
    pub(super) fn again(intent: &Intent, step: Step) -> Self {
        let attempt = intent.attempt.max(1).saturating_add(1);
        Self { repeat: Some(step), ..Self::keep(intent, State::Free { attempt }) }
    }
}

/// The wait for an open intent. Late effects count from the answer, because the request itself may have taken a large part of that time.
pub(super) fn wait_of(intent: &Intent) -> WaitFor {
    let id = intent.id.clone();
    if intent.phase == IntentPhase::Answered { WaitFor::LateEffects(id) } else { WaitFor::Request(id) }
}

/// The rest of the settle time of an open intent.
pub(super) fn settling(s: &Situation<'_>, intent: &Intent) -> Option<Wait> {
    wait(s, wait_of(intent), settle_time(s, intent))
}

/// The rest of a wait of this length, if any.
pub(super) fn wait(s: &Situation<'_>, what: WaitFor, length: Duration) -> Option<Wait> {
    let since = s.elapsed.filter(|e| e.wait == what).map_or(Duration::ZERO, |e| e.since);
    let left = length.saturating_sub(since);
    (!left.is_zero()).then_some(Wait { what, left, settled: false, visible: false })
}

/// The doubt where the vendor shows no numbers: nothing can be judged, and the time runs all the same.
pub(super) fn unread(s: &Situation<'_>) -> Option<Doubt> {
    let intent = s.intent.filter(|intent| intent.is_open())?;
    // After the settle time only numbers are missing.
    let left = settling(s, intent).map_or(Duration::MAX, |wait| wait.left);
    Some(Doubt { wait: wait_of(intent), left, settled: false })
}

/// An id that no other attempt has, neither of this object, nor of another replica, nor of another time.
pub fn intent_id(plan: &str, attempt: i32, writer: &str, now: Timestamp) -> String {
    digest(&[plan, &attempt.to_string(), writer, &now.as_nanosecond().to_string()])
}

/// A short, stable hash of some words.
pub(crate) fn digest(words: &[&str]) -> String {
    let mut hash = Sha256::new();
    for word in words {
        hash.update(word.len().to_le_bytes());
        hash.update(word.as_bytes());
    }
    let halves = hash.finalize().into_iter().take(6).flat_map(|byte| [byte >> 4, byte & 15]);
    halves.filter_map(|half| char::from_digit(half.into(), 16)).collect()
}
