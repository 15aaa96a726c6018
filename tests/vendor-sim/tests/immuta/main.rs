//! The simulated Immuta tenant as a client sees it, over HTTPS (docs/vendors/immuta.md).

// Clippy sees tests only in functions marked as such, not in their helpers.
#![allow(clippy::unwrap_used)]

mod add;
mod auth;
mod control;
mod faults;
mod rows;
mod seats;

use reqwest::{Certificate, Client, RequestBuilder, redirect::Policy};
use serde_json::{Value, json};
use vendor_sim::{
    Immuta, Options, Simulator,
    immuta::{LicenseKey, Switches, Tenant},
};

const LICENSE: &str = "/admin/license";
const STATUS: &str = "/admin/license/licenseStatus";

/// A simulator with a tenant of 31 users, an API key of an application admin, and a client that trusts it.
struct Bench {
    sim: Simulator,
    immuta: Immuta,
    client: Client,
    api_key: String,
}

impl Bench {
    async fn new() -> Self {
        let sim = Simulator::start(Options::default()).await.unwrap();
        // This client is none of Bitwarden's.
        sim.bitwarden().switch(|s| s.client_headers = false);
        let immuta = sim.immuta();
        let api_key = immuta.add_tenant(Tenant::new("Acme").users(31)).api_key;
        let ca = Certificate::from_pem(sim.ca_pem().as_bytes()).unwrap();
        let client = Client::builder().tls_certs_only([ca]).redirect(Policy::none()).build().unwrap();
        Self { sim, immuta, client, api_key }
    }

    /// With switches set.
    async fn with(f: impl FnOnce(&mut Switches)) -> Self {
        let bench = Self::new().await;
        bench.immuta.switch(f);
        bench
    }

    /// Without credentials.
    fn anonymous(&self, method: &str, path: &str) -> RequestBuilder {
        self.client.request(method.parse().unwrap(), format!("{}{path}", self.sim.url()))
    }

    /// With the raw API key.
    fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.anonymous(method, path).header("authorization", &self.api_key)
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        answer(self.request("GET", path)).await
    }

    async fn post(&self, body: &Value) -> (u16, Value) {
        answer(self.request("POST", LICENSE).json(body)).await
    }

    async fn add(&self, key: &str) -> (u16, Value) {
        self.post(&json!({ "licenseKey": key })).await
    }

    async fn delete(&self, id: &Value) -> (u16, Value) {
        answer(self.request("DELETE", &format!("{LICENSE}/{id}"))).await
    }

    /// Issues and adds a key; returns its text and id.
    async fn added(&self, terms: LicenseKey) -> (String, Value) {
        let key = self.immuta.issue(terms);
        let (status, row) = self.add(&key).await;
        assert!((200..300).contains(&status), "{status} {row}");
        (key, row["id"].clone())
    }

    async fn list(&self) -> Vec<Value> {
        let (status, list) = self.get(LICENSE).await;
        assert_eq!(status, 200);
        list.as_array().unwrap().clone()
    }

    async fn ids(&self) -> Vec<i64> {
        self.list().await.iter().map(|row| row["id"].as_i64().unwrap()).collect()
    }

    async fn license_seats(&self) -> i64 {
        self.get(STATUS).await.1["licenseSeats"].as_i64().unwrap()
    }
}

/// Status and body; null for an empty one, a string for what is not JSON.
async fn answer(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap_or(Value::from(text)) };
    (status, body)
}

/// The names of an object's fields, in alphabetical order.
fn fields(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}
