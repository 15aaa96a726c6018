//! Each zone and each duration that is refused, with its whole sentence.

use super::*;
use crate::api::{go_duration, parse_duration};
use crate::calendar::{CalendarField, database_version};

fn zone_fault(name: &str) -> String {
    let fault = fault("0 6 1W * *", name, hours(4));
    assert_eq!(fault.field(), CalendarField::TimeZone, "{name}");
    fault.to_string()
}

#[test]
fn zones_that_do_not_exist_are_refused_with_the_nearest() {
    let version = database_version();
    assert!(version.len() == 5 && version.starts_with("20"), "{version}");
    for (name, meant) in [
        ("Europe/Berln", "Europe/Berlin"),
        ("Berlin", "Europe/Berlin"),
        ("America/New York", "America/New_York"),
        ("Amerika/Los_Angeles", "America/Los_Angeles"),
        ("Asia/Calcuta", "Asia/Calcutta"),
    ] {
        assert_eq!(
            zone_fault(name),
            format!(
                "timeZone is \"{name}\", which the time zone database {version} does not have: did you mean {meant}?"
            )
        );
    }
    // The name nearest to the last one, Portugal, has no region: such names are never suggested.
    let unlike_any = [
        "Mars/Olympus",
        "CEST",
        "UTC+2",
        "+01:00",
        "PST",
        "../../etc/passwd",
        "Factory",
        "Europe/",
        "/",
        "Local",
        "Portugl",
    ];
    for name in unlike_any {
        assert_eq!(
            zone_fault(name),
            format!(
                "timeZone is \"{name}\", which the time zone database {version} does not have: write the name of a zone, such as \
                 Europe/Berlin or UTC"
            )
        );
    }
}

#[test]
fn zones_that_are_not_spelled_as_in_the_database_are_refused() {
    let long = "x".repeat(65);
    each(
        &[
            ("", "timeZone is empty: write the name of a zone, such as Europe/Berlin or UTC"),
            (" ", "timeZone is empty: write the name of a zone, such as Europe/Berlin or UTC"),
            (
                "europe/berlin",
                "timeZone is \"europe/berlin\", and the names of zones distinguish upper and lower case: write Europe/Berlin",
            ),
            ("utc", "timeZone is \"utc\", and the names of zones distinguish upper and lower case: write UTC"),
            ("Europe/Berlin ", "timeZone begins or ends with a blank: remove the blank"),
            (" Europe/Berlin", "timeZone begins or ends with a blank: remove the blank"),
            (
                "Europe/Berlin\n",
                "timeZone contains the character U+000A, which no zone's name has: write the name in ASCII, such as Europe/Berlin",
            ),
            (
                "Europe/Zürich",
                "timeZone contains the character U+00FC, which no zone's name has: write the name in ASCII, such as Europe/Berlin",
            ),
            (
                long.as_str(),
                "timeZone has 65 characters, and no zone's name has more than 64: write the name of a zone, such as Europe/Berlin or UTC",
            ),
        ],
        zone_fault,
    );
    let just = zone_fault(&long[1..]);
    assert!(just.contains("does not have: write the name of a zone"), "{just}");
}

fn duration_fault(schedule: &str, zone: &str, duration: Duration) -> String {
    let fault = fault(schedule, zone, duration);
    assert_eq!(fault.field(), CalendarField::Duration, "{schedule}");
    fault.to_string()
}

#[test]
fn durations_outside_one_hour_to_a_week_are_refused() {
    let said = |duration| duration_fault("0 6 1W * *", "Europe/Berlin", duration);
    assert_eq!(said(Duration::from_secs(3599)), "duration is 59m59s, below 1h: write at least 1h");
    assert_eq!(said(Duration::ZERO), "duration is 0s, below 1h: write at least 1h");
    assert_eq!(said(hours(168) + Duration::from_secs(1)), "duration is 168h1s, above 168h: write at most 168h");
    assert_eq!(said(Duration::MAX), "duration is 5124095576030431h15s, above 168h: write at most 168h");
    for accepted in [1, 168] {
        Schedule::parse("0 6 1W * *", "Europe/Berlin", hours(accepted)).unwrap();
    }
}

#[test]
fn durations_that_outlast_the_gap_between_two_openings_are_refused() {
    for (schedule, zone, gap, first, second) in [
        // Where no clock is changed, the window may close as it opens again.
        ("0 0 * * *", "Asia/Kolkata", "24h", "2024-01-02 00:00 IST", "2024-01-03 00:00 IST"),
        ("0 * * * *", "UTC", "1h", "2024-01-02 00:00 UTC", "2024-01-02 01:00 UTC"),
        ("0 6 1,31 * *", "UTC", "24h", "2024-01-31 06:00 UTC", "2024-02-01 06:00 UTC"),
        // A day of 23 hours; and a time that the clock skips, which opens later that day.
        ("0 6 * * *", "Europe/Berlin", "23h", "2024-03-30 06:00 CET", "2024-03-31 06:00 CEST"),
        ("30 2 * * *", "Europe/Berlin", "23h30m", "2024-03-30 02:30 CET", "2024-03-31 03:00 CEST"),
        ("0 0 * * *", "Australia/Lord_Howe", "23h30m", "2024-10-06 00:00 +1030", "2024-10-07 00:00 +11"),
        // Only where a change of the clock meets these days: 2026 in New York, whose 8 March has 23 hours.
        ("0 6 1,8 3 *", "America/New_York", "167h", "2026-03-01 06:00 EST", "2026-03-08 06:00 EDT"),
    ] {
        let longest = parse_duration(gap).unwrap();
        Schedule::parse(schedule, zone, longest).unwrap_or_else(|fault| panic!("{schedule}: {fault}"));
        let longer = longest + Duration::from_secs(60);
        let expected = format!(
            "duration is {}, longer than the {gap} between the openings {first} and {second}: write at most {gap}",
            go_duration(longer)
        );
        assert_eq!(duration_fault(schedule, zone, longer), expected, "{schedule}");
    }
    Schedule::parse("0 6 * * MON", "UTC", hours(168)).unwrap();
}

#[test]
fn openings_less_than_an_hour_apart_are_refused_with_any_duration() {
    let apart = "write a schedule whose openings are at least 1h apart";
    assert_eq!(
        duration_fault("*/30 6 * * *", "UTC", hours(1)),
        format!(
            "duration is 1h, longer than the 30m between the openings 2024-01-02 06:00 UTC and 2024-01-02 06:30 UTC: {apart}"
        )
    );
    // Not by the clock: at a quarter past each hour, and at 03:00 for the skipped 02:15.
    assert_eq!(
        duration_fault("15 * * * *", "Europe/Berlin", hours(1)),
        format!(
            "duration is 1h, longer than the 15m between the openings 2024-03-31 03:00 CEST and 2024-03-31 03:15 CEST: {apart}"
        )
    );
    schedule("0 * * * *", "Europe/Berlin");
}
