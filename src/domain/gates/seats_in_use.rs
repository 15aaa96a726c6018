//! No decrease goes below the seats in use. While the use is not known, no decrease is made.

use super::{Hold, HoldKind, Wanted};
use crate::domain::{Situation, Usage};

pub(super) fn gate(s: &Situation<'_>, wanted: &Wanted<'_>) -> Vec<Hold> {
    let (now, target) = (wanted.now.seats, wanted.target.seats);
    if target >= now {
        return vec![];
    }
    let (free, holders) = s.desired.pool.frees;
    let used = match s.seen.usage {
        Usage::NotReported => Some(format!(
            "{target} seats would be fewer than now, and the seats in use could not be read: a decrease needs them"
        )),
        Usage::Exact(used) | Usage::AtLeast(used) if used > target => Some(format!(
            "{target} seats would be below the {used} in use: {free} {} {holders} first",
            i64::from(used) - i64::from(target)
        )),
        Usage::Exact(_) | Usage::AtLeast(_) => None,
    };
    used.map(|message| Hold::of(HoldKind::GuardRail, message)).into_iter().collect()
}
