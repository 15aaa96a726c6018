//! The additions of a decision or an answer to the record. The record goes one way: it is read, this module adds to it, and it is written.

use jiff::Timestamp;

use super::approval::reach;
use super::change_history::remember;
use super::events::{Notice, adoptions, approved};
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
            // The plan of the change has ended: the same step needs another yes.
            let plan = status.last_plan.iter_mut().filter(|_| is_of_a_plan(&change.step));
            plan.for_each(|plan| plan.spent = true);
            if change.approval.is_some() {
                status.agreed_seats = status.agreed_seats.max(reach(change.base(), change.target()));
            }
            // A change that was made sets the billed number.
            status.may_bill = None;
            // Until the account is in sync again, the change has the numbers that the account should show.
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

/// Adds the findings of a decision: a change that a reading shows as made, and the records of license keys.
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
    // A change that did not leave is still planned. If the account changes by exactly this plan, Seatkeeper did not make the change.
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

/// Whether a request has used no window: it did not leave, or the vendor refused it. A repeat that did not leave is open in the
/// state before its decision, and keeps that place.
fn gives_place_back(intent: &Intent, outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Refused(Refusal::Request(_)) => true,
        Outcome::NotSent(_) | Outcome::Refused(_) => intent.attempt == 1,
        _ => false,
    }
}
