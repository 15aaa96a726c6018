//! Who calls, and what he may (docs/vendors/immuta.md, "Authentication" and "Permissions").

use std::time::Duration;

use reqwest::header::LOCATION;
use serde_json::{Value, json};

use crate::{Bench, LICENSE, STATUS, answer};
use vendor_sim::immuta::{Exchange, LicenseKey, Needs, Permission, Switches, Tenant};

const EXCHANGE: &str = "/bim/apikey/authenticate";

impl Bench {
    async fn exchange_body(&self) -> (u16, Value) {
        answer(self.anonymous("POST", EXCHANGE).json(&json!({ "apikey": self.api_key }))).await
    }

    async fn exchange_header(&self) -> (u16, Value) {
        answer(self.anonymous("POST", EXCHANGE).header("authorization", &self.api_key)).await
    }

    async fn token(&self) -> String {
        self.exchange_body().await.1["token"].as_str().unwrap().to_owned()
    }

    async fn status_with(&self, authorization: String) -> u16 {
        answer(self.anonymous("GET", STATUS).header("authorization", authorization)).await.0
    }
}

#[tokio::test]
async fn text_is_received_in_any_part_of_request() {
    let bench = Bench::new().await;
    for text in ["canaryInUrl", "canaryInHeader", "canaryInBody", "canaryNowhere", &bench.api_key] {
        bench.sim.look_out_for(text);
    }
    answer(bench.request("GET", &format!("{STATUS}?to=canaryInUrl"))).await;
    answer(bench.anonymous("GET", LICENSE).header("authorization", "Bearer canaryInHeader")).await;
    answer(bench.anonymous("POST", "/identity/connect/token").form(&[("client_secret", "canaryInBody")])).await;
    let received = ["canaryInUrl", "canaryInHeader", "canaryInBody", "canaryNowhere", &bench.api_key]
        .map(|text| bench.sim.received(text));
    assert_eq!(received, [1, 1, 1, 0, 1]);
}

#[tokio::test]
async fn each_form_of_credential_is_accepted_or_refused_by_its_switch() {
    type Set = fn(&mut Switches, bool);
    type Form = fn(&str, &str) -> String;
    let table: [(&str, Set, Form); 4] = [
        ("raw key", |s, on| s.raw_key = on, |key, _| key.into()),
        ("bearer token", |s, on| s.bearer_token = on, |_, token| format!("Bearer {token}")),
        ("raw token", |s, on| s.raw_token = on, |_, token| token.into()),
        ("bearer key", |s, on| s.bearer_key = on, |key, _| format!("Bearer {key}")),
    ];
    let bench = Bench::new().await;
    let token = bench.token().await;
    let mut by_default = Vec::new();
    for (name, set, form) in table {
        let given = form(&bench.api_key, &token);
        by_default.push(bench.status_with(given.clone()).await);
        for (on, expected) in [(true, 200), (false, 401)] {
            bench.immuta.switch(|s| set(s, on));
            assert_eq!(bench.status_with(given.clone()).await, expected, "{name}: {on}");
        }
        bench.immuta.switch(|s| *s = Switches::default());
    }
    assert_eq!(by_default, [200, 200, 200, 401]);
}

#[tokio::test]
async fn key_is_exchanged_from_json_from_a_form_and_from_the_header() {
    let bench = Bench::new().await;
    let (status, body) = bench.exchange_body().await;
    assert_eq!((status, &body["authenticated"]), (200, &json!(true)));
    let expiration: jiff::Timestamp = body["tokenExpiration"].as_str().unwrap().parse().unwrap();
    assert!(expiration > bench.immuta.now());
    assert_eq!(bench.exchange_header().await.0, 200);
    let form = bench.anonymous("POST", EXCHANGE).form(&[("apikey", &bench.api_key)]);
    assert_eq!(answer(form).await.0, 200);
    assert_eq!(bench.immuta.exchanges(), 3);

    let wrong = answer(bench.anonymous("POST", EXCHANGE).json(&json!({ "apikey": "wrong" }))).await;
    assert_eq!(wrong, (401, json!({ "statusCode": 401, "error": "Unauthorized", "message": "Invalid API key" })));
    let spelled = answer(bench.anonymous("POST", EXCHANGE).json(&json!({ "apiKey": bench.api_key }))).await;
    assert_eq!(spelled.0, 400, "the name is all lower case");

    bench.immuta.switch(|s| s.exchange_shows_expiration = false);
    assert_eq!(crate::fields(&bench.exchange_body().await.1), ["token"]);
    bench.immuta.switch(|s| s.exchange_refuses_with_200 = true);
    let wrong = answer(bench.anonymous("POST", EXCHANGE).json(&json!({ "apikey": "wrong" }))).await;
    assert_eq!(wrong, (200, json!({ "authenticated": false })));
}

#[tokio::test]
async fn exchange_accepts_forms_of_its_switch() {
    for (exchange, form_status, body, header) in [
        (Exchange::Any, 400, 200, 200),
        (Exchange::BodyOnly, 400, 200, 400),
        (Exchange::HeaderOnly, 400, 400, 200),
        (Exchange::HeaderOnly, 401, 401, 200),
        (Exchange::Unsupported, 400, 404, 404),
        (Exchange::LoginPage, 400, 200, 200),
        (Exchange::RedirectToLogin, 400, 302, 302),
    ] {
        let bench = Bench::with(|s| (s.exchange, s.exchange_form_status) = (exchange, form_status)).await;
        let answers = (bench.exchange_body().await, bench.exchange_header().await);
        assert_eq!((answers.0.0, answers.1.0), (body, header), "{exchange:?}");
        assert_eq!(bench.status_with(bench.api_key.clone()).await, 200, "the raw key needs no exchange");
    }
    let bench = Bench::with(|s| s.exchange = Exchange::LoginPage).await;
    assert!(bench.exchange_body().await.1.as_str().unwrap().starts_with("<!doctype html>"));
    bench.immuta.switch(|s| s.exchange = Exchange::RedirectToLogin);
    let redirect = bench.anonymous("POST", EXCHANGE).send().await.unwrap();
    assert_eq!(redirect.headers()[LOCATION], "/login");
}

#[tokio::test]
async fn token_ends_by_its_life_by_calls_by_hand_or_with_its_key() {
    let bench = Bench::with(|s| s.token_lifetime_seconds = 60).await;
    let bearer = |token: String| format!("Bearer {token}");
    let token = bearer(bench.token().await);
    bench.immuta.advance(Duration::from_secs(50));
    assert_eq!(bench.status_with(token.clone()).await, 200);
    bench.immuta.advance(Duration::from_secs(11));
    assert_eq!(bench.status_with(token).await, 401);

    let token = bearer(bench.token().await);
    bench.immuta.expire_tokens();
    assert_eq!(bench.status_with(token).await, 401);

    bench.immuta.switch(|s| s.token_calls = Some(2));
    let token = bearer(bench.token().await);
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(bench.status_with(token.clone()).await);
    }
    assert_eq!(seen, [200, 200, 401]);

    bench.immuta.switch(|s| s.token_calls = None);
    let token = bearer(bench.token().await);
    assert!(bench.immuta.revoke_api_key(&bench.api_key));
    assert_eq!((bench.status_with(token.clone()).await, bench.exchange_body().await.0), (401, 401));
    bench.immuta.switch(|s| s.tokens_outlive_keys = true);
    assert_eq!(bench.status_with(token).await, 200);
    assert_eq!(bench.status_with(bench.api_key.clone()).await, 401);
}

#[tokio::test]
async fn missing_credentials_are_a_401_or_a_500() {
    for (switch, expected) in [(None, 401), (Some(500), 500)] {
        let bench = Bench::new().await;
        if let Some(status) = switch {
            bench.immuta.switch(|s| s.missing_credentials_status = status);
        }
        for path in [LICENSE, STATUS, "/admin/license/usage"] {
            assert_eq!(answer(bench.anonymous("GET", path)).await.0, expected);
        }
        assert_eq!(bench.status_with("wrong".into()).await, 401);
    }
}

/// Statuses of an addition, a reading of each kind and a deletion, of row 1 in both cases.
async fn calls(bench: &Bench, api_key: &str) -> [u16; 5] {
    bench.immuta.rebuild();
    bench.immuta.add_by_hand(&bench.immuta.issue(LicenseKey::seats(1))).unwrap();
    let key = bench.immuta.issue(LicenseKey::seats(40));
    let call = async |method: &str, path: &str| {
        let request = bench.anonymous(method, path).header("authorization", api_key);
        let request = if method == "POST" { request.json(&json!({ "licenseKey": key })) } else { request };
        answer(request).await.0
    };
    [
        call("POST", LICENSE).await,
        call("GET", LICENSE).await,
        call("GET", STATUS).await,
        call("GET", "/admin/license/usage").await,
        call("DELETE", "/admin/license/1").await,
    ]
}

#[tokio::test]
async fn key_has_permissions_of_owner_and_required_one_is_a_switch() {
    let bench = Bench::new().await;
    let nobody = bench.immuta.add_api_key(&[]);
    let user = bench.immuta.add_api_key(&[Permission::UserAdmin]);
    let both = bench.immuta.add_api_key(&[Permission::UserAdmin, Permission::ApplicationAdmin]);
    let application = bench.api_key.clone();
    assert_eq!(calls(&bench, &nobody).await, [403; 5]);
    assert_eq!(calls(&bench, &user).await, [403; 5]);
    assert_eq!(calls(&bench, &application).await, [200; 5]);
    bench.immuta.switch(|s| s.read_needs = Needs::Both);
    assert_eq!(calls(&bench, &application).await, [200, 403, 403, 403, 200]);
    assert_eq!(calls(&bench, &both).await, [200; 5]);
    bench.immuta.switch(|s| (s.read_needs, s.delete_needs) = (Needs::Nothing, Needs::UserAdmin));
    assert_eq!(calls(&bench, &nobody).await, [403, 200, 200, 200, 403]);
    assert_eq!(calls(&bench, &application).await, [200, 200, 200, 200, 403]);
    bench.immuta.switch(|s| s.add_needs = Needs::UserAdmin);
    assert_eq!(calls(&bench, &user).await, [200; 5]);

    let token = bench.token().await;
    let weak = bench.immuta.add_tenant(Tenant::new("Acme").permissions(&[]));
    for before in [application, token] {
        assert_eq!(bench.status_with(before).await, 401, "keys and tokens of the tenant before are gone");
    }
    let shape = answer(bench.anonymous("POST", LICENSE).header("authorization", weak.api_key)).await;
    let text = "Insufficient permissions";
    assert_eq!(shape, (403, json!({ "statusCode": 403, "error": "Forbidden", "message": text })));
}

#[tokio::test]
async fn without_a_tenant_and_on_other_addresses_there_is_nothing() {
    let bench = Bench::new().await;
    for (method, path) in [
        ("GET", "/admin"),
        ("GET", "/admin/license/1"),
        ("PUT", "/admin/license"),
        ("GET", "/admin/license/licensestatus"),
        ("DELETE", "/admin/license/1/2"),
        ("GET", EXCHANGE),
    ] {
        assert_eq!(answer(bench.request(method, path)).await.0, 404, "{method} {path}");
    }
    let empty = vendor_sim::Simulator::start(vendor_sim::Options::default()).await.unwrap();
    let ca = reqwest::Certificate::from_pem(empty.ca_pem().as_bytes()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([ca]).build().unwrap();
    assert_eq!(answer(client.get(format!("{}{LICENSE}", empty.url()))).await.0, 404);
}
