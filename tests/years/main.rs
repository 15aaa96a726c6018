//! Simulated years: an object waits for windows while everything happens that happens in a year, in virtual time.
//!
//! The operator's own code decides; a judge counts by a table of openings that another implementation made. `SEED=n` plays
//! one year alone.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

mod judge;
mod table;
mod year;

use std::env;
use std::process::ExitCode;

use judge::{Faults, Rule, judge};
use seatkeeper::domain::kind;
use table::{Odd, Row, Window, rows};
use year::{Fate, Life};

/// How many years are played.
const YEARS: u64 = 2000;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;

/// The first and the last second of the table, with room for what begins before and ends after.
const FIRST: i64 = 1_706_745_600;
const LAST: i64 = 2_137_000_000;

/// What was met in all years.
#[derive(Debug, Default)]
struct Coverage {
    in_gap: usize,
    in_overlap: usize,
    away_at_an_opening: usize,
    urgent: usize,
    missed: usize,
    merged: usize,
    limit_only: usize,
    zone_edited: usize,
    late: usize,
    repeats: usize,
    clock_set: usize,
    second_of_a_window: usize,
}

fn main() -> ExitCode {
    let rows = rows();
    let seed = env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds = seed.map_or(0..YEARS, |seed: u64| seed..seed + 1);
    let (mut coverage, mut changes, mut faults, mut years) = (Coverage::default(), 0, Faults::default(), 0);
    for seed in seeds {
        let life = play(seed, &rows, &mut coverage);
        let wrong = judge(&life.requests);
        if wrong.outside + wrong.too_many + wrong.not_urgent > 0 {
            eprintln!("year {seed}: {wrong:?}; SEED={seed} plays it alone");
        }
        years += 1;
        changes += life.requests.len();
        faults.outside += wrong.outside;
        faults.too_many += wrong.too_many;
        faults.not_urgent += wrong.not_urgent;
    }
    println!(
        "simulated years: {years}, {changes} changes, {} outside windows, {} changes too many, {} urgent without a reason",
        faults.outside, faults.too_many, faults.not_urgent
    );
    println!("covered: {coverage:?}");
    let whole = seed.is_some() || !format!("{coverage:?}").contains(": 0");
    if !whole {
        eprintln!("something was never met: the run proves too little");
    }
    let good = whole && faults.outside + faults.too_many + faults.not_urgent == 0 && changes > 0;
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A window of a row that can be.
fn window<'a>(rng: &mut fastrand::Rng, rows: &'a [Row]) -> Window<'a> {
    loop {
        let row = rng.choice(rows).expect("rows");
        let most = (row.gap / HOUR).min(12);
        if most >= 1 {
            return Window { row, length: rng.i64(1..=most) * HOUR };
        }
    }
}

fn rule<'a>(rng: &mut fastrand::Rng, rows: &'a [Row]) -> Rule<'a> {
    let windows = (0..rng.usize(1..=2)).map(|_| window(rng, rows)).collect();
    Rule {
        windows,
        most: if rng.u8(0..4) == 0 { 2 } else { 1 },
        deadline: *rng.choice(&[0, 6 * HOUR, DAY]).expect("one"),
        urgent_below: rng.bool().then(|| rng.i32(1..4)),
    }
}

fn play<'a>(seed: u64, rows: &'a [Row], coverage: &mut Coverage) -> Life<'a> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let begin = rng.i64(FIRST..LAST - YEAR);
    let mut life = Life::begin(begin, rule(&mut rng, rows));
    let (mut next_event, mut next_pass) = (begin + rng.i64(0..DAY), begin);
    let mut edits = 0;
    while life.now < begin + YEAR {
        if next_event <= next_pass {
            life.now = life.now.max(next_event);
            edits = event(&mut rng, &mut life, rows, coverage, edits);
            next_event = life.now + rng.i64(1..6 * DAY);
            // An edit is seen at once.
            next_pass = life.now + 1;
            continue;
        }
        life.now = life.now.max(next_pass);
        let before = life.requests.len();
        let fate = match rng.u8(0..16) {
            0 => Fate::NotSent,
            1 => Fate::LostAndMade,
            2 => Fate::LostAndNotMade,
            _ => Fate::Made,
        };
        next_pass = life.pass(fate).max(life.now + 1);
        edits = noted(&life, before, coverage, edits);
    }
    life
}

/// Something happens. Returns how often the wish was edited since the last change.
fn event<'a>(
    rng: &mut fastrand::Rng,
    life: &mut Life<'a>,
    rows: &'a [Row],
    coverage: &mut Coverage,
    edits: usize,
) -> usize {
    match rng.u8(0..20) {
        0..=5 => {
            life.used = (life.used + rng.i32(-4..=6)).clamp(1, life.seats);
            edits
        }
        6..=10 => {
            let by = rng.i32(-8..=12);
            life.edit(|life| life.wish = (life.wish + by).max(life.used.max(10)));
            edits + 1
        }
        11 => {
            life.edit(|life| life.rule = rule(rng, rows));
            coverage.zone_edited += 1;
            edits
        }
        12..=13 => {
            away(rng, life, coverage);
            edits
        }
        14..=15 => {
            life.reachable = !life.reachable;
            edits
        }
        16 => {
            // Somebody changes the account.
            life.seats = (life.seats + rng.i32(-5..=5)).max(life.used);
            life.limit = Some(life.seats.max(life.limit.unwrap_or(0)) + rng.i32(0..2) * 10);
            edits
        }
        17 => {
            life.edit(|life| life.suspended = !life.suspended);
            edits
        }
        18 => {
            life.restart();
            edits
        }
        _ => {
            life.shift = rng.i64(-2..=2) * HOUR;
            coverage.clock_set += 1;
            edits
        }
    }
}

/// The operator is away for a while, or over an opening.
fn away(rng: &mut fastrand::Rng, life: &mut Life<'_>, coverage: &mut Coverage) {
    let opens = &life.rule.windows[0].row.opens;
    let Some(next) = opens.get(opens.partition_point(|opens| *opens <= life.shown())) else { return };
    let next = next - life.shift;
    let until = if rng.bool() { next + rng.i64(1..2 * DAY) } else { life.now + rng.i64(1..3 * DAY) };
    // A window that opens once in years is not waited for.
    life.now = until.min(life.now + 60 * DAY);
    coverage.away_at_an_opening += usize::from(life.now > next);
    life.restart();
}

fn noted(life: &Life<'_>, before: usize, coverage: &mut Coverage, edits: usize) -> usize {
    let missed = life.status.conditions.iter().any(|c| c.type_ == kind::CHANGE_PENDING && c.reason == "WindowMissed");
    coverage.missed += usize::from(missed);
    let mut edits = edits;
    for request in &life.requests[before..] {
        let moves = request.raises || request.lowers;
        coverage.limit_only += usize::from(!moves);
        coverage.urgent += usize::from(request.urgent);
        coverage.repeats += usize::from(request.attempt == 2);
        if !moves || request.attempt > 1 {
            continue;
        }
        coverage.merged += usize::from(edits > 1);
        edits = 0;
        let stretch = table::stretch_at(&request.rule.windows, request.at);
        coverage.late += usize::from(stretch.is_none() && !request.urgent);
        let Some((opens, closes)) = stretch.filter(|_| !request.urgent) else { continue };
        let odd = request.rule.windows.iter().flat_map(|window| &window.row.odd);
        for (_, odd) in odd.filter(|(at, _)| (opens..closes).contains(at)) {
            match odd {
                Odd::Gap => coverage.in_gap += 1,
                Odd::Overlap => coverage.in_overlap += 1,
            }
        }
        let others = life.requests[..before].iter().filter(|one| (opens..closes).contains(&one.at));
        coverage.second_of_a_window += usize::from(others.count() > 0);
    }
    edits
}
