//! A server of one's own, and base URLs of both forms (docs/vendors/bitwarden.md, "Self-hosted servers" and
//! "Addresses of a deployment").

use serde_json::{Value, json};
use vendor_sim::{License, RateLimits, Role};

use crate::{
    Bench, SUBSCRIPTION, example,
    people::{model_error, owner_api_error},
};

const ONLY_CLOUD: &str = "Only allowed when not self hosted.";

fn license() -> License {
    License {
        expires: "2027-03-16T00:00:00Z".parse().unwrap(),
        expires_without_grace_period: "2027-01-15T00:00:00Z".parse().unwrap(),
    }
}

#[tokio::test]
async fn self_hosted_server_refuses_change_before_reading_role() {
    let bench = Bench::new(example().secrets_manager(5, 50)).await;
    let (owner, admin) = (bench.owner().await, bench.person(Role::Admin).await);
    let writes = [
        ("/seat", json!({ "seatAdjustment": 1 })),
        ("/subscription", json!({ "seatAdjustment": 1 })),
        ("/sm-subscription", json!({ "seatAdjustment": 1 })),
        ("/storage", json!({ "storageGbAdjustment": 1 })),
    ];
    bench.bw.switch(|s| s.self_hosted = true);
    for (action, body) in &writes {
        for person in [&owner, &admin] {
            assert_eq!(person.post(action, body.clone()).await, (400, owner_api_error(ONLY_CLOUD)), "{action}");
        }
    }
    let zero = model_error("SeatAdjustment", "Seat adjustment cannot be 0.");
    assert_eq!(admin.post("/seat", json!({ "seatAdjustment": 0 })).await, (400, zero), "the model comes first");
    assert!(bench.bw.ledger(&bench.key.id).is_empty());
    bench.bw.switch(|s| s.self_hosted = false);
    for (action, body) in writes {
        assert_eq!(owner.post(action, body).await.0, 200, "{action}");
    }
}

#[tokio::test]
async fn seats_and_the_end_of_the_license_can_be_read_and_usage_only_counted() {
    let bench = Bench::new(example().license(license())).await;
    let (owner, admin) = (bench.owner().await, bench.person(Role::Admin).await);
    bench.bw.switch(|s| s.self_hosted = true);
    let (status, o) = owner.get("").await;
    assert_eq!((status, &o["seats"], &o["plan"]["passwordManager"]), (200, &json!(100), &Value::Null));
    let (status, o) = owner.get("/subscription").await;
    assert_eq!((status, &o["subscription"], &o["upcomingInvoice"]), (200, &Value::Null, &Value::Null));
    assert_eq!(
        (&o["expiration"], &o["expirationWithoutGracePeriod"]),
        (&json!("2027-03-16T00:00:00Z"), &json!("2027-01-15T00:00:00Z"))
    );
    assert_eq!(admin.get("/subscription").await.0, 404);
    let zeros = json!({ "isOnSecretsManagerStandalone": false, "organizationOccupiedSeats": 0 });
    assert_eq!(admin.get("/billing/vnext/self-host/metadata").await, (200, zeros));
    assert_eq!(admin.get("/billing/vnext/metadata").await, (400, owner_api_error(ONLY_CLOUD)));
    let members: Value = bench.request("GET", "/api/public/members").send().await.unwrap().json().await.unwrap();
    assert_eq!(members["data"].as_array().unwrap().len(), 80);
    let plans = bench.client.get(format!("{}/api/plans", bench.sim.url())).send().await.unwrap();
    assert_eq!(plans.json::<Value>().await.unwrap()["data"], json!([]));
    assert!(!bench.bw.join(&bench.key.id, 21), "nothing scales by itself");
    bench.bw.set_license(&bench.key.id, license(), Some(150));
    assert_eq!(owner.get("").await.1["seats"], 150, "only another license changes the seats");

    bench.bw.switch(|s| s.self_hosted = false);
    assert_eq!(admin.get("/billing/vnext/self-host/metadata").await.0, 400);
    let (_, o) = owner.get("/subscription").await;
    assert_ne!(o["expiration"], "2027-03-16T00:00:00Z");
    assert_eq!((&o["expirationWithoutGracePeriod"], o["subscription"].is_object()), (&Value::Null, true));
}

#[tokio::test]
async fn self_hosted_server_has_no_limiter() {
    let bench = Bench::new(example()).await;
    let owner = bench.owner().await;
    bench.bw.switch(|s| {
        s.self_hosted = true;
        s.rate_limits = RateLimits::only("GET", "/organizations/*", 1, 60);
    });
    assert_eq!([owner.get("").await.0, owner.get("").await.0], [200, 200]);
    bench.bw.switch(|s| s.self_hosted = false);
    assert_eq!([owner.get("").await.0, owner.get("").await.0], [200, 429]);
}

#[tokio::test]
async fn api_and_identity_also_have_base_urls_of_their_own() {
    let bench = Bench::new(example()).await;
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", bench.key.client_id.as_str()),
        ("client_secret", bench.key.client_secret.as_str()),
    ];
    let (api, identity) = (bench.sim.api_url(), bench.sim.identity_url());
    let token = bench.client.post(format!("{identity}/connect/token")).form(&form).send().await.unwrap();
    let token = token.json::<Value>().await.unwrap()["access_token"].as_str().unwrap().to_owned();
    let path = SUBSCRIPTION.strip_prefix("/api").unwrap();
    let get = async |url: String| bench.client.get(url).bearer_auth(&token).send().await.unwrap();
    assert_eq!(get(format!("{api}{path}")).await.status(), 200);
    assert_eq!(get(format!("{identity}{path}")).await.status(), 404, "each serves its own");
    assert_eq!(get(format!("{api}/identity/connect/token")).await.status(), 404);
    let config: Value = get(format!("{api}/config")).await.json().await.unwrap();
    assert_eq!((&config["environment"]["api"], &config["environment"]["identity"]), (&json!(api), &json!(identity)));
    let config: Value = get(format!("{}/api/config", bench.sim.url())).await.json().await.unwrap();
    assert_eq!(config["environment"]["identity"], json!(format!("{}/identity", bench.sim.url())));
}
