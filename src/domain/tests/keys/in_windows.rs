//! License keys that wait for a window of their direction.

use super::super::windows::{opening, rules};
use super::*;

/// Key `b` has replaced `a`, whose row is to be removed; or, without that, key `c` is listed and not there. One window is open from
/// then to then.
fn waiting(direction: &str, removes: bool, (opens, closes): (&str, &str)) -> Keys {
    let adjustment = format!(
        "{{{direction}: {{mode: InWindow}}, windows: [{{name: month-start, cron: {{schedule: 0 6 1 * *, timeZone: UTC, duration: 4h}}}}]}}"
    );
    let (old, new) = (record("a", &row(7, 40), KeyOrigin::Added), record("b", &row(8, 60), KeyOrigin::Added));
    let story = keys().shows(&[row(7, 40), row(8, 60)]).knows(&[old, new]).with(|story| {
        story.desired.adjustment = rules(&adjustment);
        story.openings = vec![opening("month-start", opens, closes)];
    });
    if removes { story.prunes().lists(&["b"]) } else { story.lists(&["a", "b", "c"]) }
}

const AHEAD: (&str, &str) = ("2026-12-01T06:00:00Z", "2026-12-01T10:00:00Z");
const OPEN: (&str, &str) = ("2026-11-22T12:00:00Z", "2026-11-22T16:00:00Z");
const OVER: (&str, &str) = ("2026-11-22T08:00:00Z", "2026-11-22T12:00:00Z");

#[test]
fn removal_of_a_key_waits_for_the_window_of_decreases_and_is_made_in_it() {
    for ahead in [AHEAD, OVER] {
        let waiting = waiting("decrease", true, ahead);
        assert_eq!(waiting.sends(), None, "{ahead:?}");
        let status = waiting.status();
        assert_eq!(said(&status, kind::CHANGE_PENDING).0, "True/AwaitingWindow", "{ahead:?}");
        assert_eq!(status.plan.map(|plan| plan.blocked_by), Some(vec![PlanBlock::Window]), "{ahead:?}");
    }
    let status = waiting("decrease", true, AHEAD).status();
    assert_eq!(status.next_window.map(|next| next.opens_at), Some(Time(AHEAD.0.parse().unwrap())));
    let open = waiting("decrease", true, OPEN);
    assert_eq!(open.removes().and_then(|key| key.id), Some(7));
    let Verdict::Change(intent) = open.decide().verdict else { panic!("a removal") };
    assert_eq!(intent.window.map(|window| window.name).as_deref(), Some("month-start"), "it counts in the window");
}

#[test]
fn key_ignores_windows_of_other_direction() {
    assert!(waiting("increase", true, AHEAD).removes().is_some());
    assert!(waiting("decrease", false, AHEAD).adds().is_some());
    assert_eq!(waiting("increase", false, AHEAD).sends(), None);
}
