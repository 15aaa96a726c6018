//! Simulated years: one or two objects of an account wait for windows while everything happens that happens in a year, in
//! virtual time.
//!
//! The operator's own code decides; a judge counts by a table of openings that another implementation made. `SEED=n` plays
//! one year alone, `YEARS=n` so many.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

mod account;
mod coverage;
mod events;
mod judge;
mod situation;
mod table;
mod users;
mod year;

use std::env;
use std::ops::Range;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use account::Account;
use coverage::Coverage;
use events::{event, rule};
use judge::{Faults, judge};
use table::{ScheduleRow, rows, stretch_at};
use users::Told;
use year::{Fate, Life, pool};

/// How many years are played.
const YEARS: u64 = 3000;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;

/// The first and the last second of the table, with room for what begins before and ends after.
const FIRST: i64 = 1_706_745_600;
const LAST: i64 = 2_137_000_000;

fn main() -> ExitCode {
    let told = users::are_told();
    if told == Told::Anew {
        return ExitCode::SUCCESS;
    }
    let rows = rows();
    let number = |name| env::var(name).ok().and_then(|number: String| number.parse::<u64>().ok());
    let (seed, most) = (number("SEED"), number("YEARS").unwrap_or(YEARS));
    let seeds = seed.map_or(0..most, |seed| seed..seed + 1);
    let Played { years, changes, faults, coverage } = play_all(seeds, &rows);
    println!(
        "simulated years: {years}, {changes} changes, {} outside windows, {} changes too many, {} urgent without a reason, \
         {} late without a right, {} although held",
        faults.outside, faults.too_many, faults.not_urgent, faults.late_without_right, faults.held
    );
    println!("covered: {coverage:?}");
    let whole = seed.is_some() || coverage.is_whole();
    if !whole {
        eprintln!("something was never met: the run proves too little");
    }
    if told == Told::Yes && whole && faults.count() == 0 && changes > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What came of the years that one thread has played, or all of them.
#[derive(Default)]
struct Played {
    years: u64,
    changes: usize,
    faults: Faults,
    coverage: Coverage,
}

/// Plays the years on all cores.
fn play_all(seeds: Range<u64>, rows: &[ScheduleRow]) -> Played {
    let next = AtomicU64::new(seeds.start);
    let some = || {
        let mut played = Played::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return played;
            }
            played.add_year(seed, rows);
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(some)).collect();
        threads.into_iter().fold(Played::default(), |all, one| all.with(&one.join().expect("a thread that ends well")))
    })
}

impl Played {
    fn add_year(&mut self, seed: u64, rows: &[ScheduleRow]) {
        for life in play(seed, rows, &mut self.coverage) {
            let wrong = judge(&life.requests);
            if wrong.count() > 0 {
                eprintln!("year {seed}: {wrong:?}; SEED={seed} plays it alone");
            }
            self.changes += life.requests.len();
            self.faults.add(wrong);
        }
        self.years += 1;
    }

    fn with(mut self, other: &Self) -> Self {
        self.years += other.years;
        self.changes += other.changes;
        self.faults.add(other.faults);
        self.coverage.add(&other.coverage);
        self
    }
}

fn play<'a>(seed: u64, rows: &'a [ScheduleRow], coverage: &mut Coverage) -> Vec<Life<'a>> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let begin = rng.i64(FIRST..LAST - YEAR);
    // Every other account has two products.
    let pools = if rng.bool() { vec![pool(0, 100, 80)] } else { vec![pool(0, 100, 80), pool(1, 95, 75)] };
    let mut account = Account::begin(begin, pools);
    let mut lives = vec![Life::begin(&account, 0, rule(&mut rng, rows))];
    if account.pools.len() > 1 {
        // Two products have the same windows as often as not.
        let same = rng.bool();
        let rule = if same { lives[0].wish.rule.clone() } else { rule(&mut rng, rows) };
        lives.push(Life::begin(&account, 1, rule));
    }
    let (mut next_event, mut edits) = (begin + rng.i64(0..DAY), vec![0; lives.len()]);
    while account.now < begin + YEAR {
        let turn = usize::from(lives.get(1).is_some_and(|other| other.next < lives[0].next));
        if next_event <= lives[turn].next {
            account.now = account.now.max(next_event);
            if let Some(edited) = event(&mut rng, (&mut account, &mut lives), rows, coverage) {
                edits[edited] += 1;
            }
            next_event = after(&mut rng, &account, &lives);
            continue;
        }
        account.now = account.now.max(lives[turn].next);
        pass(&mut rng, (&mut account, &mut lives), turn, (coverage, &mut edits));
    }
    lives
}

/// When the next thing happens: now and then while a window is open, or in the last second before it closes.
fn after(rng: &mut fastrand::Rng, account: &Account, lives: &[Life<'_>]) -> i64 {
    let at = account.now + rng.i64(1..4 * DAY);
    let windows = &rng.choice(lives).expect("an object").wish.rule.windows;
    let next = rng.choice(windows).and_then(|window| window.next(at + account.shift));
    // A window that opens once a month is mostly not waited for.
    let next = next.filter(|(opens, _)| opens - account.shift < at + 5 * DAY);
    let open = stretch_at(windows, account.shown());
    // A wish is edited where a clock is about to be set.
    let odd = rng.choice(windows).and_then(|window| window.next_odd(account.shown() + 6 * HOUR));
    if let Some(odd) = odd.filter(|odd| rng.u8(0..3) == 0 && *odd < account.shown() + 90 * DAY) {
        return odd - account.shift - rng.i64(1..6 * HOUR);
    }
    match (rng.u8(0..3), next) {
        // What happens in a window is seldom alone.
        _ if rng.bool() && open.is_some_and(|(_, closes)| closes > account.shown() + 1) => {
            open.map_or(at, |(_, closes)| rng.i64(account.shown() + 1..closes) - account.shift)
        }
        (0, Some((opens, closes))) => rng.i64(opens..closes) - account.shift,
        (1, Some((_, closes))) => closes - account.shift - 1,
        _ => at,
    }
}

/// An object is looked at, and wakes the other one.
fn pass(
    rng: &mut fastrand::Rng,
    (account, lives): (&mut Account, &mut Vec<Life<'_>>),
    turn: usize,
    (coverage, edits): (&mut Coverage, &mut [usize]),
) {
    let fate = match rng.u8(0..16) {
        0 => Fate::NotSent,
        1 => Fate::LostAndMade,
        2 => Fate::LostAndNotMade,
        _ => Fate::Made,
    };
    let other = lives.get(1 - turn);
    let stuck: Vec<_> = other.and_then(|other| other.stuck(account.pools[other.pool].name)).into_iter().collect();
    let life = &mut lives[turn];
    let (before, at) = (life.requests.len(), account.shown());
    life.pass(account, &stuck, fate);
    life.next = life.next.max(account.now + 1);
    let open = stretch_at(&life.wish.rule.windows, at).is_some();
    coverage.held_in_a_used_window += usize::from(open && life.waits_for_window());
    coverage.first_second_after += usize::from(ended_at(life, at) && life.status.plan.is_some());
    coverage.note(life, before, &mut edits[turn]);
    let changed = life.requests.len() > before;
    if let Some(other) = lives.get_mut(1 - turn).filter(|_| changed) {
        other.next = other.next.min(account.now + 1);
    }
}

/// Whether a window of an object ends at this second.
fn ended_at(life: &Life<'_>, at: i64) -> bool {
    let windows = &life.wish.rule.windows;
    stretch_at(windows, at).is_none() && stretch_at(windows, at - 1).is_some()
}
