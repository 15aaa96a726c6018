//! What holds while a change waits: a limit that falls, an urgent need, an end of the period that moves, windows that never end.

use super::*;
use crate::calendar::{self, Schedule};

#[test]
fn limit_falls_at_once_while_the_increase_is_never_made() {
    for (limit, falls_to) in [(LimitGoal::Pinned, 100), (LimitGoal::UpTo(180), 180)] {
        let mut waiter =
            waiter(story().wants(150, limit).shows(100, Some(200))).ruled(rules("{increase: {mode: Never}}"));
        let intent = waiter.settled(BEFORE).expect("the limit falls");
        assert_eq!((intent.base(), intent.target()), (n(100, Some(200)), n(100, Some(falls_to))));
        waiter.made(&intent, BEFORE);
        assert_eq!(waiter.settled("2026-11-20T09:00:00Z"), None, "nothing more leaves");
        assert_eq!(waiter.pending().0, "True/NeverMade");
    }
}

#[test]
fn urgent_increase_is_made_in_an_open_window_that_has_room_and_counts() {
    let urgent = format!(
        "{{increase: {{mode: InWindow, urgentBelowFreeSeats: 2}}, windows: [{{name: month-start, cron: {CRON}}}]}}"
    );
    let mut waiter = waiter(story().uses(Usage::Exact(99))).ruled(rules(&urgent));
    let first = waiter.settled(OPEN).expect("the window is open");
    assert_eq!((first.reason, first.window.is_some()), (Trigger::SpecDiffers, true));
    waiter.made(&first, OPEN);
    waiter.story.desired.seats = Some(160);
    waiter.story.seen.usage = Usage::Exact(149);
    let second = waiter.settled(LAST).expect("the window has no room");
    assert_eq!((second.reason, second.window.is_some()), (Trigger::Urgent, false));
    assert_eq!(waiter.status.window.as_ref().map(|used| used.changes), Some(1));
}

#[test]
fn renewal_that_moved_since_it_was_read_opens_no_window() {
    let adjustment =
        "{decrease: {mode: InWindow}, windows: [{name: renewal, beforeRenewal: {opens: 48h, closes: 2h}}]}";
    let mut waiter = waiter(story().wants(90, LimitGoal::Pinned)).ruled(rules(adjustment));
    waiter.openings.clear();
    let reads = |waiter: &mut Waiter, end: &str, is_old: bool| {
        let period_end = Some(Time(at(end)));
        waiter.story.seen.license = Some(License { period_end, ..License::of(LicenseState::Active) });
        waiter.story.seen.billed_is_old = is_old;
    };
    let opens = "2026-12-08T00:00:00Z";
    reads(&mut waiter, "2026-12-10T00:00:00Z", true);
    assert_eq!(waiter.settled(BEFORE), None);
    assert!(waiter.summary().ends_with("at 2026-12-08 00:00 UTC"), "{}", waiter.summary());
    for _ in 0..3 {
        assert_eq!(waiter.pass(opens).verdict, Verdict::Publish, "no change rests on what was read before");
    }
    reads(&mut waiter, "2027-12-10T00:00:00Z", false);
    assert_eq!(waiter.settled(opens), None, "a reading for the change shows another end");
    assert!(waiter.summary().ends_with("at 2027-12-08 00:00 UTC"), "{}", waiter.summary());
    reads(&mut waiter, "2026-12-10T00:00:00Z", false);
    assert!(waiter.settled(opens).is_some(), "it shows the same end");
}

/// What the calendar knows of two windows of 13 hours that open in turn every 12 hours.
fn always(now: Timestamp) -> Vec<Opening> {
    let length = Duration::from_secs(13 * 3600);
    let near = |(name, schedule): (&str, &str)| {
        let schedule = Schedule::parse(schedule, "UTC", length).unwrap();
        let named = |(calendar::Opening { opens, closes }, local)| Opening { name: name.into(), opens, closes, local };
        schedule.near(now).map(named).collect::<Vec<_>>()
    };
    [("day", "0 6 * * *"), ("night", "0 18 * * *")].into_iter().flat_map(near).collect()
}

#[test]
fn always_overlapping_windows_keep_their_count_and_report_it() {
    let mut waiter = waiter(story());
    waiter.openings = always(at(BEFORE));
    let first = waiter.settled(BEFORE).expect("one of them is open");
    waiter.made(&first, BEFORE);
    waiter.story.desired.seats = Some(160);
    for hours in (1..24 * 14).step_by(5) {
        let now = at(BEFORE) + SignedDuration::from_hours(hours);
        waiter.openings = always(now);
        assert_eq!(waiter.settled(&now.to_string()), None, "{now}");
        let (reason, message) = waiter.pending();
        assert_eq!(reason, "True/AwaitingWindow", "{now}");
        let told = "the window has seen 1 of 1 changes (spec.adjustment.maxChangesPerWindow); no next opening is known: check the windows \
                    of spec.adjustment";
        assert!(message.contains(told), "{now}: {message}");
    }
    assert_eq!(waiter.summary(), "+10 seats: no window known");
}
