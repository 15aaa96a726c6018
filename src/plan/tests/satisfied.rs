//! What is kept of a spec having been in sync, whatever is told afterwards.

use super::*;

fn reported(old: &LicenseSeatsStatus, generation: i64, story: &Story) -> LicenseSeatsStatus {
    let decision = story.decided();
    let finding = Finding::Decided { desired: &story.desired, seen: &story.seen, decision: &decision };
    report(old, generation, &finding, now()).status
}

fn failed(old: &LicenseSeatsStatus, generation: i64, remedy: Remedy) -> LicenseSeatsStatus {
    let fault = Fault { remedy, reason: reason::REJECTED, summary: "refused".into(), message: "no".into() };
    let finding = Finding::Failed { fault: &fault, desired: None, account: None, stale: true };
    report(old, generation, &finding, now()).status
}

#[test]
fn a_spec_that_was_in_sync_stays_known_for_it_through_an_outage() {
    let good = reported(&LicenseSeatsStatus::default(), 3, &story().shows(150, Some(150)));
    assert!(in_sync_before(&good, 3));
    let stale = Remedy::Time { after: None, secret_may_help: false };
    for remedy in [stale, Remedy::Credentials, Remedy::Unsupported, Remedy::Owner, Remedy::Cluster, Remedy::Spec] {
        let bad = failed(&good, 3, remedy.clone());
        assert!(in_sync_before(&bad, 3), "{remedy:?}");
        assert!(!in_sync_before(&failed(&bad, 4, remedy.clone()), 4), "{remedy:?}: an edit is meant as it says");
        // A status as older versions left it.
        let former = LicenseSeatsStatus { satisfied_generation: None, ..good.clone() };
        assert!(in_sync_before(&failed(&former, 3, remedy.clone()), 3), "{remedy:?}: of an older version");
    }
}

#[test]
fn a_change_that_is_wanted_takes_nothing_from_what_was_in_sync_and_adds_nothing() {
    let good = reported(&LicenseSeatsStatus::default(), 3, &story().shows(150, Some(150)));
    assert!(in_sync_before(&reported(&good, 3, &story()), 3));
    assert!(!in_sync_before(&reported(&good, 4, &story()), 4));
    assert!(!in_sync_before(&reported(&LicenseSeatsStatus::default(), 3, &story()), 3));
}

#[test]
fn a_licence_that_is_not_in_force_does_not_hide_that_the_seats_are_in_sync() {
    let expired = story().shows(150, Some(150)).with(|s| s.seen.license = Some(License::of(LicenseState::Expired)));
    let status = reported(&LicenseSeatsStatus::default(), 3, &expired);
    let ready = status.conditions.iter().find(|condition| condition.type_ == kind::READY).unwrap();
    assert_eq!((ready.reason.as_str(), in_sync_before(&status, 3)), (reason::EXPIRED, true));
    assert_eq!(reported(&status, 3, &expired), status, "at rest nothing is written");
}
