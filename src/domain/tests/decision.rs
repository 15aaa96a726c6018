//! What is announced, sent or left as it is.

use super::*;

#[test]
fn first_reading_only_publishes_plan() {
    let decision = story().decided();
    assert_eq!(decision.verdict, Verdict::Publish);
    let plan = decision.plan.unwrap();
    assert_eq!(plan.step, seats_step(n(100, Some(100)), n(150, Some(150))));
}

#[test]
fn published_plan_changes_seats_and_limit_together() {
    assert_eq!(story().sends(), Some((n(100, Some(100)), n(150, Some(150)), 1)));
}

#[test]
fn changed_spec_or_reading_makes_new_plan() {
    let id = |s: Story| s.decided().plan.unwrap().basis.unwrap();
    let ids = [
        id(story()),
        id(story().with(|s| s.generation = 4)),
        id(story().shows(101, Some(101))),
        id(story().wants(151, LimitGoal::Pinned)),
        id(story().with(|s| s.seen.account.id = Some("other".into()))),
    ];
    for (i, a) in ids.iter().enumerate() {
        assert!(ids[i + 1..].iter().all(|b| a != b), "{ids:?}");
    }
    assert_eq!(id(story()), ids[0]);
}

#[test]
fn account_as_declared_needs_no_change() {
    assert_eq!(story().shows(150, Some(150)).verdict(), Verdict::InSync);
    assert_eq!(story().wants(100, LimitGoal::Keep).shows(100, None).verdict(), Verdict::InSync);
    assert_eq!(story().wants(100, LimitGoal::Unlimited).shows(100, None).verdict(), Verdict::InSync);
}

#[test]
fn observing_and_suspending_send_nothing() {
    let observing = story().with(|s| s.desired.policy = ManagementPolicy::Observe);
    assert_eq!(observing.verdict(), Verdict::Observed(Some(n(150, Some(150)))));
    let suspended = story().with(|s| s.desired.suspended = true);
    assert_eq!(suspended.holds()[0].kind, HoldKind::Suspended);
    assert_eq!(suspended.decided().plan.unwrap().blocked_by, [PlanBlock::Suspended]);
}

#[test]
fn limits_follow_their_mode() {
    assert_eq!(story().wants(150, LimitGoal::UpTo(170)).sends().unwrap().1, n(150, Some(170)));
    assert_eq!(story().wants(100, LimitGoal::Pinned).shows(100, Some(170)).sends().unwrap().1, n(100, Some(100)));
    assert_eq!(story().wants(120, LimitGoal::Keep).shows(100, Some(130)).sends().unwrap().1, n(120, Some(130)));
    assert_eq!(story().with(|s| s.desired.seats = None).shows(100, Some(170)).sends().unwrap().1, n(100, Some(100)));
}

#[test]
fn vendor_purchase_within_up_to_limit_is_in_sync_and_edit_counts_from_it() {
    let grown = || story().wants(100, LimitGoal::UpTo(120)).shows(103, Some(120)).with(|s| s.satisfied = true);
    assert_eq!(grown().verdict(), Verdict::InSync);
    let made_by_us =
        story().wants(100, LimitGoal::UpTo(120)).shows(103, Some(120)).made(90, 100, 1, 1, Trigger::SpecDiffers);
    assert_eq!(made_by_us.verdict(), Verdict::InSync);
    assert_eq!(
        grown().with(|s| s.satisfied = false).sends().unwrap().1,
        n(100, Some(120)),
        "a new spec is meant as it says"
    );
    assert_eq!(grown().shows(99, Some(120)).sends().unwrap().1, n(100, Some(120)), "fewer is never in order");
    let past = grown().shows(125, Some(120)).holds();
    assert!(past[0].message.contains("a limit of 120 below 125 seats"), "nor is more than the limit: {past:?}");
    assert_eq!(grown().shows(103, Some(130)).sends().unwrap().1, n(103, Some(120)), "the limit is kept");
    assert_eq!(grown().wants(100, LimitGoal::Pinned).shows(103, Some(103)).sends().unwrap().1, n(100, Some(100)));
}

#[test]
fn seats_in_use_within_up_to_limit_survive_edit_and_those_above_do_not() {
    let wanted = |seats: i32| {
        let story = story().wants(100, LimitGoal::UpTo(120)).shows(seats, Some(seats)).uses(Usage::Exact(seats));
        story.decided().plan.unwrap().step.target()
    };
    assert_eq!(wanted(119), n(119, Some(120)));
    assert_eq!(wanted(121), n(100, Some(120)));
}

#[test]
fn external_change_is_drift_and_corrected_twice_a_day_at_most() {
    let drifted = story().made(90, 150, 1, 1, Trigger::SpecDiffers);
    let decision = drifted.follow();
    assert_eq!(decision.drifted, Some(n(150, Some(150))));
    assert!(matches!(decision.verdict, Verdict::Change(ref i) if i.reason == Trigger::ExternalChange));
    let fight = || {
        let story = story().made(90, 150, 1, 1, Trigger::ExternalChange);
        story.made(95, 150, 2, 1, Trigger::ExternalChange)
    };
    assert_eq!(fight().verdict(), Verdict::Conflict);
    assert!(fight().with(|s| s.generation = 4).sends().is_some(), "of a record without a wish, an edit starts afresh");
}

#[test]
fn change_waits_for_other_change_of_its_account_and_keeps_its_record() {
    let behind = |story: Story| story.with(|s| s.obstacle = Some(Obstacle::InFlight(None)));
    assert_eq!(behind(story()).holds()[0].kind, HoldKind::OtherChange);
    let scanned = story().with(|s| s.obstacle = Some(Obstacle::NotScanned));
    assert_eq!(scanned.holds()[0].kind, HoldKind::NotScanned);
    assert_eq!(behind(story().shows(150, Some(150))).verdict(), Verdict::InSync);
    let repeat = || story().open(IntentPhase::Answered, SETTLED).read_before(n(100, Some(100)));
    let waiting = behind(repeat()).follow();
    let kept = waiting.intent.unwrap();
    assert_eq!((kept.attempt, kept.phase), (1, IntentPhase::WithoutEffect), "the repeat is still known to be one");
}

#[test]
fn wall_clock_jump_of_an_hour_changes_no_wait() {
    for jump in [-1, 0, 1].map(SignedDuration::from_hours) {
        let clock = now() + jump;
        for phase in [IntentPhase::Open, IntentPhase::Unanswered, IntentPhase::Answered, IntentPhase::Settling] {
            let settle = if phase == IntentPhase::Answered { TIMING.answered } else { TIMING.unanswered };
            let left = Duration::from_secs(1);
            let waiting = story().open(phase, settle - left).follow_at(clock);
            assert_eq!((waiting.verdict, waiting.doubt.unwrap().left), (Verdict::Doubt, left), "{phase:?} {jump}");
        }
        let settled = story().open(IntentPhase::Unanswered, SETTLED).read_before(n(100, Some(100)));
        assert!(matches!(settled.follow_at(clock).verdict, Verdict::Change(intent) if intent.attempt == 2), "{jump}");
        // Taken back by the vendor: waited for on the monotonic clock too.
        let back = story().made(100, 150, 1, 1, Trigger::SpecDiffers);
        let told = back.follow_at(clock);
        assert_eq!((told.verdict, told.doubt.unwrap().left), (Verdict::Doubt, TIMING.answered), "{jump}");
        let fight = story().made(90, 150, 1, 1, Trigger::ExternalChange).made(95, 150, 2, 1, Trigger::ExternalChange);
        assert_eq!(fight.follow_at(clock).verdict, Verdict::Conflict, "{jump}");
    }
}

#[test]
fn numbers_in_a_record_may_be_any_without_harm() {
    let mutilated = story().shows(150, Some(150)).open(IntentPhase::Answered, SETTLED);
    let decision = mutilated
        .with(|s| s.intent.as_mut().unwrap().step = seats_step(n(i32::MIN, Some(100)), n(150, Some(150))))
        .follow();
    let told = remember(&mut LicenseSeatsStatus::default(), decision.applied).unwrap();
    assert_eq!(told.reason, "SeatsIncreased");
    let absurd = story().wants(i32::MIN, LimitGoal::Keep);
    let decision = absurd.decided();
    let finding = Finding::Decided { desired: &absurd.desired, seen: &absurd.seen, decision: &decision };
    let status = report(&LicenseSeatsStatus::default(), 3, &finding, now()).status;
    assert!(status.summary.unwrap().ends_with("blocked by guard rail"));
}

#[test]
fn pass_is_requeued_for_earliest_end_of_its_waits() {
    let regular = story().shows(150, Some(150));
    assert_eq!(regular.follow().wake, None, "the regular interval");
    assert_eq!(story().decided().wake, Some(Duration::ZERO), "a published plan is carried out at once");
    let open = |since| story().open(IntentPhase::Unanswered, since).follow().wake;
    assert_eq!(open(Duration::from_secs(60)), Some(TIMING.unanswered - Duration::from_secs(60)));
    assert_eq!(open(SETTLED), Some(TIMING.pause), "the second reading");
    let recent = story().made(100, 150, 0, 1, Trigger::SpecDiffers).shows(150, Some(150)).with(|s| {
        s.history[0].time = Time(now() - SignedDuration::from_secs(100));
    });
    assert_eq!(recent.follow().wake, Some(TIMING.answered - Duration::from_secs(100)), "its late effects");
    let suspended = story().with(|s| s.desired.suspended = true);
    assert_eq!(suspended.follow().wake, None, "only an edit ends it");
    let bound = Bound { seats: 120, because: "of b".into(), pool: Some("b") };
    let both = suspended.with(|s| (s.seen.rules.at_most.push(bound), s.others.push(("b", 200))).1);
    assert_eq!(both.holds()[1].kind, HoldKind::OtherPool);
    assert_eq!(both.follow().wake, None, "what is suspended follows no other object");
    let other = both.with(|s| s.desired.suspended = false);
    assert_eq!(other.follow().wake, Some(Duration::from_secs(15)));
    // A lost answer is read back under `suspend` as well.
    let lost = story().open(IntentPhase::Unanswered, Duration::ZERO).with(|s| s.desired.suspended = true);
    assert_eq!((lost.verdict(), lost.follow().wake), (Verdict::Doubt, Some(TIMING.unanswered)));
}

#[test]
fn all_holds_are_reported_and_the_first_gives_the_reason() {
    let held = story().with(|s| {
        s.desired.suspended = true;
        s.desired.guardrails.max_seats = Some(120);
        s.seen.rules.at_most = vec![Bound { seats: 140, because: "of a rule".into(), pool: None }];
        s.obstacle = Some(Obstacle::InFlight(None));
    });
    let kinds: Vec<HoldKind> = held.holds().into_iter().map(|hold| hold.kind).collect();
    // The limit follows the seats: both would be above maxSeats.
    let rail = HoldKind::GuardRail;
    // What another object does at this moment is not asked for where anything else holds.
    assert_eq!(kinds, [HoldKind::Suspended, HoldKind::VendorRule, rail.clone(), rail]);
    let blocked_by = held.follow().plan.unwrap().blocked_by;
    assert_eq!(blocked_by, [PlanBlock::Suspended, PlanBlock::Vendor, PlanBlock::Guardrail]);
}

#[test]
fn correction_older_than_a_day_no_longer_counts() {
    let corrected = |hours| {
        let story = story().made(90, 150, hours, 1, Trigger::ExternalChange);
        story.made(95, 150, hours, 1, Trigger::ExternalChange).shows(120, Some(150))
    };
    assert_eq!(corrected(23).verdict(), Verdict::Conflict);
    assert!(corrected(24).sends().is_some());
}
