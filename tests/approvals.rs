//! Changes that wait for a `SeatApproval`, on the real apiserver: given, denied, taken back, replayed, bounded, and refused at
//! admission.

use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams};
use seatkeeper::api::{LicenseSeatsStatus, SeatApproval};
use seatkeeper_support::{needs_control_plane, wait_for};
use serde_json::{Value, json};

use crate::admission::yaml;
use crate::stored_objects::stain;
use crate::world::{FAST, PATIENCE, World, condition, merge, organization, said, world};

fn approvals(w: &World) -> Api<SeatApproval> {
    Api::namespaced(w.plane.admin(), &w.namespace)
}

/// Creates an approval of the object `acme`.
async fn give(w: &World, name: &str, spec: Value) -> kube::Result<Value> {
    let mut whole = json!({ "licenseSeatsRef": { "name": "acme" }, "decision": "Approved" });
    merge(&mut whole, spec);
    post(w, name, whole).await
}

/// Creates an approval as it is.
async fn post(w: &World, name: &str, spec: Value) -> kube::Result<Value> {
    let object = json!({
        "apiVersion": "seatkeeper.dev/v1alpha1", "kind": "SeatApproval", "spec": spec, "metadata": { "name": name },
    });
    let uri = format!("/apis/seatkeeper.dev/v1alpha1/namespaces/{}/seatapprovals?fieldValidation=Strict", w.namespace);
    let body = serde_json::to_vec(&object).expect("JSON");
    w.plane.admin().request(http::Request::post(uri).body(body).expect("a request")).await
}

async fn until_asked(w: &World) -> (LicenseSeatsStatus, String) {
    let status =
        w.until("acme", "waits for a yes", |status| said(status, "ChangePending") == "True/AwaitingApproval").await;
    let id = status.plan.as_ref().expect("a plan").id.clone();
    (status, id)
}

fn message(status: &LicenseSeatsStatus) -> String {
    condition(status, "ChangePending").expect("ChangePending").message.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn change_waits_without_write_until_approved_and_approval_serves_once() {
    needs_control_plane!();
    let w = world("approval").await;
    w.declare("acme", json!({ "approval": { "increaseAbove": 10 } })).await;
    let (asked, id) = until_asked(&w).await;
    assert_eq!(asked.summary.as_deref(), Some("+50 seats: approval needed"));
    assert_eq!((said(&asked, "Ready").as_str(), asked.agreed_seats), ("True/ChangeDeferred", Some(100)));
    assert!(message(&asked).contains(&format!("create a SeatApproval in this namespace with planId {id}")));
    w.until_polled(1).await;
    let written = w.seats().get("acme").await.expect("acme").metadata.resource_version;
    w.until_polled(3).await;
    assert_eq!(w.seats().get("acme").await.expect("acme").metadata.resource_version, written, "no write at rest");
    assert_eq!(w.puts(), 0);
    give(&w, "yes", json!({ "planId": id })).await.expect("the approval is admitted");
    let status = w.until_in_sync("acme", 150).await;
    let used = status.approval.expect("the approval that was used");
    assert_eq!((used.name.as_str(), used.plan_id.as_str(), used.to), ("yes", id.as_str(), 150));
    assert_eq!(status.history[0].approval.as_deref(), Some("yes"));
    assert_eq!((w.puts(), status.agreed_seats), (1, Some(150)));
    let told = w.until_told("ChangeApproved", 1).await;
    let note = format!("SeatApproval yes approves plan {id}: +50 seats, limit 150");
    assert!(told.iter().any(|(_, told)| *told == note), "{told:?}");
    // The same yes again is for a plan that is over.
    w.edit("acme", json!({ "seats": 200 })).await;
    let (asked, next) = until_asked(&w).await;
    assert_ne!(next, id);
    assert!(
        message(&asked).contains(&format!("SeatApproval yes names plan {id}, which is no open plan of this object")),
        "{}",
        message(&asked)
    );
    w.until_polled(2).await;
    assert_eq!(w.puts(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn denial_counts_more_than_a_yes_and_deleting_it_lets_the_change_pass() {
    needs_control_plane!();
    let w = world("approval-denied").await;
    w.declare("acme", json!({ "approval": { "increaseAbove": 10 }, "suspend": true })).await;
    let status = w.until("acme", "a plan", |status| status.plan.is_some()).await;
    let id = status.plan.expect("a plan").id;
    give(&w, "no", json!({ "planId": id, "decision": "Denied" })).await.expect("the denial is admitted");
    give(&w, "yes", json!({ "planId": id })).await.expect("the approval is admitted");
    w.edit("acme", json!({ "suspend": false })).await;
    let status = w.until_reason("acme", "ChangePending", "ChangeDenied").await;
    assert_eq!(status.summary.as_deref(), Some("+50 seats: denied"));
    assert!(message(&status).contains(&format!("SeatApproval no denies plan {id}")));
    w.until_polled(2).await;
    assert_eq!(w.puts(), 0);
    approvals(&w).delete("no", &DeleteParams::default()).await.expect("the denial is deleted");
    w.until_in_sync("acme", 150).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn approval_that_is_deleted_before_the_change_is_taken_back() {
    needs_control_plane!();
    let w = world("approval-back").await;
    w.declare("acme", json!({ "approval": { "increaseAbove": 10 }, "suspend": true })).await;
    let bound = json!({ "upTo": 165, "validUntil": "2099-12-31T00:00:00Z" });
    give(&w, "year", bound).await.expect("the approval is admitted");
    w.until("acme", "suspended alone", |status| {
        status
            .plan
            .as_ref()
            .is_some_and(|plan| serde_json::to_value(&plan.blocked_by).expect("JSON") == json!(["Suspended"]))
    })
    .await;
    approvals(&w).delete("year", &DeleteParams::default()).await.expect("the approval is deleted");
    w.edit("acme", json!({ "suspend": false })).await;
    until_asked(&w).await;
    w.until_polled(2).await;
    assert_eq!(w.puts(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn approval_of_another_namespace_or_of_another_object_lets_nothing_pass() {
    needs_control_plane!();
    let mut w = World::over_all_namespaces("approval-across", organization(), FAST).await;
    w.declare("acme", json!({ "approval": { "increaseAbove": 10 } })).await;
    let (_, id) = until_asked(&w).await;
    let bound = json!({ "upTo": 165, "validUntil": "2099-12-31T00:00:00Z" });
    // One of its own that does not cover the change: so the approvals are read.
    let small = json!({ "upTo": 101, "validUntil": "2099-12-31T00:00:00Z" });
    give(&w, "small", small).await.expect("the approval is admitted");
    let elsewhere = w.plane.namespace("approvers").await;
    let ours = std::mem::replace(&mut w.namespace, elsewhere);
    give(&w, "yes", json!({ "planId": id })).await.expect("the approval is admitted");
    give(&w, "year", bound.clone()).await.expect("the approval is admitted");
    w.namespace = ours;
    let other = json!({ "licenseSeatsRef": { "name": "other" } });
    for (name, spec) in [("other-yes", json!({ "planId": id })), ("other-year", bound)] {
        let mut spec = spec;
        merge(&mut spec, other.clone());
        give(&w, name, spec).await.expect("the approval is admitted");
    }
    w.until_polled(3).await;
    assert_eq!((w.puts(), until_asked(&w).await.1), (0, id.clone()));
    give(&w, "yes", json!({ "planId": id })).await.expect("the approval is admitted");
    w.until_in_sync("acme", 150).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn approval_is_noticed_at_once_beside_one_only_kubernetes_can_read() {
    needs_control_plane!();
    let mut w = world("approval-stained").await;
    let other = json!({ "licenseSeatsRef": { "name": "other" }, "planId": "1-aaaaaa" });
    give(&w, "stained", other).await.expect("the approval is admitted");
    stain(&w, "seatapproval", "seatkeeper.dev/v1alpha1", "stained").await;
    w.crash_and_restart(FAST).await;
    w.declare("acme", json!({ "approval": { "increaseAbove": 10 }, "interval": "1h" })).await;
    let (_, id) = until_asked(&w).await;
    give(&w, "yes", json!({ "planId": id })).await.expect("the approval is admitted");
    w.until_in_sync("acme", 150).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn approval_of_plan_survives_joining_and_leaving_users() {
    needs_control_plane!();
    let w = world("approval-join").await;
    w.declare("acme", json!({ "approval": { "increaseAbove": 10 }, "suspend": true })).await;
    let planned = w.until("acme", "a plan", |status| status.plan.is_some()).await;
    let (id, used) = (planned.plan.expect("a plan").id, planned.used.expect("the use"));
    give(&w, "yes", json!({ "planId": id })).await.expect("the approval is admitted");
    assert!(w.bitwarden().join(&w.key.id, 3));
    w.until("acme", "three more", |status| status.used == Some(used + 3)).await;
    assert_eq!(w.bitwarden().leave(&w.key.id, 1), 1);
    let status = w.until("acme", "one fewer", |status| status.used == Some(used + 2)).await;
    assert_eq!(status.plan.map(|plan| plan.id).as_deref(), Some(id.as_str()));
    w.edit("acme", json!({ "suspend": false })).await;
    let status = w.until_in_sync("acme", 150).await;
    assert_eq!(status.approval.map(|used| (used.name, used.plan_id)), Some(("yes".to_owned(), id)));
}

#[tokio::test(flavor = "multi_thread")]
async fn yes_to_a_plan_that_never_was_buys_nothing_and_is_named() {
    needs_control_plane!();
    let w = world("approval-unknown").await;
    give(&w, "typo", json!({ "planId": "9-ffffff" })).await.expect("the approval is admitted");
    w.declare("acme", json!({ "approval": { "increaseAbove": 10 } })).await;
    let (asked, _) = until_asked(&w).await;
    let named = "SeatApproval typo names plan 9-ffffff, which is no open plan of this object: mistyped, finished, or of another object";
    assert!(message(&asked).contains(named), "{}", message(&asked));
    w.until_polled(2).await;
    assert_eq!(w.puts(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn yes_to_a_plan_of_another_object_buys_nothing_and_is_named() {
    needs_control_plane!();
    let w = world("approval-other").await;
    let other = w.tenant("other", organization()).await;
    other.declare(json!({ "approval": { "increaseAbove": 10 } })).await;
    let asks = |status: &LicenseSeatsStatus| said(status, "ChangePending") == "True/AwaitingApproval";
    let theirs = other.until("waits for a yes", asks).await.plan.expect("a plan").id;
    w.declare("acme", json!({ "approval": { "increaseAbove": 10 } })).await;
    let (_, ours) = until_asked(&w).await;
    assert_ne!(ours, theirs);
    give(&w, "misread", json!({ "planId": theirs })).await.expect("the approval is admitted");
    let named = format!(
        "SeatApproval misread names plan {theirs}, which is no open plan of this object: mistyped, finished, or of another object"
    );
    w.until("acme", &named, |status| asks(status) && message(status).contains(&named)).await;
    other.until_polled(2).await;
    assert_eq!(w.puts(), 0, "of neither");
    // It is the plan of the other one.
    give(&w, "theirs", json!({ "licenseSeatsRef": { "name": "other" }, "planId": theirs })).await.expect("admitted");
    other.until_in_sync(150).await;
    assert_eq!((other.puts(), w.organization().seats), (1, Some(100)));
}

#[tokio::test(flavor = "multi_thread")]
async fn bound_covers_only_growth_of_use_within_it() {
    needs_control_plane!();
    let w = world("approval-bound").await;
    let spec = json!({ "seats": null, "sizing": { "headroom": { "seats": 20 } }, "approval": { "increaseAbove": 0 } });
    w.declare("acme", spec).await;
    w.until_in_sync("acme", 100).await;
    let bound = json!({ "upTo": 105, "validUntil": "2099-12-31T00:00:00Z" });
    give(&w, "quarter", bound).await.expect("the approval is admitted");
    assert!(w.bitwarden().join(&w.key.id, 3));
    w.until_in_sync("acme", 103).await;
    assert!(w.bitwarden().join(&w.key.id, 2));
    w.until_in_sync("acme", 105).await;
    assert!(w.bitwarden().join(&w.key.id, 1));
    let (status, _) = until_asked(&w).await;
    assert!(
        message(&status).contains("The bound of SeatApproval quarter is below this change"),
        "{}",
        message(&status)
    );
    assert_eq!(w.organization().seats, Some(105));
}

#[tokio::test(flavor = "multi_thread")]
async fn yes_that_applies_now_does_not_wait_for_the_window() {
    needs_control_plane!();
    let w = World::with("approval-now", organization(), FAST).await;
    let opens = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(6);
    let schedule = opens.strftime("%-M %-H * * *").to_string();
    let window = json!({ "name": "later", "cron": { "schedule": schedule, "timeZone": "UTC", "duration": "1h" } });
    w.declare("acme", json!({ "adjustment": { "increase": { "mode": "InWindow" }, "windows": [window] } })).await;
    let status = w.until_reason("acme", "ChangePending", "AwaitingWindow").await;
    let id = status.plan.expect("a plan").id;
    give(&w, "yes", json!({ "planId": id, "applyNow": true })).await.expect("the approval is admitted");
    let status = w.until_in_sync("acme", 150).await;
    assert_eq!(serde_json::to_value(status.history[0].reason).expect("JSON"), json!("Applied"));
    assert_eq!(status.window, None, "it counts in no window");
}

#[tokio::test(flavor = "multi_thread")]
async fn change_that_needs_approval_is_held_and_reported_without_approval_crd() {
    needs_control_plane!();
    let w = World::over_all_namespaces("approval-crd", organization(), FAST).await;
    w.plane.kubectl(&["delete", "crd", "seatapprovals.seatkeeper.dev", "--wait"]).await.ok();
    w.declare("acme", json!({ "approval": { "increaseAbove": 10 } })).await;
    let missing = "the CRD seatapprovals.seatkeeper.dev is not installed";
    w.until("acme", missing, |status| {
        condition(status, "ChangePending").is_some_and(|pending| pending.message.contains(missing))
    })
    .await;
    w.until_reason("acme", "ChangePending", "ApprovalsUnreadable").await;
    let status = w.until_reason("acme", "Stalled", "ApprovalsUnreadable").await;
    assert_eq!(said(&status, "Ready"), "False/ApprovalsUnreadable");
    w.until_polled(2).await;
    assert_eq!(w.puts(), 0);
    let crd = seatkeeper_support::workspace_root().join("crds/seatapprovals.seatkeeper.dev.yaml").display().to_string();
    w.plane.kubectl(&["apply", "--server-side", "-f", &crd]).await.ok();
    let (_, id) = until_asked(&w).await;
    wait_for("the approval to be served", PATIENCE, async || give(&w, "yes", json!({ "planId": id })).await.ok()).await;
    w.until_in_sync("acme", 150).await;
}

/// A change to a good approval (null takes a field away), and what the refusal says.
const REFUSED: &str = r#"
{planId: null} | a SeatApproval has either planId (status.plan.id of the LicenseSeats) or a bound: upTo, limitUpTo
{upTo: 165} | a SeatApproval has either planId (status.plan.id of the LicenseSeats) or a bound
{planId: null, upTo: 165} | a SeatApproval without planId needs validUntil
{planId: null, limitUpTo: 165} | a SeatApproval without planId needs validUntil
{planId: null, upTo: 0, validUntil: '2026-12-31T00:00:00Z'} | spec.upTo in body should be greater than or equal to 1
{planId: null, limitUpTo: 0, validUntil: '2026-12-31T00:00:00Z'} | spec.limitUpTo in body should be greater than or equal to 1
{limitUpTo: 165} | a SeatApproval has either planId (status.plan.id of the LicenseSeats) or a bound
{planId: ''} | should be at least 1 chars long
{validUntil: tomorrow} | validUntil
{validUntil: '9999-12-31T23:59:59Z'} | spec.validUntil must be before 9999-12-30
{decision: Maybe} | "Approved", "Denied"
{decision: null} | Required value
{decision: Denied, planId: null, upTo: 165, validUntil: '2026-12-31T00:00:00Z'} | a SeatApproval that denies names the plan
{decision: Denied, applyNow: true} | spec.applyNow goes with decision Approved alone
{licenseSeatsRef: null} | Required value
{licenseSeatsRef: {name: Acme Corp}} | must be the name of a LicenseSeats object
{licenceSeatsRef: {name: acme}} | unknown field
"#;

#[tokio::test(flavor = "multi_thread")]
async fn senseless_approval_is_refused_with_fix_and_no_approval_can_be_edited() {
    needs_control_plane!();
    let w = world("approval-refused").await;
    for line in REFUSED.lines().filter(|line| !line.is_empty()) {
        let (change, expected) = line.split_once(" | ").expect("two columns");
        let mut spec = json!({ "licenseSeatsRef": { "name": "acme" }, "decision": "Approved", "planId": "1-aaaaaa" });
        merge(&mut spec, yaml(change));
        let refused = post(&w, "odd", spec).await.expect_err(line).to_string();
        assert!(refused.contains(expected), "{line}: {refused}");
    }
    give(&w, "fixed", json!({ "planId": "1-aaaaaa" })).await.expect("a good one is admitted");
    let edit = Patch::Merge(json!({ "spec": { "planId": "2-bbbbbb" } }));
    let refused = approvals(&w).patch("fixed", &PatchParams::default(), &edit).await.expect_err("an edit").to_string();
    assert!(refused.contains("the spec of a SeatApproval is immutable"), "{refused}");
}
