//! One case: a scenario, the number of a request, and what happens to it. Played, then judged.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use fault_proxy::{Action, Hop, Place, Record};
use seatkeeper::api::LicenseSeatsStatus;

use crate::actions::Crew;
use crate::rig::{Ground, PATIENCE, Rig};
use crate::scenario::Scenario;

/// So many polls without a write are silence.
pub static SILENCE: AtomicUsize = AtomicUsize::new(3);

/// A request's number and what happens to it.
#[derive(Clone, Debug)]
pub struct Case {
    pub scenario: Scenario,
    /// `None`: the reference.
    pub fault: Option<(usize, Action)>,
    /// Names the action; the key of the table.
    pub action: String,
    pub kind: &'static str,
    pub crew: Crew,
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let k = self.fault.as_ref().map_or(0, |(k, _)| *k);
        write!(f, "{}/{k}/{}", self.scenario.name, self.action)
    }
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum End {
    InSync,
    Rejected,
    NeedsReview,
}

/// What was seen.
pub struct Played {
    pub end: End,
    pub records: Vec<Record>,
    pub puts: usize,
    pub log: String,
}

/// What must not have happened.
#[derive(Debug)]
pub struct Broken {
    /// The ledger's oracle, the worst of all.
    pub bought_twice: bool,
    pub why: String,
    pub story: String,
}

fn ended(status: &LicenseSeatsStatus) -> Option<End> {
    let ready = status.conditions.iter().find(|condition| condition.type_ == "Ready")?;
    match ready.reason.as_str() {
        "InSync" if status.intent.is_none() => Some(End::InSync),
        "VendorRejected" => Some(End::Rejected),
        "NeedsReview" => Some(End::NeedsReview),
        _ => None,
    }
}

fn writes(records: &[Record]) -> usize {
    records.iter().filter(|record| record.is_purchase() || record.is_record()).count()
}

fn polls(records: &[Record]) -> usize {
    let poll = |r: &&Record| r.hop == Hop::Vendor && r.method == "GET" && r.path.ends_with("/subscription");
    records.iter().filter(poll).count()
}

/// Plays a case to its end and judges it; `puts`: how many purchases the reference took.
pub async fn play(ground: &Ground, case: &Case, puts: Option<usize>) -> Result<Played, Broken> {
    let rig = Rig::new(ground, &case.scenario, case.crew.clone()).await;
    let result = act(&rig, case).await.and_then(|(end, before)| judge(&rig, case, end, before, puts));
    result.map_err(|(bought_twice, why)| {
        let records: Vec<String> = rig.proxy.records().iter().map(ToString::to_string).collect();
        let log = rig.log();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(40)..].join("\n");
        let ledger: Vec<String> = rig
            .bitwarden()
            .ledger(&rig.key.id)
            .iter()
            .map(|e| {
                let (shown, billed) = (e.after.seats, e.billed_after.seats);
                format!("{:?} {:?} shown {shown:?} billed {billed:?} request {:?}", e.who, e.step, e.request)
            })
            .collect();
        let story = format!("{}\nledger:\n{}\nlog:\n{tail}", records.join("\n"), ledger.join("\n"));
        Broken { bought_twice, why, story }
    })
}

type Flaw = (bool, String);

/// The end, and how long the ledger was before anything was counted.
async fn act(rig: &Rig, case: &Case) -> Result<(End, usize), Flaw> {
    let scenario = &case.scenario;
    if let Some(before) = &scenario.before {
        rig.declare(before).await;
        silent(rig, PATIENCE, 0).await.map_err(|why| (false, format!("before anything was broken: {why}")))?;
        rig.proxy.hold().await;
    }
    (scenario.vendor)(&rig.bitwarden());
    let before = rig.bitwarden().ledger(&rig.key.id).len();
    rig.proxy.arm(case.fault.clone());
    if scenario.before.is_some() {
        rig.edit(&scenario.spec).await;
        rig.proxy.release();
    } else {
        rig.declare(&scenario.spec).await;
    }
    let end = silent(rig, PATIENCE, SILENCE.load(Ordering::Relaxed)).await;
    end.map(|end| (end, before)).map_err(|why| (false, why))
}

/// Waits until the status tells an end and so many polls go by without any write; a write in between begins anew.
async fn silent(rig: &Rig, patience: Duration, wanted: usize) -> Result<End, String> {
    let deadline = Instant::now() + patience;
    let mut since: Option<(End, usize, usize)> = None;
    loop {
        let status = rig.status().await;
        let records = rig.proxy.records();
        let end = status.as_ref().and_then(ended);
        since = match (end, since) {
            (None, _) => None,
            (Some(end), Some((was, written, polled))) if was == end && written == writes(&records) => {
                if polls(&records) >= polled + wanted {
                    return Ok(end);
                }
                since
            }
            (Some(end), _) => Some((end, writes(&records), polls(&records))),
        };
        if Instant::now() > deadline {
            let status = serde_json::to_string(&status).unwrap_or_default();
            return Err(format!("neither in sync nor told nor silent after {patience:?}; status: {status}"));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn judge(rig: &Rig, case: &Case, end: End, before: usize, reference: Option<usize>) -> Result<Played, Flaw> {
    let scenario = &case.scenario;
    let flaw = |why: String| Err((false, why));
    let ledger = rig.bitwarden().ledger(&rig.key.id).split_off(before);
    let (least, most) = scenario.between;
    for entry in &ledger {
        for seats in [entry.after.seats, entry.billed_after.seats].into_iter().flatten() {
            if seats > most || seats < least {
                return Err((true, format!("{seats} seats, outside of {least} to {most}: {entry:?}")));
            }
        }
    }
    let records = rig.proxy.records();
    let by_operator = |e: &&vendor_sim::LedgerEntry| {
        e.who != vendor_sim::Actor::ThirdParty && e.billed_after.seats != e.billed_before.seats
    };
    let billed = ledger.iter().filter(by_operator).count();
    if billed > scenario.billings {
        return Err((true, format!("billing changed {billed} times")));
    }
    let puts = records.iter().filter(|record| record.is_purchase()).count();
    if reference.is_some_and(|reference| puts > reference + 2) {
        return flaw(format!("{puts} purchases were sent, the reference took {reference:?}"));
    }
    if case.fault.is_some() && !rig.proxy.fired() {
        return flaw("the action was never taken: the request did not come".into());
    }
    if rig.log().contains("panicked") {
        return flaw("the operator panicked".into());
    }
    if rig.ended_alone() > 0 {
        return flaw("the operator ended by itself".into());
    }
    let ambiguous = ambiguous(&records, &ledger);
    let in_order = if end == End::NeedsReview { ambiguous || taken_back(&ledger) } else { !ambiguous };
    if !in_order {
        return flaw(format!("ambiguous: {ambiguous}, but it ended {end:?}"));
    }
    let organization = rig.bitwarden().organization(&rig.key.id);
    let is = (organization.seats, organization.limit, organization.billed.seats);
    let (seats, limit) = scenario.goal;
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

/// Somebody else changed the seats while the outcome of a purchase was open that then was not made.
fn ambiguous(records: &[Record], ledger: &[vendor_sim::LedgerEntry]) -> bool {
    let foreign = ledger.iter().any(|entry| entry.who == vendor_sim::Actor::ThirdParty);
    let first = records.iter().find(|record| record.is_purchase());
    let open = first.is_some_and(|record| {
        let made = record.executed == Some(200);
        let refused = matches!(record.answered, Some(401 | 403 | 429));
        !made && !refused
    });
    foreign && open
}

/// The vendor has put the old number back after the one repeat, so shown and billed differ, and a person is asked.
fn taken_back(ledger: &[vendor_sim::LedgerEntry]) -> bool {
    ledger
        .last()
        .is_some_and(|last| last.who == vendor_sim::Actor::Webhook && last.after.seats != last.billed_after.seats)
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

/// For the table.
pub fn named(place: Place) -> &'static str {
    match place {
        Place::Before => "before forwarding",
        Place::Underway => "while it runs, Lease deleted",
        Place::Withheld => "after forwarding, answer withheld",
        Place::Answered => "after the answer",
    }
}
