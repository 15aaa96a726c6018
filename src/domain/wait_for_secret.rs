//! How long a Secret that is missing or half filled is awaited: it may arrive with its object, as GitOps applies both.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::condition::{find, kind, reason};
use crate::api::LicenseSeatsStatus;

/// A Secret that arrives with its object does so within this long.
const ARRIVES: SignedDuration = SignedDuration::from_mins(2);

/// Whether a reason is of a Secret that is missing or half filled.
pub(super) fn may_arrive(reason: &str) -> bool {
    [reason::SECRET_NOT_FOUND, reason::KEY_MISSING].contains(&reason)
}

/// Whether a Secret that has been awaited since then may still arrive with its object.
pub(super) fn has_time(since: Option<Timestamp>, now: Timestamp) -> bool {
    since.is_some_and(|since| now.duration_since(since) < ARRIVES)
}

/// How long still the Secret of a license key is awaited before a person must act, as a status says it.
pub fn awaits_secret(status: &LicenseSeatsStatus, now: Timestamp) -> Option<Duration> {
    find(&status.conditions, kind::RECONCILING)?;
    let ready = find(&status.conditions, kind::READY).filter(|ready| may_arrive(&ready.reason))?;
    Duration::try_from(ARRIVES.saturating_sub(now.duration_since(ready.last_transition_time.0))).ok()
}
