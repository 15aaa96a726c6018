//! `Reconciling` and `Stalled` of a decision: whether work goes on, or a person must act.

use jiff::Timestamp;

use super::condition::{ConditionStatus, Conditions, kind, reason};
use super::decision_conditions::Told;
use super::fault_conditions::passes;
use super::wait_for_secret::has_time;
use super::{Remedy, Snapshot, Verdict};

/// The result of kstatus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Going {
    /// No further change is expected.
    Rests,
    /// Work goes on: `Reconciling`.
    On,
    /// A person must act: `Stalled`.
    Stalled,
}

/// Sets `Reconciling` or `Stalled`, with the reason and the message of `Ready`.
pub(super) fn say_going(
    conditions: &mut Conditions<'_>,
    going: Going,
    told: &Told<'_>,
    (why, message): (&'static str, &str),
) {
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

/// Whether a key that fails beside the other keys may recover without a person. While it fails, nothing is lowered.
fn key_may_recover(conditions: &Conditions<'_>, seen: &Snapshot, now: Timestamp) -> bool {
    let fault = seen.concern.as_ref().filter(|fault| !matches!(fault.remedy, Remedy::Server { .. }));
    fault.is_some_and(|fault| passes(fault, conditions, now))
}

/// Whether the Secret of a license key may still arrive with its object.
fn key_arrives(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Lacking(lack) if lack.arrives)
}
