//! The judge of a generated life: what it left behind in, and the first bound that it broke out. Pure; a record of a life is
//! enough, so each bound is seen to fail here, on a record that breaks it and no other.

use std::cmp::Ordering;

use jiff::Timestamp;
use vendor_sim::{Actor, LedgerEntry};

use super::Wish;
use crate::mirror::Recorded;

/// A wish as it was written.
#[derive(Clone, Debug)]
pub struct Asked {
    pub seats: i32,
    /// Before it was written, and once it was stored: somewhere between the two it came into force.
    pub begun: Timestamp,
    pub stored: Timestamp,
    /// The change that was open when it was stored: that of an earlier wish.
    pub open: Option<String>,
}

/// How much was sent, and why, until some moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Account {
    pub writes: usize,
    pub causes: usize,
    /// Requests that met a fault.
    pub fired: u64,
}

/// What is on record of the changes of a life.
#[derive(Clone, Debug)]
pub struct Changes {
    pub asked: Vec<Asked>,
    pub recorded: Vec<Recorded>,
    /// The vendor's.
    pub ledger: Vec<LedgerEntry>,
    /// Requests that the vendor got.
    pub writes: usize,
    /// The seats before anything was asked.
    pub at_first: i32,
}

/// Seats and limit.
pub type Numbers = (Option<i32>, Option<i32>);

/// How a life ended.
#[derive(Clone, Debug)]
pub struct End {
    pub wish: Wish,
    /// The condition `Ready`, as status and reason.
    pub ready: String,
    /// What the status says, and what the vendor shows.
    pub said: Numbers,
    pub shown: Numbers,
    pub billed: Option<i32>,
    pub used: Option<i32>,
    /// The rule by which the vendor refused a request last.
    pub refused: Option<&'static str>,
    pub by_owner: bool,
    /// How many faults there were, and how often somebody else changed the vendor.
    pub faults: usize,
    pub others: usize,
}

/// What was sent from one rest to the next had a cause within them, or repeats what met a fault.
pub fn requests(before: Account, now: Account) -> Result<(), String> {
    let (sent, causes, fired) = (now.writes - before.writes, now.causes - before.causes, now.fired - before.fired);
    let most = causes as u64 + fired;
    held(sent as u64 <= most, || format!("{sent} requests for {causes} causes and {fired} faults"))
}

/// At rest with nothing asked, nothing is sent and nothing is billed anew: requests and seats, before and after.
pub fn silence(before: (usize, Option<i32>), after: (usize, Option<i32>)) -> Result<(), String> {
    held(before == after, || format!("it is not silent: {before:?} became {after:?}"))
}

/// At no time more than was asked for in that moment, neither on record nor at the vendor, and nothing without a record.
pub fn changes(life: &Changes) -> Result<(), String> {
    let Changes { recorded, writes, .. } = life;
    held(*writes <= recorded.len(), || format!("{writes} requests, of which {} are recorded", recorded.len()))?;
    recorded.iter().try_for_each(of_its_own_version)?;
    let mut most = life.at_first;
    for entry in &life.ledger {
        if matches!(entry.who, Actor::ThirdParty | Actor::Autoscale | Actor::BillingJob) {
            most = most.max(highest(entry).unwrap_or_default());
        }
        life.check(entry, most)?;
    }
    Ok(())
}

/// A recorded change goes toward what the spec asked for in the version that has the record, and no further.
fn of_its_own_version(change: &Recorded) -> Result<(), String> {
    let Recorded { from, to, asked, still, .. } = change;
    let wished = asked.unwrap_or(*from);
    held(*to <= wished.max(*from), || format!("recorded above the wish of that moment: {change:?}"))?;
    held(*to >= wished.min(*from), || format!("recorded below the wish of that moment: {change:?}"))?;
    held(!still, || format!("recorded while the spec lets nothing be sent: {change:?}"))
}

/// Whether the end is what the last spec says.
pub fn end(end: &End) -> Result<(), String> {
    held(end.is_fair(), || format!("{} at {:?}", end.ready, end.shown))?;
    held(end.said == end.shown, || format!("the status says {:?}, the vendor shows {:?}", end.said, end.shown))?;
    held(end.refused != Some("A9"), || "below the seats in use was asked for".into())
}

fn held(bound: bool, broken: impl FnOnce() -> String) -> Result<(), String> {
    if bound { Ok(()) } else { Err(broken()) }
}

/// Nothing moves, or it moves no further than this.
fn is_within(before: Option<i32>, after: Option<i32>, (least, most): (Option<i32>, Option<i32>)) -> bool {
    match after.cmp(&before) {
        Ordering::Less => least.is_some() && after >= least,
        Ordering::Equal => true,
        Ordering::Greater => after <= most,
    }
}

fn highest(entry: &LedgerEntry) -> Option<i32> {
    entry.after.seats.max(entry.billed_after.seats)
}

impl Changes {
    /// Whether wish `nth` may bring seats at this moment: until the next one is stored, and for as long as the change that was
    /// open then stays open.
    fn is_in_force(&self, nth: usize, at: Timestamp) -> bool {
        let later = &self.asked[nth + 1..];
        let Some(next) = later.first() else { return true };
        let kept = later.iter().take_while(|asked| asked.open.is_some() && asked.open == next.open).count();
        // It is closed when a later wish finds it closed.
        later.get(kept).is_none_or(|closed| at <= closed.stored)
    }

    /// The most seats that the operator may bring at this moment.
    fn bound(&self, at: Timestamp) -> Option<i32> {
        let begun = self.asked.iter().enumerate().filter(|(_, asked)| asked.begun <= at);
        begun.filter(|(nth, _)| self.is_in_force(*nth, at)).map(|(_, asked)| asked.seats).max()
    }

    /// What the operator brings about is what the change says that is on record at this moment, or a part of it.
    fn follows_record(&self, entry: &LedgerEntry) -> Result<(), String> {
        let open = |change: &&Recorded| change.since <= entry.at && change.until.is_none_or(|until| entry.at <= until);
        let open: Vec<i32> = self.recorded.iter().filter(open).map(|change| change.to).collect();
        let (least, most) = (open.iter().min().copied(), open.iter().max().copied());
        let (shown, billed) = (entry.before.seats, entry.billed_before.seats);
        // Billing may follow the number that is shown.
        let within = is_within(shown, entry.after.seats, (least, most))
            && is_within(billed, entry.billed_after.seats, (least.min(shown), most.max(shown)));
        held(within, || format!("beyond the changes on record, to {open:?}: {entry:?}"))
    }

    /// `most`: what others have bought so far.
    fn check(&self, entry: &LedgerEntry, most: i32) -> Result<(), String> {
        let asked = self.asked.iter().filter(|asked| asked.begun <= entry.at).map(|asked| asked.seats).max();
        held(highest(entry) <= asked.max(Some(most)), || format!("above what was ever asked: {entry:?}"))?;
        if !matches!(entry.who, Actor::OrganizationPut | Actor::OwnerWrite | Actor::LateFinisher) {
            return Ok(());
        }
        self.follows_record(entry)?;
        let (bound, before, billed) = (self.bound(entry.at), &entry.before, &entry.billed_before);
        let raised = entry.after.seats.filter(|seats| Some(*seats) > before.seats);
        held(raised <= bound, || format!("above {bound:?}, the wish in force: {entry:?}"))?;
        // Billing may follow the number that is shown.
        let raised = entry.billed_after.seats.filter(|seats| Some(*seats) > billed.seats);
        let within = raised <= bound.max(before.seats);
        held(within, || format!("billed above {bound:?}, the wish in force: {entry:?}"))
    }
}

impl End {
    fn is_fair(&self) -> bool {
        let Self { wish, shown: (seats, limit), .. } = self;
        let limit_kept = match wish.limit {
            None => true,
            Some(None) => limit == seats,
            Some(Some(most)) => *limit == Some(most),
        };
        let within = matches!(wish.limit, Some(Some(most)) if *seats > Some(wish.seats) && *seats <= Some(most));
        match self.ready.as_str() {
            "True/InSync" => !wish.observe && limit_kept && (*seats == Some(wish.seats) || within),
            "True/Observed" => wish.observe,
            // What the vendor bought by itself may be more than the spec keeps of it.
            "True/Suspended" => wish.suspend && !wish.observe && !(limit_kept && *seats == Some(wish.seats)),
            // Below the seats in use.
            "False/GuardrailViolated" => self.used > Some(wish.seats),
            // Down from above the limit, which may be wrong. A difference rests on numbers that agree.
            "False/NumbersInDoubt" => {
                let contradicts = self.by_owner && self.billed != *seats;
                self.used > *seats || limit < seats || contradicts
            }
            // A new object lowers nothing before a person agrees, and nobody does here.
            "False/FirstSight" => *seats > Some(wish.seats),
            // Above a limit that is left alone, or refused twice.
            "False/VendorRejected" => (wish.limit.is_none() && *limit < Some(wish.seats)) || self.faults > 0,
            "False/NeedsReview" => self.faults > 0 || (self.by_owner && self.others > 0),
            "False/Conflict" => self.others > 2,
            _ => false,
        }
    }
}

mod tests;
