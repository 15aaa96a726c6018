//! What a spec comes to, and what of one that admission let through before is refused.

use serde_json::json;

use std::time::Duration;

use super::*;
use crate::api::{Bitwarden, Guardrails, LicenseSeatsSpec, Limit, LimitMode, Product, Region, Thresholds};
use crate::domain::{Desired, Goal, LONGEST_INTERVAL, LimitGoal};
use crate::fuzz_inputs::each_of;

/// A whole spec, as the controller reads it.
fn parse(spec: &LicenseSeatsSpec, least: Duration) -> Result<Desired, SpecFault> {
    let (pool, _) = target(&spec.vendor)?;
    Desired::parse(spec, pool, least)
}

fn spec() -> LicenseSeatsSpec {
    let bitwarden = Bitwarden {
        product: None,
        region: Some(Region::EU),
        credentials_secret_ref: Some(SecretRef { name: "key".into() }),
        owner_credentials_secret_ref: None,
        organization_id: None,
    };
    LicenseSeatsSpec {
        vendor: Vendor { bitwarden: Some(bitwarden), ..Vendor::default() },
        seats: Some(10),
        sizing: None,
        limit: None,
        guardrails: None,
        management_policy: None,
        drift_policy: None,
        adjustment: None,
        approval: None,
        active_cluster: None,
        suspend: None,
        thresholds: None,
        interval: None,
    }
}

#[test]
fn omitted_spec_field_gets_its_default() {
    let desired = parse(&spec(), Duration::from_secs(30)).unwrap();
    assert_eq!(desired.interval, Duration::from_secs(600));
    assert_eq!(desired.limit, LimitGoal::Keep);
    assert_eq!((desired.pool.vendor.key, desired.pool.name), ("bitwarden", Product::PasswordManager.name()));
    assert!(!desired.suspended);
}

#[test]
fn plan_that_was_approved_is_of_its_vendor_as_spec_had_it() {
    let asked = |change: fn(&mut Bitwarden)| {
        let mut spec = spec();
        change(spec.vendor.bitwarden.as_mut().unwrap());
        parse(&spec, Duration::ZERO).unwrap().asked
    };
    let plain = asked(|_| {});
    let changes: [fn(&mut Bitwarden); 4] = [
        |it| it.region = Some(Region::US),
        |it| it.product = Some(Product::SecretsManager),
        |it| it.credentials_secret_ref = Some(SecretRef { name: "other".into() }),
        |it| it.owner_credentials_secret_ref = Some(SecretRef { name: "owner".into() }),
    ];
    for (nth, change) in changes.into_iter().enumerate() {
        assert_ne!(asked(change), plain, "{nth}");
    }
}

#[test]
fn interval_is_stretched_to_the_operators_minimum() {
    let spec = LicenseSeatsSpec { interval: Some("5s".into()), ..spec() };
    assert_eq!(parse(&spec, Duration::from_secs(30)).unwrap().interval, Duration::from_secs(30));
}

#[test]
fn limit_admitted_before_is_refused_with_its_fault() {
    for (mode, seats, fix) in [
        (LimitMode::UpTo, None, "spec.limit.mode UpTo needs spec.limit.seats"),
        (LimitMode::Pinned, Some(20), "use mode UpTo, or remove limit.seats"),
        (LimitMode::Unlimited, Some(20), "use mode UpTo, or remove limit.seats"),
    ] {
        let spec = LicenseSeatsSpec { limit: Some(Limit { mode, seats }), ..spec() };
        let fault = parse(&spec, Duration::ZERO).unwrap_err().to_string();
        assert!(fault.contains(fix), "{mode:?}: {fault}");
    }
}

#[test]
fn secret_name_that_is_a_path_is_refused() {
    for name in ["", "..", "../key", "../../../other/secrets/key", "key?watch=1", "key#", "Key", "a b", "k%2f"] {
        let mut spec = spec();
        let bitwarden = spec.vendor.bitwarden.as_mut().unwrap();
        bitwarden.credentials_secret_ref = Some(SecretRef { name: name.into() });
        let fault = parse(&spec, Duration::ZERO).unwrap_err().to_string();
        assert!(fault.contains("credentialsSecretRef.name must be the name"), "{name}: {fault}");
        let bitwarden = spec.vendor.bitwarden.as_mut().unwrap();
        bitwarden.owner_credentials_secret_ref = bitwarden.credentials_secret_ref.take();
        let fault = parse(&spec, Duration::ZERO).unwrap_err().to_string();
        assert!(fault.contains("ownerCredentialsSecretRef.name must be the name"), "{name}: {fault}");
    }
}

#[test]
fn license_key_is_never_server_or_ca_of_secret() {
    let named = |key: &str| {
        let entry = json!({ "secretKeyRef": { "name": "keys", "key": key } });
        let immuta = json!({ "credentialsSecretRef": { "name": "api" }, "licenseKeys": [entry] });
        let spec = serde_json::from_value(json!({ "vendor": { "immuta": immuta } })).unwrap();
        parse(&spec, Duration::ZERO).map_err(|fault| fault.to_string())
    };
    for key in ["licenseKey", "key-2027", "a_b.c", "Server", "ca.crt.old"] {
        assert!(named(key).is_ok(), "{key}");
    }
    let long = "k".repeat(254);
    for (key, words) in [
        ("server", "licenseKeys[0].secretKeyRef.key must not be server"),
        ("ca.crt", "licenseKeys[0].secretKeyRef.key must not be ca.crt"),
        ("", "must be a key of a Secret's data"),
        ("a b", "must be a key of a Secret's data"),
        ("a;rm x", "must be a key of a Secret's data"),
        ("$(id)", "must be a key of a Secret's data"),
        (&long, "must be a key of a Secret's data"),
    ] {
        let fault = named(key).unwrap_err();
        assert!(fault.contains(words), "{key}: {fault}");
    }
}

#[test]
fn spec_that_passed_old_admission_is_refused_by_field() {
    let no_vendor = LicenseSeatsSpec { vendor: Vendor::default(), ..spec() };
    let interval = LicenseSeatsSpec { interval: Some("10 minutes".into()), ..spec() };
    let limit = LicenseSeatsSpec { limit: Some(Limit { mode: LimitMode::UpTo, seats: None }), ..spec() };
    let mut no_key = spec();
    no_key.vendor.bitwarden.as_mut().unwrap().credentials_secret_ref = None;
    let expiry = Some(vec!["soon".to_owned()]);
    let thresholds = Some(Thresholds { expiry, ..Thresholds::default() });
    let expiry = LicenseSeatsSpec { thresholds, ..spec() };
    let many = LicenseSeatsSpec { seats: Some(32_768), ..spec() };
    let none = LicenseSeatsSpec { seats: Some(0), ..spec() };
    let up_to = LicenseSeatsSpec { limit: Some(Limit { mode: LimitMode::UpTo, seats: Some(40_000) }), ..spec() };
    let guardrails = |min_seats, max_seats| Some(Guardrails { min_seats, max_seats, ..Guardrails::default() });
    let min = LicenseSeatsSpec { guardrails: guardrails(Some(-1), None), ..spec() };
    let max = LicenseSeatsSpec { guardrails: guardrails(None, Some(0)), ..spec() };
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
        (max, "spec.guardrails.maxSeats is 0: it must be between 1 and 2147483647"),
        (free, "spec.thresholds.freeSeats is -1"),
        (percent, "spec.thresholds.freePercent is 101: it must be between 0 and 100"),
    ] {
        let fault = parse(&spec, Duration::ZERO).unwrap_err();
        assert!(fault.to_string().contains(field), "{fault}");
    }
}

#[test]
fn total_that_only_bitwarden_cannot_keep_may_be_asked_of_immuta() {
    let immuta = json!({ "immuta": { "credentialsSecretRef": { "name": "api" } } });
    let spec = |vendor| LicenseSeatsSpec { vendor, seats: Some(40_000), ..spec() };
    let asked = parse(&spec(serde_json::from_value(immuta).unwrap()), Duration::ZERO).unwrap();
    assert_eq!(asked.seats, Some(40_000));
    let fault = parse(&spec(self::spec().vendor), Duration::ZERO).unwrap_err().to_string();
    assert_eq!(fault, "spec.seats is 40000: it must be between 1 and 32767");
}

#[test]
fn organization_id_that_is_a_path_is_refused() {
    for id in
        ["", "..", "../accounts", "acme", "0C2A5A8E-3D55-4A4E-9A15-5D2F4C7F1E11", "0c2a5a8e3d554a4e9a155d2f4c7f1e11"]
    {
        let mut spec = spec();
        spec.vendor.bitwarden.as_mut().unwrap().organization_id = Some(id.into());
        let fault = parse(&spec, Duration::ZERO).unwrap_err().to_string();
        assert!(fault.contains("spec.vendor.bitwarden.organizationId must be a GUID"), "{id}: {fault}");
    }
}

#[test]
fn accepted_interval_would_pass_admission() {
    let parse = |text: &str| parse(&LicenseSeatsSpec { interval: Some(text.into()), ..spec() }, Duration::ZERO);
    for text in ["1s", "24h", "86400s"] {
        assert!(parse(text).is_ok(), "{text}");
    }
    // The clock cannot be set so far ahead.
    for text in ["0s", "24h1s", "5124095576030431h"] {
        let fault = parse(text).unwrap_err().to_string();
        assert!(fault.contains("spec.interval must be a duration between 1s and 24h"), "{text}: {fault}");
    }
}

#[test]
fn stored_spec_is_used_only_if_no_name_leads_elsewhere_else_field_refused() {
    let bitwarden = json!({
        "vendor": { "bitwarden": {
            "product": "SecretsManager", "region": "EU", "credentialsSecretRef": { "name": "key" },
            "ownerCredentialsSecretRef": { "name": "owner" }, "organizationId": "0c2a5a8e-3d55-4a4e-9a15-5d2f4c7f1e11",
        } },
        "seats": 100, "limit": { "mode": "UpTo", "seats": 120 }, "guardrails": { "minSeats": 1, "maxSeats": 200 },
        "managementPolicy": "Manage", "suspend": false, "interval": "10m",
        "thresholds": { "freeSeats": 5, "freePercent": 10, "expiry": ["720h", "168h"] },
    });
    let key =
        |key: &str| json!({ "secretKeyRef": { "name": "keys", "key": key }, "adopt": { "id": 7, "uuid": "u-7" } });
    let immuta = json!({
        "vendor": { "immuta": { "credentialsSecretRef": { "name": "api" }, "licenseKeys": [key("a"), key("b")], "prune": true } },
        "seats": 50, "interval": "1h",
    });
    let least = Duration::from_secs(30);
    each_of(&[bitwarden, immuta], |bytes| {
        let Ok(spec) = serde_json::from_slice::<LicenseSeatsSpec>(bytes) else { return false };
        let desired = match parse(&spec, least) {
            Ok(desired) => desired,
            Err(SpecFault(why)) => {
                assert!(why.starts_with("spec.") && !why.contains(char::is_control), "{why:?}");
                return true;
            }
        };
        let part_of_a_path = |name: &str| {
            let clean = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b));
            clean && !name.trim_matches('.').is_empty()
        };
        for name in desired.pool.secrets.iter().map(String::as_str).chain(desired.pool.key_secrets()) {
            assert!(part_of_a_path(name), "{name:?}");
        }
        if let Ok((_, Target::Bitwarden(bitwarden::Target { organization: Some(id), .. }))) = target(&spec.vendor) {
            assert!(id.len() == 36 && part_of_a_path(&id), "{id:?}");
        }
        if let Goal::Keys { keys, prune } = &desired.pool.goal {
            assert!(!prune || !keys.is_empty(), "that would remove every key");
            for key in keys.iter().map(|entry| entry.secret_key_ref.key.as_str()) {
                let part_of_a_command = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
                assert!(!key.is_empty() && key.bytes().all(part_of_a_command), "{key:?}");
                assert!(!["server", "ca.crt"].contains(&key), "{key:?}");
            }
        }
        let most = if spec.vendor.bitwarden.is_some() { 32_767 } else { i32::MAX };
        let limit = if let LimitGoal::UpTo(seats) = desired.limit { Some(seats) } else { None };
        assert!(desired.seats.into_iter().chain(limit).all(|seats| (1..=most).contains(&seats)), "{desired:?}");
        assert!((least..=LONGEST_INTERVAL).contains(&desired.interval), "{:?}", desired.interval);
        assert!(desired.expiry.is_sorted_by(|a, b| a >= b), "{:?}", desired.expiry);
        true
    });
}
