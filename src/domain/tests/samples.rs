//! One of each kind of verdict and hold, by the name of the state that it brings an object into. For tests of what is said, and for the
//! states that GitOps tools are tested with.

use super::*;
use crate::domain::windows::{Awaited, Why};

pub fn lacks(reason: &'static str) -> Verdict {
    let message = "what to do".to_owned();
    let arrives = [reason::SECRET_NOT_FOUND, reason::KEY_MISSING].contains(&reason);
    Verdict::Lacking(Lack { reason, summary: "keys".into(), message, secret_may_help: false, arrives })
}

pub fn held(kind: HoldKind) -> Verdict {
    Verdict::Held(vec![Hold { kind, message: "what to do".into(), wake: Wake::OnEdit }])
}

/// The status of an object with this verdict.
pub fn status_of(name: &str) -> LicenseSeatsStatus {
    let verdict = verdicts().into_iter().find(|(known, _)| *known == name).unwrap().1;
    let story = story();
    let decision = Decision { verdict, ..story.follow() };
    let finding = Finding::Decided { desired: &story.desired, seen: &story.seen, decision: &decision };
    report(&LicenseSeatsStatus::default(), 3, &finding, now()).status
}

fn standby(settles: bool) -> Verdict {
    Verdict::Standby(Standby { active: "prod-us".into(), wanted: None, settles })
}

fn window(missed: bool) -> Verdict {
    let missed = missed.then_some(Timestamp::UNIX_EPOCH);
    held(HoldKind::Window(Box::new(Awaited { next: None, missed, why: Why::Closed, vendor_buys: false })))
}

/// What the plan of a hold says, where a GitOps tool asks for it.
pub fn blocks(verdict: &Verdict) -> Vec<PlanBlock> {
    let Verdict::Held(holds) = verdict else { return vec![] };
    holds.iter().filter_map(Hold::block).collect()
}

pub fn verdicts() -> Vec<(&'static str, Verdict)> {
    let wait = || gates::WaitedFor::of_tests();
    vec![
        ("in-sync", Verdict::InSync),
        ("observed", Verdict::Observed(None)),
        ("standby", standby(false)),
        ("standby-settling", standby(true)),
        ("change-planned", Verdict::Publish),
        ("outcome-unknown", Verdict::Doubt),
        ("refused-by-vendor", Verdict::Rejected),
        ("needs-review", Verdict::NeedsReview),
        ("conflict", Verdict::Conflict),
        ("unsupported", Verdict::Unsupported("the key cannot do it".into())),
        ("prune-blocked", lacks(reason::PRUNE_BLOCKED)),
        ("seats-short", lacks(reason::SEATS_SHORT)),
        ("license-key-rejected", lacks(reason::LICENSE_KEY_REJECTED)),
        ("license-key-already-present", lacks(reason::ALREADY_PRESENT)),
        ("license-key-secret-not-found", lacks(reason::SECRET_NOT_FOUND)),
        ("license-key-secret-not-permitted", lacks(reason::SECRET_NOT_PERMITTED)),
        ("license-key-missing", lacks(reason::KEY_MISSING)),
        ("license-key-invalid", lacks(reason::KEY_INVALID)),
        ("held-suspended", held(HoldKind::Suspended)),
        ("held-drift-reported", held(HoldKind::DriftReported)),
        ("held-window", window(false)),
        ("held-window-missed", window(true)),
        ("held-approval", held(HoldKind::Approval)),
        ("held-denied", held(HoldKind::Denied)),
        ("held-approvals-unreadable", held(HoldKind::ApprovalsUnread)),
        ("held-unsupported", held(HoldKind::Unsupported)),
        ("held-vendor-rule", held(HoldKind::VendorRule)),
        ("held-guard-rail", held(HoldKind::GuardRail)),
        ("held-numbers-in-doubt", held(HoldKind::NumbersInDoubt)),
        ("held-owned-by-older-object", held(HoldKind::Owned)),
        ("held-first-sight", held(HoldKind::FirstSight)),
        ("held-other-pool", held(HoldKind::OtherPool)),
        ("held-unread-pool", held(HoldKind::UnreadPool)),
        ("held-stuck-pool", held(HoldKind::StuckPool)),
        ("held-deferred-pool", held(HoldKind::DeferredPool { of_a_person: true })),
        ("held-never-made", held(HoldKind::NeverMade("increase"))),
        ("held-activating", held(HoldKind::Activating(wait(), None))),
        ("held-late-effects", held(HoldKind::LateEffects(wait()))),
        ("held-other-late-effects", held(HoldKind::OtherLateEffects)),
        ("held-retry", held(HoldKind::Retry)),
        ("held-not-scanned", held(HoldKind::NotScanned)),
        ("held-other-change", held(HoldKind::OtherChange)),
        ("held-same-licenses", held(HoldKind::SameRows)),
    ]
}
