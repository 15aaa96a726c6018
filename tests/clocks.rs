//! A wall clock that jumps while an outcome is open: all waiting goes on as before.

use jiff::{SignedDuration, Timestamp};
use seatkeeper_support::needs_control_plane;
use serde_json::json;
use vendor_sim::{Fault, FaultKind, RequestRecord};

use crate::proxied::Proxied;
use crate::tenants::fast_but;

#[tokio::test(flavor = "multi_thread")]
async fn settle_time_neither_shortens_nor_hangs_when_clock_jumps_ahead_and_back() {
    needs_control_plane!();
    let p = Proxied::new("jumps", &fast_but(&["--settle-unanswered=25s"])).await;
    let w = &p.w;
    let lost = w.bitwarden().inject(Fault::on_put(FaultKind::Drop { apply: false }));
    w.declare("acme", json!({})).await;
    assert!(w.bitwarden().wait_fired(lost, 1).await);
    w.until_reason("acme", "ChangePending", "OutcomeUnknown").await;
    for seconds in [3600, -3600] {
        p.jump(seconds).await;
        // Long enough for two readings with the pause between them.
        w.until_polled(4).await;
        assert_eq!(w.puts(), 1, "the outcome is still open");
    }
    let status = w.until_in_sync("acme", 150).await;
    let recorded = status.history[0].time.0.duration_since(Timestamp::now());
    assert!((recorded.as_secs() + 3600).abs() < 60, "its clock is an hour behind, and it recorded {recorded}");
    let puts: Vec<Timestamp> = w.bitwarden().requests().iter().filter(|r| bought(r)).map(|r| r.at).collect();
    let [first, second] = puts[..] else { panic!("one repeat: {puts:?}") };
    let waited = second.duration_since(first);
    assert!(waited >= SignedDuration::from_secs(25), "repeated after {waited}, within the settle time");
    assert_eq!(w.organization().billed.seats, Some(150));
}

fn bought(request: &RequestRecord) -> bool {
    request.method == "PUT" && request.path.ends_with("/public/organization/subscription")
}
