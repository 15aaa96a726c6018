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

#[test]
fn decision_sees_the_opening_that_began_last_and_four_that_come() {
    let monthly = schedule("0 6 1 * *", "Europe/Berlin");
    let near: Vec<_> = monthly.near(at("2026-11-15T00:00:00Z")).collect();
    let expected = [
        ("2026-11-01T05:00:00Z", "2026-11-01 06:00 CET"),
        ("2026-12-01T05:00:00Z", "2026-12-01 06:00 CET"),
        ("2027-01-01T05:00:00Z", "2027-01-01 06:00 CET"),
        ("2027-02-01T05:00:00Z", "2027-02-01 06:00 CET"),
        ("2027-03-01T05:00:00Z", "2027-03-01 06:00 CET"),
    ];
    let hour = |opens: &str| Opening { opens: at(opens), closes: at(&opens.replace("T05", "T06")) };
    assert_eq!(near, expected.map(|(opens, local)| (hour(opens), local.to_owned())));
}
