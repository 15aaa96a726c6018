//! `status.lastObservedAt`: how often the time of the last reading is written if nothing else changes.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::api::LicenseSeatsStatus;

/// The shortest time between two records of when the vendor was read.
const LEAST_STEP: Duration = Duration::from_secs(3600);

/// The time of the last reading, in steps of an hour or of ten intervals. So a reader sees the age of the numbers, and few polls write it.
pub(super) fn last_observed(old: &LicenseSeatsStatus, interval: Duration, now: Timestamp) -> Timestamp {
    let step = SignedDuration::try_from((interval * 10).max(LEAST_STEP)).unwrap_or(SignedDuration::MAX);
    let known = old.last_observed_at.as_ref().map(|time| time.0);
    // A clock that was ahead must not make numbers look fresh.
    known.filter(|known| *known <= now && now.duration_since(*known) < step).unwrap_or(now)
}
