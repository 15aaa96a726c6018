//! A change that the vendor shows twice.

use crate::api::Change;
use crate::domain::protocol::RECENT;
use crate::domain::{Numbers, Situation};

/// The vendor shows our last change twice, and either changes are differences, or the change was made just now. Another installation
/// may have made the same change. Only a person corrects that.
pub(super) fn made_twice<'a>(s: &Situation<'_>, last: Option<&'a Change>, seen: Numbers) -> Option<&'a Change> {
    let last = last.filter(|last| last.step.key().is_none() && s.now.duration_since(last.time.0).abs() < RECENT)?;
    let (from, to) = (last.base(), last.target());
    let just_now = s.now.duration_since(last.time.0).unsigned_abs() < s.timing.unanswered;
    let again = doubled(from, to) == Some(seen.seats) && (just_now || s.seen.rules.support.adds(from, to));
    (again && s.asked_for(last) && !s.confirms(&last.id)).then_some(last)
}

/// The seats after a change was made twice.
pub(in crate::domain) fn doubled(from: Numbers, to: Numbers) -> Option<i32> {
    let step = to.seats.checked_sub(from.seats).filter(|step| *step != 0)?;
    to.seats.checked_add(step)
}
