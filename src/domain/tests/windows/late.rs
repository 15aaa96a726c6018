//! Which change may leave after the end of its window: one that an outage or another pool kept from it, and none that a person
//! kept.

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

/// The states of another pool of the account in which a person lets its change go on, and those in which it goes on by itself.
const OF_A_PERSON: [&str; 7] = [
    "held-suspended",
    "held-approval",
    "held-denied",
    "held-never-made",
    "held-drift-reported",
    "held-guard-rail",
    "held-first-sight",
];
const BY_ITSELF: [&str; 2] = ["held-window", "held-window-missed"];

/// An object that waits for another pool in this state.
fn behind(other: &str) -> Waiter {
    let mut waiter = waiter(story().behind(&samples::status_of(other))).ruled(for_a_day("increase"));
    assert_eq!(waiter.settled(BEFORE), None, "{other}");
    waiter
}

/// The other pool has grown.
fn freed(waiter: &mut Waiter) {
    let story = &mut waiter.story;
    story.seen.rules.at_most.retain(|bound| bound.pool.is_none());
    (story.others, story.stuck) = (vec![], vec![]);
}

#[test]
fn change_kept_by_another_pool_leaves_late_unless_a_person_held_that_pool() {
    for (others, late) in [(&OF_A_PERSON[..], false), (&BY_ITSELF[..], true)] {
        for other in others {
            let mut waiter = behind(other);
            assert_eq!(waiter.settled(OPEN), None, "{other}");
            assert_eq!(waiter.pending().0, "True/AwaitingOtherPool", "{other}");
            freed(&mut waiter);
            assert_eq!(waiter.settled(LATE).is_some(), late, "{other}");
            if !late {
                assert_eq!(waiter.pending().0, "True/WindowMissed", "{other}");
            }
        }
    }
}

#[test]
fn change_behind_a_pool_under_way_over_the_window_leaves_late() {
    let mut waiter = behind("held-window");
    waiter.story.stuck.clear();
    assert_eq!(waiter.settled(OPEN), None);
    assert_eq!(waiter.pending().0, "True/AwaitingOtherPool");
    freed(&mut waiter);
    assert!(waiter.settled(LATE).is_some());
}

#[test]
fn change_behind_pool_freed_in_time_leaves_in_its_window_or_late() {
    for other in OF_A_PERSON {
        let mut waiter = behind(other);
        assert_eq!(waiter.settled(OPEN), None, "{other}");
        freed(&mut waiter);
        assert!(waiter.settled(LAST).is_some(), "{other}: it is the last moment");
        let mut waiter = behind(other);
        freed(&mut waiter);
        assert_eq!(waiter.settled(BEFORE), None, "{other}");
        assert!(waiter.settled(LATE).is_some(), "{other}: nothing but the operator was away");
    }
}
