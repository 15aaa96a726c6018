//! The pause before a retry: earlier requests of this decision had no effect, so the next one waits. Each pause is longer than the
//! one before.

use std::time::Duration;

use super::Situation;
use super::gates::{Hold, HoldKind, Wake, Wanted};
use super::settle_time::settle_time;
use crate::api::{Intent, IntentPhase, RECONCILE_REQUESTED_AT};

/// The longest pause between two attempts without effect.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_hours(6);

/// The wait beyond the settle time after an attempt without effect. It doubles with each attempt without an answer, up to
/// [`LONGEST_PAUSE`] in all.
pub(super) fn pause_after(s: &Situation<'_>, intent: &Intent) -> Duration {
    if intent.phase == IntentPhase::Answered {
        return Duration::ZERO;
    }
    let doubled = u32::try_from(intent.attempt.saturating_sub(1)).unwrap_or(0).min(16);
    let whole = s.timing.unanswered.saturating_mul(1 << doubled).min(LONGEST_PAUSE);
    whole.saturating_sub(settle_time(s, intent))
}

/// The gate of a retry whose pause has not ended.
pub(super) fn gate(s: &Situation<'_>, wanted: &Wanted<'_>) -> Vec<Hold> {
    let Some((at, last)) = wanted.change.not_before.zip(s.intent) else { return vec![] };
    let left = Duration::try_from(at.duration_since(s.now)).unwrap_or_default();
    // A time further away than the longest pause comes from another clock.
    if left.is_zero() || left > pause_after(s, last) {
        return vec![];
    }
    let (vendor, sent) = (s.desired.pool.vendor.name, wanted.change.attempt.saturating_sub(1));
    let message = format!(
        "{vendor} gave no usable answer {sent} times, and two readings after each show that nothing was changed. \
         Seatkeeper asks again at {}. To ask at once, set annotation {RECONCILE_REQUESTED_AT} to another value",
        at.strftime("%Y-%m-%d %H:%M:%SZ")
    );
    vec![Hold { kind: HoldKind::Retry, message, wake: Wake::After(left) }]
}
