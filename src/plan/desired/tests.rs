//! What a spec becomes, and what of it is refused by field.

use super::*;
use crate::api::Limit;

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
    let expiry = Some(vec!["soon".to_owned()]);
    let thresholds = Some(Thresholds { expiry, ..Thresholds::default() });
    let expiry = LicenseSeatsSpec { thresholds, ..spec() };
    let many = LicenseSeatsSpec { seats: Some(MAX_SEATS + 1), ..spec() };
    let none = LicenseSeatsSpec { seats: Some(0), ..spec() };
    let up_to = LicenseSeatsSpec { limit: Some(Limit { mode: LimitMode::UpTo, seats: Some(40_000) }), ..spec() };
    let guardrails = |min_seats, max_seats| Some(Guardrails { min_seats, max_seats });
    let min = LicenseSeatsSpec { guardrails: guardrails(Some(-1), None), ..spec() };
    let max = LicenseSeatsSpec { guardrails: guardrails(None, Some(40_000)), ..spec() };
    let thresholds = |free_seats, free_percent| Some(Thresholds { free_seats, free_percent, expiry: None });
    let free = LicenseSeatsSpec { thresholds: thresholds(Some(-1), None), ..spec() };
    let percent = LicenseSeatsSpec { thresholds: thresholds(None, Some(101)), ..spec() };
    for (spec, field) in [
        (no_vendor, "spec.vendor"),
        (no_key, "needs a key"),
        (interval, "spec.interval"),
        (limit, "spec.limit.seats"),
        (expiry, "spec.thresholds.expiry"),
        (many, "spec.seats is 32768: it must be between 1 and 32767"),
        (none, "spec.seats is 0"),
        (up_to, "spec.limit.seats is 40000"),
        (min, "spec.guardrails.minSeats is -1"),
        (max, "spec.guardrails.maxSeats is 40000"),
        (free, "spec.thresholds.freeSeats is -1"),
        (percent, "spec.thresholds.freePercent is 101: it must be between 0 and 100"),
    ] {
        let fault = Desired::parse(&spec, Duration::ZERO).unwrap_err();
        assert!(fault.to_string().contains(field), "{fault}");
    }
}
