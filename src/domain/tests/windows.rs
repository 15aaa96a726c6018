//! When changes may be made: windows by the calendar and before the renewal, their allowance, and what is urgent.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::pages::table;
use super::*;

mod late;
mod meanwhile;
mod repeats;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn opening(name: &str, opens: &str, closes: &str) -> Opening {
    let (opens, closes) = (at(opens), at(closes));
    Opening { name: name.into(), opens, closes, local: opens.strftime("%Y-%m-%d %H:%M UTC").to_string() }
}

/// A spec as a person writes it.
pub(super) fn rules(adjustment: &str) -> ChangeTimes {
    let spec: Adjustment = serde_yaml::from_str(adjustment).unwrap();
    ChangeTimes::parse(Some(&spec)).unwrap()
}

const CRON: &str = "{schedule: 0 6 1 * *, timeZone: UTC, duration: 4h}";

pub(super) fn in_window(more: &str) -> ChangeTimes {
    rules(&format!("{{increase: {{mode: InWindow}}, windows: [{{name: month-start, cron: {CRON}}}]{more}}}"))
}

/// An object that waits for windows, as decisions follow each other.
struct Waiter {
    story: Story,
    openings: Vec<Opening>,
    status: LicenseSeatsStatus,
}

fn waiter(story: Story) -> Waiter {
    let openings = vec![
        opening("month-start", "2026-12-01T06:00:00Z", "2026-12-01T10:00:00Z"),
        opening("month-start", "2027-01-01T06:00:00Z", "2027-01-01T10:00:00Z"),
    ];
    let status = LicenseSeatsStatus { observed_generation: 3, ..LicenseSeatsStatus::default() };
    Waiter { story: story.with(|story| story.desired.adjustment = in_window("")), openings, status }
}

impl Waiter {
    fn ruled(mut self, adjustment: ChangeTimes) -> Self {
        self.story.desired.adjustment = adjustment;
        self
    }

    fn decision(&self, now: Timestamp) -> Decision {
        let story = &self.story;
        decide(&Situation {
            published: self.status.plan.as_ref().and_then(|plan| plan.basis.as_deref()),
            intent: self.status.intent.as_ref(),
            history: &self.status.history,
            calendar: Calendar {
                openings: &self.openings,
                used: self.status.window.as_ref(),
                waits: self.status.next_window.as_ref(),
                planned: self.status.plan.as_ref(),
                current: self.status.observed_generation == story.generation,
            },
            approvals: Approvals { shown: self.status.last_plan.as_ref(), ..Approvals::default() },
            ..story.situation(None, now)
        })
    }

    /// One pass, whose decision is recorded.
    fn pass(&mut self, now: &str) -> Decision {
        let now = at(now);
        let decision = self.decision(now);
        let learned = after_decision(self.status.clone(), &decision);
        let finding = Finding::Decided { desired: &self.story.desired, seen: &self.story.seen, decision: &decision };
        self.status = report(&learned.status, self.story.generation, &finding, now).status;
        decision
    }

    /// Passes until a request would leave or nothing more comes of it. The request is made.
    fn settled(&mut self, now: &str) -> Option<Intent> {
        for _ in 0..3 {
            if let Verdict::Change(intent) = self.pass(now).verdict {
                self.status = before_request(self.status.clone(), &intent);
                return Some(*intent);
            }
        }
        None
    }

    /// A pass while the outcome of the request is not known.
    fn doubted(&mut self, now: &str) {
        let intent = self.status.intent.as_mut().expect("a request");
        intent.phase = IntentPhase::Unanswered;
        assert_eq!(self.pass(now).verdict, Verdict::Doubt);
    }

    /// The request was made: the vendor shows it.
    fn made(&mut self, intent: &Intent, now: &str) {
        self.story.seen.model = Model::Quantity(intent.target());
        let learned = after_request(self.status.clone(), intent, &Outcome::Accepted, Some(&self.story.seen), at(now));
        self.status = learned.status;
        // Its late effects are over: nothing but windows holds the next one.
        self.status.history[0].time = Time(at("2026-10-01T00:00:00Z"));
    }

    fn ready(&self) -> String {
        said(&self.status, kind::READY).0
    }

    fn pending(&self) -> (String, String) {
        said(&self.status, kind::CHANGE_PENDING)
    }

    fn summary(&self) -> &str {
        self.status.summary.as_deref().unwrap_or_default()
    }
}

const BEFORE: &str = "2026-11-20T08:00:00Z";
const OPEN: &str = "2026-12-01T06:00:00Z";
const LAST: &str = "2026-12-01T09:59:59Z";
const CLOSED: &str = "2026-12-01T10:00:00Z";

#[test]
fn increase_before_its_window_waits_and_is_ready_and_names_the_opening() {
    let mut waiter = waiter(story());
    assert_eq!(waiter.settled(BEFORE), None);
    assert_eq!(waiter.ready(), "True/ChangeDeferred");
    let (reason, message) = waiter.pending();
    assert_eq!(reason, "True/AwaitingWindow");
    assert!(message.contains("it waits for window month-start, which opens at 2026-12-01 06:00 UTC"), "{message}");
    assert_eq!(waiter.summary(), "+50 seats at 2026-12-01 06:00 UTC");
    let next = waiter.status.next_window.clone().unwrap();
    assert_eq!((next.name.as_str(), next.opens_at.0, next.closes_at.0), ("month-start", at(OPEN), at(CLOSED)));
    assert_eq!(
        waiter.decision(at(BEFORE)).wake,
        Some(Duration::from_secs((10 * 24 + 22) * 3600 - 15 * 60) + Duration::from_millis(100)),
        "it gets ready a quarter of an hour before"
    );
    for (now, left) in [("2026-12-01T05:44:59Z", 1), ("2026-12-01T05:45:00Z", 15 * 60), ("2026-12-01T05:59:59Z", 1)] {
        let wake = waiter.decision(at(now)).wake;
        assert_eq!(wake, Some(Duration::from_secs(left) + Duration::from_millis(100)), "{now}");
    }
}

#[test]
fn increase_in_its_window_is_made_from_the_first_moment_to_the_last() {
    for (now, made) in [("2026-12-01T05:59:59Z", false), (OPEN, true), (LAST, true), (CLOSED, false)] {
        let mut waiter = waiter(story());
        let intent = waiter.settled(now);
        assert_eq!(intent.is_some(), made, "{now}");
        if let Some(intent) = intent {
            assert_eq!(intent.window.map(|window| window.name).as_deref(), Some("month-start"));
            let used = waiter.status.window.clone().unwrap();
            assert_eq!((used.opened_at.0, used.closes_at.0, used.changes), (at(OPEN), at(CLOSED), 1));
        }
    }
}

#[test]
fn second_change_of_window_waits_and_reports_used_window() {
    let mut waiter = waiter(story());
    let first = waiter.settled(OPEN).unwrap();
    waiter.made(&first, OPEN);
    waiter.story.desired.seats = Some(160);
    assert_eq!(waiter.settled(LAST), None);
    let (_, message) = waiter.pending();
    assert!(message.contains("has seen 1 of 1 changes"), "{message}");
    assert!(waiter.summary().ends_with("at 2027-01-01 06:00 UTC"), "{}", waiter.summary());
}

#[test]
fn window_with_room_for_two_changes_sees_two_and_no_third() {
    let mut waiter = waiter(story()).ruled(in_window(", maxChangesPerWindow: 2"));
    for (seats, made) in [(150, true), (160, true), (170, false)] {
        waiter.story.desired.seats = Some(seats);
        let intent = waiter.settled(OPEN);
        assert_eq!(intent.is_some(), made, "{seats}");
        if let Some(intent) = intent {
            waiter.made(&intent, OPEN);
        }
    }
}

#[test]
fn open_window_with_new_name_schedule_or_length_gives_no_second_change() {
    let others = [
        opening("renamed", "2026-12-01T06:00:00Z", "2026-12-01T10:00:00Z"),
        opening("later", "2026-12-01T07:00:00Z", "2026-12-01T11:00:00Z"),
        opening("earlier", "2026-12-01T03:00:00Z", "2026-12-01T09:30:00Z"),
    ];
    for other in others {
        let mut waiter = waiter(story());
        let first = waiter.settled(OPEN).unwrap();
        waiter.made(&first, OPEN);
        waiter.story.desired.seats = Some(160);
        waiter.story.generation = 4;
        waiter.openings[0] = other.clone();
        assert_eq!(waiter.settled("2026-12-01T08:00:00Z"), None, "{other:?}");
        assert_eq!(waiter.status.window.as_ref().map(|used| used.changes), Some(1), "{other:?}");
    }
}

#[test]
fn opening_lengthened_by_edit_stays_the_same_after_next_edit() {
    let mut waiter = waiter(story());
    let first = waiter.settled(OPEN).unwrap();
    waiter.made(&first, OPEN);
    waiter.story.desired.seats = Some(160);
    waiter.openings[0] = opening("month-start", "2026-12-01T09:00:00Z", "2026-12-01T13:00:00Z");
    assert_eq!(waiter.settled("2026-12-01T09:30:00Z"), None);
    waiter.openings[0] = opening("month-start", "2026-12-01T12:00:00Z", "2026-12-01T16:00:00Z");
    assert_eq!(waiter.settled("2026-12-01T12:30:00Z"), None, "{:?}", waiter.status.window);
}

#[test]
fn windows_that_overlap_are_one_stretch_with_one_change() {
    let mut waiter = waiter(story());
    waiter.openings.push(opening("second", "2026-12-01T09:00:00Z", "2026-12-01T14:00:00Z"));
    waiter.openings.push(opening("third", "2026-12-01T13:00:00Z", "2026-12-01T18:00:00Z"));
    let first = waiter.settled(OPEN).unwrap();
    assert_eq!(waiter.status.window.as_ref().unwrap().closes_at.0, at("2026-12-01T18:00:00Z"));
    waiter.made(&first, OPEN);
    waiter.story.desired.seats = Some(160);
    assert_eq!(waiter.settled("2026-12-01T17:00:00Z"), None);
}

#[test]
fn windows_that_touch_are_stretches_of_their_own_with_one_change_each() {
    let mut waiter = waiter(story());
    waiter.openings.push(opening("before", "2026-12-01T02:00:00Z", OPEN));
    waiter.openings.push(opening("after", CLOSED, "2026-12-01T14:00:00Z"));
    let first = waiter.settled(OPEN).unwrap();
    let used = waiter.status.window.clone().unwrap();
    assert_eq!((used.opened_at.0, used.closes_at.0), (at(OPEN), at(CLOSED)));
    waiter.made(&first, OPEN);
    waiter.story.desired.seats = Some(160);
    assert_eq!(waiter.settled(LAST), None);
    assert!(waiter.settled(CLOSED).is_some());
}

#[test]
fn change_is_covered_by_earlier_one_only_in_same_direction_and_no_further() {
    let step = |from: (i32, i32), to: (i32, i32)| {
        Step::Seats(SeatsStep { from: from.0, to: to.0, limit_from: Some(from.1), limit_to: Some(to.1) })
    };
    let up = step((100, 120), (150, 150));
    let down = step((100, 120), (90, 120));
    for (earlier, change, covered) in [
        (&up, step((100, 120), (150, 150)), true),
        (&up, step((110, 120), (150, 150)), true),
        (&up, step((100, 120), (151, 150)), false),
        (&up, step((100, 120), (150, 151)), false),
        (&up, step((100, 120), (90, 120)), false),
        (&down, step((100, 120), (90, 120)), true),
        (&down, step((100, 120), (89, 120)), false),
        // Within the limit of before, and yet upwards.
        (&down, step((90, 110), (90, 115)), false),
    ] {
        assert_eq!(change_direction::covers(earlier, &change), covered, "{earlier:?} {change:?}");
    }
}

#[test]
fn higher_limit_alone_is_not_urgent_however_few_seats_are_free() {
    let urgent = rules(&format!(
        "{{increase: {{mode: InWindow, urgentBelowFreeSeats: 2}}, windows: [{{name: month-start, cron: {CRON}}}]}}"
    ));
    let mut waiter = waiter(story().wants(100, LimitGoal::UpTo(150)).uses(Usage::Exact(99))).ruled(urgent);
    assert_eq!(waiter.settled(BEFORE), None);
    assert_eq!(waiter.pending().0, "True/AwaitingWindow");
}

#[test]
fn request_that_did_not_leave_has_used_no_window() {
    let refused_key = Refusal::Credentials(Fault::spec("the key was refused".into()));
    for outcome in
        [Outcome::NotSent("shutting down"), Outcome::Refused(Refusal::Throttled(None)), Outcome::Refused(refused_key)]
    {
        let mut waiter = waiter(story());
        let intent = waiter.settled(OPEN).unwrap();
        let learned = after_request(waiter.status.clone(), &intent, &outcome, None, at(OPEN));
        waiter.status = learned.status;
        assert_eq!(waiter.status.window, None);
        assert!(waiter.settled(LAST).is_some());
    }
}

#[test]
fn unsent_request_returns_only_its_own_place_in_window() {
    let mut waiter = waiter(story()).ruled(in_window(", maxChangesPerWindow: 2"));
    let first = waiter.settled(OPEN).unwrap();
    waiter.made(&first, OPEN);
    waiter.story.desired.seats = Some(160);
    let second = waiter.settled(OPEN).unwrap();
    assert_eq!(waiter.status.window.as_ref().map(|used| used.changes), Some(2));
    let not_sent = Outcome::NotSent("shutting down");
    waiter.status = after_request(waiter.status.clone(), &second, &not_sent, None, at(OPEN)).status;
    assert_eq!(waiter.status.window.as_ref().map(|used| used.changes), Some(1));
}

#[test]
fn request_throttled_at_end_of_window_may_leave_until_starting_deadline() {
    let mut waiter = waiter(story()).ruled(in_window(", startingDeadline: 24h"));
    waiter.pass(BEFORE);
    let intent = waiter.settled(LAST).unwrap();
    let turned_away = Outcome::Refused(Refusal::Throttled(None));
    waiter.status = after_request(waiter.status.clone(), &intent, &turned_away, None, at(LAST)).status;
    assert_eq!(waiter.status.plan, None);
    assert!(waiter.settled("2026-12-01T12:00:00Z").is_some());
}

#[test]
fn change_beyond_refused_one_waits() {
    for (seats, leaves) in [(150, true), (151, false)] {
        let mut waiter = waiter(story()).ruled(in_window(", startingDeadline: 24h"));
        waiter.pass(BEFORE);
        let intent = waiter.settled(LAST).unwrap();
        let turned_away = Outcome::Refused(Refusal::Throttled(None));
        waiter.status = after_request(waiter.status.clone(), &intent, &turned_away, None, at(LAST)).status;
        // As sizing moves it: without an edit.
        waiter.story.desired.seats = Some(seats);
        assert_eq!(waiter.settled("2026-12-01T12:00:00Z").is_some(), leaves, "{seats}");
    }
}

#[test]
fn edit_that_is_met_by_a_fault_has_no_right_to_leave_late() {
    let mut waiter = waiter(story()).ruled(in_window(", startingDeadline: 24h"));
    waiter.pass(BEFORE);
    waiter.story.generation = 4;
    waiter.story.desired.seats = Some(140);
    let fault = Fault::spec("the Secret is missing".into());
    let finding = Finding::Failed { fault: &fault, desired: None, account: None, stale: true };
    waiter.status = report(&waiter.status, 4, &finding, at(CLOSED)).status;
    assert_eq!(waiter.status.observed_generation, 4);
    assert_eq!(waiter.settled("2026-12-01T12:00:00Z"), None);
}

#[test]
fn first_retry_of_request_waits_for_no_window_and_counts_as_same_change() {
    let mut waiter = waiter(story());
    let intent = waiter.settled(OPEN).unwrap();
    let open = Intent { phase: IntentPhase::WithoutEffect, ..intent };
    waiter.status.intent = Some(open.clone());
    let again = waiter.settled("2026-12-01T12:00:00Z").expect("the repeat leaves after the end");
    assert_eq!((again.attempt, again.window.as_ref()), (2, open.window.as_ref()));
    assert_eq!(waiter.status.window.as_ref().unwrap().changes, 1);
    // The third request passes every gate.
    waiter.status.intent = Some(Intent { phase: IntentPhase::WithoutEffect, ..again });
    assert_eq!(waiter.settled("2026-12-01T13:00:00Z"), None);
    // So does a repeat that goes further than what passed.
    waiter.status.intent = Some(open);
    waiter.story.desired.adjustment = in_window(", maxChangesPerWindow: 2");
    waiter.story.seen.usage = Usage::AtLeast(80);
    waiter.story.desired.limit = LimitGoal::UpTo(200);
    assert_eq!(waiter.settled("2026-12-01T13:00:00Z").filter(|intent| intent.target().seats > 100), None);
}

#[test]
fn change_kept_from_its_window_may_leave_until_starting_deadline() {
    for (now, made) in [("2026-12-02T09:59:59Z", true), ("2026-12-02T10:00:00Z", false)] {
        let mut waiter = waiter(story()).ruled(in_window(", startingDeadline: 24h"));
        assert_eq!(waiter.settled(BEFORE), None);
        // The operator is away for the whole window.
        let intent = waiter.settled(now);
        assert_eq!(intent.is_some(), made, "{now}");
        if made {
            assert_eq!(waiter.status.window.as_ref().unwrap().opened_at.0, at(OPEN));
        } else {
            let (reason, message) = waiter.pending();
            assert_eq!(reason, "True/WindowMissed");
            assert!(message.contains("it missed the window that opened at 2026-12-01 06:00Z"), "{message}");
            assert_eq!(waiter.status.next_window.as_ref().unwrap().missed, Some(Time(at(OPEN))));
            // It is still told later.
            waiter.pass("2026-12-15T00:00:00Z");
            assert_eq!(waiter.pending().0, "True/WindowMissed");
        }
    }
}

#[test]
fn change_that_was_edited_or_held_by_a_person_has_no_right_to_leave_late() {
    let late = "2026-12-01T12:00:00Z";
    let deadline = || waiter(story()).ruled(in_window(", startingDeadline: 24h"));
    let mut edited = deadline();
    edited.pass(BEFORE);
    edited.story.generation = 4;
    edited.story.desired.seats = Some(140);
    assert_eq!(edited.settled(late), None, "edited after the window");
    let mut suspended = deadline();
    suspended.story.desired.suspended = true;
    suspended.pass(BEFORE);
    suspended.pass(OPEN);
    suspended.story.desired.suspended = false;
    let held = suspended.status.next_window.clone().expect("the window that is open");
    assert_eq!((held.opens_at.0, held.held), (at(OPEN), true));
    suspended.story.generation = 4;
    assert_eq!(suspended.settled(late), None, "suspended over the window");
    assert!(suspended.summary().ends_with("at 2027-01-01 06:00 UTC"), "{}", suspended.summary());
    assert_eq!(suspended.pending().0, "True/WindowMissed");
    let next = suspended.status.next_window.as_ref().expect("the next window");
    assert_eq!((next.missed.as_ref().map(|time| time.0), next.held), (Some(at(OPEN)), false));
    let mut fresh = deadline();
    assert_eq!(fresh.settled(late), None, "first seen after the window");
}

#[test]
fn change_that_a_person_held_over_its_window_misses_it() {
    let mut waiter = waiter(story()).ruled(in_window(", startingDeadline: 24h"));
    waiter.story.desired.guardrails.max_seats = Some(120);
    waiter.pass(BEFORE);
    waiter.pass(LAST);
    waiter.story.desired.guardrails.max_seats = None;
    assert_eq!(waiter.settled("2026-12-01T12:00:00Z"), None, "the same spec, so only the hold tells");
    assert_eq!(waiter.pending().0, "True/WindowMissed");
}

#[test]
fn change_that_a_person_held_before_its_window_leaves_in_it_or_late() {
    for now in [OPEN, "2026-12-01T12:00:00Z"] {
        let mut waiter = waiter(story()).ruled(in_window(", startingDeadline: 24h"));
        waiter.story.desired.suspended = true;
        waiter.pass(BEFORE);
        waiter.story.desired.suspended = false;
        waiter.pass(BEFORE);
        assert!(waiter.settled(now).is_some(), "{now}");
    }
}

#[test]
fn plan_that_waited_is_published_once_more_and_sent_by_next_reading() {
    let mut waiter = waiter(story().with(|story| story.seen.rules.support.differences = Differences::Always));
    waiter.pass(BEFORE);
    let opened = waiter.pass(OPEN);
    assert_eq!(opened.verdict, Verdict::Publish);
    assert!(opened.wake.is_some_and(|wake| !wake.is_zero()), "differences of two installations leave apart");
    assert_eq!(waiter.status.plan.as_ref().map(|plan| plan.blocked_by.as_slice()), Some([].as_slice()));
    assert!(matches!(waiter.pass(OPEN).verdict, Verdict::Change(_)));
}

#[test]
fn plan_that_waited_for_another_pool_is_published_once_more() {
    let bound = Bound { seats: 120, because: "of b".into(), pool: Some("b") };
    let story = story().with(|s| (s.seen.rules.at_most.push(bound), s.others.push(("b", 200))).1);
    let mut waiter = waiter(story).ruled(ChangeTimes::default());
    assert!(matches!(waiter.pass(BEFORE).verdict, Verdict::Held(_)));
    assert_eq!(waiter.status.plan.as_ref().unwrap().blocked_by, [PlanBlock::OtherPool]);
    waiter.story.seen.rules.at_most.clear();
    assert_eq!(waiter.pass(BEFORE).verdict, Verdict::Publish);
    assert!(matches!(waiter.pass(BEFORE).verdict, Verdict::Change(_)));
}

#[test]
fn account_changed_by_waiting_plan_at_opening_is_reported() {
    let drifted = |now: &str| {
        let mut waiter = waiter(story());
        waiter.pass(BEFORE);
        let target = waiter.status.plan.as_ref().expect("a plan").step.target();
        waiter.story.seen.model = Model::Quantity(target);
        waiter.pass(now);
        said(&waiter.status, kind::DRIFTED).0
    };
    let told = "True/AnotherSeatkeeper";
    assert_eq!([OPEN, "2026-12-01T06:14:59Z"].map(drifted), [told, told]);
    assert_eq!(["2026-12-01T05:59:59Z", "2026-12-01T06:15:00Z"].map(drifted), ["", ""], "a person may make it by hand");
}

#[test]
fn seats_that_vendor_bought_while_plan_waited_are_no_other_seatkeeper() {
    let drifted = |goal: LimitGoal, limit: Option<i32>, used: i32| {
        let story = story().wants(101, goal).shows(100, limit).uses(Usage::Exact(100));
        let mut waiter = waiter(story);
        waiter.pass(BEFORE);
        let target = waiter.status.plan.as_ref().expect("a plan").step.target();
        waiter.story.seen.usage = Usage::Exact(used);
        waiter.story.seen.model = Model::Quantity(target);
        waiter.pass(OPEN);
        said(&waiter.status, kind::DRIFTED).0
    };
    assert_eq!(drifted(LimitGoal::Keep, None, 101), "");
    assert_eq!(drifted(LimitGoal::Keep, Some(101), 101), "");
    let told = "True/AnotherSeatkeeper";
    assert_eq!(drifted(LimitGoal::Keep, None, 100), told, "no user joined");
    assert_eq!(drifted(LimitGoal::Pinned, Some(100), 101), told, "the limit keeps the vendor from buying");
}

#[test]
fn seats_bought_by_vendor_before_plan_left_are_no_other_seatkeeper() {
    let mut waiter = waiter(story().wants(101, LimitGoal::Keep).shows(100, None).uses(Usage::Exact(100)));
    assert_eq!(waiter.pass(OPEN).verdict, Verdict::Publish);
    let target = waiter.status.plan.as_ref().expect("a plan").step.target();
    waiter.story.seen.usage = Usage::Exact(101);
    waiter.story.seen.model = Model::Quantity(target);
    assert_eq!(waiter.pass(OPEN).verdict, Verdict::InSync);
    assert_eq!(said(&waiter.status, kind::DRIFTED).0, "");
}

#[test]
fn pinned_limit_falls_to_the_purchased_seats_while_an_increase_waits() {
    let mut waiter = waiter(story().shows(100, Some(200)));
    let intent = waiter.settled(BEFORE).expect("the limit falls");
    assert_eq!((intent.base(), intent.target()), (n(100, Some(200)), n(100, Some(100))));
    assert_eq!((intent.window.clone(), waiter.status.window.clone()), (None, None));
    assert_eq!(waiter.status.next_window.as_ref().unwrap().opens_at.0, at(OPEN));
    waiter.made(&intent, BEFORE);
    assert_eq!(waiter.settled("2026-11-20T09:00:00Z"), None, "nothing more leaves");
    assert_eq!(waiter.ready(), "True/ChangeDeferred");
    let raised = waiter.settled(OPEN).unwrap();
    assert_eq!(raised.target(), n(150, Some(150)));
}

#[test]
fn up_to_limit_is_the_smaller_of_old_and_new_while_an_increase_waits() {
    for (old, falls_to) in [(Some(300), Some(180)), (None, Some(180)), (Some(120), None)] {
        let mut waiter = waiter(story().wants(150, LimitGoal::UpTo(180)).shows(100, old));
        let limit = waiter.settled(BEFORE).map(|intent| intent.target());
        assert_eq!(limit, falls_to.map(|limit| n(100, Some(limit))), "{old:?}");
    }
}

#[test]
fn suspended_increase_lets_no_limit_fall() {
    let mut waiter = waiter(story().shows(100, Some(200)));
    waiter.story.desired.suspended = true;
    assert_eq!(waiter.settled(BEFORE), None);
    assert_eq!(waiter.ready(), "True/Suspended");
}

#[test]
fn raising_or_removing_a_limit_waits_like_an_increase() {
    for limit in [LimitGoal::UpTo(200), LimitGoal::Unlimited] {
        let mut waiter = waiter(story().wants(100, limit).shows(100, Some(150)));
        waiter.story.seen.rules.support.cannot_clear_limit = None;
        assert_eq!(waiter.settled(BEFORE), None, "{limit:?}");
        assert!(waiter.settled(OPEN).is_some(), "{limit:?}");
    }
}

#[test]
fn status_warns_where_no_limit_keeps_the_vendor_from_buying_meanwhile() {
    let mut waiter = waiter(story().wants(150, LimitGoal::Keep).shows(100, None));
    waiter.pass(BEFORE);
    assert_eq!(waiter.summary(), "+50 seats at 2026-12-01 06:00 UTC…");
    assert!(waiter.pending().1.contains("declare spec.limit, with mode Pinned"), "{}", waiter.pending().1);
}

#[test]
fn urgent_increase_waits_for_no_window_and_does_not_count() {
    for (used, urgent) in [(98, false), (99, true), (100, true)] {
        let mut waiter = waiter(story().uses(Usage::Exact(used)));
        waiter.story.desired.adjustment = rules(&format!(
            "{{increase: {{mode: InWindow, urgentBelowFreeSeats: 2}}, windows: [{{name: month-start, cron: {CRON}}}]}}"
        ));
        let intent = waiter.settled(BEFORE);
        assert_eq!(intent.as_ref().map(|intent| intent.reason), urgent.then_some(Trigger::Urgent), "{used}");
        assert_eq!(waiter.status.window, None);
    }
}

#[test]
fn unknown_use_makes_nothing_urgent() {
    let mut waiter = waiter(story().uses(Usage::NotReported));
    waiter.story.desired.adjustment = rules(&format!(
        "{{increase: {{mode: InWindow, urgentBelowFreeSeats: 1000}}, windows: [{{name: month-start, cron: {CRON}}}]}}"
    ));
    assert_eq!(waiter.settled(BEFORE), None);
}

#[test]
fn direction_that_is_never_changed_is_shown_and_not_made() {
    let mut waiter = waiter(story()).ruled(rules("{increase: {mode: Never}}"));
    assert_eq!(waiter.settled(OPEN), None);
    assert_eq!((waiter.ready().as_str(), waiter.pending().0.as_str()), ("True/ChangeDeferred", "True/NeverMade"));
    assert_eq!(waiter.summary(), "+50 seats: shown only");
    let mut down = self::waiter(story().wants(90, LimitGoal::Pinned)).ruled(rules("{increase: {mode: Never}}"));
    assert!(down.settled(BEFORE).is_some(), "the other direction is free");
}

#[test]
fn decrease_waits_for_its_own_windows_alone() {
    let adjustment = rules(&format!(
        "{{decrease: {{mode: InWindow, windows: [renewal]}}, increase: {{mode: InWindow, windows: [month-start]}}, windows: \
         [{{name: month-start, cron: {CRON}}}, {{name: renewal, beforeRenewal: {{opens: 48h, closes: 2h}}}}]}}"
    ));
    let mut waiter = waiter(story().wants(90, LimitGoal::Pinned)).ruled(adjustment);
    assert_eq!(waiter.settled(OPEN), None, "the window of the other direction");
    let message = waiter.pending().1;
    assert!(message.contains("does not show the end of the period to these credentials"), "{message}");
    let license = License { period_end: Some(Time(at("2026-12-10T00:00:00Z"))), ..License::of(LicenseState::Active) };
    waiter.story.seen.license = Some(license);
    for (now, made) in
        [("2026-12-07T23:59:59Z", false), ("2026-12-09T22:00:00Z", false), ("2026-12-08T00:00:00Z", true)]
    {
        assert_eq!(waiter.settled(now).is_some(), made, "{now}");
    }
}

#[test]
fn correction_of_a_change_from_outside_uses_the_window_that_it_needs() {
    let mut waiter = waiter(story().shows(120, Some(120)));
    waiter.story.satisfied = true;
    assert_eq!(waiter.settled(BEFORE), None);
    let intent = waiter.settled(OPEN).unwrap();
    assert_eq!(intent.reason, Trigger::ExternalChange);
    assert_eq!(waiter.status.window.as_ref().unwrap().changes, 1);
}

#[test]
fn wish_and_correction_that_are_due_together_are_one_request() {
    let mut waiter = waiter(story());
    waiter.story.satisfied = true;
    waiter.pass(BEFORE);
    waiter.story.seen.model = Model::Quantity(n(95, Some(95)));
    waiter.pass(BEFORE);
    waiter.story.desired.seats = Some(160);
    assert_eq!(waiter.settled(BEFORE), None);
    let intent = waiter.settled(OPEN).unwrap();
    assert_eq!((intent.base().seats, intent.target().seats), (95, 160));
    waiter.made(&intent, OPEN);
    assert_eq!(waiter.settled(LAST), None);
    let changes = waiter.status.window.as_ref().map(|used| used.changes);
    assert_eq!((waiter.ready().as_str(), changes), ("True/InSync", Some(1)));
}

#[test]
fn object_that_is_first_seen_in_an_open_window_may_use_it() {
    let mut waiter = waiter(story().with(|story| story.record = None));
    waiter.status = LicenseSeatsStatus::default();
    let intent = waiter.settled(LAST).unwrap();
    assert_eq!(intent.window.map(|window| window.name).as_deref(), Some("month-start"));
    assert_eq!(waiter.status.window.as_ref().map(|used| used.changes), Some(1));
}

#[test]
fn wish_reset_to_current_numbers_ends_wait() {
    let mut waiter = waiter(story());
    waiter.pass(BEFORE);
    waiter.story.desired.seats = Some(100);
    waiter.pass(BEFORE);
    assert_eq!(
        (waiter.ready().as_str(), &waiter.status.next_window, &waiter.status.plan),
        ("True/InSync", &None, &None)
    );
}

#[test]
fn license_ending_before_next_opening_is_reported_at_once() {
    let mut waiter = waiter(story());
    let license = License { expires_at: Some(Time(at("2026-11-25T12:00:00Z"))), ..License::of(LicenseState::Active) };
    waiter.story.seen.license = Some(license);
    waiter.pass(BEFORE);
    assert!(waiter.pending().1.contains("ends on 2026-11-25, before that"), "{}", waiter.pending().1);
}

#[test]
fn waiting_writes_nothing_from_pass_to_pass() {
    let mut waiter = waiter(story());
    waiter.pass(BEFORE);
    let written = waiter.status.clone();
    for now in ["2026-11-21T08:00:00Z", "2026-11-25T08:00:00Z", "2026-12-01T05:59:00Z"] {
        waiter.pass(now);
        assert_eq!(untimed(&waiter.status), untimed(&written), "{now}");
    }
}

/// So many windows by the calendar.
fn windows(count: usize) -> String {
    (0..count).map(|i| format!("{{name: w{i}, cron: {CRON}}}")).collect::<Vec<_>>().join(", ")
}

fn refused(cases: &[(String, &str)]) {
    for (adjustment, expected) in cases {
        let spec: Adjustment = serde_yaml::from_str(adjustment).unwrap();
        let fault = ChangeTimes::parse(Some(&spec)).unwrap_err().0;
        assert!(fault.contains(expected), "{adjustment}: {fault}");
    }
}

#[test]
fn adjustment_that_makes_no_sense_is_refused_by_field_and_fix() {
    let window = format!("{{name: a, cron: {CRON}}}");
    let eleven = windows(11);
    let cases = [
        ("{increase: {mode: InWindow}}".to_owned(), "spec.adjustment.increase.mode is InWindow and it has no window"),
        (format!("{{windows: [{window}]}}"), "spec.adjustment.windows has \"a\", which no direction uses"),
        (
            format!("{{increase: {{mode: InWindow, windows: [b]}}, windows: [{window}]}}"),
            "increase.windows names \"b\"",
        ),
        (format!("{{increase: {{mode: InWindow}}, windows: [{window}, {window}]}}"), "has \"a\" twice"),
        (format!("{{increase: {{mode: InWindow}}, windows: [{eleven}]}}"), "has 11 windows: at most 10"),
        ("{increase: {mode: InWindow}, windows: [{name: a}]}".to_owned(), "windows[0] needs exactly one of cron and"),
        (
            format!(
                "{{increase: {{mode: InWindow}}, windows: [{{name: a, cron: {CRON}, beforeRenewal: {{opens: 4h, closes: 2h}}}}]}}"
            ),
            "windows[0] needs exactly one of cron and",
        ),
        (
            "{decrease: {mode: InWindow}, windows: [{name: a, beforeRenewal: {opens: 2h, closes: 2h}}]}".to_owned(),
            "windows[0].beforeRenewal.opens must be longer before the renewal than closes",
        ),
        (
            "{decrease: {mode: InWindow}, windows: [{name: a, beforeRenewal: {opens: 2161h, closes: 2h}}]}".to_owned(),
            "windows[0].beforeRenewal.opens must be a duration between 1h and 2160h",
        ),
        (
            "{decrease: {mode: InWindow}, windows: [{name: a, beforeRenewal: {opens: 2h, closes: 59m}}]}".to_owned(),
            "windows[0].beforeRenewal.closes must be a duration between 1h and 2160h",
        ),
        (
            format!("{{increase: {{mode: InWindow, windows: [a]}}, windows: [{window}, {{name: b, cron: {CRON}}}]}}"),
            "spec.adjustment.windows has \"b\", which no direction uses",
        ),
    ];
    refused(&cases);
}

#[test]
fn number_of_adjustment_that_makes_no_sense_is_refused_by_field_and_fix() {
    let window = format!("{{name: a, cron: {CRON}}}");
    let cases = [
        (
            format!("{{increase: {{mode: InWindow}}, windows: [{window}], startingDeadline: 169h}}"),
            "startingDeadline must be",
        ),
        (
            format!("{{increase: {{mode: InWindow}}, windows: [{window}], startingDeadline: 1 day}}"),
            "startingDeadline is not",
        ),
        (
            format!("{{increase: {{mode: InWindow}}, windows: [{window}], maxChangesPerWindow: 0}}"),
            "maxChangesPerWindow is 0",
        ),
        (
            format!("{{increase: {{mode: InWindow}}, windows: [{window}], maxChangesPerWindow: 101}}"),
            "maxChangesPerWindow is 101: it must be between 1 and 100",
        ),
        (
            "{increase: {mode: Immediate, urgentBelowFreeSeats: 1}}".to_owned(),
            "urgentBelowFreeSeats must be at least 1",
        ),
        ("{increase: {mode: Never, windows: []}}".to_owned(), "increase.windows goes with mode InWindow alone"),
    ];
    refused(&cases);
}

#[test]
fn number_at_its_bound_is_allowed_and_the_next_one_is_refused() {
    let fault = |adjustment: &str| {
        let spec: Adjustment = serde_yaml::from_str(adjustment).unwrap();
        ChangeTimes::parse(Some(&spec)).err().map(|fault| fault.0).unwrap_or_default()
    };
    let of = |count| fault(&format!("{{increase: {{mode: InWindow}}, windows: [{}]}}", windows(count)));
    assert_eq!(of(10), "");
    assert!(of(11).contains("has 11 windows: at most 10"), "{}", of(11));
    let urgent = |below: i32| {
        let increase = format!("{{mode: InWindow, urgentBelowFreeSeats: {below}}}");
        fault(&format!("{{increase: {increase}, windows: [{}]}}", windows(1)))
    };
    assert_eq!(urgent(1), "");
    for below in [0, -1] {
        assert!(urgent(below).contains("urgentBelowFreeSeats must be at least 1"), "{}", urgent(below));
    }
    let none = format!(
        "{{increase: {{mode: InWindow}}, decrease: {{mode: InWindow, windows: []}}, windows: [{}]}}",
        windows(1)
    );
    assert!(
        fault(&none).contains("spec.adjustment.decrease.mode is InWindow and it has no window"),
        "{}",
        fault(&none)
    );
}

#[test]
fn late_change_needs_a_plan_that_was_recorded_and_does_not_go_further() {
    let mut waiter = waiter(story()).ruled(in_window(", startingDeadline: 24h"));
    waiter.pass(BEFORE);
    let Some(Plan { step: Step::Seats(step), .. }) = &mut waiter.status.plan else { panic!("a plan") };
    step.to = 149;
    assert_eq!(waiter.settled("2026-12-01T12:00:00Z"), None);
    let used = WindowUse { opened_at: Time(at(OPEN)), closes_at: Time(at(CLOSED)), changes: 1 };
    let mut spent = self::waiter(story()).ruled(in_window(", startingDeadline: 24h"));
    spent.pass(BEFORE);
    spent.status.window = Some(used);
    assert_eq!(spent.settled("2026-12-01T12:00:00Z"), None, "the window has seen its change");
}

#[test]
fn change_that_waits_for_its_window_follows_no_other_pool_meanwhile() {
    let bound = Bound { seats: 120, because: "of b".into(), pool: Some("b") };
    let story = story().with(|s| (s.seen.rules.at_most.push(bound), s.others.push(("b", 200))).1);
    let waiter = waiter(story);
    let wake = waiter.decision(at(BEFORE)).wake.unwrap();
    assert!(wake > Duration::from_secs(10 * 24 * 3600), "{wake:?}: it is looked at when the window opens");
    assert_eq!(waiter.decision(at(OPEN)).wake, Some(Duration::from_secs(15)));
}

#[test]
fn vendor_that_may_buy_while_increase_waits_is_named_only_without_limit() {
    let told = |(seats, limit): (i32, Option<i32>), goal, wanted| {
        let mut waiter = waiter(story().wants(wanted, goal).shows(seats, limit));
        waiter.story.desired.adjustment = rules(&format!(
            "{{increase: {{mode: InWindow}}, decrease: {{mode: InWindow}}, windows: [{{name: month-start, cron: {CRON}}}]}}"
        ));
        assert_eq!(waiter.settled(BEFORE), None);
        waiter.pending().1.contains("Acme may buy seats by itself meanwhile")
    };
    assert!(told((100, Some(120)), LimitGoal::Keep, 110));
    assert!(told((100, None), LimitGoal::Keep, 110));
    assert!(!told((100, Some(100)), LimitGoal::Keep, 110), "no seat is left below the limit");
    assert!(!told((100, Some(120)), LimitGoal::Keep, 90), "it is a decrease");
    assert!(!told((100, Some(120)), LimitGoal::UpTo(120), 110), "the limit is declared");
}

#[test]
fn license_end_is_reported_with_window_opening_after_it_not_at_it() {
    let told = |end: &str| {
        let license = License { expires_at: Some(Time(at(end))), ..License::of(LicenseState::Active) };
        let mut waiter = waiter(story().with(|story| story.seen.license = Some(license)));
        assert_eq!(waiter.settled(BEFORE), None);
        waiter.pending().1.contains("The license at Acme ends on 2026-12-01, before that: renew it")
    };
    assert!(told("2026-12-01T05:59:59Z"));
    assert!(!told(OPEN));
}

/// As the calendar gives it: the first working day of the month at 6:00 in Berlin, for 4 hours.
fn berlin(opens: &str, local: &str) -> Opening {
    let opens = at(opens);
    Opening { name: "month-start".into(), opens, closes: opens + SignedDuration::from_hours(4), local: local.into() }
}

#[test]
fn window_page_matches_status() {
    let edited = |waiter: &mut Waiter, seats: i32| {
        (waiter.story.desired.seats, waiter.story.desired.limit) = (Some(seats), LimitGoal::Pinned);
        waiter.story.generation += 1;
    };
    let mut waiter = waiter(story().shows(100, Some(200)).uses(Usage::Exact(92)));
    waiter.openings = vec![
        berlin("2026-12-01T05:00:00Z", "2026-12-01 06:00 CET"),
        berlin("2027-01-01T05:00:00Z", "2027-01-01 06:00 CET"),
    ];
    let mut page = table("When changes may be made");
    edited(&mut waiter, 105);
    waiter.pass("2026-11-10T08:00:00Z");
    page.row("10 Nov", "An edit: `seats: 105`, `limit: {mode: Pinned}`", [waiter.summary()]);
    let intent = waiter.settled("2026-11-10T08:00:10Z").expect("the limit falls at once");
    waiter.made(&intent, "2026-11-10T08:00:10Z");
    let over = std::mem::replace(&mut waiter.status.history[0].time, Time(at("2026-11-10T08:00:10Z")));
    waiter.pass("2026-11-10T08:00:20Z");
    assert_eq!(waiter.story.seen.numbers(), Some(n(100, Some(100))));
    page.row("10 Nov", "For five minutes late effects of that change may still come", [waiter.summary()]);
    waiter.status.history[0].time = over;
    assert_eq!(waiter.settled("2026-11-10T08:10:00Z"), None);
    page.row("10 Nov", "Five minutes later", [waiter.summary()]);
    edited(&mut waiter, 110);
    assert_eq!(waiter.settled("2026-11-20T08:00:00Z"), None);
    page.row("20 Nov", "Another edit: `seats: 110`", [waiter.summary()]);
    let intent = waiter.settled("2026-12-01T05:00:00Z").expect("the change leaves at once");
    waiter.made(&intent, "2026-12-01T05:00:00Z");
    waiter.pass("2026-12-01T05:10:00Z");
    page.row("1 Dec, 6:00", "The window opens, and the change leaves. The vendor shows 110", [waiter.summary()]);
    edited(&mut waiter, 115);
    assert_eq!(waiter.settled("2026-12-01T07:00:00Z"), None);
    page.row("1 Dec, 8:00", "An edit: `seats: 115`", [waiter.summary()]);
    let urgent = rules(&format!(
        "{{increase: {{mode: InWindow, urgentBelowFreeSeats: 1}}, windows: [{{name: month-start, cron: {CRON}}}]}}"
    ));
    let mut waiter = waiter.ruled(urgent);
    waiter.story = waiter.story.uses(Usage::Exact(110));
    let intent = waiter.settled("2026-12-15T08:00:00Z").expect("the change leaves at once");
    waiter.made(&intent, "2026-12-15T08:00:00Z");
    waiter.pass("2026-12-15T08:10:00Z");
    page.row("15 Dec", "`urgentBelowFreeSeats: 1`: the change leaves. The vendor shows 115", [waiter.summary()]);
    page.ends();
}
