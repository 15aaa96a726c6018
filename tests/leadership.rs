//! Who leads, and until when: a leader that cannot renew stops acting before anybody else may take its Lease, what it was
//! about to send is dropped, and one that ends gives the Lease back.

use fault_proxy::Leases;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::Lease;
use seatkeeper_support::{OPERATOR_USER, SYSTEM_NAMESPACE, http_get, needs_control_plane, wait_for};
use serde_json::json;
use vendor_sim::{Fault, FaultKind};

use crate::proxied::Proxied;
use crate::tenants::fast_but;
use crate::world::{FAST, PATIENCE, World, organization};

/// A lease that is over soon.
const BRIEF: [&str; 2] = ["--lease-duration=3s", "--lease-renew-deadline=2s"];

/// A lease that is not over while a test runs, unless it is given back.
const LASTING: [&str; 2] = ["--lease-duration=10m", "--lease-renew-deadline=9m"];

/// So long that only leadership, a shutdown or a clock that jumps drops a request.
const UNHURRIED: [&str; 2] = ["--send-deadline=60s", "--settle-unanswered=70s"];

fn flags(some: &[[&'static str; 2]]) -> Vec<&'static str> {
    fast_but(&some.concat())
}

/// Waits until others may take the Lease.
async fn until_lease_has_run_out(p: &Proxied) {
    let over = async || {
        let silent = Timestamp::now().duration_since(p.renewed().await?);
        (silent >= SignedDuration::from_secs(3)).then_some(())
    };
    wait_for("the Lease to have stood still for its duration", PATIENCE, over).await;
}

/// With object `acme` in sync and an operator that does not lead any more: declares and edits, and nothing comes of it
/// until the operator may use Leases again.
async fn nothing_is_done(p: &Proxied, lost: usize) {
    let w = &p.w;
    let (mark, requests) = (w.plane.audit_mark(), w.bitwarden().requests().len());
    w.edit("acme", json!({ "seats": 160 })).await;
    w.declare("machines", json!({ "seats": 10, "vendor": { "bitwarden": { "product": "MachineAccounts" } } })).await;
    p.until_leases_lost(lost).await;
    assert_eq!(w.bitwarden().requests().len(), requests, "the vendor is not asked\n{}", w.operator.log_tail(40));
    let writes = w.plane.audit_since(mark).writes(OPERATOR_USER, &w.namespace);
    assert!(writes.is_empty(), "{:?}", writes.events());

    p.proxy.leases(Leases::Pass);
    w.until_in_sync("acme", 160).await;
    w.until("machines", "a look", |status| status.seats.is_some() || !status.conditions.is_empty()).await;
    assert_eq!((w.puts(), w.organization().billed.seats), (2, Some(160)));
}

/// A leader whose requests for the Lease are lost until others may take it.
async fn cut_off(name: &str, how: Leases) -> Proxied {
    let p = Proxied::new(name, &flags(&[BRIEF])).await;
    p.w.declare("acme", json!({})).await;
    p.w.until_in_sync("acme", 150).await;
    p.proxy.leases(how);
    until_lease_has_run_out(&p).await;
    p
}

async fn until_not_ready(p: &Proxied, part: &str) {
    let told = async || {
        let reply = http_get(p.w.operator.address(), "/readyz").await.ok()?;
        (reply.status == 503 && reply.body.contains(part)).then_some(())
    };
    wait_for(format!("/readyz to say {part:?}"), PATIENCE, told).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leader_with_unanswered_renewals_stops_after_lease_end() {
    needs_control_plane!();
    let p = cut_off("leases-silent", Leases::Unanswered).await;
    nothing_is_done(&p, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leader_with_failing_renewals_stops_at_lease_end() {
    needs_control_plane!();
    let p = cut_off("leases-fail", Leases::Refused(503)).await;
    until_not_ready(&p, "cannot be used").await;
    nothing_is_done(&p, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leader_forbidden_to_renew_does_nothing_once_its_lease_may_be_taken() {
    needs_control_plane!();
    let p = cut_off("leases-forbidden", Leases::Refused(403)).await;
    until_not_ready(&p, "not allowed to use Lease").await;
    nothing_is_done(&p, 4).await;
    p.w.operator.wait_ready().await;
}

/// An operator that has stored an intent and does not know it yet, and the intent's id.
async fn about_to_buy(name: &str, flags: &[&str]) -> (Proxied, String) {
    let p = Proxied::new(name, flags).await;
    p.hold_first_intent();
    p.w.declare("acme", json!({})).await;
    let id = p.until_intent_held("acme").await;
    (p, id)
}

/// Nothing was sent under the intent; what is wanted is bought once, under another one.
async fn bought_under_another(p: &Proxied, id: &str) {
    let status = p.w.until_in_sync("acme", 150).await;
    assert_ne!(status.history[0].id, id);
    assert_eq!((p.w.puts(), p.w.organization().billed.seats), (1, Some(150)));
}

#[tokio::test(flavor = "multi_thread")]
async fn leader_losing_lease_between_intent_and_request_sends_nothing() {
    needs_control_plane!();
    let (p, id) = about_to_buy("lost-between", &flags(&[BRIEF, UNHURRIED])).await;
    p.proxy.leases(Leases::Refused(503));
    p.until_logged("not leading any more: it could not renew the Lease within 2 s").await;
    p.let_go();
    p.until_logged("another replica leads").await;
    assert_eq!(p.w.puts(), 0);
    p.proxy.leases(Leases::Pass);
    bought_under_another(&p, &id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leader_returning_between_intent_and_request_sends_nothing() {
    needs_control_plane!();
    let (p, id) = about_to_buy("again-between", &flags(&[BRIEF, UNHURRIED])).await;
    p.proxy.leases(Leases::Refused(503));
    p.until_logged("not leading any more").await;
    p.proxy.leases(Leases::Pass);
    p.until_logged("term=2").await;
    p.let_go();
    p.until_logged("another replica leads").await;
    assert_eq!(p.w.puts(), 0);
    bought_under_another(&p, &id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn operator_stopped_between_intent_and_request_sends_nothing() {
    needs_control_plane!();
    let flags = flags(&[UNHURRIED]);
    let (mut p, id) = about_to_buy("term-between", &flags).await;
    p.w.operator.signal("TERM");
    p.until_logged("stopping").await;
    p.let_go();
    assert!(p.w.operator.wait_exit(PATIENCE).await.expect("it ends").success());
    assert_eq!(p.w.puts(), 0);
    let log = p.w.operator.log();
    let line = log.lines().find(|line| line.contains("change not sent")).expect("a line of the change");
    assert!(line.contains("outcome=\"not_sent\"") && line.contains("the operator is shutting down"), "{line}");
    p.start_operator(&flags).await;
    bought_under_another(&p, &id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leader_suspended_by_wall_clock_after_intent_sends_nothing_under_it() {
    needs_control_plane!();
    let lease = ["--lease-duration=31s", "--lease-renew-deadline=30s"];
    let (p, id) = about_to_buy("suspended-between", &flags(&[lease, UNHURRIED])).await;
    // Leads again by the time that the Lease shows.
    p.jump(3600).await;
    p.let_go();
    p.until_logged("the send deadline has passed").await;
    assert_eq!(p.w.puts(), 0);
    bought_under_another(&p, &id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leader_suspended_past_lease_by_wall_clock_does_nothing_until_renewed() {
    needs_control_plane!();
    let p = Proxied::new("suspended", &flags(&[LASTING])).await;
    p.w.declare("acme", json!({})).await;
    p.w.until_in_sync("acme", 150).await;
    p.proxy.leases(Leases::Refused(503));
    p.set_clock(3600);
    p.until_logged("not leading any more").await;
    nothing_is_done(&p, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leader_that_ends_releases_its_lease_so_that_successor_leads_at_once() {
    needs_control_plane!();
    let flags = flags(&[LASTING]);
    let w = World::with("hand-over", organization(), &flags).await;
    w.declare("acme", json!({})).await;
    w.until_in_sync("acme", 150).await;
    let second = w.another_operator(&flags).await;
    second.wait_ready().await;
    assert!(w.operator.stop().await.success());
    w.edit("acme", json!({ "seats": 160 })).await;
    w.until_in_sync("acme", 160).await;
    assert_eq!(w.puts(), 2);
    assert!(second.log().contains("leading"), "{}", second.log_tail(20));
}

#[tokio::test(flavor = "multi_thread")]
async fn last_of_three_replicas_goes_on_when_others_die_one_after_another() {
    needs_control_plane!();
    let w = World::with("three", organization(), FAST).await;
    let (second, third) = (w.another_operator(FAST).await, w.another_operator(FAST).await);
    second.wait_ready().await;
    third.wait_ready().await;
    w.declare("acme", json!({})).await;
    w.until_in_sync("acme", 150).await;
    let paused = w.bitwarden().inject(Fault::on_put(FaultKind::PauseBeforeRow { ms: 3_600_000 }));
    w.edit("acme", json!({ "seats": 160 })).await;
    assert!(w.bitwarden().wait_fired(paused, 1).await);
    // Whoever leads dies with its request in flight, and then whoever has followed it.
    w.operator.signal("KILL");
    w.operator.wait_exit(PATIENCE).await.expect("a killed process ends");
    let follows = async || [&second, &third].into_iter().position(|replica| replica.log().contains("leading"));
    let next = wait_for("another leader", PATIENCE, follows).await;
    w.until_reason("acme", "ChangePending", "OutcomeUnknown").await;
    let (dies, lives) = if next == 0 { (second, third) } else { (third, second) };
    dies.signal("KILL");
    dies.wait_exit(PATIENCE).await.expect("a killed process ends");
    wait_for("the last one to lead", PATIENCE, async || lives.log().contains("leading").then_some(())).await;
    w.bitwarden().release(paused);
    w.until_in_sync("acme", 160).await;
    assert_eq!((w.puts(), w.organization().billed.seats), (2, Some(160)));
}

#[tokio::test(flavor = "multi_thread")]
async fn leader_renews_lease_by_writes_alone_and_reads_it_only_after_deletion() {
    needs_control_plane!();
    let w = World::with("renewals", organization(), FAST).await;
    w.declare("acme", json!({})).await;
    w.until_in_sync("acme", 150).await;
    let lease = format!("seatkeeper-{}", w.namespace);
    let mark = w.plane.audit_mark();
    let of_lease = || w.plane.audit_since(mark).resource("leases").name(&lease);
    let renewed = async || (of_lease().verb("update").len() >= 4).then_some(());
    wait_for("four renewals", PATIENCE, renewed).await;
    assert_eq!(of_lease().verb("get").len(), 0, "{:?}", of_lease().events());
    let leases: kube::Api<Lease> = kube::Api::namespaced(w.plane.admin(), SYSTEM_NAMESPACE);
    leases.delete(&lease, &Default::default()).await.expect("delete the Lease");
    let again = async || leases.get_opt(&lease).await.expect("a look");
    wait_for("a new Lease", PATIENCE, again).await;
    w.edit("acme", json!({ "seats": 160 })).await;
    w.until_in_sync("acme", 160).await;
    assert!(!w.operator.log().contains("not leading any more"), "{}", w.operator.log_tail(20));
}

#[tokio::test(flavor = "multi_thread")]
async fn outage_of_the_apiserver_is_one_line_at_its_start_and_one_at_its_end() {
    needs_control_plane!();
    // A control plane of its own, which is stopped.
    let w = World::over_all_namespaces("silence", organization(), &flags(&[BRIEF])).await;
    for name in ["acme", "other"] {
        w.declare(name, json!({ "managementPolicy": "Observe" })).await;
    }
    w.until_polled(2).await;
    let before = w.operator.log().lines().count();
    w.plane.stop_apiserver();
    until_logged(&w, "not leading any more: it could not renew the Lease within 2 s").await;
    w.plane.start_apiserver().await;
    until_logged(&w, "the apiserver answers again").await;
    w.until_polled(3).await;
    let log = w.operator.log();
    let told: Vec<&str> =
        log.lines().skip(before).filter(|line| line.contains("WARN") || line.contains("answers again")).collect();
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(
        told[0].contains("While the apiserver does not answer, Seatkeeper changes nothing at any vendor"),
        "{told:#?}"
    );
}

async fn until_logged(w: &World, part: &str) {
    let logged = async || w.operator.log().contains(part).then_some(());
    wait_for(format!("the log to say {part:?}\n{}", w.operator.log_tail(20)), PATIENCE, logged).await;
}
