//! Turns a finding into the status that people read and the events that report it. Pure: the same finding over the same
//! old status gives the same bytes, so that a steady state writes nothing.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::agreed_seats::{agreed_for, agreed_seats};
use super::condition::{reason, satisfied_generation};
use super::decision_conditions::{Told, decided};
use super::delayed_reading_message::without_turn;
use super::edited_wish::satisfaction;
use super::events::{Notice, transitions};
use super::fault_conditions::failed;
use super::last_observed_at::last_observed;
use super::standby::unread;
use super::{Decision, Desired, Fault, Remedy, Snapshot, Usage, Verdict, sizing};
use crate::api::{Account, Effective, LicenseSeatsStatus, go_duration};

/// The finding of a pass.
#[derive(Clone, Debug)]
pub enum Finding<'a> {
    /// The vendor was read and a decision was made.
    Decided {
        /// The checked spec.
        desired: &'a Desired,
        /// The reading of the vendor.
        seen: &'a Snapshot,
        /// What follows.
        decision: &'a Decision,
    },
    /// No decision was reached.
    Failed {
        /// Why.
        fault: &'a Fault,
        /// The checked spec, if it could be checked.
        desired: Option<&'a Desired>,
        /// The account, if it is known.
        account: Option<Account>,
        /// The last good reading is too old to rely on (or there was none).
        stale: bool,
    },
}

impl Finding<'_> {
    /// How often the vendor is read, if the spec could be checked.
    pub fn interval(&self) -> Option<Duration> {
        match self {
            Self::Decided { desired, .. } => Some(desired.interval),
            Self::Failed { desired, .. } => desired.map(|desired| desired.interval),
        }
    }
}

/// The new status and its events.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The whole status.
    pub status: LicenseSeatsStatus,
    /// Events, oldest first.
    pub notices: Vec<Notice>,
}

/// Makes the report of one pass from the status that the pass found.
pub fn report(old: &LicenseSeatsStatus, generation: i64, finding: &Finding<'_>, now: Timestamp) -> Report {
    let mut status = old.clone();
    let mut notices = Vec::new();
    let satisfied = satisfied_generation(old);
    match finding {
        Finding::Decided { desired, seen, decision } => {
            status.observed_generation = generation;
            let in_sync = decision.verdict == Verdict::InSync;
            status.satisfied_generation = if in_sync { Some(generation) } else { satisfied };
            if in_sync {
                status.satisfied_wish = Some(satisfaction(desired, &seen.account_key()));
            }
            status.effective = Some(effective(desired));
            observed(&mut status, desired, seen, decision);
            status.last_observed_at = Some(Time(last_observed(old, desired.interval, now)));
            status.plan = decision.plan.clone();
            status.last_plan.clone_from(&decision.last_plan);
            status.next_window.clone_from(&decision.next_window);
            status.intent = decision.intent.clone();
            status.record_of.clone_from(&decision.record_of);
            decided(&mut status, &Told { old, generation, desired, seen, decision, now });
        }
        Finding::Failed { fault, desired, account, stale } => {
            let transient = matches!(fault.remedy, Remedy::Time { .. } | Remedy::Server { lasts: false });
            status.activity = unread(old, *desired, now);
            if transient && !stale {
                // The object had its turn, which brought no numbers.
                return Report { status: without_turn(&status), notices };
            }
            status.satisfied_generation = satisfied;
            if let Some(desired) = desired {
                status.effective = Some(effective(desired));
                if desired.sizing.is_none() {
                    status.desired = desired.seats;
                }
            }
            status.account = account_of(status.account.take(), account.as_ref());
            if !transient {
                if status.observed_generation != generation {
                    // A change that waited before the edit may not leave after its window.
                    status.next_window = None;
                }
                status.observed_generation = generation;
            }
            if fault.remedy == Remedy::Owner && fault.reason == reason::CONFLICT {
                // An object that takes over a pool later has other findings than now.
                status.record_of = None;
            }
            failed(&mut status, old, generation, fault, now);
        }
    }
    transitions(old, &status, &mut notices);
    Report { status, notices }
}

/// The account to record for an object that was not read. An account that was read stays recorded. An id that only a Secret or a
/// spec names is not recorded, because it would count as confirmed by the vendor.
fn account_of(recorded: Option<Account>, named: Option<&Account>) -> Option<Account> {
    match (recorded, named) {
        (Some(recorded), None) => Some(recorded),
        (Some(recorded), Some(named)) if recorded.key().is_some() || named.host.is_none() => Some(recorded),
        (_, named) => named.map(|named| Account { id: None, ..named.clone() }),
    }
}

fn effective(desired: &Desired) -> Effective {
    Effective {
        interval: go_duration(desired.interval),
        product: Some(desired.pool.name.into()),
        max_seats: desired.most_seats().map(|one| one.max).min(),
        max_increase: desired.largest_increase().map(|one| one.max).min(),
    }
}

fn observed(status: &mut LicenseSeatsStatus, desired: &Desired, seen: &Snapshot, decision: &Decision) {
    let in_sync = decision.verdict == Verdict::InSync;
    // An agreement for the former account does not count for another one.
    let agreed = agreed_for(status, &seen.account_key());
    status.agreed_seats = agreed_seats(agreed, desired, seen, decision.verdict.wants_nothing());
    let shown = if in_sync { seen.numbers() } else { None };
    status.sizing = sizing::recorded(desired, status.sizing.take(), shown);
    status.account = Some(seen.account.clone());
    status.desired = desired.seats;
    let numbers = seen.numbers();
    status.seats = numbers.map(|n| n.seats);
    status.used = seen.usage.count();
    status.used_is_lower_bound = match seen.usage {
        Usage::Exact(_) => Some(false),
        Usage::AtLeast(_) => Some(true),
        Usage::NotReported => None,
    };
    status.free = numbers.map(|n| n.seats).zip(seen.usage.count()).map(|(seats, used)| seats.saturating_sub(used));
    status.limit = numbers.and_then(|n| n.limit);
    // If license keys decide, the vendor buys nothing by itself.
    status.limited = numbers.filter(|_| seen.keys().is_none()).map(|n| n.limit.is_some());
    status.billed = seen.billed.filter(|billed| status.seats != Some(*billed));
    status.capabilities.clone_from(&seen.capabilities);
    status.license = decision.license.clone().or_else(|| seen.license.clone());
}
