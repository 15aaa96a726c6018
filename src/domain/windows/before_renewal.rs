//! Windows before the renewal: `beforeRenewal` of a window, counted back from the end of the period that the vendor shows.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Opening, Situation};

/// Openings before the renewal that the vendor shows.
pub(super) fn openings(s: &Situation<'_>) -> Vec<Opening> {
    let end = s.seen.license.as_ref().and_then(|license| license.period_end.as_ref()).map(|end| end.0);
    let before = |time: Timestamp, length: Duration| time.checked_sub(SignedDuration::try_from(length).ok()?).ok();
    let renewals = s.desired.adjustment.renewals.iter().filter_map(|renewal| {
        let (opens, closes) = (before(end?, renewal.opens)?, before(end?, renewal.closes)?);
        let local = opens.strftime("%Y-%m-%d %H:%M UTC").to_string();
        Some(Opening { name: renewal.name.clone(), opens, closes, local })
    });
    renewals.collect()
}
