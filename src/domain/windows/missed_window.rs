//! A change that missed its window: whether it may still leave before `spec.adjustment.startingDeadline`, and which window it missed.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::changes_per_window::has_room;
use super::{Situation, Stretch};
use crate::api::{NextWindow, PassedWindow};
use crate::domain::adjustment::Direction;
use crate::domain::change_direction::covers;
use crate::domain::plan::is_of_a_plan;
use crate::domain::wanted_change::Move;

/// The recorded window of a waiting change that now asks for no more.
pub(super) fn waited_for<'a>(s: &Situation<'a>, change: &Move) -> Option<&'a NextWindow> {
    // After a refused request, the window stays recorded, and no plan except the published one. The same holds for a limit that fell
    // meanwhile.
    let shown = s.approvals.shown.filter(|plan| !plan.spent).map(|plan| &plan.step);
    let waited = s.calendar.planned.map(|plan| &plan.step).filter(|step| is_of_a_plan(step)).or(shown)?;
    s.calendar.waits.filter(|_| covers(waited, &change.step))
}

/// Whether a change that missed its window may still leave, unless the spec was edited since or a person held it.
pub(super) fn late(s: &Situation<'_>, change: &Move, direction: &Direction) -> Option<PassedWindow> {
    let has_right = |window: &&NextWindow| s.calendar.current && !window.held && direction.has(&window.name);
    let window = waited_for(s, change).filter(has_right)?;
    let (opens, closes) = (window.opens_at.0, window.closes_at.0);
    let deadline = closes.checked_add(SignedDuration::try_from(s.desired.adjustment.deadline).ok()?).ok()?;
    let in_time = closes <= s.now && s.now < deadline && has_room(s, change, Stretch { opens, closes });
    in_time.then(|| PassedWindow { name: window.name.clone(), opened_at: Time(opens), closes_at: Time(closes) })
}

/// Opening time of the window that a change has missed. An edit that ends its hold does not remove this time.
pub(super) fn missed(s: &Situation<'_>, change: &Move) -> Option<Timestamp> {
    let window = waited_for(s, change).filter(|window| s.calendar.current || window.held)?;
    if window.closes_at.0 <= s.now { Some(window.opens_at.0) } else { window.missed.as_ref().map(|time| time.0) }
}
