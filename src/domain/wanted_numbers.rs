//! What the vendor should show, given what it shows now.

use super::{Desired, LimitGoal, Numbers, Usage};

/// Under an `UpTo` limit the vendor may buy by itself, and what it bought is in order: all of it once this very spec was
/// satisfied, and after an edit as much of it as is in use.
pub(super) fn target(desired: &Desired, now: Numbers, usage: Usage, satisfied: bool) -> Numbers {
    let kept = match desired.limit {
        LimitGoal::UpTo(limit) if now.seats <= limit && satisfied => now.seats,
        LimitGoal::UpTo(limit) if now.seats <= limit => now.seats.min(usage.count().unwrap_or(0)),
        _ => 0,
    };
    let seats = desired.seats.map_or(now.seats, |seats| seats.max(kept));
    let limit = match desired.limit {
        LimitGoal::Keep => now.limit,
        LimitGoal::Pinned => Some(seats),
        LimitGoal::UpTo(limit) => Some(limit),
        LimitGoal::Unlimited => None,
    };
    Numbers { seats, limit }
}
