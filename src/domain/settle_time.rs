//! The settle times: 5 minutes after an answer, 30 without one (flags can change both), longer after repeats. The pause after a request
//! without effect is in `retry_pause`.

use std::time::Duration;

use jiff::Timestamp;

use super::Situation;
use super::protocol::RECENT;
use crate::api::{Change, Intent, IntentPhase};

/// Attempts beyond this number are not waited for: at pauses of hours no change gets there, and a record that was
/// edited by hand must not block its object without end.
const MOST_ATTEMPTS: i32 = 1000;

/// The times of the purchase protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// After a final answer, late effects have ended by then.
    pub answered: Duration,
    /// Without an answer, the request itself has ended by then.
    pub unanswered: Duration,
    /// Between the two reads that must agree.
    pub pause: Duration,
    /// How often a Secret is read again that may mend what is wrong.
    pub secret_recheck: Duration,
}

/// How long an attempt is waited for: its own time, and where it sets seats, for each earlier attempt once more that of late
/// effects. Handlers of all of them may run one after the other, each with what the one before it wrote.
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

    /// How long a change of seats may have late effects, counted from when this process first knew of it. `None`: it was made more
    /// than a day ago, or a license key has none.
    pub fn late_effects(&self, change: &Change, now: Timestamp) -> Option<Duration> {
        let recent = now.duration_since(change.time.0).abs() < RECENT;
        (recent && change.step.key().is_none()).then(|| self.late(change.attempt.max(1)))
    }
}
