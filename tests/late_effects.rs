//! The vendor may still write the row of an account because of the last change. The next change of the account waits for that,
//! whoever asks for it: the same object, the same object created again, or another pool.

use kube::api::Patch;
use seatkeeper::api::LicenseSeatsStatus;
use seatkeeper_support::needs_control_plane;
use serde_json::json;

use crate::stored_objects::{store, stored};
use crate::tenants::{Tenant, fast_but};
use crate::world::{World, condition, organization, said};

/// The next change says that it waits, and nothing is sent for it.
async fn waits(t: &Tenant<'_>, name: &str) {
    let held = t.world.until_reason(name, "ChangePending", "Settling").await;
    let message = &condition(&held, "ChangePending").expect("ChangePending").message;
    assert!(message.contains("late effects of"), "{name}: {message}");
    t.until_polled(3).await;
    assert_eq!(t.puts(), 1, "{name}");
}

#[tokio::test(flavor = "multi_thread")]
async fn next_change_of_account_waits_for_late_effects_of_last() {
    needs_control_plane!();
    let w = World::with("late-effects", organization(), &fast_but(&["--settle-answered=1h"])).await;
    let made = async |sentence: &str| {
        let t = w.tenant(sentence, organization().secrets_manager(20, 50)).await;
        t.declare(json!({})).await;
        t.until_in_sync(150).await;
        t
    };
    let edited = async {
        let t = made("edited").await;
        w.edit(&t.name, json!({ "seats": 160 })).await;
        waits(&t, &t.name).await;
        assert_eq!(said(&t.status().await, "Ready"), "False/Progressing");
    };
    let recreated = async {
        // Deleted and created again, as `kubectl replace --force` does, with another wish.
        let t = made("recreated").await;
        w.seats().delete(&t.name, &Default::default()).await.expect("delete");
        t.declare(json!({ "seats": 160 })).await;
        waits(&t, &t.name).await;
    };
    let wiped = async {
        let t = made("wiped").await;
        t.patch_status(&json!({ "history": null })).await.expect("a wiped history");
        w.edit(&t.name, json!({ "seats": 160 })).await;
        waits(&t, &t.name).await;
    };
    let beside = async {
        let t = made("beside").await;
        let name = format!("{}-machines", t.name);
        w.secret(&name, w.credentials(&t.key)).await;
        let vendor = json!({ "bitwarden": { "product": "MachineAccounts", "credentialsSecretRef": { "name": name } } });
        w.declare(&name, json!({ "vendor": vendor, "seats": 60, "limit": null })).await;
        waits(&t, &name).await;
    };
    tokio::join!(edited, recreated, wiped, beside);
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_change_holds_account_after_restart_without_object() {
    needs_control_plane!();
    let flags = fast_but(&["--settle-answered=1h", "--settle-unanswered=2h"]);
    let mut w = World::with("late-on-record", organization(), &flags).await;
    let made = async |w: &World, sentence: &str| {
        let t = w.tenant(sentence, organization().secrets_manager(20, 50)).await;
        t.declare(json!({})).await;
        t.until_in_sync(150).await;
        (t.name.clone(), t.key.clone())
    };
    // It has changed another account since.
    let moved = made(&w, "moved").await;
    let elsewhere = w.bitwarden().add_organization(organization());
    w.secret(&moved.0, w.credentials(&elsewhere)).await;
    w.edit(&moved.0, json!({ "seats": 160 })).await;
    w.until_in_sync(&moved.0, 160).await;
    // It is on its way out, and a finalizer holds it back.
    let leaving = made(&w, "leaving").await;
    let held = Patch::Merge(json!({ "metadata": { "finalizers": ["example.com/backup"] } }));
    w.seats().patch(&leaving.0, &Default::default(), &held).await.expect("a finalizer");
    w.seats().delete(&leaving.0, &Default::default()).await.expect("delete");
    // Another version has written its status.
    let foreign = made(&w, "foreign").await;
    let mut object = stored(&w, &foreign.0).await;
    object["status"]["seats"] = json!("many");
    store(&w, &foreign.0, &object).await;

    w.crash_and_restart(&flags).await;
    for (name, key) in [moved, leaving, foreign] {
        let t = Tenant { world: &w, name, key };
        let name = format!("{}-machines", t.name);
        w.secret(&name, w.credentials(&t.key)).await;
        let vendor = json!({ "bitwarden": { "product": "MachineAccounts", "credentialsSecretRef": { "name": name } } });
        w.declare(&name, json!({ "vendor": vendor, "seats": 60, "limit": null })).await;
        waits(&t, &name).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn next_change_is_made_once_late_effects_have_ended() {
    needs_control_plane!();
    let mut w = World::with("late-over", organization(), &fast_but(&["--settle-answered=4s"])).await;
    let (name, key) = {
        let t = w.tenant("edited", organization()).await;
        t.declare(json!({})).await;
        t.until_in_sync(150).await;
        w.edit(&t.name, json!({ "seats": 160 })).await;
        t.until_in_sync(160).await;
        (t.name.clone(), t.key.clone())
    };
    // A process that has just begun waits anew.
    w.crash_and_restart(&fast_but(&["--settle-answered=4s"])).await;
    let t = Tenant { world: &w, name, key };
    w.edit(&t.name, json!({ "seats": 170 })).await;
    let settles = |status: &LicenseSeatsStatus| said(status, "ChangePending") == "True/Settling";
    t.until("a wait for the last change", settles).await;
    t.until_in_sync(170).await;
    assert_eq!((t.puts(), t.organization().billed.seats), (3, Some(170)));
}
