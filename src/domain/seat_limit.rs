//! `spec.limit`: its wish, the seats and the limit that the vendor should show, and the lower limit while an increase waits.

use super::{Desired, Goal, Numbers, SpecFault, Usage};
use crate::api::{LicenseSeatsSpec, LimitMode};

/// The wished limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitGoal {
    /// Any limit.
    Keep,
    /// Equal to the purchased seats.
    Pinned,
    /// This number.
    UpTo(i32),
    /// No limit.
    Unlimited,
}

/// `spec.limit`, checked.
pub(super) fn limit(spec: &LicenseSeatsSpec, goal: &Goal) -> Result<LimitGoal, SpecFault> {
    let Some(limit) = &spec.limit else {
        return Ok(LimitGoal::Keep);
    };
    if matches!(goal, Goal::Keys { .. }) {
        return Err(SpecFault("spec.limit is for vendors that buy by themselves: remove it".into()));
    }
    match (limit.mode, limit.seats) {
        (LimitMode::Pinned, None) => Ok(LimitGoal::Pinned),
        (LimitMode::Unlimited, None) => Ok(LimitGoal::Unlimited),
        (LimitMode::UpTo, Some(seats)) => Ok(LimitGoal::UpTo(seats)),
        (LimitMode::UpTo, None) => {
            Err(SpecFault("spec.limit.mode UpTo needs spec.limit.seats: add limit.seats".into()))
        }
        (LimitMode::Pinned | LimitMode::Unlimited, Some(_)) => {
            Err(SpecFault("spec.limit.seats goes with mode UpTo alone: use mode UpTo, or remove limit.seats".into()))
        }
    }
}

/// The numbers that the vendor should show, from those that it shows now. Under an `UpTo` limit the vendor may buy by itself, and
/// its purchases stay: all of them if this very spec was satisfied before, and after an edit those in use.
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

/// Whether more seats than the spec asks for stay because the vendor may have bought them. No person has agreed to fewer seats if
/// the object found them.
pub(super) fn keeps_bought(desired: &Desired, now: Numbers) -> bool {
    matches!(desired.limit, LimitGoal::UpTo(_)) && desired.seats.is_some_and(|seats| seats < now.seats)
}

/// The protective step while an increase waits: lower the limit to what the spec allows.
pub(super) fn protected(limit: LimitGoal, now: Numbers, wanted: Numbers) -> Option<Numbers> {
    let most = match limit {
        LimitGoal::Keep | LimitGoal::Unlimited => return None,
        LimitGoal::Pinned => now.seats,
        LimitGoal::UpTo(limit) => limit.max(now.seats),
    };
    let lower = now.limit.is_none_or(|limit| limit > most);
    (lower && wanted.seats > now.seats).then_some(Numbers { seats: now.seats, limit: Some(most) })
}
