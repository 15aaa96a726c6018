//! Each opening of 14 years, in the zones and by the schedules of a table that another implementation made
//! (`tests/calendar/openings.py`, which says what the columns are).

use super::*;
use crate::calendar::{Around, database_version};

const TABLE: &str = include_str!("../../../tests/calendar/openings.txt");

/// Openings that were compared, those in a gap of the clock, and those in an overlap.
#[derive(Debug, Default)]
struct Compared {
    all: usize,
    in_gaps: usize,
    in_overlaps: usize,
}

#[test]
fn openings_are_those_of_another_implementation() {
    let mut lines = TABLE.lines();
    let release = format!("# tzdata {}, 2024 to 2037,", database_version());
    assert!(
        lines.next().unwrap().starts_with(&release),
        "not {release} make the table anew as tests/calendar/openings.py says"
    );
    let mut compared = Compared::default();
    for line in lines {
        let columns: Vec<&str> = line.split(" | ").collect();
        let [zone, fields, first, steps] = columns[..] else { panic!("four columns: {line}") };
        compare(&schedule(fields, zone), first.parse().unwrap(), steps, &mut compared);
    }
    assert!(compared.all > 400_000 && compared.in_gaps > 200 && compared.in_overlaps > 150, "{compared:?}");
}

fn compare(schedule: &Schedule, first: i64, steps: &str, compared: &mut Compared) {
    let mut second = first;
    let mut openings = schedule.openings(Timestamp::from_second(first - 1).unwrap());
    let mut before = openings.next().unwrap();
    assert_eq!(before.opens.as_second(), first);
    for run in steps.split_whitespace() {
        let (step, count) = run.split_once('x').unwrap_or((run, "1"));
        let minutes = step.trim_end_matches(['g', 'o']);
        let count: usize = count.parse().unwrap();
        for _ in 0..count {
            second += minutes.parse::<i64>().unwrap() * 60;
            let opening = openings.next().unwrap();
            let (expected, seen) = (Timestamp::from_second(second).unwrap(), opening.opens);
            assert_eq!(seen, expected, "{schedule:?}: {}, not {}", schedule.local(seen), schedule.local(expected));
            if minutes != step || compared.all.is_multiple_of(97) {
                around(schedule, before, opening);
            }
            compared.all += 1;
            before = opening;
        }
        compared.in_gaps += if step.ends_with('g') { count } else { 0 };
        compared.in_overlaps += if step.ends_with('o') { count } else { 0 };
    }
    let year = schedule.local(openings.next().unwrap().opens);
    assert!(year.as_str() > "2038", "one more than the table has: {year}");
}

fn around(schedule: &Schedule, before: Opening, opening: Opening) {
    let second = opening.opens.as_second();
    assert_eq!(
        schedule.around(Timestamp::from_second(second - 1).unwrap()),
        Around { begun: Some(before), next: Some(opening) }
    );
    for later in [second, second + 1800, second + 3599] {
        assert_eq!(schedule.around(Timestamp::from_second(later).unwrap()).begun, Some(opening));
    }
}
