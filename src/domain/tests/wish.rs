//! What an edit, a confirmation and a refusal leave of an intent: a decision belongs to an account and a wish.

use super::*;

/// A first request that came to nothing, whatever stands against its repeat for a while, leaves one repeat and no more.
#[test]
fn request_without_effect_is_retried_once_despite_holds() {
    type Obstacle = (&'static str, fn(Story) -> Story);
    let obstacles: [Obstacle; 7] = [
        ("a guard rail", |s| s.with(|s| s.desired.guardrails.max_seats = Some(120))),
        ("the bound of another pool", |s| {
            s.with(|s| s.seen.rules.at_most.push(Bound { seats: 120, because: "of b".into(), pool: Some("b") }))
        }),
        ("another pool that moves first", |s| {
            let bound = Bound { seats: 120, because: "of b".into(), pool: Some("b") };
            s.with(|s| (s.seen.rules.at_most.push(bound), s.others.push(("b", 200))).1)
        }),
        ("another change", |s| s.with(|s| s.obstacle = Some(crate::domain::Obstacle::InFlight(None)))),
        ("suspend", |s| s.with(|s| (s.desired.suspended, s.generation) = (true, 4))),
        ("Observe", |s| s.with(|s| (s.desired.policy, s.generation) = (ManagementPolicy::Observe, 4))),
        ("an edit of the interval", |s| s.with(|s| (s.desired.interval, s.generation) = (Duration::from_secs(60), 4))),
    ];
    for phase in [IntentPhase::Answered, IntentPhase::Unanswered, IntentPhase::Open] {
        for (what, obstacle) in &obstacles {
            let wish = story().desired.wish();
            let settled = || {
                let open = story().open(phase, SETTLED).read_before(n(100, Some(100)));
                open.with(|s| s.intent.as_mut().unwrap().wish = Some(wish.clone()))
            };
            let held = obstacle(settled()).decided();
            let kept = match &held.verdict {
                Verdict::Change(intent) => Some((**intent).clone()),
                _ => held.intent.clone(),
            };
            assert!(kept.is_some(), "{phase:?}, {what}: the record of the first request is lost: {:?}", held.verdict);
            // The obstacle goes away, in a process that remembers nothing.
            let free = || story().with(|s| (s.intent, s.generation) = (kept.clone(), 5));
            let attempt = |s: &Story| s.sends().map(|(_, _, attempt)| attempt);
            let again =
                if kept.as_ref().is_some_and(|intent| intent.attempt == 2) { Some(2) } else { attempt(&free()) };
            assert_eq!(again, Some(2), "{phase:?}, {what}");
        }
    }
}

#[test]
fn edit_that_leaves_the_wish_resolves_no_review_and_frees_no_refusal() {
    let review = story().open(IntentPhase::Unanswered, SETTLED).shows(120, Some(120)).read_before(n(120, Some(120)));
    let refusal = story().open(IntentPhase::Answered, SETTLED).attempt(2).read_before(n(100, Some(100)));
    let refusal = refusal.with(|s| s.intent.as_mut().unwrap().answered = 1);
    for (first, seats, expected) in [(review, 120, Verdict::NeedsReview), (refusal, 100, Verdict::Rejected)] {
        let wish = Some(first.desired.wish());
        let decision = first.with(|s| s.intent.as_mut().unwrap().wish = wish).follow();
        assert_eq!(decision.verdict, expected);
        let later = || story().shows(seats, Some(seats)).with(|s| s.intent.clone_from(&decision.intent));
        let edited = || later().with(|s| (s.generation, s.desired.interval) = (9, Duration::from_secs(60)));
        assert_eq!(edited().verdict(), expected, "an edit of the interval");
        let wish = edited().wants(170, LimitGoal::Pinned);
        assert_eq!(wish.sends().map(|(_, to, attempt)| (to.seats, attempt)), Some((170, 1)), "an edit of the seats");
    }
}

#[test]
fn edit_that_leaves_the_wish_resets_no_contest_and_gives_no_seats_back() {
    let contest = |generation| {
        let story = story().made(100, 150, 1, 1, Trigger::ExternalChange).made(100, 150, 3, 1, Trigger::ExternalChange);
        story.shows(120, Some(120)).with(|s| {
            let wish = Some(s.desired.wish());
            s.history.iter_mut().for_each(|change| change.wish.clone_from(&wish));
            (s.generation, s.desired.interval) = (generation, Duration::from_secs(60));
        })
    };
    assert_eq!(contest(3).verdict(), Verdict::Conflict);
    assert_eq!(contest(4).verdict(), Verdict::Conflict, "an edit of the interval");
    assert!(contest(4).wants(160, LimitGoal::Pinned).sends().is_some(), "an edit of the seats");
    let grown = || {
        let made = story().made(100, 150, 30, 1, Trigger::SpecDiffers).wants(150, LimitGoal::UpTo(200));
        made.shows(170, Some(200))
            .with(|s| (s.generation, s.history[0].step) = (4, seats_step(n(100, Some(100)), n(150, Some(200)))))
    };
    assert_eq!(grown().with(|s| s.history[0].wish = Some(s.desired.wish())).verdict(), Verdict::InSync);
}

#[test]
fn wish_after_a_change_that_was_taken_back_gets_two_requests_and_no_more() {
    // 100 to 150 was made and taken back; then 160 is asked for, and each request comes to nothing.
    let (mut intent, mut sent): (Option<Intent>, Vec<i32>) = (None, Vec::new());
    let here = || {
        story().made(100, 150, 1, 1, Trigger::SpecDiffers).wants(160, LimitGoal::Pinned).with(|s| {
            (s.generation, s.history[0].wish) = (4, Some("of 150".into()));
        })
    };
    for _ in 0..20 {
        let decide = |doubt: Option<&Elapsed>| {
            here().with(|s| (s.elapsed, s.intent) = (doubt.cloned(), intent.clone())).follow()
        };
        let mut decision = decide(None);
        // Doubts are waited out: that of the request, then that of what was taken back.
        let mut waits = 0;
        while let (Verdict::Doubt, Some(doubt)) = (&decision.verdict, &decision.doubt) {
            waits += 1;
            assert!(waits < 10, "a doubt without an end: {doubt:?}");
            let settled = Some((n(100, Some(100)), TIMING.pause));
            intent.clone_from(&decision.intent);
            let elapsed = Elapsed { wait: doubt.wait.clone(), since: SETTLED, settled };
            decision = here().with(|s| (s.elapsed, s.intent) = (Some(elapsed), intent.clone())).follow();
        }
        intent = match decision.verdict {
            Verdict::Change(change) => {
                sent.push(change.attempt);
                after_write(&change, &Outcome::Answered, Some(n(100, Some(100))), now()).intent
            }
            _ => decision.intent,
        };
    }
    assert_eq!(sent, [1, 2]);
    assert_eq!(intent.map(|intent| intent.phase), Some(IntentPhase::Rejected));
}

/// A first request from 100 to 150 that came to nothing, and whose repeat nothing holds.
fn without_effect(limit: LimitGoal, limit_to: i32) -> Story {
    story().open(IntentPhase::WithoutEffect, SETTLED).wants(150, limit).with(|s| {
        let wish = Some(s.desired.wish());
        let intent = s.intent.as_mut().unwrap();
        (intent.wish, intent.step) = (wish, seats_step(n(100, Some(100)), n(150, Some(limit_to))));
        (s.elapsed, s.published) = (None, false);
    })
}

#[test]
fn request_without_effect_is_forgotten_once_nothing_is_left_to_change() {
    let synced = without_effect(LimitGoal::Keep, 100).shows(150, Some(130)).decided();
    assert_eq!((synced.verdict, synced.intent), (Verdict::InSync, None));
    let grown = without_effect(LimitGoal::UpTo(200), 200).shows(160, Some(200)).uses(Usage::Exact(160)).decided();
    assert_eq!((grown.verdict, grown.intent), (Verdict::InSync, None));
}

#[test]
fn target_shown_after_request_without_effect_counts_as_made_not_neighbor() {
    let appears = |seats| {
        let story = story().open(IntentPhase::WithoutEffect, SETTLED).attempt(2).with(|s| s.elapsed = None);
        story.shows(seats, Some(seats)).decided()
    };
    assert_eq!(appears(149).applied, None);
    let made = appears(150);
    assert_eq!((&made.verdict, &made.intent), (&Verdict::InSync, &None));
    // Falls the vendor back after it, a third request would follow one that was forgotten.
    let back = story().with(|s| s.history = made.applied.into_iter().collect()).follow();
    let asked = back.intent.map(|intent| (intent.id, intent.attempt));
    assert_eq!((back.verdict, asked), (Verdict::NeedsReview, Some(("i1".into(), 2))));
}

#[test]
fn repeat_is_of_the_same_change_and_another_one_is_announced() {
    let same = without_effect(LimitGoal::UpTo(200), 200).shows(100, Some(200)).with(|s| s.published = true);
    let (first, then) = (same.decided(), same.verdict());
    assert_eq!(first.verdict, Verdict::Publish, "it was held, and what was read then may be out of date");
    assert!(matches!(then, Verdict::Change(ref intent) if intent.attempt == 2), "{then:?}");
    let decrease = without_effect(LimitGoal::UpTo(200), 200).shows(170, Some(200)).uses(Usage::Exact(160)).decided();
    assert_eq!(decrease.verdict, Verdict::Publish, "170 to 160 is no repeat of 100 to 150");
    assert_eq!(decrease.intent.map(|intent| intent.phase), Some(IntentPhase::WithoutEffect), "not forgotten either");
}

#[test]
fn credentials_of_another_account_for_a_moment_close_no_record() {
    for phase in [IntentPhase::WithoutEffect, IntentPhase::NeedsReview, IntentPhase::Rejected] {
        let record = || story().open(phase, SETTLED).with(|s| s.elapsed = None);
        let elsewhere = record().with(|s| s.seen.account.id = Some("other".into())).decided();
        assert_eq!(elsewhere.intent.as_ref().map(|intent| intent.phase), Some(phase));
        assert!(matches!(elsewhere.verdict, Verdict::Publish), "{phase:?} of another account holds up nothing");
    }
}

#[test]
fn in_sync_record_of_one_account_is_not_that_of_another() {
    let grown = |account: &str| {
        let made = story().made(100, 150, 30, 1, Trigger::SpecDiffers).wants(150, LimitGoal::UpTo(200));
        made.shows(190, Some(200)).with(|s| {
            s.history[0].wish = Some(s.desired.wish());
            s.history[0].step = seats_step(n(100, Some(100)), n(150, Some(200)));
            s.seen.account.id = Some(account.into());
        })
    };
    assert_eq!(grown("one").verdict(), Verdict::InSync);
    assert_eq!(grown("other").holds()[0].kind, HoldKind::FirstSight, "and nothing is lowered there at first sight");
    let known = |s: &mut Story| s.record.as_mut().unwrap().account = "api.test/other".into();
    assert_eq!(grown("other").with(known).sends().map(|(_, to, _)| to.seats), Some(150));
}

#[test]
fn confirmed_refused_change_is_sent_again_and_stays_counted() {
    let refused = |id: &str| {
        let story = story().open(IntentPhase::Rejected, SETTLED);
        story.with(|s| (s.elapsed, s.confirmed) = (None, Some(id.into())))
    };
    assert_eq!(refused("another").verdict(), Verdict::Rejected);
    assert_eq!(refused("i1").sends().map(|(_, _, attempt)| attempt), Some(2));
}

#[test]
fn new_target_of_same_wish_is_no_first_request() {
    let nothing = |to: i32| {
        let story = story().open(IntentPhase::WithoutEffect, SETTLED).attempt(2).with(|s| s.elapsed = None);
        story.with(|s| s.intent.as_mut().unwrap().step = seats_step(n(100, Some(100)), n(to, Some(to))))
    };
    assert_eq!(nothing(150).sends().map(|(_, to, attempt)| (to.seats, attempt)), Some((150, 3)));
    assert_eq!(nothing(140).sends().map(|(_, to, attempt)| (to.seats, attempt)), Some((150, 3)));
}

#[test]
fn edit_of_wish_ends_attempts_without_effect() {
    let nothing = || story().open(IntentPhase::WithoutEffect, SETTLED).attempt(2).with(|s| s.elapsed = None);
    let edited = nothing().wants(160, LimitGoal::Pinned).with(|s| s.generation = 4);
    assert_eq!(edited.sends().map(|(_, to, attempt)| (to.seats, attempt)), Some((160, 1)));
    assert_eq!(edited.decided().intent, None);
}

#[test]
fn spec_edit_and_change_taken_back_by_vendor_are_not_drift() {
    let made = || story().made(100, 150, 1, 1, Trigger::SpecDiffers).shows(150, Some(150));
    let edited = made().wants(160, LimitGoal::Pinned).with(|s| s.generation = 4).follow();
    assert_eq!((edited.drifted, edited.plan.unwrap().reason), (None, Trigger::SpecDiffers));
    let back = made().shows(100, Some(100)).with(|s| {
        let wait = WaitFor::TakenBack("c0".into());
        s.elapsed = Some(Elapsed { wait, since: SETTLED, settled: Some((n(100, Some(100)), TIMING.pause)) });
    });
    let Verdict::Change(repeat) = back.verdict() else { panic!("{:?}", back.verdict()) };
    assert_eq!((repeat.attempt, repeat.reason), (2, Trigger::SpecDiffers));
}

#[test]
fn record_of_former_version_has_present_wish_while_spec_is_unedited() {
    let kept = story().open(IntentPhase::NeedsReview, SETTLED).shows(120, Some(120)).decided().intent.unwrap();
    assert_eq!(kept.wish, Some(story().desired.wish()));
    let edited = story().shows(120, Some(120)).with(|s| (s.intent, s.generation) = (Some(kept), 4));
    assert_eq!(edited.verdict(), Verdict::NeedsReview, "an edit of something else");
}

#[test]
fn refusal_outlasts_a_reading_that_does_not_show_the_use() {
    // A reading without the use says nothing about a change of the use.
    let refused = || story().open(IntentPhase::Rejected, SETTLED);
    for unread in [refused().uses(Usage::NotReported), refused().with(|s| s.intent.as_mut().unwrap().used = None)] {
        let decision = unread.follow();
        assert_eq!(decision.verdict, Verdict::Rejected);
        assert_eq!(decision.intent.map(|intent| intent.phase), Some(IntentPhase::Rejected));
    }
    assert!(refused().uses(Usage::AtLeast(79)).sends().is_some(), "the use has changed");
}
