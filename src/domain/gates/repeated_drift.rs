//! After a few corrections of changes from outside Seatkeeper stops.

use jiff::SignedDuration;

use super::{Hold, HoldKind, Wanted};
use crate::api::Trigger;
use crate::domain::Situation;

/// After this many corrections of changes from outside within a day, Seatkeeper stops fighting.
const MAX_CORRECTIONS_A_DAY: usize = 2;

pub(super) fn gate(s: &Situation<'_>, wanted: &Wanted<'_>) -> Vec<Hold> {
    let corrects = wanted.change.reason == Trigger::ExternalChange;
    if corrects && corrections_today(s) >= MAX_CORRECTIONS_A_DAY {
        return vec![Hold::of(HoldKind::Contest, "repeated external changes; Seatkeeper stopped correcting".into())];
    }
    vec![]
}

/// Corrections of changes from outside within the last day, for this very wish: another wish starts afresh.
fn corrections_today(s: &Situation<'_>) -> usize {
    let day = SignedDuration::from_hours(24);
    s.history
        .iter()
        .filter(|change| change.reason == Trigger::ExternalChange && s.asked_for(change))
        .filter(|change| s.now.duration_since(change.time.0).abs() < day)
        .count()
}
