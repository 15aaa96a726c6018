//! The STATUS column and the conditions of a decision. Called by `report`.

use jiff::Timestamp;

use super::condition::{ConditionStatus, Conditions, kind, reason};

use super::drift::say_drift;
use super::keys;
use super::license_validity::validity;
use super::ready_message::{ready, say_ready};
use super::ready_reason::says;
use super::reconciling_and_stalled::say_going;
use super::shortage::{say_shortage, shortage, with_fix};
use super::status_column::{self, Beside};
use super::{Decision, Desired, Numbers, Remedy, Snapshot, Verdict};
use crate::api::{LicenseSeatsStatus, MayBill};

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
    // A hand-over waits for the reason Standby, so the state of the license is in LicenseValid alone.
    let stands_by = matches!(decision.verdict, Verdict::Standby(_));
    let beside = Beside {
        off: license.status == ConditionStatus::False && !stands_by,
        shortage: short,
        billed: status.billed,
        may_bill: may_bill(told),
        late,
    };
    let above = above_ceiling(told).map(|(short, _)| short);
    let change = step.map(status_column::step_in_short);
    let mut phrases = status_column::summary(decision, change.as_deref(), beside);
    // Nothing is wanted now, and nothing will be made of what is wanted next.
    let idle = (desired.suspended && decision.verdict == Verdict::InSync).then(|| "suspended".to_owned());
    phrases.extend(desired.clamp_in_short().into_iter().chain(above).chain(idle));
    let mut conditions = Conditions::over(&old.conditions, generation, now);
    let says = says(&decision.verdict);
    let asked = keys::ready(desired.pool.vendor, seen, decision)
        .unwrap_or_else(|| ready(told, &step.map(status_column::step).unwrap_or_default(), &status.history));
    let off = says.ready == ConditionStatus::True && license.status == ConditionStatus::False && !stands_by;
    let said = if off {
        (ConditionStatus::False, reason::EXPIRED, license.message.clone())
    } else {
        (says.ready, says.reason, asked.clone())
    };
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

/// The numbers above the installer's ceiling, in a few words and as a sentence.
pub(super) fn above_ceiling(told: &Told<'_>) -> Option<(String, String)> {
    told.desired.above_ceiling(told.seen.numbers()?)
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

/// The number that this account may bill.
pub(super) fn may_bill<'a>(told: &Told<'a>) -> Option<&'a MayBill> {
    told.decision.may_bill.as_ref().filter(|may| may.account == told.seen.account_key())
}

/// The shown numbers, and 0 where there are none.
pub(super) fn numbers(seen: &Snapshot) -> Numbers {
    seen.numbers().unwrap_or(Numbers { seats: 0, limit: None })
}
