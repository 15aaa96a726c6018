//! What is believed of a reading: which changes need two that agree.

use super::*;

fn owner(story: Story) -> Story {
    story.with(|s| s.seen.rules.support.differences = Differences::Always)
}

fn plan_id(story: &Story) -> String {
    story.decided().plan.expect("a plan").basis.expect("a basis")
}

/// What is decided about `now` where the plan of `before` is published.
fn after(before: &Story, now: &Story) -> Verdict {
    now.decided_at(Some(&plan_id(before)), super::now()).verdict
}

/// Changes that give seats back, add to what is there, or follow the vendor's own purchases.
fn delicate() -> [(&'static str, Story); 3] {
    [
        ("decrease", story().wants(90, LimitGoal::Keep)),
        ("difference", owner(story())),
        ("change under UpTo", story().wants(120, LimitGoal::UpTo(200)).shows(100, Some(200))),
    ]
}

#[test]
fn decrease_difference_and_up_to_change_need_two_readings_that_agree() {
    for (what, story) in delicate() {
        assert!(matches!(after(&story, &story), Verdict::Change(_)), "{what}");
        for (other, seen) in [
            ("other seats", Snapshot { model: Model::Quantity(n(101, Some(200))), ..story.seen.clone() }),
            ("an exact use", Snapshot { usage: Usage::Exact(80), ..story.seen.clone() }),
            ("what is billed", Snapshot { billed: Some(100), ..story.seen.clone() }),
        ] {
            let again = Story { seen, ..self::story() }.with(|s| s.desired = story.desired.clone());
            assert_eq!(after(&story, &again), Verdict::Publish, "{what}, and then {other}");
        }
    }
}

#[test]
fn limit_change_is_sent_despite_meanwhile_changed_use() {
    let limit = || story().wants(100, LimitGoal::Pinned).shows(100, Some(200));
    assert!(matches!(after(&limit(), &limit().uses(Usage::Exact(99))), Verdict::Change(_)));
}

#[test]
fn old_billing_figure_sends_nothing_and_next_reading_decides() {
    for (what, story) in delicate() {
        let old = Story { seen: Snapshot { billed_is_old: true, ..story.seen.clone() }, ..self::story() };
        let old = old.with(|s| s.desired = story.desired.clone());
        assert_eq!(after(&story, &old), Verdict::Publish, "{what}");
        assert!(matches!(after(&old, &story), Verdict::Change(_)), "{what}");
    }
}

#[test]
fn use_that_changes_at_every_reading_keeps_no_change_from_being_sent() {
    for (what, story) in delicate() {
        for used in [1, 79, 81] {
            let seen = Snapshot { usage: Usage::AtLeast(used), ..story.seen.clone() };
            let again = Story { seen, ..self::story() }.with(|s| s.desired = story.desired.clone());
            assert!(matches!(after(&story, &again), Verdict::Change(_)), "{what}: {used} in use");
        }
    }
    // One wrong reading of the use lowers nothing: what it hides is seen by the other one.
    let lowered = |used| story().wants(90, LimitGoal::Keep).uses(Usage::Exact(used));
    assert!(matches!(after(&lowered(10), &lowered(95)), Verdict::Held(_)));
    assert_eq!(after(&lowered(95), &lowered(10)), Verdict::Publish);
}

#[test]
fn use_changes_plan_only_where_it_passes_seats_before_or_after_change() {
    let id = |used| plan_id(&story().wants(90, LimitGoal::Keep).uses(Usage::Exact(used)));
    assert_eq!(id(89), id(90), "every seat that stays may be in use");
    assert_ne!(id(90), id(91));
    assert_eq!(id(91), id(100));
    assert_ne!(id(100), id(101));
}

#[test]
fn increase_by_total_is_sent_despite_meanwhile_changed_use() {
    let total = story;
    let (used, billed) = (total().uses(Usage::Exact(99)), total().with(|s| s.seen.billed = Some(100)));
    for again in [used, billed] {
        assert!(matches!(after(&total(), &again), Verdict::Change(_)));
    }
}

#[test]
fn repeat_of_a_delicate_change_is_published_before_it_is_sent() {
    let opened = |story: Story| {
        let open = story.open(IntentPhase::Answered, SETTLED).read_before(n(100, Some(100)));
        open.with(|s| s.published = true).wants(150, LimitGoal::Pinned)
    };
    let total = opened(story());
    assert!(matches!(total.decided().verdict, Verdict::Change(ref intent) if intent.attempt == 2));
    let difference = opened(owner(story()));
    assert_eq!(difference.decided().verdict, Verdict::Publish);
    assert!(matches!(difference.verdict(), Verdict::Change(ref intent) if intent.attempt == 2));
}

#[test]
fn repeat_that_was_held_rests_on_no_single_reading() {
    let held = |seats: i32| {
        let story = story().open(IntentPhase::WithoutEffect, SETTLED).with(|s| s.elapsed = None);
        story.shows(seats, Some(100)).wants(150, LimitGoal::Pinned)
    };
    let wrong = held(120).decided_at(Some(&plan_id(&held(100))), now());
    assert_eq!(wrong.verdict, Verdict::Publish, "120 was read once");
    assert!(matches!(after(&held(100), &held(100)), Verdict::Change(ref intent) if intent.attempt == 2));
}

#[test]
fn refusal_is_not_forgotten_for_a_single_reading() {
    let refused = |seats: i32| story().open(IntentPhase::Rejected, SETTLED).shows(seats, Some(100));
    assert_eq!(refused(100).decided().verdict, Verdict::Rejected);
    let wrong = refused(120).decided();
    assert_eq!(wrong.verdict, Verdict::Publish);
    assert_eq!(wrong.intent.map(|intent| intent.phase), Some(IntentPhase::Rejected), "kept until two readings agree");
    // The wish was in sync before it was refused: that is no second reading of the target.
    let target = |settled| {
        refused(150).shows(150, Some(150)).with(|s| {
            s.satisfied = true;
            s.elapsed = Some(Elapsed { wait: request("i1"), since: SETTLED, settled });
        })
    };
    let once = target(None).decided();
    assert_eq!((once.verdict, once.wake), (Verdict::InSync, Some(TIMING.pause)));
    assert_eq!(once.intent.map(|intent| intent.phase), Some(IntentPhase::Rejected));
    assert!(once.doubt.is_some_and(|doubt| doubt.settled), "what was read is remembered");
    let other = target(Some((n(100, Some(100)), TIMING.pause))).decided();
    assert!(other.intent.is_some(), "the readings differ");
    let twice = target(Some((n(150, Some(150)), TIMING.pause))).decided();
    assert_eq!((twice.verdict, twice.intent), (Verdict::InSync, None));
    assert!(twice.applied.is_some(), "it counts as made, for the vendor may still take it back");
}

#[test]
fn refusal_ends_if_two_readings_show_wish_and_is_made_if_they_show_target() {
    // The limit is kept as it is, and was changed from outside.
    let shown = |limit, read_before: Numbers| {
        let refused = story().open(IntentPhase::Rejected, SETTLED).wants(150, LimitGoal::Keep).with(|s| {
            s.intent.as_mut().unwrap().step = seats_step(n(100, Some(160)), n(150, Some(160)));
        });
        refused.shows(150, Some(limit)).read_before(read_before).decided()
    };
    for (limit, made) in [(160, true), (161, false)] {
        let once = shown(limit, n(100, Some(160)));
        assert_eq!((once.verdict, once.applied), (Verdict::InSync, None), "{limit}");
        assert_eq!(once.intent.map(|intent| intent.phase), Some(IntentPhase::Rejected), "{limit}");
        let twice = shown(limit, n(150, Some(limit)));
        assert_eq!((twice.verdict, twice.intent, twice.applied.is_some()), (Verdict::InSync, None, made), "{limit}");
    }
}

#[test]
fn intent_of_another_account_is_not_over_because_this_account_is_in_sync() {
    for phase in [IntentPhase::WithoutEffect, IntentPhase::Rejected] {
        let elsewhere = story().open(phase, SETTLED).shows(150, Some(150)).with(|s| {
            s.satisfied = true;
            s.seen.account.id = Some("other".into());
        });
        let kept = elsewhere.decided().intent.map(|intent| intent.phase);
        assert_eq!(kept, Some(phase), "back on its account, it counts as before");
    }
}

/// Whether `to` is sent, by totals and by a difference.
fn sent(seen: &Story, to: (i32, LimitGoal)) -> (bool, bool) {
    let ask = |differences| {
        let story = Story { seen: seen.seen.clone(), ..story() }.wants(to.0, to.1);
        story.with(|s| s.seen.rules.support.differences = differences).sends().is_some()
    };
    (ask(Differences::Never), ask(Differences::Always))
}

#[test]
fn contradicting_numbers_hold_differences_and_decreases_not_raised_totals() {
    for (what, seen) in [
        ("use above seats", story().uses(Usage::Exact(101))),
        ("a limit below the seats", story().shows(100, Some(99))),
        ("another bill", story().with(|s| s.seen.billed = Some(120))),
    ] {
        assert_eq!(sent(&seen, (150, LimitGoal::Pinned)), (true, false), "{what}: an increase");
        assert_eq!(sent(&seen, (90, LimitGoal::Pinned)), (false, false), "{what}: a decrease");
        assert_eq!(sent(&seen, (100, LimitGoal::UpTo(110))), (true, true), "{what}: the limit alone");
        let holds = seen.wants(150, LimitGoal::Pinned).with(|s| s.seen.rules.support.differences = Differences::Always);
        assert_eq!(holds.holds()[0].kind, HoldKind::NumbersInDoubt, "{what}");
    }
    assert_eq!(sent(&story(), (150, LimitGoal::Pinned)), (true, true));
    assert_eq!(sent(&story(), (90, LimitGoal::Pinned)), (true, true));
}

#[test]
fn difference_up_to_billed_seats_proceeds() {
    let billed = story().with(|s| s.seen.billed = Some(150));
    assert_eq!(sent(&billed, (150, LimitGoal::Pinned)), (true, true));
    assert_eq!(sent(&billed, (151, LimitGoal::Pinned)), (true, false));
    let below = story().with(|s| s.seen.billed = Some(90));
    assert_eq!(sent(&below, (90, LimitGoal::Pinned)), (false, false), "what is shown may be in use");
}

#[test]
fn decrease_of_ours_that_is_billed_and_not_shown_is_repeated() {
    let back = |seats: i32| {
        let made =
            story().shows(150, Some(150)).made(150, 130, 1, 1, Trigger::SpecDiffers).wants(seats, LimitGoal::Pinned);
        made.with(|s| {
            s.seen.billed = Some(130);
            let wait = WaitFor::TakenBack("c0".into());
            s.elapsed = Some(Elapsed { wait, since: SETTLED, settled: Some((n(150, Some(150)), TIMING.pause)) });
        })
    };
    assert_eq!(back(130).sends().map(|(_, to, _)| to.seats), Some(130), "the vendor took it back");
    assert_eq!(back(120).sends(), None);
    let failed = story().open(IntentPhase::Answered, SETTLED).shows(150, Some(150)).read_before(n(150, Some(150)));
    let failed = failed.wants(130, LimitGoal::Pinned).with(|s| {
        let intent = s.intent.as_mut().unwrap();
        intent.step = seats_step(n(150, Some(150)), n(130, Some(130)));
        s.seen.billed = Some(130);
        s.published = true;
    });
    assert_eq!(failed.sends().map(|(_, to, attempt)| (to.seats, attempt)), Some((130, 2)), "it failed after billing");
}

#[test]
fn while_a_key_fails_that_shows_the_use_nothing_is_lowered() {
    let failing = story().with(|s| s.seen.rules.support.cannot_lower = Some("the key fails".into()));
    assert_eq!(sent(&failing, (90, LimitGoal::Pinned)), (false, false));
    assert_eq!(sent(&failing, (150, LimitGoal::Pinned)), (true, true));
    assert_eq!(failing.wants(90, LimitGoal::Keep).holds()[0].message, "the key fails");
}

#[test]
fn where_only_the_seats_cannot_be_changed_the_limit_still_can() {
    let fixed = story().with(|s| s.seen.rules.support.seats_fixed = Some("a provider sets them".into()));
    assert_eq!(sent(&fixed, (150, LimitGoal::Pinned)), (false, false));
    assert_eq!(sent(&fixed, (100, LimitGoal::UpTo(120))), (true, true));
    assert_eq!(fixed.holds()[0].kind, HoldKind::Unsupported);
}

#[test]
fn change_is_difference_only_where_limit_is_removed_and_total_otherwise() {
    let goes_on = |limit: Option<i32>, goal: LimitGoal| {
        let story = story().shows(100, limit).uses(Usage::Exact(101)).wants(150, goal).with(|s| {
            let support = &mut s.seen.rules.support;
            (support.differences, support.cannot_clear_limit) = (Differences::WithoutLimit, None);
        });
        story.sends().is_some()
    };
    assert!(
        !goes_on(Some(100), LimitGoal::Unlimited),
        "more are in use than purchased, and a difference rests on both"
    );
    assert!(goes_on(None, LimitGoal::Unlimited));
    assert!(goes_on(None, LimitGoal::Pinned));
    assert!(goes_on(Some(100), LimitGoal::Pinned));
}

#[test]
fn difference_goes_on_while_every_seat_is_in_use_and_waits_where_more_are() {
    let used = |used| owner(story()).uses(Usage::Exact(used));
    assert!(used(100).sends().is_some(), "numbers that do not contradict each other");
    assert_eq!(used(101).holds()[0].kind, HoldKind::NumbersInDoubt);
}
