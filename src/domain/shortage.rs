//! Compares the free seats with the thresholds.

use super::condition::reason;
use super::{Desired, Differences, Snapshot};

/// Seats are short: how.
pub(super) struct Shortage {
    pub reason: &'static str,
    /// For the narrow column.
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
        // The gate of contradicting numbers holds what would add to such numbers.
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
