//! Openings at changes of the clock, around an instant, and at the ends of time.

use super::*;
use crate::calendar::Around;

fn opening(opens: &str, closes: &str) -> Opening {
    Opening { opens: at(opens), closes: at(closes) }
}

#[test]
fn time_that_the_clock_skips_opens_at_the_first_instant_after_the_gap() {
    let berlin = schedule("30 2 * * *", "Europe/Berlin");
    let expected = ["2026-03-28 02:30 CET", "2026-03-29 03:00 CEST", "2026-03-30 02:30 CEST"];
    assert_eq!(shown(&berlin, "2026-03-27T12:00:00Z", 3), expected);
}

#[test]
fn midnight_that_the_clock_skips_opens_at_one_oclock() {
    let santiago = schedule("0 0 * * *", "America/Santiago");
    assert_eq!(shown(&santiago, "2026-09-05T12:00:00Z", 2), ["2026-09-06 01:00 -03", "2026-09-07 00:00 -03"]);
}

#[test]
fn day_that_the_calendar_skips_opens_with_the_next_day_once() {
    // Samoa crossed the date line: no 30 December 2011.
    let apia = schedule("0 6 * * *", "Pacific/Apia");
    let expected = ["2011-12-29 06:00 -10", "2011-12-31 00:00 +14", "2011-12-31 06:00 +14"];
    assert_eq!(shown(&apia, "2011-12-29T00:00:00Z", 3), expected);
    let midnight = schedule("0 0 * * *", "Pacific/Apia");
    let expected = ["2011-12-29 00:00 -10", "2011-12-31 00:00 +14", "2012-01-01 00:00 +14"];
    assert_eq!(shown(&midnight, "2011-12-28T12:00:00Z", 3), expected);
}

#[test]
fn two_times_in_one_gap_open_once() {
    // Each Sunday alone, so that an hour is enough between all other openings.
    let berlin = schedule("0 2,3 * * SUN", "Europe/Berlin");
    let expected = ["2026-03-22 03:00 CET", "2026-03-29 03:00 CEST", "2026-04-05 02:00 CEST"];
    assert_eq!(shown(&berlin, "2026-03-22T01:30:00Z", 3), expected);
}

#[test]
fn time_that_comes_twice_opens_at_the_first_once() {
    let berlin = schedule("30 2 * * *", "Europe/Berlin");
    let expected = ["2026-10-25 02:30 CEST", "2026-10-26 02:30 CET"];
    assert_eq!(shown(&berlin, "2026-10-24T12:00:00Z", 2), expected);
    // Between the two showings of 02:10, and after the second.
    for (now, begun) in [
        ("2026-10-25T00:10:00Z", "2026-10-24T00:30:00Z"),
        ("2026-10-25T00:30:00Z", "2026-10-25T00:30:00Z"),
        ("2026-10-25T01:10:00Z", "2026-10-25T00:30:00Z"),
        ("2026-10-25T01:40:00Z", "2026-10-25T00:30:00Z"),
    ] {
        assert_eq!(berlin.around(at(now)).begun.map(|opening| opening.opens), Some(at(begun)), "{now}");
    }
    assert_eq!(berlin.around(at("2026-10-25T01:10:00Z")).next.unwrap().opens, at("2026-10-26T01:30:00Z"));
}

#[test]
fn duration_is_elapsed_time_over_a_change_of_the_clock() {
    let berlin = Schedule::parse("0 22 * * SAT", "Europe/Berlin", hours(6)).unwrap();
    let spring = berlin.around(at("2026-03-28T21:00:00Z")).begun.unwrap();
    assert_eq!(spring, opening("2026-03-28T21:00:00Z", "2026-03-29T03:00:00Z"));
    assert_eq!(berlin.local(spring.closes), "2026-03-29 05:00 CEST");
}

#[test]
fn opening_has_begun_at_its_first_instant_and_not_before() {
    let monthly = Schedule::parse("0 6 1 * *", "Europe/Berlin", hours(4)).unwrap();
    let november = opening("2026-11-01T05:00:00Z", "2026-11-01T09:00:00Z");
    let december = opening("2026-12-01T05:00:00Z", "2026-12-01T09:00:00Z");
    let january = opening("2027-01-01T05:00:00Z", "2027-01-01T09:00:00Z");
    let before = Around { begun: Some(november), next: Some(december) };
    let after = Around { begun: Some(december), next: Some(january) };
    assert_eq!(monthly.around(at("2026-12-01T04:59:59.999999999Z")), before);
    assert_eq!(monthly.around(at("2026-12-01T05:00:00Z")), after);
    assert_eq!(monthly.around(at("2026-12-01T05:00:00.000000001Z")), after);
    assert_eq!(monthly.around(at("2026-12-31T23:00:00Z")), after);
}

#[test]
fn rarest_days_are_found_in_both_directions() {
    for (rare, before, after) in [
        ("0 6 29 2 *", "2024-02-29T06:00:00Z", "2028-02-29T06:00:00Z"),
        ("0 6 * 2 THU#5", "2024-02-29T06:00:00Z", "2052-02-29T06:00:00Z"),
    ] {
        let around = schedule(rare, "UTC").around(at("2026-01-01T00:00:00Z"));
        assert_eq!(around.begun.unwrap().opens, at(before), "{rare}");
        assert_eq!(around.next.unwrap().opens, at(after), "{rare}");
    }
    // 2100 has no leap day, and no weekday has to wait longer than this one.
    let rarest = schedule("0 6 * 2 THU#5", "UTC");
    let shortly_after = rarest.around(at("2080-03-01T00:00:00Z"));
    assert_eq!(shortly_after.next.unwrap().opens, at("2120-02-29T06:00:00Z"));
    let shortly_before = rarest.around(at("2120-02-28T00:00:00Z"));
    assert_eq!(shortly_before.begun.unwrap().opens, at("2080-02-29T06:00:00Z"));
}

#[test]
fn names_may_be_written_in_either_case_with_several_blanks() {
    let (small, large) = (schedule("0  6 * jan-mar mon#1", "UTC"), schedule("0 6 * 1-3 1#1", "UTC"));
    assert_eq!(shown(&small, "2026-01-01T00:00:00Z", 9), shown(&large, "2026-01-01T00:00:00Z", 9));
    assert_eq!(shown(&small, "2026-01-01T00:00:00Z", 2), ["2026-01-05 06:00 UTC", "2026-02-02 06:00 UTC"]);
}

#[test]
fn sunday_ends_a_range_and_begins_one() {
    let weekend = schedule("0 6 * * SAT-SUN", "UTC");
    assert_eq!(
        shown(&weekend, "2026-01-01T00:00:00Z", 3),
        ["2026-01-03", "2026-01-04", "2026-01-10"].map(|day| format!("{day} 06:00 UTC"))
    );
    let start = schedule("0 6 * * SUN-MON", "UTC");
    assert_eq!(
        shown(&start, "2026-01-01T00:00:00Z", 3),
        ["2026-01-04", "2026-01-05", "2026-01-11"].map(|day| format!("{day} 06:00 UTC"))
    );
}

#[test]
fn abbreviation_is_the_zones_own_and_an_offset_where_it_has_no_letters() {
    for (zone, text) in [
        ("Europe/Berlin", "2026-12-01 07:00 CET"),
        ("America/New_York", "2026-12-01 01:00 EST"),
        ("Asia/Tehran", "2026-12-01 09:30 +0330"),
        ("Asia/Kolkata", "2026-12-01 11:30 IST"),
        ("UTC", "2026-12-01 06:00 UTC"),
    ] {
        assert_eq!(schedule("0 6 1 * *", zone).local(at("2026-12-01T06:00:00Z")), text);
    }
}

#[test]
fn ends_of_time_have_no_opening_beyond_them() {
    for zone in ["UTC", "Pacific/Apia", "America/New_York"] {
        let yearly = schedule("0 0 1 1 *", zone);
        let end = yearly.around(Timestamp::MAX);
        assert_eq!((end.begun.is_some(), end.next), (true, None), "{zone}");
        let start = yearly.around(Timestamp::MIN);
        assert_eq!((start.begun, start.next.is_some()), (None, true), "{zone}");
    }
    let late = Schedule::parse("0 22 31 12 *", "UTC", hours(168)).unwrap();
    let last = late.around(Timestamp::MAX).begun.unwrap();
    assert!(last.closes <= Timestamp::MAX && last.opens < last.closes, "{last:?}");
}
