//! What happens in a year.

use crate::account::{Account, PoolState};
use crate::coverage::Coverage;
use crate::judge::Rule;
use crate::table::{ScheduleRow, Window};
use crate::year::Life;
use crate::{DAY, HOUR};

/// A window of a row that can be.
fn window<'a>(rng: &mut fastrand::Rng, rows: &'a [ScheduleRow]) -> Window<'a> {
    loop {
        let row = rng.choice(rows).expect("rows");
        let most = (row.gap / HOUR).min(12);
        // What opens less than twice a year sees few changes.
        let is_rare = row.opens.len() < 28;
        if most >= 1 && !(is_rare && rng.u8(0..10) > 0) {
            return Window { row, length: rng.i64(1..=most) * HOUR };
        }
    }
}

/// What a person writes of windows.
pub fn rule<'a>(rng: &mut fastrand::Rng, rows: &'a [ScheduleRow]) -> Rule<'a> {
    let windows = (0..rng.usize(1..=2)).map(|_| window(rng, rows)).collect();
    Rule {
        windows,
        renamed: 0,
        most: if rng.u8(0..4) == 0 { 2 } else { 1 },
        deadline: *rng.choice(&[0, 6 * HOUR, DAY]).expect("one"),
        urgent_below: rng.bool().then(|| rng.i32(1..4)),
    }
}

/// The same windows by the clock of other zones.
fn elsewhere<'a>(rng: &mut fastrand::Rng, rule: &Rule<'a>, rows: &'a [ScheduleRow]) -> Rule<'a> {
    let other = |window: &Window<'a>| {
        let alike: Vec<&ScheduleRow> = rows.iter().filter(|row| row.schedule == window.row.schedule).collect();
        let row = rng.choice(alike).unwrap_or(window.row);
        // No window is longer than until its next opening.
        Window { row, length: window.length.min((row.gap / HOUR).max(1) * HOUR) }
    };
    Rule { windows: rule.windows.iter().map(other).collect(), ..rule.clone() }
}

/// The same windows for another time.
fn longer<'a>(rng: &mut fastrand::Rng, rule: &Rule<'a>) -> Rule<'a> {
    let other = |window: &Window<'a>| {
        let length = rng.i64(1..=(window.row.gap / HOUR).clamp(1, 12)) * HOUR;
        Window { length, ..*window }
    };
    Rule { windows: rule.windows.iter().map(other).collect(), ..rule.clone() }
}

/// A person edits the windows of an object.
fn edit_windows<'a>(
    rng: &mut fastrand::Rng,
    (account, life): (&Account, &mut Life<'a>),
    rows: &'a [ScheduleRow],
    coverage: &mut Coverage,
) {
    let old = life.wish.rule.clone();
    let new = match rng.u8(0..6) {
        0..=2 => rule(rng, rows),
        3 => {
            let new = elsewhere(rng, &old, rows);
            let zones = old.windows.iter().zip(&new.windows).any(|(old, new)| old.row.zone != new.row.zone);
            coverage.zone_edited += usize::from(zones);
            coverage.zone_edited_in_a_used_window += usize::from(zones && life.has_used_an_open_window(account));
            new
        }
        4 => longer(rng, &old),
        _ => {
            coverage.renamed_in_a_used_window += usize::from(life.has_used_an_open_window(account));
            Rule { renamed: old.renamed + 1, ..old }
        }
    };
    life.edit_rule(account, new);
}

/// Something happens to the account or to one of its objects. Returns whose wish was edited, if one was.
pub fn event<'a>(
    rng: &mut fastrand::Rng,
    (account, lives): (&mut Account, &mut Vec<Life<'a>>),
    rows: &'a [ScheduleRow],
    coverage: &mut Coverage,
) -> Option<usize> {
    let nth = rng.usize(0..lives.len());
    let life = &mut lives[nth];
    account.reachable |= rng.bool();
    if life.wish.suspended && rng.bool() {
        life.edit(account, |wish| wish.suspended = false);
    }
    match rng.u8(0..20) {
        0..=5 => {
            let PoolState { used, seats, .. } = &mut account.pools[nth];
            *used = (*used + rng.i32(-5..=12)).clamp(1, *seats);
        }
        6..=9 => {
            let (by, least) = (rng.i32(-8..=12), account.pools[nth].used.max(10));
            life.edit(account, |wish| wish.seats = (wish.seats + by).max(least));
            let wanted = life.wish.seats;
            // Who has both products gives a team both.
            if let Some(other) = lives.get_mut(1 - nth).filter(|_| rng.u8(0..3) > 0) {
                let apart = if nth == 0 { -rng.i32(0..6) } else { rng.i32(0..6) };
                other.edit(account, |wish| wish.seats = (wanted + apart).max(10));
            }
            return Some(nth);
        }
        10..=11 => edit_windows(rng, (&*account, life), rows, coverage),
        12..=13 => away(rng, account, lives, coverage),
        14..=15 => account.reachable = false,
        16 => a_person_changes(rng, account, nth),
        17 => life.edit(account, |wish| wish.suspended = true),
        18 => restart(account, lives),
        _ => {
            account.shift = rng.i64(-2..=2) * HOUR;
            coverage.clock_set += 1;
        }
    }
    // Somebody looks.
    lives[nth].next = account.now + 1;
    None
}

/// Somebody changes the account, as far as the vendor lets them.
fn a_person_changes(rng: &mut fastrand::Rng, account: &mut Account, nth: usize) {
    let other = account.beside(nth).map(|other| other.seats);
    let PoolState { seats, limit, used, .. } = &mut account.pools[nth];
    let (least, most) = match (nth, other) {
        (0, Some(other)) => (other, i32::MAX),
        (1, Some(other)) => (0, other),
        _ => (0, i32::MAX),
    };
    *seats = (*seats + rng.i32(-5..=5)).max(*used).clamp(least, most);
    *limit = Some((*seats).max(limit.unwrap_or(0)) + rng.i32(0..2) * 10);
}

/// Another process takes over.
fn restart(account: &mut Account, lives: &mut [Life<'_>]) {
    account.restart();
    lives.iter_mut().for_each(|life| life.restart(account));
}

/// The operator is away for a while, or over an opening.
fn away(rng: &mut fastrand::Rng, account: &mut Account, lives: &mut [Life<'_>], coverage: &mut Coverage) {
    let window = rng.choice(&*lives).expect("an object").wish.rule.windows[0];
    let Some((opens, _)) = window.next(account.shown()) else { return };
    let next = opens - account.shift;
    let until = if rng.bool() { next + rng.i64(1..2 * DAY) } else { account.now + rng.i64(1..3 * DAY) };
    // A window that opens once in years is not waited for.
    account.now = until.min(account.now + 60 * DAY);
    coverage.away_at_an_opening += usize::from(account.now > next);
    restart(account, lives);
}
