//! The STATUS column and the conditions of a decision. Called by `report`.

use std::cmp::Ordering;

use jiff::Timestamp;

use super::condition::{ConditionStatus, Conditions, kind, reason};
use super::condition_table::{Going, says};
use super::drift::say_drift;
use super::fault_conditions::{has_time, passes};
use super::keys;
use super::license_validity::validity;
use super::may_bill::checked;
use super::shortage::{Shortage, shortage};
use super::standby::{activates, standing_by};
use super::status_column::{self, Beside};
use super::{Decision, Desired, Hold, LimitGoal, Model, Numbers, Remedy, Snapshot, Verdict};
use crate::api::{CONFIRM, Change, Intent, IntentPhase, LicenseSeatsStatus, MayBill};

/// The inputs of STATUS and the conditions.
pub(super) struct Told<'a> {
    /// The status as it was.
    pub old: &'a LicenseSeatsStatus,
    pub generation: i64,
    pub desired: &'a Desired,
    pub seen: &'a Snapshot,
    pub decision: &'a Decision,
    pub now: Timestamp,
}

/// Sets STATUS and the conditions. `status` has the numbers already.
pub(super) fn decided(status: &mut LicenseSeatsStatus, told: &Told<'_>) {
    let Told { old, generation, desired, seen, decision, now } = *told;
    let vendor = desired.pool.vendor.name;
    let shortage = shortage(desired, seen);
    let short = shortage.as_ref().and_then(|s| s.as_ref().err());
    let step = decision.plan.as_ref().map(|plan| &plan.step);
    let license = validity(vendor, status.license.as_ref(), &desired.expiry, now);
    let late = license.reason == reason::PAST_DUE;
    let beside = Beside { shortage: short, billed: status.billed, may_bill: may_bill(told), late };
    let above = above_ceiling(told).map(|(short, _)| short);
    let change = step.map(status_column::step_in_short);
    let mut phrases = status_column::summary(decision, change.as_deref(), beside);
    phrases.extend(desired.clamp_in_short().into_iter().chain(above));
    let mut conditions = Conditions::over(&old.conditions, generation, now);
    let says = says(&decision.verdict);
    let asked = keys::ready(desired.pool.vendor, seen, decision)
        .unwrap_or_else(|| ready(told, &step.map(status_column::step).unwrap_or_default(), &status.history));
    // A hand-over waits for the reason Standby, so the state of the license is in LicenseValid alone.
    let stands_by = matches!(decision.verdict, Verdict::Standby(_));
    let off = says.ready == ConditionStatus::True && license.status == ConditionStatus::False && !stands_by;
    let said = if off {
        (ConditionStatus::False, reason::EXPIRED, license.message.clone())
    } else {
        (says.ready, says.reason, asked.clone())
    };
    if off {
        phrases = status_column::not_in_force(short);
    }
    status.summary = Some(status_column::column(&phrases));
    let (why, message) = say_ready(&mut conditions, status, told, said);
    say_credentials(&mut conditions, vendor, seen);
    conditions.say(kind::LICENSE_VALID, license.status, license.reason, license.message);
    say_shortage(
        &mut conditions,
        vendor,
        seen,
        shortage.map(|one| with_fix(desired, seen, says.pending.is_some(), one)),
    );
    // A pending change is reported beside every fault.
    if let Some(reason) = says.pending {
        conditions.say(kind::CHANGE_PENDING, ConditionStatus::True, reason, &asked);
    }
    say_drift(&mut conditions, told, &status.history);
    say_going(&mut conditions, says.going, told, (why, &message));
    status.conditions = conditions.done();
}

/// Sets `Reconciling` or `Stalled`, with the reason and the message of `Ready`.
fn say_going(conditions: &mut Conditions<'_>, going: Going, told: &Told<'_>, (why, message): (&'static str, &str)) {
    let Told { seen, decision, now, .. } = *told;
    let may_pass = match why {
        reason::NUMBERS_IN_DOUBT => key_may_recover(conditions, seen, now),
        _ => key_arrives(&decision.verdict) && has_time(conditions.since(kind::READY), now),
    };
    match going {
        // Only a person can renew a license.
        Going::Rests if why == reason::EXPIRED => conditions.say(kind::STALLED, ConditionStatus::True, why, message),
        Going::Rests => {}
        Going::Stalled if !may_pass => conditions.say(kind::STALLED, ConditionStatus::True, why, message),
        Going::On | Going::Stalled => {
            conditions.say(kind::RECONCILING, ConditionStatus::True, reason::PROGRESSING, message)
        }
    }
}

/// The numbers above the installer's ceiling, in a few words and as a sentence.
fn above_ceiling(told: &Told<'_>) -> Option<(String, String)> {
    told.desired.above_ceiling(told.seen.numbers()?)
}

/// Sets `Ready`: the sentence of the decision or of the license, and what the numbers add. Returns the reason and the message.
fn say_ready(
    conditions: &mut Conditions,
    status: &LicenseSeatsStatus,
    told: &Told<'_>,
    (ready, why, mut message): (ConditionStatus, &'static str, String),
) -> (&'static str, String) {
    let vendor = told.desired.pool.vendor.name;
    if let Some(billed) = status.billed {
        let way = if brings(told.decision, &status.history) == Some(billed) {
            ", as many as the change brings".to_owned()
        } else {
            format!(": ask {vendor} to correct one of the two")
        };
        message = format!("{message}; {billed} are billed{way}");
    }
    if let Some(may) = may_bill(told) {
        message = format!(
            "{message}. {vendor} may bill {} seats, which it does not show: check the bill, then annotate {CONFIRM}={}, which \
             sends nothing",
            may.seats,
            checked(may)
        );
    }
    if let Some(size) = told.desired.size_words() {
        message = format!("{message}; {size}");
    }
    if let Some((_, above)) = above_ceiling(told) {
        message = format!("{message}; {above}");
    }
    if let Some(differs) = keys::used_differs(status.license.as_ref(), status.used) {
        message = format!("{message}; {differs}");
    }
    if let Some(odd) = told.seen.keys().and_then(|ring| ring.odd(told.desired.pool.vendor.account)) {
        message = format!("{message}; {odd}");
    }
    if told.decision.verdict == Verdict::InSync {
        message.push_str(&activates(told.decision));
    }
    conditions.say(kind::READY, ready, why, &message);
    (why, message)
}

fn say_credentials(conditions: &mut Conditions, vendor: &str, seen: &Snapshot) {
    match &seen.concern {
        Some(fault) => {
            let (status, why) = match fault.remedy {
                Remedy::Time { .. } => (ConditionStatus::Unknown, fault.reason),
                // The vendor accepts the key and answers no reading with it.
                Remedy::Server { .. } => (ConditionStatus::Unknown, reason::VENDOR_UNREACHABLE),
                _ => (ConditionStatus::False, fault.reason),
            };
            conditions.say(kind::CREDENTIALS_VALID, status, why, &fault.message);
        }
        None => {
            let message = format!("{vendor} accepts the credentials");
            conditions.say(kind::CREDENTIALS_VALID, ConditionStatus::True, reason::AUTHENTICATED, message);
        }
    }
}

/// Whether a key that fails beside the others may recover without a person. While it fails, nothing is lowered.
fn key_may_recover(conditions: &Conditions<'_>, seen: &Snapshot, now: Timestamp) -> bool {
    let fault = seen.concern.as_ref().filter(|fault| !matches!(fault.remedy, Remedy::Server { .. }));
    fault.is_some_and(|fault| passes(fault, conditions, now))
}

/// Whether the Secret of a license key may still arrive with its object.
fn key_arrives(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Lacking(lack) if lack.arrives)
}

/// A shortage with its remedy: what a person can do, or the bound that limits sizing.
fn with_fix(
    desired: &Desired,
    seen: &Snapshot,
    pending: bool,
    shortage: Result<String, Shortage>,
) -> Result<String, Shortage> {
    shortage.map_err(|short| {
        let full = seen.keys().is_some_and(|ring| ring.can_add_user == Some(false));
        let few = [reason::EXHAUSTED, reason::BELOW_THRESHOLD].contains(&short.reason) && !full;
        let message = match desired.clamp_words() {
            Some(clamp) => format!("{}; {clamp}", short.message),
            None if !few => return short,
            None if pending => format!("{}. A change waits: ChangePending has the reason", short.message),
            None if desired.sizing.is_some() => {
                format!("{}. Seatkeeper follows the use, as spec.sizing says", short.message)
            }
            None if seen.keys().is_some() => format!("{}. List another license key, or free seats", short.message),
            None => format!("{}. Raise spec.seats, or free seats at {}", short.message, desired.pool.vendor.name),
        };
        Shortage { message, ..short }
    })
}

/// Sets `SeatShortage`. `None`: the use or the purchased seats are not known.
fn say_shortage(
    conditions: &mut Conditions,
    vendor: &str,
    seen: &Snapshot,
    shortage: Option<Result<String, Shortage>>,
) {
    match shortage {
        None => {
            let (status, reason, message) = match (seen.usage.count(), &seen.model) {
                (None, _) => (
                    ConditionStatus::Unknown,
                    reason::USAGE_NOT_REPORTED,
                    format!("these credentials do not show how many seats are in use at {vendor}"),
                ),
                (Some(used), Model::Uncounted(_)) => (
                    ConditionStatus::False,
                    reason::SEATS_NOT_REPORTED,
                    format!("{used} in use; the server shows no seat count, so none can be short"),
                ),
                (Some(used), _) => (
                    ConditionStatus::Unknown,
                    reason::SEATS_NOT_REPORTED,
                    format!("{used} seats in use; these credentials do not show the purchased seats of {vendor}"),
                ),
            };
            conditions.say(kind::SEAT_SHORTAGE, status, reason, message);
        }
        Some(Ok(message)) => conditions.say(kind::SEAT_SHORTAGE, ConditionStatus::False, reason::SUFFICIENT, message),
        Some(Err(short)) => conditions.say(kind::SEAT_SHORTAGE, ConditionStatus::True, short.reason, short.message),
    }
}

/// The target of a change that is about to be made, or whose outcome is awaited. `history`: recorded changes, newest first.
fn brings(decision: &Decision, history: &[Change]) -> Option<i32> {
    let open = || decision.intent.as_ref().map(|intent| intent.target()).or(history.first().map(Change::target));
    let numbers = match &decision.verdict {
        Verdict::Publish | Verdict::Change(_) | Verdict::Held(_) => Some(decision.plan.as_ref()?.step.target()),
        Verdict::Doubt => open(),
        _ => None,
    };
    numbers.map(|numbers| numbers.seats)
}

/// The number that this account may bill.
fn may_bill<'a>(told: &Told<'a>) -> Option<&'a MayBill> {
    told.decision.may_bill.as_ref().filter(|may| may.account == told.seen.account_key())
}

/// The shown numbers, and 0 where there are none.
pub(super) fn numbers(seen: &Snapshot) -> Numbers {
    seen.numbers().unwrap_or(Numbers { seats: 0, limit: None })
}

/// The message of `Ready`.
fn ready(told: &Told<'_>, change: &str, history: &[Change]) -> String {
    let Told { desired, seen, decision, .. } = *told;
    let (vendor, numbers) = (desired.pool.vendor.name, numbers(seen));
    let intent = decision.intent.as_ref();
    match &decision.verdict {
        Verdict::InSync => format!("{vendor} shows {}", status_column::numbers(numbers)),
        Verdict::Standby(standby) => standing_by(vendor, seen, decision, standby),
        Verdict::Observed(_) if seen.numbers().is_none() => {
            format!("{vendor} shows no number of seats; managementPolicy is Observe")
        }
        Verdict::Observed(_) => {
            format!("{vendor} shows {}; managementPolicy is Observe", status_column::numbers(numbers))
        }
        Verdict::Publish | Verdict::Change(_) => format!("{change} at {vendor}"),
        Verdict::Held(holds) => held(holds, change),
        Verdict::Doubt => {
            let what = match intent {
                Some(i) => {
                    format!("The outcome of the change to {} is not known yet", status_column::numbers(i.target()))
                }
                None if decision.drifted.is_some() => format!(
                    "{vendor} was set back to {} from outside, which it bills too, and Seatkeeper corrects it once",
                    status_column::numbers(numbers)
                ),
                None => format!("{vendor} took the last change back, and may bill it all the same"),
            };
            format!("{what}. No further request is sent until {vendor} has been read again after the settle time")
        }
        Verdict::Rejected => intent.map_or_else(String::new, |intent| refused(vendor, intent)),
        Verdict::NeedsReview => {
            let grows = matches!(desired.limit, LimitGoal::UpTo(_));
            intent.map_or_else(String::new, |i| status_column::review(vendor, i, seen, history, grows))
        }
        Verdict::Conflict => format!(
            "{vendor} was changed from outside again, after Seatkeeper corrected it twice within a day. Seatkeeper stops until \
             spec.seats or spec.limit is edited or a day has passed. Find the source of the changes"
        ),
        Verdict::Lacking(lack) => lack.message.clone(),
        Verdict::Unsupported(why) => why.clone(),
    }
}

/// A change that the vendor refuses: what happened, and what to do.
fn refused(vendor: &str, intent: &Intent) -> String {
    let why = intent
        .refused
        .as_ref()
        .map_or_else(|| format!("and does not say why: {}", perhaps(intent)), |why| format!("because {why}"));
    let comma = if intent.refused.is_some() { "," } else { "" };
    format!(
        "{vendor} refused the change to {}{comma} {why}. Mend that, then edit spec.seats or spec.limit, or annotate {CONFIRM}={} to \
         have it sent again",
        status_column::numbers(intent.target()),
        intent.id
    )
}

/// Causes for which a vendor may refuse a change without an explanation.
fn perhaps(intent: &Intent) -> String {
    let first = match intent.target().seats.cmp(&intent.base().seats) {
        Ordering::Less => "this key may not see every seat in use",
        Ordering::Equal => "the plan may not allow this limit",
        Ordering::Greater => "the plan may not allow this number of seats",
    };
    format!("{first}, the payment or the subscription may be at fault, or a provider may manage the account")
}

fn held(holds: &[Hold], change: &str) -> String {
    let message: Vec<&str> = holds.iter().map(|hold| hold.message.as_str()).collect();
    format!("{change} not made: {}", message.join("; "))
}
