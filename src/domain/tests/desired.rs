//! What a spec is checked to, or the field that is at fault.

use super::*;
use crate::api::LicenseSeatsSpec;

fn parsed(spec: &str) -> Result<Desired, String> {
    let spec: LicenseSeatsSpec = serde_yaml::from_str(&format!("{{vendor: {{}}, {spec}}}")).unwrap();
    Desired::parse(&spec, pool(Goal::Quantity), Duration::from_secs(5)).map_err(|fault| fault.0)
}

#[test]
fn interval_is_ten_minutes_or_per_spec_between_operator_minimum_and_day() {
    for (spec, seconds) in [("", 600), ("interval: 1s", 5), ("interval: 5m", 300), ("interval: 24h", 24 * 3600)] {
        assert_eq!(parsed(spec).map(|desired| desired.interval.as_secs()), Ok(seconds), "{spec}");
    }
    for spec in ["interval: 0s", "interval: 24h1s"] {
        assert!(parsed(spec).unwrap_err().starts_with("spec.interval must be a duration between 1s and 24h"), "{spec}");
    }
}

#[test]
fn spec_number_is_accepted_within_bounds_and_refused_beyond_with_field() {
    for (field, least, most) in [
        ("seats: N", 1, MAX_SEATS),
        ("limit: {mode: UpTo, seats: N}", 1, MAX_SEATS),
        ("guardrails: {minSeats: N}", 1, i32::MAX),
        ("guardrails: {maxSeats: N}", 1, i32::MAX),
        ("guardrails: {maxIncrease: N}", 1, i32::MAX),
        ("guardrails: {maxDecrease: N}", 1, i32::MAX),
        ("thresholds: {freeSeats: N}", 0, i32::MAX),
        ("thresholds: {freePercent: N}", 0, 100),
    ] {
        let with = |number: i32| parsed(&field.replace('N', &number.to_string()));
        for number in [least, most] {
            assert!(with(number).is_ok(), "{field} {number}: {:?}", with(number));
        }
        let name = field.replace(['{', ':'], " ");
        let name = name.split_whitespace().next().unwrap();
        for number in [Some(least - 1), most.checked_add(1)].into_iter().flatten() {
            let error = with(number).unwrap_err();
            assert!(error.starts_with(&format!("spec.{name}")), "{error}");
            assert!(error.ends_with(&format!("it must be between {least} and {most}")), "{error}");
        }
    }
}

#[test]
fn warning_times_follow_spec_longest_first_or_are_month_and_week() {
    let hours = |spec: &str| parsed(spec).unwrap().expiry.iter().map(|time| time.as_secs() / 3600).collect::<Vec<_>>();
    assert_eq!(hours(""), [720, 168]);
    assert_eq!(hours("thresholds: {expiry: [24h, 336h]}"), [336, 24]);
    assert_eq!(hours("thresholds: {expiry: []}"), [0; 0]);
}

#[test]
fn approval_policy_may_ask_for_a_yes_to_every_change_of_one_direction() {
    for spec in ["approval: {increaseAbove: 0}", "approval: {decreaseAbove: 0}"] {
        assert!(parsed(spec).is_ok(), "{:?}", parsed(spec));
    }
}

#[test]
fn hash_covers_fields_that_decide_change_and_no_others() {
    let asked = |spec: &str| parsed(spec).unwrap().asked;
    let plain = asked("seats: 10");
    for same in ["suspend: true", "interval: 5m", "thresholds: {freeSeats: 3}", "managementPolicy: Observe"] {
        assert_eq!(asked(&format!("seats: 10, {same}")), plain, "{same}");
    }
    for other in ["limit: {mode: Pinned}", "guardrails: {maxSeats: 20}", "adjustment: {increase: {mode: Immediate}}"] {
        assert_ne!(asked(&format!("seats: 10, {other}")), plain, "{other}");
    }
    assert_ne!(asked("seats: 11"), plain);
    let sized = asked("sizing: {headroom: {seats: 5}}");
    for other in
        ["{headroom: {seats: 6}}", "{headroom: {seats: 5}, step: 2}", "{headroom: {seats: 5}, decreaseAfter: 1h}"]
    {
        assert_ne!(asked(&format!("sizing: {other}")), sized, "{other}");
    }
}

#[test]
fn wish_is_what_is_asked_of_the_account_and_nothing_else() {
    let wish = |spec: &str| parsed(spec).unwrap().wish();
    for same in [
        "suspend: true",
        "interval: 5m",
        "thresholds: {freeSeats: 3, expiry: [24h]}",
        "managementPolicy: Observe",
        "driftPolicy: Report",
        "guardrails: {maxSeats: 20, minSeats: 1, maxIncrease: 5, maxDecrease: 5}",
        "adjustment: {increase: {mode: Never}}",
        "approval: {increaseAbove: 5}",
        "activeCluster: east",
    ] {
        assert_eq!(wish(&format!("seats: 10, {same}")), wish("seats: 10"), "{same}");
    }
    let sized = wish("sizing: {headroom: {seats: 5}}");
    assert_eq!(wish("sizing: {headroom: {seats: 5}, decreaseAfter: 1h}"), sized);
    for other in ["{headroom: {seats: 6}}", "{headroom: {percent: 5}}", "{headroom: {seats: 5}, step: 2}"] {
        assert_ne!(wish(&format!("sizing: {other}")), sized, "{other}");
    }
    for other in ["seats: 11", "seats: 10, limit: {mode: Pinned}", "interval: 5m"] {
        assert_ne!(wish(other), wish("seats: 10"), "{other}");
    }
}

#[test]
fn secrets_with_license_keys_are_named_once_each() {
    let entry = |name: &str, key: &str| LicenseKeyEntry {
        secret_key_ref: SecretKeyRef { name: name.into(), key: key.into() },
        adopt: None,
    };
    let keys = vec![entry("two", "a"), entry("one", "a"), entry("two", "b")];
    assert_eq!(pool(Goal::Keys { keys, prune: false }).key_secrets(), ["one", "two"]);
    assert_eq!(pool(Goal::Quantity).key_secrets(), [""; 0]);
}
