//! The conditions of a pass that reached no decision, by remedy. Called by `report`.

use jiff::Timestamp;

use super::condition::{ConditionStatus, Conditions, kind, reason};
use super::wait_for_secret::{has_time, may_arrive};
use super::{Fault, Remedy};
use crate::api::LicenseSeatsStatus;

pub(super) fn failed(
    status: &mut LicenseSeatsStatus,
    old: &LicenseSeatsStatus,
    generation: i64,
    fault: &Fault,
    now: Timestamp,
) {
    status.summary = Some(fault.summary.clone());
    let mut conditions = Conditions::over(&old.conditions, generation, now);
    match fault.remedy {
        Remedy::Spec | Remedy::Owner | Remedy::Cluster => {
            conditions.say(kind::READY, ConditionStatus::False, fault.reason, &fault.message);
            match fault.remedy {
                // The operator can read the Secrets, and does not ask the vendor about them: an earlier fault may have ended.
                Remedy::Owner => conditions.keep_true(kind::CREDENTIALS_VALID),
                _ => conditions.keep(kind::CREDENTIALS_VALID),
            }
        }
        Remedy::Unsupported => {
            conditions.say(kind::READY, ConditionStatus::False, reason::UNSUPPORTED_BY_VENDOR, &fault.message);
            accepts(&mut conditions);
        }
        Remedy::Server { lasts } => {
            let (status, why) = match lasts {
                true => (ConditionStatus::False, reason::UNSUPPORTED_BY_VENDOR),
                false => (ConditionStatus::Unknown, reason::OBSERVATION_STALE),
            };
            conditions.say(kind::READY, status, why, &fault.message);
            accepts(&mut conditions);
        }
        Remedy::Credentials => {
            conditions.say(kind::READY, ConditionStatus::False, reason::CREDENTIALS_INVALID, &fault.message);
            conditions.say(kind::CREDENTIALS_VALID, ConditionStatus::False, fault.reason, &fault.message);
        }
        Remedy::Time { .. } => {
            conditions.say(kind::READY, ConditionStatus::Unknown, reason::OBSERVATION_STALE, &fault.message);
            conditions.say(kind::CREDENTIALS_VALID, ConditionStatus::Unknown, fault.reason, &fault.message);
        }
    }
    conditions.keep(kind::LICENSE_VALID);
    conditions.keep(kind::SEAT_SHORTAGE);
    conditions.keep(kind::CHANGE_PENDING);
    conditions.keep(kind::DRIFTED);
    if passes(fault, &conditions, now) {
        conditions.say(kind::RECONCILING, ConditionStatus::True, reason::PROGRESSING, &fault.message);
    } else {
        conditions.say(kind::STALLED, ConditionStatus::True, fault.reason, &fault.message);
    }
    status.conditions = conditions.done();
}

/// The credentials are not at fault.
fn accepts(conditions: &mut Conditions<'_>) {
    let words = "the credentials are accepted";
    conditions.say(kind::CREDENTIALS_VALID, ConditionStatus::True, reason::AUTHENTICATED, words);
}

/// Whether a fault may end by itself. A Secret that is still missing or incomplete is normal at a GitOps start. Every other fault
/// waits for a person. `conditions` say `CredentialsValid` already.
pub(super) fn passes(fault: &Fault, conditions: &Conditions<'_>, now: Timestamp) -> bool {
    fault.remedy.may_pass() || (may_arrive(fault.reason) && has_time(conditions.since(kind::CREDENTIALS_VALID), now))
}
