//! The oracles: what the ledger, the requests and the log must look like once a case is at rest.

use fault_proxy::{Action, Hop, Moment, Record};
use vendor_sim::{Actor, LedgerEntry};

use crate::approved;
use crate::branch::decided;
use crate::case::{Case, End, Played, Written, reads};
use crate::doubt::{Doubt, hidden_by_another};
use crate::flaw::{Flaw, worst_first};
use crate::happenings::{
    BY_SOMEBODY, EDITED, ETCD_RESTORED, GONE_FOR_A_WHILE, JOINED, OBJECT_RESTORED, RECREATED, STATUS_RESTORED,
};
use crate::noticed::unnoticed;
use crate::rig::Rig;
use crate::scenario::{AtPurchase, Scenario};
use crate::selection::IN_WINDOW;
use crate::window;

/// After these nobody need be asked any more.
const RESOLVING: [&str; 6] = [EDITED, RECREATED, GONE_FOR_A_WHILE, STATUS_RESTORED, OBJECT_RESTORED, ETCD_RESTORED];

/// So many purchases of a decision may have an effect: the change, and the healing of one that the vendor took back.
const EFFECTS: usize = 2;

/// So many changes of somebody else are undone within a day.
const CORRECTIONS: usize = 2;

/// So many statuses more than the reference may be written: a doubt told and ended, a fault told and ended, and what comes with
/// two purchases more.
const MORE_STATUSES: usize = 14;

/// So many statuses tell of one more request of which nothing came.
const STATUSES_OF_AN_ATTEMPT: usize = 4;

/// Judges what was played, whether it came to rest or not; `before`: how long the ledger was when counting began, `reference`:
/// how much that wrote.
pub async fn judge(
    rig: &Rig,
    case: &Case,
    ended: Result<End, String>,
    before: usize,
    reference: Option<Written>,
) -> Result<Played, Flaw> {
    let flaw = |why: String| Err(Flaw::Wrong(why));
    let hit = case.fault.is_none() || rig.proxy.fired();
    let (ledger, end) = worst_first(harm(rig, case, before), rig.processes(), ended, hit)?;
    let records = rig.proxy.records();
    if let Some(why) = untidy(rig, case, &records, reference) {
        return flaw(why);
    }
    let doubt = doubt(rig, case, &records, &ledger);
    if !is_in_order(&doubt, case, end) {
        return flaw(format!("{doubt:?}, but it ended {end:?}"));
    }
    if !outage_was_outlasted(case, end) {
        return flaw(format!("an outage that is over ended {end:?}"));
    }
    if let Some(why) = untrue(rig, case, end, &records).await {
        return flaw(why);
    }
    if let Some(why) = window::broken(rig, case, end, &records).await {
        return flaw(why);
    }
    if let Some(why) = approved::broken(rig, case, end, &records) {
        return flaw(why);
    }
    match unnoticed(rig, case, &records) {
        Some(why) => Err(Flaw::Missed(why.into())),
        None => Ok(Played { end, decided: decided(rig, case, end, &doubt), records, log: rig.log() }),
    }
}

/// What no case may leave behind, whatever was broken.
fn untidy(rig: &Rig, case: &Case, records: &[Record], reference: Option<Written>) -> Option<String> {
    let more = MORE_STATUSES + of_an_outage(case, records) * STATUSES_OF_AN_ATTEMPT;
    let written = Written::of(records);
    if let Some(most) = reference.filter(|most| written.statuses > most.statuses + more) {
        return Some(format!("{} statuses were written, the reference took {}", written.statuses, most.statuses));
    }
    let undone = case.happening().filter(|what| !rig.objects.happened(what));
    undone.map(|what| format!("it did not happen, or not to its end: {what}"))
}

/// What the status tells that the vendor does not show.
async fn untrue(rig: &Rig, case: &Case, end: End, records: &[Record]) -> Option<String> {
    let organization = rig.bitwarden().organization(&rig.key().id);
    let is = (organization.seats, organization.limit, organization.billed.seats);
    let (seats, limit) = goal(case);
    match end {
        End::InSync if is != (Some(seats), Some(limit), Some(seats)) => {
            Some(format!("told in sync, but shown, limit and billed are {is:?}"))
        }
        End::Held if !lowers_without_a_record(case) && !adds_to_another_bill(case, is.0, is.2) => {
            Some("held for a person, although the object has a record and shown and billed agree".into())
        }
        End::Contested if !undone_again_and_again(&rig.bitwarden().ledger(&rig.key().id)) => {
            Some("left alone because others undo it again and again, which nobody does".into())
        }
        End::Rejected if !refusal_is_in_order(case, records) => {
            Some("told that the vendor refuses, which it does not".into())
        }
        End::Rejected if !bill_is_told(rig, case, (is.0, is.2)).await => {
            Some(format!("told that the vendor refuses, while shown, limit and billed are {is:?}"))
        }
        _ => None,
    }
}

/// Why nobody can tell what became of the change of a case.
fn doubt(rig: &Rig, case: &Case, records: &[Record], ledger: &[LedgerEntry]) -> Doubt {
    let by_somebody = case.happening() == Some(BY_SOMEBODY);
    Doubt {
        open: changed_while_open(records, ledger),
        taken_back: repeat_taken_back(records, ledger),
        hidden: hidden_by_another(ledger),
        unseen: if by_somebody { changed_unseen(rig, case, records) } else { Some(false) },
    }
}

/// A person is asked exactly where nobody can tell.
fn is_in_order(doubt: &Doubt, case: &Case, end: End) -> bool {
    // What a person does to the object answers the question, or takes it away with the record.
    let answered = case.happening().is_some_and(|what| RESOLVING.contains(&what));
    doubt.is_in_order(answered, end)
}

/// Whatever the number of requests: of a decision at most two have an effect, and none leaves while an earlier one is being
/// carried out.
fn too_many(case: &Case, records: &[Record], ledger: &[LedgerEntry]) -> Option<String> {
    let decisions = decisions(case);
    let moves = |entry: &&LedgerEntry| {
        let shown = entry.before != entry.after;
        matches!(entry.who, Actor::OrganizationPut | Actor::OwnerWrite | Actor::LateFinisher)
            && (shown || entry.billed_before != entry.billed_after)
    };
    let each = ledger.iter().filter(moves).filter_map(|entry| entry.request).collect::<std::collections::BTreeSet<_>>();
    if each.len() > EFFECTS * decisions {
        return Some(format!("{} purchases had an effect, for {decisions} decisions", each.len()));
    }
    let purchases: Vec<&Record> = records.iter().filter(|record| record.is_purchase()).collect();
    beside_another(&purchases)
}

/// What is wrong where a purchase came while the one before it was being carried out; in the order in which they came.
pub fn beside_another(purchases: &[&Record]) -> Option<String> {
    let beside = purchases.windows(2).find(|pair| pair[0].over.is_some_and(|over| over > pair[1].at));
    beside.map(|pair| format!("purchase {} was carried out when purchase {} came", pair[0].number, pair[1].number))
}

/// How many purchases an outage refused.
fn of_an_outage(case: &Case, records: &[Record]) -> usize {
    let lasting = matches!(case.fault, Some((_, Action::Outage(_))));
    records.iter().filter(|r| lasting && r.is_purchase() && r.answered == Some(503)).count()
}

/// An outage, however long, ends no wish: the change is made in the end, and nobody is asked but where the ledger is ambiguous,
/// which is judged elsewhere.
fn outage_was_outlasted(case: &Case, end: End) -> bool {
    !matches!(case.fault, Some((_, Action::Outage(_)))) || [End::InSync, End::NeedsReview].contains(&end)
}

/// How many decisions a case takes: an edit is one more, and so is what somebody else undoes.
fn decisions(case: &Case) -> usize {
    let more = goal(case) != case.scenario.goal || case.happening() == Some(BY_SOMEBODY);
    let others = usize::from(matches!(case.scenario.at_purchase, AtPurchase::ThirdParty(_)));
    1 + usize::from(more) + others
}

/// A refusal that is reported means that nothing is billed of it, or the record names what may be.
async fn bill_is_told(rig: &Rig, case: &Case, (shown, billed): (Option<i32>, Option<i32>)) -> bool {
    let base = Some(base(&case.scenario));
    let status = rig.status("acme").await;
    // An owner sees what is billed.
    let may = status.map(|status| [status.billed, status.may_bill.map(|may| may.seats)]).unwrap_or_default();
    (shown, billed) == (base, base) || may.iter().flatten().any(|told| Some(*told) == billed)
}

/// Seats and limit in the end.
fn goal(case: &Case) -> (i32, i32) {
    if [Some(EDITED), Some(JOINED)].contains(&case.happening()) { case.scenario.edit.1 } else { case.scenario.goal }
}

/// What no case may do, whether it comes to rest or not: the ledger since counting began, if it is in order.
pub fn harm(rig: &Rig, case: &Case, before: usize) -> Result<Vec<LedgerEntry>, Flaw> {
    let ledger = bought(rig, case, before)?;
    too_many(case, &rig.proxy.records(), &ledger).map_or(Ok(ledger), |why| Err(Flaw::SentTooOften(why)))
}

/// The ledger's oracle: what was bought since counting began, if it is in order.
fn bought(rig: &Rig, case: &Case, before: usize) -> Result<Vec<LedgerEntry>, Flaw> {
    let scenario = &case.scenario;
    let ledger = rig.bitwarden().ledger(&rig.key().id).split_off(before);
    let (least, most) = scenario.between;
    for entry in &ledger {
        for seats in [entry.after.seats, entry.billed_after.seats].into_iter().flatten() {
            if seats > most || seats < least {
                return Err(Flaw::BoughtTwice(format!("{seats} seats, outside of {least} to {most}: {entry:?}")));
            }
        }
    }
    let by_operator = |e: &&LedgerEntry| e.who != Actor::ThirdParty && e.billed_after.seats != e.billed_before.seats;
    let changes = || ledger.iter().filter(by_operator);
    // An edit, and what somebody else undoes, is one change more.
    let more = goal(case).0 != scenario.goal.0 || case.happening() == Some(BY_SOMEBODY);
    // In a window it waits for the next one.
    let more = more && scenario.name != IN_WINDOW;
    if changes().count() > scenario.billings + usize::from(more) {
        return Err(Flaw::BoughtTwice(format!("billing changed {} times", changes().count())));
    }
    // Whatever the end: what was accepted sums to nothing or to what was wanted, and never to something else.
    let foreign = ledger.iter().any(|entry| entry.who == Actor::ThirdParty);
    let seats = |billed: Option<i32>| billed.unwrap_or_default();
    let sum: i32 = changes().map(|e| seats(e.billed_after.seats) - seats(e.billed_before.seats)).sum();
    let wanted = [scenario.goal.0, goal(case).0].map(|goal| goal - base(scenario));
    if !foreign && sum != 0 && !wanted.contains(&sum) {
        return Err(Flaw::BoughtTwice(format!("what was accepted sums to {sum:+} seats, wanted were {wanted:?}")));
    }
    Ok(ledger)
}

/// Somebody else changed the seats once more than is corrected within a day.
fn undone_again_and_again(ledger: &[LedgerEntry]) -> bool {
    ledger.iter().filter(|entry| entry.who == Actor::ThirdParty).count() > CORRECTIONS
}

/// The object lost its record, and declares fewer seats than there are.
pub fn lowers_without_a_record(case: &Case) -> bool {
    let lost = case.happening().is_some_and(|what| [RECREATED, GONE_FOR_A_WHILE, OBJECT_RESTORED].contains(&what));
    lost && goal(case).0 < base(&case.scenario)
}

/// The vendor took a change back, bills it all the same, and the spec was edited to a third number: a difference would rest
/// on one of two numbers that contradict each other.
fn adds_to_another_bill(case: &Case, shown: Option<i32>, billed: Option<i32>) -> bool {
    case.scenario.by_owner && case.scenario.uses_the_repeat && case.happening() == Some(EDITED) && shown != billed
}

/// Seats before anything was counted.
pub fn base(scenario: &Scenario) -> i32 {
    let before = scenario.before.as_ref().and_then(|spec| spec["seats"].as_i64());
    let before = before.and_then(|seats| i32::try_from(seats).ok());
    before.or((scenario.organization)().seats).unwrap_or_default()
}

/// Somebody else changed the seats after a purchase was carried out, and before it was read back: nobody can tell then
/// what became of it. `None`: it happened beside the reading, for members are read at the same time as seats.
fn changed_unseen(rig: &Rig, case: &Case, records: &[Record]) -> Option<bool> {
    let hit = records.get(rig.proxy.hit()? - 1)?;
    let after = matches!(case.fault, Some((_, Action::Meanwhile(Moment::After, _))));
    if hit.hop == Hop::Vendor && hit.method == "GET" && !reads(hit) {
        return None;
    }
    // Twice the number of a request, and one more for what comes after it.
    let happened = 2 * hit.number + usize::from(after);
    let made = records.iter().filter(|record| record.is_purchase() && record.executed == Some(200));
    let mut each = made.map(|purchase| {
        let back = records.iter().find(|record| record.number > purchase.number && reads(record));
        happened > 2 * purchase.number && back.is_some_and(|back| happened <= 2 * back.number)
    });
    Some(each.any(|unseen| unseen))
}

/// Somebody else changed the seats while the outcome of a purchase was open that then was not made.
fn changed_while_open(records: &[Record], ledger: &[LedgerEntry]) -> bool {
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
    let by_vendor = |e: &LedgerEntry| [Actor::Webhook, Actor::Vendor].contains(&e.who);
    let back = ledger.last().is_some_and(|e| by_vendor(e) && e.after.seats != e.billed_after.seats);
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
