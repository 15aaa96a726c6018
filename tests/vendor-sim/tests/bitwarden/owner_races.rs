//! What is lost, late, doubled or throttled through the owner API (docs/vendors/bitwarden.md, "Late and lost effects"
//! and "Rate limits").

use serde_json::json;
use std::time::Duration;
use vendor_sim::{Actor, Fault, FaultKind, RateLimits, Step, Webhook};

use crate::{Bench, LONG, example};

#[tokio::test]
async fn failure_between_bill_and_row_is_paid_and_not_shown() {
    let bench = Bench::new(example()).await;
    let owner = bench.owner().await;
    let up = || json!({ "seatAdjustment": 10 });
    let went_wrong = (500, "Something went wrong with your request. Please contact support.".to_owned());
    bench.bw.inject(Fault::on_owner_write(FaultKind::FailBeforeBilling));
    assert_eq!(owner.refused("/seat", up()).await, went_wrong);
    assert_eq!(bench.seats(), (Some(100), Some(100)));
    bench.bw.inject(Fault::on_owner_write(FaultKind::FailAfterBilling));
    assert_eq!(owner.refused("/seat", up()).await, went_wrong);
    assert_eq!(bench.seats(), (Some(100), Some(110)));
    let (_, o) = owner.get("/subscription").await;
    assert_eq!(
        (&o["seats"], &o["subscription"]["items"][0]["quantity"]),
        (&json!(100), &json!(110)),
        "an owner can see it"
    );
    bench.bw.inject(Fault::on_owner_write(FaultKind::NoEffect));
    assert_eq!(owner.post("/seat", up()).await.0, 200);
    assert_eq!(bench.seats(), (Some(100), Some(110)));
    bench.bw.inject(Fault::on_owner_write(FaultKind::Half));
    assert_eq!(owner.post("/subscription", json!({ "seatAdjustment": 10, "maxAutoscaleSeats": 130 })).await.0, 500);
    let view = bench.bw.organization(&bench.key.id);
    assert_eq!((view.seats, view.limit, view.billed.seats), (Some(110), Some(120), Some(110)), "seats, but no cap");
}

#[tokio::test]
async fn repeat_during_running_first_is_lost_from_row_or_adds_up() {
    let bench = Bench::new(example().limit(None)).await;
    let owner = bench.owner().await;
    let up = async || owner.post("/seat", json!({ "seatAdjustment": 10 })).await;
    let (one, two) = bench.overlap(Fault::on_owner_write, 110, up).await;
    assert_eq!((one.0, two.0, bench.seats()), (200, 200, (Some(120), Some(120))));
}

#[tokio::test]
async fn write_goes_on_without_its_client_and_may_come_late() {
    let bench = Bench::new(example()).await;
    let owner = bench.owner().await;
    let url = format!("{}/api/organizations/{}/seat", bench.sim.url(), bench.key.id);
    let up = || bench.client.post(&url).bearer_auth(&owner.token).json(&json!({ "seatAdjustment": 10 })).send();
    let late = bench.bw.inject(Fault::on_owner_write(FaultKind::ApplyLate { after_ms: LONG }));
    up().await.unwrap_err();
    assert_eq!(bench.seats(), (Some(100), Some(100)));
    bench.bw.release(late);
    assert!(bench.bw.settle().await);
    assert_eq!(bench.seats(), (Some(110), Some(110)));

    let pause = bench.bw.inject(Fault::on_owner_write(FaultKind::PauseBeforeRow { ms: LONG }));
    tokio::select! {
        _ = up() => unreachable!("it is paused"),
        fired = bench.bw.wait_fired(pause, 1) => assert!(fired),
    }
    assert!(bench.bw.wait_for(Duration::from_secs(20), |b| b.count(|r| r.client_gone) == 1).await);
    bench.bw.release(pause);
    assert!(bench.bw.settle().await);
    assert_eq!(bench.seats(), (Some(120), Some(120)));
    let last = bench.bw.ledger(&bench.key.id).pop().unwrap();
    assert_eq!((last.who, last.step), (Actor::LateFinisher, Step::Row));
    assert_eq!(bench.bw.writes(&bench.key.id), 2);
}

#[tokio::test]
async fn webhook_can_restore_row_before_owner_write() {
    let bench = Bench::new(example()).await;
    let owner = bench.owner().await;
    bench.bw.switch(|s| s.webhook = Webhook::restoring());
    assert_eq!(owner.post("/seat", json!({ "seatAdjustment": 10 })).await.0, 200);
    assert_eq!(owner.get("").await.1["seats"], 110);
    bench.bw.release_webhooks();
    assert!(bench.bw.settle().await);
    assert_eq!(bench.seats(), (Some(100), Some(110)));
    assert_eq!(owner.get("").await.1["seats"], 100);
    bench.bw.switch(|s| s.webhook = Webhook::silent());
    assert_eq!(owner.post("/seat", json!({ "seatAdjustment": 10 })).await.0, 200);
    assert!(bench.bw.settle().await);
    assert_eq!(bench.seats(), (Some(110), Some(110)), "without the webhook it stays");
}

#[tokio::test]
async fn each_organization_has_its_own_counter_on_paths_of_the_owner_api() {
    let bench = Bench::new(example()).await;
    let mut owner = bench.owner().await;
    let other = bench.bw.add_organization(example());
    bench.bw.set_role(&owner.key.user_id, &other.id, vendor_sim::Role::Owner);
    owner.login().await;
    let up = Some(r#"{"seatAdjustment":1}"#);
    let seat = async |id: &str| owner.raw("POST", &format!("/organizations/{id}/seat"), up).await.0;
    bench.bw.switch(|s| s.rate_limits = RateLimits::only("POST", "/organizations/*/seat", 2, 60));
    assert_eq!([seat(&bench.key.id).await, seat(&bench.key.id).await, seat(&bench.key.id).await], [200, 200, 429]);
    assert_eq!(seat(&other.id).await, 200, "another id is another path");
    assert_eq!(owner.get("/subscription").await.0, 200, "and another verb or path too");
    let body = json!({ "seatAdjustment": 1, "maxAutoscaleSeats": 120 });
    assert_eq!(owner.post("/subscription", body).await.0, 200);
    assert_eq!(bench.seats().0, Some(103), "the refused one was not executed");
    bench.bw.advance(Duration::from_secs(60));
    assert_eq!(seat(&bench.key.id).await, 200);
    bench.bw.switch(|s| s.rate_limits.enabled = false);
    assert_eq!([seat(&bench.key.id).await, seat(&bench.key.id).await, seat(&bench.key.id).await], [200; 3]);
}

#[tokio::test]
async fn vendors_own_limits_hold_for_paths_of_the_owner_api() {
    let bench = Bench::new(example().limit(None)).await;
    let owner = bench.owner().await;
    bench.bw.switch(|s| s.rate_limits = RateLimits::vendor());
    let seat = async || owner.post("/seat", json!({ "seatAdjustment": 1 })).await.0;
    for n in 0..60 {
        assert_eq!(seat().await, 200, "{n}");
        if n % 4 == 3 {
            bench.bw.advance(Duration::from_secs(1));
        }
    }
    assert_eq!(seat().await, 429, "60 a minute");
    for n in 0..200 {
        assert_eq!(owner.get("").await.0, 200, "{n}");
    }
    assert_eq!(owner.get("").await.0, 429, "200 reads a minute");
}
