//! Earlier requests of this decision had no effect: the next one waits, each longer than the one before.

use std::time::Duration;

use super::{Hold, HoldKind, Wake, Wanted};
use crate::api::RECONCILE_REQUESTED_AT;
use crate::domain::Situation;
use crate::domain::settle_time::pause_after;

pub(super) fn gate(s: &Situation<'_>, wanted: &Wanted<'_>) -> Vec<Hold> {
    let Some((at, last)) = wanted.change.not_before.zip(s.intent) else { return vec![] };
    let left = Duration::try_from(at.duration_since(s.now)).unwrap_or_default();
    // A time that is further away than the pause is long was set by another clock.
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
