//! Lost, late and doubled requests, through the simulator's faults (docs/vendors/immuta.md, "Adding a key").

use std::time::Duration;

use serde_json::json;
use vendor_sim::{
    Fault, FaultKind,
    immuta::{Action, Actor, Duplicate, Endpoint, LicenseKey},
};

use crate::{Bench, LICENSE, STATUS, answer};

const LONG: u64 = 60_000;

fn gateway(apply: bool) -> FaultKind {
    FaultKind::Answer { status: 502, headers: [].into(), body: "<h1>Bad Gateway</h1>".into(), apply }
}

#[tokio::test]
async fn fault_hits_named_endpoint_alone() {
    type On = fn(FaultKind) -> Fault;
    let table: [(On, Endpoint, &str, &str); 6] = [
        (Fault::on_exchange, Endpoint::Exchange, "POST", "/bim/apikey/authenticate"),
        (Fault::on_license_add, Endpoint::Add, "POST", LICENSE),
        (Fault::on_license_list, Endpoint::List, "GET", LICENSE),
        (Fault::on_license_status, Endpoint::Status, "GET", STATUS),
        (Fault::on_license_usage, Endpoint::Usage, "GET", "/admin/license/usage"),
        (Fault::on_license_delete, Endpoint::Delete, "DELETE", "/admin/license/1"),
    ];
    for (on, endpoint, _, _) in table {
        let bench = Bench::new().await;
        let fault = bench.immuta.inject(on(gateway(false)).for_ever());
        for (_, other, method, path) in table {
            let status = answer(bench.request(method, path)).await.0;
            assert_eq!(status == 502, other == endpoint, "{method} {path}");
            assert_eq!(bench.immuta.calls(other), 1);
        }
        assert_eq!((bench.immuta.fired(fault), bench.immuta.requests().len()), (1, 6));
    }
}

#[tokio::test]
async fn answer_is_lost_before_or_after_the_row_is_made() {
    for (kind, rows) in [
        (FaultKind::Drop { apply: true }, 1),
        (FaultKind::Drop { apply: false }, 0),
        (FaultKind::Reset, 1),
        (FaultKind::Truncate, 1),
    ] {
        let bench = Bench::new().await;
        let key = bench.immuta.issue(LicenseKey::seats(40));
        bench.immuta.inject(Fault::on_license_add(kind.clone()));
        let request = bench.request("POST", LICENSE).json(&json!({ "licenseKey": key }));
        let lost = match request.send().await {
            Ok(answer) => answer.text().await.is_err(),
            Err(_) => true,
        };
        assert!(lost, "{kind:?}");
        assert_eq!((bench.immuta.additions_of(&key), bench.ids().await.len()), (rows, rows), "{kind:?}");
    }
}

#[tokio::test]
async fn gateway_fails_before_or_after_the_change() {
    for apply in [true, false] {
        let bench = Bench::new().await;
        let (_, id) = bench.added(LicenseKey::seats(40)).await;
        let key = bench.immuta.issue(LicenseKey::seats(25));
        bench.immuta.inject(Fault::on_license_add(gateway(apply)));
        bench.immuta.inject(Fault::on_license_delete(gateway(apply)));
        assert_eq!((bench.add(&key).await.0, bench.delete(&id).await.0), (502, 502));
        assert_eq!(bench.ids().await, if apply { [2] } else { [1] });
        assert_eq!(bench.immuta.additions_of(&key), usize::from(apply));
    }
}

#[tokio::test]
async fn request_finishes_long_after_its_client_gave_up() {
    let bench = Bench::new().await;
    let key = bench.immuta.issue(LicenseKey::seats(40));
    let fault = bench.immuta.inject(Fault::on_license_add(FaultKind::ApplyLate { after_ms: LONG }));
    assert!(bench.request("POST", LICENSE).json(&json!({ "licenseKey": key })).send().await.is_err());
    assert!(bench.ids().await.is_empty());
    assert!(bench.immuta.release(fault) && bench.immuta.settle().await);
    assert_eq!(bench.ids().await, [1]);
    assert_eq!(bench.immuta.ledger()[0].who, Actor::LateFinisher);

    let pause = bench.immuta.inject(Fault::on_license_delete(FaultKind::Delay { before_ms: LONG, after_ms: 0 }));
    let impatient = tokio::spawn(bench.request("DELETE", "/admin/license/1").send());
    assert!(bench.immuta.wait_fired(pause, 1).await);
    impatient.abort();
    let gone = |i: &vendor_sim::Immuta| i.requests().last().is_some_and(|r| r.client_gone);
    assert!(bench.immuta.wait_for(Duration::from_secs(20), gone).await);
    assert!(bench.immuta.release(pause) && bench.immuta.settle().await);
    let entry = bench.immuta.ledger().pop().unwrap();
    assert_eq!((entry.who, entry.action, entry.effect), (Actor::LateFinisher, Action::Delete, true));
}

#[tokio::test]
async fn two_posts_of_a_key_at_the_same_time_both_pass_the_check() {
    let bench = Bench::with(|s| s.duplicate = Duplicate::Unique).await;
    let key = bench.immuta.issue(LicenseKey::seats(40));
    let pause = bench.immuta.inject(Fault::on_license_add(FaultKind::PauseBeforeRow { ms: LONG }));
    let retry = async {
        assert!(bench.immuta.wait_fired(pause, 1).await);
        let status = bench.add(&key).await.0;
        bench.immuta.release(pause);
        status
    };
    let (first, second) = tokio::join!(bench.add(&key), retry);
    assert_eq!((first.0, second), (200, 200));
    assert_eq!((bench.immuta.additions_of(&key), bench.license_seats().await), (2, 80));
}

#[tokio::test]
async fn success_may_be_without_effect() {
    let bench = Bench::new().await;
    let (_, id) = bench.added(LicenseKey::seats(40)).await;
    let key = bench.immuta.issue(LicenseKey::seats(25));
    bench.immuta.inject(Fault::on_license_add(FaultKind::NoEffect));
    bench.immuta.inject(Fault::on_license_delete(FaultKind::NoEffect));
    let (added, removed) = (bench.add(&key).await, bench.delete(&id).await);
    assert_eq!((added.0, &added.1["seats"], removed.0, &removed.1["deleted"]), (200, &json!(25), 200, &json!(true)));
    assert_eq!((bench.ids().await, bench.immuta.additions_of(&key)), (vec![1], 0));
    assert_eq!(bench.add(&key).await.1["id"], 2);
}

#[tokio::test]
async fn login_page_or_throttle_replaces_answer() {
    let bench = Bench::new().await;
    bench.immuta.inject(Fault::on_license_status(FaultKind::Html));
    let (status, page) = bench.get(STATUS).await;
    assert!(status == 200 && page.as_str().unwrap().starts_with("<!doctype html>"));
    let headers = [("retry-after".to_owned(), "7".to_owned())].into();
    let throttle = FaultKind::Answer { status: 429, headers, body: String::new(), apply: false };
    bench.immuta.inject(Fault::on_license_list(throttle));
    let answer = bench.request("GET", LICENSE).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (429, &"7".parse().unwrap()));
    assert_eq!(bench.get(LICENSE).await.0, 200);
}
