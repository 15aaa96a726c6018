//! A vendor host that hangs holds up its own objects and nobody else's.

use seatkeeper_support::needs_control_plane;
use serde_json::json;
use vendor_sim::{Fault, FaultKind, Options, Simulator};

use crate::tenants::fast_but;
use crate::world::{World, organization};

#[tokio::test(flavor = "multi_thread")]
async fn hanging_host_with_more_objects_than_workers_delays_no_other_host() {
    needs_control_plane!();
    let slow = Simulator::start(Options::hurried()).await.expect("simulator");
    let allowed = format!("--allowed-host={}", slow.host());
    let mut flags = fast_but(&["--concurrency=4", "--read-timeout=90s"]);
    flags.push(&allowed);
    let w = World::with("slow-host", organization(), &flags).await;
    let key = slow.bitwarden().add_organization(organization());
    let secret = json!({
        "clientId": key.client_id, "clientSecret": key.client_secret, "server": slow.url(), "ca.crt": slow.ca_pem(),
    });
    w.secret("slow", secret).await;
    let names: Vec<String> = (0..8).map(|i| format!("slow-{i}")).collect();
    for name in &names {
        let vendor = json!({ "bitwarden": { "credentialsSecretRef": { "name": "slow" } } });
        w.declare(name, json!({ "vendor": vendor, "managementPolicy": "Observe" })).await;
    }
    w.declare("acme", json!({})).await;
    w.until_in_sync("acme", 150).await;
    for name in &names {
        w.until_reason(name, "Ready", "Observed").await;
    }
    let hangs = Fault::on_get(FaultKind::Delay { before_ms: 3_600_000, after_ms: 0 }).for_ever();
    let hangs = slow.bitwarden().inject(hangs);
    assert!(slow.bitwarden().wait_fired(hangs, 2).await);
    w.until_polled(5).await;
    w.edit("acme", json!({ "seats": 160 })).await;
    w.until_in_sync("acme", 160).await;
    slow.bitwarden().release(hangs);
    assert!(slow.bitwarden().join(&key.id, 1));
    for name in &names {
        w.until(name, "the new member", |status| status.used == Some(81)).await;
    }
}
