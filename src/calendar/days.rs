//! The local times at which a schedule opens, without a zone: days by croner, times of the day from its fields.

use croner::parser::{CronParser, Seconds, Year};
use croner::{CronPattern, Weekday};
use jiff::civil::{Date, DateTime, Time};

use super::fault::ScheduleFault;
use super::fields;

/// How far to look for a day that matches. The rarest days, such as a fifth Monday in February, are at most 40 years apart.
const FARTHEST_YEARS: i16 = 50;

/// When a schedule opens, as clocks show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Days {
    pattern: CronPattern,
    /// The times of each day that matches, in order; never empty.
    times: Vec<Time>,
}

impl Days {
    /// Reads a schedule.
    pub(super) fn parse(schedule: &str) -> Result<Self, ScheduleFault> {
        let parts = fields::checked(schedule)?;
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let unreadable = |error: croner::errors::CronError| ScheduleFault::Unreadable(error.to_string());
        let pattern = parser.parse(&parts.join(" ")).map_err(unreadable)?.pattern;
        let (hours, minutes) = (pattern.hours.values(), pattern.minutes.values());
        let times = hours.iter().flat_map(|hour| minutes.iter().filter_map(|minute| time(*hour, *minute))).collect();
        let days = Self { pattern, times };
        if days.next(DateTime::constant(2024, 1, 1, 0, 0, 0, 0)).is_none() {
            let [_, _, day, _, _] = parts;
            return Err(ScheduleFault::NeverOpens(day));
        }
        Ok(days)
    }

    /// The first opening after a local time.
    pub(super) fn next(&self, after: DateTime) -> Option<DateTime> {
        let today = after.date();
        let later = self.times.get(self.times.partition_point(|time| *time <= after.time()));
        if let Some(time) = later.filter(|_| self.matches(today)) {
            return Some(today.to_datetime(*time));
        }
        let day = self.day_after(today)?;
        self.times.first().map(|time| day.to_datetime(*time))
    }

    /// The last opening before a local time.
    pub(super) fn previous(&self, before: DateTime) -> Option<DateTime> {
        let today = before.date();
        let earlier = self.times[..self.times.partition_point(|time| *time < before.time())].last();
        if let Some(time) = earlier.filter(|_| self.matches(today)) {
            return Some(today.to_datetime(*time));
        }
        let day = self.day_before(today)?;
        self.times.last().map(|time| day.to_datetime(*time))
    }

    /// The first day after this one on which the schedule opens.
    pub(super) fn day_after(&self, day: Date) -> Option<Date> {
        let farthest = day.year().saturating_add(FARTHEST_YEARS);
        let mut candidate = day.tomorrow().ok()?;
        while candidate.year() <= farthest {
            if !self.matches_month(candidate) {
                candidate = candidate.last_of_month().tomorrow().ok()?;
            } else if self.matches(candidate) {
                return Some(candidate);
            } else {
                candidate = candidate.tomorrow().ok()?;
            }
        }
        None
    }

    fn day_before(&self, day: Date) -> Option<Date> {
        let farthest = day.year().saturating_sub(FARTHEST_YEARS);
        let mut candidate = day.yesterday().ok()?;
        while candidate.year() >= farthest {
            if !self.matches_month(candidate) {
                candidate = candidate.first_of_month().yesterday().ok()?;
            } else if self.matches(candidate) {
                return Some(candidate);
            } else {
                candidate = candidate.yesterday().ok()?;
            }
        }
        None
    }

    /// The first and the last time of a day that matches.
    pub(super) fn ends(&self) -> Option<(Time, Time)> {
        Some((*self.times.first()?, *self.times.last()?))
    }

    /// The two times of a day that are nearest to each other.
    pub(super) fn nearest(&self) -> Option<(Time, Time)> {
        self.times
            .windows(2)
            .filter_map(|pair| Some((*pair.first()?, *pair.last()?)))
            .min_by_key(|(a, b)| a.duration_until(*b))
    }

    fn matches_month(&self, day: Date) -> bool {
        self.pattern.month_match(day.month().unsigned_abs().into()).unwrap_or(false)
    }

    fn matches(&self, day: Date) -> bool {
        let weekday = Weekday::from_days_from_sunday(day.weekday().to_sunday_zero_offset().unsigned_abs().into());
        let (month, of_month) = (day.month().unsigned_abs().into(), day.day().unsigned_abs().into());
        self.matches_month(day) && self.pattern.day_match(day.year().into(), month, of_month, weekday).unwrap_or(false)
    }
}

fn time(hour: u16, minute: u16) -> Option<Time> {
    Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0).ok()
}
