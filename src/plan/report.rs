//! Turns a finding into the status that people read and the events that tell them. Pure: the same finding over the same
//! old status gives the same bytes, so that a steady state writes nothing.

use jiff::Timestamp;

use super::condition::{Conditions, Is, kind, reason, satisfied_generation};
use super::failed::failed;
use super::keys;
use super::license::validity;
use super::notice::{Notice, transitions};
use super::shortage::shortage;
use super::summary;
use super::table::{Going, says};
use super::wish::satisfaction;
use super::{Decision, Desired, Fault, Hold, Numbers, Remedy, Snapshot, Usage, Verdict};
use crate::api::{Account, CONFIRM, Change, Effective, LicenseSeatsStatus, go_duration};

/// What a pass found out.
#[derive(Clone, Debug)]
pub enum Finding<'a> {
    /// The vendor was read and a decision was made.
    Decided {
        /// The checked spec.
        desired: &'a Desired,
        /// What the vendor shows.
        seen: &'a Snapshot,
        /// What follows.
        decision: &'a Decision,
    },
    /// It did not come to that.
    Failed {
        /// Why.
        fault: &'a Fault,
        /// The checked spec, if it could be checked.
        desired: Option<&'a Desired>,
        /// The account, as far as it is known.
        account: Option<Account>,
        /// The last good reading is too old to stand on (or there was none).
        stale: bool,
    },
}

/// The new status and what to tell.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The whole status.
    pub status: LicenseSeatsStatus,
    /// Events, oldest first.
    pub notices: Vec<Notice>,
}

/// Makes the report of one pass over the status it found.
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
            status.plan = decision.plan.clone();
            status.intent = decision.intent.clone();
            status.record_of.clone_from(&decision.record_of);
            decided(&mut status, old, generation, desired, seen, decision, now);
        }
        Finding::Failed { fault, desired, account, stale } => {
            let transient = matches!(fault.remedy, Remedy::Time { .. });
            if transient && !stale {
                return Report { status, notices };
            }
            status.satisfied_generation = satisfied;
            if let Some(desired) = desired {
                status.effective = Some(effective(desired));
                status.desired = desired.seats;
            }
            status.account = account_of(status.account.take(), account.as_ref());
            if !transient {
                status.observed_generation = generation;
            }
            if fault.remedy == Remedy::Owner && fault.reason == reason::CONFLICT {
                // What it takes over later is not what it knows now.
                status.record_of = None;
            }
            failed(&mut status, old, generation, fault, now);
        }
    }
    transitions(old, &status, &mut notices);
    Report { status, notices }
}

/// The account that is recorded of an object that was not read. What was read stays recorded; an id that only a Secret or a
/// spec names is none, for it would count as confirmed by the vendor.
fn account_of(recorded: Option<Account>, named: Option<&Account>) -> Option<Account> {
    match (recorded, named) {
        (Some(recorded), None) => Some(recorded),
        (Some(recorded), Some(named)) if recorded.key().is_some() || named.host.is_none() => Some(recorded),
        (_, named) => named.map(|named| Account { id: None, ..named.clone() }),
    }
}

fn effective(desired: &Desired) -> Effective {
    Effective { interval: go_duration(desired.interval) }
}

fn observed(status: &mut LicenseSeatsStatus, desired: &Desired, seen: &Snapshot, decision: &Decision) {
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
    // Where licence keys decide, nobody buys by himself.
    status.limited = numbers.filter(|_| seen.keys().is_none()).map(|n| n.limit.is_some());
    status.billed = seen.billed.filter(|billed| status.seats != Some(*billed));
    status.capabilities.clone_from(&seen.capabilities);
    status.license = decision.license.clone().or_else(|| seen.license.clone());
}

fn decided(
    status: &mut LicenseSeatsStatus,
    old: &LicenseSeatsStatus,
    generation: i64,
    desired: &Desired,
    seen: &Snapshot,
    decision: &Decision,
    now: Timestamp,
) {
    let vendor = desired.pool.vendor.name;
    let numbers = seen.numbers().unwrap_or(Numbers { seats: 0, limit: None });
    let shortage = shortage(desired, seen);
    let short = shortage.as_ref().and_then(|s| s.as_ref().err());
    let change = decision.plan.as_ref().map(|plan| {
        keys::step_words(&plan.step).unwrap_or_else(|| summary::change(plan.step.base(), plan.step.target()))
    });
    status.summary = Some(summary::summary(decision, change.as_deref(), short));
    let change = change.unwrap_or_default();

    let mut conditions = Conditions::over(&old.conditions, generation, now);
    let license = validity(vendor, status.license.as_ref(), &desired.expiry, now);
    let says = says(&decision.verdict);
    let (mut is, mut why) = (says.ready, says.reason);
    let mut message = keys::ready(desired.pool.vendor, seen, decision)
        .unwrap_or_else(|| ready(vendor, numbers, decision, &change, &status.history));
    // A change that waits is told whatever else is wrong.
    let pending = message.clone();
    if is == Is::True && license.is == Is::False {
        (is, why, message) = (Is::False, reason::EXPIRED, license.message.clone());
        status.summary = Some("licence not in force".into());
    }
    if let Some(billed) = status.billed {
        message = format!("{message}; {billed} are billed: ask {vendor} to correct one of the two");
    }
    if let Some(differs) = keys::used_differs(status.license.as_ref(), status.used) {
        message = format!("{message}; {differs}");
    }
    conditions.say(kind::READY, is, why, &message);
    match &seen.concern {
        Some(fault) => {
            let is = if matches!(fault.remedy, Remedy::Time { .. }) { Is::Unknown } else { Is::False };
            conditions.say(kind::CREDENTIALS_VALID, is, fault.reason, &fault.message);
        }
        None => {
            let message = format!("{vendor} accepts the credentials");
            conditions.say(kind::CREDENTIALS_VALID, Is::True, reason::AUTHENTICATED, message);
        }
    }
    conditions.say(kind::LICENSE_VALID, license.is, license.reason, license.message);
    match shortage {
        None => {
            let message = format!("these credentials do not show how many seats are in use at {vendor}");
            conditions.say(kind::SEAT_SHORTAGE, Is::Unknown, reason::USAGE_NOT_REPORTED, message);
        }
        Some(Ok(message)) => conditions.say(kind::SEAT_SHORTAGE, Is::False, reason::SUFFICIENT, message),
        Some(Err(short)) => conditions.say(kind::SEAT_SHORTAGE, Is::True, short.reason, short.message),
    }
    if let Some(reason) = says.pending {
        conditions.say(kind::CHANGE_PENDING, Is::True, reason, &pending);
    }
    if let Some(lost) = &decision.lost {
        conditions.say(kind::DRIFTED, Is::True, reason::EXTERNAL_CHANGE, format!("{lost} at {vendor}"));
    }
    if let Some(set) = decision.drifted {
        let (before, shown) = (summary::numbers(set), summary::numbers(numbers));
        let message = if status.history.first().is_some_and(|last| last.step.target() == set) {
            format!("somebody else changed {vendor}: Seatkeeper last set {before}, now it shows {shown}")
        } else {
            format!("somebody else changed {vendor}: it showed {before} as declared, now it shows {shown}")
        };
        conditions.say(kind::DRIFTED, Is::True, reason::EXTERNAL_CHANGE, message);
    }
    match says.going {
        Going::Rests => {}
        Going::On => conditions.say(kind::RECONCILING, Is::True, reason::PROGRESSING, &message),
        Going::Stalled => conditions.say(kind::STALLED, Is::True, why, &message),
    }
    status.conditions = conditions.done();
}

/// The message of `Ready`.
fn ready(vendor: &str, numbers: Numbers, decision: &Decision, change: &str, history: &[Change]) -> String {
    let intent = decision.intent.as_ref();
    match &decision.verdict {
        Verdict::InSync => format!("{vendor} shows {}", summary::numbers(numbers)),
        Verdict::Observed(_) => format!("{vendor} shows {}; managementPolicy is Observe", summary::numbers(numbers)),
        Verdict::Publish | Verdict::Change(_) => format!("{change} at {vendor}"),
        Verdict::Held(holds) => held(holds, change),
        Verdict::Doubt => {
            let what = intent.map_or_else(
                || format!("{vendor} took the last change back"),
                |i| format!("a change to {} was sent or may have been sent", summary::numbers(i.target())),
            );
            format!("{what}; nothing is sent until {vendor} was read again after the settle time")
        }
        Verdict::Rejected => {
            let wanted = intent.map_or_else(String::new, |i| format!(" to {}", summary::numbers(i.target())));
            let why = intent.and_then(|i| i.refused.as_ref()).map_or_else(
                || {
                    format!(
                        "{vendor} refused the change{wanted} and does not say why: more seats may be in use than this key can \
                         see, the payment method or subscription may be missing or inactive, or a provider manages the account"
                    )
                },
                |why| format!("{vendor} refused the change{wanted}, because {why}"),
            );
            let confirm = intent.map_or_else(String::new, |i| format!(", or with annotation {CONFIRM}={}", i.id));
            format!(
                "{why}. Seatkeeper sends it again when you edit spec.seats or spec.limit, when seats, limit or use at {vendor} \
                 change{confirm}"
            )
        }
        Verdict::NeedsReview => intent.map_or_else(String::new, |i| summary::review(vendor, i, numbers, history)),
        Verdict::Conflict => format!(
            "{vendor} was changed from outside and corrected twice within a day, and is changed again: find out who \
             changes it; Seatkeeper stops until spec.seats or spec.limit is edited or a day has passed"
        ),
        Verdict::Lacking(lack) => lack.message.clone(),
        Verdict::Unsupported(why) => why.clone(),
    }
}

fn held(holds: &[Hold], change: &str) -> String {
    let message: Vec<&str> = holds.iter().map(|hold| hold.message.as_str()).collect();
    format!("{change} not made: {}", message.join("; "))
}
