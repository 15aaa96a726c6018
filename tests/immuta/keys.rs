//! Keys as a set: added once, recognized, renewed, removed.

use jiff::SignedDuration;
use seatkeeper::api::KeyState;
use seatkeeper_support::needs_control_plane;
use serde_json::json;
use vendor_sim::immuta::{ExpiredSeats, LicenseKey};

use super::{Acme, acme, keys_of, tenant};
use crate::world::{FAST, World, condition, organization, said};

#[tokio::test(flavor = "multi_thread")]
async fn listed_keys_are_added_once_in_sequence_and_reported() {
    needs_control_plane!();
    let a = acme("immuta-add").await;
    let (one, two) = (a.key("one", 40).await, a.key("two", 25).await);
    a.declare(&["one", "two"], json!({ "seats": 65 })).await;
    let status = a.until_ready("True/InSync").await;
    assert_eq!((status.desired, status.seats, status.used, status.free), (Some(65), Some(65), Some(10), Some(55)));
    assert_eq!((status.limit, status.limited), (None, None));
    assert_eq!(keys_of(&status), ["Added/Active", "Added/Active"]);
    assert_eq!(said(&status, "LicenseValid"), "True/Active");
    a.until_polled(3).await;
    assert_eq!((a.tenant.posts(), a.tenant.additions_of(&one), a.tenant.additions_of(&two)), (2, 1, 1));
    a.w.until_told("LicenseKeyAdded", 2).await;
    let keys = &status.license.as_ref().unwrap().keys;
    let rows = a.tenant.live_rows();
    let shown: Vec<_> = keys.iter().map(|key| (key.id.unwrap(), key.uuid.clone().unwrap())).collect();
    assert_eq!(shown, rows.iter().map(|row| (row.id, row.uuid.clone())).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn at_rest_nothing_is_written_anywhere() {
    needs_control_plane!();
    // A control plane of its own: whatever the operator writes, anywhere, is in its audit log.
    let w = World::over_all_namespaces("immuta-rest", organization(), FAST).await;
    let a = Acme::on(w, tenant(), |_| {}).await;
    a.key("one", 40).await;
    a.declare(&["one"], json!({})).await;
    a.until_ready("True/InSync").await;
    // The event of the addition comes last.
    a.w.until_told("LicenseKeyAdded", 1).await;
    a.until_polled(1).await;
    let (mark, before) = (a.w.plane.audit_mark(), a.w.vendor_writes());
    a.until_polled(20).await;
    let wrote = a.w.wrote_since(mark);
    assert!(wrote.is_empty(), "{:?}", wrote.events());
    assert_eq!((a.w.vendor_writes(), a.tenant.posts(), a.tenant.deletes()), (before, 1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn deletion_of_the_object_removes_no_key() {
    needs_control_plane!();
    let a = acme("immuta-deleted").await;
    a.key("one", 40).await;
    a.declare(&["one"], json!({})).await;
    a.prune().await;
    a.until_ready("True/InSync").await;
    a.w.plane
        .kubectl_in(&a.w.namespace, &["delete", "licenseseats.seatkeeper.dev", "acme", "--timeout=20s"], "")
        .await
        .ok();
    // A second object of the tenant is read, so the first one is past.
    a.declare(&[], json!({ "managementPolicy": "Observe" })).await;
    a.until_ready("True/Observed").await;
    assert_eq!((a.tenant.live_rows().len(), a.tenant.deletes()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn renewal_adds_the_new_key_and_only_then_removes_the_old_one() {
    needs_control_plane!();
    let a = acme("immuta-renew").await;
    let old = a.key("old", 40).await;
    a.declare(&["old"], json!({})).await;
    a.until_ready("True/InSync").await;
    a.prune().await;
    let new = a.key("new", 40).await;
    a.list(&["new"]).await;
    let status = a
        .until("the new key alone", |status| {
            a.tenant.deletes() == 1 && keys_of(status) == ["Added/Active"] && said(status, "Ready") == "True/InSync"
        })
        .await;
    assert_eq!((a.tenant.live_rows_of(&old).len(), a.tenant.live_rows_of(&new).len()), (0, 1));
    assert_eq!((a.tenant.posts(), a.tenant.deletes()), (2, 1));
    let order: Vec<_> =
        a.tenant.ledger().iter().filter(|entry| entry.effect).map(|entry| format!("{:?}", entry.action)).collect();
    assert_eq!(order, ["Add", "Add", "Delete"]);
    assert_eq!(status.seats, Some(40));
    a.w.until_told("LicenseKeyRemoved", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_prune_a_key_that_is_no_longer_listed_stays() {
    needs_control_plane!();
    let a = acme("immuta-keep").await;
    let old = a.key("old", 40).await;
    a.declare(&["old"], json!({})).await;
    a.until_ready("True/InSync").await;
    a.list(&[]).await;
    let is = |status: &seatkeeper::api::LicenseSeatsStatus| {
        status.observed_generation == 2 && keys_of(status) == ["Added/Active"]
    };
    a.until("an unlisted key", is).await;
    a.until_polled(3).await;
    assert_eq!((a.tenant.live_rows_of(&old).len(), a.tenant.deletes()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn key_needed_by_others_is_not_removed_and_reason_is_reported() {
    needs_control_plane!();
    let a = acme("immuta-need").await;
    a.key("big", 40).await;
    a.declare(&["big"], json!({})).await;
    a.until_ready("True/InSync").await;
    a.key("small", 5).await;
    a.prune().await;
    a.list(&["small"]).await;
    let status = a.until_ready("False/PruneBlocked").await;
    assert_eq!(said(&status, "ChangePending"), "True/PruneBlocked");
    assert_eq!(said(&status, "Stalled"), "True/PruneBlocked");
    a.until_polled(3).await;
    assert_eq!(a.tenant.deletes(), 0);
    // Users leave: then it may go.
    a.tenant.remove_users(6);
    a.until_ready("True/InSync").await;
    assert_eq!(a.tenant.deletes(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn uncounted_expired_key_is_pruned_though_every_other_seat_is_needed() {
    needs_control_plane!();
    let a = Acme::with("immuta-spent", tenant(), |switches| {
        (switches.expired_key_accepted, switches.expired_seats) = (true, ExpiredSeats::Gone);
    })
    .await;
    let old = a.issued("old", LicenseKey::seats(40).expired()).await;
    let new = a.issued("new", LicenseKey::seats(40).soft_seats(5)).await;
    a.declare(&["old", "new"], json!({ "seats": 40 })).await;
    a.until("both", |status| keys_of(status) == ["Added/Expired", "Added/Active"]).await;
    a.prune().await;
    a.list(&["new"]).await;
    let alone = |status: &seatkeeper::api::LicenseSeatsStatus| {
        keys_of(status) == ["Added/Active"] && said(status, "Ready") == "True/InSync"
    };
    let status = a.until("the new key alone", alone).await;
    assert_eq!((status.seats, a.tenant.deletes()), (Some(45), 1));
    assert_eq!((a.tenant.live_rows_of(&old).len(), a.tenant.live_rows_of(&new).len()), (0, 1));
    let removed = status.history.first().expect("a change");
    assert_eq!((removed.base().seats, removed.target().seats), (45, 45), "it gave nothing");
    a.proves(&["expiredKeyAccepted", "expiredSeats"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn key_with_feature_no_other_key_has_is_not_removed_and_feature_is_named() {
    needs_control_plane!();
    let a = acme("immuta-feature").await;
    let old = a.issued("old", LicenseKey::seats(0).feature("FPE")).await;
    a.issued("new", LicenseKey::seats(40)).await;
    a.declare(&["old", "new"], json!({})).await;
    let status = a.until_ready("True/InSync").await;
    assert_eq!(status.license.unwrap().keys[0].features, ["FPE"]);
    a.prune().await;
    a.list(&["new"]).await;
    let status = a.until_ready("False/PruneBlocked").await;
    let message = &condition(&status, "Ready").unwrap().message;
    assert!(message.contains("the feature FPE is in no other valid key"), "{message}");
    a.until_polled(3).await;
    assert_eq!((a.tenant.live_rows_of(&old).len(), a.tenant.deletes()), (1, 0));
    a.issued("both", LicenseKey::seats(1).feature("FPE").feature("QUANTUM_MASKING")).await;
    a.list(&["new", "both"]).await;
    a.until_ready("True/InSync").await;
    assert_eq!((a.tenant.live_rows_of(&old).len(), a.tenant.deletes()), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_others_are_shown_and_never_touched() {
    needs_control_plane!();
    let a = acme("immuta-foreign").await;
    let theirs = a.tenant.issue(LicenseKey::seats(15));
    a.tenant.add_by_hand(&theirs).expect("added by hand");
    a.key("one", 40).await;
    a.declare(&["one"], json!({ "vendor": { "immuta": { "prune": true } } })).await;
    let status = a.until_ready("True/InSync").await;
    assert_eq!(keys_of(&status), ["Added/Active", "Foreign/Active"]);
    assert_eq!(status.seats, Some(55));
    a.until_polled(3).await;
    assert_eq!((a.tenant.deletes(), a.tenant.live_rows_of(&theirs).len()), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn row_removed_by_hand_is_reported_and_added_again() {
    needs_control_plane!();
    let a = acme("immuta-drift").await;
    let key = a.key("one", 40).await;
    a.declare(&["one"], json!({})).await;
    let status = a.until_ready("True/InSync").await;
    let id = status.license.unwrap().keys[0].id.unwrap();
    a.tenant.delete_by_hand(id).expect("deleted by hand");
    a.w.until_reason("acme", "Drifted", "ExternalChange").await;
    let status = a.until_ready("True/InSync").await;
    assert_eq!(keys_of(&status), ["Added/Active"]);
    assert_eq!((a.tenant.live_rows_of(&key).len(), a.tenant.posts()), (1, 2));
    a.w.until_told("LicenseKeyAdded", 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn observed_and_suspended_tenants_are_read_and_not_written() {
    needs_control_plane!();
    let a = acme("immuta-still").await;
    let key = a.key("one", 40).await;
    a.declare(&["one"], json!({ "managementPolicy": "Observe" })).await;
    a.until("an observation", |status| status.license.is_some()).await;
    a.w.edit("acme", json!({ "managementPolicy": "Manage", "suspend": true })).await;
    let status = a.until("a plan", |status| status.plan.is_some()).await;
    assert_eq!(said(&status, "ChangePending"), "True/Suspended");
    let pending = &condition(&status, "ChangePending").unwrap().message;
    assert!(pending.contains("add license key one/licenseKey not made: spec.suspend is true"), "{pending}");
    a.until_polled(2).await;
    assert_eq!(a.tenant.posts(), 0);
    a.w.edit("acme", json!({ "suspend": false })).await;
    a.until_ready("True/InSync").await;
    assert_eq!(a.tenant.additions_of(&key), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn rotated_secret_is_a_new_key_and_a_withdrawn_one_takes_nothing_away() {
    needs_control_plane!();
    let a = acme("immuta-rotate").await;
    let old = a.key("one", 40).await;
    a.declare(&["one"], json!({})).await;
    a.until_ready("True/InSync").await;
    a.prune().await;
    a.w.secrets().delete("one", &Default::default()).await.expect("withdraw the Secret");
    let status = a.until_ready("False/SecretNotFound").await;
    assert!(condition(&status, "Ready").unwrap().message.contains("create it with type seatkeeper.dev/license-key"));
    assert_eq!(keys_of(&status), ["Added/Active"]);
    assert_eq!((a.tenant.live_rows_of(&old).len(), a.tenant.deletes()), (1, 0));
    let new = a.key("one", 50).await;
    a.until("the new key alone", |status| keys_of(status) == ["Added/Active"] && status.seats == Some(50)).await;
    assert_eq!((a.tenant.live_rows_of(&old).len(), a.tenant.live_rows_of(&new).len()), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_license_key_secret_is_awaited_two_minutes_then_needs_person() {
    needs_control_plane!();
    let a = acme("immuta-awaited").await;
    // No poll comes meanwhile: the end of the wait is a moment that the operator knows.
    a.declare(&["one"], json!({ "interval": "1h" })).await;
    let status = a.until_ready("False/SecretNotFound").await;
    assert_eq!((said(&status, "Reconciling"), said(&status, "Stalled")), ("True/Progressing".into(), String::new()));
    a.w.date_back("acme", "Ready", SignedDuration::from_secs(115)).await;
    let status = a.until("a person is needed", |status| said(status, "Stalled") == "True/SecretNotFound").await;
    assert_eq!(said(&status, "Reconciling"), "");
    let key = a.key("one", 40).await;
    let status = a.until_ready("True/InSync").await;
    assert_eq!((said(&status, "Stalled"), a.tenant.additions_of(&key)), (String::new(), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn several_keys_may_lie_in_one_secret() {
    needs_control_plane!();
    let a = acme("immuta-one-secret").await;
    let (one, two) = (a.tenant.issue(LicenseKey::seats(10)), a.tenant.issue(LicenseKey::seats(20)));
    a.w.license_keys("both", json!({ "first": one, "second": two })).await;
    let entry = |key: &str| json!({ "secretKeyRef": { "name": "both", "key": key } });
    let keys = json!([entry("first"), entry("second")]);
    a.declare(&[], json!({ "vendor": { "immuta": { "licenseKeys": keys } } })).await;
    let status = a.until("30 seats", |status| status.seats == Some(30) && said(status, "Ready") == "True/InSync").await;
    let states: Vec<_> = status.license.unwrap().keys.iter().map(|key| key.state).collect();
    assert_eq!(states, [KeyState::Active, KeyState::Active]);
}
