//! The object's guard rails, and the ceilings of the installer. The gate `seats_in_use` allows no decrease below the seats in use.

use super::{Hold, HoldKind, Wanted};
use crate::api::Step;
use crate::domain::Situation;
use crate::domain::ceilings::Upper;

pub(super) fn gate(s: &Situation<'_>, wanted: &Wanted<'_>) -> Vec<Hold> {
    let most: Vec<Upper> = s.desired.most_seats().collect();
    let largest: Vec<Upper> = s.desired.largest_increase().collect();
    let bounds = most.iter().flat_map(|most| above(s, wanted, most)).chain(below(s, wanted));
    let reach = most.iter().map(|most| most.max).min();
    let steps = largest.iter().flat_map(|largest| increase(s, wanted, largest, reach)).chain(decrease(s, wanted));
    let each = unknown_size(wanted, most.iter().chain(&largest)).into_iter().chain(bounds).chain(steps);
    each.map(|message| Hold::of(HoldKind::GuardRail, message)).collect()
}

/// The seats of a key are known only after it is added: they could exceed any upper bound.
fn unknown_size<'a>(wanted: &Wanted<'_>, bounds: impl IntoIterator<Item = &'a Upper>) -> Option<String> {
    let Upper { name, remove, .. } = bounds.into_iter().next()?;
    let Step::AddKey(key) = &wanted.change.step else { return None };
    let path = key.secret_key_ref.as_ref().map_or_else(String::new, crate::api::SecretKeyRef::path);
    Some(format!("the seats of license key {path} are known only after it is added and may exceed {name}: {remove}"))
}

fn above(s: &Situation<'_>, wanted: &Wanted<'_>, most: &Upper) -> Vec<String> {
    let Upper { max, name, raise, remove, holds_what_falls, .. } = most;
    let (now, target) = (wanted.now, wanted.target);
    let seats = (target.seats > *max && target.seats > now.seats)
        .then(|| format!("{} seats would be above {name}: lower seats, or {raise}", target.seats));
    let limit = match target.limit {
        _ if target.limit == now.limit => None,
        // A pinned limit follows the seats, which have the same sentence. One sentence is enough.
        Some(limit) if !holds_what_falls && seats.is_some() && limit == target.seats => None,
        // If steps have a bound, seats that follow the use go down in steps, and a pinned limit follows them.
        Some(limit) if s.desired.sizing.is_some() && limit == target.seats && limit < now.seats => None,
        Some(limit) if !holds_what_falls && now.limit.is_none_or(|old| limit < old) => None,
        Some(limit) if limit > *max => {
            Some(format!("a limit of {limit} would be above {name}: lower the limit, or {raise}"))
        }
        None => Some(format!(
            "spec.limit.mode Unlimited would let {} buy past {name}: use mode UpTo or Pinned, or {remove}",
            s.desired.pool.vendor.name
        )),
        Some(_) => None,
    };
    seats.into_iter().chain(limit).collect()
}

fn below(s: &Situation<'_>, wanted: &Wanted<'_>) -> Option<String> {
    let (now, target) = (wanted.now.seats, wanted.target.seats);
    let min = s.desired.guardrails.min_seats.filter(|min| target < now && target < *min)?;
    Some(format!("{target} seats would be below spec.guardrails.minSeats {min}: raise seats, or lower minSeats first"))
}

/// Steps upwards that are larger than one change may be. What the vendor may buy up to a higher limit is a step too. `reach`: the most
/// seats. If the wish is held because it is beyond `reach`, and `reach` is within one step, the step is not reported.
fn increase(s: &Situation<'_>, wanted: &Wanted<'_>, largest: &Upper, reach: Option<i32>) -> Option<String> {
    let Upper { max, name, raise, .. } = largest;
    let (seats, now, max) = (wanted.target.seats, i64::from(wanted.now.seats), i64::from(*max));
    let step = i64::from(seats) - now;
    if step > max {
        let next = now + max;
        let within = reach.is_some_and(|reach| reach < seats && i64::from(reach) <= next);
        (!within).then(|| {
            format!("{seats} seats are {step} more than now, above {name}: declare {next} seats first, or {raise}")
        })
    } else {
        higher_limit(s, wanted, largest)
    }
}

fn decrease(s: &Situation<'_>, wanted: &Wanted<'_>) -> Option<String> {
    let (seats, now) = (wanted.target.seats, i64::from(wanted.now.seats));
    let step = now - i64::from(seats);
    let max = s.desired.guardrails.max_decrease.filter(|max| step > i64::from(*max))?;
    let next = now - i64::from(max);
    // The same for the fewest seats.
    let within = s.desired.guardrails.min_seats.is_some_and(|min| min > seats && i64::from(min) >= next);
    (!within).then(|| format!(
        "{seats} seats are {step} fewer than now, above spec.guardrails.maxDecrease {max}: declare {next} seats first, or raise \
         maxDecrease"
    ))
}

/// A limit that is raised or removed, measured from the seats that are purchased now.
fn higher_limit(s: &Situation<'_>, wanted: &Wanted<'_>, largest: &Upper) -> Option<String> {
    let Upper { max, name, raise, remove, .. } = largest;
    let (now, target, vendor) = (wanted.now, wanted.target, &s.desired.pool.vendor.name);
    let old = now.limit?;
    let Some(limit) = target.limit else {
        return Some(format!(
            "spec.limit.mode Unlimited would let {vendor} buy past {name}: use mode UpTo or Pinned, or {remove}"
        ));
    };
    let room = i64::from(limit) - i64::from(now.seats);
    (limit > old && room > i64::from(*max)).then(|| {
        format!(
            "a limit of {limit} would let {vendor} buy {room} seats more than now, above {name}: lower the limit, or {raise}"
        )
    })
}
