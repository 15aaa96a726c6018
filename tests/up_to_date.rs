//! What people read is about now: a status that somebody else wrote, an edit or a mended Secret that meets a failing vendor,
//! an end that comes between two polls. Each object polls once an hour, so that nothing here is seen by a poll.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kube::api::{Patch, PatchParams};
use seatkeeper_support::{needs_control_plane, wait_for};
use serde_json::{Value, json};
use vendor_sim::immuta::LicenseKey;
use vendor_sim::{FaultKind, Role, SubscriptionStatus};

use crate::bad_answers::On;
use crate::immuta::acme;
use crate::tenants::fast_but;
use crate::world::{PATIENCE, World, condition, organization, said, world};

/// Ten seconds; the rest is for a busy machine. The intervals and the turns of these tests are much longer.
const A_FEW_SECONDS: SignedDuration = SignedDuration::from_secs(40);

/// Writes fields of the status as somebody else who may.
async fn forge(w: &World, status: Value) {
    let patch = Patch::Merge(json!({ "status": status }));
    w.seats().patch_status("acme", &PatchParams::default(), &patch).await.expect("write the status");
}

fn unavailable() -> FaultKind {
    FaultKind::Answer { status: 503, headers: Default::default(), body: "out of service".into(), apply: false }
}

#[tokio::test(flavor = "multi_thread")]
async fn status_written_or_wiped_by_person_is_redone_and_label_costs_no_reading() {
    needs_control_plane!();
    let w = world("forged").await;
    w.declare("acme", json!({ "seats": 100, "interval": "1h" })).await;
    w.until_in_sync("acme", 100).await;
    let readings = || w.count_requests("GET", "/public/organization/subscription");
    forge(&w, Value::Null).await;
    w.until_in_sync("acme", 100).await;
    assert_eq!(readings(), 2);
    let label = Patch::Merge(json!({ "metadata": { "labels": { "team": "it" } } }));
    w.seats().patch("acme", &PatchParams::default(), &label).await.expect("label the object");
    forge(&w, json!({ "summary": "all is well", "seats": 7 })).await;
    let status = w.until_in_sync("acme", 100).await;
    assert_eq!(status.summary.as_deref(), Some("in sync"));
    assert_eq!((readings(), w.puts()), (3, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn edit_during_vendor_failure_is_reported_as_unchecked_within_seconds() {
    needs_control_plane!();
    let w = world("edit-outage").await;
    w.declare("acme", json!({ "seats": 100, "interval": "1h" })).await;
    w.until_in_sync("acme", 100).await;
    let fault = w.bitwarden().inject(On::Subscription.fault(unavailable()).for_ever());
    let edited = Timestamp::now();
    w.edit("acme", json!({ "seats": 120 })).await;
    let status = w.until_reason("acme", "Ready", "ObservationStale").await;
    let ready = condition(&status, "Ready").expect("Ready");
    assert!(ready.last_transition_time.0.duration_since(edited) <= A_FEW_SECONDS, "{ready:?}");
    let message = &ready.message;
    assert!(message.starts_with("The edit of the spec has not been checked"), "{message}");
    assert!(message.contains("answers with status 503"), "{message}");
    assert_eq!((status.desired, status.seats), (Some(120), Some(100)));
    w.bitwarden().clear_fault(fault);
    w.until_in_sync("acme", 120).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secret_mended_before_other_fault_leaves_message_of_that_fault() {
    needs_control_plane!();
    let w = world("mended-outage").await;
    w.declare("acme", json!({ "seats": 100, "interval": "1h" })).await;
    w.until_in_sync("acme", 100).await;
    let mut wrong = w.credentials(&w.key);
    wrong["clientSecret"] = json!("wrong");
    w.secret("key", wrong).await;
    w.annotate("acme", "seatkeeper.dev/reconcile-requested-at", "one").await;
    w.until_reason("acme", "CredentialsValid", "Rejected").await;
    let fault = w.bitwarden().inject(On::Subscription.fault(unavailable()).for_ever());
    w.secret("key", w.credentials(&w.key)).await;
    let status = w.until_reason("acme", "CredentialsValid", "VendorUnreachable").await;
    assert!(condition(&status, "Ready").expect("Ready").message.contains("answers with status 503"));
    assert_eq!(status.seats, Some(100));
    w.bitwarden().clear_fault(fault);
    w.until_in_sync("acme", 100).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn license_ending_between_polls_is_reported_when_it_ends() {
    needs_control_plane!();
    let a = acme("immuta-ends-soon").await;
    a.issued("one", LicenseKey::seats(40).hard_expiration().expires_in(Duration::from_secs(15))).await;
    a.declare(&["one"], json!({ "interval": "1h" })).await;
    a.until("a key in force", |status| said(status, "LicenseValid") == "True/ExpiringSoon").await;
    a.until("its end", |status| said(status, "LicenseValid") == "False/Expired").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trial_that_ends_between_two_polls_is_read_afresh_when_it_ends() {
    needs_control_plane!();
    let w = World::with("trial-ends", organization(), &fast_but(&["--account-recheck=1h"])).await;
    let t = w.tenant("acme", organization()).await;
    t.person(Role::Owner).await;
    w.bitwarden().set_subscription_status(&t.key.id, SubscriptionStatus::Trialing);
    let ends = Timestamp::now() + SignedDuration::from_secs(20);
    w.bitwarden().change_terms(&t.key.id, |terms| terms.period_end = ends);
    w.declare("acme", t.both(json!({ "seats": 100, "interval": "1h" }))).await;
    t.until_said("LicenseValid", "True/ExpiringSoon").await;
    w.bitwarden().set_subscription_status(&t.key.id, SubscriptionStatus::Canceled);
    t.until_said("LicenseValid", "False/Expired").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mended_license_key_is_sent_within_seconds() {
    needs_control_plane!();
    let a = acme("immuta-mended").await;
    a.put("one", "no such key at all").await;
    a.declare(&["one"], json!({ "interval": "1h" })).await;
    a.until_ready("False/LicenseKeyRejected").await;
    let looks = || a.w.audit().verb("get").resource("secrets").name("one").len();
    let (lists, looked) = (a.tenant.calls(vendor_sim::immuta::Endpoint::List), looks());
    let more = async || (looks() >= looked + 3).then_some(());
    wait_for("three more looks at the Secret", PATIENCE, more).await;
    assert_eq!(a.tenant.calls(vendor_sim::immuta::Endpoint::List), lists, "the vendor is not asked for that");
    a.key("one", 40).await;
    a.until_ready("True/InSync").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn key_taken_away_third_time_is_conflict_and_nothing_more_is_written() {
    needs_control_plane!();
    let a = acme("immuta-thrice").await;
    let key = a.key("one", 40).await;
    a.declare(&["one"], json!({})).await;
    for times in 1..=3 {
        a.until("its row", |status| {
            said(status, "Ready") == "True/InSync"
                && a.tenant.live_rows_of(&key).len() == 1
                && a.tenant.posts() == times
        })
        .await;
        a.tenant.delete_by_hand(a.tenant.live_rows_of(&key)[0].id).expect("somebody may remove it");
    }
    a.until_ready("False/Conflict").await;
    a.until_polled(2).await;
    let mark = a.w.plane.audit_mark();
    a.until_polled(6).await;
    let wrote = a.w.plane.audit_since(mark).writes(seatkeeper_support::OPERATOR_USER, &a.w.namespace);
    assert!(wrote.is_empty(), "{:?}", wrote.events());
    assert_eq!(a.tenant.posts(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_that_person_asks_for_fetches_key_role_and_license_afresh() {
    needs_control_plane!();
    let w = World::with("look-afresh", organization(), &fast_but(&["--account-recheck=1h"])).await;
    let t = w.tenant("acme", organization()).await;
    let person = t.person(Role::Owner).await;
    w.declare("acme", t.both(json!({ "seats": 100, "interval": "1h" }))).await;
    w.until_in_sync("acme", 100).await;
    w.bitwarden().set_subscription_status(&t.key.id, SubscriptionStatus::PastDue);
    let status = t.ask("license").await;
    assert_eq!(said(&status, "LicenseValid"), "True/PastDue");
    w.bitwarden().set_role(&person.user_id, &t.key.id, Role::Admin);
    let status = t.ask("role").await;
    assert_eq!(said(&status, "CredentialsValid"), "False/InsufficientRole");
}

#[tokio::test(flavor = "multi_thread")]
async fn tenant_about_to_get_first_key_has_no_warning() {
    needs_control_plane!();
    let a = acme("immuta-fresh").await;
    a.key("one", 40).await;
    a.declare(&["one"], json!({})).await;
    a.until_ready("True/InSync").await;
    let told = a.w.until_told("LicenseKeyAdded", 1).await;
    let warns = |(reason, _): &&(String, String)| ["Expired", "OverAllocated", "Exhausted"].contains(&reason.as_str());
    assert_eq!(told.iter().find(warns), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn new_organizations_over_rate_limit_report_wait_within_seconds() {
    needs_control_plane!();
    let w = world("sixteen").await;
    let mut tenants = Vec::new();
    for i in 0..16 {
        tenants.push(w.tenant(&format!("org {i}"), organization()).await);
    }
    for tenant in &tenants {
        tenant.declare(json!({ "seats": 100, "interval": "1h" })).await;
    }
    let mut waiting = 0;
    for tenant in &tenants {
        let status = tenant.until("some word", |status| !status.conditions.is_empty()).await;
        let ready = condition(&status, "Ready").expect("Ready");
        if ready.message.contains("Seatkeeper has not read this object yet") {
            waiting += 1;
            let created = w.seats().get(&tenant.name).await.expect("the object").metadata.creation_timestamp;
            let silent = ready.last_transition_time.0.duration_since(created.expect("its time").0);
            assert!(silent <= A_FEW_SECONDS, "{}: {silent:?}", tenant.name);
        }
    }
    let tokens = w.count_requests("POST", "/connect/token");
    assert!(waiting > 0 && waiting + tokens >= tenants.len(), "{tokens} tokens, and {waiting} wait");
}
