//! What is said of a finding, in status and events.

use super::*;

#[test]
fn unchanged_finding_keeps_status_and_reports_nothing_twice() {
    let story = story().shows(150, Some(150)).uses(Usage::AtLeast(150));
    let decision = story.decided();
    let finding = Finding::Decided { desired: &story.desired, seen: &story.seen, decision: &decision };
    let first = report(&LicenseSeatsStatus::default(), 3, &finding, now());
    assert_eq!(first.notices.len(), 1, "{:?}", first.notices);
    let again = report(&first.status, 3, &finding, now() + SignedDuration::from_hours(5));
    assert_eq!(untimed(&again.status), untimed(&first.status));
    assert_eq!(again.notices, []);
}

#[test]
fn last_reading_time_is_recorded_in_steps_of_one_hour_or_ten_intervals() {
    let story = story().shows(150, Some(150));
    let decision = story.decided();
    let seen_at = |desired: &Desired, old: &LicenseSeatsStatus, after: SignedDuration| {
        let finding = Finding::Decided { desired, seen: &story.seen, decision: &decision };
        report(old, 3, &finding, now() + after).status
    };
    let minutes = SignedDuration::from_mins;
    let recorded = |status: &LicenseSeatsStatus| status.last_observed_at.as_ref().unwrap().0.duration_since(now());
    for (interval, step) in [(5, 60), (6, 60), (7, 70), (600, 6000)] {
        let desired = Desired { interval: Duration::from_secs(interval * 60), ..story.desired.clone() };
        let first = seen_at(&desired, &LicenseSeatsStatus::default(), minutes(0));
        let before = minutes(step) - SignedDuration::from_secs(1);
        assert_eq!(recorded(&seen_at(&desired, &first, before)), minutes(0), "{interval}");
        assert_eq!(recorded(&seen_at(&desired, &first, minutes(step))), minutes(step), "{interval}");
        // The clock that recorded it was ahead.
        assert_eq!(recorded(&seen_at(&desired, &first, minutes(-1))), minutes(-1), "{interval}");
    }
}

#[test]
fn two_shortages_with_other_numbers_are_not_folded_into_one_event() {
    // An event series keeps its first sentence: with the same action it would show the numbers of the first.
    let told = |used| {
        let story = story().shows(150, Some(150)).uses(Usage::AtLeast(used));
        let decision = story.decided();
        let finding = Finding::Decided { desired: &story.desired, seen: &story.seen, decision: &decision };
        report(&LicenseSeatsStatus::default(), 3, &finding, now()).notices[0].clone()
    };
    let (three, one) = (told(153), told(151));
    assert_eq!(three.reason, one.reason);
    assert_ne!(three.note, one.note);
    assert_ne!(three.action, one.action);
    assert_eq!(one.action, told(151).action);
}

/// What is told when one status becomes the other.
fn told(old: &LicenseSeatsStatus, new: &LicenseSeatsStatus) -> Vec<(&'static str, String)> {
    let mut notices = vec![];
    events::transitions(old, new, &mut notices);
    notices.into_iter().map(|notice| (notice.reason, notice.note)).collect()
}

#[test]
fn expiry_threshold_is_reported_once() {
    let ends = |message: &str| {
        let mut conditions = condition::Conditions::over(&[], 1, now());
        conditions.say(kind::LICENSE_VALID, condition::ConditionStatus::True, reason::EXPIRING_SOON, message);
        LicenseSeatsStatus { conditions: conditions.done(), ..LicenseSeatsStatus::default() }
    };
    let (month, week) = (ends("in 30 days"), ends("in 7 days"));
    assert_eq!(told(&LicenseSeatsStatus::default(), &month), [(reason::EXPIRING_SOON, "in 30 days".to_owned())]);
    assert_eq!(told(&month, &month), []);
    assert_eq!(told(&month, &week), [(reason::EXPIRING_SOON, "in 7 days".to_owned())]);
}

#[test]
fn bill_that_differs_from_shown_seats_is_reported_once_per_number() {
    let billed = |billed| LicenseSeatsStatus { billed, seats: Some(100), ..LicenseSeatsStatus::default() };
    let differs =
        |n: i32| [("BilledDiffers", format!("{n} seats are billed, and 100 are shown as purchased"))].to_vec();
    assert_eq!(told(&billed(None), &billed(Some(90))), differs(90));
    assert_eq!(told(&billed(Some(90)), &billed(Some(90))), []);
    assert_eq!(told(&billed(Some(90)), &billed(Some(95))), differs(95));
    assert_eq!(told(&billed(Some(95)), &billed(None)), []);
}

#[test]
fn account_that_was_read_stays_recorded_and_one_only_named_has_no_id() {
    let account = |host: Option<&str>, id: Option<&str>| {
        let text = |text: &str| text.to_owned();
        Account { vendor: "v".into(), host: host.map(text), id: id.map(text) }
    };
    let fault = Fault::credentials(reason::REJECTED, "refused", "refused".into());
    let recorded = |recorded: Option<Account>, named: Option<Account>| {
        let old = LicenseSeatsStatus { account: recorded, ..LicenseSeatsStatus::default() };
        let finding = Finding::Failed { fault: &fault, desired: None, account: named, stale: true };
        report(&old, 3, &finding, now()).status.account
    };
    let (read, half) = (Some(account(Some("one"), Some("1"))), Some(account(Some("one"), None)));
    let (named, hostless) = (Some(account(Some("two"), Some("2"))), Some(account(None, Some("2"))));
    let unproven = Some(account(Some("two"), None));
    assert_eq!(recorded(read.clone(), None), read);
    assert_eq!(recorded(read.clone(), named.clone()), read);
    assert_eq!(recorded(half.clone(), hostless), half);
    assert_eq!(recorded(half, named.clone()), unproven);
    assert_eq!((recorded(None, named), recorded(None, None)), (unproven, None));
}

#[test]
fn record_of_the_account_ends_only_where_an_older_object_has_the_pool() {
    let record_of = Some(RecordOf { uid: "uid".into(), account: "one/1".into(), first_wish: None });
    let old = LicenseSeatsStatus { record_of: record_of.clone(), ..LicenseSeatsStatus::default() };
    for (remedy, why, kept) in [
        (Remedy::Owner, reason::CONFLICT, None),
        (Remedy::Owner, reason::SPEC_INVALID, record_of.clone()),
        (Remedy::Spec, reason::CONFLICT, record_of.clone()),
        (Remedy::Spec, reason::SPEC_INVALID, record_of),
    ] {
        let fault = Fault { remedy, reason: why, summary: "no".into(), message: "no".into() };
        let finding = Finding::Failed { fault: &fault, desired: None, account: None, stale: true };
        assert_eq!(report(&old, 3, &finding, now()).status.record_of, kept, "{fault:?}");
    }
}

#[test]
fn mended_secret_is_not_reported_as_refused_beside_an_older_object() {
    let failed = |old: &LicenseSeatsStatus, remedy, why| {
        let fault = Fault { remedy, reason: why, summary: "no".into(), message: "no".into() };
        let finding = Finding::Failed { fault: &fault, desired: None, account: None, stale: true };
        report(old, 3, &finding, now()).status
    };
    let refused = failed(&LicenseSeatsStatus::default(), Remedy::Credentials, reason::SECRET_NOT_PERMITTED);
    let valid = |status: &LicenseSeatsStatus| {
        let found = status.conditions.iter().find(|condition| condition.type_ == kind::CREDENTIALS_VALID);
        found.map(|condition| condition.status.clone())
    };
    assert_eq!(valid(&refused).as_deref(), Some("False"));
    assert_eq!(valid(&failed(&refused, Remedy::Owner, reason::CONFLICT)), None);
    assert_eq!(valid(&failed(&refused, Remedy::Spec, reason::SPEC_INVALID)).as_deref(), Some("False"));
    let accepted = failed(&refused, Remedy::Unsupported, reason::UNSUPPORTED_BY_VENDOR);
    assert_eq!(valid(&failed(&accepted, Remedy::Owner, reason::CONFLICT)).as_deref(), Some("True"));
}

#[test]
fn interval_of_a_finding_is_that_of_the_spec_if_it_could_be_checked() {
    let (story, fault) = (story(), Fault::spec("no".into()));
    let failed = |desired| Finding::Failed { fault: &fault, desired, account: None, stale: true }.interval();
    assert_eq!((failed(None), failed(Some(&story.desired))), (None, Some(story.desired.interval)));
    let decision = story.decided();
    let finding = Finding::Decided { desired: &story.desired, seen: &story.seen, decision: &decision };
    assert_eq!(finding.interval(), Some(story.desired.interval));
}

#[test]
fn single_failure_keeps_good_status_and_stale_status_is_reported() {
    let story = story().shows(150, Some(150));
    let decision = story.decided();
    let finding = Finding::Decided { desired: &story.desired, seen: &story.seen, decision: &decision };
    let good = report(&LicenseSeatsStatus::default(), 3, &finding, now()).status;
    let remedy = Remedy::Time { after: None, secret_may_help: false };
    let fault =
        Fault { remedy, reason: reason::VENDOR_UNREACHABLE, summary: "unreachable".into(), message: "no".into() };
    let lacks = Fault { remedy: Remedy::Server { lasts: false }, ..fault.clone() };
    let missing = Finding::Failed { fault: &lacks, desired: Some(&story.desired), account: None, stale: false };
    assert_eq!(report(&good, 3, &missing, now()).status, good);
    let failed = |stale| Finding::Failed { fault: &fault, desired: Some(&story.desired), account: None, stale };
    assert_eq!(report(&good, 3, &failed(false), now()).status, good);
    let stale = report(&good, 4, &failed(true), now()).status;
    assert_eq!(stale.observed_generation, 3, "generation 4 was not handled");
    assert_eq!(stale.seats, Some(150), "the last known numbers stay");
    let ready = stale.conditions.iter().find(|c| c.type_ == kind::READY).unwrap();
    assert_eq!((ready.status.as_str(), ready.reason.as_str()), ("Unknown", reason::OBSERVATION_STALE));
}

#[test]
fn overuse_is_reported_with_remedy_for_these_credentials() {
    let told = |differences| {
        let story = story().wants(150, LimitGoal::Keep).shows(100, None).uses(Usage::Exact(103));
        let story = story.with(|s| s.seen.rules.support.differences = differences);
        let decision = story.decided();
        let finding = Finding::Decided { desired: &story.desired, seen: &story.seen, decision: &decision };
        let status = report(&LicenseSeatsStatus::default(), 3, &finding, now()).status;
        let shortage = status.conditions.into_iter().find(|c| c.type_ == kind::SEAT_SHORTAGE).unwrap();
        (shortage.message, matches!(decision.verdict, Verdict::Held(_)))
    };
    assert_eq!(told(Differences::Never), ("103 of 100 seats in use".into(), false));
    let (message, held) = told(Differences::Always);
    assert!(held && message.contains("use credentials that set totals, or free 3 seats"), "{message}");
}

#[test]
fn shortage_is_reported_by_its_threshold() {
    for (seats, used, free_seats, percent, reason) in [
        (100, 50, None, None, "Sufficient"),
        (100, 100, None, None, "Exhausted"),
        (100, 103, None, None, "OverAllocated"),
        (100, 96, Some(5), None, "BelowThreshold"),
        (100, 95, Some(5), None, "Sufficient"),
        (100, 96, None, Some(5), "BelowThreshold"),
        (100, 95, None, Some(5), "Sufficient"),
        (MAX_SEATS, MAX_SEATS - 1, None, Some(100), "BelowThreshold"),
    ] {
        let story = story().wants(seats, LimitGoal::Keep).shows(seats, None).uses(Usage::Exact(used)).with(|s| {
            s.desired.thresholds = Thresholds { free_seats, free_percent: percent, expiry: None };
        });
        let decision = story.decided();
        let finding = Finding::Decided { desired: &story.desired, seen: &story.seen, decision: &decision };
        let status = report(&LicenseSeatsStatus::default(), 3, &finding, now()).status;
        let shortage = status.conditions.iter().find(|c| c.type_ == kind::SEAT_SHORTAGE).unwrap();
        assert_eq!(shortage.reason, reason, "{seats} seats, {used} used, {free_seats:?}, {percent:?}%");
    }
}

#[test]
fn credentials_secret_missing_or_partial_needs_person_after_two_minutes() {
    for why in [reason::SECRET_NOT_FOUND, reason::KEY_MISSING] {
        let fault = Fault::credentials(why, "no key", "no".into());
        let finding = Finding::Failed { fault: &fault, desired: None, account: None, stale: true };
        let after = |old: &LicenseSeatsStatus, seconds| {
            let status = report(old, 3, &finding, now() + SignedDuration::from_secs(seconds)).status;
            let has = |kind: &str| status.conditions.iter().any(|condition| condition.type_ == kind);
            let said = (has(kind::RECONCILING), has(kind::STALLED));
            (status, said)
        };
        let (first, waits) = after(&LicenseSeatsStatus::default(), 0);
        assert_eq!(waits, (true, false), "{why}");
        assert_eq!(after(&first, 119).1, (true, false), "{why}");
        let (late, stalled) = after(&first, 120);
        assert_eq!(stalled, (false, true), "{why}");
        assert_eq!(after(&late, 600).1, (false, true), "{why}");
    }
}

#[test]
fn license_that_is_not_in_force_waits_for_a_person() {
    let ended = License::of(LicenseState::Expired);
    let story = story().shows(150, Some(150)).with(|s| s.seen.license = Some(ended));
    let decision = story.decided();
    let finding = Finding::Decided { desired: &story.desired, seen: &story.seen, decision: &decision };
    let status = report(&LicenseSeatsStatus::default(), 3, &finding, now()).status;
    let stalled = status.conditions.iter().find(|c| c.type_ == kind::STALLED).expect("Stalled");
    assert_eq!(stalled.reason, reason::EXPIRED);
}

#[test]
fn pool_without_seat_count_shows_use_and_is_ready_only_when_observed() {
    let told = |policy| {
        let story = story().uses(Usage::Exact(3)).with(|s| {
            s.desired.policy = policy;
            s.seen.model = Model::Uncounted("not counted".into());
        });
        let decision = story.decided();
        let finding = Finding::Decided { desired: &story.desired, seen: &story.seen, decision: &decision };
        report(&LicenseSeatsStatus::default(), 3, &finding, now()).status
    };
    let observed = told(ManagementPolicy::Observe);
    let find = |kind: &str| observed.conditions.iter().find(|c| c.type_ == kind).unwrap();
    assert_eq!(find(kind::READY).reason, reason::OBSERVED);
    let shortage = find(kind::SEAT_SHORTAGE);
    assert_eq!(shortage.reason, reason::SEATS_NOT_REPORTED);
    assert_eq!(shortage.message, "3 in use; the server shows no seat count, so none can be short");
    let managed = told(ManagementPolicy::Manage);
    assert!(managed.conditions.iter().any(|c| c.type_ == kind::READY && c.reason == reason::UNSUPPORTED_BY_VENDOR));
}

#[test]
fn credentials_that_time_or_another_server_mends_are_not_called_invalid() {
    let told = |remedy| {
        let fault = Fault { remedy, reason: "Cause", summary: "some fault".into(), message: "mend it".into() };
        let story = story().shows(150, Some(150)).with(|s| s.seen.concern = Some(fault));
        said(&reported(&story).status, kind::CREDENTIALS_VALID)
    };
    let mend = |said: &str| (said.to_owned(), "mend it".to_owned());
    assert_eq!(told(Remedy::Credentials), mend("False/Cause"));
    assert_eq!(told(Remedy::Time { after: None, secret_may_help: false }), mend("Unknown/Cause"));
    assert_eq!(told(Remedy::Server { lasts: true }), mend("Unknown/VendorUnreachable"));
    let fine = said(&reported(&story().shows(150, Some(150))).status, kind::CREDENTIALS_VALID);
    assert_eq!((fine.0.split('/').next(), fine.1.as_str()), (Some("True"), "Acme accepts the credentials"));
}

#[test]
fn drift_is_reported_with_last_set_or_declared_numbers() {
    let told = |story: Story| said(&reported(&story).status, kind::DRIFTED).1;
    let moved = || story().shows(140, Some(140)).with(|s| s.satisfied = true);
    let last = told(moved().made(100, 150, 5, 1, Trigger::SpecDiffers));
    assert!(last.starts_with("Acme was changed from outside: Seatkeeper last set 150 seats"), "{last}");
    let declared = told(moved());
    assert!(declared.starts_with("Acme was changed from outside: it showed 150 seats"), "{declared}");
}

#[test]
fn observed_account_is_reported_with_its_seats() {
    let observed = story().shows(140, Some(140)).with(|s| s.desired.policy = ManagementPolicy::Observe);
    let message = said(&reported(&observed).status, kind::READY).1;
    assert!(message.starts_with("Acme shows 140"), "{message}");
}

#[test]
fn refusal_without_reason_names_likely_cause_by_direction_of_change() {
    let told = |from: Numbers, to: Numbers| {
        let story = story().wants(to.seats, LimitGoal::Keep).shows(from.seats, from.limit);
        let story = story.open(IntentPhase::Rejected, SETTLED).with(|s| {
            s.intent.as_mut().unwrap().step = seats_step(from, to);
        });
        said(&reported(&story).status, kind::READY).1
    };
    for (to, words) in [
        (n(160, Some(100)), "and does not say why: the plan may not allow this number of seats"),
        (n(140, Some(100)), "and does not say why: this key may not see every seat in use"),
    ] {
        let message = told(n(150, Some(100)), to);
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn license_end_is_warned_within_spec_time_and_late_payment_comes_first() {
    let told = |state, left: i64| {
        let ends = Some(Time(now() + SignedDuration::from_secs(left)));
        let license = License { expires_at: ends, ..License::of(state) };
        let story = story().shows(150, Some(150)).with(|s| {
            (s.desired.expiry, s.seen.license) = (vec![Duration::from_secs(3600)], Some(license));
        });
        said(&reported(&story).status, kind::LICENSE_VALID)
    };
    assert_eq!(told(LicenseState::Active, 3600).0, "True/Active");
    assert_eq!(told(LicenseState::Active, 3599).0, "True/ExpiringSoon");
    let late = told(LicenseState::PastDue, 3600);
    assert_eq!(late.0, "True/PastDue");
    assert!(late.1.starts_with("a payment to Acme is late, and the license ends on 2026-11-22"), "{}", late.1);
}

#[test]
fn short_refusal_appears_only_with_vendor_reason() {
    let told = |refused: Option<&str>| {
        let story = story().wants(150, LimitGoal::Pinned).open(IntentPhase::Rejected, SETTLED);
        let story = story.with(|s| s.intent.as_mut().unwrap().refused = refused.map(str::to_owned));
        reported(&story).status.summary
    };
    assert_eq!(told(Some("of a rule")).as_deref(), Some("vendor refused"));
    assert_eq!(told(None).as_deref(), Some("refused without a reason"));
}

#[test]
fn review_reports_change_taken_back_only_for_last_change_made() {
    let told = |made: Option<(i32, i32)>| {
        let story = story().wants(150, LimitGoal::Pinned).shows(140, Some(140)).open(IntentPhase::NeedsReview, SETTLED);
        let story = match made {
            Some((from, to)) => story.made(from, to, 5, 1, Trigger::SpecDiffers),
            None => story,
        };
        said(&reported(&story).status, kind::READY).1
    };
    assert!(told(Some((100, 150))).contains("took it back"), "{}", told(Some((100, 150))));
    for other in [Some((80, 100)), None] {
        assert!(
            told(other).contains("either the change was made and Acme was changed from outside"),
            "{}",
            told(other)
        );
    }
}

#[test]
fn forged_time_neither_panics_nor_keeps_missing_secret_awaited() {
    let fault = Fault::credentials(reason::SECRET_NOT_FOUND, "Secret not found", "the Secret key is missing".into());
    let seen = |old: &LicenseSeatsStatus, now| {
        report(old, 3, &Finding::Failed { fault: &fault, desired: None, account: None, stale: true }, now).status
    };
    for forged in ["9999-12-30T21:59:30Z", "9999-12-30T22:00:00Z", "2099-01-01T00:00:00Z", "-009999-01-02T02:00:00Z"] {
        let mut old = seen(&LicenseSeatsStatus::default(), now());
        for condition in &mut old.conditions {
            condition.last_transition_time = Time(forged.parse().unwrap());
        }
        let status = seen(&old, now());
        let left = awaits_secret(&status, now());
        assert!(left.is_none_or(|left| left <= Duration::from_secs(120)), "{forged}: {left:?}");
        let later = seen(&status, now() + SignedDuration::from_mins(2));
        assert!(condition::find(&later.conditions, kind::STALLED).is_some(), "{forged}");
    }
}
