//! How near to each other a schedule's openings come: a window must close before it opens again.

use std::iter::successors;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::daylight_saving::{LARGEST_SHIFT, Zone};
use super::days::Days;
use super::schedule::instants;

/// The years in which the openings are compared: weekdays, leap days and changes of the clock repeat after 28.
const FIRST: Date = Date::constant(2024, 1, 1);
const END: Date = Date::constant(2052, 1, 1);

/// Two openings in a row, and the time between them.
#[derive(Default)]
struct Smallest(Option<(Timestamp, Timestamp)>);

impl Smallest {
    fn gap(&self) -> SignedDuration {
        self.0.map_or(SignedDuration::MAX, |(first, second)| second.duration_since(first))
    }

    fn consider(&mut self, first: Timestamp, second: Timestamp) {
        if first < second && second.duration_since(first) < self.gap() {
            self.0 = Some((first, second));
        }
    }

    /// Two local times in a row.
    fn consider_local(&mut self, zone: &Zone, first: DateTime, second: DateTime) {
        if first.duration_until(second) < self.gap()
            && let (Some(first), Some(second)) = (zone.instant(first), zone.instant(second))
        {
            self.consider(first, second);
        }
    }
}

/// The two openings in a row with the least time between them; `None` with fewer than two in all the years.
pub(super) fn smallest_gap(days: &Days, zone: &Zone) -> Option<(Timestamp, Timestamp)> {
    let mut smallest = Smallest::default();
    let ((earliest, latest), nearest) = (days.ends()?, days.nearest());
    let mut dates =
        successors(days.day_after(FIRST), |day| days.day_after(*day)).take_while(|day| *day < END).peekable();
    while let Some(day) = dates.next() {
        if let Some((first, second)) = nearest {
            smallest.consider_local(zone, day.to_datetime(first), day.to_datetime(second));
        }
        if let Some(next) = dates.peek() {
            smallest.consider_local(zone, day.to_datetime(latest), next.to_datetime(earliest));
        }
    }
    // Less than an hour is refused with any duration.
    if smallest.gap() >= SignedDuration::from_hours(1) {
        near_changes(days, zone, &mut smallest);
    }
    smallest.0
}

/// Where the clock is changed between two openings, they are nearer to each other than it shows.
fn near_changes(days: &Days, zone: &Zone, smallest: &mut Smallest) {
    let instant = |date: Date| TimeZone::UTC.to_timestamp(date.to_datetime(jiff::civil::Time::midnight()));
    let (Ok(first), Ok(end)) = (instant(FIRST), instant(END)) else { return };
    for change in zone.changes(first).take_while(|change| *change < end) {
        let start = days.previous(zone.local(change).saturating_sub(LARGEST_SHIFT));
        let Some(mut opened) = start.and_then(|local| zone.instant(local)) else { continue };
        for opens in instants(days, zone, opened) {
            smallest.consider(opened, opens);
            opened = opens;
            if opens > change {
                break;
            }
        }
    }
}
