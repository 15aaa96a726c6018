//! The control API.

use serde_json::{Value, json};

use crate::{Bench, UPDATED, example};

#[tokio::test]
async fn everything_by_curl() {
    let bench = Bench::new(example()).await;
    let plain = reqwest::Client::new();
    let call = async |method: &str, path: &str, body: Value| -> Value {
        let url = format!("{}/sim/{path}", bench.sim.control_url());
        let answer = plain.request(method.parse().unwrap(), url).json(&body).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    };
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
