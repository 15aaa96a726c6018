//! A namespace with an operator of its own and a simulated vendor.

use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, PostParams};
use seatkeeper::api::LicenseSeats;
use seatkeeper_support::{ControlPlane, Operator};
use serde_json::{Value, json};
use vendor_sim::{Options, Organization, OrganizationKey, RateLimits, Simulator};

pub const BINARY: &str = env!("CARGO_BIN_EXE_seatkeeper");

pub struct Place<'a> {
    pub plane: &'a ControlPlane,
    pub namespace: String,
    pub vendor: Simulator,
    pub operator: Operator,
    client: kube::Client,
}

impl<'a> Place<'a> {
    pub async fn new(plane: &'a ControlPlane, name: &str, limits: RateLimits) -> Self {
        let namespace = plane.namespace(name).await;
        let vendor = Simulator::start(Options::default()).await.expect("simulator");
        vendor.bitwarden().switch(|s| s.rate_limits = limits);
        let allowed = format!("--allowed-host={}", vendor.host());
        let operator = Operator::start(plane, BINARY, &namespace, &[&allowed]).await;
        operator.wait_ready().await;
        Self { plane, namespace, vendor, operator, client: plane.admin() }
    }

    pub fn organization(&self) -> OrganizationKey {
        let organization = Organization::enterprise("bench").seats(100).limit(100).members(80);
        self.vendor.bitwarden().add_organization(organization)
    }

    pub async fn secret(&self, name: &str, key: &OrganizationKey) {
        let secret = json!({
            "metadata": { "name": name }, "type": "seatkeeper.dev/credentials",
            "stringData": {
                "clientId": key.client_id, "clientSecret": key.client_secret,
                "server": self.vendor.url(), "ca.crt": self.vendor.ca_pem(),
            },
        });
        let api: Api<Secret> = Api::namespaced(self.client.clone(), &self.namespace);
        api.create(&PostParams::default(), &typed(secret)).await.expect("a Secret");
    }

    pub fn seats(&self) -> Api<LicenseSeats> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub async fn declare(&self, name: &str) {
        self.declare_with(name, name).await;
    }

    /// Declares an object that uses this Secret.
    pub async fn declare_with(&self, name: &str, secret: &str) {
        self.create(object(name, secret)).await;
    }

    pub async fn create(&self, object: Value) {
        self.seats().create(&PostParams::default(), &typed(object)).await.expect("an object");
    }

    pub async fn apply(&self, name: &str) {
        let object = object(name, name).to_string();
        self.plane.kubectl_in(&self.namespace, &["apply", "-f", "-"], &object).await.ok();
    }

    pub async fn until_in_sync(&self, name: &str) -> Instant {
        while !self.seats().get_opt(name).await.expect("a look").is_some_and(|object| in_sync(&object)) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Instant::now()
    }
}

pub fn object(name: &str, secret: &str) -> Value {
    json!({
        "apiVersion": "seatkeeper.dev/v1alpha1", "kind": "LicenseSeats", "metadata": { "name": name },
        "spec": {
            "vendor": { "bitwarden": { "credentialsSecretRef": { "name": secret } } },
            "seats": 150, "limit": { "mode": "Pinned" },
        },
    })
}

pub fn in_sync(object: &LicenseSeats) -> bool {
    let conditions = object.status.iter().flat_map(|status| &status.conditions);
    conditions.into_iter().any(|c| c.type_ == "Ready" && c.reason == "InSync")
}

fn typed<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("typed")
}
