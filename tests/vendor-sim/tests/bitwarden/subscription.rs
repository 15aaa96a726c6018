//! The subscription of the organization API (docs/vendors/bitwarden.md, "The subscription GET" and "The subscription PUT").

use crate::{Bench, FAILED, SUBSCRIPTION, UPDATED, example};
use vendor_sim::{BillingPath, Organization, SubscriptionStatus};

#[tokio::test]
async fn get_writes_nulls_and_camel_case() {
    let bench = Bench::new(Organization::enterprise("x").seats(150).storage(5).secrets_manager(20, 50)).await;
    let expected = concat!(
        r#"{"passwordManager":{"seats":150,"maxAutoScaleSeats":null,"storage":5},"secretsManager":{"seats":20,"#,
        r#""maxAutoScaleSeats":null,"serviceAccounts":50,"maxAutoScaleServiceAccounts":null}}"#
    );
    let answer = bench.request("GET", SUBSCRIPTION).send().await.unwrap();
    let headers = answer.headers();
    assert_eq!(headers["content-type"], "application/json; charset=utf-8");
    assert_eq!(headers["x-frame-options"], "SAMEORIGIN");
    assert_eq!(headers["x-xss-protection"], "1; mode=block");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(answer.text().await.unwrap(), expected);
}

#[tokio::test]
async fn put_is_absolute_and_silent() {
    let bench = Bench::new(example()).await;
    let ok = (200, UPDATED.to_owned());
    assert_eq!(bench.put_seats(110).await, ok);
    assert_eq!(bench.seats(), (Some(110), Some(110)));
    for silent in [
        r#"{"passwordManager":{"seats":0}}"#,
        r#"{"passwordManager":{"seats":-5,"maxAutoScaleSeats":-1}}"#,
        r#"{"passwordManager":{"seats":null,"maxAutoScaleSeats":null,"storage":null}}"#,
        r#"{"passwordManager":{},"unknown":1}"#,
        r#"{"passwordManager":{"seats":110}}"#,
    ] {
        assert_eq!(bench.put(silent).await, ok, "{silent}");
    }
    assert_eq!(bench.bw.ledger(&bench.key.id).len(), 2, "one charge, one row, nothing since");
    assert_eq!(bench.put(r#"{"PASSWORDMANAGER":{"Seats":"130","maxautoscaleseats":"140"}}"#).await, ok);
    let view = bench.bw.organization(&bench.key.id);
    assert_eq!((view.seats, view.limit), (Some(130), Some(140)));
    // Lowering both in one request compares new with new.
    assert_eq!(bench.put(r#"{"passwordManager":{"seats":90,"maxAutoScaleSeats":90,"storage":3}}"#).await, ok);
    let view = bench.bw.organization(&bench.key.id);
    assert_eq!(
        (view.seats, view.limit, view.storage_gb, view.billed.storage_gb),
        (Some(90), Some(90), Some(3), Some(3))
    );
}

#[tokio::test]
async fn put_hides_every_refusal_behind_one_500() {
    let bench = Bench::new(example()).await;
    let failed = (500, FAILED.to_owned());
    for (body, rule) in [
        (r#"{"passwordManager":{"seats":121}}"#, "U1"),
        (r#"{"passwordManager":{"maxAutoScaleSeats":0}}"#, "U1"),
        (r#"{"passwordManager":{"maxAutoScaleSeats":99}}"#, "U1"),
        (r#"{"passwordManager":{"seats":79}}"#, "A9"),
    ] {
        assert_eq!(bench.put(body).await, failed);
        assert_eq!(bench.refusal(), rule);
    }
    for (path, status, rule) in [
        (BillingPath::Legacy, Some(SubscriptionStatus::Canceled), "stripe"),
        (BillingPath::New, Some(SubscriptionStatus::Unpaid), "stripe"),
        (BillingPath::New, None, "stripe"),
    ] {
        bench.bw.switch(|s| s.billing_path = Some(path));
        bench.bw.set_stripe(&bench.key.id, true, true, status);
        assert_eq!(bench.put_seats(110).await, failed);
        assert_eq!(bench.refusal(), rule);
    }
    bench.bw.set_stripe(&bench.key.id, false, false, None);
    assert_eq!(bench.put_seats(110).await, failed);
    assert_eq!(bench.refusal(), "A2");
    assert_eq!(bench.put(r#"{"passwordManager":{"maxAutoScaleSeats":200}}"#).await.0, 200, "caps need no payment");
    bench.bw.delete_organization(&bench.key.id);
    assert_eq!(bench.put_seats(110).await, failed);
    let gone = r#"{"message":"An error occurred while retrieving the subscription details."}"#;
    assert_eq!(bench.get().await, (500.try_into().unwrap(), gone.to_owned()));
}

#[tokio::test]
async fn bodies_are_judged_before_anything_else() {
    let bench = Bench::new(example()).await;
    let model = |errors: &str| {
        format!(r#"{{"object":"error","message":"The request's model state is invalid.","errors":{errors}}}"#)
    };
    let neither = model(r#"{"":["At least one of PasswordManager or SecretsManager must be provided."]}"#);
    let empty = model(r#"{"":["A non-empty request body is required."]}"#);
    assert_eq!(bench.put("{}").await, (400, neither.clone()));
    assert_eq!(bench.put(r#"{"passwordManager":null}"#).await, (400, neither.clone()));
    assert_eq!(bench.put("").await, (400, empty.clone()));
    assert_eq!(bench.put("null").await, (400, empty));
    for wrong in ["1.5", "2147483648", "true", r#""ten""#, "[1]", "100.0"] {
        let (status, text) = bench.put(&format!(r#"{{"passwordManager":{{"seats":{wrong}}}}}"#)).await;
        assert_eq!(status, 400);
        assert!(text.contains(r#""$.passwordManager.seats":["#), "{text}");
    }
    for wrong in ["{", "[]", r#"{"passwordManager":{"seats":1,}}"#, "/* */ {}"] {
        assert_eq!(bench.put(wrong).await.0, 400, "{wrong}");
    }
    let text = bench.request("PUT", SUBSCRIPTION).header("content-type", "text/plain").body("{}").send().await.unwrap();
    assert_eq!((text.status().as_u16(), text.text().await.unwrap().as_str()), (415, ""));

    bench.bw.switch(|s| s.self_hosted = true);
    let hosted = r#"{"object":"error","message":"Only allowed when not self hosted.","errors":null}"#;
    assert_eq!(bench.put("{}").await, (400, neither), "the model error comes first");
    assert_eq!(bench.put_seats(110).await, (400, hosted.to_owned()));
    assert_eq!(bench.get().await, (400.try_into().unwrap(), hosted.to_owned()));
    assert!(bench.bw.ledger(&bench.key.id).is_empty());
}

#[tokio::test]
async fn secrets_manager_comes_after_and_commits_by_itself() {
    let bench = Bench::new(example().limit(None)).await;
    let both = r#"{"passwordManager":{"seats":105},"secretsManager":{"seats":5}}"#;
    let none = r#"{"message":"Organization has no access to Secrets Manager."}"#;
    assert_eq!(bench.put(both).await, (200, none.to_owned()));
    assert_eq!(bench.seats(), (Some(105), Some(105)), "already applied");

    let bench = Bench::new(example().limit(None).secrets_manager(20, 50)).await;
    let too_many = r#"{"passwordManager":{"seats":105},"secretsManager":{"seats":106}}"#;
    assert_eq!(bench.put(too_many).await, (500, FAILED.to_owned()));
    assert_eq!(bench.refusal(), "S9");
    assert_eq!(bench.seats(), (Some(105), Some(105)));
    let lower_both = r#"{"passwordManager":{"seats":90},"secretsManager":{"seats":10}}"#;
    assert_eq!(bench.put(lower_both).await.0, 200);
    assert_eq!(
        bench.put(r#"{"secretsManager":{"seats":25,"maxAutoScaleSeats":40,"serviceAccounts":60}}"#).await.0,
        200
    );
    let view = bench.bw.organization(&bench.key.id);
    assert_eq!((view.sm_seats, view.sm_limit, view.service_accounts), (Some(25), Some(40), Some(60)));
    assert_eq!((view.billed.sm_seats, view.billed.service_accounts), (Some(25), Some(60)));
}

#[tokio::test]
async fn totals_wrap_at_sixteen_bits() {
    let bench = Bench::new(example().limit(None)).await;
    assert_eq!(bench.put_seats(32_768).await.0, 200);
    assert_eq!(bench.seats(), (Some(-32_768), Some(32_768)));
}

#[tokio::test]
async fn unknown_routes_and_methods() {
    let bench = Bench::new(example()).await;
    let wrong = bench.client.post(format!("{}{SUBSCRIPTION}", bench.sim.url())).send().await.unwrap();
    assert_eq!((wrong.status().as_u16(), &wrong.headers()["allow"]), (405, &"GET, PUT".parse().unwrap()));
    assert_eq!(bench.request("GET", "/api/public/license").send().await.unwrap().status(), 404);
    assert_eq!(bench.request("GET", "/API/Public/Organization/Subscription/").send().await.unwrap().status(), 200);
    let alive = bench.client.get(format!("{}/api/alive", bench.sim.url())).send().await.unwrap();
    assert!(alive.text().await.unwrap().ends_with("Z\""));
}
