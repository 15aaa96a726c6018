//! What is believed of a reading: which changes need two that agree.

use super::*;

fn owner(story: Story) -> Story {
    story.with(|s| s.seen.rules.support.differences = Differences::Always)
}

fn plan_id(story: &Story) -> String {
    story.decided().plan.expect("a plan").id
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
fn decrease_difference_and_change_under_up_to_are_sent_only_where_two_readings_agree() {
    for (what, story) in delicate() {
        assert!(matches!(after(&story, &story), Verdict::Change(_)), "{what}");
        for (other, seen) in [
            ("other seats", Snapshot { model: Model::Quantity(n(101, Some(200))), ..story.seen.clone() }),
            ("another use", Snapshot { usage: Usage::AtLeast(79), ..story.seen.clone() }),
            ("an exact use", Snapshot { usage: Usage::Exact(80), ..story.seen.clone() }),
            ("what is billed", Snapshot { billed: Some(100), ..story.seen.clone() }),
        ] {
            let again = Story { seen, ..self::story() }.with(|s| s.desired = story.desired.clone());
            assert_eq!(after(&story, &again), Verdict::Publish, "{what}, and then {other}");
        }
    }
}

#[test]
fn total_upwards_is_sent_whatever_becomes_of_the_use_meanwhile() {
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
    let target = || refused(150).shows(150, Some(150));
    assert!(target().decided().intent.is_some());
    assert_eq!(target().with(|s| s.satisfied = true).decided().intent, None, "seen in sync twice");
}
