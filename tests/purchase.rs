//! The way from a declaration to purchased seats, and what may go wrong on it.

use seatkeeper_support::needs_control_plane;
use serde_json::json;
use vendor_sim::{Fault, FaultKind};

use crate::world::{condition, said, world};

#[tokio::test(flavor = "multi_thread")]
async fn declared_seats_and_limit_are_bought_in_one_reported_request() {
    needs_control_plane!();
    let w = world("buy").await;
    w.declare("acme", json!({})).await;
    let status = w.until_in_sync("acme", 150).await;
    assert_eq!((w.organization().seats, w.organization().limit), (Some(150), Some(150)));
    assert_eq!(w.organization().billed.seats, Some(150));
    assert_eq!(w.puts(), 1);
    assert_eq!((status.desired, status.used, status.free, status.limit), (Some(150), Some(80), Some(70), Some(150)));
    assert_eq!((status.used_is_lower_bound, status.limited), (Some(true), Some(true)));
    assert_eq!((status.plan, status.intent), (None, None));
    assert_eq!((status.history[0].base().seats, status.history[0].target().seats), (100, 150));
    assert_eq!(status.summary.as_deref(), Some("in sync"));
    let events = w.until_told("SeatsIncreased", 1).await;
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0].0, "SeatsIncreased");
    // Which pod says it.
    let pod = std::env::var("HOSTNAME").unwrap_or_else(|_| "seatkeeper".into());
    for event in w.whole_events().await {
        let reporter = (event.reporting_controller.as_deref(), event.reporting_instance.as_deref());
        assert_eq!(reporter, (Some("seatkeeper"), Some(pod.as_str())));
    }
    let log = w.operator.log();
    let line = log.lines().find(|line| line.contains("change sent")).expect("a line of the change");
    let account = status.account.and_then(|account| account.key()).expect("an account");
    let namespace = &w.namespace;
    let plain = format!(
        "namespace=\"{namespace}\" name=\"acme\" account=\"{account}\" from=100 to=150 limit=150 outcome=\"ok\" seen=150 \
         trigger=\"SpecDiffers\" intent=\""
    );
    assert!(line.contains(&plain), "{plain} is not in {line}");
    let writes = w.audit().verb("patch").resource("licenseseats").len();
    assert!(writes <= 3, "plan, intent, result: {writes} writes");
}

#[tokio::test(flavor = "multi_thread")]
async fn opaque_500_without_effect_is_repeated_once_and_then_reported() {
    needs_control_plane!();
    let w = world("opaque").await;
    w.bitwarden().inject(Fault::on_put(FaultKind::FailBeforeBilling).for_ever());
    w.declare("acme", json!({})).await;
    let status = w.until_reason("acme", "Ready", "VendorRejected").await;
    assert_eq!(w.puts(), 2);
    assert!(condition(&status, "Ready").unwrap().message.contains("does not say why"));
    assert_eq!(said(&status, "Stalled"), "True/VendorRejected");
    w.until_polled(3).await;
    assert_eq!(w.puts(), 2);
}
