//! Never buy twice: every bad answer to the request that buys, and everything that may happen while its outcome is
//! not known. The oracle is the vendor's ledger of what was shown and what was billed.

use futures::future::join_all;
use seatkeeper::api::LicenseSeatsStatus;
use seatkeeper_support::{needs_control_plane, wait_for};
use serde_json::json;
use vendor_sim::{Fault, FaultKind, Role};

use crate::tenants::{Tenant, fast_but};
use crate::world::{PATIENCE, World, organization, said, world};

const DONE: &str = r#"{"message":"Subscription updated successfully."}"#;
const OPAQUE: &str = r#"{"message":"An error occurred while updating the subscription."}"#;
const HTML: &str = "<!doctype html><title>Bad gateway</title>";
const FOR_EVER: u64 = 3_600_000;

/// How it ends.
enum End {
    /// 150 seats shown, billed and told.
    InSync,
    /// The base shown, and told that the vendor refuses.
    Rejected,
    /// Nothing came of it, and it is tried again by itself.
    Retried,
}

pub struct Case {
    what: &'static str,
    fault: Fault,
    end: End,
    puts: usize,
}

fn answer(status: u16, body: &str, apply: bool) -> Fault {
    let (headers, body) = (Default::default(), body.to_owned());
    Fault::on_put(FaultKind::Answer { status, headers, body, apply })
}

/// 401 as the framework of the application gives it.
fn challenged() -> Fault {
    Fault::on_put(FaultKind::Answer {
        status: 401,
        headers: [("www-authenticate".to_owned(), r#"Bearer error="invalid_token""#.to_owned())].into(),
        body: String::new(),
        apply: false,
    })
}

fn throttled(retry_after: &str) -> Fault {
    Fault::on_put(FaultKind::Answer {
        status: 429,
        headers: [("retry-after".to_owned(), retry_after.to_owned())].into(),
        body: r#"{"message":"Slow down!"}"#.into(),
        apply: false,
    })
}

fn delay(before_ms: u64, after_ms: u64) -> Fault {
    Fault::on_put(FaultKind::Delay { before_ms, after_ms })
}

#[expect(clippy::too_many_lines, reason = "a table: its length is the number of its rows")]
pub fn cases() -> Vec<Case> {
    use End::{InSync, Rejected, Retried};
    use FaultKind as K;
    let case = |what, fault, end, puts| Case { what, fault, end, puts };
    let on = Fault::on_put;
    vec![
        // Proven to come before any effect.
        case("401 of the application once", challenged(), InSync, 2),
        case("429 with Retry-After", throttled("1"), InSync, 2),
        case("400", answer(400, r#"{"message":"invalid"}"#, false).for_ever(), Rejected, 1),
        // The same statuses from something in between, or from anybody: they prove nothing.
        case("401 without a challenge once", answer(401, "", false), InSync, 2),
        case("401 page applied", answer(401, HTML, true), InSync, 1),
        case("403 once", answer(403, "", false), InSync, 2),
        case("403 applied", answer(403, "", true), InSync, 1),
        case("403 of the edge once", on(K::EdgeForbidden), InSync, 2),
        case("400 page applied", answer(400, HTML, true), InSync, 1),
        case("404 page once", answer(404, HTML, false), InSync, 2),
        case("404 page applied", answer(404, HTML, true), InSync, 1),
        case("404 empty once", answer(404, "", false), InSync, 2),
        case("405 empty once", answer(405, "", false), InSync, 2),
        case("405 empty applied", answer(405, "", true), InSync, 1),
        case("415 once", answer(415, "", false), InSync, 2),
        case("redirect once", answer(302, "", false), InSync, 2),
        case("redirect applied", answer(302, "", true), InSync, 1),
        case("redirect for ever", answer(302, "", false).for_ever(), Retried, 2),
        case("200 list applied", answer(200, r#"["Subscription updated successfully."]"#, true), InSync, 1),
        case("200 empty applied", answer(200, "", true), InSync, 1),
        // The application's last word, which proves nothing.
        case("500 after all was done", answer(500, OPAQUE, true), InSync, 1),
        case("500 once", answer(500, OPAQUE, false), InSync, 2),
        case("500 after billing", on(K::FailAfterBilling), InSync, 2),
        case("500 after seats and before limit", on(K::Half), InSync, 2),
        case("200 that changed nothing once", on(K::NoEffect), InSync, 2),
        case("200 that changes nothing", on(K::NoEffect).for_ever(), Rejected, 2),
        // No word of the application.
        case("200 HTML not applied", on(K::Html), InSync, 2),
        case("200 HTML not applied ever", on(K::Html).for_ever(), Retried, 2),
        case("200 HTML applied", answer(200, HTML, true), InSync, 1),
        case("200 null not applied", answer(200, "null", false), InSync, 2),
        case("500 HTML applied", answer(500, HTML, true), InSync, 1),
        case("502 applied", answer(502, HTML, true), InSync, 1),
        case("502 not applied", answer(502, HTML, false), InSync, 2),
        case("503 for ever", answer(503, "", false).for_ever(), Retried, 2),
        case("504 with the words of success not applied", answer(504, DONE, false), InSync, 2),
        case("truncated answer", on(K::Truncate), InSync, 1),
        case("reset in the answer", on(K::Reset), InSync, 1),
        case("a byte a second", on(K::Drip { bytes_per_second: 1 }), InSync, 1),
        case("header flood", on(K::HeaderFlood { count: 5000 }), InSync, 1),
        case("50 MB not applied", on(K::HugeBody { bytes: 50_000_000 }), InSync, 2),
        case("drop before applying", on(K::Drop { apply: false }), InSync, 2),
        case("drop after applying", on(K::Drop { apply: true }), InSync, 1),
        case("drop and apply late", on(K::ApplyLate { after_ms: 2500 }), InSync, 1),
        case("time-out after applying", delay(0, FOR_EVER), InSync, 1),
        case("time-out without ever applying", delay(FOR_EVER, 0), InSync, 2),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_answer_to_purchase_never_buys_twice_and_is_in_sync_or_reported() {
    needs_control_plane!();
    let w = world("writes").await;
    w.needs_many_tokens();
    let play = async |case: Case| {
        let t = w.tenant(case.what, organization()).await;
        let fault = t.inject(case.fault.clone());
        t.declare(json!({})).await;
        ends(&t, &case, fault, || t.puts()).await;
    };
    // From a 429 on the path has a limit, for which the others would wait.
    let (throttled, others): (Vec<_>, Vec<_>) = cases().into_iter().partition(|case| case.what.starts_with("429"));
    join_all(others.into_iter().map(&play)).await;
    join_all(throttled.into_iter().map(play)).await;
    assert_eq!(w.operator.try_exit(), None);
    assert!(!w.operator.log().contains("panicked"), "{}", w.operator.log_tail(60));
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_answer_to_owner_difference_never_buys_twice_nor_ends_unreported() {
    needs_control_plane!();
    let w = world("owner-writes").await;
    w.needs_many_tokens();
    let play = async |case: Case| {
        let t = w.tenant(case.what, organization()).await;
        t.person(Role::Owner).await;
        let fault = t.inject(case.fault.clone().method("POST").path("/api/organizations/"));
        w.declare(&t.name, t.alone(json!({}))).await;
        // A refusal in words that no list has may come after a part of a difference: it is asked once more.
        let puts = if case.what == "400" { 2 } else { case.puts };
        ends(&t, &Case { puts, ..case }, fault, || t.owner_requests("POST")).await;
    };
    join_all(cases().into_iter().map(play)).await;
    assert_eq!(w.operator.try_exit(), None);
    assert!(!w.operator.log().contains("panicked"), "{}", w.operator.log_tail(60));
}

/// The end of a case, and that it is the end; `writes`: the requests that buy so far.
async fn ends(t: &Tenant<'_>, case: &Case, fault: u64, writes: impl Fn() -> usize) {
    match case.end {
        End::InSync => {
            let status = t.until_in_sync(150).await;
            assert_eq!((t.organization().seats, t.organization().limit), (Some(150), Some(150)));
            assert_eq!(t.organization().billed.seats, Some(150), "{}", t.name);
            let told: i32 = status.history.iter().map(|change| change.target().seats - change.base().seats).sum();
            assert_eq!(told, 50, "{}: {:?}", t.name, status.history);
        }
        End::Rejected => {
            let status = t.until_said("Ready", "False/VendorRejected").await;
            assert_eq!(said(&status, "Stalled"), "True/VendorRejected", "{}", t.name);
            assert_eq!(t.organization().billed.seats, Some(100), "{}", t.name);
        }
        End::Retried => {
            let status = t.until_said("Ready", "False/AwaitingRetry").await;
            assert_eq!(said(&status, "Reconciling"), "True/Progressing", "{}", t.name);
            assert_eq!(said(&status, "ChangePending"), "True/AwaitingRetry", "{}", t.name);
            assert!(writes() >= case.puts, "{}", t.name);
            // The fault passes, and nobody has to do anything.
            t.world.bitwarden().clear_fault(fault);
            t.until_in_sync(150).await;
            assert_eq!(t.organization().billed.seats, Some(150), "{}", t.name);
            return;
        }
    }
    t.until_polled(3).await;
    assert_eq!(writes(), case.puts, "{}", t.name);
    t.assert_never_above(150);
    if matches!(case.end, End::InSync) {
        // A throttle of one closes the host for all, so a reading may just be late.
        let settled = |status: &LicenseSeatsStatus| status.intent.is_none() && said(status, "Ready") == "True/InSync";
        t.until("in sync with no open intent", settled).await;
        assert_eq!(writes(), case.puts, "{}", t.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn request_applied_after_client_timeout_is_recognized() {
    needs_control_plane!();
    let w = world("late").await;
    let late = w.bitwarden().inject(delay(FOR_EVER, 0));
    w.declare("acme", json!({})).await;
    w.until_hung_up(&w.key).await;
    assert_eq!(w.organization().seats, Some(100));
    w.bitwarden().release(late);
    let status = w.until_in_sync("acme", 150).await;
    assert_eq!((status.history[0].base().seats, status.history[0].target().seats, w.puts()), (100, 150, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn throttle_without_retry_after_backs_off_unless_person_asks() {
    needs_control_plane!();
    let w = world("throttled").await;
    let fault = w.bitwarden().inject(Fault::on_put(FaultKind::EdgeThrottle));
    w.declare("acme", json!({})).await;
    assert!(w.bitwarden().wait_fired(fault, 1).await);
    w.until("acme", "the refused intent to be closed", |s| s.intent.is_none()).await;
    w.annotate("acme", "seatkeeper.dev/reconcile-requested-at", "now").await;
    w.until_in_sync("acme", 150).await;
    assert_eq!(w.puts(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn purchase_refused_for_credentials_is_reported_and_not_sent_repeatedly() {
    needs_control_plane!();
    let w = World::with("refused", organization(), &fast_but(&["--credential-probe=1h"])).await;
    let play = async |(what, puts, reason): (&str, usize, &str)| {
        let t = w.tenant(what, organization()).await;
        match reason {
            "Rejected" => t.inject(challenged().for_ever()),
            // A key that lost its role, as the change is the first to hear: readings are refused from then on.
            _ => {
                t.inject(answer(403, "", false).for_ever());
                t.inject(
                    Fault::on_get(FaultKind::Answer {
                        status: 403,
                        headers: Default::default(),
                        body: String::new(),
                        apply: false,
                    })
                    .skip(2)
                    .for_ever(),
                )
            }
        };
        t.declare(json!({})).await;
        let status = t.until_said("CredentialsValid", &format!("False/{reason}")).await;
        assert_eq!(said(&status, "Ready"), "False/CredentialsInvalid");
        assert!(status.intent.is_none(), "{what}: nothing was done");
        t.until_secret_looked_at(3).await;
        assert_eq!(t.puts(), puts, "{what}");
        let later = t.status().await;
        assert_eq!(later, status, "{what}: nothing new, so nothing is written");
        w.bitwarden().clear_faults();
        w.secret(&t.name, w.credentials(&t.key)).await;
        t.until_in_sync(150).await;
        t.assert_never_above(150);
    };
    play(("401 for ever", 2, "Rejected")).await;
    play(("403 for ever", 1, "InsufficientRole")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn edge_page_on_purchase_proves_nothing_about_key() {
    needs_control_plane!();
    let w = World::with("edge-put", organization(), &fast_but(&["--credential-probe=1h"])).await;
    let t = w.tenant("edge", organization()).await;
    t.inject(Fault::on_put(FaultKind::EdgeForbidden));
    t.declare(json!({})).await;
    let status = t.until_said("Ready", "Unknown/OutcomeUnknown").await;
    assert_eq!(said(&status, "CredentialsValid"), "True/Authenticated");
    t.until_in_sync(150).await;
    assert_eq!(t.puts(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn token_renewal_that_fails_before_purchase_is_no_refusal_of_purchase() {
    needs_control_plane!();
    let w = world("renew").await;
    w.bitwarden().switch(|s| s.token_lifetime_seconds = 1);
    let read = w.bitwarden().inject(Fault::on_get(FaultKind::Delay { before_ms: FOR_EVER, after_ms: 0 }).skip(1));
    w.declare("acme", json!({})).await;
    assert!(w.bitwarden().wait_fired(read, 1).await);
    // The token this reading came with is old by now, and the next one is not to be had at first.
    let fault = w.bitwarden().inject(Fault::on_token(FaultKind::Answer {
        status: 502,
        headers: Default::default(),
        body: HTML.into(),
        apply: false,
    }));
    let arrived = w.bitwarden().now();
    let old = async || (w.bitwarden().now().duration_since(arrived).as_millis() > 1000).then_some(());
    wait_for("the token to be old", PATIENCE, old).await;
    w.bitwarden().release(read);
    let status = w.until_in_sync("acme", 150).await;
    assert_eq!(w.bitwarden().fired(fault), 1, "the fault hit the request it was made for");
    assert_eq!((w.puts(), status.history.len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn owner_key_with_403_on_change_gets_no_hint_of_other_key() {
    needs_control_plane!();
    let w = world("owner-403").await;
    let t = w.tenant("owner-403", organization()).await;
    t.person(Role::Owner).await;
    let refusal = |kind: FaultKind| w.bitwarden().inject(Fault::on_owner_write(kind).for_ever());
    let empty = FaultKind::Answer { status: 403, headers: Default::default(), body: String::new(), apply: false };
    let fault = refusal(empty);
    w.declare("owner-403", t.alone(json!({}))).await;
    wait_for("a refused change", PATIENCE, async || (w.bitwarden().fired(fault) > 0).then_some(())).await;
    let told = |status: &LicenseSeatsStatus| {
        ["OutcomeUnknown", "AwaitingRetry"].iter().any(|reason| said(status, "Ready").ends_with(reason))
    };
    let status = w.until("owner-403", "what became of it", told).await;
    for condition in &status.conditions {
        for other in ["organization API key", "API key of this organization", "organization key"] {
            assert!(!condition.message.contains(other), "{}", condition.message);
        }
    }
    w.bitwarden().clear_fault(fault);
    w.until_in_sync("owner-403", 150).await;
}
