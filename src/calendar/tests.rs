//! What the calendar refuses, what it opens, and the table of another implementation.

mod any_text;
mod changes;
mod refused;
mod refused_zones;
mod table;

use std::time::Duration;

use jiff::Timestamp;

use super::{CalendarFault, Opening, Schedule};

fn hours(count: u64) -> Duration {
    Duration::from_secs(count * 3600)
}

fn schedule(schedule: &str, time_zone: &str) -> Schedule {
    Schedule::parse(schedule, time_zone, hours(1)).unwrap_or_else(|fault| panic!("{schedule} in {time_zone}: {fault}"))
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The next openings after an instant, as the zone's clock shows them.
fn shown(schedule: &Schedule, after: &str, count: usize) -> Vec<String> {
    schedule.openings(at(after)).take(count).map(|opening| schedule.local(opening.opens)).collect()
}

fn fault(schedule: &str, time_zone: &str, duration: Duration) -> CalendarFault {
    match Schedule::parse(schedule, time_zone, duration) {
        Ok(_) => panic!("{schedule:?} in {time_zone:?} for {duration:?} was read"),
        Err(fault) => fault,
    }
}

fn each(cases: &[(&str, &str)], said: impl Fn(&str) -> String) {
    for (input, sentence) in cases {
        assert_eq!(said(input), *sentence, "of {input:?}");
    }
}
