//! The simulator as a client sees it, over HTTPS.

// Clippy sees tests only in functions marked as such, not in their helpers.
#![allow(clippy::unwrap_used)]

mod client_headers;
mod control;
mod identity;
mod members;
mod owner_races;
mod owner_reads;
mod owner_secrets_manager;
mod owner_writes;
mod people;
mod races;
mod self_hosted;
mod subscription;
mod user_keys;
mod wire;

use std::time::Duration;

use reqwest::{Certificate, Client, Response, StatusCode, header};
use serde_json::Value;
use vendor_sim::{Bitwarden, Fault, FaultKind, Options, Organization, OrganizationKey, Simulator, Webhook};

/// Longer than any test.
const LONG: u64 = 60_000;

const SUBSCRIPTION: &str = "/api/public/organization/subscription";
const UPDATED: &str = r#"{"message":"Subscription updated successfully."}"#;
const FAILED: &str = r#"{"message":"An error occurred while updating the subscription."}"#;

/// A simulator, one organization, a client that trusts it, and a token.
struct Bench {
    sim: Simulator,
    bw: Bitwarden,
    client: Client,
    key: OrganizationKey,
    token: String,
}

fn example() -> Organization {
    Organization::enterprise("Example Corp").seats(100).limit(120).members(80)
}

impl Bench {
    async fn new(organization: Organization) -> Self {
        let sim = Simulator::start(Options::default()).await.unwrap();
        let bw = sim.bitwarden();
        // Most tests here make one change right after the other. `races` is about webhooks.
        bw.switch(|s| s.webhook = Webhook::silent());
        // They send only the headers that they are about; `client_headers` is about all of them.
        bw.switch(|s| s.client_headers = false);
        // They say themselves when a key is cached and a failure slow, or there would be no end of waiting.
        bw.switch(|s| (s.key_cache_seconds, s.token_failure_delay_ms) = (0, 0));
        let key = bw.add_organization(organization);
        let ca = Certificate::from_pem(sim.ca_pem().as_bytes()).unwrap();
        let client = Client::builder().tls_certs_only([ca]).build().unwrap();
        let mut bench = Self { sim, bw, client, key, token: String::new() };
        bench.token = bench.login().await;
        bench
    }

    async fn token_request(&self, form: &[(&str, &str)]) -> Response {
        let url = format!("{}/identity/connect/token", self.sim.url());
        self.client.post(url).form(form).send().await.unwrap()
    }

    async fn login(&self) -> String {
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", "api.organization"),
            ("client_id", &self.key.client_id),
            ("client_secret", &self.key.client_secret),
        ];
        let answer: Value = self.token_request(&form).await.json().await.unwrap();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.sim.url());
        self.client.request(method.parse().unwrap(), url).bearer_auth(&self.token)
    }

    async fn get(&self) -> (StatusCode, String) {
        let answer = self.request("GET", SUBSCRIPTION).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }

    fn put_request(&self, body: &str) -> reqwest::RequestBuilder {
        self.request("PUT", SUBSCRIPTION).header(header::CONTENT_TYPE, "application/json").body(body.to_owned())
    }

    async fn put(&self, body: &str) -> (u16, String) {
        let answer = self.put_request(body).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn put_seats(&self, seats: i32) -> (u16, String) {
        self.put(&format!(r#"{{"passwordManager":{{"seats":{seats}}}}}"#)).await
    }

    /// Sends the same change twice. The first waits before it writes its row; the second begins meanwhile, and waits between
    /// its two reads until that row shows so many seats. Both answers.
    async fn overlap<T>(&self, of: fn(FaultKind) -> Fault, seats: i32, change: impl AsyncFn() -> T) -> (T, T) {
        let first = self.bw.inject(of(FaultKind::PauseBeforeRow { ms: LONG }));
        let second = self.bw.inject(of(FaultKind::PauseBetweenReads { ms: LONG }).skip(1));
        let repeat = async {
            assert!(self.bw.wait_fired(first, 1).await);
            let script = async {
                assert!(self.bw.wait_fired(second, 1).await);
                self.bw.release(first);
                let written = |b: &Bitwarden| b.organization(&self.key.id).seats == Some(seats);
                assert!(self.bw.wait_for(Duration::from_secs(20), written).await);
                self.bw.release(second);
            };
            tokio::join!(change(), script).0
        };
        tokio::join!(change(), repeat)
    }

    /// Calls the control API.
    async fn control(&self, method: &str, path: &str, body: Value) -> Value {
        let url = format!("{}/sim/{path}", self.sim.control_url());
        let answer = Client::new().request(method.parse().unwrap(), url).json(&body).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Shown and billed seats.
    fn seats(&self) -> (Option<i32>, Option<i32>) {
        let view = self.bw.organization(&self.key.id);
        (view.seats, view.billed.seats)
    }

    fn refusal(&self) -> &'static str {
        self.bw.last_refusal(&self.key.id).unwrap().refusal.rule
    }
}
