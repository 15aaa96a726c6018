//! Faults that pass, refusals, and what may be asked after them.

use super::*;
use crate::domain::retry_pause::LONGEST_PAUSE;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// After this attempt, nothing was heard and nothing came of it.
fn nothing_came_of(attempt: i32) -> Story {
    let settle = TIMING.unanswered + TIMING.answered * u32::try_from(attempt - 1).unwrap();
    story().open(IntentPhase::Unanswered, settle).attempt(attempt).read_before(n(100, Some(100)))
}

/// As after another pass: the record is what the decision says.
fn recorded(decision: &Decision) -> Story {
    story().with(|s| {
        s.intent.clone_from(&decision.intent);
        s.may_bill.clone_from(&decision.may_bill);
    })
}

fn refused() -> Decision {
    let story = story().open(IntentPhase::Answered, SETTLED).attempt(2).read_before(n(100, Some(100)));
    story.with(|s| s.intent.as_mut().unwrap().answered = 1).follow()
}

fn attempt(story: &Story) -> Option<i32> {
    story.sends().map(|(_, _, attempt)| attempt)
}

#[test]
fn settle_time_of_attempt_grows_with_each_earlier_attempt() {
    for (number, minutes) in [(1, 30), (2, 35), (3, 40), (20, 125)] {
        let minutes = Duration::from_secs(60 * minutes);
        let open = |since| story().open(IntentPhase::Unanswered, since).attempt(number);
        let waits = open(minutes - Duration::from_secs(1)).follow();
        assert_eq!((waits.verdict, waits.doubt.unwrap().left), (Verdict::Doubt, Duration::from_secs(1)), "{number}");
        assert_eq!(open(minutes).follow().doubt.unwrap().left, TIMING.pause, "{number}: two readings must agree");
    }
}

#[test]
fn outage_that_lasts_never_ends_the_wish_and_each_pause_is_longer() {
    let mut pauses = Vec::new();
    for number in 1..=8 {
        let decision = nothing_came_of(number).follow();
        let kept = match &decision.verdict {
            Verdict::Change(again) => {
                assert_eq!((number, again.attempt), (1, 2), "at once after the first settle time alone");
                pauses.push(0);
                continue;
            }
            _ => decision.intent.clone().unwrap(),
        };
        assert_eq!((kept.phase, kept.attempt), (IntentPhase::WithoutEffect, number));
        let at = kept.next_try.clone().unwrap().0;
        assert_eq!(decision.plan.as_ref().unwrap().blocked_by, [PlanBlock::Retry]);
        let Verdict::Held(holds) = &decision.verdict else { panic!("{:?}", decision.verdict) };
        assert!(holds[0].message.contains(&at.strftime("%H:%M").to_string()), "{}", holds[0].message);
        pauses.push(at.duration_since(now()).as_secs() / 60);
        assert_eq!(decision.wake, Some(Duration::try_from(at.duration_since(now())).unwrap()));
        let then = recorded(&decision).follow_at(at);
        assert!(matches!(&then.verdict, Verdict::Change(next) if next.attempt == number + 1), "{:?}", then.verdict);
    }
    // Beyond 30, 35, 40 ... minutes of settle time: 60, 120, 240 and then 360 in all.
    assert_eq!(pauses, [0, 25, 80, 195, 310, 305, 300, 295]);
    assert_eq!(LONGEST_PAUSE, Duration::from_secs(6 * 3600));
}

#[test]
fn time_of_the_next_try_that_another_clock_set_far_away_is_not_waited_for() {
    let decision = nothing_came_of(4).follow();
    let far = recorded(&decision).follow_at(now() - SignedDuration::from_secs(1));
    assert!(matches!(far.verdict, Verdict::Change(_)), "{:?}", far.verdict);
    let far = recorded(&decision).follow_at(now() - HOUR);
    assert!(matches!(far.verdict, Verdict::Change(_)), "{:?}", far.verdict);
}

#[test]
fn look_of_a_person_replaces_the_pause_once_and_the_settle_time_never() {
    let paused = nothing_came_of(3).follow();
    let looks = |story: Story, look: &str| story.with(|s| s.look = Some(look.into()));
    assert_eq!(attempt(&recorded(&paused)), None);
    let asked = looks(recorded(&paused), "one").follow();
    let Verdict::Change(sent) = asked.verdict else { panic!("{:?}", asked.verdict) };
    assert_eq!((sent.attempt, sent.look.as_deref()), (4, Some("one")));
    // It comes to nothing too, and the same look asks for nothing more.
    let same = |phase, since| {
        let story = looks(story(), "one").open(phase, since).read_before(n(100, Some(100)));
        story.with(|s| s.intent = Some(Intent { phase, ..(*sent).clone() })).with(|s| {
            s.elapsed.as_mut().unwrap().wait = WaitFor::Request(sent.id.clone());
        })
    };
    let again = same(IntentPhase::Unanswered, SETTLED).follow();
    assert_eq!(again.plan.as_ref().unwrap().blocked_by, [PlanBlock::Retry]);
    assert_eq!(attempt(&looks(recorded(&again), "two")), Some(5));
    let early = looks(same(IntentPhase::Unanswered, Duration::from_secs(60)), "two");
    assert_eq!(early.verdict(), Verdict::Doubt, "the settle time");
}

#[test]
fn refused_change_is_requested_once_for_each_look_and_for_each_new_secret() {
    let refused = refused();
    assert_eq!(recorded(&refused).verdict(), Verdict::Rejected);
    let looked = recorded(&refused).with(|s| s.look = Some("one".into()));
    let Verdict::Change(sent) = looked.verdict() else { panic!("{:?}", looked.verdict()) };
    assert_eq!((sent.attempt, sent.answered, sent.look.as_deref()), (3, 2, Some("one")));
    let after = Intent { phase: IntentPhase::Rejected, ..*sent };
    let same = story().with(|s| (s.look, s.intent) = (Some("one".into()), Some(after)));
    assert_eq!(same.verdict(), Verdict::Rejected, "one value is one request");
    assert_eq!(attempt(&recorded(&refused).with(|s| s.rotated = true)), Some(3));
}

#[test]
fn use_that_goes_up_asks_nothing_again_and_use_that_goes_down_does() {
    let refused = refused();
    for (used, asks) in [(81, None), (80, None), (79, Some(3))] {
        assert_eq!(attempt(&recorded(&refused).uses(Usage::AtLeast(used))), asks, "{used}");
    }
    assert_eq!(recorded(&refused).uses(Usage::NotReported).verdict(), Verdict::Rejected);
    let once = recorded(&refused).uses(Usage::AtLeast(79)).with(|s| s.published = false);
    assert_eq!(once.decided().verdict, Verdict::Publish, "one reading may be wrong");
}

#[test]
fn number_that_may_be_billed_stays_reported_through_edits_until_cleared() {
    let refused = refused();
    let may = refused.may_bill.clone().expect("the vendor may bill it");
    assert_eq!((may.seats, may.account.as_str()), (150, "api.test/one"));
    let back = || recorded(&refused).wants(100, LimitGoal::Pinned);
    let decision = back().follow();
    let said = |decision: &Decision, story: &Story| {
        let finding = Finding::Decided { desired: &story.desired, seen: &story.seen, decision };
        let status = after_decision(LicenseSeatsStatus::default(), decision).status;
        let status = report(&status, 3, &finding, now()).status;
        (status.summary.unwrap(), status.conditions[0].message.clone(), status.may_bill)
    };
    assert_eq!((&decision.verdict, decision.intent.is_none()), (&Verdict::InSync, true));
    let (summary, ready, kept) = said(&decision, &back());
    assert_eq!((summary.as_str(), kept.as_ref()), ("in sync; may bill 150", Some(&may)));
    assert!(ready.contains("may bill 150 seats") && ready.contains(&format!("confirm=bill-{}", may.id)), "{ready}");
    type Clear = fn(&mut Story);
    let cleared: [(&str, Clear); 3] = [
        ("credentials that show the bill", |s| s.seen.billed = Some(100)),
        ("a confirmation", |s| s.confirmed = s.may_bill.as_ref().map(|may| format!("bill-{}", may.id))),
        ("another account is not this one", |s| s.seen.account.id = Some("other".into())),
    ];
    for (what, clear) in cleared {
        let story = back().with(clear);
        let decision = story.follow();
        let (summary, ..) = said(&decision, &story);
        assert!(!summary.contains("may bill"), "{what}: {summary}");
    }
    for (seats, ended) in [(149, false), (150, true)] {
        let later = story().wants(seats, LimitGoal::Pinned).shows(seats, Some(seats));
        let later = later.with(|s| s.may_bill = Some(may.clone()));
        assert_eq!(later.follow().may_bill.is_none(), ended, "the vendor shows {seats}");
    }
    let other = story().open(IntentPhase::Answered, SETTLED).shows(150, Some(150)).with(|s| s.may_bill = Some(may));
    assert_eq!(other.follow().may_bill, None, "a later change");
    let (intent, outcome) = (other.intent.clone().unwrap(), Outcome::Accepted);
    let before = LicenseSeatsStatus { may_bill: other.may_bill.clone(), ..LicenseSeatsStatus::default() };
    let after = after_request(before, &intent, &outcome, Some(&other.seen), now());
    assert_eq!((after.status.history.len(), after.status.may_bill), (1, None), "one that is read back at once");
}

#[test]
fn change_of_unknown_outcome_may_be_billed_when_spec_is_edited_back() {
    let edited = |story: Story| story.wants(100, LimitGoal::Pinned).with(|s| s.generation = 4).follow();
    let unknown = edited(story().open(IntentPhase::Unanswered, SETTLED).read_before(n(100, Some(100))));
    assert_eq!(unknown.verdict, Verdict::InSync);
    assert_eq!(unknown.may_bill.unwrap().seats, 150);
    let taken_back = edited(story().made(100, 150, 1, 1, Trigger::SpecDiffers));
    assert_eq!(taken_back.verdict, Verdict::InSync);
    assert_eq!(taken_back.may_bill.unwrap().seats, 150);
}

#[test]
fn refusal_with_a_reason_bills_nothing() {
    let reasoned = |s: &mut Story| {
        let intent = s.intent.as_mut().unwrap();
        (intent.phase, intent.refused) = (IntentPhase::Rejected, Some("of a rule".into()));
    };
    let refused = || story().open(IntentPhase::Rejected, SETTLED).with(reasoned);
    assert_eq!(refused().follow().may_bill, None);
    let edited = refused().wants(100, LimitGoal::Pinned).with(|s| s.generation = 4).follow();
    assert_eq!((edited.verdict, edited.intent, edited.may_bill), (Verdict::InSync, None, None));
}

#[test]
fn request_of_unknown_outcome_at_other_account_bills_nothing_here() {
    let dropped = |account: &str| {
        let story = story().open(IntentPhase::Unanswered, SETTLED).read_before(n(100, Some(100)));
        let edited = story.wants(100, LimitGoal::Pinned).with(|s| s.generation = 4);
        let decision = edited.with(|s| s.intent.as_mut().unwrap().account = account.into()).follow();
        (decision.intent, decision.may_bill.map(|may| may.seats))
    };
    assert_eq!(dropped("api.test/other"), (None, None));
    assert_eq!(dropped("api.test/one"), (None, Some(150)));
}

#[test]
fn next_change_waits_for_the_late_effects_of_the_last() {
    let edited = |since: Option<u64>| {
        let story =
            story().made(100, 150, 0, 1, Trigger::SpecDiffers).shows(150, Some(150)).wants(160, LimitGoal::Pinned);
        let elapsed = since.map(|since| Elapsed {
            wait: WaitFor::LateEffects("c0".into()),
            since: Duration::from_secs(since),
            settled: Some((n(150, Some(150)), TIMING.pause)),
        });
        story.with(|s| (s.elapsed, s.late_over) = (elapsed, false))
    };
    let waits = edited(Some(290)).follow();
    assert_eq!(waits.plan.as_ref().unwrap().blocked_by, [PlanBlock::LateEffects]);
    assert_eq!((waits.doubt.unwrap().left, waits.wake), (Duration::from_secs(10), Some(Duration::from_secs(10))));
    assert!(edited(Some(300)).sends().is_some());
    let once = edited(Some(300)).with(|s| s.elapsed.as_mut().unwrap().settled = None).follow();
    assert_eq!(once.doubt.unwrap().left, TIMING.pause, "two readings must agree");
    assert_eq!(edited(None).follow().doubt.unwrap().left, TIMING.answered, "a process that has just begun");
    let repeated = edited(Some(300)).with(|s| s.history[0].attempt = 3);
    assert_eq!(repeated.follow().doubt.unwrap().left, TIMING.answered * 2, "three attempts");
    let old = edited(None).with(|s| s.history[0].time = Time(now() - HOUR * 25));
    assert!(old.sends().is_some());
}

#[test]
fn late_effects_of_change_are_awaited_for_one_day_and_not_longer() {
    let edited = |seconds: i64| {
        let made = story().made(100, 150, 0, 1, Trigger::SpecDiffers).shows(150, Some(150));
        let age = SignedDuration::from_secs(seconds);
        made.wants(160, LimitGoal::Pinned).with(|s| (s.late_over, s.history[0].time) = (false, Time(now() - age)))
    };
    let day = 24 * 3600;
    assert_eq!(edited(day - 1).follow().plan.unwrap().blocked_by, [PlanBlock::LateEffects]);
    assert_eq!(edited(day).sends().map(|(_, to, _)| to.seats), Some(160));
}

#[test]
fn late_effects_clock_goes_on_while_no_other_wait_runs() {
    let made = story().made(100, 150, 0, 1, Trigger::SpecDiffers).shows(150, Some(150));
    let kept = |wait: WaitFor, settled| Some(Doubt { wait, left: Duration::ZERO, settled });
    assert_eq!(made.follow().doubt, kept(WaitFor::LateEffects("c0".into()), true));
    let request = |since| {
        let since = Duration::from_secs(since);
        let elapsed = Some(Elapsed { wait: request("c0"), since, settled: None });
        story().made(100, 150, 0, 1, Trigger::SpecDiffers).shows(150, Some(150)).with(|s| s.elapsed = elapsed)
    };
    assert_eq!(request(299).follow().doubt, kept(WaitFor::Request("c0".into()), false), "that of its request");
    assert_eq!(request(300).follow().doubt, kept(WaitFor::Request("c0".into()), true));
}

#[test]
fn change_doubled_by_other_installation_needs_person_and_is_not_corrected() {
    let twice = |differences, attempt: i32| {
        let story = story().made(100, 150, 0, attempt, Trigger::SpecDiffers).shows(200, Some(100));
        story.wants(150, LimitGoal::Keep).with(|s| s.seen.rules.support.differences = differences)
    };
    let decision = twice(Differences::Always, 1).follow();
    assert_eq!(decision.verdict, Verdict::NeedsReview);
    let story = twice(Differences::Always, 1);
    let finding = Finding::Decided { desired: &story.desired, seen: &story.seen, decision: &decision };
    let status = LicenseSeatsStatus { history: story.history.clone(), ..LicenseSeatsStatus::default() };
    let ready = report(&status, 3, &finding, now()).status.conditions[0].message.clone();
    assert!(ready.contains("another Seatkeeper") && ready.contains("confirm=c0"), "{ready}");
    // Two totals are one change, unless the vendor carries out both at one moment: that shows within the settle time.
    let total = |age: Duration| {
        let age = SignedDuration::try_from(age).unwrap();
        twice(Differences::Never, 1).with(|s| s.history[0].time = Time(now() - age)).verdict()
    };
    assert_eq!(total(TIMING.unanswered - Duration::from_secs(1)), Verdict::NeedsReview);
    assert_ne!(total(TIMING.unanswered), Verdict::NeedsReview);
    let confirmed = twice(Differences::Always, 1).with(|s| s.confirmed = Some("c0".into()));
    assert_ne!(confirmed.verdict(), Verdict::NeedsReview);
}

#[test]
fn change_shown_twice_needs_person_within_one_day_and_is_drift_after() {
    let twice = |seconds: i64| {
        let story = story().made(100, 150, 0, 1, Trigger::SpecDiffers).shows(200, Some(200));
        let age = SignedDuration::from_secs(seconds);
        story.wants(150, LimitGoal::Keep).with(|s| {
            s.seen.rules.support.differences = Differences::Always;
            s.history[0].time = Time(now() - age);
        })
    };
    let day = 24 * 3600;
    assert_eq!(twice(day - 1).verdict(), Verdict::NeedsReview);
    assert_eq!(twice(day).sends(), Some((n(200, Some(200)), n(150, Some(200)), 1)));
}

#[test]
fn change_made_twice_is_vendor_growth_only_if_that_many_seats_are_in_use() {
    let twice = |used| {
        let story = story().made(100, 150, 0, 1, Trigger::SpecDiffers).shows(200, Some(300)).uses(used);
        story.wants(150, LimitGoal::UpTo(300)).with(|s| s.seen.rules.support.differences = Differences::Always)
    };
    assert_eq!(twice(Usage::Exact(199)).verdict(), Verdict::NeedsReview);
    assert_eq!(twice(Usage::NotReported).verdict(), Verdict::NeedsReview);
    assert_eq!(twice(Usage::Exact(200)).verdict(), Verdict::InSync, "the vendor has bought for those who joined");
    let confirmed = twice(Usage::Exact(199)).with(|s| s.confirmed = Some("c0".into()));
    assert_ne!(confirmed.verdict(), Verdict::NeedsReview);
}

#[test]
fn difference_is_sent_some_seconds_after_its_plan_and_a_total_at_once() {
    let published = |differences, uid: i64| {
        let story = story().with(|s| (s.seen.rules.support.differences, s.published) = (differences, false));
        let decision = story.with(|s| s.generation = uid).decided();
        assert_eq!(decision.verdict, Verdict::Publish);
        decision.wake.unwrap()
    };
    assert_eq!(published(Differences::Never, 3), Duration::ZERO);
    let waits: std::collections::BTreeSet<Duration> = (0..20).map(|n| published(Differences::Always, n)).collect();
    let seconds = waits.iter().map(Duration::as_secs).collect::<std::collections::BTreeSet<_>>();
    assert!(waits.len() > 10 && seconds.len() > 3 && seconds.iter().all(|wait| *wait < 5), "{waits:?}");
}
