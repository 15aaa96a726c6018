//! `spec.sizing`: how many seats there should be, by their use. A higher use counts at once. A lower use counts once no reading
//! showed a higher one for a while, which the status remembers. A remembered use keeps seats and never buys any. So no record can
//! buy seats, even if it is old, of another account, or forged.
//!
//! The number replaces `spec.seats`. It is no wish of its own: people come and go, and only an edit by a person ends a hold or a refusal.

mod messages;

use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

pub(super) use messages::unknown;

use super::{Desired, Goal, LimitGoal, Numbers, Snapshot, SpecFault, Usage};
use crate::api::{self, LicenseSeatsSpec, LimitMode, PastUse, SizeBound, SizingStatus, parse_duration};

/// How long fewer seats must have been enough, if the spec has no value.
const DECREASE_AFTER: Duration = Duration::from_secs(336 * 3600);

/// As in the rule for `spec.sizing.decreaseAfter`.
const DECREASES: RangeInclusive<Duration> = Duration::from_secs(3600)..=Duration::from_secs(2160 * 3600);

/// As in the schema of `spec.sizing.step`.
const LARGEST_STEP: i32 = i16::MAX as i32;

/// This many earlier uses are remembered.
const MOST_PAST: usize = 16;

/// `spec.sizing`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sizing {
    /// At least this many seats should be free.
    pub seats: i32,
    /// This percentage of the seats in use should be free too.
    pub percent: i32,
    /// The number of seats is a multiple of this.
    pub step: i32,
    /// How long fewer seats must have been enough.
    pub decrease_after: Duration,
}

/// The number of seats that follows from the use, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Size {
    /// The use is not known, and the seats stay.
    Unknown,
    /// The number is known.
    Follows {
        /// The uses that the status remembers.
        record: SizingStatus,
        /// Seats before the bounds.
        asked: i32,
        /// The number of the bound that counts, as in `record.clamped_by`.
        bound: Option<i32>,
        /// Fewer seats would be enough, and are wanted at this time at the earliest.
        lowers: Option<Timestamp>,
        /// Fewer seats would be enough for the use that is shown, and more may be in use.
        lower_bound: bool,
    },
}

impl Sizing {
    /// Checks specs that pass admission, and those stored before a rule.
    pub(super) fn parse(spec: &LicenseSeatsSpec, goal: &Goal) -> Result<Option<Self>, SpecFault> {
        let Some(sizing) = &spec.sizing else { return Ok(None) };
        beside(spec, sizing, goal)?;
        let api::Sizing { headroom, step, decrease_after } = sizing;
        if headroom.seats.is_none() && headroom.percent.is_none() {
            return Err(SpecFault("spec.sizing.headroom is empty: set seats, percent, or both".into()));
        }
        for (field, number, range) in [
            ("headroom.seats", headroom.seats, 0..=i32::MAX),
            ("headroom.percent", headroom.percent, 0..=1000),
            ("step", *step, 1..=LARGEST_STEP),
        ] {
            if let Some(number) = number.filter(|number| !range.contains(number)) {
                let (least, most) = (range.start(), range.end());
                return Err(SpecFault(format!(
                    "spec.sizing.{field} is {number}: it must be between {least} and {most}"
                )));
            }
        }
        let text = decrease_after.as_deref();
        let parsed = text.map(parse_duration).transpose();
        let parsed = parsed.map_err(|error| SpecFault(format!("spec.sizing.decreaseAfter {error}")))?;
        let decrease_after = parsed.unwrap_or(DECREASE_AFTER);
        if !DECREASES.contains(&decrease_after) {
            let fault = "spec.sizing.decreaseAfter must be a duration between 1h and 2160h, such as 336h";
            return Err(SpecFault(fault.into()));
        }
        let (seats, percent) = (headroom.seats.unwrap_or(0), headroom.percent.unwrap_or(0));
        Ok(Some(Self { seats, percent, step: step.unwrap_or(1), decrease_after }))
    }

    /// Seats for this many in use: those and the headroom, rounded up to the step.
    fn seats_for(&self, used: i32) -> i32 {
        let (used, percent, step) = (i64::from(used), i64::from(self.percent), i64::from(self.step));
        let headroom = i64::from(self.seats).max((used * percent + 99) / 100);
        let seats = (used + headroom + step - 1) / step * step;
        i32::try_from(seats).unwrap_or(i32::MAX)
    }

    /// The time from which an earlier use no longer counts.
    fn over(&self, time: &Time) -> Timestamp {
        let length = SignedDuration::try_from(self.decrease_after).unwrap_or(SignedDuration::MAX);
        time.0.checked_add(length).unwrap_or(Timestamp::MAX)
    }

    /// The remembered uses, with this one. A former use has the time of the first reading that showed fewer, because earlier uses
    /// are not known. A time in the future comes from another clock, and counts as now.
    fn follow(
        &self,
        old: Option<&SizingStatus>,
        seen: &Snapshot,
        (seats, used): (i32, i32),
        now: Timestamp,
    ) -> SizingStatus {
        let passed = |time: &Time| Time(time.0.min(now));
        let mut highest: Vec<PastUse> = old.into_iter().flat_map(|old| old.highest.iter()).cloned().collect();
        highest.iter_mut().for_each(|past| past.until = passed(&past.until));
        if let Some(old) = old.filter(|old| old.used > used) {
            highest.retain(|past| past.used > old.used);
            highest.push(PastUse { used: old.used, until: Time(now) });
        }
        highest.retain(|past| past.used > used && now < self.over(&past.until));
        while highest.len() > MOST_PAST {
            join_nearest(&mut highest);
        }
        let known = old.and_then(|old| Some((passed(old.since.as_ref()?), old.seats_then?)));
        // If earlier readings showed a part of the use, the first reading of the whole use proves nothing about the time before.
        let all = matches!(seen.usage, Usage::Exact(_));
        let (since, seats_then) = all.then(|| known.unwrap_or((Time(now), seats))).unzip();
        let in_sync_with = old.and_then(|old| old.in_sync_with);
        let (account, wanted) = (seen.account_key(), self.seats_for(used));
        SizingStatus { account, used, wanted, clamped_by: None, since, seats_then, highest, in_sync_with }
    }

    /// Seats that earlier uses need, each with the time until which it counts. None is known from before the use was followed, so
    /// the seats of that time count like them.
    fn kept(&self, record: &SizingStatus, now: Timestamp) -> Vec<(i32, Timestamp)> {
        let before = record.seats_then.zip(record.since.as_ref().map(|since| self.over(since)));
        let uses = record.highest.iter().map(|past| (self.seats_for(past.used), self.over(&past.until)));
        uses.chain(before.filter(|(_, until)| now < *until)).collect()
    }
}

/// Checks that no field beside it excludes it.
fn beside(spec: &LicenseSeatsSpec, sizing: &api::Sizing, goal: &Goal) -> Result<(), SpecFault> {
    let increase = spec.adjustment.as_ref().and_then(|adjustment| adjustment.increase.as_ref());
    let urgent = increase.and_then(|increase| increase.urgent_below_free_seats);
    let fault = if spec.seats.is_some() {
        "spec.seats and spec.sizing exclude each other: remove seats (kubectl scale writes it), or remove sizing"
    } else if spec.limit.as_ref().is_some_and(|limit| limit.mode != LimitMode::Pinned) {
        "spec.sizing goes with limit mode Pinned alone, or without a limit: use mode Pinned, or remove sizing"
    } else if matches!(goal, Goal::Keys { .. }) {
        "spec.sizing is for seats that are set as a number, and not for license keys: remove sizing"
    } else if urgent.zip(sizing.headroom.seats).is_some_and(|(urgent, headroom)| urgent > headroom) {
        "spec.adjustment.increase.urgentBelowFreeSeats is above spec.sizing.headroom.seats: lower it, or raise the headroom"
    } else {
        return Ok(());
    };
    Err(SpecFault(fault.into()))
}

/// Makes one of two uses that ended soon after each other: the higher one, until the later one ended.
fn join_nearest(highest: &mut Vec<PastUse>) {
    let apart = |pair: &[PastUse]| pair[0].until.0.duration_until(pair[1].until.0).abs();
    let nearest = highest.windows(2).enumerate().min_by_key(|(_, pair)| apart(pair)).map(|(at, _)| at);
    if let Some(at) = nearest {
        let lower = highest.remove(at + 1);
        highest[at].until = lower.until;
    }
}

impl Desired {
    /// With the seats that follow from the use, where `spec.sizing` says so. `recorded`: what the status remembers.
    #[must_use]
    pub fn sized(self, seen: &Snapshot, recorded: Option<&SizingStatus>, now: Timestamp) -> Self {
        let Some((sizing, shown)) = self.sizing.as_ref().zip(seen.numbers()) else { return self };
        let Some(used) = seen.usage.count() else {
            return Self { seats: Some(shown.seats), size: Some(Size::Unknown), ..self };
        };
        let recorded = recorded.filter(|record| record.account == seen.account_key());
        let record = sizing.follow(recorded, seen, (shown.seats, used), now);
        let kept = sizing.kept(&record, now);
        let most = kept.iter().map(|(seats, _)| *seats).max().unwrap_or(0);
        // An earlier use keeps the present seats, and buys none.
        let asked = record.wanted.max(shown.seats.min(most));
        let (bounded, bound) = self.bounded(asked, shown);
        let lower_bound = matches!(seen.usage, Usage::AtLeast(_)) && bounded < shown.seats;
        let seats = if lower_bound { shown.seats } else { bounded };
        let until = kept.iter().filter(|(seats, _)| *seats >= asked).map(|(_, until)| *until).max();
        let lowers = until.filter(|_| !lower_bound && self.bounded(record.wanted, shown).0 < seats);
        let record = SizingStatus { clamped_by: bound.map(|(bound, _)| bound), ..record };
        let size = Size::Follows { record, asked, bound: bound.map(|(_, number)| number), lowers, lower_bound };
        Self { seats: Some(seats), size: Some(size), ..self }
    }

    /// A number of seats within the bounds, and the bound that counts. A step is bounded last: it goes as far as one change may.
    fn bounded(&self, asked: i32, shown: Numbers) -> (i32, Option<(SizeBound, i32)>) {
        let rails = &self.guardrails;
        // No vendor sells fewer seats than one. If the account has no seat and none is in use, none is bought.
        let (mut seats, mut bound) = (asked.max(shown.seats.min(1)), None);
        let increase = self.largest_increase().map(|one| one.max).min();
        let largest = increase.map(|most| shown.seats.saturating_add(most));
        // Seats above the installer's ceiling stay.
        let ceiling = self.ceilings.max_seats.map(|most| most.max(shown.seats));
        let smallest = rails.max_decrease.map(|most| shown.seats.saturating_sub(most));
        for (which, least, most) in [
            (SizeBound::MinSeats, rails.min_seats, None),
            (SizeBound::MaxSeats, None, rails.max_seats),
            (SizeBound::MaxSeats, None, ceiling),
            (SizeBound::Vendor, None, Some(self.pool.most_seats)),
            (SizeBound::MaxIncrease, None, largest),
            (SizeBound::MaxDecrease, smallest, None),
        ] {
            let within = seats.max(least.unwrap_or(seats)).min(most.unwrap_or(i32::MAX));
            if within != seats {
                (seats, bound) = (within, Some((which, within)));
            }
        }
        (seats, bound)
    }
}

impl Desired {
    fn follows(&self) -> Option<&SizingStatus> {
        match self.size.as_ref()? {
            Size::Follows { record, .. } => Some(record),
            Size::Unknown => None,
        }
    }

    /// The numbers with which the account was last in sync, if the seats follow from the use.
    pub(super) fn in_sync_with(&self, shown: Numbers) -> Option<Numbers> {
        let seats = self.follows()?.in_sync_with?;
        let limit = if self.limit == LimitGoal::Pinned { Some(seats) } else { shown.limit };
        Some(Numbers { seats, limit })
    }

    /// When fewer seats are wanted at the earliest.
    pub(super) fn lowers_at(&self) -> Option<Timestamp> {
        match self.size.as_ref()? {
            Size::Follows { lowers, .. } => *lowers,
            Size::Unknown => None,
        }
    }

    /// Whether fewer seats would be enough for the use, and are not wanted yet. An object that has no record of the account has
    /// agreed to none of those that it found.
    pub(super) fn holds_seats_back(&self) -> bool {
        matches!(self.size, Some(Size::Follows { lower_bound, lowers, .. }) if lower_bound || lowers.is_some())
    }
}

/// The uses that the status remembers from now on. `in_sync`: the numbers of the vendor, if the account is in sync.
pub(super) fn recorded(desired: &Desired, old: Option<SizingStatus>, in_sync: Option<Numbers>) -> Option<SizingStatus> {
    desired.sizing.as_ref()?;
    // Without a use everything stays as it was.
    let Some(record) = desired.follows() else { return old };
    let old = old.filter(|old| old.account == record.account);
    let in_sync_with = in_sync.map(|numbers| numbers.seats).or(old.and_then(|old| old.in_sync_with));
    Some(SizingStatus { in_sync_with, ..record.clone() })
}
