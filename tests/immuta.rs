//! Immuta: license keys as desired state, against the simulated tenant. The world of every test is a tenant with 10
//! active users and an API key in Secret `admin`.

use std::fmt::Display;

use kube::Api;
use kube::api::{Patch, PatchParams};
use seatkeeper::api::{LicenseSeats, LicenseSeatsStatus};
use serde_json::{Value, json};
use vendor_sim::immuta::{Endpoint, LicenseKey, Switches, Tenant};
use vendor_sim::{FaultKind, Immuta};

use crate::world::{FAST, World, organization, said};

mod access;
mod answers;
mod bad_input;
mod keys;
mod lost;
mod old_type;
mod status;
mod two_addresses;
mod unknowns;
mod windows;

pub struct Acme {
    pub w: World,
    pub tenant: Immuta,
    /// In Secret `admin` at first.
    pub api_key: String,
}

/// An answer in the place of the tenant's. A redirect leads to the login.
fn answer(status: u16, body: &str, apply: bool) -> FaultKind {
    FaultKind::Answer {
        status,
        headers: [("location".to_owned(), "/login".to_owned())].into(),
        body: body.into(),
        apply,
    }
}

/// 10 active users, no license key.
pub fn tenant() -> Tenant {
    Tenant::new("acme").users(10)
}

pub async fn acme(name: &str) -> Acme {
    Acme::with(name, tenant(), |_| {}).await
}

impl Acme {
    pub async fn with(name: &str, tenant: Tenant, switch: impl FnOnce(&mut Switches)) -> Self {
        Self::with_flags(name, FAST, tenant, switch).await
    }

    pub async fn with_flags(name: &str, flags: &[&str], tenant: Tenant, switch: impl FnOnce(&mut Switches)) -> Self {
        Self::on(World::with(name, organization(), flags).await, tenant, switch).await
    }

    pub async fn on(w: World, tenant: Tenant, switch: impl FnOnce(&mut Switches)) -> Self {
        let immuta = w.vendor.immuta();
        immuta.switch(switch);
        let api_key = immuta.add_tenant(tenant).api_key;
        let acme = Self { w, tenant: immuta, api_key };
        acme.w.secret("admin", acme.admin(&acme.api_key)).await;
        acme
    }

    /// What the Secret with an API key holds.
    pub fn admin(&self, api_key: &str) -> Value {
        json!({ "apiKey": api_key, "server": self.w.vendor.url(), "ca.crt": self.w.vendor.ca_pem() })
    }

    /// Issues a key for so many seats and puts it into a Secret of this name.
    pub async fn key(&self, name: &str, seats: i64) -> String {
        self.issued(name, LicenseKey::seats(seats)).await
    }

    pub async fn issued(&self, name: &str, terms: LicenseKey) -> String {
        let text = self.tenant.issue(terms);
        self.put(name, &text).await;
        text
    }

    pub async fn put(&self, name: &str, text: &str) {
        self.w.license_keys(name, json!({ "licenseKey": format!("{text}\n") })).await;
    }

    /// Declares `acme` with these keys.
    pub async fn declare(&self, keys: &[&str], more: Value) {
        self.try_declare(keys, more).await.expect("the object is admitted");
    }

    pub async fn try_declare(&self, keys: &[&str], more: Value) -> kube::Result<LicenseSeats> {
        let immuta = json!({ "credentialsSecretRef": { "name": "admin" }, "licenseKeys": entries(keys) });
        let mut spec = json!({ "vendor": { "bitwarden": null, "immuta": immuta }, "limit": null, "seats": null });
        crate::world::merge(&mut spec, more);
        self.w.try_declare("acme", spec).await
    }

    pub async fn list(&self, keys: &[&str]) {
        self.w.edit("acme", json!({ "vendor": { "immuta": { "licenseKeys": entries(keys) } } })).await;
    }

    pub async fn prune(&self) {
        self.w.edit("acme", json!({ "vendor": { "immuta": { "prune": true } } })).await;
    }

    /// Says which row the only listed key has.
    pub async fn adopt(&self, name: &str, id: i64, uuid: &str) {
        let mut entries = entries(&[name]);
        entries[0]["adopt"] = json!({ "id": id, "uuid": uuid });
        self.w.edit("acme", json!({ "vendor": { "immuta": { "licenseKeys": entries } } })).await;
    }

    pub async fn until(&self, what: impl Display, is: impl Fn(&LicenseSeatsStatus) -> bool) -> LicenseSeatsStatus {
        self.w.until("acme", what, is).await
    }

    pub async fn until_ready(&self, expected: &str) -> LicenseSeatsStatus {
        self.until(format!("Ready={expected}"), |status| said(status, "Ready") == expected).await
    }

    /// Waits until the list was read so many times more.
    pub async fn until_polled(&self, times: usize) {
        let polls = || self.tenant.calls(Endpoint::List);
        let before = polls();
        let polled = async || (polls() >= before + times).then_some(());
        seatkeeper_support::wait_for(format!("{times} polls"), crate::world::PATIENCE * 2, polled).await;
    }

    /// The switches with these names in JSON decided what the operator met.
    pub fn proves(&self, switches: &[&str]) {
        let effects = self.tenant.effects();
        for name in switches {
            assert!(effects.contains(*name), "{name} took no effect; these did: {effects:?}");
        }
    }

    /// Replaces the whole status, as a restore would.
    pub async fn restore(&self, status: &LicenseSeatsStatus) {
        let api: Api<LicenseSeats> = self.w.seats();
        let patch = Patch::Merge(json!({ "status": status }));
        api.patch_status("acme", &PatchParams::default(), &patch).await.expect("restore the status");
    }
}

pub fn entries(keys: &[&str]) -> Value {
    keys.iter().map(|name| json!({ "secretKeyRef": { "name": name, "key": "licenseKey" } })).collect()
}

/// `Added/Active` of each key of a status, in order.
pub fn keys_of(status: &LicenseSeatsStatus) -> Vec<String> {
    let keys = status.license.iter().flat_map(|license| &license.keys);
    keys.map(|key| {
        let origin = key.origin.map_or_else(String::new, |origin| format!("{origin:?}"));
        format!("{origin}/{:?}", key.state)
    })
    .collect()
}
