//! Which way a change goes: whether it raises or lowers, and whether it stays within another one.

use super::Numbers;
use crate::api::Step;

/// Whether a change raises something, and whether it lowers the seats. A lower limit alone is neither: it costs nothing.
pub(super) fn directions(step: &Step) -> (bool, bool) {
    match step {
        Step::AddKey(_) => (true, false),
        Step::RemoveKey(_) => (false, true),
        Step::Seats(_) => {
            let (from, to) = (step.base(), step.target());
            (to.seats > from.seats || is_higher(to.limit, from.limit), to.seats < from.seats)
        }
    }
}

/// Whether a limit lets the vendor buy more than another.
pub(super) fn is_higher(limit: Option<i32>, than: Option<i32>) -> bool {
    than.is_some_and(|than| limit.is_none_or(|limit| limit > than))
}

/// Whether a change goes the same way as an earlier one, and not further.
pub(super) fn covers(earlier: &Step, change: &Step) -> bool {
    match (earlier, change) {
        (Step::AddKey(one), Step::AddKey(other)) => one.fingerprint == other.fingerprint,
        (Step::RemoveKey(one), Step::RemoveKey(other)) => (one.id, &one.uuid) == (other.id, &other.uuid),
        (Step::Seats(_), Step::Seats(_)) => {
            let (before, to): (Numbers, Numbers) = (earlier.target(), change.target());
            let (up, down) = directions(change);
            let (was_up, was_down) = directions(earlier);
            let rises = !up
                || (was_up && to.seats <= before.seats.max(change.base().seats) && !is_higher(to.limit, before.limit));
            rises && (!down || (was_down && to.seats >= before.seats))
        }
        _ => false,
    }
}
