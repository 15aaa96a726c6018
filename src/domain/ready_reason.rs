//! The reasons of `Ready` and `ChangePending` for each verdict and each hold, with the words of the STATUS column and the metric label.

use super::condition::{ConditionStatus, reason};
use super::reconciling_and_stalled::Going;
use super::{HoldKind, Verdict};

/// The reasons and words of a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Says {
    pub ready: ConditionStatus,
    pub reason: &'static str,
    pub going: Going,
    /// Reason of `ChangePending`, if a wanted change waits.
    pub pending: Option<&'static str>,
    /// The metric label of the pass.
    pub label: &'static str,
    /// The STATUS column, if it does not depend on numbers. For a hold: what blocks the change.
    pub words: &'static str,
}

/// The reasons and words of a verdict. Of several holds, the first gives the reason.
pub(super) fn says(verdict: &Verdict) -> Says {
    let says = |ready, reason, going, label, words| Says { ready, reason, going, pending: None, label, words };
    match verdict {
        Verdict::InSync => says(ConditionStatus::True, reason::IN_SYNC, Going::Rests, "in_sync", "in sync"),
        Verdict::Observed(_) => says(ConditionStatus::True, reason::OBSERVED, Going::Rests, "observed", "observed"),
        Verdict::Standby(standby) if standby.settles => Says {
            pending: Some(reason::OUTCOME_UNKNOWN),
            ..says(ConditionStatus::Unknown, reason::OUTCOME_UNKNOWN, Going::On, "standby", "outcome unknown")
        },
        Verdict::Standby(_) => says(ConditionStatus::True, reason::STANDBY, Going::Rests, "standby", ""),
        Verdict::Publish => says(ConditionStatus::False, reason::PROGRESSING, Going::On, "planned", ""),
        Verdict::Change(_) => says(ConditionStatus::False, reason::PROGRESSING, Going::On, "changing", ""),
        Verdict::Doubt => Says {
            pending: Some(reason::OUTCOME_UNKNOWN),
            ..says(ConditionStatus::Unknown, reason::OUTCOME_UNKNOWN, Going::On, "outcome_unknown", "outcome unknown")
        },
        Verdict::Rejected => says(
            ConditionStatus::False,
            reason::VENDOR_REJECTED,
            Going::Stalled,
            "rejected",
            "refused without a reason",
        ),
        Verdict::NeedsReview => {
            says(ConditionStatus::False, reason::NEEDS_REVIEW, Going::Stalled, "needs_review", "needs review")
        }
        Verdict::Conflict => says(
            ConditionStatus::False,
            reason::CONFLICT,
            Going::Stalled,
            "conflict",
            "repeated external changes; stopped",
        ),
        Verdict::Unsupported(_) => says(
            ConditionStatus::False,
            reason::UNSUPPORTED_BY_VENDOR,
            Going::Stalled,
            "unsupported",
            "cannot be managed",
        ),
        // A change waits there, which is the removal.
        Verdict::Lacking(lack) if lack.reason == reason::PRUNE_BLOCKED => Says {
            pending: Some(lack.reason),
            ..says(ConditionStatus::False, lack.reason, Going::Stalled, "lacking", "")
        },
        Verdict::Lacking(lack) => says(ConditionStatus::False, lack.reason, Going::Stalled, "lacking", ""),
        Verdict::Held(holds) => held(holds.first().map(|hold| &hold.kind)),
    }
}

/// Why a change is deferred, as the reason of `ChangePending` and in the words of the STATUS column; `None`: it is not.
fn deferred(kind: &HoldKind) -> Option<(&'static str, &'static str)> {
    Some(match kind {
        HoldKind::Window(awaited) if awaited.missed.is_some() => (reason::WINDOW_MISSED, ""),
        HoldKind::Window(_) => (reason::AWAITING_WINDOW, ""),
        HoldKind::Approval => (reason::AWAITING_APPROVAL, "approval needed"),
        HoldKind::Denied => (reason::CHANGE_DENIED, "denied"),
        HoldKind::NeverMade(_) => (reason::NEVER_MADE, "shown only"),
        HoldKind::DeferredPool { .. } => (reason::AWAITING_OTHER_POOL, "other pool is held"),
        _ => return None,
    })
}

/// The reasons of `Ready` and `ChangePending` for a hold.
fn held(kind: Option<&HoldKind>) -> Says {
    let says = |ready, reason, going, words| Says { ready, reason, going, pending: Some(reason), label: "held", words };
    let rests = |reason, words| says(ConditionStatus::True, reason, Going::Rests, words);
    let stalls = |reason, words| says(ConditionStatus::False, reason, Going::Stalled, words);
    let goes_on = |reason, words| says(ConditionStatus::False, reason, Going::On, words);
    let pending = |says, pending| Says { pending: Some(pending), ..says };
    if let Some((why, words)) = kind.and_then(deferred) {
        return pending(rests(reason::CHANGE_DEFERRED, words), why);
    }
    match kind {
        Some(HoldKind::Suspended) => rests(reason::SUSPENDED, "suspended"),
        Some(HoldKind::ApprovalsUnread) => stalls(reason::APPROVALS_UNREADABLE, "approvals not readable"),
        Some(HoldKind::Activating(..)) => pending(goes_on(reason::PROGRESSING, "becomes active"), reason::ACTIVATING),
        Some(HoldKind::DriftReported) => rests(reason::DRIFT_REPORTED_ONLY, "drift reported only"),
        Some(HoldKind::Unsupported) => stalls(reason::UNSUPPORTED_BY_VENDOR, "not possible"),
        Some(HoldKind::GuardRail) => {
            pending(stalls(reason::GUARDRAIL_VIOLATED, "blocked by guard rail"), reason::BLOCKED_BY_GUARDRAIL)
        }
        Some(HoldKind::NumbersInDoubt | HoldKind::KeyUnread) => stalls(reason::NUMBERS_IN_DOUBT, "numbers in doubt"),
        Some(HoldKind::Owned) => stalls(reason::CONFLICT, "owned by another object"),
        Some(HoldKind::FirstSight) => stalls(reason::FIRST_SIGHT, "confirmation needed"),
        Some(HoldKind::OtherPool | HoldKind::UnreadPool) => goes_on(reason::AWAITING_OTHER_POOL, "awaits another pool"),
        Some(HoldKind::LateEffects(_) | HoldKind::OtherLateEffects) => {
            pending(goes_on(reason::PROGRESSING, "last change settles"), reason::SETTLING)
        }
        Some(HoldKind::StuckPool) => stalls(reason::AWAITING_OTHER_POOL, "other pool is held"),
        Some(HoldKind::Retry) => goes_on(reason::AWAITING_RETRY, "no answer; retrying"),
        Some(HoldKind::NotScanned | HoldKind::OtherChange) => {
            says(ConditionStatus::Unknown, reason::OUTCOME_UNKNOWN, Going::On, "earlier change runs")
        }
        Some(HoldKind::SameRows) => stalls(reason::CONFLICT, "same licenses elsewhere"),
        // If they come first, these are verdicts of their own, or deferred.
        Some(
            HoldKind::VendorRule
            | HoldKind::Standby
            | HoldKind::Observe
            | HoldKind::Settle(_)
            | HoldKind::Review(_)
            | HoldKind::Contest
            | HoldKind::Window(_)
            | HoldKind::Approval
            | HoldKind::Denied
            | HoldKind::NeverMade(_)
            | HoldKind::DeferredPool { .. },
        )
        | None => stalls(reason::VENDOR_REJECTED, "vendor would refuse"),
    }
}
