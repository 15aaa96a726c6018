//! What a status says: what happened, what it means, what to do.

use super::*;

#[test]
fn observed_pool_without_a_number_of_seats_is_ready_and_shows_its_use() {
    let told = |model: Model| {
        let story = story().uses(Usage::Exact(37)).with(|s| {
            (s.desired.policy, s.desired.seats) = (ManagementPolicy::Observe, None);
            s.seen.model = model;
        });
        reported(&story).status
    };
    for (model, shortage, words) in [
        (Model::Uncounted("no count".into()), "False/SeatsNotReported", "37 in use; the server shows no seat count"),
        (
            Model::Unshown("no count".into()),
            "Unknown/SeatsNotReported",
            "37 seats in use; these credentials do not show",
        ),
    ] {
        let status = told(model);
        assert_eq!((status.summary.as_deref(), status.used, status.seats), (Some("observed"), Some(37), None));
        let (ready, message) = said(&status, kind::READY);
        assert_eq!(ready, "True/Observed");
        assert_eq!(message, "Acme shows no number of seats; managementPolicy is Observe");
        assert_eq!(said(&status, kind::STALLED), Default::default());
        let (short, message) = said(&status, kind::SEAT_SHORTAGE);
        assert_eq!(short, shortage);
        assert!(message.starts_with(words), "{message}");
    }
    let status = told(Model::Hidden("use the key of an owner".into()));
    assert_eq!(said(&status, kind::READY), ("False/UnsupportedByVendor".into(), "use the key of an owner".into()));
}

#[test]
fn shortage_names_its_remedy_and_column_stays_short() {
    let full = |wanted| story().shows(100, Some(100)).wants(wanted, LimitGoal::Pinned).uses(Usage::Exact(100));
    let told = |story: Story| reported(&story).status;
    let rests = told(full(100));
    assert_eq!(rests.summary.as_deref(), Some("shortage: 0 free"));
    assert_eq!(said(&rests, kind::SEAT_SHORTAGE).1, "0 free. Raise spec.seats, or free seats at Acme");
    let waits = told(full(150).with(|s| s.desired.suspended = true));
    assert_eq!(said(&waits, kind::SEAT_SHORTAGE).1, "0 free. A change waits: ChangePending has the reason");
}

#[test]
fn worst_is_first_in_the_column_and_all_of_it_in_the_conditions() {
    let told = |seats, used, state| {
        let story = story().shows(seats, Some(seats)).wants(seats, LimitGoal::Pinned).uses(Usage::Exact(used));
        reported(&story.with(|s| s.seen.license = Some(License::of(state)))).status
    };
    let both = told(150, 150, LicenseState::PastDue);
    assert_eq!(both.summary.as_deref(), Some("shortage: 0 free; payment late"));
    assert_eq!(said(&both, kind::SEAT_SHORTAGE).0, "True/Exhausted");
    assert_eq!(said(&both, kind::LICENSE_VALID).0, "True/PastDue");
    assert_eq!(told(150, 80, LicenseState::PastDue).summary.as_deref(), Some("in sync; payment late"));
    let off = told(150, 150, LicenseState::Unpaid);
    assert_eq!(off.summary.as_deref(), Some("license not in force; 0 free"));
    assert_eq!(said(&off, kind::SEAT_SHORTAGE).0, "True/Exhausted");
    assert_eq!(told(150, 80, LicenseState::Unpaid).summary.as_deref(), Some("license not in force"));
}

#[test]
fn shortage_and_late_payment_come_before_a_verdict_or_hold() {
    let story = story().shows(150, Some(150)).uses(Usage::Exact(150));
    let story = story.with(|s| s.seen.license = Some(License::of(LicenseState::PastDue)));
    let column = |verdict| column_of(&story, verdict);
    assert_eq!(column(Verdict::Unsupported("it cannot".into())), "0 free; payment late; +1 more");
    assert_eq!(column(Verdict::Conflict), "0 free; payment late; +1 more");
    assert_eq!(column(Verdict::Rejected), "0 free; payment late; +1 more");
    assert_eq!(column(Verdict::NeedsReview), "needs review; 0 free; payment late");
    assert_eq!(column(Verdict::Doubt), "0 free; payment late; +1 more");
    for (name, verdict) in samples::verdicts().into_iter().filter(|(name, _)| name.starts_with("held-")) {
        let column = column(verdict);
        assert!(column.starts_with("0 free; payment late; "), "{name}: {column}");
    }
}

#[test]
fn license_not_in_force_is_first_in_the_column_of_each_state() {
    let off = |used| {
        let story = story().shows(150, Some(150)).uses(Usage::Exact(used));
        story.with(|s| s.seen.license = Some(License::of(LicenseState::Unpaid)))
    };
    for (name, verdict) in samples::verdicts() {
        // A hand-over waits for a standby, and a change leaves at once. What is short brings the license back.
        if ["standby", "standby-settling", "change-planned", "seats-short"].contains(&name) {
            continue;
        }
        let column = column_of(&off(150), verdict);
        assert!(column.starts_with("license not in force; "), "{name}: {column}");
    }
    let column = |verdict| column_of(&off(80), verdict);
    assert_eq!(column(Verdict::InSync), "license not in force");
    assert_eq!(column(Verdict::NeedsReview), "license not in force; needs review");
    assert_eq!(column(Verdict::Doubt), "license not in force; +1 more");
    assert_eq!(column(samples::held(HoldKind::GuardRail)), "license not in force; +1 more");
    let activating = HoldKind::Activating(gates::WaitedFor::of_tests(), Some(now()));
    assert_eq!(column(samples::held(activating)), "license not in force; +1 more");
    assert_eq!(column(samples::lacks(reason::SEATS_SHORT)), "keys; license not in force");
    assert_eq!(column(samples::lacks(reason::PRUNE_BLOCKED)), "license not in force; keys");
}

#[test]
fn shortage_is_beside_a_change_that_waits_for_minutes_or_hours() {
    let story = story().shows(150, Some(150)).uses(Usage::Exact(150));
    let column = |verdict| column_of(&story, verdict);
    assert_eq!(column(Verdict::Doubt), "shortage: 0 free; outcome unknown");
    assert_eq!(column(samples::held(HoldKind::Retry)), "0 free; change: no answer; retrying");
    assert_eq!(column(samples::held(HoldKind::OtherLateEffects)), "0 free; change: last change settles");
    assert_eq!(column(samples::held(HoldKind::OtherPool)), "0 free; change: awaits another pool");
}

/// STATUS of an object with this verdict.
fn column_of(story: &Story, verdict: Verdict) -> String {
    let decision = Decision { verdict, ..story.follow() };
    let finding = Finding::Decided { desired: &story.desired, seen: &story.seen, decision: &decision };
    report(&LicenseSeatsStatus::default(), 3, &finding, now()).status.summary.unwrap()
}

#[test]
fn change_waiting_for_person_or_days_hides_nothing_worse_in_status_column() {
    let late = || {
        story().shows(100, Some(100)).uses(Usage::Exact(100)).with(|s| {
            s.seen.license = Some(License::of(LicenseState::PastDue));
            s.seen.billed = Some(100);
        })
    };
    let column = |story: Story| reported(&story).status.summary.unwrap();
    let suspended = column(late().with(|s| s.desired.suspended = true));
    assert_eq!(suspended, "0 free; payment late; +1 more");
    let held = column(late().with(|s| s.desired.guardrails.max_seats = Some(120)));
    assert_eq!(held, "0 free; payment late; +1 more");
    let denied = column(late().with(|s| s.desired.approval.increase_above = Some(10)));
    assert_eq!(denied, "0 free; payment late; +1 more");
    for other in ["held-guard-rail", "held-suspended", "held-window"] {
        let behind = column(late().behind(&samples::status_of(other)));
        assert_eq!(behind, "0 free; payment late; +1 more", "behind another pool: {other}");
    }
    let at_once = column(late());
    assert_eq!(at_once, "+50 seats now", "what is about to change is not worth a word more");
}

#[test]
fn guard_rail_and_use_are_reported_while_last_change_settles() {
    let made =
        || story().shows(150, Some(150)).made(100, 150, 0, 1, Trigger::SpecDiffers).with(|s| s.late_over = false);
    let above = made().wants(160, LimitGoal::Pinned).with(|s| s.desired.guardrails.max_seats = Some(155));
    let below = made().wants(70, LimitGoal::Pinned);
    for story in [above, below] {
        let status = reported(&story).status;
        assert_eq!(said(&status, kind::READY).0, "False/GuardrailViolated");
        assert_eq!(said_stalled(&story).0, "True/GuardrailViolated");
        let blocked = status.plan.unwrap().blocked_by;
        assert_eq!(blocked, [PlanBlock::Guardrail, PlanBlock::LateEffects]);
        assert_eq!(story.follow().doubt.map(|doubt| doubt.left), Some(TIMING.answered), "its clock runs");
    }
}

#[test]
fn older_object_of_pool_is_reported_as_owner_and_not_as_unknown_outcome() {
    let status = reported(&story().with(|s| s.obstacle = Some(Obstacle::Owned(Peer::Here("passwords".into()))))).status;
    let (ready, message) = said(&status, kind::READY);
    assert_eq!(ready, "False/Conflict");
    assert!(message.contains("LicenseSeats passwords is older and has these seats"), "{message}");
    assert_eq!(said(&status, kind::CHANGE_PENDING).0, "True/Conflict");
    assert_eq!(status.summary.as_deref(), Some("+50 seats: owned by another object"));
}

#[test]
fn seats_in_use_are_freed_in_the_words_of_the_pool() {
    let story =
        story().wants(70, LimitGoal::Pinned).with(|s| s.desired.pool.frees = ("take access away from", "members"));
    let message = said(&reported(&story).status, kind::READY).1;
    assert!(
        message.contains("70 seats would be below the 80 in use: take access away from 10 members first"),
        "{message}"
    );
}

#[test]
fn suspended_object_without_a_change_says_so_in_status_column() {
    let story = story().shows(150, Some(150)).with(|s| s.desired.suspended = true);
    assert_eq!(reported(&story).status.summary.as_deref(), Some("in sync; suspended"));
    let full = reported(&story.uses(Usage::Exact(150))).status.summary;
    assert_eq!(full.as_deref(), Some("shortage: 0 free; suspended"));
}

#[test]
fn differing_bill_is_in_status_column_where_known() {
    let story = story().shows(150, Some(150)).with(|s| s.seen.billed = Some(110));
    let status = reported(&story).status;
    assert_eq!(status.summary.as_deref(), Some("in sync; bills 110"));
    let message = said(&status, kind::READY).1;
    assert!(message.ends_with("; 110 are billed: ask Acme to correct one of the two"), "{message}");
    assert_eq!(reported(&story.with(|s| s.seen.billed = Some(150))).status.summary.as_deref(), Some("in sync"));
}

#[test]
fn message_asks_vendor_for_no_correction_that_seatkeeper_makes_itself() {
    let heals = |story: Story| {
        let status = reported(&story.with(|s| s.seen.billed = Some(150))).status;
        let message = said(&status, kind::READY).1;
        assert!(message.contains("150 are billed, as many as the change brings"), "{message}");
        assert!(!message.contains("ask Acme"), "{message}");
    };
    heals(story());
    heals(story().with(|s| s.desired.suspended = true));
    heals(story().open(IntentPhase::Answered, Duration::ZERO));
    heals(story().made(100, 150, 1, 1, Trigger::SpecDiffers).with(|s| s.late_over = false));
}

#[test]
fn numbers_that_contradict_each_other_are_no_guard_rail() {
    let lower = || story().wants(90, LimitGoal::Pinned);
    let failing = |s: &mut Story| s.seen.rules.support.cannot_lower = Some("the key fails".into());
    for story in [lower().with(|s| s.seen.billed = Some(110)), lower().with(failing)] {
        let status = reported(&story).status;
        assert_eq!(said(&status, kind::READY).0, "False/NumbersInDoubt");
        assert_eq!(said(&status, kind::CHANGE_PENDING).0, "True/NumbersInDoubt");
        let summary = status.summary.unwrap();
        assert!(summary.starts_with("-10 seats: numbers in doubt"), "{summary}");
        assert_eq!(status.plan.unwrap().blocked_by, [PlanBlock::NumbersInDoubt]);
        assert_eq!(said_stalled(&story), ("True/NumbersInDoubt".into(), String::new()));
    }
    let passing = Fault {
        remedy: Remedy::Time { after: None, secret_may_help: false },
        reason: reason::VENDOR_UNREACHABLE,
        summary: "unreachable".into(),
        message: "no answer".into(),
    };
    let story = lower().with(failing).with(|s| s.seen.concern = Some(passing));
    assert_eq!(said_stalled(&story), (String::new(), "True/Progressing".into()));
}

/// `Stalled` and `Reconciling`.
fn said_stalled(story: &Story) -> (String, String) {
    let status = reported(story).status;
    (said(&status, kind::STALLED).0, said(&status, kind::RECONCILING).0)
}

#[test]
fn change_that_waits_for_late_effects_alone_warns_of_nothing() {
    let own = story().shows(150, Some(150)).wants(160, LimitGoal::Pinned).made(100, 150, 0, 1, Trigger::SpecDiffers);
    let own = own.with(|s| s.late_over = false);
    let of_another = story().with(|s| s.obstacle = Some(Obstacle::LateEffects(TIMING.answered)));
    for story in [own, of_another] {
        let Report { status, notices } = reported(&story);
        assert_eq!(said(&status, kind::READY).0, "False/Progressing");
        assert_eq!(said(&status, kind::CHANGE_PENDING).0, "True/Settling");
        assert_eq!(notices, []);
        let summary = status.summary.unwrap();
        assert!(summary.ends_with(": last change settles"), "{summary}");
    }
}

#[test]
fn suspended_object_stays_ready_while_the_last_change_settles() {
    let story = story().shows(150, Some(150)).wants(160, LimitGoal::Pinned).made(100, 150, 0, 1, Trigger::SpecDiffers);
    let story = story.with(|s| (s.late_over, s.desired.suspended) = (false, true));
    let status = reported(&story).status;
    assert_eq!(said(&status, kind::READY).0, "True/Suspended");
    let blocked = status.plan.unwrap().blocked_by;
    assert_eq!(blocked, [PlanBlock::Suspended, PlanBlock::LateEffects]);
    assert_eq!(story.follow().doubt.map(|doubt| doubt.left), Some(TIMING.answered), "its clock runs");
}

#[test]
fn review_of_a_doubled_change_names_every_cause_that_is_possible() {
    let told = |limit| {
        let story = story().shows(200, Some(200)).wants(150, limit);
        let story = story.with(|s| s.seen.rules.support.differences = Differences::Always);
        let story = story.open(IntentPhase::NeedsReview, SETTLED);
        said(&reported(&story).status, kind::READY).1
    };
    let pinned = told(LimitGoal::Pinned);
    assert!(pinned.contains("another Seatkeeper, in another cluster, or a person"), "{pinned}");
    assert!(!pinned.contains("bought"), "{pinned}");
    let grown = told(LimitGoal::UpTo(200));
    assert!(
        grown.contains(
            "another Seatkeeper, in another cluster, or a person, or Acme itself, which may buy seats up to the limit"
        ),
        "{grown}"
    );
}

#[test]
fn refusal_and_remedy_are_separate_sentences() {
    for refused in [None, Some("no payment method".to_owned())] {
        let story = story().open(IntentPhase::Rejected, SETTLED).with(|s| {
            let intent = s.intent.as_mut().unwrap();
            (intent.refused, intent.answered, intent.attempt) = (refused.clone(), 2, 2);
            s.may_bill = None;
        });
        let decision = story.follow();
        let without_bill = Decision { may_bill: None, ..decision };
        let finding = Finding::Decided { desired: &story.desired, seen: &story.seen, decision: &without_bill };
        let status = report(&LicenseSeatsStatus::default(), 3, &finding, now()).status;
        let message = said(&status, kind::READY).1;
        assert_eq!(message.matches(". ").count(), 1, "{message}");
        assert!(message.len() < 420, "{}: {message}", message.len());
        assert!(message.contains("annotate seatkeeper.dev/confirm=i1 to have it sent again"), "{message}");
        assert!(message.contains(refused.as_deref().unwrap_or("does not say why")), "{message}");
    }
}

#[test]
fn confirmed_bill_sends_nothing_and_confirmed_resend_settles_no_bill() {
    let story = |confirmed: &str| {
        let story = story().open(IntentPhase::Rejected, SETTLED).read_before(n(100, Some(100)));
        story.with(|s| {
            let intent = s.intent.as_mut().unwrap();
            (intent.answered, intent.attempt) = (2, 2);
            s.may_bill = Some(MayBill { id: "i1".into(), account: "api.test/one".into(), seats: 150 });
            s.confirmed = Some(confirmed.to_owned());
        })
    };
    let message = said(&reported(&story("")).status, kind::READY).1;
    assert!(message.contains("confirm=i1 to have it sent again"), "{message}");
    assert!(message.contains("confirm=bill-i1, which sends nothing"), "{message}");
    assert_eq!(story("bill-i1").sends(), None, "the bill was checked");
    assert!(story("i1").sends().is_some(), "it is to be sent again");
    let edited =
        |confirmed| story(confirmed).wants(100, LimitGoal::Pinned).with(|s| s.intent = None).decided().may_bill;
    assert_eq!(edited("bill-i1"), None);
    assert!(edited("i1").is_some(), "no person has checked the bill");
}

#[test]
fn billed_old_numbers_are_drift_and_unbilled_ones_were_taken_back() {
    let told = |billed, attempt| {
        let story = story().made(100, 150, 1, attempt, Trigger::SpecDiffers).with(|s| s.late_over = false);
        let story = story.with(|s| (s.seen.billed, s.satisfied) = (billed, true));
        (reported(&story).status, story.follow())
    };
    for (billed, attempt) in [(None, 1), (Some(150), 1), (None, 2), (Some(150), 2)] {
        let (status, decision) = told(billed, attempt);
        let message = said(&status, kind::READY).1;
        assert!(message.contains("took") && message.contains("may bill"), "{billed:?} {attempt}: {message}");
        assert_eq!((decision.drifted, said(&status, kind::DRIFTED)), (None, Default::default()));
    }
    let (status, by_person) = told(Some(100), 1);
    let message = said(&status, kind::READY).1;
    assert!(
        message.starts_with(
            "A person or program set Acme back to 100 seats with limit 100. Acme bills that number. Seatkeeper"
        ),
        "{message}"
    );
    assert_eq!(said(&status, kind::DRIFTED).0, "True/ExternalChange");
    assert!(!message.contains("took") && !message.contains("may bill"), "{message}");
    let taken_back = told(None, 1).1;
    assert_eq!(
        (by_person.verdict, by_person.doubt, by_person.wake),
        (taken_back.verdict, taken_back.doubt, taken_back.wake)
    );
    let message = said(&told(Some(100), 2).0, kind::READY).1;
    assert!(message.contains("set it back") && !message.contains("may bill"), "{message}");
    let old = story().made(100, 150, 1, 1, Trigger::SpecDiffers);
    let old = old.with(|s| (s.late_over, s.seen.billed, s.seen.billed_is_old) = (false, Some(100), true));
    assert_eq!(old.follow().drifted, None, "a bill that was read before proves nothing");
}
