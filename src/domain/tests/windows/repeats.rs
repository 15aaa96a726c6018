//! Which repeats of a request are the same change, and keep its place in the window: those of a request that got no usable answer,
//! while nothing was edited and no day has passed.

use super::*;
use crate::domain::windows::kept_place;

/// Its request got no usable answer, and two readings show that nothing came of it.
fn without_effect(waiter: &mut Waiter, intent: &Intent) {
    waiter.status.intent = Some(Intent { phase: IntentPhase::WithoutEffect, ..intent.clone() });
}

fn refused(waiter: &mut Waiter, intent: &Intent, now: &str) {
    let refusal = Outcome::Refused(Refusal::Request("No payment method found.".into()));
    waiter.status = after_request(waiter.status.clone(), intent, &refusal, Some(&waiter.story.seen), at(now)).status;
    assert_eq!(waiter.status.intent.as_ref().map(|intent| intent.phase), Some(IntentPhase::Rejected));
}

#[test]
fn refused_change_that_is_asked_again_waits_for_its_window_again() {
    let mut waiter = waiter(story().uses(Usage::Exact(80)));
    let intent = waiter.settled(OPEN).unwrap();
    refused(&mut waiter, &intent, OPEN);
    waiter.story.seen.usage = Usage::Exact(79);
    for now in ["2026-12-01T12:00:00Z", "2026-12-17T12:00:00Z"] {
        assert_eq!(waiter.settled(now), None, "fewer in use asks again, and the window is closed: {now}");
    }
    assert_eq!(waiter.pending().0, "True/WindowMissed");
}

#[test]
fn refused_change_leaves_its_place_in_the_window_to_the_next_request() {
    let mut waiter = waiter(story().uses(Usage::Exact(80)));
    let intent = waiter.settled(OPEN).unwrap();
    refused(&mut waiter, &intent, OPEN);
    assert_eq!(waiter.status.window, None, "no change was made");
    waiter.story.seen.usage = Usage::Exact(79);
    let again = waiter.settled(LAST).expect("it is asked again in the same window");
    assert_eq!(again.attempt, 2);
    assert_eq!(waiter.status.window.as_ref().map(|used| used.changes), Some(1));
}

#[test]
fn repeat_after_an_edit_of_the_adjustment_obeys_the_new_mode() {
    let mut waiter = waiter(story()).ruled(rules("{increase: {mode: Immediate}}"));
    let intent = waiter.settled(BEFORE).unwrap();
    without_effect(&mut waiter, &intent);
    waiter.story.desired.adjustment = rules("{increase: {mode: Never}}");
    waiter.story.generation += 1;
    assert_eq!(waiter.settled("2026-11-20T08:40:00Z"), None);
    assert_eq!(waiter.pending().0, "True/NeverMade");
}

#[test]
fn repeat_leaves_outside_the_window_within_a_day_of_its_request() {
    for (now, leaves) in [("2026-12-02T05:59:59Z", true), ("2026-12-02T06:00:00Z", false)] {
        let mut waiter = waiter(story());
        let intent = waiter.settled(OPEN).unwrap();
        without_effect(&mut waiter, &intent);
        assert_eq!(waiter.settled(now).is_some(), leaves, "{now}");
    }
}

#[test]
fn requests_without_effect_use_one_place_of_their_window() {
    for (now, leaves) in
        [("2026-12-01T08:00:00Z", true), ("2026-12-01T12:00:00Z", true), ("2026-12-02T10:00:00Z", false)]
    {
        let mut waiter = waiter(story()).ruled(in_window(", startingDeadline: 24h"));
        let first = waiter.settled(OPEN).unwrap();
        waiter.doubted("2026-12-01T06:10:00Z");
        without_effect(&mut waiter, &first);
        let second = waiter.settled("2026-12-01T06:31:00Z").expect("the first repeat");
        waiter.doubted("2026-12-01T06:40:00Z");
        without_effect(&mut waiter, &second);
        let third = waiter.settled(now);
        assert_eq!(third.as_ref().map(|intent| intent.attempt), leaves.then_some(3), "{now}");
        assert_eq!(waiter.status.window.as_ref().map(|used| used.changes), Some(1), "{now}");
        if !leaves {
            assert_eq!(waiter.pending().0, "True/WindowMissed");
        }
    }
}

#[test]
fn another_wish_after_requests_without_effect_finds_the_window_used() {
    let mut waiter = waiter(story());
    let first = waiter.settled(OPEN).unwrap();
    without_effect(&mut waiter, &first);
    waiter.story.desired.seats = Some(160);
    waiter.story.generation += 1;
    assert_eq!(waiter.settled(LAST), None);
    assert!(waiter.pending().1.contains("has seen 1 of 1 changes"), "{}", waiter.pending().1);
}

#[test]
fn limit_that_fell_meanwhile_takes_no_late_right_from_the_increase() {
    let mut waiter = waiter(story().shows(100, Some(200))).ruled(in_window(", startingDeadline: 24h"));
    let falls = waiter.settled("2026-12-01T05:50:00Z").expect("the limit falls");
    assert_eq!(falls.target(), n(100, Some(100)));
    // Its answer is lost, and the vendor answers nothing until after the window.
    waiter.doubted("2026-12-01T05:58:00Z");
    waiter.made(&falls, "2026-12-01T11:00:00Z");
    let late = waiter.settled("2026-12-01T11:01:00Z").expect("an outage kept it from its window");
    assert_eq!(late.target(), n(150, Some(150)));
}

#[test]
fn change_in_review_over_its_window_misses_it() {
    let mut waiter = waiter(story()).ruled(in_window(", startingDeadline: 24h, maxChangesPerWindow: 2"));
    let first = waiter.settled(OPEN).unwrap();
    waiter.status.intent = Some(Intent { phase: IntentPhase::NeedsReview, ..first.clone() });
    assert_eq!(waiter.pass(LAST).verdict, Verdict::NeedsReview);
    waiter.story.confirmed = Some(first.id);
    assert_eq!(waiter.settled("2026-12-01T12:00:00Z"), None, "a person held it");
    assert_eq!(waiter.pending().0, "True/WindowMissed");
    assert!(!waiter.pending().1.contains("startingDeadline"), "{}", waiter.pending().1);
}

#[test]
fn limit_waits_for_the_open_change_of_another_object_without_a_write() {
    let mut waiter = waiter(story().shows(100, Some(200)));
    waiter.story.obstacle = Some(Obstacle::InFlight(None));
    waiter.pass(BEFORE);
    let status = waiter.status.clone();
    for _ in 0..3 {
        waiter.pass(BEFORE);
        assert_eq!(waiter.status, status);
    }
    waiter.story.obstacle = None;
    assert_eq!(waiter.settled(BEFORE).map(|intent| intent.target()), Some(n(100, Some(100))));
}

#[test]
fn difference_that_waited_for_its_retry_is_published_once_more() {
    let mut waiter = waiter(story().uses(Usage::Exact(80)));
    waiter.story.seen.rules.support.differences = Differences::Always;
    let first = waiter.settled(OPEN).unwrap();
    let retry = Some(Time(at("2026-12-01T08:00:00Z")));
    let second = Intent { phase: IntentPhase::WithoutEffect, attempt: 2, next_try: retry, ..first };
    waiter.status.intent = Some(second);
    assert!(matches!(waiter.pass("2026-12-01T07:59:59Z").verdict, Verdict::Held(_)));
    assert_eq!(waiter.pass("2026-12-01T08:00:00Z").verdict, Verdict::Publish);
    assert!(matches!(waiter.pass("2026-12-01T08:00:05Z").verdict, Verdict::Change(_)));
}

#[test]
fn key_failing_for_a_time_does_not_count_as_hold_of_person() {
    let decrease = format!(
        "{{decrease: {{mode: InWindow}}, windows: [{{name: month-start, cron: {CRON}}}], startingDeadline: 24h}}"
    );
    let leaves = |remedy: Remedy| {
        let mut waiter = waiter(story().wants(90, LimitGoal::Pinned)).ruled(rules(&decrease));
        waiter.pass(BEFORE);
        waiter.story.seen.rules.support.cannot_lower = Some("the key fails".into());
        waiter.story.seen.concern =
            Some(Fault { remedy, ..Fault::credentials(reason::KEY_INVALID, "key refused", "the key fails".into()) });
        waiter.pass(LAST);
        waiter.story.seen.rules.support.cannot_lower = None;
        waiter.story.seen.concern = None;
        waiter.settled("2026-12-01T12:00:00Z").is_some()
    };
    assert!(leaves(Remedy::Time { after: None, secret_may_help: false }), "an outage may be made up for");
    assert!(!leaves(Remedy::Credentials), "a person had to mend the key");
}

#[test]
fn repeat_that_did_not_leave_keeps_the_place_of_its_request() {
    for came_back in [Outcome::NotSent("the operator is shutting down"), Outcome::Refused(Refusal::Throttled(None))] {
        let mut waiter = waiter(story());
        let first = waiter.settled(OPEN).unwrap();
        without_effect(&mut waiter, &first);
        let second = waiter.settled("2026-12-01T06:31:00Z").expect("the first repeat");
        waiter.status =
            after_request(waiter.status.clone(), &second, &came_back, None, at("2026-12-01T06:31:00Z")).status;
        assert_eq!(waiter.status.window.as_ref().map(|used| used.changes), Some(1), "{came_back:?}");
        let again = waiter.settled("2026-12-01T06:40:00Z").expect("it leaves later");
        assert_eq!(again.attempt, 2);
        waiter.made(&again, "2026-12-01T06:40:00Z");
        waiter.story.desired.seats = Some(160);
        waiter.story.generation += 1;
        assert_eq!(waiter.settled(LAST), None, "{came_back:?}: the window has seen its change");
    }
}

#[test]
fn only_repeat_of_same_change_keeps_its_place_in_window() {
    let mut waiter = waiter(story());
    let intent = waiter.settled(OPEN).unwrap();
    let keeps = |attempt, step: &Step| kept_place(Some(&intent), attempt, step).is_some();
    assert!(keeps(2, &intent.step) && keeps(3, &intent.step));
    assert!(!keeps(1, &intent.step), "it is no repeat");
    let Step::Seats(mut further) = intent.step.clone() else { panic!("{:?}", intent.step) };
    further.to += 1;
    assert!(!keeps(2, &Step::Seats(further)), "it goes further");
}

#[test]
fn repeat_kept_by_a_closed_path_stays_the_same_repeat_and_keeps_its_place() {
    let (mut waiter, late) = (waiter(story()), at("2026-12-01T12:00:00Z"));
    let first = waiter.settled(OPEN).unwrap();
    waiter.status.intent.as_mut().unwrap().phase = IntentPhase::Unanswered;
    let agreed = Some((n(100, Some(100)), TIMING.pause));
    waiter.story.elapsed = Some(Elapsed { wait: request(&first.id), since: SETTLED, settled: agreed });
    for _ in 0..4 {
        let decision = waiter.decision(late);
        // What two readings have shown is on record from then on, and the process need not remember it.
        waiter.story.elapsed = None;
        let decision = match &decision.verdict {
            Verdict::Change(intent) => {
                assert_eq!(intent.attempt, 2);
                decision.not_sent_yet("it is closed".into(), Duration::from_secs(7))
            }
            Verdict::Publish => decision,
            other => panic!("{other:?}"),
        };
        let learned = after_decision(waiter.status.clone(), &decision);
        let finding =
            Finding::Decided { desired: &waiter.story.desired, seen: &waiter.story.seen, decision: &decision };
        waiter.status = report(&learned.status, waiter.story.generation, &finding, late).status;
        let on_record = waiter.status.intent.as_ref().map(|intent| (intent.attempt, intent.phase));
        assert_eq!(on_record, Some((1, IntentPhase::WithoutEffect)), "nothing has left since");
    }
    let again = waiter.settled("2026-12-01T12:00:00Z").expect("the path is open");
    assert_eq!((again.attempt, &again.window), (2, &first.window));
    assert_eq!(waiter.status.window.as_ref().map(|used| used.changes), Some(1));
}
