//! The control API's part about Immuta, and that Bitwarden stays reachable beside it.

use serde_json::{Value, json};
use vendor_sim::Organization;

use crate::{Bench, STATUS, answer};

#[tokio::test]
async fn everything_by_curl() {
    let bench = Bench::new().await;
    let plain = reqwest::Client::new();
    let try_call = async |method: &str, path: &str, body: Value| {
        let url = format!("{}/sim/{path}", bench.sim.control_url());
        answer(plain.request(method.parse().unwrap(), url).json(&body)).await
    };
    let call = async |method: &str, path: &str, body: Value| {
        let (status, answer) = try_call(method, path, body).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    };
    let none = Value::Null;
    let key = call("POST", "immuta/keys", json!({ "seats": 40, "features": ["FPE"] })).await;
    assert_eq!((&key["number"], key["licenseKey"].as_str().unwrap().len()), (&json!(1), 172));
    let row = call("POST", "immuta/rows", json!({ "licenseKey": key["licenseKey"] })).await;
    assert_eq!((&row["id"], &row["seats"]), (&json!(1), &json!(40)));
    assert_eq!(try_call("POST", "immuta/rows", json!({ "licenseKey": key["licenseKey"] })).await.0, 409);
    assert_eq!(call("POST", "immuta/users/join", json!({ "n": 20 })).await, json!({ "joined": 9 }));
    assert_eq!(call("POST", "immuta/users/add", json!({ "n": 5 })).await["users"], 45);
    assert_eq!(call("POST", "immuta/users/remove", json!({ "n": 15 })).await, json!({ "removed": 15 }));
    assert_eq!(try_call("POST", "immuta/users/dance", json!({ "n": 1 })).await.0, 404);
    assert_eq!(bench.get(STATUS).await.1["activeUserCount"], 30);
    assert_eq!(call("POST", "immuta/rows/1/invalidate", none.clone()).await["rows"][0]["invalidated"], true);
    assert_eq!(try_call("POST", "immuta/rows/9/invalidate", none.clone()).await.0, 404);
    assert_eq!(call("DELETE", "immuta/rows/1", none.clone()).await["rows"][0]["deleted"], true);
    assert_eq!(try_call("DELETE", "immuta/rows/9", none.clone()).await.0, 404);
    let ledger = call("GET", "immuta/ledger", none.clone()).await;
    assert_eq!(ledger.as_array().unwrap().len(), 5, "added, refused, invalidated, deleted, not found");
    assert!(!ledger.to_string().contains(key["licenseKey"].as_str().unwrap()));
    call("POST", "immuta/rebuild", none.clone()).await;
    call("POST", "immuta/reset-ids", none.clone()).await;
    assert_eq!(call("GET", "immuta", none.clone()).await["rows"], json!([]));

    let more = call("POST", "immuta/api-keys", json!({ "permissions": ["USER_ADMIN"] })).await;
    let used =
        async || answer(bench.anonymous("GET", STATUS).header("authorization", more["apiKey"].as_str().unwrap()));
    assert_eq!(used().await.await.0, 403);
    assert_eq!(call("POST", "immuta/api-keys/revoke", more.clone()).await, json!({ "revoked": true }));
    assert_eq!(used().await.await.0, 401);
    let switches = call("PATCH", "immuta/switches", json!({ "duplicate": "secondRow", "usageMaxSize": 5 })).await;
    assert_eq!((&switches["duplicate"], &switches["rawKey"]), (&json!("secondRow"), &json!(true)));
    assert_eq!(call("GET", "immuta/switches", none.clone()).await, switches);
    assert_eq!(try_call("PATCH", "immuta/switches", json!({ "nonsense": 1 })).await.0, 400);
    call("POST", "immuta/tokens/expire", none.clone()).await;
    let tenant = call("POST", "immuta/tenant", json!({ "name": "Next", "users": 3 })).await;
    assert_eq!((&tenant["tenant"], bench.get(STATUS).await.0), (&json!("Next"), 401));

    let fault = json!({ "method": "GET", "wholePath": "/admin/license", "kind": "html" });
    assert_eq!(call("POST", "faults", fault).await, json!({ "id": 1 }));
    let url = format!("{}/sim", bench.sim.control_url());
    let help = plain.get(url).send().await.unwrap().text().await.unwrap();
    assert!(help.contains("/sim/organizations") && help.contains("/sim/immuta/ledger"));
}

#[tokio::test]
async fn bitwarden_is_behind_the_same_port() {
    let bench = Bench::new().await;
    let key = bench.sim.bitwarden().add_organization(Organization::enterprise("Example Corp"));
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", key.client_id.as_str()),
        ("client_secret", key.client_secret.as_str()),
    ];
    let token = answer(bench.anonymous("POST", "/identity/connect/token").form(&form)).await;
    assert_eq!((token.0, bench.get(STATUS).await.0), (200, 200));
    assert_eq!((bench.immuta.requests().len(), bench.sim.bitwarden().requests().len()), (1, 2));
}
