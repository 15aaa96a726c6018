//! `SeatShortage`: compares the free seats with the thresholds, and says what to do.

use super::condition::{ConditionStatus, Conditions, kind, reason};
use super::{Desired, Differences, Model, Snapshot};

/// A shortage of seats.
pub(super) struct Shortage {
    pub reason: &'static str,
    /// The words for the STATUS column.
    pub short: String,
    pub message: String,
}

/// Compares the seats with the thresholds: `Err` is a shortage.
pub(super) fn shortage(desired: &Desired, seen: &Snapshot) -> Option<Result<String, Shortage>> {
    let (numbers, used) = seen.numbers().zip(seen.usage.count())?;
    let free = numbers.seats.saturating_sub(used);
    let short = |reason, short: String| Some(Err(Shortage { reason, message: short.clone(), short }));
    if free < 0 {
        let taken = format!("{used} of {} seats in use", numbers.seats);
        // The gate of contradicting numbers holds a change that would add to such numbers.
        let adds = seen.rules.support.differences == Differences::Always;
        let way = format!(
            "these credentials can only add seats, and nothing is added to such numbers: use credentials that set totals, or free {} seats",
            -i64::from(free)
        );
        let message = if adds { format!("{taken}. {way}") } else { taken.clone() };
        return Some(Err(Shortage { reason: reason::OVER_ALLOCATED, short: taken, message }));
    }
    if seen.keys().is_some_and(|ring| ring.can_add_user == Some(false)) {
        let vendor = desired.pool.vendor.name;
        let short = format!("{vendor} takes no more users");
        let message = format!("{vendor} takes no more users, though {free} seats are free");
        return Some(Err(Shortage { reason: reason::EXHAUSTED, short, message }));
    }
    let thresholds = &desired.thresholds;
    if free == 0 {
        let threshold = thresholds.free_seats.map_or_else(String::new, |n| format!(", threshold {n}"));
        return short(reason::EXHAUSTED, format!("0 free{threshold}"));
    }
    if let Some(threshold) = thresholds.free_seats.filter(|n| free < *n) {
        return short(reason::BELOW_THRESHOLD, format!("{free} free, threshold {threshold}"));
    }
    let percent = i64::from(free) * 100;
    if let Some(least) = thresholds.free_percent.filter(|p| percent < i64::from(*p) * i64::from(numbers.seats)) {
        return short(reason::BELOW_THRESHOLD, format!("{free} free, threshold {least}%"));
    }
    Some(Ok(format!("{free} of {} seats free", numbers.seats)))
}

/// A shortage with its remedy: what a person can do, or the bound that limits sizing.
pub(super) fn with_fix(
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
pub(super) fn say_shortage(
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
