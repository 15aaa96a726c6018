//! The settle times: 5 minutes after an answer, 30 without one (flags can change both), longer after repeats. The pause after a request
//! without effect is in `retry_pause`.

use std::time::Duration;

use jiff::Timestamp;

use super::Situation;
use super::protocol::RECENT;
use crate::api::{Change, Intent, IntentPhase};

/// Attempts beyond this number lengthen no wait: with pauses of hours no change reaches it, and a record that was edited by hand
/// must not block its object without end.
const MOST_ATTEMPTS: i32 = 1000;

/// The times of the purchase protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// The time after a final answer until late effects have ended.
    pub answered: Duration,
    /// The time without an answer until the request itself has ended.
    pub unanswered: Duration,
    /// The pause between the two readings that must agree.
    pub pause: Duration,
    /// How often a Secret is read again whose change may end a fault.
    pub secret_recheck: Duration,
}

/// The wait for an attempt: its own time, and if it sets seats, the time of late effects once more for each earlier attempt.
/// Handlers of all attempts may run one after the other, each with the row that the one before it wrote.
pub(super) fn settle_time(s: &Situation<'_>, intent: &Intent) -> Duration {
    let own = if intent.phase == IntentPhase::Answered { s.timing.answered } else { s.timing.unanswered };
    let earlier = if intent.step.key().is_some() { 0 } else { intent.attempt.saturating_sub(1) };
    own.saturating_add(late(s, earlier))
}

/// How long the late effects of this many attempts may come one after the other.
pub(super) fn late(s: &Situation<'_>, attempts: i32) -> Duration {
    s.timing.late(attempts)
}

impl Timing {
    fn late(&self, attempts: i32) -> Duration {
        self.answered.saturating_mul(u32::try_from(attempts.min(MOST_ATTEMPTS)).unwrap_or(0))
    }

    /// How long a change of seats may have late effects, from the moment when this process first knew of it. `None`: it was made
    /// more than a day ago, or is a change of a license key, which has none.
    pub fn late_effects(&self, change: &Change, now: Timestamp) -> Option<Duration> {
        let recent = now.duration_since(change.time.0).abs() < RECENT;
        (recent && change.step.key().is_none()).then(|| self.late(change.attempt.max(1)))
    }
}
