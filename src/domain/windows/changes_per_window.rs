//! Counts the changes of a window. Each request that a window let pass gets a place in it before it leaves. Repeats of that request are
//! the same change and keep its place.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{Stretch, merged, openings};
use crate::api::{Intent, IntentPhase, PassedWindow, Step, WindowUse};
use crate::domain::Situation;
use crate::domain::change_direction::covers;
use crate::domain::protocol::RECENT;
use crate::domain::wanted_change::Move;

/// The stretch in which recorded changes were requested.
fn stretch_of(used: &WindowUse) -> Stretch {
    Stretch { opens: used.opened_at.0, closes: used.closes_at.0 }
}

/// The stretch that let a request pass.
fn stretch_through(passed: &PassedWindow) -> Stretch {
    Stretch { opens: passed.opened_at.0, closes: passed.closes_at.0 }
}

/// The place of an earlier request that this attempt repeats, because that request had no effect.
pub(in crate::domain) fn kept_place<'a>(
    earlier: Option<&'a Intent>,
    attempt: i32,
    step: &Step,
) -> Option<&'a PassedWindow> {
    let earlier = earlier.filter(|earlier| attempt > 1 && covers(&earlier.step, step));
    earlier.and_then(|earlier| earlier.window.as_ref())
}

/// Whether a stretch has room for another change.
pub(super) fn has_room(s: &Situation<'_>, change: &Move, stretch: Stretch) -> bool {
    let used = s.calendar.used.filter(|used| stretch_of(used).overlaps(stretch));
    let place = kept_place(s.intent, change.attempt, &change.step);
    let own = i32::from(place.is_some_and(|place| stretch_through(place).overlaps(stretch)));
    used.map_or(0, |used| used.changes).saturating_sub(own) < s.desired.adjustment.most_changes()
}

/// The record of the windows' use from now on. A stretch that became longer meanwhile, by an edit or by another window, is
/// still the same.
pub(in crate::domain) fn used(s: &Situation<'_>) -> Option<WindowUse> {
    let mut used = s.calendar.used?.clone();
    let all = openings(s);
    if let Some(open) = all.iter().find(|opening| opening.has(s.now)) {
        let stretch = merged(&all, open);
        if stretch.overlaps(stretch_of(&used)) {
            used.closes_at = Time(used.closes_at.0.max(stretch.closes));
        }
    }
    Some(used)
}

/// The use with one more request, unless that request keeps the place of an earlier one.
pub(in crate::domain) fn counted(
    used: Option<WindowUse>,
    earlier: Option<&Intent>,
    intent: &Intent,
) -> Option<WindowUse> {
    let Some(passed) = &intent.window else { return used };
    let stretch = stretch_through(passed);
    let place = kept_place(earlier, intent.attempt, &intent.step).map(stretch_through);
    let same = used.as_ref().filter(|used| stretch_of(used).overlaps(stretch));
    if same.is_some() && place.is_some_and(|place| place.overlaps(stretch)) {
        return used;
    }
    Some(match same {
        Some(used) => WindowUse {
            opened_at: used.opened_at.clone(),
            closes_at: Time(used.closes_at.0.max(stretch.closes)),
            changes: used.changes.saturating_add(1),
        },
        None => WindowUse { opened_at: passed.opened_at.clone(), closes_at: passed.closes_at.clone(), changes: 1 },
    })
}

/// The use without a request that did not leave, or that the vendor refused.
pub(in crate::domain) fn uncounted(used: Option<WindowUse>, intent: &Intent) -> Option<WindowUse> {
    let mut used = used?;
    if intent.window.as_ref().is_some_and(|passed| stretch_through(passed).overlaps(stretch_of(&used))) {
        used.changes = used.changes.saturating_sub(1);
    }
    (used.changes > 0).then_some(used)
}

/// The protocol's first repeat of a request that got no usable answer, or of a change that was taken back, is the same change, which
/// has passed already. A change that the vendor refused has passed and ended.
pub(in crate::domain) fn is_first_repeat(s: &Situation<'_>, change: &Move) -> bool {
    let earlier = match s.intent {
        Some(intent) => Some(&intent.step).filter(|_| intent.phase != IntentPhase::Rejected && is_current(s, intent)),
        None => s.history.first().map(|last| &last.step),
    };
    change.attempt == 2 && earlier.is_some_and(|earlier| covers(earlier, &change.step))
}

/// Whether the rules that let a request pass still apply: nothing was edited since, and no day has passed.
fn is_current(s: &Situation<'_>, intent: &Intent) -> bool {
    intent.generation == s.generation && s.now.duration_since(intent.time.0).abs() < RECENT
}
