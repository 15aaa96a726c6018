//! Members and seats (docs/vendors/bitwarden.md, "Members" and "Who occupies a seat").

use serde_json::{Value, json};

use crate::{Bench, example};
use vendor_sim::{Actor, Provider};

#[tokio::test]
async fn list_is_unpaged_and_shows_every_status() {
    let bench = Bench::new(example().members(3).invited(2).accepted(1).revoked(4).staged(5)).await;
    let list: Value = bench.request("GET", "/api/public/members").send().await.unwrap().json().await.unwrap();
    assert_eq!(list["object"], "list");
    assert_eq!(list.as_object().unwrap().len(), 2, "no continuation token");
    let members = list["data"].as_array().unwrap();
    let count = |status: i64| members.iter().filter(|m| m["status"] == status).count();
    assert_eq!([-1, 0, 1, 2, 3].map(count), [4, 2, 1, 3, 5]);
    assert_eq!(members[0]["type"], 0);
    let invited = members.iter().find(|m| m["status"] == 0).unwrap();
    assert_eq!((&invited["userId"], &invited["name"]), (&Value::Null, &Value::Null));
    let view = bench.bw.organization(&bench.key.id);
    assert_eq!((view.members, view.occupied), (15, 6));
}

#[tokio::test]
async fn thirty_thousand_members() {
    let bench = Bench::new(example().seats(32_000).limit(None).members(30_000)).await;
    let list: Value = bench.request("GET", "/api/public/members").send().await.unwrap().json().await.unwrap();
    assert_eq!(list["data"].as_array().unwrap().len(), 30_000);
}

#[tokio::test]
async fn joining_autoscales_up_to_the_cap_and_leaving_frees_only() {
    let bench = Bench::new(example()).await;
    let (bw, id) = (&bench.bw, bench.key.id.as_str());
    assert!(bw.join(id, 20), "there is room");
    assert!(bw.ledger(id).is_empty());
    assert!(bw.join(id, 15));
    assert_eq!(bench.seats(), (Some(115), Some(115)));
    assert!(!bw.join(id, 6), "the cap is 120");
    assert_eq!(bw.last_refusal(id).unwrap().refusal.text, "Seat limit has been reached.");
    assert_eq!((bw.leave(id, 10), bw.revoke(id, 10)), (10, 10));
    let view = bw.organization(id);
    assert_eq!((view.seats, view.occupied, view.members), (Some(115), 95, 105));
    assert!(bw.restore(id, 10));
    assert_eq!(bw.organization(id).occupied, 105);
    assert_eq!(bw.ledger(id).len(), 1);
    assert_eq!(bw.ledger(id)[0].who, Actor::Autoscale);

    bw.set_limit(id, None).unwrap();
    bw.set_seats(id, 300).unwrap();
    assert_eq!(bw.set_seats(id, 50).unwrap_err().rule, "A9");
    assert_eq!(bw.set_limit(id, Some(200)).unwrap_err().rule, "B1");
}

#[tokio::test]
async fn invites_over_the_organization_api() {
    let bench = Bench::new(example().seats(80).limit(81)).await;
    let invite = |email: &str| {
        bench
            .request("POST", "/api/public/members")
            .json(&json!({ "type": 2, "email": email, "collections": [] }))
            .send()
    };
    let member: Value = invite("new@example.org").await.unwrap().json().await.unwrap();
    assert_eq!((&member["object"], &member["status"]), (&json!("member"), &json!(0)));
    assert_eq!(bench.seats(), (Some(81), Some(80)), "the row at once, the bill later");
    let text = async |email: &str| {
        let answer = invite(email).await.unwrap();
        assert_eq!(answer.status(), 400);
        answer.json::<Value>().await.unwrap()["message"].as_str().unwrap().to_owned()
    };
    assert_eq!(text("new@example.org").await, "This user has already been invited.");
    assert_eq!(text("other@example.org").await, "Seat limit has been reached.");
    bench.bw.run_billing_job(&bench.key.id);
    assert_eq!(bench.seats(), (Some(81), Some(81)));

    let path = format!("/api/public/members/{}", member["id"].as_str().unwrap());
    for (method, path) in
        [("POST", format!("{path}/revoke")), ("POST", format!("{path}/restore")), ("DELETE", path.clone())]
    {
        assert_eq!(bench.request(method, &path).send().await.unwrap().status(), 200, "{path}");
    }
    let gone = bench.request("DELETE", &path).send().await.unwrap();
    assert_eq!((gone.status().as_u16(), gone.text().await.unwrap().as_str()), (404, ""));

    let managed = Bench::new(example().seats(80).provider(Provider::Reseller)).await;
    assert!(!managed.bw.join(&managed.key.id, 1));
}
