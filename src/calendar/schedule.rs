//! A checked cron window, and when it opens and closes.

use std::iter::successors;
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};

use super::daylight_saving::{LARGEST_SHIFT, Zone};
use super::days::Days;
use super::fault::{CalendarFault, DurationFault};
use super::spacing::smallest_gap;

const SHORTEST: Duration = Duration::from_secs(3600);
const LONGEST: Duration = Duration::from_secs(168 * 3600);

/// How many coming openings a decision sees: one that overlaps another, or that has seen its changes, is passed over.
const COMING: usize = 4;

/// One stretch of time in which a window is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The first instant at which it is open.
    pub opens: Timestamp,
    /// The first instant at which it is no longer open.
    pub closes: Timestamp,
}

/// The openings next to an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Around {
    /// The newest that has begun at that instant; it may have ended. `None` where the schedule had none in 50 years.
    pub begun: Option<Opening>,
    /// The first that begins after that instant. `None` where the schedule has none in 50 years, or at the end of year 9999.
    pub next: Option<Opening>,
}

/// A cron window: five cron fields, the zone whose clock they mean, and how long the window stays open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    days: Days,
    zone: Zone,
    duration: SignedDuration,
}

impl Schedule {
    /// Checks a cron window. `duration` is elapsed time, 1h to 168h, and not longer than the time between two openings.
    ///
    /// # Errors
    /// [`CalendarFault`] names the field, what is wrong with it and what to write.
    pub fn parse(schedule: &str, time_zone: &str, duration: Duration) -> Result<Self, CalendarFault> {
        let days = Days::parse(schedule)?;
        let zone = Zone::parse(time_zone)?;
        let elapsed = match SignedDuration::try_from(duration) {
            _ if duration < SHORTEST => return Err(DurationFault::Short(duration).into()),
            Ok(elapsed) if duration <= LONGEST => elapsed,
            _ => return Err(DurationFault::Long(duration).into()),
        };
        if let Some((first, second)) = smallest_gap(&days, &zone) {
            let gap = second.duration_since(first).unsigned_abs();
            if gap < duration {
                let (first, second) = (zone.label(first), zone.label(second));
                return Err(match gap < SHORTEST {
                    true => DurationFault::TooDense { duration, gap, first, second }.into(),
                    false => DurationFault::OutlastsGap { duration, gap, first, second }.into(),
                });
            }
        }
        Ok(Self { days, zone, duration: elapsed })
    }

    /// The openings next to `now`.
    pub fn around(&self, now: Timestamp) -> Around {
        Around { begun: self.begun(now), next: self.openings(now).next() }
    }

    /// The openings after an instant, in order.
    pub fn openings(&self, after: Timestamp) -> impl Iterator<Item = Opening> {
        instants(&self.days, &self.zone, after).map(|opens| self.opening(opens))
    }

    /// The openings that a decision sees: the one that began last, and those that come. Each with its start as the zone's clock
    /// shows it.
    pub fn near(&self, now: Timestamp) -> impl Iterator<Item = (Opening, String)> {
        let all = self.begun(now).into_iter().chain(self.openings(now).take(COMING));
        all.map(|opening| (opening, self.local(opening.opens)))
    }

    /// An instant as the zone's clock shows it, such as `2026-12-01 06:00 CET`.
    pub fn local(&self, at: Timestamp) -> String {
        self.zone.label(at)
    }

    fn begun(&self, now: Timestamp) -> Option<Opening> {
        // A clock that was set back may show a time again that it had passed.
        let latest = self.zone.local(now).saturating_add(LARGEST_SHIFT);
        let mut locals = successors(self.days.previous(latest), |local| self.days.previous(*local));
        let opens = locals.find_map(|local| self.zone.instant(local).filter(|opens| *opens <= now))?;
        Some(self.opening(opens))
    }

    fn opening(&self, opens: Timestamp) -> Opening {
        Opening { opens, closes: opens.checked_add(self.duration).unwrap_or(Timestamp::MAX) }
    }
}

/// The instants after this one at which a schedule opens, in order.
pub(super) fn instants(days: &Days, zone: &Zone, after: Timestamp) -> impl Iterator<Item = Timestamp> {
    let next = |local: DateTime| days.next(local);
    let mut newest = after;
    // Local times in one gap open at one instant, and those in an overlap may lie before `after`.
    successors(next(zone.local(after)), move |local| next(*local)).map_while(|local| zone.instant(local)).filter(
        move |opens| {
            let new = *opens > newest;
            newest = newest.max(*opens);
            new
        },
    )
}
