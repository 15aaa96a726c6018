//! Tokens (docs/vendors/bitwarden.md, "Keys and tokens").

use std::time::Duration;

use crate::{Bench, example};
use vendor_sim::PlanType;

async fn error(bench: &Bench, form: &[(&str, &str)]) -> String {
    let answer = bench.token_request(form).await;
    assert_eq!(answer.status(), 400);
    assert_eq!(answer.headers()["cache-control"], "no-store, no-cache, max-age=0");
    answer.text().await.unwrap()
}

#[tokio::test]
async fn token_errors() {
    let bench = Bench::new(example()).await;
    let (id, secret) = (bench.key.client_id.as_str(), bench.key.client_secret.as_str());
    let grant = ("grant_type", "client_credentials");
    let long = "x".repeat(101);
    let unknown = "organization.6f1c8a52-0d0e-4a5f-9c2b-3b7f5f0a1c11";
    let bad_client = r#"{"error":"invalid_client"}"#;
    let bad_request = r#"{"error":"invalid_request"}"#;
    for (form, expected) in [
        (vec![grant], bad_request),
        (vec![grant, ("client_id", &long), ("client_secret", secret)], bad_request),
        (vec![grant, ("client_id", id), ("client_secret", &long)], bad_request),
        (vec![grant, ("client_id", unknown), ("client_secret", secret)], bad_client),
        (vec![grant, ("client_id", "organization.nonsense"), ("client_secret", secret)], bad_client),
        (vec![grant, ("client_id", "organization."), ("client_secret", secret)], bad_client),
        (vec![grant, ("client_id", "user.6f1c8a52-0d0e-4a5f-9c2b-3b7f5f0a1c11"), ("client_secret", "x")], bad_client),
        (vec![grant, ("client_id", id), ("client_secret", "wrong")], bad_client),
        (vec![grant, ("client_id", id)], bad_client),
        (vec![("client_id", id), ("client_secret", secret)], r#"{"error":"unsupported_grant_type"}"#),
        (
            vec![("grant_type", "password"), ("client_id", id), ("client_secret", secret)],
            r#"{"error":"unauthorized_client"}"#,
        ),
        (vec![grant, ("scope", "api"), ("client_id", id), ("client_secret", secret)], r#"{"error":"invalid_scope"}"#),
    ] {
        assert_eq!(error(&bench, &form).await, expected, "{form:?}");
    }
    let url = format!("{}/identity/connect/token", bench.sim.url());
    let answer = bench.client.get(&url).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (400, bad_request));
    // Names in any case, no scope, Basic instead of the form.
    let basic = bench.client.post(&url).basic_auth(id, Some(secret)).form(&[("Grant_Type", "client_credentials")]);
    let text = basic.send().await.unwrap().text().await.unwrap();
    assert!(text.starts_with(r#"{"access_token":"ey"#), "{text}");
    assert!(text.ends_with(r#""expires_in":3600,"token_type":"Bearer","scope":"api.organization"}"#), "{text}");
}

#[tokio::test]
async fn keys_are_read_anew_and_tokens_outlive_them() {
    let bench = Bench::new(example()).await;
    let id = bench.key.id.as_str();
    let old = [
        ("grant_type", "client_credentials"),
        ("client_id", &bench.key.client_id),
        ("client_secret", &bench.key.client_secret),
    ];
    bench.bw.rotate_key(id);
    bench.bw.set_enabled(id, false);
    assert_eq!(error(&bench, &old).await, r#"{"error":"invalid_client"}"#);
    assert_eq!(bench.get().await.0, 200, "the old token still works");

    bench.bw.advance(Duration::from_secs(3600));
    assert_eq!(bench.get().await.0, 200, "five minutes of clock skew");
    bench.bw.advance(Duration::from_secs(301));
    let refused = bench.request("GET", crate::SUBSCRIPTION).send().await.unwrap();
    assert_eq!(refused.status(), 401);
    assert_eq!(refused.headers()["www-authenticate"], "Bearer error=\"invalid_token\"");
    assert_eq!(refused.text().await.unwrap(), "");
}

#[tokio::test]
async fn disabled_organizations_and_small_plans_get_no_token() {
    let bench = Bench::new(example()).await;
    for organization in
        [example().enabled(false), example().plan(PlanType::Families).seats(6), example().use_api(false)]
    {
        let key = bench.bw.add_organization(organization);
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &key.client_id),
            ("client_secret", &key.client_secret),
        ];
        assert_eq!(error(&bench, &form).await, r#"{"error":"invalid_client"}"#);
    }
}

#[tokio::test]
async fn key_cache_serves_an_old_secret_for_five_minutes() {
    let bench = Bench::new(example()).await;
    bench.bw.switch(|s| s.key_cache_seconds = 300);
    bench.login().await;
    let old = [
        ("grant_type", "client_credentials"),
        ("client_id", &bench.key.client_id),
        ("client_secret", &bench.key.client_secret),
    ];
    bench.bw.rotate_key(&bench.key.id);
    assert_eq!(bench.token_request(&old).await.status(), 200);
    bench.bw.advance(Duration::from_secs(301));
    assert_eq!(bench.token_request(&old).await.status(), 400);
}

#[tokio::test]
async fn bearer_failures_have_empty_bodies() {
    let mut bench = Bench::new(example()).await;
    let url = format!("{}{}", bench.sim.url(), crate::SUBSCRIPTION);
    let none = bench.client.get(&url).send().await.unwrap();
    assert_eq!((none.status().as_u16(), &none.headers()["www-authenticate"]), (401, &"Bearer".parse().unwrap()));
    bench.bw.expire_tokens();
    assert_eq!(bench.get().await, (401.try_into().unwrap(), String::new()));
    bench.token = bench.bw.user_token();
    assert_eq!(bench.get().await, (403.try_into().unwrap(), String::new()));
    assert_eq!(bench.bw.token_requests(), 1);
    let shown = serde_json::to_string(&bench.bw.requests()).unwrap();
    assert!(!shown.contains("eyJ") && !shown.contains(&bench.key.client_secret), "secrets are not kept");
}
