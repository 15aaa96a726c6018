//! Which alerts each fault fires: the operator on a real apiserver, scraped by a real Prometheus with the chart's rules. The table is
//! tests/prometheus/faults.yaml; tests/prometheus/alerts.test.yaml plays the times, which are short here.

mod dashboard;
mod faults;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Instant;

use seatkeeper_support::{Plane, Prometheus, http_get, needs_control_plane, rule_file, wait_for, workspace_root};
use serde::Deserialize;
use serde_json::Value;
use vendor_sim::{Fault, RateLimits};

use crate::bad_answers::throttled;
use crate::tenants::fast_but;
use crate::world::{FAST, PATIENCE, World, organization, world};
use faults::{begin, play};

/// Evaluations that an object's alerts must stay as they are, to be sure that no other comes.
const SETTLED: u64 = 8;

/// A row of the table.
#[derive(Clone, Debug, Deserialize)]
struct FaultRow {
    fault: String,
    at: String,
    /// Each with its severity.
    alerts: BTreeSet<String>,
}

fn rows(at: &str) -> Vec<FaultRow> {
    let table = fs::read_to_string(workspace_root().join("tests/prometheus/faults.yaml")).expect("the table");
    let rows: Vec<FaultRow> = serde_yaml::from_str(&table).expect("YAML");
    rows.into_iter().filter(|row| row.at == at).collect()
}

/// The alerts of the table for a fault that no object has.
fn of_operator(fault: &str) -> BTreeSet<String> {
    rows("operator").into_iter().find(|row| row.fault == fault).unwrap_or_else(|| panic!("{fault}")).alerts
}

/// A Prometheus with the chart's rules, each of which waits for three seconds.
async fn prometheus(plane: &Plane) -> Prometheus {
    let on = [("alerts.enabled", "true")];
    let names = rule_names(&plane.render_chart(&on).await.expect("good values"));
    let times: Vec<String> = names.iter().map(|name| format!("alerts.rules.{name}.for")).collect();
    let times = times.iter().map(|name| (name.as_str(), "3s"));
    let values: Vec<(&str, &str)> = on.into_iter().chain(times).collect();
    Prometheus::start(&rule_file(&plane.render_chart(&values).await.expect("good values"))).await
}

/// Names of the rules in the values: those of the alerts, and one more where an alert has two rules.
fn rule_names(manifests: &str) -> Vec<String> {
    let file = fs::read_to_string(workspace_root().join("charts/seatkeeper/files/alerts.yaml")).expect("the rules");
    let file: Value = serde_yaml::from_str(&file).expect("YAML");
    let rules = file["rules"].as_array().expect("rules").iter();
    let names: Vec<String> = rules.filter_map(|rule| rule["name"].as_str()).map(str::to_owned).collect();
    let rendered: Value = serde_json::from_str(&rule_file(manifests)).expect("JSON");
    assert_eq!(rendered["groups"][0]["rules"].as_array().map(Vec::len), Some(names.len()));
    names
}

/// The alerts that fire, by the object; those of no object are under the empty name.
async fn firing(prometheus: &Prometheus) -> BTreeMap<String, BTreeSet<String>> {
    let mut firing: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for alert in prometheus.alerts().await {
        let label = |name: &str| alert["labels"][name].as_str().unwrap_or_default().to_owned();
        if alert["state"] == "firing" {
            let text = alert["annotations"].to_string();
            assert!(!text.contains("error expanding") && !text.contains("<no value>"), "{alert}");
            let no_vendor = ["", "spec-of-no-use"].contains(&label("name").as_str());
            assert!(no_vendor || !label("vendor").is_empty(), "{alert}");
            let fires = format!("{}/{}", label("alertname"), label("severity"));
            firing.entry(label("name")).or_default().insert(fires);
        }
    }
    firing
}

/// Waits until these alerts fire for an object, and no others.
async fn until_firing(prometheus: &Prometheus, name: &str, expected: &BTreeSet<String>) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let fires = firing(prometheus).await.remove(name).unwrap_or_default();
        if fires == *expected {
            return;
        }
        assert!(Instant::now() < deadline, "{name:?}: {expected:?} should fire, and {fires:?} does");
        scraped_again(prometheus, 1).await;
    }
}

/// Waits for so many further scrapes, each of which is followed by an evaluation.
async fn scraped_again(prometheus: &Prometheus, times: u64) {
    let before = scrapes(prometheus).await;
    let again = async || (scrapes(prometheus).await >= before + times).then_some(());
    wait_for("further scrapes", PATIENCE, again).await;
}

async fn scrapes(prometheus: &Prometheus) -> u64 {
    let counted = prometheus.query("sum(count_over_time(up[1h]))").await.expect("a query");
    let value = counted.first().and_then(|series| series["value"][1].as_str());
    value.and_then(|value| value.parse().ok()).unwrap_or_default()
}

/// Has the operator scraped, and waits for the first scrape: a counter that was not seen at 0 does not increase.
async fn scrape(prometheus: &Prometheus, w: &World) {
    let address = w.operator.address();
    prometheus.scrape(&[("seatkeeper-a", address)]);
    let up = format!("up{{instance=\"{address}\"}} == 1");
    let scraped = async || (!prometheus.query(&up).await.expect("a query").is_empty()).then_some(());
    wait_for("the first scrape", PATIENCE, scraped).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_fires_its_alerts_alone_and_each_dashboard_query_is_answered() {
    needs_control_plane!();
    let mut w = world("alerts").await;
    w.bitwarden().switch(|s| s.rate_limits = RateLimits::none());
    let prometheus = prometheus(&w.plane).await;
    scrape(&prometheus, &w).await;
    let table = rows("object");
    let mut tenants = Vec::new();
    for row in &table {
        tenants.push(begin(&w, &row.fault).await);
    }
    let corrected = begin(&w, "account-changed-and-corrected").await;
    futures::future::join_all(tenants.iter().chain([&corrected]).map(play)).await;
    for row in &table {
        until_firing(&prometheus, &row.fault, &row.alerts).await;
    }
    until_firing(&prometheus, "", &of_operator("account-changed-and-corrected")).await;
    scraped_again(&prometheus, SETTLED).await;
    let mut fires = firing(&prometheus).await;
    let mut expected: BTreeMap<String, BTreeSet<String>> =
        table.iter().map(|row| (row.fault.clone(), row.alerts.clone())).collect();
    expected.insert(String::new(), of_operator("account-changed-and-corrected"));
    expected.retain(|_, alerts| !alerts.is_empty());
    fires.retain(|_, alerts| !alerts.is_empty());
    assert_eq!(fires, expected);
    for rule in prometheus.rules().await {
        assert_eq!(rule["health"], "ok", "{rule}");
    }
    dashboard::is_answered_as_the_page_has_it(&prometheus).await;
    numbers_that_are_too_old_have_no_series(&w).await;

    drop(tenants);
    end_of_the_leader(&prometheus, &mut w).await;
}

/// Of an object that is not read any more, what is known about it stays, and its numbers do not. Those of its twin do.
async fn numbers_that_are_too_old_have_no_series(w: &World) {
    let (old, twin) = ("seats-run-short-and-then-no-usable-answer", "seats-run-short");
    let shows = async |family: &str, name: &str| {
        let label = format!("name=\"{name}\"");
        w.operator.metric_with(&format!("seatkeeper_{family}"), &[&label]).await.is_some()
    };
    for number in ["seats_desired", "seats_purchased", "seats_used", "seats_free", "seats_limit"] {
        assert_eq!((shows(number, old).await, shows(number, twin).await), (false, true), "{number}");
    }
    for known in ["condition", "license_expiry_timestamp_seconds", "last_observation_timestamp_seconds"] {
        assert_eq!((shows(known, old).await, shows(known, twin).await), (true, true), "{known}");
    }
}

/// The leader is killed, and the next operator may not lead.
async fn end_of_the_leader(prometheus: &Prometheus, w: &mut World) {
    // Its last numbers are no news of it: what is known of objects ends with the operator.
    w.operator.signal("KILL");
    w.operator.wait_exit(PATIENCE).await.expect("a killed process ends");
    until_firing(prometheus, "seats-run-short", &BTreeSet::new()).await;
    until_down(prometheus).await;
    // The Lease of the killed one stands still, and the next one waits for ten minutes.
    w.operator = w.another_operator(&fast_but(&["--lease-duration=10m"])).await;
    wait_for("the second operator to serve metrics", PATIENCE, async || {
        http_get(w.operator.address(), "/metrics").await.is_ok().then_some(())
    })
    .await;
    scrape(prometheus, w).await;
    let expected = of_operator("lease-held-by-another");
    wait_for("NoLeader alone", PATIENCE, async || {
        let fires = firing(prometheus).await;
        (live(&fires) == expected).then_some(())
    })
    .await;
}

async fn until_down(prometheus: &Prometheus) {
    let expected = of_operator("operator-killed");
    wait_for("OperatorDown alone", PATIENCE, async || {
        let fires = firing(prometheus).await;
        (live(&fires) == expected && fires.len() == 1).then_some(())
    })
    .await;
}

/// What fires for no object, but for the correction, which is told for an hour.
fn live(fires: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
    let corrected = of_operator("account-changed-and-corrected");
    fires.get("").map(|alerts| alerts - &corrected).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn throttling_vendor_is_alerted_with_stale_object() {
    needs_control_plane!();
    let w = World::with("alerts-throttled", organization(), FAST).await;
    let prometheus = prometheus(&w.plane).await;
    scrape(&prometheus, &w).await;
    w.declare("acme", serde_json::json!({ "seats": 100 })).await;
    w.until_in_sync("acme", 100).await;
    scraped_again(&prometheus, 1).await;
    w.bitwarden().inject(Fault::on_get(throttled("1")).for_ever());
    until_firing(&prometheus, "", &of_operator("vendor-throttles")).await;
    until_firing(&prometheus, "acme", &["ObservationStale/warning".to_owned()].into()).await;
}
