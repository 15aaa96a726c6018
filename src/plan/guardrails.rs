//! What keeps a change from being made: the object's guard rails, the seats in use, and every rule that the vendor
//! would enforce with an answer that explains nothing.

use super::{Desired, LimitGoal, Numbers, Snapshot, Usage};
use crate::api::PlanBlock;

/// One obstacle, with the sentence that says what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// What kind of obstacle.
    pub kind: PlanBlock,
    /// true: the credentials or the vendor can never do this, so that waiting or freeing seats does not help.
    pub unsupported: bool,
    /// A sentence for people.
    pub message: String,
}

/// What the vendor should show, given what it shows now.
///
/// Under an `UpTo` limit the vendor may buy by itself, and what it bought is in order: all of it once this very spec was
/// satisfied, and after an edit as much of it as is in use.
pub(super) fn target(desired: &Desired, now: Numbers, usage: Usage, satisfied: bool) -> Numbers {
    let kept = match desired.limit {
        LimitGoal::UpTo(limit) if now.seats <= limit && satisfied => now.seats,
        LimitGoal::UpTo(limit) if now.seats <= limit => now.seats.min(usage.count().unwrap_or(0)),
        _ => 0,
    };
    let seats = desired.seats.map_or(now.seats, |seats| seats.max(kept));
    let limit = match desired.limit {
        LimitGoal::Keep => now.limit,
        LimitGoal::Pinned => Some(seats),
        LimitGoal::UpTo(limit) => Some(limit),
        LimitGoal::Unlimited => None,
    };
    Numbers { seats, limit }
}

/// Everything that stands against going from `now` to `target`, most fundamental first; empty when nothing does.
///
/// `others`: what the other objects of this account want of their pools.
pub(super) fn blocks(
    desired: &Desired,
    seen: &Snapshot,
    now: Numbers,
    target: Numbers,
    others: &[(&'static str, i32)],
) -> Vec<Block> {
    let vendor = desired.pool.vendor_name();
    let mut found = Vec::new();
    let mut add = |kind, unsupported, message| found.push(Block { kind, unsupported, message });

    if let Some(why) = &seen.support.read_only {
        add(PlanBlock::Vendor, true, why.clone());
    }
    if target.limit.is_none()
        && now.limit.is_some()
        && let Some(why) = &seen.support.cannot_clear_limit
    {
        add(PlanBlock::Vendor, true, why.clone());
    }
    if let Some(limit) = target.limit.filter(|limit| *limit < target.seats) {
        add(
            PlanBlock::Vendor,
            false,
            format!(
                "{vendor} refuses {} seats above the limit of {limit}: set spec.limit (mode Pinned lets the limit follow the seats)",
                target.seats
            ),
        );
    }
    let (min, max) = (desired.guardrails.min_seats, desired.guardrails.max_seats);
    if let Some(max) = max.filter(|max| target.seats > *max && target.seats > now.seats) {
        add(
            PlanBlock::Guardrail,
            false,
            format!("{} seats would be above spec.guardrails.maxSeats {max}", target.seats),
        );
    }
    if let Some(max) = max.filter(|_| target.limit != now.limit) {
        match target.limit {
            Some(limit) if limit > max => add(
                PlanBlock::Guardrail,
                false,
                format!("a limit of {limit} would be above spec.guardrails.maxSeats {max}"),
            ),
            None => add(
                PlanBlock::Guardrail,
                false,
                format!(
                    "spec.limit.mode Unlimited would let {vendor} buy past spec.guardrails.maxSeats {max}: use mode UpTo or \
                     Pinned, or remove maxSeats"
                ),
            ),
            Some(_) => {}
        }
    }
    if let Some(min) = min.filter(|min| target.seats < *min && target.seats < now.seats) {
        add(
            PlanBlock::Guardrail,
            false,
            format!("{} seats would be below spec.guardrails.minSeats {min}", target.seats),
        );
    }
    if target.seats < now.seats {
        match seen.usage {
            Usage::NotReported => add(
                PlanBlock::Guardrail,
                false,
                format!(
                    "{} seats would be fewer than now, and the seats in use could not be read: a decrease needs them",
                    target.seats
                ),
            ),
            Usage::Exact(used) | Usage::AtLeast(used) if used > target.seats => add(
                PlanBlock::Guardrail,
                false,
                format!(
                    "{} seats would be below the {used} in use: remove or revoke {} members first",
                    target.seats,
                    i64::from(used) - i64::from(target.seats)
                ),
            ),
            Usage::Exact(_) | Usage::AtLeast(_) => {}
        }
    }
    if target.seats != now.seats {
        let moves = |bound: &super::Bound, enough: &dyn Fn(i32) -> bool| {
            others.iter().any(|(pool, wanted)| Some(*pool) == bound.pool && enough(*wanted))
        };
        for bound in seen.at_least.iter().filter(|bound| target.seats < bound.seats) {
            let (kind, message) = if moves(bound, &|wanted| wanted <= target.seats) {
                (PlanBlock::OtherPool, waits(bound, "lowered"))
            } else {
                (PlanBlock::Vendor, refused(vendor, target.seats, "fewer", bound))
            };
            add(kind, false, message);
        }
        for bound in seen.at_most.iter().filter(|bound| target.seats > bound.seats) {
            let (kind, message) = if moves(bound, &|wanted| wanted >= target.seats) {
                (PlanBlock::OtherPool, waits(bound, "raised"))
            } else {
                (PlanBlock::Vendor, refused(vendor, target.seats, "more", bound))
            };
            add(kind, false, message);
        }
    }
    found
}

/// Another object of the account is about to move the bound.
fn waits(bound: &super::Bound, moved: &str) -> String {
    format!(
        "it waits until {} is {moved}, as another LicenseSeats of this account declares",
        bound.pool.unwrap_or_default()
    )
}

fn refused(vendor: &str, seats: i32, direction: &str, bound: &super::Bound) -> String {
    format!("{vendor} refuses {seats} seats, {direction} than {}, because {}", bound.seats, bound.because)
}
