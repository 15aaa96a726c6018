//! The simulated Immuta tenants, and the Secrets that the examples name for them. One tenant lives in each simulator.

use serde_json::{Value, json};
use vendor_sim::Simulator;
use vendor_sim::immuta::{LicenseKey, Tenant};

/// A credential of Immuta in `examples/`.
const CREDENTIAL: &str = "immuta-admin";
/// License keys in `examples/`.
const LICENSE_KEYS: &str = "immuta-2027";

/// A Secret to make.
pub(crate) struct Filled {
    pub(crate) name: &'static str,
    /// The Secret in `examples/` that it is made after, and has the type of.
    pub(crate) like: &'static str,
    pub(crate) data: Value,
}

/// Makes the tenants and returns their Secrets. `cloud` has the one of `acme-immuta`, which `acme-immuta-watched` only
/// looks at; `other` has the one of `acme-immuta-renewed`.
pub(crate) fn secrets(cloud: &Simulator, other: &Simulator) -> Vec<Filled> {
    let admin = |simulator: &Simulator, users| {
        let api_key = simulator.immuta().add_tenant(Tenant::new("acme").users(users)).api_key;
        json!({ "apiKey": api_key, "server": simulator.url(), "ca.crt": simulator.ca_pem() })
    };
    let issue = |simulator: &Simulator, seats| simulator.immuta().issue(LicenseKey::seats(seats));
    let (acme, renewed) = (admin(cloud, 15), admin(other, 31));
    let keys = json!({ "licenseKey": issue(cloud, 20), "second": issue(cloud, 10), "server": cloud.url() });
    let renewal = json!({ "key-2026": issue(other, 40), "key-2027": issue(other, 40), "server": other.url() });
    let secret = |name, like, data| Filled { name, like, data };
    vec![
        secret("immuta-admin", CREDENTIAL, acme.clone()),
        secret("immuta-watched", CREDENTIAL, acme),
        secret("immuta-2027", LICENSE_KEYS, keys),
        secret("immuta-renewed", CREDENTIAL, renewed),
        secret("immuta-renewed-keys", LICENSE_KEYS, renewal),
    ]
}

/// The first Secret that an Immuta object names and that nobody has made.
pub(crate) fn missing<'a>(immuta: &'a Value, made: &[Filled]) -> Option<&'a str> {
    let entries = immuta["licenseKeys"].as_array().map(Vec::as_slice).unwrap_or_default();
    let keys = entries.iter().map(|entry| &entry["secretKeyRef"]["name"]);
    let names = keys.chain([&immuta["credentialsSecretRef"]["name"]]).filter_map(Value::as_str);
    names.into_iter().find(|name| !made.iter().any(|secret| secret.name == *name))
}
