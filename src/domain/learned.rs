//! The additions of a decision or an answer to the record. The record goes one way: it is read, it is added to here, it
//! is written.

use jiff::Timestamp;

use super::approval::reach;
use super::events::{Notice, adoptions, approved, remember};
use super::keys::after_key_write;
use super::outcome::after_write;
use super::plan::is_of_a_plan;
use super::windows::{counted, uncounted};
use super::{Decision, Outcome, Refusal, Snapshot, Verdict};
use crate::api::{ApprovalUsed, Change, Intent, License, LicenseSeatsStatus, Plan};

/// A record with its additions.
#[derive(Clone, Debug, PartialEq)]
pub struct Learned {
    /// The record.
    pub status: LicenseSeatsStatus,
    /// Events to publish once it is written, oldest first.
    pub notices: Vec<Notice>,
}

impl Learned {
    fn of(mut status: LicenseSeatsStatus, applied: Option<Change>, license: Option<&License>) -> Self {
        if let Some(change) = &applied {
            // Its plan is finished: the same step needs another yes.
            let plan = status.last_plan.iter_mut().filter(|_| is_of_a_plan(&change.step));
            plan.for_each(|plan| plan.spent = true);
            if change.approval.is_some() {
                status.agreed_seats = status.agreed_seats.max(reach(change.base(), change.target()));
            }
            // A change that is made sets what is billed.
            status.may_bill = None;
            // Until the account is in sync again, the change says what it should show.
            status.sizing.iter_mut().for_each(|sizing| sizing.in_sync_with = None);
        }
        let mut notices: Vec<Notice> = remember(&mut status, applied).into_iter().collect();
        if let Some(license) = license {
            notices.extend(adoptions(status.license.as_ref(), license));
            status.license = Some(license.clone());
        }
        Self { status, notices }
    }
}

/// Adds what a decision has found out: a change that is now seen to be made, and what is known of license keys.
pub fn after_decision(status: LicenseSeatsStatus, decision: &Decision) -> Learned {
    let status = LicenseSeatsStatus {
        may_bill: decision.may_bill.clone(),
        window: decision.window.clone(),
        activity: decision.activity.clone(),
        last_plan: decision.last_plan.clone(),
        ..status
    };
    let mut learned = Learned::of(status, decision.applied.clone(), decision.license.as_ref());
    if let Verdict::Change(intent) = &decision.verdict {
        learned.notices.extend(approved(intent, decision.plan.as_ref()));
    }
    learned
}

/// The record with which a request may leave: its intent, and its place in the window that let it pass.
pub fn before_request(status: LicenseSeatsStatus, intent: &Intent) -> LicenseSeatsStatus {
    let window = counted(status.window, status.intent.as_ref(), intent);
    let used = intent.approval.clone().zip(status.last_plan.as_ref()).map(|(name, plan)| ApprovalUsed {
        name,
        plan_id: plan.id.clone(),
        to: intent.target().seats,
        limit_to: intent.target().limit,
        time: intent.time.clone(),
    });
    let approval = used.or(status.approval);
    LicenseSeatsStatus { intent: Some(intent.clone()), plan: None, window, approval, ..status }
}

/// Adds what the answer to the request of an intent proves. `status` has this intent; `read_back`: what was read after the
/// request, and `None` where that failed.
pub fn after_request(
    status: LicenseSeatsStatus,
    intent: &Intent,
    outcome: &Outcome,
    read_back: Option<&Snapshot>,
    now: Timestamp,
) -> Learned {
    let read_back = read_back.filter(|seen| seen.account_key() == intent.account);
    let gives_back = gives_place_back(intent, outcome);
    let window = if gives_back { uncounted(status.window, intent) } else { status.window };
    let intent = &Intent { window: intent.window.clone().filter(|_| !gives_back), ..intent.clone() };
    // What did not leave is still planned: should the account move by exactly this, it was not moved by us.
    let unsent = || {
        let (id, step, reason) = (intent.id.clone(), intent.step.clone(), intent.reason);
        Plan { id, basis: None, step, reason, blocked_by: Vec::new(), not_before: None, estimate: None }
    };
    let plan = if matches!(outcome, Outcome::NotSent(_)) && intent.step.key().is_none() {
        Some(unsent())
    } else {
        status.plan
    };
    let status = LicenseSeatsStatus { window, plan, ..status };
    if let Some(after) = after_key_write(intent, outcome, status.license.as_ref(), read_back, now) {
        let status = LicenseSeatsStatus { intent: after.intent, ..status };
        Learned::of(status, after.applied, Some(&after.license))
    } else {
        let after = after_write(intent, outcome, read_back.and_then(Snapshot::numbers), now);
        let status = LicenseSeatsStatus { intent: after.intent, ..status };
        Learned::of(status, after.applied, None)
    }
}

/// Whether a request has used no window: it did not leave, or the vendor refused it. A repeat that did not leave is open as its
/// decision was before, and keeps that place.
fn gives_place_back(intent: &Intent, outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Refused(Refusal::Request(_)) => true,
        Outcome::NotSent(_) | Outcome::Refused(_) => intent.attempt == 1,
        _ => false,
    }
}

/// What of a record is written where another writer wrote since it was read: what was done at the vendor, over what is stored now.
/// `ours`: the intent of the record as it was read or written last. `None`: the stored intent is another one, so nothing is.
pub fn over_another_write(
    stored: LicenseSeatsStatus,
    ours: Option<&str>,
    record: &LicenseSeatsStatus,
) -> Option<LicenseSeatsStatus> {
    let ours = ours.filter(|ours| stored.intent.as_ref().is_some_and(|intent| intent.id == *ours));
    ours.map(|_| LicenseSeatsStatus {
        intent: record.intent.clone(),
        history: record.history.clone(),
        // What is known of license keys is proof too: lost, one of them would be added again.
        license: record.license.clone(),
        // So is what may be billed: no other record knows an intent that this record drops.
        may_bill: record.may_bill.clone(),
        // And so is what a window has seen, and which plan was used up.
        window: record.window.clone(),
        // And so are the seats with which the account was in sync: a change of ours makes them another number.
        sizing: record.sizing.clone(),
        last_plan: record.last_plan.clone(),
        agreed_seats: record.agreed_seats,
        ..stored
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A record with this intent, and with words of its own in each field.
    fn record(intent: Option<&str>, word: &str) -> LicenseSeatsStatus {
        let change = |id: &str| {
            json!({
                "id": id, "account": "h/i", "step": { "seats": { "from": 100, "to": 150 } }, "generation": 1, "attempt": 1,
                "reason": "SpecDiffers", "time": "2026-10-01T08:00:00Z", "objectUid": "uid", "phase": "Open",
            })
        };
        let status = json!({
            "intent": intent.map(change), "history": [change(word)], "license": { "state": "Active", "message": word },
            "mayBill": { "id": word, "account": "h/i", "seats": 150 }, "summary": word,
            "sizing": { "account": "h/i", "used": word.len(), "wanted": 9 },
            "lastPlan": { "number": word.len(), "id": word, "step": { "seats": { "from": 100, "to": 150 } }, "of": word },
            "agreedSeats": word.len(),
            "window": { "openedAt": "2026-12-01T06:00:00Z", "closesAt": "2026-12-01T10:00:00Z", "changes": word.len() },
        });
        serde_json::from_value(status).unwrap()
    }

    #[test]
    fn only_vendor_effects_are_merged_over_another_write() {
        let (stored, ours) = (record(Some("open"), "stored"), record(None, "ours"));
        let written = over_another_write(stored.clone(), Some("open"), &ours).unwrap();
        let LicenseSeatsStatus { intent, history, license, may_bill, window, sizing, last_plan, agreed_seats, .. } =
            ours;
        let expected = LicenseSeatsStatus { intent, history, license, may_bill, window, ..stored };
        assert_eq!(written, LicenseSeatsStatus { sizing, last_plan, agreed_seats, ..expected });
    }

    #[test]
    fn write_of_person_with_other_intent_or_none_is_kept_whole() {
        let ours = record(None, "ours");
        for (stored, known) in
            [(Some("another"), Some("open")), (None, Some("open")), (Some("open"), None), (None, None)]
        {
            assert_eq!(over_another_write(record(stored, "stored"), known, &ours), None, "{stored:?}, {known:?}");
        }
    }
}
