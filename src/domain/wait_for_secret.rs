//! How long an object waits for a Secret that is missing or incomplete: it may arrive with its object, as GitOps applies both.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::condition::{find, kind, reason};
use crate::api::LicenseSeatsStatus;

/// The longest time in which a Secret arrives with its object.
const ARRIVES: SignedDuration = SignedDuration::from_mins(2);

/// Whether a reason means a missing or incomplete Secret.
pub(super) fn may_arrive(reason: &str) -> bool {
    [reason::SECRET_NOT_FOUND, reason::KEY_MISSING].contains(&reason)
}

/// Whether a Secret may still arrive with its object, which has waited since then.
pub(super) fn has_time(since: Option<Timestamp>, now: Timestamp) -> bool {
    since.is_some_and(|since| now.duration_since(since) < ARRIVES)
}

/// The rest of the wait for the Secret of a license key before a person must act, from a status.
pub fn awaits_secret(status: &LicenseSeatsStatus, now: Timestamp) -> Option<Duration> {
    find(&status.conditions, kind::RECONCILING)?;
    let ready = find(&status.conditions, kind::READY).filter(|ready| may_arrive(&ready.reason))?;
    Duration::try_from(ARRIVES.saturating_sub(now.duration_since(ready.last_transition_time.0))).ok()
}
