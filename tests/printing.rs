//! What people see in a terminal, word for word. A change shows up as a difference in tests/snapshots: read it as a user
//! would, then take it over with `INSTA_UPDATE=always cargo test --test behavior printing`.

use std::time::Duration;

use seatkeeper_support::{ControlPlane, needs_control_plane, wait_for};
use serde_json::json;
use vendor_sim::Organization;

use crate::world::{FAST, World, organization};

/// The table without what changes from run to run: ages.
fn stable(table: &str) -> String {
    let column = table.lines().next().and_then(|head| head.find("AGE")).expect("an AGE column");
    let mask = |line: &str| {
        let (before, rest) = line.split_at(column);
        let (age, after) = rest.split_once(' ').unwrap_or((rest, ""));
        let age = if age == "AGE" { age } else { "<age>" };
        format!("{before}{age:<8}{}", after.trim()).trim_end().to_owned()
    };
    table.lines().map(mask).collect::<Vec<_>>().join("\n")
}

/// The names of the objects that a field selector finds.
async fn selected(w: &World, fields: &str) -> Vec<String> {
    let select = ["get", "seats", "--field-selector", fields, "-o", "name"];
    let found = w.plane.kubectl_in(&w.namespace, &select, "").await.ok();
    found.lines().map(|line| line.trim_start_matches("licenseseats.seatkeeper.dev/").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn table_distinguishes_in_sync_refused_and_observed() {
    needs_control_plane!();
    let id = |n: u8| format!("6f1c8a52-3f4e-4c7a-9a55-0000000000{n:02}");
    let w = World::with("table", organization().id(id(1)), FAST).await;
    let eu = w.bitwarden().add_organization(Organization::enterprise("EU").id(id(2)));
    let mut refused = w.credentials(&eu);
    refused["clientSecret"] = json!("notthesecretofthisorganization");
    w.secret("eu", refused).await;
    let lab = Organization::enterprise("Lab").id(id(3)).seats(20).limit(40).members(8);
    let lab = w.bitwarden().add_organization(lab);
    w.secret("lab", w.credentials(&lab)).await;
    let secret = |name: &str| json!({ "bitwarden": { "credentialsSecretRef": { "name": name } } });
    w.declare("acme-bitwarden", json!({})).await;
    w.declare("acme-eu", json!({ "vendor": secret("eu"), "seats": 80 })).await;
    let observe = json!({ "vendor": secret("lab"), "seats": null, "limit": null, "managementPolicy": "Observe" });
    w.declare("acme-lab", observe).await;
    w.until_in_sync("acme-bitwarden", 150).await;
    w.until_reason("acme-eu", "CredentialsValid", "Rejected").await;
    w.until_reason("acme-lab", "Ready", "Observed").await;

    let table = w.plane.kubectl_in(&w.namespace, &["get", "seats"], "").await.ok();
    insta::assert_snapshot!("get", stable(&table));
    let wide = w.plane.kubectl_in(&w.namespace, &["get", "seats", "-o", "wide"], "").await.ok();
    insta::assert_snapshot!("get_wide", stable(&wide));

    // The longest of what is shown in good weather: a change that waits for its window.
    let monthly = w.bitwarden().add_organization(Organization::enterprise("Monthly").id(id(4)).limit(100));
    w.secret("monthly", w.credentials(&monthly)).await;
    let cron = json!({ "schedule": "0 6 1W * *", "timeZone": "Europe/Berlin", "duration": "4h" });
    let in_window = json!({ "mode": "InWindow" });
    let adjustment = json!({ "increase": in_window, "windows": [{ "name": "month-start", "cron": cron }] });
    let monthly = json!({ "vendor": secret("monthly"), "seats": 105, "adjustment": adjustment });
    w.declare("acme-monthly", monthly).await;
    w.until_reason("acme-monthly", "ChangePending", "AwaitingWindow").await;
    let own = format!("metadata.namespace={}", w.namespace);
    let all = w.plane.kubectl(&["get", "seats", "-A", "--field-selector", &own]).await.ok();
    assert!(all.contains("+5 seats at 20"), "{all}");
    let widest = all.lines().map(|line| line.chars().count()).max();
    assert!(widest.is_some_and(|widest| widest < 120), "{widest:?} columns:\n{all}");

    w.edit("acme-monthly", json!({ "suspend": true })).await;
    let lab = format!("status.account.id={}", id(3));
    assert_eq!(selected(&w, &lab).await, ["acme-lab"]);
    assert_eq!(selected(&w, &format!("{lab},status.account.vendor=bitwarden")).await, ["acme-lab"]);
    assert_eq!(selected(&w, "status.account.vendor=immuta").await, [""; 0]);
    assert_eq!(selected(&w, "spec.suspend=true").await, ["acme-monthly"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_is_a_manual() {
    needs_control_plane!();
    let plane = ControlPlane::shared().await;
    // The apiserver publishes the schema of a new CRD a moment after it serves it.
    wait_for("the schema to be published", Duration::from_secs(30), async || {
        plane.kubectl(&["explain", "licenseseats.spec.limit"]).await.success().then_some(())
    })
    .await;
    for (name, args) in [
        ("explain_recursive", &["licenseseats", "--recursive"][..]),
        ("explain_spec", &["licenseseats.spec"]),
        ("explain_spec_limit", &["licenseseats.spec.limit"]),
        ("explain_status", &["licenseseats.status"]),
        ("explain_status_plan", &["licenseseats.status.plan"]),
        ("explain_status_intent", &["licenseseats.status.intent"]),
    ] {
        let text = plane.kubectl(&[&["explain"], args].concat()).await.ok();
        insta::assert_snapshot!(name, text.trim_end());
    }
}
