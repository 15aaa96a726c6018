//! Which change may leave after the end of its window: one that an outage kept from it, and none that a person kept.

use super::*;

const LATE: &str = "2026-12-01T12:00:00Z";

/// In a window, and for a day after it.
fn for_a_day(direction: &str) -> ChangeTimes {
    rules(&format!(
        "{{{direction}: {{mode: InWindow}}, windows: [{{name: month-start, cron: {CRON}}}], startingDeadline: 24h}}"
    ))
}

/// What a person keeps from its window, and how the person lets it go. Neither is an edit of the spec.
type Kept = (fn(&mut Story), fn(&mut Story));

/// Whether it leaves late if it was kept so before and in its window, or before it alone.
fn leaves_late(direction: &str, seats: i32, kept: Option<Kept>) -> bool {
    let mut waiter = waiter(story().wants(seats, LimitGoal::Pinned)).ruled(for_a_day(direction));
    let (hold, release): Kept = kept.unwrap_or((|_| {}, |_| {}));
    hold(&mut waiter.story);
    assert_eq!(waiter.settled(BEFORE), None);
    if kept.is_some() {
        assert_eq!(waiter.settled(OPEN), None);
    }
    release(&mut waiter.story);
    waiter.settled(LATE).is_some()
}

#[test]
fn change_kept_by_guard_rail_from_its_window_may_not_leave_late() {
    let kept: [Kept; 2] = [
        (|story| story.desired.ceilings.max_seats = Some(120), |story| story.desired.ceilings.max_seats = None),
        (|story| story.desired.ceilings.max_increase = Some(20), |story| story.desired.ceilings.max_increase = None),
    ];
    assert!(leaves_late("increase", 150, None), "no person kept it: the operator was away");
    for kept in kept {
        assert!(!leaves_late("increase", 150, Some(kept)));
    }
}

#[test]
fn decrease_that_waited_for_a_person_has_no_right_to_leave_late() {
    let unseen: Kept = (|story| story.record = None, |story| story.record = Some(record()));
    assert!(leaves_late("decrease", 90, None), "no person kept it: the operator was away");
    assert!(!leaves_late("decrease", 90, Some(unseen)));
}
