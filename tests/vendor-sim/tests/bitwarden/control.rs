//! The control API.

use serde_json::{Value, json};

use crate::{Bench, UPDATED, example};

#[tokio::test]
async fn everything_by_curl() {
    let bench = Bench::new(example()).await;
    let plain = reqwest::Client::new();
    let call = async |method: &str, path: &str, body: Value| bench.control(method, path, body).await;
    let none = Value::Null;
    let org = format!("organizations/{}", bench.key.id);
    let created = call("POST", "organizations", json!({ "name": "Second", "plan": "teamsAnnually", "seats": 5 })).await;
    assert_eq!(created["clientSecret"].as_str().unwrap().len(), 30);
    assert_eq!(call("GET", "organizations", none.clone()).await.as_array().unwrap().len(), 2);
    assert_eq!(call("POST", &format!("{org}/join"), json!({ "n": 25 })).await, json!({ "accepted": true }));
    assert_eq!(call("POST", &format!("{org}/seats"), json!({ "seats": 112 })).await["seats"], 112);
    assert_eq!(call("POST", &format!("{org}/limit"), json!({ "limit": null })).await["limit"], Value::Null);
    assert_eq!(call("GET", &format!("{org}/ledger"), none.clone()).await.as_array().unwrap().len(), 3);
    let fault = json!({ "method": "PUT", "times": 1, "kind": { "answer": { "status": 503 } } });
    assert_eq!(call("POST", "faults", fault).await, json!({ "id": 1 }));
    assert_eq!(bench.put_seats(120).await.0, 503);
    assert_eq!(call("GET", "faults", none.clone()).await[0]["fired"], 1);
    assert_eq!(call("POST", "faults", json!({ "kind": "failAfterBilling" })).await, json!({ "id": 2 }));
    assert_eq!(bench.put_seats(120).await.0, 500);
    assert_eq!(call("GET", &org, none.clone()).await["lastRefusal"]["rule"], "fault");
    call("DELETE", "faults", none.clone()).await;
    assert_eq!(bench.put_seats(120).await, (200, UPDATED.to_owned()));
    let switches = call("PATCH", "switches", json!({ "selfHosted": true, "webhook": { "enabled": true } })).await;
    assert_eq!((&switches["selfHosted"], &switches["webhook"]["enabled"]), (&json!(true), &json!(true)));
    assert_eq!(bench.put_seats(121).await.0, 400);
    call("POST", "tokens/expire", none.clone()).await;
    assert_eq!(bench.get().await.0, 401);
    let requests = call("GET", "requests", none.clone()).await;
    assert_eq!(requests.as_array().unwrap().last().unwrap()["status"], 401);
    assert_eq!(call("POST", "settle", none).await, json!({ "settled": true }));

    let wrong = plain.post(format!("{}/sim/faults", bench.sim.control_url())).json(&json!({ "kind": "nonsense" }));
    assert_eq!(wrong.send().await.unwrap().status(), 422);
    let control = format!("https://{}/sim", bench.sim.host());
    assert_eq!(bench.client.get(control).send().await.unwrap().status(), 404, "not on the vendor's port");
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story: each call builds on the ones before it")]
async fn owner_key_works_by_curl() {
    let bench = Bench::new(example().secrets_manager(5, 50).sm_members(5)).await;
    let plain = reqwest::Client::new();
    let call = async |method: &str, path: &str, body: Value| bench.control(method, path, body).await;
    let none = Value::Null;
    let org = format!("organizations/{}", bench.key.id);
    let key: vendor_sim::UserKey =
        serde_json::from_value(call("POST", &format!("{org}/user-key"), json!({ "role": "owner" })).await).unwrap();
    let user = format!("users/{}", key.user_id);
    let mut owner = crate::people::Person { bench: &bench, key, token: String::new() };
    owner.login().await;
    assert_eq!(owner.get("").await.0, 200);
    assert_eq!(call("GET", &user, none.clone()).await["deviceMails"], 1);

    let here = |more: Value| {
        let mut body = json!({ "organization": bench.key.id });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let changed = call("POST", &format!("{user}/role"), here(json!({ "role": "admin" }))).await;
    assert_eq!(changed["memberships"][0]["role"], "admin");
    owner.login().await;
    assert_eq!(owner.get("").await.0, 404);
    call("POST", &format!("{user}/role"), here(json!({ "role": "owner" }))).await;
    let status = call("POST", &format!("{user}/status"), here(json!({ "status": "accepted" }))).await;
    assert_eq!(status["memberships"][0]["status"], "accepted");
    call("POST", &format!("{user}/status"), here(json!({ "status": "confirmed" }))).await;
    owner.login().await;

    call("POST", &format!("{org}/status"), json!({ "status": "past_due" })).await;
    call("POST", &format!("{org}/terms"), json!({ "periodEnd": "2027-01-15T00:00:00Z", "cancelAtPeriodEnd": true }))
        .await;
    let (_, read) = owner.get("/subscription").await;
    assert_eq!(
        (&read["subscription"]["status"], &read["subscription"]["cancelAtEndDate"]),
        (&json!("past_due"), &json!(true))
    );
    assert_eq!(read["subscription"]["periodEndDate"], "2027-01-15T00:00:00Z");
    call("POST", &format!("{org}/terms"), json!({ "cancelAtPeriodEnd": false })).await;
    call("POST", &format!("{org}/status"), json!({ "status": "active" })).await;
    let (_, read) = owner.get("/subscription").await;
    assert_eq!(
        (&read["subscription"]["status"], &read["subscription"]["cancelAtEndDate"]),
        (&json!("active"), &json!(false))
    );
    call("POST", &format!("{org}/provider"), json!({ "provider": "msp" })).await;
    assert_eq!(owner.get("/subscription").await.0, 404);
    call("POST", &format!("{org}/provider"), json!({ "provider": null })).await;
    assert_eq!(owner.get("/subscription").await.0, 200);

    let accounts = call("POST", &format!("{org}/machine-accounts"), json!({ "n": 60 })).await;
    assert_eq!(accounts, json!({ "accepted": true }));
    assert_eq!(call("POST", &format!("{org}/machine-accounts-gone"), json!({ "n": 1 })).await, json!({ "gone": 1 }));
    let access = call("POST", &format!("{org}/secrets-manager-access"), json!({ "n": 1 })).await;
    assert_eq!(access, json!({ "accepted": true }));
    assert_eq!(call("POST", &format!("{org}/plan"), json!({ "plan": "teamsAnnually" })).await["plan"], "teamsAnnually");
    let license = json!({ "expires": "2027-03-16T00:00:00Z", "expiresWithoutGracePeriod": "2027-01-15T00:00:00Z" });
    let licensed = call("POST", &format!("{org}/license"), json!({ "license": license, "seats": 90 })).await;
    assert_eq!(licensed["seats"], 90);

    call("POST", &format!("{user}/account"), json!({ "legacyEncryption": true })).await;
    let form = crate::people::form(&owner.key, &[]);
    assert_eq!(bench.ask_token(Some("2026.8.0"), &form).await.status(), 400);
    call("POST", &format!("{user}/account"), json!({ "legacyEncryption": false })).await;
    let rotated = call("POST", &format!("{user}/rotate-key"), none.clone()).await;
    assert_eq!(call("GET", &format!("{user}/key"), none.clone()).await, rotated);
    let gone = call("POST", &format!("{user}/remove"), here(json!({}))).await;
    assert_eq!(gone["memberships"], json!([]));
    let second = call("POST", "users", none.clone()).await;
    assert_eq!(second["clientId"].as_str().unwrap().len(), "user.".len() + 36);
    assert_eq!(call("GET", "users", none.clone()).await.as_array().unwrap().len(), 2);
    call("DELETE", &user, none).await;
    let unknown = plain.get(format!("{}/sim/{user}", bench.sim.control_url())).send().await.unwrap();
    assert_eq!(unknown.status(), 404);
    let wrong = plain.post(format!("{}/sim/{org}/nonsense", bench.sim.control_url())).json(&json!({}));
    assert_eq!(wrong.send().await.unwrap().status(), 404);
}

#[test]
fn program_explains_its_flags_and_its_control_api() {
    let help = std::process::Command::new(env!("CARGO_BIN_EXE_vendor-sim")).arg("--help").output().unwrap();
    assert!(help.status.success() && help.stderr.is_empty(), "{help:?}");
    let help = String::from_utf8(help.stdout).unwrap();
    for words in
        ["--listen", "--control", "--state-dir", "--seed", "--rate-limits", "--key-cache", "/sim/organizations"]
    {
        assert!(help.contains(words), "{words} is missing in {help}");
    }
}
