//! Each schedule that is refused, with its whole sentence.

use super::*;
use crate::calendar::CalendarField;

fn schedule_fault(text: &str) -> String {
    let fault = fault(text, "Europe/Berlin", hours(1));
    assert_eq!(fault.field(), CalendarField::Schedule, "{text}");
    fault.to_string()
}

#[test]
fn fault_begins_with_the_path_it_is_given() {
    let fault = fault("", "Europe/Berlin", hours(4));
    assert_eq!(
        fault.at("spec.adjustment.windows[0].cron"),
        "spec.adjustment.windows[0].cron.schedule is empty: write five cron fields, such as \"0 6 1W * *\""
    );
}

#[test]
fn schedule_without_exactly_five_fields_is_refused() {
    each(
        &[
            ("   ", "schedule is empty: write five cron fields, such as \"0 6 1W * *\""),
            (
                "0 6 * *",
                "schedule has only 4 of five fields (minute, hour, day of month, month, day of week): add the missing, \"*\" for any",
            ),
            (
                "0 0 6 * * *",
                "schedule has 6 fields, and five are read (minute, hour, day of month, month, day of week): remove the seconds \
                 or the year",
            ),
            (
                "0 0 6 * * * 2027",
                "schedule has 7 fields, and five are read (minute, hour, day of month, month, day of week): remove the seconds \
                 or the year",
            ),
        ],
        schedule_fault,
    );
}

#[test]
fn schedule_with_strange_characters_or_too_many_is_refused() {
    let long = format!("0 6 {} * *", ["1"; 50].join(","));
    each(
        &[
            (
                long.as_str(),
                "schedule has 107 characters, and at most 100 are read: write shorter lists, or use a second window",
            ),
            (
                "0\t6 * * *",
                "schedule contains the character U+0009: write only ASCII letters, digits, blanks and * , - / #",
            ),
            (
                "0 6 * * MÄR",
                "schedule contains the character U+00C4: write only ASCII letters, digits, blanks and * , - / #",
            ),
            (
                "\u{663} 6 * * *",
                "schedule contains the character U+0663: write only ASCII letters, digits, blanks and * , - / #",
            ),
            (" 0 6 * * *", "schedule begins or ends with a blank: remove the blank"),
            ("0 6 * * * ", "schedule begins or ends with a blank: remove the blank"),
        ],
        schedule_fault,
    );
    let just = format!("00 6 {} * *", ["1"; 46].join(","));
    assert_eq!(just.len(), 100);
    schedule(&just, "UTC");
}

#[test]
fn words_of_other_dialects_are_refused() {
    each(
        &[
            ("@monthly", "schedule is the nickname \"@monthly\", and nicknames are not read: write \"0 0 1 * *\""),
            (
                "@reboot",
                "schedule is the nickname \"@reboot\", and nicknames are not read: write five cron fields, such as \"0 6 1W * *\"",
            ),
            (
                "TZ=Europe/Berlin 0 6 * * *",
                "schedule sets a time zone with \"TZ=Europe/Berlin\": remove it, and name the zone in timeZone",
            ),
            (
                "CRON_TZ=UTC 0 6 * * *",
                "schedule sets a time zone with \"CRON_TZ=UTC\": remove it, and name the zone in timeZone",
            ),
            ("0 6 ? * MON", "schedule has \"?\" as day of month, and \"?\" is not read: write \"*\" for any"),
            (
                "0 6 1-7 * +MON",
                "schedule has \"+MON\" as day of week, and \"+\" is not read: for a weekday of the month write \"* * MON#1\" as \
                 the last fields",
            ),
        ],
        schedule_fault,
    );
}

#[test]
fn numbers_out_of_their_range_are_refused() {
    each(
        &[
            ("61 6 * * *", "schedule has \"61\" as minute, and 61 is outside 0 to 59: write a number from 0 to 59"),
            ("60 6 * * *", "schedule has \"60\" as minute, and 60 is outside 0 to 59: write a number from 0 to 59"),
            ("0 24 * * *", "schedule has \"24\" as hour, and 24 is outside 0 to 23: write a number from 0 to 23"),
            ("0 6 0 * *", "schedule has \"0\" as day of month, and 0 is outside 1 to 31: write a number from 1 to 31"),
            (
                "0 6 32W * *",
                "schedule has \"32W\" as day of month, and 32 is outside 1 to 31: write a number from 1 to 31",
            ),
            ("0 6 * 0-3 *", "schedule has \"0-3\" as month, and 0 is outside 1 to 12: write a number from 1 to 12"),
            ("0 6 * 13 *", "schedule has \"13\" as month, and 13 is outside 1 to 12: write a number from 1 to 12"),
            ("0 6 * * 8", "schedule has \"8\" as day of week, and 8 is outside 0 to 7: write a number from 0 to 7"),
            (
                "99999999999 6 * * *",
                "schedule has \"99999999999\" as minute, and 99999999999 is outside 0 to 59: write a number from 0 to 59",
            ),
            ("*/0 6 * * *", "schedule has \"*/0\" as minute, whose step is outside 1 to 59: write a step from 1 to 59"),
            ("0 */24 * * *", "schedule has \"*/24\" as hour, whose step is outside 1 to 23: write a step from 1 to 23"),
            (
                "0 6 * * MON#6",
                "schedule has \"MON#6\" as day of week: after \"#\" write a number from 1 to 5, or L for the last of the month",
            ),
            (
                "0 6 * * MON#0",
                "schedule has \"MON#0\" as day of week: after \"#\" write a number from 1 to 5, or L for the last of the month",
            ),
        ],
        schedule_fault,
    );
}

#[test]
fn names_that_are_not_english_are_refused() {
    let months = "JAN, FEB, MAR, APR, MAY, JUN, JUL, AUG, SEP, OCT, NOV, DEC, or a number from 1 to 12";
    let weekdays = "SUN, MON, TUE, WED, THU, FRI, SAT, or a number from 0 to 7";
    for (text, item, name, part, names) in [
        ("0 6 1 DEZ *", "DEZ", "DEZ", "month", months),
        ("0 6 1 mai-OKT *", "MAI-OKT", "MAI", "month", months),
        ("0 6 * * MO", "MO", "MO", "day of week", weekdays),
        ("0 6 * * Monday", "MONDAY", "MONDAY", "day of week", weekdays),
        ("0 6 * * LUN#1", "LUN#1", "LUN", "day of week", weekdays),
    ] {
        let sentence =
            format!("schedule has \"{item}\" as {part}, and \"{name}\" is not an English short name: write {names}");
        assert_eq!(schedule_fault(text), sentence);
    }
}

#[test]
fn empty_ranges_steps_and_lists_are_refused() {
    each(
        &[
            ("0 22-2 * * *", "schedule has \"22-2\" as hour, a range that runs backwards: write \"22-23,0-2\""),
            (
                "0 6 * NOV-FEB *",
                "schedule has \"NOV-FEB\" as month, a range that runs backwards: write \"NOV-DEC,JAN-FEB\"",
            ),
            (
                "0 6 * * FRI-MON",
                "schedule has \"FRI-MON\" as day of week, a range that runs backwards: write \"FRI-SAT,SUN-MON\"",
            ),
            ("0 6 * * 5-1", "schedule has \"5-1\" as day of week, a range that runs backwards: write \"5-6,0-1\""),
            ("5/15 6 * * *", "schedule has \"5/15\" as minute, steps from a single value: write \"5-59/15\""),
            ("0 6 1,,2 * *", "schedule has an empty item in \"1,,2\" as day of month: remove the extra comma"),
            ("0 6 1, * *", "schedule has an empty item in \"1,\" as day of month: remove the extra comma"),
            (
                "0 6 L,LW * *",
                "schedule has \"L,LW\" as day of month, both the last day and the last weekday: write one of them, and a second \
                 window for the other",
            ),
        ],
        schedule_fault,
    );
}

#[test]
fn items_of_no_known_form_are_refused() {
    let day = "write \"*\", a number from 1 to 31, a range (1-7), steps (*/2), L (the last day), LW (the last weekday), 15W (the \
               weekday nearest to the 15th), or a list of these";
    for item in ["W", "L-3", "1-5W", "15WX", "*,5", "1#2", "/2", "1--2"] {
        let sentence =
            format!("schedule has \"{}\" as day of month, which is not understood: {day}", item.replace(",5", ""));
        assert_eq!(schedule_fault(&format!("0 6 {item} * *")), sentence);
    }
    let weekday = "write \"*\", a number from 0 to 7 (0 and 7 are Sunday), a name (MON), a range (MON-FRI), steps (*/2), MON#1 \
                   (the first Monday), FRI#L (the last Friday), or a list of these";
    for item in ["L", "X", "MON-FRI#1", "$", "*/x"] {
        let sentence =
            format!("schedule has \"{}\" as day of week, which is not understood: {weekday}", item.to_uppercase());
        assert_eq!(schedule_fault(&format!("0 6 * * {item}")), sentence);
    }
    for (text, sentence) in [
        (
            "L 6 * * *",
            "schedule has \"L\" as minute, which is not understood: write \"*\", a number from 0 to 59, a range (0-30), steps \
             (*/15), or a list of these",
        ),
        (
            "0 6.5 * * *",
            "schedule has \"6.5\" as hour, which is not understood: write \"*\", a number from 0 to 23, a range (6-18), steps \
             (*/6), or a list of these",
        ),
        (
            "0 6 1 1W *",
            "schedule has \"1W\" as month, which is not understood: write \"*\", a number from 1 to 12, a name (JAN), a range \
             (JAN-MAR), steps (*/3), or a list of these",
        ),
    ] {
        assert_eq!(schedule_fault(text), sentence);
    }
}

#[test]
fn days_of_the_month_and_of_the_week_at_once_are_refused() {
    let either = "and cron opens on a day that matches either: write";
    let general =
        "\"*\" as one of them, and for a weekday of the month \"* * MON#1\" (the first) or \"* * FRI#L\" (the last)";
    for (text, days, weekdays, instead) in [
        ("0 6 1-7 * MON", "1-7", "MON", "\"0 6 * * MON#1\""),
        ("0 6 15-21 */3 5", "15-21", "5", "\"0 6 * */3 5#3\""),
        ("0 6 1 * MON", "1", "MON", general),
        ("0 6 1-7 * MON-FRI", "1-7", "MON-FRI", general),
        ("0 6 */2 * MON#1", "*/2", "MON#1", general),
    ] {
        let restricts =
            format!("schedule restricts the day of month (\"{days}\") and the day of week (\"{weekdays}\")");
        assert_eq!(schedule_fault(text), format!("{restricts}, {either} {instead}"));
    }
}

#[test]
fn schedule_that_never_opens_is_refused() {
    for (text, day) in
        [("0 6 31 2 *", "31"), ("30 2 30 2 *", "30"), ("0 6 31 4,6,9,11 *", "31"), ("0 6 31W FEB *", "31W")]
    {
        assert_eq!(
            schedule_fault(text),
            format!(
                "schedule never opens, because no month that it names has \"{day}\" as day of month: write a day that exists, or L for the last day"
            )
        );
    }
}
