//! The object's guard rails. That no decrease goes below the seats in use is in `seats_in_use`.

use super::{Hold, HoldKind, Wanted};
use crate::api::Step;
use crate::domain::Situation;

pub(super) fn gate(s: &Situation<'_>, wanted: &Wanted<'_>) -> Vec<Hold> {
    let bounds = above(s, wanted).into_iter().chain(below(s, wanted));
    let each = unknown_size(s, wanted).into_iter().chain(bounds).chain(steps(s, wanted));
    each.map(|message| Hold::of(HoldKind::GuardRail, message)).collect()
}

/// How many seats a key brings shows only once it is added: that could be more than any upper bound.
fn unknown_size(s: &Situation<'_>, wanted: &Wanted<'_>) -> Option<String> {
    let rails = &s.desired.guardrails;
    let increase = || rails.max_increase.map(|max| ("maxIncrease", max));
    let (rail, max) = rails.max_seats.map(|max| ("maxSeats", max)).or_else(increase)?;
    let Step::AddKey(key) = &wanted.change.step else { return None };
    let path = key.secret_key_ref.as_ref().map_or_else(String::new, crate::api::SecretKeyRef::path);
    Some(format!(
        "license key {path} shows how many seats it brings only once it is added, which may be above \
         spec.guardrails.{rail} {max}: remove {rail}"
    ))
}

fn above(s: &Situation<'_>, wanted: &Wanted<'_>) -> Vec<String> {
    let Some(max) = s.desired.guardrails.max_seats else { return vec![] };
    let (now, target) = (wanted.now, wanted.target);
    let seats = (target.seats > max && target.seats > now.seats).then(|| {
        format!(
            "{} seats would be above spec.guardrails.maxSeats {max}: lower seats, or raise maxSeats first",
            target.seats
        )
    });
    let limit = match target.limit {
        _ if target.limit == now.limit => None,
        // Seats that follow the use go down in steps where a step is bounded, and a pinned limit goes with them.
        Some(limit) if s.desired.sizing.is_some() && limit == target.seats && limit < now.seats => None,
        Some(limit) if limit > max => Some(format!(
            "a limit of {limit} would be above spec.guardrails.maxSeats {max}: lower the limit, or raise maxSeats first"
        )),
        None => Some(format!(
            "spec.limit.mode Unlimited would let {} buy past spec.guardrails.maxSeats {max}: use mode UpTo or \
             Pinned, or remove maxSeats",
            s.desired.pool.vendor.name
        )),
        Some(_) => None,
    };
    seats.into_iter().chain(limit).collect()
}

fn below(s: &Situation<'_>, wanted: &Wanted<'_>) -> Vec<String> {
    let (now, target) = (wanted.now.seats, wanted.target.seats);
    let min = s.desired.guardrails.min_seats.filter(|min| target < now && target < *min);
    min.map(|min| {
        format!("{target} seats would be below spec.guardrails.minSeats {min}: raise seats, or lower minSeats first")
    })
    .into_iter()
    .collect()
}

/// Steps that are larger than one change may be. What the vendor may buy up to a higher limit is a step too.
fn steps(s: &Situation<'_>, wanted: &Wanted<'_>) -> Vec<String> {
    let (rails, now, target) = (&s.desired.guardrails, wanted.now, wanted.target);
    let (seats, step) = (target.seats, i64::from(target.seats) - i64::from(now.seats));
    let up = rails.max_increase.filter(|max| step > i64::from(*max)).map(|max| {
        let next = i64::from(now.seats) + i64::from(max);
        format!(
            "{seats} seats are {step} more than now, above spec.guardrails.maxIncrease {max}: declare {next} seats first, or raise \
             maxIncrease"
        )
    });
    let down = rails.max_decrease.filter(|max| -step > i64::from(*max)).map(|max| {
        let next = i64::from(now.seats) - i64::from(max);
        format!(
            "{seats} seats are {} fewer than now, above spec.guardrails.maxDecrease {max}: declare {next} seats first, or raise \
             maxDecrease",
            -step
        )
    });
    let limit = rails.max_increase.filter(|_| up.is_none()).and_then(|max| higher_limit(s, wanted, max));
    up.into_iter().chain(down).chain(limit).collect()
}

/// A limit that is raised or removed, measured from the seats that are purchased now.
fn higher_limit(s: &Situation<'_>, wanted: &Wanted<'_>, max: i32) -> Option<String> {
    let (now, target, vendor) = (wanted.now, wanted.target, &s.desired.pool.vendor.name);
    let old = now.limit?;
    let Some(limit) = target.limit else {
        return Some(format!(
            "spec.limit.mode Unlimited would let {vendor} buy past spec.guardrails.maxIncrease {max}: use mode UpTo or Pinned, or \
             remove maxIncrease"
        ));
    };
    let room = i64::from(limit) - i64::from(now.seats);
    (limit > old && room > i64::from(max)).then(|| {
        format!(
            "a limit of {limit} would let {vendor} buy {room} seats more than now, above spec.guardrails.maxIncrease {max}: lower \
             the limit, or raise maxIncrease"
        )
    })
}
