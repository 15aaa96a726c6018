//! A host in an outage: what it answers to one object holds for all objects of that host.

use jiff::SignedDuration;
use seatkeeper_support::{needs_control_plane, wait_for};
use serde_json::json;
use vendor_sim::{Fault, FaultKind, RequestRecord};

use crate::tenants::Tenant;
use crate::world::{PATIENCE, World, condition, organization, world};

fn unavailable(retry_after: Option<&str>) -> Fault {
    let headers = retry_after.map(|value| ("retry-after".to_owned(), value.to_owned())).into_iter().collect();
    let kind = FaultKind::Answer { status: 503, headers, body: "out of service".into(), apply: false };
    Fault::once(kind).for_ever()
}

/// Organizations with an object each, all in sync.
async fn in_sync(w: &World, n: usize) -> Vec<Tenant<'_>> {
    let mut tenants = Vec::new();
    for i in 0..n {
        let tenant = w.tenant(&format!("org {i}"), organization()).await;
        tenant.declare(json!({ "seats": 100 })).await;
        tenants.push(tenant);
    }
    for tenant in &tenants {
        tenant.until_in_sync(100).await;
    }
    tenants
}

/// The requests that the fault answered, in the order of their arrival.
fn failed(w: &World) -> Vec<RequestRecord> {
    let mut failed = w.bitwarden().requests();
    failed.retain(|request| request.status == Some(503));
    failed
}

/// How long after each of these requests the next one came.
fn gaps(requests: &[RequestRecord]) -> impl Iterator<Item = SignedDuration> {
    requests.windows(2).map(|two| two[1].at.duration_since(two[0].at))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_object_asks_host_that_answered_503_with_pause_until_pause_ends() {
    needs_control_plane!();
    let w = world("outage-pause").await;
    let tenants = in_sync(&w, 8).await;
    let fault = w.bitwarden().inject(unavailable(Some("1800")));
    assert!(w.bitwarden().wait_fired(fault, 1).await);
    for t in &tenants {
        let status = t.until_said("CredentialsValid", "Unknown/VendorUnreachable").await;
        let message = &condition(&status, "CredentialsValid").expect("CredentialsValid").message;
        assert!(message.contains("answers with status 503"), "{message}");
    }
    // Only what had left before the first answer came.
    let before = w.bitwarden().requests().len();
    assert!(failed(&w).len() < tenants.len(), "{}", failed(&w).len());
    for t in &tenants {
        let status = t.ask("now").await;
        let message = &condition(&status, "CredentialsValid").expect("CredentialsValid").message;
        assert!(message.contains("asks for 1801 s of pause. Seatkeeper tries again then"), "{message}");
    }
    w.edit(&tenants[0].name, json!({ "seats": 120 })).await;
    let late = w.tenant("late", organization()).await;
    late.declare(json!({})).await;
    late.until_said("Ready", "Unknown/ObservationStale").await;
    assert_eq!(w.bitwarden().requests().len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn outage_pause_ends_with_one_probe_and_its_success_releases_all() {
    needs_control_plane!();
    let w = world("outage-probe").await;
    let tenants = in_sync(&w, 8).await;
    let fault = w.bitwarden().inject(unavailable(Some("4")));
    assert!(w.bitwarden().wait_fired(fault, 1).await);
    for t in &tenants {
        t.until_said("CredentialsValid", "Unknown/VendorUnreachable").await;
    }
    // What was under way together has been answered; from here on each is the only one of its pause.
    let first = failed(&w).len();
    let more = async || (failed(&w).len() >= first + 3).then_some(());
    wait_for("three more probes", PATIENCE * 3, more).await;
    for apart in gaps(&failed(&w)[first..]) {
        assert!(apart >= SignedDuration::from_secs(4), "one a pause: {apart:?}");
    }
    w.edit(&tenants[0].name, json!({ "seats": 150 })).await;
    w.bitwarden().clear_fault(fault);
    tenants[0].until_in_sync(150).await;
    for t in &tenants {
        t.until_said("Ready", "True/InSync").await;
    }
    assert_eq!(tenants.iter().map(Tenant::puts).sum::<usize>(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn path_with_lasting_503_is_probed_ever_less_often_and_closes_no_other() {
    needs_control_plane!();
    let w = world("outage-path").await;
    let tenants = in_sync(&w, 4).await;
    let members = Fault { path_contains: Some("/public/members".into()), ..unavailable(None) };
    let fault = w.bitwarden().inject(members);
    for t in &tenants {
        t.until_said("CredentialsValid", "Unknown/VendorUnreachable").await;
    }
    let first = failed(&w).len();
    // Four objects ask for their turns as often as the limiter takes it: twice in each of these seconds.
    let more = async || (failed(&w).len() >= first + 3).then_some(());
    wait_for("three more probes", PATIENCE * 3, more).await;
    for (apart, pause) in gaps(&failed(&w)[first..]).zip([1, 2]) {
        assert!(apart >= SignedDuration::from_secs(pause), "{apart:?}");
    }
    w.bitwarden().clear_fault(fault);
    let again = async || {
        for t in &tenants {
            if crate::world::said(&t.status().await, "Ready") != "True/InSync" {
                return None;
            }
        }
        Some(())
    };
    wait_for("all to go on", PATIENCE * 3, again).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn change_that_waits_for_a_closed_path_says_what_the_host_answers() {
    needs_control_plane!();
    let w = world("outage-writes").await;
    let tenants = in_sync(&w, 8).await;
    let kind =
        FaultKind::Answer { status: 503, headers: Default::default(), body: "out of service".into(), apply: false };
    let fault = w.bitwarden().inject(Fault::on_put(kind).for_ever());
    for t in &tenants {
        w.edit(&t.name, json!({ "seats": 150 })).await;
    }
    // Some requests find out, and each of those is in doubt then. The others wait, and send nothing.
    let waits = async || {
        for t in &tenants {
            let status = t.status().await;
            let message = condition(&status, "Ready").map(|ready| ready.message.clone()).unwrap_or_default();
            if message.contains(". Not sent yet: ") {
                return Some((t, message));
            }
        }
        None
    };
    let (waiting, message) = wait_for("an object to say that its change waits", PATIENCE, waits).await;
    assert!(message.contains("answers with status 503. Seatkeeper tries again"), "{message}");
    w.bitwarden().clear_fault(fault);
    waiting.until_in_sync(150).await;
    assert_eq!(waiting.puts(), 1);
}
