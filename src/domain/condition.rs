//! The vocabulary of conditions, shared by status, events and metrics, and how a list of them is carried forward.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use crate::api::LicenseSeatsStatus;

/// Condition types.
pub mod kind {
    /// The vendor is as declared, or Seatkeeper leaves it unchanged on purpose.
    pub const READY: &str = "Ready";
    /// The credentials work.
    pub const CREDENTIALS_VALID: &str = "CredentialsValid";
    /// Too few seats are free.
    pub const SEAT_SHORTAGE: &str = "SeatShortage";
    /// The license behind the seats is in force.
    pub const LICENSE_VALID: &str = "LicenseValid";
    /// A wanted change is not made yet. Present only while true.
    pub const CHANGE_PENDING: &str = "ChangePending";
    /// The vendor was changed from outside. Present only while true.
    pub const DRIFTED: &str = "Drifted";
    /// Work is going on (kstatus). Present only while true.
    pub const RECONCILING: &str = "Reconciling";
    /// A person must act (kstatus). Present only while true.
    pub const STALLED: &str = "Stalled";
}

/// Condition reasons.
#[allow(missing_docs)]
pub mod reason {
    // Ready
    pub const IN_SYNC: &str = "InSync";
    pub const OBSERVED: &str = "Observed";
    /// Another cluster is active.
    pub const STANDBY: &str = "Standby";
    pub const SUSPENDED: &str = "Suspended";
    /// A wanted change waits for its window.
    pub const CHANGE_DEFERRED: &str = "ChangeDeferred";
    pub const PROGRESSING: &str = "Progressing";
    pub const CREDENTIALS_INVALID: &str = "CredentialsInvalid";
    pub const VENDOR_REJECTED: &str = "VendorRejected";
    pub const UNSUPPORTED_BY_VENDOR: &str = "UnsupportedByVendor";
    pub const GUARDRAIL_VIOLATED: &str = "GuardrailViolated";
    pub const NUMBERS_IN_DOUBT: &str = "NumbersInDoubt";
    /// Nothing is lowered or removed without a record of the account.
    pub const FIRST_SIGHT: &str = "FirstSight";
    pub const CONFLICT: &str = "Conflict";
    pub const OBSERVATION_STALE: &str = "ObservationStale";
    pub const NEEDS_REVIEW: &str = "NeedsReview";
    pub const SEATS_SHORT: &str = "SeatsShort";
    pub const LICENSE_KEY_REJECTED: &str = "LicenseKeyRejected";
    pub const ALREADY_PRESENT: &str = "AlreadyPresent";
    pub const SPEC_INVALID: &str = "SpecInvalid";
    pub const CRD_OUTDATED: &str = "CRDOutdated";
    pub const STATUS_NOT_STORED: &str = "StatusNotStored";
    // Ready and LicenseValid
    pub const EXPIRED: &str = "Expired";
    // LicenseValid
    pub const ACTIVE: &str = "Active";
    pub const EXPIRING_SOON: &str = "ExpiringSoon";
    pub const PAST_DUE: &str = "PastDue";
    pub const PENDING: &str = "Pending";
    pub const INVALIDATED: &str = "Invalidated";
    pub const NOT_REPORTED: &str = "NotReported";
    // CredentialsValid
    pub const AUTHENTICATED: &str = "Authenticated";
    pub const SECRET_NOT_FOUND: &str = "SecretNotFound";
    pub const SECRET_NOT_PERMITTED: &str = "SecretNotPermitted";
    pub const KEY_MISSING: &str = "KeyMissing";
    pub const KEY_INVALID: &str = "KeyInvalid";
    pub const REJECTED: &str = "Rejected";
    pub const INSUFFICIENT_ROLE: &str = "InsufficientRole";
    pub const HOST_NOT_ALLOWED: &str = "HostNotAllowed";
    pub const VENDOR_UNREACHABLE: &str = "VendorUnreachable";
    // Ready and ChangePending
    pub const PRUNE_BLOCKED: &str = "PruneBlocked";
    // ChangePending
    pub const BLOCKED_BY_GUARDRAIL: &str = "BlockedByGuardrail";
    pub const OUTCOME_UNKNOWN: &str = "OutcomeUnknown";
    pub const AWAITING_OTHER_POOL: &str = "AwaitingOtherPool";
    pub const AWAITING_WINDOW: &str = "AwaitingWindow";
    pub const WINDOW_MISSED: &str = "WindowMissed";
    pub const NEVER_MADE: &str = "NeverMade";
    pub const AWAITING_APPROVAL: &str = "AwaitingApproval";
    pub const CHANGE_DENIED: &str = "ChangeDenied";
    pub const APPROVALS_UNREADABLE: &str = "ApprovalsUnreadable";
    pub const AWAITING_RETRY: &str = "AwaitingRetry";
    pub const ACTIVATING: &str = "Activating";
    pub const SETTLING: &str = "Settling";
    pub const DRIFT_REPORTED_ONLY: &str = "DriftReportedOnly";
    // Drifted
    pub const EXTERNAL_CHANGE: &str = "ExternalChange";
    pub const ANOTHER_SEATKEEPER: &str = "AnotherSeatkeeper";
    // SeatShortage
    pub const BELOW_THRESHOLD: &str = "BelowThreshold";
    pub const EXHAUSTED: &str = "Exhausted";
    pub const OVER_ALLOCATED: &str = "OverAllocated";
    pub const SUFFICIENT: &str = "Sufficient";
    pub const USAGE_NOT_REPORTED: &str = "UsageNotReported";
    pub const SEATS_NOT_REPORTED: &str = "SeatsNotReported";
}

/// Whether a status says that the vendor agreed with this [`satisfaction`](super::satisfaction). Statuses of former versions
/// name a generation alone.
pub fn in_sync_before(status: &LicenseSeatsStatus, generation: i64, satisfaction: &str) -> bool {
    match &status.satisfied_wish {
        Some(satisfied) => satisfied == satisfaction,
        None => satisfied_generation(status) == Some(generation),
    }
}

/// The last generation of the spec that was in sync. Older versions recorded it in `Ready` alone, which keeps it only until its next
/// change.
pub(super) fn satisfied_generation(status: &LicenseSeatsStatus) -> Option<i64> {
    let ready = find(&status.conditions, kind::READY).filter(|ready| ready.reason == reason::IN_SYNC);
    status.satisfied_generation.max(ready.and_then(|ready| ready.observed_generation))
}

/// Keeps `Ready` as it was. If no other field can record which generation was in sync, `Ready` is the only record of that.
pub fn keep_ready(old: &LicenseSeatsStatus, new: &mut LicenseSeatsStatus) {
    new.conditions.retain(|condition| condition.type_ != kind::READY);
    new.conditions.extend(find(&old.conditions, kind::READY).cloned());
}

/// Whether a status reports why the account could not be read, instead of a decision.
pub fn tells_fault(status: &LicenseSeatsStatus) -> bool {
    let told = find(&status.conditions, kind::READY).map_or("", |ready| ready.reason.as_str());
    let owned = told == reason::CONFLICT && status.record_of.is_none();
    owned || [reason::CREDENTIALS_INVALID, reason::CRD_OUTDATED, reason::OBSERVATION_STALE].contains(&told)
}

/// An object that makes no progress: a person must act, or its change waits for days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandsStill {
    /// The STATUS column.
    pub why: String,
    /// Its change is deferred: a wait is no failure.
    pub deferred: bool,
    /// Only a person lets its change go on. A window opens by itself.
    pub of_a_person: bool,
}

/// Whether a wanted change is idle, by the status.
pub fn stands_still(status: &LicenseSeatsStatus) -> Option<StandsStill> {
    let pending = find(&status.conditions, kind::CHANGE_PENDING).map(|pending| pending.reason.as_str());
    let ready = find(&status.conditions, kind::READY).is_none_or(|ready| ready.status == ConditionStatus::True.text());
    let deferred = ready && pending.is_some();
    let still = (!ready || deferred) && find(&status.conditions, kind::RECONCILING).is_none();
    let opens = pending.is_some_and(|why| [reason::AWAITING_WINDOW, reason::WINDOW_MISSED].contains(&why));
    let of_a_person = !(deferred && opens);
    status.summary.clone().filter(|_| still).map(|why| StandsStill { why, deferred, of_a_person })
}

/// Status of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConditionStatus {
    True,
    False,
    Unknown,
}

impl ConditionStatus {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

/// Builds a list of conditions over the old one: a condition whose status stays keeps its transition time, and a
/// condition that is not set again is removed.
pub(super) struct Conditions<'a> {
    old: &'a [Condition],
    new: Vec<Condition>,
    generation: i64,
    now: Timestamp,
}

impl<'a> Conditions<'a> {
    pub(super) fn over(old: &'a [Condition], generation: i64, now: Timestamp) -> Self {
        Self { old, new: Vec::new(), generation, now }
    }

    pub(super) fn say(&mut self, kind: &str, status: ConditionStatus, reason: &str, message: impl Into<String>) {
        // A time in the future comes from a wrong clock, or from a status that a person wrote.
        let before = find(self.old, kind).filter(|old| old.status == status.text());
        let before = before.filter(|old| old.last_transition_time.0 <= self.now);
        self.new.push(Condition {
            type_: kind.to_owned(),
            status: status.text().to_owned(),
            reason: reason.to_owned(),
            message: message.into(),
            observed_generation: Some(self.generation),
            last_transition_time: before.map_or(Time(self.now), |old| old.last_transition_time.clone()),
        });
    }

    /// When a condition that is set got its status.
    pub(super) fn since(&self, kind: &str) -> Option<Timestamp> {
        find(&self.new, kind).map(|condition| condition.last_transition_time.0)
    }

    /// Carries a condition over as it was, if it was there.
    pub(super) fn keep(&mut self, kind: &str) {
        self.new.extend(find(self.old, kind).cloned());
    }

    /// The same, if it was true.
    pub(super) fn keep_true(&mut self, kind: &str) {
        let old = find(self.old, kind).filter(|old| old.status == ConditionStatus::True.text());
        self.new.extend(old.cloned());
    }

    pub(super) fn done(self) -> Vec<Condition> {
        self.new
    }
}

pub(super) fn find<'a>(conditions: &'a [Condition], kind: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::RecordOf;

    /// A status with these conditions: kind, status and reason.
    fn status(said: &[(&str, ConditionStatus, &str)]) -> LicenseSeatsStatus {
        let mut conditions = Conditions::over(&[], 1, Timestamp::UNIX_EPOCH);
        said.iter().for_each(|(kind, status, reason)| conditions.say(kind, *status, reason, ""));
        LicenseSeatsStatus {
            conditions: conditions.done(),
            summary: Some("why".into()),
            ..LicenseSeatsStatus::default()
        }
    }

    #[test]
    fn ready_that_is_kept_replaces_the_new_one_and_nothing_else() {
        let old = status(&[
            (kind::READY, ConditionStatus::True, reason::IN_SYNC),
            (kind::DRIFTED, ConditionStatus::True, "Old"),
        ]);
        let mut new = status(&[
            (kind::READY, ConditionStatus::False, reason::CONFLICT),
            (kind::RECONCILING, ConditionStatus::True, "New"),
        ]);
        keep_ready(&old, &mut new);
        let kept: Vec<_> = new.conditions.iter().map(|kept| (kept.type_.as_str(), kept.reason.as_str())).collect();
        assert_eq!(kept, [(kind::RECONCILING, "New"), (kind::READY, reason::IN_SYNC)]);
        keep_ready(&LicenseSeatsStatus::default(), &mut new);
        assert_eq!(new.conditions.len(), 1, "none was there");
    }

    #[test]
    fn fault_shows_in_its_reasons_and_in_conflict_without_record() {
        for reason in [reason::CREDENTIALS_INVALID, reason::CRD_OUTDATED, reason::OBSERVATION_STALE, reason::CONFLICT] {
            assert!(tells_fault(&status(&[(kind::READY, ConditionStatus::False, reason)])), "{reason}");
        }
        for reason in [reason::IN_SYNC, reason::NEEDS_REVIEW, reason::PROGRESSING] {
            assert!(!tells_fault(&status(&[(kind::READY, ConditionStatus::False, reason)])), "{reason}");
        }
        assert!(!tells_fault(&LicenseSeatsStatus::default()));
        let record_of = Some(RecordOf { uid: "uid".into(), account: "account".into(), first_wish: None });
        let decided =
            LicenseSeatsStatus { record_of, ..status(&[(kind::READY, ConditionStatus::False, reason::CONFLICT)]) };
        assert!(!tells_fault(&decided), "another program keeps changing the account");
    }

    #[test]
    fn object_is_idle_if_change_is_held_or_deferred_and_none_proceeds() {
        let still = |said: &[(&str, ConditionStatus, &str)]| stands_still(&status(said)).map(|still| still.deferred);
        let (ready, held) = ((kind::READY, ConditionStatus::True, ""), (kind::READY, ConditionStatus::False, ""));
        let (pending, goes_on) =
            ((kind::CHANGE_PENDING, ConditionStatus::True, ""), (kind::RECONCILING, ConditionStatus::True, ""));
        assert_eq!(still(&[ready]), None, "nothing is wanted");
        assert_eq!(still(&[ready, pending]), Some(true));
        assert_eq!(still(&[held]), Some(false));
        assert_eq!(still(&[held, pending]), Some(false));
        assert_eq!((still(&[held, goes_on]), still(&[ready, pending, goes_on])), (None, None));
        let unsaid = LicenseSeatsStatus { summary: None, ..status(&[held]) };
        assert_eq!(stands_still(&unsaid), None);
    }

    #[test]
    fn idle_change_goes_on_without_a_person_only_where_a_window_opens() {
        let of_a_person = |ready, why| {
            let said = [(kind::READY, ready, ""), (kind::CHANGE_PENDING, ConditionStatus::True, why)];
            stands_still(&status(&said)).map(|still| still.of_a_person)
        };
        for why in [reason::AWAITING_WINDOW, reason::WINDOW_MISSED] {
            assert_eq!(of_a_person(ConditionStatus::True, why), Some(false), "{why}");
        }
        for why in [reason::SUSPENDED, reason::AWAITING_APPROVAL, reason::CHANGE_DENIED, reason::NEVER_MADE] {
            assert_eq!(of_a_person(ConditionStatus::True, why), Some(true), "{why}");
        }
        assert_eq!(of_a_person(ConditionStatus::False, reason::AWAITING_WINDOW), Some(true), "as an expired license");
    }
}
