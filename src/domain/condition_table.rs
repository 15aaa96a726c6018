//! The table of all conditions, with the meaning of each reason. It is the source of the README's table and of the events.

use super::condition::{ConditionStatus, kind, reason};

/// A status and reason that a condition can have.
#[derive(Debug)]
pub struct Entry {
    /// Type of the condition.
    pub kind: &'static str,
    /// Status of the condition.
    status: ConditionStatus,
    /// Its reasons.
    pub reasons: &'static [&'static str],
    /// Whether an event reports the turn to this status.
    pub warns: bool,
    /// What it means, and what to do.
    pub means: &'static str,
}

impl Entry {
    /// Status of the condition, as Kubernetes writes it.
    pub fn status(&self) -> &'static str {
        self.status.text()
    }
}

const fn quiet(
    kind: &'static str,
    status: ConditionStatus,
    reasons: &'static [&'static str],
    means: &'static str,
) -> Entry {
    Entry { kind, status, reasons, warns: false, means }
}

const fn warns(
    kind: &'static str,
    status: ConditionStatus,
    reasons: &'static [&'static str],
    means: &'static str,
) -> Entry {
    Entry { kind, status, reasons, warns: true, means }
}

/// Everything that the conditions can say, beside `Reconciling` and `Stalled`.
#[rustfmt::skip]
pub const CONDITIONS: &[Entry] = &[
    quiet(kind::READY, ConditionStatus::True, &[reason::IN_SYNC], "The vendor shows what is declared."),
    quiet(kind::READY, ConditionStatus::True, &[reason::OBSERVED], "Observed only: `managementPolicy` is `Observe`."),
    quiet(kind::READY, ConditionStatus::True, &[reason::STANDBY], "Observed only: `activeCluster` names another cluster, or `none`. No change of this side is open, so the next cluster may become active."),
    quiet(kind::READY, ConditionStatus::True, &[reason::SUSPENDED], "A change is wanted and `suspend` is true. Set it to false to make the change."),
    quiet(kind::READY, ConditionStatus::True, &[reason::CHANGE_DEFERRED], "A change is wanted and waits for its window, for approval by a person, or for the waiting change of another object of the account. Or a `SeatApproval` denies it, or `adjustment` switches its direction off. `STATUS` and the message say which."),
    quiet(kind::READY, ConditionStatus::True, &[reason::DRIFT_REPORTED_ONLY], "The account was changed outside Seatkeeper and `driftPolicy` is `Report`: see `Drifted`. Seatkeeper sends nothing. Edit `seats` or `limit`, or set `driftPolicy: Correct`."),
    quiet(kind::READY, ConditionStatus::False, &[reason::PROGRESSING], "A change is about to be made or was just made."),
    quiet(kind::READY, ConditionStatus::Unknown, &[reason::OUTCOME_UNKNOWN], "A change may or may not have been made. Wait: it is read again after the settle time, which is 5 minutes after an answer (`--settle-answered`) and 30 minutes without one (`--settle-unanswered`). A restart of the operator begins the wait anew."),
    warns(kind::READY, ConditionStatus::Unknown, &[reason::OBSERVATION_STALE], "The vendor could not be read for a while. The message says why; Seatkeeper tries again."),
    quiet(kind::READY, ConditionStatus::False, &[reason::CREDENTIALS_INVALID], "See `CredentialsValid`."),
    warns(kind::READY, ConditionStatus::False, &[reason::GUARDRAIL_VIOLATED], "The declared seats or limit would cross a guard rail, a ceiling of the installer, or the seats in use. Declare other numbers, change the guard rail, or free seats."),
    warns(kind::READY, ConditionStatus::False, &[reason::NUMBERS_IN_DOUBT], "Numbers of the vendor contradict each other, or a key that shows them fails. Seatkeeper lowers no seats and sends no difference. It still raises seats by a total, and changes the limit alone. Correct the account or the key, as the message says."),
    warns(kind::READY, ConditionStatus::False, &[reason::FIRST_SIGHT], "The object has no record of the account: it is new, was restored, or took the seats over. Seatkeeper lowers no seats and removes no license key before a person agrees. It makes a change of the limit alone at once. Edit `seats`, `sizing` or the license keys to what you want, or annotate as the message says: an edit of `limit` alone is no yes."),
    warns(kind::READY, ConditionStatus::False, &[reason::VENDOR_REJECTED], "The vendor refuses, or would refuse. The message says why, as far as it is known."),
    warns(kind::READY, ConditionStatus::False, &[reason::UNSUPPORTED_BY_VENDOR], "The account, the key or the server cannot do it now. Change the spec, the key or the server, as the message says."),
    warns(kind::READY, ConditionStatus::False, &[reason::NEEDS_REVIEW], "Seatkeeper cannot explain the numbers of the vendor after a change. Check the account, then do what the message says. Once confirmed, Seatkeeper plans anew from the shown numbers and requests the rest of the change. It sends a license key again."),
    warns(kind::READY, ConditionStatus::False, &[reason::CONFLICT], "A person or another program keeps changing the account: find the source, then edit `seats`, `limit` or the list of license keys, or wait a day. Or an older object has the same seats: delete one of the two. Or another object's address lists the same licenses: delete one of the two, or annotate both as the message says if they are two accounts."),
    quiet(kind::READY, ConditionStatus::False, &[reason::AWAITING_OTHER_POOL], "Another object of the same account must change its pool first. Wait. If `Stalled` is there as well, that object is held: do what the message says for it."),
    warns(kind::READY, ConditionStatus::False, &[reason::AWAITING_RETRY], "The vendor gave no usable answer to a change, and nothing was changed. Seatkeeper sends it again; the message says when."),
    quiet(kind::READY, ConditionStatus::False, &[reason::EXPIRED], "The license behind the seats is not in force; see `LicenseValid`."),
    warns(kind::READY, ConditionStatus::False, &[reason::SEATS_SHORT], "The license keys total fewer seats than `seats`. Supply another key."),
    warns(kind::READY, ConditionStatus::False, &[reason::LICENSE_KEY_REJECTED], "Seatkeeper asked the vendor twice to add a license key, and the vendor shows no new row. Put the right key into its Secret, or do what the message says to send it again."),
    warns(kind::READY, ConditionStatus::False, &[reason::SECRET_NOT_FOUND, reason::SECRET_NOT_PERMITTED, reason::KEY_MISSING, reason::KEY_INVALID], "A license key cannot be used, for the reason below. Nothing of its Secret is sent, and nothing is pruned. The message has the fix."),
    warns(kind::READY, ConditionStatus::False, &[reason::ALREADY_PRESENT], "The vendor reports that it already has a license key, and Seatkeeper cannot identify its row. Name the row in `adopt`, or do what the message says."),
    warns(kind::READY, ConditionStatus::False, &[reason::APPROVALS_UNREADABLE], "A change is wanted, and the SeatApprovals of the object cannot be read: their CRD is not installed, the operator may not list them, or one of them is not as the CRD has it. The message has the fix."),
    warns(kind::READY, ConditionStatus::False, &[reason::PRUNE_BLOCKED], "A license key that is no longer listed cannot be removed safely. The message says why."),
    warns(kind::READY, ConditionStatus::False, &[reason::SPEC_INVALID], "The spec cannot be used as it is. The message names the field."),
    warns(kind::READY, ConditionStatus::False, &[reason::CRD_OUTDATED], "The CRD lacks fields of this operator, so nothing is sent to any vendor. Apply the CRD as the message says."),
    warns(kind::READY, ConditionStatus::False, &[reason::STATUS_NOT_STORED], "The apiserver drops or refuses a part of the status. Seatkeeper still reads the vendor and changes nothing for this object. The message names the fields. Update the CRD, or exempt `licenseseats/status` from the admission rule that changes it."),
    quiet(kind::CREDENTIALS_VALID, ConditionStatus::True, &[reason::AUTHENTICATED], "The vendor accepts the key."),
    warns(kind::CREDENTIALS_VALID, ConditionStatus::False, &[reason::SECRET_NOT_FOUND], "Create the Secret in the same namespace."),
    warns(kind::CREDENTIALS_VALID, ConditionStatus::False, &[reason::SECRET_NOT_PERMITTED], "The owner of the Secret has not allowed this use: the Secret has another type, belongs to another vendor, or names another server. Or the operator's Role does not allow it. The message has the fix."),
    warns(kind::CREDENTIALS_VALID, ConditionStatus::False, &[reason::KEY_MISSING, reason::KEY_INVALID], "A value of the Secret is missing or unusable, or does not go with the spec (`region` beside `server`) or with the other Secret. The message names it."),
    warns(kind::CREDENTIALS_VALID, ConditionStatus::False, &[reason::REJECTED], "The vendor refuses the key: rotated, other region, account disabled, or a plan without API. Put the current key into the Secret, or set `region`, as the message says."),
    warns(kind::CREDENTIALS_VALID, ConditionStatus::False, &[reason::INSUFFICIENT_ROLE], "The key is accepted but may not do this. Use the key of an owner, or the account's own."),
    warns(kind::CREDENTIALS_VALID, ConditionStatus::False, &[reason::HOST_NOT_ALLOWED], "The Secret names a host that the operator may not talk to. Ask the installer to allow it."),
    quiet(kind::CREDENTIALS_VALID, ConditionStatus::Unknown, &[reason::VENDOR_UNREACHABLE], "No usable answer: network, certificate, throttling, or an outage. Seatkeeper tries again."),
    quiet(kind::SEAT_SHORTAGE, ConditionStatus::False, &[reason::SUFFICIENT], "Enough seats are free."),
    warns(kind::SEAT_SHORTAGE, ConditionStatus::True, &[reason::BELOW_THRESHOLD], "Fewer seats are free than `thresholds` asks for. Raise `seats`, or free some."),
    warns(kind::SEAT_SHORTAGE, ConditionStatus::True, &[reason::EXHAUSTED], "No seat is free, so no person can join. Raise `seats`, or free some."),
    warns(kind::SEAT_SHORTAGE, ConditionStatus::True, &[reason::OVER_ALLOCATED], "More seats are in use than purchased. Raise `seats`, or free some. Credentials that only add seats cannot raise them; the message says what can."),
    quiet(kind::SEAT_SHORTAGE, ConditionStatus::Unknown, &[reason::USAGE_NOT_REPORTED], "This key does not show the use."),
    quiet(kind::SEAT_SHORTAGE, ConditionStatus::False, &[reason::SEATS_NOT_REPORTED], "The use is shown. The plan or the server counts no seats, so none can be short."),
    quiet(kind::SEAT_SHORTAGE, ConditionStatus::Unknown, &[reason::SEATS_NOT_REPORTED], "The use is shown, and the purchased seats are not. Use a key that shows them."),
    quiet(kind::LICENSE_VALID, ConditionStatus::True, &[reason::ACTIVE], "The license or subscription behind the seats is in force."),
    quiet(kind::LICENSE_VALID, ConditionStatus::True, &[reason::EXPIRING_SOON], "The license ends within one of `thresholds.expiry`. Renew it."),
    warns(kind::LICENSE_VALID, ConditionStatus::True, &[reason::PAST_DUE], "A payment is late. Pay it before the subscription is switched off."),
    warns(kind::LICENSE_VALID, ConditionStatus::False, &[reason::EXPIRED], "The license is unpaid, canceled, or past its end. Pay or renew it at the vendor."),
    warns(kind::LICENSE_VALID, ConditionStatus::False, &[reason::INVALIDATED], "The vendor no longer honors the license, or the account is switched off. Ask the vendor."),
    quiet(kind::LICENSE_VALID, ConditionStatus::Unknown, &[reason::PENDING], "The first payment is missing."),
    quiet(kind::LICENSE_VALID, ConditionStatus::Unknown, &[reason::NOT_REPORTED], "These credentials do not show the license."),
    quiet(kind::CHANGE_PENDING, ConditionStatus::True, &[reason::SUSPENDED, reason::DRIFT_REPORTED_ONLY, reason::BLOCKED_BY_GUARDRAIL, reason::NUMBERS_IN_DOUBT, reason::FIRST_SIGHT, reason::AWAITING_OTHER_POOL, reason::AWAITING_RETRY, reason::VENDOR_REJECTED, reason::UNSUPPORTED_BY_VENDOR, reason::PRUNE_BLOCKED, reason::APPROVALS_UNREADABLE, reason::CONFLICT], "A wanted change is not made yet, as `Ready` says. After a request that the vendor refused, and after repeated external changes, `Ready` and `Stalled` alone say so."),
    quiet(kind::CHANGE_PENDING, ConditionStatus::True, &[reason::AWAITING_WINDOW], "A wanted change waits for its window: `status.nextWindow`."),
    warns(kind::CHANGE_PENDING, ConditionStatus::True, &[reason::AWAITING_APPROVAL], "A wanted change waits for approval by a person. Create a `SeatApproval` with the `planId` of the message, or edit `spec` to ask for less."),
    quiet(kind::CHANGE_PENDING, ConditionStatus::True, &[reason::CHANGE_DENIED], "A `SeatApproval` denies a wanted change. Delete it to have the change made, or edit `spec`."),
    quiet(kind::CHANGE_PENDING, ConditionStatus::True, &[reason::NEVER_MADE], "`adjustment` switches the direction of a wanted change off: mode `Never`."),
    warns(kind::CHANGE_PENDING, ConditionStatus::True, &[reason::WINDOW_MISSED], "A wanted change missed its window: the window ended and `adjustment.startingDeadline` passed, or a person held the change until the end. It waits for the next one, and the message says when that opens."),
    quiet(kind::CHANGE_PENDING, ConditionStatus::True, &[reason::ACTIVATING], "The object became active in this cluster, and a request of another cluster may still be in flight. Wait until the time in the message. A restart of the operator begins the wait anew."),
    quiet(kind::CHANGE_PENDING, ConditionStatus::True, &[reason::SETTLING], "The last change of the account is made, and its late effects may still come. Wait."),
    warns(kind::CHANGE_PENDING, ConditionStatus::True, &[reason::OUTCOME_UNKNOWN], "The outcome of a change is not known yet, or another change of the account may be in flight. Wait."),
    warns(kind::DRIFTED, ConditionStatus::True, &[reason::EXTERNAL_CHANGE], "A person or another program changed the account. The message has both numbers."),
    warns(kind::DRIFTED, ConditionStatus::True, &[reason::ANOTHER_SEATKEEPER], "The account changed exactly as Seatkeeper had planned but had not sent: by hand, or by another Seatkeeper, perhaps in another cluster. Seatkeeper neither corrects nor repeats that change. Do what the message says."),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Verdict;
    use crate::domain::ready_reason::says;
    use crate::domain::reconciling_and_stalled::Going;
    use crate::domain::tests::samples;

    fn verdicts() -> impl Iterator<Item = Verdict> {
        samples::verdicts().into_iter().map(|(_, verdict)| verdict)
    }

    #[test]
    fn verdict_reports_only_rows_of_condition_table() {
        let has = |kind: &str, status: ConditionStatus, reason: &str| {
            CONDITIONS
                .iter()
                .any(|entry| entry.kind == kind && entry.status == status && entry.reasons.contains(&reason))
        };
        for verdict in verdicts() {
            let says = says(&verdict);
            assert!(has(kind::READY, says.ready, says.reason), "{verdict:?}");
            assert!(
                says.pending.is_none_or(|reason| has(kind::CHANGE_PENDING, ConditionStatus::True, reason)),
                "{verdict:?}"
            );
        }
    }

    #[test]
    fn verdict_that_is_not_ready_is_either_going_on_or_stalled() {
        for verdict in verdicts() {
            let says = says(&verdict);
            assert_eq!(says.going == Going::Rests, says.ready == ConditionStatus::True, "{verdict:?}");
        }
    }

    #[test]
    fn metric_label_is_one_distinct_word_per_kind_of_verdict() {
        let mut kinds: std::collections::BTreeMap<&str, std::mem::Discriminant<Verdict>> = Default::default();
        for verdict in verdicts() {
            let (label, kind) = (verdict.label(), std::mem::discriminant(&verdict));
            let is_word = !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            assert!(is_word, "{verdict:?}: {label:?}");
            assert_eq!(*kinds.entry(label).or_insert(kind), kind, "{label} is said of {verdict:?} and of another");
        }
        assert_eq!(kinds.len(), 11);
    }

    #[test]
    fn table_has_each_condition_status_and_reason_once() {
        let mut seen = std::collections::BTreeSet::new();
        for entry in CONDITIONS {
            for reason in entry.reasons {
                assert!(seen.insert((entry.kind, entry.status(), reason)), "{entry:?}");
            }
        }
    }
}
