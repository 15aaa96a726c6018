//! Changes that these credentials can never make, and rules that the vendor enforces with an answer without a reason.

use super::{Hold, HoldKind, Wanted};
use crate::domain::{Bound, Obstacle, Situation};

/// Changes that the credentials or the vendor can never make.
pub(super) fn support(s: &Situation<'_>, wanted: &Wanted<'_>) -> Vec<Hold> {
    let support = &s.seen.rules.support;
    let clears = wanted.target.limit.is_none() && wanted.now.limit.is_some();
    let clearing = support.cannot_clear_limit.iter().filter(|_| clears);
    let moves = wanted.target.seats != wanted.now.seats;
    let fixed = support.seats_fixed.iter().filter(|_| moves);
    let each = support.read_only.iter().chain(fixed).chain(clearing);
    each.map(|why| Hold::of(HoldKind::Unsupported, why.clone())).collect()
}

/// Bounds that the vendor enforces and no other object is about to move.
pub(super) fn rules(s: &Situation<'_>, wanted: &Wanted<'_>) -> Vec<Hold> {
    let (vendor, seats) = (s.desired.pool.vendor.name, wanted.target.seats);
    let below_limit = wanted.target.limit.filter(|limit| *limit < seats).map(|limit| {
        format!(
            "{vendor} refuses {seats} seats above the limit of {limit}: set spec.limit (mode Pinned lets the limit follow the seats)"
        )
    });
    let crossed = crossed(s, wanted).filter(|crossed| !crossed.moves);
    let crossed = crossed.map(|crossed| format!("{vendor} refuses {seats} seats: {}", crossed.bound.because));
    below_limit.into_iter().chain(crossed).map(|message| Hold::of(HoldKind::VendorRule, message)).collect()
}

/// A bound that a change would cross.
pub(in crate::domain) struct Crossed<'a> {
    pub bound: &'a Bound,
    /// Another object of the account is or may be about to move the bound far enough. It may be if this object is read for the first
    /// time, or if not all objects were read in this term.
    pub moves: bool,
    /// How the bound would have to move.
    pub way: &'static str,
}

/// Whether another object of the account, which was read, declares the pool of a bound.
pub(in crate::domain) fn declares(s: &Situation<'_>, bound: &Bound) -> bool {
    s.others.iter().any(|(pool, _)| Some(*pool) == bound.pool)
}

pub(in crate::domain) fn crossed<'a>(s: &'a Situation<'_>, wanted: &Wanted<'_>) -> impl Iterator<Item = Crossed<'a>> {
    let (now, seats) = (wanted.now.seats, wanted.target.seats);
    let reading = s.is_first_look() || s.obstacle == Some(&Obstacle::NotScanned);
    let moves = move |bound: &Bound, enough: fn(i32, i32) -> bool| {
        // Objects that are applied together are read one after the other, and so are all for a new leader.
        let read_later = reading && bound.pool.is_some() && !declares(s, bound);
        read_later || s.others.iter().any(|(pool, wanted)| Some(*pool) == bound.pool && enough(*wanted, seats))
    };
    let rules = &s.seen.rules;
    let low = rules.at_least.iter().filter(move |bound| seats < bound.seats).map(move |bound| Crossed {
        bound,
        moves: moves(bound, |wanted, seats| wanted <= seats),
        way: "lowered",
    });
    let high = rules.at_most.iter().filter(move |bound| seats > bound.seats).map(move |bound| Crossed {
        bound,
        moves: moves(bound, |wanted, seats| wanted >= seats),
        way: "raised",
    });
    low.chain(high).filter(move |_| seats != now)
}
