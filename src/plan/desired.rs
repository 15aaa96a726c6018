//! The spec, checked once: what later steps use instead of the loose resource.
//!
//! Admission refuses most nonsense, but objects stored before a rule existed arrive here all the same.

use std::time::Duration;

use super::pool::{Pool, pool};
use crate::api::{Guardrails, LicenseSeatsSpec, LimitMode, ManagementPolicy, Thresholds, parse_duration};

/// How often the vendor is read when the spec does not say.
pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(600);

/// The longest interval, as in the rule for `spec.interval`.
pub const LONGEST_INTERVAL: Duration = Duration::from_secs(24 * 3600);

/// When to warn of a licence that ends when the spec does not say: 30 days and a week before.
const DEFAULT_EXPIRY: [Duration; 2] = [Duration::from_secs(720 * 3600), Duration::from_secs(168 * 3600)];

/// A spec that cannot be acted on. The sentence names the field and the fix.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct SpecFault(pub String);

/// What the limit should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitGoal {
    /// Whatever it is.
    Keep,
    /// Equal to the purchased seats.
    Pinned,
    /// This number.
    UpTo(i32),
    /// None at all.
    Unlimited,
}

/// The checked spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// Which pool.
    pub pool: Pool,
    /// Purchased seats wanted; `None` leaves them.
    pub seats: Option<i32>,
    /// Limit wanted.
    pub limit: LimitGoal,
    /// Bounds on every change.
    pub guardrails: Guardrails,
    /// Manage or only observe.
    pub policy: ManagementPolicy,
    /// No writes for now.
    pub suspended: bool,
    /// When a shortage is reported.
    pub thresholds: Thresholds,
    /// How long before its end to warn of a licence that ends, longest first.
    pub expiry: Vec<Duration>,
    /// How often to read, at least `min_interval`.
    pub interval: Duration,
}

impl Desired {
    /// Checks a spec. `min_interval` is the operator's own lower bound for `interval`.
    ///
    /// # Errors
    /// [`SpecFault`] names the field and the fix.
    pub fn parse(spec: &LicenseSeatsSpec, min_interval: Duration) -> Result<Self, SpecFault> {
        let interval = match &spec.interval {
            None => DEFAULT_INTERVAL,
            Some(text) => parse_duration(text).map_err(|e| SpecFault(format!("spec.interval {e}")))?,
        };
        if interval > LONGEST_INTERVAL {
            return Err(SpecFault("spec.interval must be a duration between 1s and 24h, such as 10m".into()));
        }
        Ok(Self {
            pool: pool(&spec.vendor)?,
            seats: spec.seats,
            limit: limit(spec)?,
            guardrails: spec.guardrails.clone().unwrap_or_default(),
            policy: spec.management_policy.unwrap_or_default(),
            suspended: spec.suspend.unwrap_or_default(),
            thresholds: spec.thresholds.clone().unwrap_or_default(),
            expiry: expiry(spec.thresholds.as_ref())?,
            interval: interval.max(min_interval),
        })
    }
}

fn expiry(thresholds: Option<&Thresholds>) -> Result<Vec<Duration>, SpecFault> {
    let Some(texts) = thresholds.and_then(|thresholds| thresholds.expiry.as_ref()) else {
        return Ok(DEFAULT_EXPIRY.to_vec());
    };
    let parse = |text: &String| parse_duration(text).map_err(|e| SpecFault(format!("spec.thresholds.expiry {e}")));
    let mut expiry = texts.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    expiry.sort_unstable_by(|a, b| b.cmp(a));
    Ok(expiry)
}

fn limit(spec: &LicenseSeatsSpec) -> Result<LimitGoal, SpecFault> {
    let Some(limit) = &spec.limit else {
        return Ok(LimitGoal::Keep);
    };
    if spec.vendor.immuta.is_some() {
        return Err(SpecFault("spec.limit is for vendors that buy by themselves: remove it".into()));
    }
    match (limit.mode, limit.seats) {
        (LimitMode::Pinned, None) => Ok(LimitGoal::Pinned),
        (LimitMode::Unlimited, None) => Ok(LimitGoal::Unlimited),
        (LimitMode::UpTo, Some(seats)) => Ok(LimitGoal::UpTo(seats)),
        _ => Err(SpecFault("spec.limit.seats goes with mode UpTo and with no other".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Bitwarden, Limit, Product, Region, SecretRef, Vendor};

    fn spec() -> LicenseSeatsSpec {
        let bitwarden = Bitwarden {
            product: None,
            region: Some(Region::EU),
            credentials_secret_ref: Some(SecretRef { name: "key".into() }),
            owner_credentials_secret_ref: None,
            organization_id: None,
        };
        LicenseSeatsSpec {
            vendor: Vendor { bitwarden: Some(bitwarden), immuta: None },
            seats: Some(10),
            limit: None,
            guardrails: None,
            management_policy: None,
            suspend: None,
            thresholds: None,
            interval: None,
        }
    }

    #[test]
    fn what_a_spec_leaves_out_has_a_default() {
        let desired = Desired::parse(&spec(), Duration::from_secs(30)).unwrap();
        assert_eq!(desired.interval, DEFAULT_INTERVAL);
        assert_eq!(desired.limit, LimitGoal::Keep);
        assert!(matches!(desired.pool, Pool::Bitwarden { product: Product::PasswordManager, .. }));
        assert!(!desired.suspended);
    }

    #[test]
    fn an_interval_is_stretched_to_the_operators_minimum() {
        let spec = LicenseSeatsSpec { interval: Some("5s".into()), ..spec() };
        assert_eq!(Desired::parse(&spec, Duration::from_secs(30)).unwrap().interval, Duration::from_secs(30));
    }

    #[test]
    fn a_secret_name_that_is_a_path_is_refused() {
        for name in ["", "..", "../key", "../../../other/secrets/key", "key?watch=1", "key#", "Key", "a b", "k%2f"] {
            let mut spec = spec();
            let bitwarden = spec.vendor.bitwarden.as_mut().unwrap();
            bitwarden.credentials_secret_ref = Some(SecretRef { name: name.into() });
            let fault = Desired::parse(&spec, Duration::ZERO).unwrap_err().to_string();
            assert!(fault.contains("credentialsSecretRef.name must be the name"), "{name}: {fault}");
            let bitwarden = spec.vendor.bitwarden.as_mut().unwrap();
            bitwarden.owner_credentials_secret_ref = bitwarden.credentials_secret_ref.take();
            let fault = Desired::parse(&spec, Duration::ZERO).unwrap_err().to_string();
            assert!(fault.contains("ownerCredentialsSecretRef.name must be the name"), "{name}: {fault}");
        }
    }

    #[test]
    fn what_slipped_past_admission_is_refused_by_field() {
        let no_vendor = LicenseSeatsSpec { vendor: Vendor { bitwarden: None, immuta: None }, ..spec() };
        let interval = LicenseSeatsSpec { interval: Some("10 minutes".into()), ..spec() };
        let limit = LicenseSeatsSpec { limit: Some(Limit { mode: LimitMode::UpTo, seats: None }), ..spec() };
        let mut no_key = spec();
        no_key.vendor.bitwarden.as_mut().unwrap().credentials_secret_ref = None;
        let endless = |text: &str| LicenseSeatsSpec { interval: Some(text.into()), ..spec() };
        let organization = |id: &str| {
            let mut spec = spec();
            spec.vendor.bitwarden.as_mut().unwrap().organization_id = Some(id.into());
            spec
        };
        let expiry = Some(vec!["soon".to_owned()]);
        let thresholds = Some(Thresholds { expiry, ..Thresholds::default() });
        let expiry = LicenseSeatsSpec { thresholds, ..spec() };
        for (spec, field) in [
            (no_vendor, "spec.vendor"),
            (no_key, "needs a key"),
            (interval, "spec.interval"),
            (endless("24h1s"), "spec.interval"),
            (endless("18446744073709551615s"), "spec.interval"),
            (organization("../../other"), "spec.vendor.bitwarden.organizationId"),
            (organization("6F1C8A52-0D0E-4A5F-9C2B-3B7F5F0A1C11"), "spec.vendor.bitwarden.organizationId"),
            (organization("6f1c8a520d0e4a5f9c2b3b7f5f0a1c11"), "spec.vendor.bitwarden.organizationId"),
            (organization(""), "spec.vendor.bitwarden.organizationId"),
            (limit, "spec.limit.seats"),
            (expiry, "spec.thresholds.expiry"),
        ] {
            let fault = Desired::parse(&spec, Duration::ZERO).unwrap_err();
            assert!(fault.to_string().contains(field), "{fault}");
        }
    }
}
