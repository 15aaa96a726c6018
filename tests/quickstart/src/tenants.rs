//! The simulated Immuta tenants, and the Secrets that the examples name for them. One tenant lives in each simulator.

use serde_json::{Value, json};
use vendor_sim::Simulator;
use vendor_sim::immuta::{LicenseKey, Tenant};

/// Makes the tenants and returns the data of each Secret by its name. `cloud` has the one of `acme-immuta`, which
/// `acme-immuta-watched` only looks at; `other` has the one of `acme-immuta-renewed`.
pub(crate) fn secrets(cloud: &Simulator, other: &Simulator) -> Vec<(&'static str, Value)> {
    let admin = |simulator: &Simulator, users| {
        let api_key = simulator.immuta().add_tenant(Tenant::new("acme").users(users)).api_key;
        json!({ "apiKey": api_key, "server": simulator.url(), "ca.crt": simulator.ca_pem() })
    };
    let (acme, mut renewed) = (admin(cloud, 15), admin(other, 31));
    for key in ["key-2026", "key-2027"] {
        renewed[key] = json!(other.immuta().issue(LicenseKey::seats(40)));
    }
    let keys = json!({
        "licenseKey": cloud.immuta().issue(LicenseKey::seats(20)),
        "second": cloud.immuta().issue(LicenseKey::seats(10)),
    });
    vec![("immuta-admin", acme.clone()), ("immuta-watched", acme), ("immuta-2027", keys), ("immuta-renewed", renewed)]
}

/// The first Secret that an Immuta object names and that nobody has made.
pub(crate) fn missing<'a>(immuta: &'a Value, made: &[(&'static str, Value)]) -> Option<&'a str> {
    let entries = immuta["licenseKeys"].as_array().map(Vec::as_slice).unwrap_or_default();
    let keys = entries.iter().map(|entry| &entry["secretKeyRef"]["name"]);
    let names = keys.chain([&immuta["credentialsSecretRef"]["name"]]).filter_map(Value::as_str);
    names.into_iter().find(|name| !made.iter().any(|(known, _)| known == name))
}
