//! What people and tenants get wrong.

use seatkeeper_support::needs_control_plane;
use serde_json::json;
use vendor_sim::immuta::{LicenseKey, Tenant};
use vendor_sim::{Fault, FaultKind};

use super::{acme, entries, keys_of};
use crate::canary::raise_the_voice_of;
use crate::secrets::everything_told;
use crate::stored_objects::{store, stored};
use crate::world::{condition, said};

#[tokio::test(flavor = "multi_thread")]
async fn admission_refuses_contradictory_spec_with_remedy() {
    needs_control_plane!();
    let a = acme("immuta-admission").await;
    let immuta = |more: serde_json::Value| json!({ "vendor": { "immuta": more } });
    for (spec, words) in [
        (immuta(json!({ "licenseKeys": entries(&["one", "one"]) })), "names the same key of the same Secret twice"),
        (immuta(json!({ "licenseKeys": [], "prune": true })), "would remove every key"),
        (json!({ "limit": { "mode": "Pinned" } }), "Immuta does not: remove limit"),
        (json!({ "guardrails": { "maxSeats": 50 } }), "remove maxSeats"),
        (immuta(json!({ "credentialsSecretRef": { "name": "../admin" } })), "must be the name of a Secret"),
        (
            immuta(json!({ "licenseKeys": [{ "secretKeyRef": { "name": "one", "key": "a b" } }] })),
            "must be a key of a Secret",
        ),
        (
            immuta(json!({ "licenseKeys": [{ "secretKeyRef": { "name": "one", "key": "server" } }] })),
            "must not be server",
        ),
        (
            immuta(json!({ "licenseKeys": [{ "secretKeyRef": { "name": "one", "key": "ca.crt" } }] })),
            "must not be server or ca.crt",
        ),
        (immuta(json!({ "licenseKeys": entries(&vec!["one"; 21]) })), "20"),
    ] {
        let refused = a.try_declare(&["one"], spec.clone()).await.expect_err("refused").to_string();
        assert!(refused.contains(words), "{spec}: {refused}");
    }
    a.declare(&["one"], json!({})).await;
    let both = json!({ "vendor": { "bitwarden": { "credentialsSecretRef": { "name": "key" } } } });
    assert!(a.w.try_edit("acme", both).await.expect_err("refused").to_string().contains("exactly one vendor"));
    let other = json!({ "vendor": { "immuta": null, "bitwarden": { "credentialsSecretRef": { "name": "key" } } } });
    assert!(a.w.try_edit("acme", other).await.expect_err("refused").to_string().contains("cannot change to another"));
}

#[tokio::test(flavor = "multi_thread")]
async fn object_that_names_server_as_license_key_is_reported_and_sends_nothing() {
    needs_control_plane!();
    let a = acme("immuta-place").await;
    a.key("one", 40).await;
    a.declare(&["one"], json!({ "suspend": true })).await;
    a.w.until_reason("acme", "ChangePending", "Suspended").await;
    // As an apiserver stored it that did not know the rule yet.
    let mut object = stored(&a.w, "acme").await;
    object["spec"]["vendor"]["immuta"]["licenseKeys"][0]["secretKeyRef"]["key"] = json!("server");
    object["metadata"]["generation"] = json!(2);
    store(&a.w, "acme", &object).await;
    let status = a.until_ready("False/SpecInvalid").await;
    let message = &condition(&status, "Ready").unwrap().message;
    assert!(message.contains("spec.vendor.immuta.licenseKeys[0].secretKeyRef.key must not be server"), "{message}");
    // What has nothing to do with it can still be edited.
    a.w.edit("acme", json!({ "suspend": false })).await;
    a.until("the edit", |status| status.observed_generation == 3 && said(status, "Ready") == "False/SpecInvalid").await;
    assert_eq!(a.tenant.posts(), 0);
    a.list(&["one"]).await;
    a.until_ready("True/InSync").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn key_refused_by_tenant_is_sent_twice_then_not_until_its_secret_changes() {
    needs_control_plane!();
    let a = acme("immuta-refused").await;
    a.tenant.add_tenant(Tenant::new("acme").users(10).api_key("again"));
    a.w.secret("admin", a.admin("again")).await;
    let elsewhere = a.tenant.issue(LicenseKey::seats(40).tenant("somebody else"));
    let expired = a.tenant.issue(LicenseKey::seats(40).expired());
    for (i, text) in ["no such key at all", &elsewhere, &expired].into_iter().enumerate() {
        a.put("one", text).await;
        if i == 0 {
            a.declare(&["one"], json!({})).await;
        }
        let sent = a.tenant.posts();
        a.until(format!("refusal {i}"), |status| {
            said(status, "Ready") == "False/LicenseKeyRejected" && a.tenant.posts() == 2 * (i + 1)
        })
        .await;
        a.until_polled(3).await;
        assert!(a.tenant.posts() == 2 * (i + 1), "{sent}");
    }
    let status = a.w.status("acme").await;
    assert!(condition(&status, "Ready").unwrap().message.contains("license key one/licenseKey"));
    assert_eq!(keys_of(&status), ["/Rejected"]);
    a.w.until_told("LicenseKeyRejected", 1).await;
    a.key("one", 40).await;
    a.until_ready("True/InSync").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_key_does_not_delay_the_others() {
    needs_control_plane!();
    let a = acme("immuta-others").await;
    a.put("bad", "no such key").await;
    let good = a.key("good", 40).await;
    a.declare(&["bad", "good", "missing"], json!({})).await;
    let status =
        a.until("the good key", |status| keys_of(status) == ["/Rejected", "Added/Active", "/Unreadable"]).await;
    assert_eq!(a.tenant.live_rows_of(&good).len(), 1);
    assert_eq!(said(&status, "Ready"), "False/LicenseKeyRejected");
    assert!(condition(&status, "Ready").unwrap().message.contains("Secret missing is not in namespace"));
}

#[tokio::test(flavor = "multi_thread")]
async fn key_in_two_secrets_is_added_once_and_reported() {
    needs_control_plane!();
    let a = acme("immuta-twins").await;
    let key = a.key("one", 40).await;
    a.put("copy", &key).await;
    a.declare(&["one", "copy"], json!({})).await;
    let status = a.until_ready("False/SpecInvalid").await;
    assert!(condition(&status, "Ready").unwrap().message.contains("copy/licenseKey is the same"));
    assert_eq!((a.tenant.posts(), a.tenant.live_rows_of(&key).len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_objects_for_one_tenant_the_younger_one_does_nothing() {
    needs_control_plane!();
    let a = acme("immuta-two").await;
    let (one, two) = (a.key("one", 40).await, a.key("two", 25).await);
    a.declare(&["one"], json!({})).await;
    a.until_ready("True/InSync").await;
    // The apiserver counts age in whole seconds.
    let made = a.w.seats().get("acme").await.unwrap().metadata.creation_timestamp.unwrap().0;
    let older = async || (jiff::Timestamp::now().as_second() > made.as_second()).then_some(());
    seatkeeper_support::wait_for("the next second", crate::world::PATIENCE, older).await;
    let immuta = json!({ "credentialsSecretRef": { "name": "admin" }, "licenseKeys": entries(&["two"]) });
    a.w.declare("younger", json!({ "vendor": { "bitwarden": null, "immuta": immuta }, "limit": null, "seats": null }))
        .await;
    a.w.until_reason("younger", "Ready", "Conflict").await;
    a.until_polled(3).await;
    assert_eq!((a.tenant.additions_of(&one), a.tenant.additions_of(&two)), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn secret_of_another_type_lends_no_key() {
    needs_control_plane!();
    let a = acme("immuta-type").await;
    let key = a.tenant.issue(LicenseKey::seats(40));
    a.w.secret_of_type("one", "Opaque", json!({ "licenseKey": key })).await;
    a.declare(&["one"], json!({})).await;
    let status = a.until_ready("False/SecretNotPermitted").await;
    assert!(condition(&status, "Ready").unwrap().message.contains("has type Opaque"));
    assert_eq!(a.tenant.posts(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_or_garbled_license_key_is_named_in_status_and_sent_once_mended() {
    needs_control_plane!();
    let a = acme("immuta-garbled").await;
    let key = a.tenant.issue(LicenseKey::seats(40));
    a.w.license_keys("one", json!({})).await;
    a.declare(&["one"], json!({})).await;
    let status = a.until_ready("False/KeyMissing").await;
    let message = &condition(&status, "Ready").unwrap().message;
    assert!(message.contains("licenseKey of Secret one is missing"), "{message}");
    assert_eq!(
        (keys_of(&status), said(&status, "CredentialsValid")),
        (vec!["/Unreadable".into()], "True/Authenticated".into())
    );
    a.put("one", &format!("{key}\u{7}more")).await;
    let status = a.until_ready("False/KeyInvalid").await;
    let message = &condition(&status, "Ready").unwrap().message;
    assert!(message.contains("licenseKey contains control characters"), "{message}");
    assert_eq!((said(&status, "Stalled"), a.tenant.posts()), ("True/KeyInvalid".to_owned(), 0));
    a.put("one", &key).await;
    a.until_ready("True/InSync").await;
    assert_eq!((a.tenant.additions_of(&key), a.tenant.live_rows_of(&key).len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_word_of_a_key_or_a_token_is_seen_anywhere() {
    needs_control_plane!();
    let mut a = acme("immuta-canary").await;
    raise_the_voice_of(&mut a.w, "text").await;
    a.tenant.switch(|switches| {
        (switches.errors_echo_key, switches.raw_key) = (true, false);
    });
    let canary = "CANARY-4cd1-LICENSE";
    let terms = LicenseKey::seats(40).text(format!("{canary}-good")).tokens("CANARY-renewal", "CANARY-classify");
    a.issued("good", terms).await;
    a.put("bad", &format!("{canary}-bad")).await;
    let api_key = a.tenant.add_api_key(&[vendor_sim::immuta::Permission::ApplicationAdmin]);
    a.w.secret("admin", a.admin(&api_key)).await;
    a.declare(&["good", "bad"], json!({ "vendor": { "immuta": { "prune": true } } })).await;
    a.until("one good and one bad key", |status| keys_of(status) == ["Added/Active", "/Rejected"]).await;
    // A removal answers with the key as well.
    a.key("better", 50).await;
    a.list(&["better"]).await;
    a.until_ready("True/InSync").await;
    assert_eq!(a.tenant.deletes(), 1);
    a.w.until_told("LicenseKeyRemoved", 1).await;
    let told = everything_told(&a.w).await;
    assert!(told.contains(" TRACE "), "the log is not as loud as it should be");
    for secret in ["CANARY", &api_key] {
        let found = told.find(secret).map(|at| &told[at.saturating_sub(200)..at]);
        assert!(found.is_none(), "told after: {found:?}");
    }
    assert_eq!(a.tenant.secrets_in_urls(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_foreign_row_is_named_and_rest_of_tenant_is_read_and_gets_its_key() {
    needs_control_plane!();
    let a = acme("immuta-odd-row").await;
    let foreign = a.tenant.issue(LicenseKey::seats(25));
    a.tenant.add_by_hand(&foreign).expect("added by hand");
    a.key("one", 40).await;
    a.declare(&["one"], json!({})).await;
    a.until_ready("True/InSync").await;
    let rows = a.tenant.live_rows_of(&foreign);
    let (id, uuid) = (rows[0].id, rows[0].uuid.clone());
    let rows: Vec<_> = a
        .tenant
        .live_rows()
        .iter()
        .map(|row| {
            let expires = if row.id == id { json!("soon") } else { json!(null) };
            json!({ "id": row.id, "uuid": row.uuid, "seats": row.seats, "expires": expires })
        })
        .collect();
    let text = serde_json::to_string(&rows).unwrap();
    a.tenant.inject(Fault::on_license_list(FaultKind::Body { text }).for_ever());
    let named = format!("row {id} ({uuid}) with an unreadable value of expires");
    let status =
        a.until("the row", |status| condition(status, "Ready").is_some_and(|c| c.message.contains(&named))).await;
    assert_eq!((said(&status, "Ready").as_str(), status.seats), ("True/InSync", Some(65)));
    assert_eq!(said(&status, "CredentialsValid"), "True/Authenticated");
}
