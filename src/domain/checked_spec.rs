//! The checked spec, which later steps use instead of the loose resource.
//!
//! Admission refuses most nonsense, but objects stored before a rule existed arrive here all the same.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::protocol::digest;
use super::seat_limit::{LimitGoal, limit};
use super::{Ceilings, ChangeTimes, Pool, Size, Sizing, Standing};
use crate::api::{
    ApprovalPolicy, DriftPolicy, Guardrails, LicenseSeatsSpec, ManagementPolicy, Thresholds, parse_duration,
};

/// How often the vendor is read if the spec has no interval.
pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(600);

/// The longest interval, as in the rule for `spec.interval`.
pub const LONGEST_INTERVAL: Duration = Duration::from_secs(24 * 3600);

/// What admission lets through. A spec from before may say centuries, which cannot be added to a clock.
const INTERVAL: RangeInclusive<Duration> = Duration::from_secs(1)..=LONGEST_INTERVAL;

/// When to warn of the end of a license if the spec has no thresholds: 30 days and a week before.
const DEFAULT_EXPIRY: [Duration; 2] = [Duration::from_secs(720 * 3600), Duration::from_secs(168 * 3600)];

/// A spec that cannot be acted on. The sentence names the field and the fix.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct SpecFault(pub String);

/// The checked spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// Which pool.
    pub pool: Pool,
    /// Purchased seats wanted; `None` leaves them.
    pub seats: Option<i32>,
    /// How the seats follow from the use, if they do. Then `seats` is known only after a reading of the vendor: [`Desired::sized`].
    pub sizing: Option<Sizing>,
    /// The computed size.
    pub size: Option<Size>,
    /// Limit wanted.
    pub limit: LimitGoal,
    /// Bounds on every change.
    pub guardrails: Guardrails,
    /// The installer's ceilings: [`Desired::under`].
    pub ceilings: Ceilings,
    /// When changes may be made.
    pub adjustment: ChangeTimes,
    /// Which changes need a person's yes.
    pub approval: ApprovalPolicy,
    /// A hash of everything in the spec that decides which change is wanted. An edit of it makes another plan.
    pub asked: String,
    /// Manage or only observe.
    pub policy: ManagementPolicy,
    /// The reaction to a change from outside.
    pub drift: DriftPolicy,
    /// Which cluster's Seatkeeper changes the account.
    pub standing: Standing,
    /// No writes for now.
    pub suspended: bool,
    /// When a shortage is reported.
    pub thresholds: Thresholds,
    /// How long before the end of a license to warn, longest first.
    pub expiry: Vec<Duration>,
    /// How often to read, at least `min_interval`.
    pub interval: Duration,
}

impl Desired {
    /// Checks a spec. `pool` is what the vendor's folder read from it; `min_interval` is the operator's own lower bound for
    /// `interval`.
    ///
    /// # Errors
    /// [`SpecFault`] names the field and the fix.
    pub fn parse(spec: &LicenseSeatsSpec, pool: Pool, min_interval: Duration) -> Result<Self, SpecFault> {
        numbers(spec, pool.most_seats)?;
        let sizing = Sizing::parse(spec, &pool.goal)?;
        Ok(Self {
            seats: spec.seats,
            sizing,
            size: None,
            limit: limit(spec, &pool.goal)?,
            pool,
            guardrails: spec.guardrails.clone().unwrap_or_default(),
            ceilings: Ceilings::default(),
            adjustment: ChangeTimes::parse(spec.adjustment.as_ref())?,
            approval: approval(spec)?,
            asked: asked(spec),
            policy: spec.management_policy.unwrap_or_default(),
            drift: spec.drift_policy.unwrap_or_default(),
            standing: Standing::parse(spec.active_cluster.as_deref())?,
            suspended: spec.suspend.unwrap_or_default(),
            thresholds: spec.thresholds.clone().unwrap_or_default(),
            expiry: expiry(spec.thresholds.as_ref())?,
            interval: interval(spec.interval.as_deref())?.max(min_interval),
        })
    }
}

/// The same rule as in admission.
fn approval(spec: &LicenseSeatsSpec) -> Result<ApprovalPolicy, SpecFault> {
    let Some(policy) = &spec.approval else { return Ok(ApprovalPolicy::default()) };
    let ApprovalPolicy { increase_above, decrease_above } = policy;
    for (field, number) in [("increaseAbove", increase_above), ("decreaseAbove", decrease_above)] {
        if let Some(number) = number.filter(|number| *number < 0) {
            return Err(SpecFault(format!("spec.approval.{field} is {number}: it must be 0 or more")));
        }
    }
    if increase_above.is_none() && decrease_above.is_none() {
        return Err(SpecFault(
            "spec.approval is empty: set increaseAbove, decreaseAbove, or both; or remove approval".into(),
        ));
    }
    Ok(policy.clone())
}

/// `suspend`, the interval and the thresholds are not part of it.
fn asked(spec: &LicenseSeatsSpec) -> String {
    let LicenseSeatsSpec { vendor, seats, limit, sizing, guardrails, adjustment, .. } = spec;
    digest(&[&serde_json::json!([vendor, seats, limit, sizing, guardrails, adjustment]).to_string()])
}

fn interval(text: Option<&str>) -> Result<Duration, SpecFault> {
    let Some(text) = text else { return Ok(DEFAULT_INTERVAL) };
    let interval = parse_duration(text).map_err(|e| SpecFault(format!("spec.interval {e}")))?;
    let fault = || SpecFault("spec.interval must be a duration between 1s and 24h, such as 10m".into());
    Some(interval).filter(|interval| INTERVAL.contains(interval)).ok_or_else(fault)
}

/// The same rules as in admission. `most_seats`: the most that may be sent to the vendor.
fn numbers(spec: &LicenseSeatsSpec, most_seats: i32) -> Result<(), SpecFault> {
    let (rails, thresholds) = (spec.guardrails.as_ref(), spec.thresholds.as_ref());
    let of_rails = |number: fn(&Guardrails) -> Option<i32>| rails.and_then(number);
    let of_thresholds = |number: fn(&Thresholds) -> Option<i32>| thresholds.and_then(number);
    for (field, number, least, most) in [
        ("spec.seats", spec.seats, 1, most_seats),
        ("spec.limit.seats", spec.limit.as_ref().and_then(|limit| limit.seats), 1, most_seats),
        ("spec.guardrails.minSeats", of_rails(|rails| rails.min_seats), 1, i32::MAX),
        ("spec.guardrails.maxSeats", of_rails(|rails| rails.max_seats), 1, i32::MAX),
        ("spec.guardrails.maxIncrease", of_rails(|rails| rails.max_increase), 1, i32::MAX),
        ("spec.guardrails.maxDecrease", of_rails(|rails| rails.max_decrease), 1, i32::MAX),
        ("spec.thresholds.freeSeats", of_thresholds(|thresholds| thresholds.free_seats), 0, i32::MAX),
        ("spec.thresholds.freePercent", of_thresholds(|thresholds| thresholds.free_percent), 0, 100),
    ] {
        if let Some(number) = number.filter(|number| !(least..=most).contains(number)) {
            return Err(SpecFault(format!("{field} is {number}: it must be between {least} and {most}")));
        }
    }
    Ok(())
}

fn expiry(thresholds: Option<&Thresholds>) -> Result<Vec<Duration>, SpecFault> {
    let Some(texts) = thresholds.and_then(|thresholds| thresholds.expiry.as_ref()) else {
        return Ok(DEFAULT_EXPIRY.to_vec());
    };
    let parse = |text: &String| parse_duration(text).map_err(|e| SpecFault(format!("spec.thresholds.expiry {e}")));
    let mut expiry = texts.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    if expiry.iter().any(Duration::is_zero) {
        return Err(SpecFault(
            "spec.thresholds.expiry must hold durations above 0s, such as 720h: an end that has passed is reported anyway"
                .into(),
        ));
    }
    expiry.sort_unstable_by(|a, b| b.cmp(a));
    Ok(expiry)
}
