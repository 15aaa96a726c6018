//! Where a credential goes is decided by its owner and by whoever installs the operator, never by an answer and never by
//! the environment.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::join_all;
use seatkeeper::api::LicenseSeatsStatus;
use seatkeeper_support::{Operator, free_port, needs_control_plane};
use serde_json::json;
use tokio::net::TcpListener;
use vendor_sim::{Fault, FaultKind};

use crate::bad_answers::On;
use crate::world::{FAST, binary, condition, organization, world};

/// A place that nobody should come to, and how many did.
async fn elsewhere() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let url = format!("https://{}", listener.local_addr().expect("an address"));
    let came = Arc::<AtomicUsize>::default();
    let counter = Arc::clone(&came);
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counter.fetch_add(1, Ordering::SeqCst);
        }
    });
    (url, came)
}

#[tokio::test(flavor = "multi_thread")]
async fn redirect_is_reported_and_not_followed() {
    needs_control_plane!();
    let w = world("redirects").await;
    let (url, came) = elsewhere().await;
    let redirect = |status: u16, path: &str| FaultKind::Answer {
        status,
        headers: [("location".to_owned(), format!("{url}{path}"))].into(),
        body: String::new(),
        apply: false,
    };
    let subscription = "/api/public/organization/subscription";
    let play = async |(what, fault, told): (&str, Fault, &str)| {
        let t = w.tenant(what, organization()).await;
        let fault = t.inject(fault.for_ever());
        t.declare(json!({})).await;
        let status = t.until_said("Ready", told).await;
        if told == "Unknown/ObservationStale" {
            let message = &condition(&status, "Ready").expect("Ready").message;
            assert!(message.contains("redirects to another place"), "{what}: {message}");
            assert!(message.contains("without a login"), "{what}: {message}");
        }
        assert!(w.bitwarden().fired(fault) > 0, "{what}");
        t.assert_never_above(100);
    };
    let (stale, retried) = ("Unknown/ObservationStale", "False/AwaitingRetry");
    let cases = [
        ("token 302", On::Token.fault(redirect(302, "/identity/connect/token")), stale),
        ("token 307", On::Token.fault(redirect(307, "/identity/connect/token")), stale),
        ("reading 302", On::Subscription.fault(redirect(302, subscription)), stale),
        ("reading 307", On::Subscription.fault(redirect(307, subscription)), stale),
        ("members 308", On::Members.fault(redirect(308, "/api/public/members")), stale),
        ("purchase 302", Fault::on_put(redirect(302, subscription)), retried),
        ("purchase 307", Fault::on_put(redirect(307, subscription)), retried),
    ];
    join_all(cases.map(play)).await;
    assert_eq!(came.load(Ordering::SeqCst), 0, "somebody went where an answer pointed");
}

#[tokio::test(flavor = "multi_thread")]
async fn proxy_of_environment_is_not_used() {
    needs_control_plane!();
    let mut w = world("proxy").await;
    w.operator.stop().await;
    // Nobody listens there: whoever asks it gets nowhere.
    let dead = format!("http://127.0.0.1:{}", free_port());
    let names = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
    let environment = names.map(|name| (name, dead.as_str()));
    let kubeconfig = w.plane.operator_kubeconfig().await;
    let allowed = format!("--allowed-host={}", w.vendor.host());
    let flags: Vec<&str> = FAST.iter().copied().chain([allowed.as_str(), "--allowed-host=localhost:1"]).collect();
    w.operator = Operator::start_in(&environment, &kubeconfig, binary(), &w.namespace, &flags);
    w.operator.wait_ready().await;
    w.declare("acme", json!({})).await;
    w.until_in_sync("acme", 150).await;
    // Where there is no other way out, this is the reason.
    let mut away = w.credentials(&w.key);
    away["server"] = json!("https://localhost:1");
    w.secret("key", away).await;
    let words = "names a proxy (HTTPS_PROXY or ALL_PROXY), which Seatkeeper does not use";
    let told = |status: &LicenseSeatsStatus| {
        condition(status, "CredentialsValid").is_some_and(|c| c.status == "Unknown" && c.message.contains(words))
    };
    w.until("acme", words, told).await;
}
