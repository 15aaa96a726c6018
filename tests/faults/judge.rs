//! The oracles: what the ledger, the requests and the log must look like once a case is at rest.

use fault_proxy::{Action, Record};
use vendor_sim::{Actor, LedgerEntry};

use crate::case::{Case, End, Played};
use crate::happenings::{EDITED, ETCD_RESTORED, OBJECT_RESTORED, RECREATED, STATUS_RESTORED};
use crate::rig::Rig;

/// Whether something was bought twice, and what else is wrong.
pub type Flaw = (bool, String);

/// After these nobody need be asked any more.
const RESOLVING: [&str; 5] = [EDITED, RECREATED, STATUS_RESTORED, OBJECT_RESTORED, ETCD_RESTORED];

/// Judges what was played; `before`: how long the ledger was when counting began, `reference`: how many purchases that
/// took.
pub fn judge(rig: &Rig, case: &Case, end: End, before: usize, reference: Option<usize>) -> Result<Played, Flaw> {
    let flaw = |why: String| Err((false, why));
    let ledger = bought(rig, case, before)?;
    let records = rig.proxy.records();
    let puts = records.iter().filter(|record| record.is_purchase()).count();
    if reference.is_some_and(|reference| puts > reference + 2) {
        return flaw(format!("{puts} purchases were sent, the reference took {reference:?}"));
    }
    if case.fault.is_some() && !rig.proxy.fired() {
        return flaw("the action was never taken: the request did not come".into());
    }
    if let Some(what) = case.happening().filter(|what| !rig.site.happened(what)) {
        return flaw(format!("it did not happen, or not to its end: {what}"));
    }
    if rig.log().contains("panicked") {
        return flaw("the operator panicked".into());
    }
    if rig.ended_alone() > 0 {
        return flaw("the operator ended by itself".into());
    }
    let ambiguous = ambiguous(&records, &ledger) || repeat_taken_back(&records, &ledger);
    // What a person does to the object answers the question, or takes it away with the record.
    let answered = case.happening().is_some_and(|what| RESOLVING.contains(&what));
    let in_order = if end == End::NeedsReview { ambiguous } else { !ambiguous || answered };
    if !in_order {
        return flaw(format!("ambiguous: {ambiguous}, but it ended {end:?}"));
    }
    let organization = rig.bitwarden().organization(&rig.key().id);
    let is = (organization.seats, organization.limit, organization.billed.seats);
    let (seats, limit) = goal(case);
    match end {
        End::InSync if is != (Some(seats), Some(limit), Some(seats)) => {
            return flaw(format!("told in sync, but shown, limit and billed are {is:?}"));
        }
        End::Rejected if !refusal_is_in_order(case, &records) => {
            return flaw("told that the vendor refuses, which it does not".into());
        }
        _ => {}
    }
    Ok(Played { end, records, puts, log: rig.log() })
}

/// Seats and limit in the end.
fn goal(case: &Case) -> (i32, i32) {
    if case.happening() == Some(EDITED) { case.scenario.edit.1 } else { case.scenario.goal }
}

/// The ledger's oracle: what was bought since counting began, if it is in order.
pub fn bought(rig: &Rig, case: &Case, before: usize) -> Result<Vec<LedgerEntry>, Flaw> {
    let scenario = &case.scenario;
    let ledger = rig.bitwarden().ledger(&rig.key().id).split_off(before);
    let (least, most) = scenario.between;
    for entry in &ledger {
        for seats in [entry.after.seats, entry.billed_after.seats].into_iter().flatten() {
            if seats > most || seats < least {
                return Err((true, format!("{seats} seats, outside of {least} to {most}: {entry:?}")));
            }
        }
    }
    let by_operator = |e: &&LedgerEntry| e.who != Actor::ThirdParty && e.billed_after.seats != e.billed_before.seats;
    let billed = ledger.iter().filter(by_operator).count();
    if billed > scenario.billings + usize::from(goal(case).0 != scenario.goal.0) {
        return Err((true, format!("billing changed {billed} times")));
    }
    Ok(ledger)
}

/// Somebody else changed the seats while the outcome of a purchase was open that then was not made.
fn ambiguous(records: &[Record], ledger: &[LedgerEntry]) -> bool {
    let foreign = ledger.iter().any(|entry| entry.who == Actor::ThirdParty);
    let first = records.iter().find(|record| record.is_purchase());
    let open = first.is_some_and(|record| {
        let made = record.executed == Some(200);
        !made && !refused(record)
    });
    foreign && open
}

/// The vendor has put back the old number of what was recorded, and so may have been sent, a second time: shown and billed
/// differ, and a third request could add up with a webhook of the first two.
fn repeat_taken_back(records: &[Record], ledger: &[LedgerEntry]) -> bool {
    let opened = records.iter().filter(|record| record.opens && record.executed == Some(200)).count();
    let refused = records.iter().filter(|record| record.is_purchase() && refused(record)).count();
    let purchases: Vec<&Record> = records.iter().filter(|record| record.is_purchase()).collect();
    let made = purchases.iter().any(|purchase| purchase.executed == Some(200));
    // The application's own word on the last one, 500, is a refusal; everything else says nothing about it.
    let heard = purchases.last().is_some_and(|last| last.answered == Some(500));
    let made = made && !heard;
    let back = ledger.last().is_some_and(|e| e.who == Actor::Webhook && e.after.seats != e.billed_after.seats);
    made && opened >= refused + 2 && back
}

/// The operator knows that it came to nothing.
fn refused(record: &Record) -> bool {
    matches!(record.answered, Some(401 | 403 | 429))
}

/// Two purchases that were answered, or not, without effect.
fn refusal_is_in_order(case: &Case, records: &[Record]) -> bool {
    let purchases = records.iter().filter(|record| record.is_purchase()).count();
    let killed = matches!(
        case.fault,
        Some((_, Action::Kill(_) | Action::Pause(..) | Action::PauseUntilPurchase(_) | Action::PauseInHandshake(_)))
    );
    case.scenario.uses_the_repeat && (purchases >= 2 || killed)
}
