//! What is said of a decision: the STATUS column and the conditions. Called by `report`.

use std::cmp::Ordering;

use jiff::Timestamp;

use super::condition::{Conditions, Is, kind, reason};
use super::keys;
use super::license::{Validity, validity};
use super::shortage::{Shortage, shortage};
use super::summary;
use super::table::{Going, says};
use super::{Decision, Desired, Hold, Numbers, Remedy, Snapshot, Verdict};
use crate::api::{CONFIRM, Change, Intent, LicenseSeatsStatus, MayBill, RECONCILE_REQUESTED_AT};

/// What the words are made of.
pub(super) struct Told<'a> {
    /// The status as it was.
    pub old: &'a LicenseSeatsStatus,
    pub generation: i64,
    pub desired: &'a Desired,
    pub seen: &'a Snapshot,
    pub decision: &'a Decision,
    pub now: Timestamp,
}

/// Says it. `status` has the numbers already.
pub(super) fn decided(status: &mut LicenseSeatsStatus, told: &Told<'_>) {
    let Told { old, generation, desired, seen, decision, now } = *told;
    let vendor = desired.pool.vendor.name;
    let shortage = shortage(desired, seen);
    let short = shortage.as_ref().and_then(|s| s.as_ref().err());
    let change = decision.plan.as_ref().map(|plan| {
        keys::step_words(&plan.step).unwrap_or_else(|| summary::change(plan.step.base(), plan.step.target()))
    });
    status.summary = Some(summary::summary(decision, change.as_deref(), short, may_bill(told)));
    let license = validity(vendor, status.license.as_ref(), &desired.expiry, now);
    let mut conditions = Conditions::over(&old.conditions, generation, now);
    let says = says(&decision.verdict);
    let asked = keys::ready(desired.pool.vendor, seen, decision)
        .unwrap_or_else(|| ready(vendor, numbers(seen), decision, &change.unwrap_or_default(), &status.history));
    let (why, message) = say_ready(&mut conditions, status, told, (says.ready, says.reason, asked.clone()), &license);
    say_credentials(&mut conditions, vendor, seen);
    conditions.say(kind::LICENSE_VALID, license.is, license.reason, license.message);
    say_shortage(&mut conditions, vendor, shortage);
    // A change that waits is told whatever else is wrong.
    if let Some(reason) = says.pending {
        conditions.say(kind::CHANGE_PENDING, Is::True, reason, &asked);
    }
    say_drift(&mut conditions, told, &status.history);
    match says.going {
        Going::Rests => {}
        Going::On => conditions.say(kind::RECONCILING, Is::True, reason::PROGRESSING, &message),
        Going::Stalled => conditions.say(kind::STALLED, Is::True, why, &message),
    }
    status.conditions = conditions.done();
}

/// Says `Ready`: what the decision says, and what the license and the numbers add. Returns the reason and the message.
fn say_ready(
    conditions: &mut Conditions,
    status: &mut LicenseSeatsStatus,
    told: &Told<'_>,
    (mut is, mut why, mut message): (Is, &'static str, String),
    license: &Validity,
) -> (&'static str, String) {
    let vendor = told.desired.pool.vendor.name;
    if is == Is::True && license.is == Is::False {
        (is, why, message) = (Is::False, reason::EXPIRED, license.message.clone());
        status.summary = Some("license not in force".into());
    }
    if let Some(billed) = status.billed {
        message = format!("{message}; {billed} are billed: ask {vendor} to correct one of the two");
    }
    if let Some(may) = may_bill(told) {
        message = format!(
            "{message}. {vendor} may bill {} seats: a change to them was sent, and {vendor} does not show it. Check the \
             bill. Then annotate {CONFIRM}={}",
            may.seats, may.id
        );
    }
    if let Some(differs) = keys::used_differs(status.license.as_ref(), status.used) {
        message = format!("{message}; {differs}");
    }
    conditions.say(kind::READY, is, why, &message);
    (why, message)
}

fn say_credentials(conditions: &mut Conditions, vendor: &str, seen: &Snapshot) {
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
}

/// `None`: the use is not known.
fn say_shortage(conditions: &mut Conditions, vendor: &str, shortage: Option<Result<String, Shortage>>) {
    match shortage {
        None => {
            let message = format!("these credentials do not show how many seats are in use at {vendor}");
            conditions.say(kind::SEAT_SHORTAGE, Is::Unknown, reason::USAGE_NOT_REPORTED, message);
        }
        Some(Ok(message)) => conditions.say(kind::SEAT_SHORTAGE, Is::False, reason::SUFFICIENT, message),
        Some(Err(short)) => conditions.say(kind::SEAT_SHORTAGE, Is::True, short.reason, short.message),
    }
}

/// `history`: recorded changes, newest first.
fn say_drift(conditions: &mut Conditions, told: &Told<'_>, history: &[Change]) {
    let Told { desired, seen, decision, .. } = *told;
    let vendor = desired.pool.vendor.name;
    if let Some(lost) = &decision.lost {
        conditions.say(kind::DRIFTED, Is::True, reason::EXTERNAL_CHANGE, format!("{lost} at {vendor}"));
    }
    if let Some(set) = decision.drifted {
        let (before, shown) = (summary::numbers(set), summary::numbers(numbers(seen)));
        let message = if history.first().is_some_and(|last| last.step.target() == set) {
            format!("somebody else changed {vendor}: Seatkeeper last set {before}, now it shows {shown}")
        } else {
            format!("somebody else changed {vendor}: it showed {before} as declared, now it shows {shown}")
        };
        conditions.say(kind::DRIFTED, Is::True, reason::EXTERNAL_CHANGE, message);
    }
}

/// What this account may bill.
fn may_bill<'a>(told: &Told<'a>) -> Option<&'a MayBill> {
    told.decision.may_bill.as_ref().filter(|may| may.account == told.seen.account_key())
}

fn numbers(seen: &Snapshot) -> Numbers {
    seen.numbers().unwrap_or(Numbers { seats: 0, limit: None })
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
                || format!("{vendor} took the last change back, and may bill it all the same"),
                |i| format!("a change to {} was sent or may have been sent", summary::numbers(i.target())),
            );
            format!("{what}; nothing is sent until {vendor} was read again after the settle time")
        }
        Verdict::Rejected => {
            let wanted = intent.map_or_else(String::new, |i| format!(" to {}", summary::numbers(i.target())));
            let why = intent.and_then(|i| i.refused.as_ref()).map_or_else(
                || format!("{vendor} refused the change{wanted} and does not say why: {}", perhaps(intent)),
                |why| format!("{vendor} refused the change{wanted}, because {why}"),
            );
            let confirm = intent.map_or_else(String::new, |i| format!(", or with annotation {CONFIRM}={}", i.id));
            format!(
                "{why}. Seatkeeper sends it again when you edit spec.seats or spec.limit, when seats or limit at {vendor} change, \
                 when fewer seats are in use, when a Secret changes, once for each new value of annotation \
                 {RECONCILE_REQUESTED_AT}{confirm}"
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

/// What a vendor may refuse a change for without saying so.
fn perhaps(intent: Option<&Intent>) -> String {
    let first = match intent.map(|intent| intent.target().seats.cmp(&intent.base().seats)) {
        Some(Ordering::Less) => "more seats may be in use than this key can see, the plan may include more",
        Some(Ordering::Equal) => "the plan may not allow this limit",
        Some(Ordering::Greater) | None => "the plan may not allow this number of seats",
    };
    format!(
        "{first}, the payment method may be missing or refused, the subscription may be missing or inactive, or a provider manages \
         the account"
    )
}

fn held(holds: &[Hold], change: &str) -> String {
    let message: Vec<&str> = holds.iter().map(|hold| hold.message.as_str()).collect();
    format!("{change} not made: {}", message.join("; "))
}
