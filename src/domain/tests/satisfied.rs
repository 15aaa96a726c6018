//! What is kept of a spec having been in sync, whatever is told afterwards.

use super::*;

fn reported(old: &LicenseSeatsStatus, generation: i64, story: &Story) -> LicenseSeatsStatus {
    let decision = story.decided();
    let finding = Finding::Decided { desired: &story.desired, seen: &story.seen, decision: &decision };
    report(old, generation, &finding, now()).status
}

/// Whether a status says that the wish of a story was in sync.
fn was_in_sync(status: &LicenseSeatsStatus, generation: i64, story: &Story) -> bool {
    in_sync_before(status, generation, &satisfaction(&story.desired, &story.seen.account_key()))
}

fn failed(old: &LicenseSeatsStatus, generation: i64, remedy: Remedy) -> LicenseSeatsStatus {
    let fault = Fault { remedy, reason: reason::REJECTED, summary: "refused".into(), message: "no".into() };
    let finding = Finding::Failed { fault: &fault, desired: None, account: None, stale: true };
    report(old, generation, &finding, now()).status
}

fn other_wish() -> Story {
    story().wants(160, LimitGoal::Pinned)
}

/// A status as former versions left it: they named a generation and no wish.
fn former(status: &LicenseSeatsStatus) -> LicenseSeatsStatus {
    LicenseSeatsStatus { satisfied_generation: None, satisfied_wish: None, ..status.clone() }
}

#[test]
fn wish_that_was_in_sync_keeps_record_through_outage() {
    let good = reported(&LicenseSeatsStatus::default(), 3, &story().shows(150, Some(150)));
    assert!(was_in_sync(&good, 3, &story()));
    assert!(was_in_sync(&good, 4, &story()), "an edit that leaves the wish leaves it in sync");
    let stale = Remedy::Time { after: None, secret_may_help: false };
    for remedy in [
        stale,
        Remedy::Credentials,
        Remedy::Unsupported,
        Remedy::Server { lasts: true },
        Remedy::Server { lasts: false },
        Remedy::Owner,
        Remedy::Cluster,
        Remedy::Spec,
    ] {
        let bad = failed(&good, 3, remedy.clone());
        assert!(was_in_sync(&bad, 3, &story()), "{remedy:?}");
        let edited = failed(&bad, 4, remedy.clone());
        assert!(!was_in_sync(&edited, 4, &other_wish()), "{remedy:?}: another wish is meant as it says");
        let former = failed(&former(&good), 3, remedy.clone());
        assert!(was_in_sync(&former, 3, &story()), "{remedy:?}: of a former version");
        assert!(!was_in_sync(&former, 4, &story()), "{remedy:?}: of a former version, edited");
    }
}

#[test]
fn pending_change_neither_clears_nor_sets_in_sync_record() {
    let good = reported(&LicenseSeatsStatus::default(), 3, &story().shows(150, Some(150)));
    assert!(was_in_sync(&reported(&good, 3, &story()), 3, &story()));
    assert!(!was_in_sync(&reported(&good, 4, &other_wish()), 4, &other_wish()));
    assert!(!was_in_sync(&reported(&LicenseSeatsStatus::default(), 3, &story()), 3, &story()));
}

#[test]
fn license_not_in_force_keeps_in_sync_record() {
    let expired = story().shows(150, Some(150)).with(|s| s.seen.license = Some(License::of(LicenseState::Expired)));
    let status = reported(&LicenseSeatsStatus::default(), 3, &expired);
    let ready = status.conditions.iter().find(|condition| condition.type_ == kind::READY).unwrap();
    assert_eq!((ready.reason.as_str(), was_in_sync(&status, 3, &story())), (reason::EXPIRED, true));
    assert_eq!(reported(&status, 3, &expired), status, "at rest nothing is written");
}
