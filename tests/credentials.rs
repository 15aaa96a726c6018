//! Credentials that look right and are not: what the vendor or its server says no to, and keys that change.

use seatkeeper_support::needs_control_plane;
use serde_json::json;
use vendor_sim::{Options, Simulator};

use crate::secrets::{patient, right, until_rechecked, with_secret};
use crate::world::{World, condition, organization, said, world};

#[tokio::test(flavor = "multi_thread")]
async fn certificate_of_another_ca_is_never_given_the_key() {
    needs_control_plane!();
    let w = World::with("ca", organization(), &patient()).await;
    let other = Simulator::start(Options::hurried()).await.expect("simulator");
    let mut secret = right(&w, "key", &w.key);
    secret["stringData"]["ca.crt"] = json!(other.ca_pem());
    w.apply_secret("key", &secret).await;
    w.declare("acme", json!({})).await;
    let status = w.until_reason("acme", "CredentialsValid", "VendorUnreachable").await;
    let message = &condition(&status, "CredentialsValid").unwrap().message;
    assert!(message.contains("not signed by a CA the operator trusts"), "{message}");
    assert!(message.contains("put the CA's certificate into the Secret's ca.crt"), "{message}");
    assert_eq!(status.summary.as_deref(), Some("certificate not trusted"));
    assert_eq!(w.bitwarden().requests().len(), 0);
    // No ca.crt at all means the public CAs, which do not vouch for this server either.
    let data = secret["stringData"].as_object_mut().unwrap();
    data.remove("ca.crt");
    w.apply_secret("key", &secret).await;
    until_rechecked(&w, "key", 2).await;
    assert_eq!(w.bitwarden().requests().len(), 0);
    // Two CAs in one file are both trusted: so a CA is changed without a gap.
    secret["stringData"]["ca.crt"] = json!(format!("{}{}", other.ca_pem(), w.vendor.ca_pem()));
    w.apply_secret("key", &secret).await;
    w.until_in_sync("acme", 150).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn key_of_another_region_is_refused_with_the_region_as_a_cause() {
    needs_control_plane!();
    let w = World::with("region", organization(), &patient()).await;
    let elsewhere = Simulator::start(Options::hurried()).await.expect("simulator");
    let key = elsewhere.bitwarden().add_organization(organization());
    w.secret("key", w.credentials(&key)).await;
    w.declare("acme", json!({})).await;
    let status = w.until_reason("acme", "CredentialsValid", "Rejected").await;
    let message = &condition(&status, "CredentialsValid").unwrap().message;
    assert!(message.contains("belongs to another region or server"), "{message}");
    assert_eq!(elsewhere.bitwarden().requests().len(), 0);
    assert_eq!(w.puts(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn region_beside_a_server_is_refused_before_anything_is_sent() {
    needs_control_plane!();
    let w = world("both").await;
    w.declare("acme", json!({ "vendor": { "bitwarden": { "region": "EU" } } })).await;
    let status = w.until_reason("acme", "Ready", "CredentialsInvalid").await;
    let message = &condition(&status, "Ready").unwrap().message;
    assert!(message.contains("spec.vendor.bitwarden.region"), "{message}");
    assert!(message.contains("remove one of the two"), "{message}");
    assert_eq!(w.bitwarden().requests().len(), 0);
    w.edit("acme", json!({ "vendor": { "bitwarden": { "region": null } } })).await;
    w.until_in_sync("acme", 150).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn disabled_organization_is_reported_and_resumed_once_enabled() {
    needs_control_plane!();
    let w = world("disabled").await;
    w.bitwarden().set_enabled(&w.key.id, false);
    w.declare("acme", json!({})).await;
    let status = w.until_reason("acme", "CredentialsValid", "Rejected").await;
    assert!(condition(&status, "Ready").unwrap().message.contains("organization is disabled"));
    assert_eq!(said(&status, "Stalled"), "True/Rejected");
    w.bitwarden().set_enabled(&w.key.id, true);
    w.until_in_sync("acme", 150).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn organization_deleted_under_live_token_is_reported_once_new_token_fails() {
    needs_control_plane!();
    let w = world("deleted").await;
    w.declare("acme", json!({})).await;
    w.until_in_sync("acme", 150).await;
    w.bitwarden().delete_organization(&w.key.id);
    w.bitwarden().forget_keys();
    let status = w.until_reason("acme", "CredentialsValid", "Rejected").await;
    let message = &condition(&status, "Ready").unwrap().message;
    assert!(message.contains("the organization is disabled or deleted"), "{message}");
    assert!(w.bitwarden().token_requests() <= 12, "{}", w.bitwarden().token_requests());
}

#[tokio::test(flavor = "multi_thread")]
async fn key_rotated_at_the_vendor_is_noticed_and_healed_by_its_secret() {
    needs_control_plane!();
    let w = World::with("rotated", organization(), &patient()).await;
    w.declare("acme", json!({})).await;
    w.until_in_sync("acme", 150).await;
    let new = w.bitwarden().rotate_key(&w.key.id);
    // Until then the old key brings another token.
    w.bitwarden().forget_keys();
    w.bitwarden().expire_tokens();
    let status = w.until_reason("acme", "CredentialsValid", "Rejected").await;
    assert!(condition(&status, "Ready").unwrap().message.contains("key was rotated"));
    // What was read last is still there to look at.
    assert_eq!((status.seats, status.used), (Some(150), Some(80)));
    w.secret("key", w.credentials(&new)).await;
    w.until_in_sync("acme", 150).await;
    assert_eq!(w.puts(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_with_the_same_key_share_one_token() {
    needs_control_plane!();
    let w = world("token").await;
    let observe = json!({ "seats": null, "limit": null, "managementPolicy": "Observe" });
    w.secret("copy", w.credentials(&w.key)).await;
    for name in ["one", "two", "three"] {
        w.declare(name, observe.clone()).await;
    }
    let mut other = observe;
    other["vendor"] = with_secret("copy")["vendor"].clone();
    w.declare("four", other).await;
    for name in ["one", "two", "three", "four"] {
        w.until_reason(name, "Ready", "Observed").await;
    }
    w.until_polled(4).await;
    assert_eq!(w.bitwarden().token_requests(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn server_without_api_is_reported_and_healed_by_its_secret() {
    needs_control_plane!();
    let w = World::with("path", organization(), &patient()).await;
    let mut secret = right(&w, "key", &w.key);
    secret["stringData"]["server"] = json!(format!("{}/vault", w.vendor.url()));
    w.apply_secret("key", &secret).await;
    w.declare("acme", json!({})).await;
    let status = w.until_reason("acme", "CredentialsValid", "VendorUnreachable").await;
    assert_eq!(said(&status, "Ready"), "Unknown/ObservationStale");
    let message = &condition(&status, "Ready").unwrap().message;
    assert!(message.contains("has no such API (404): check the server named in the Secret"), "{message}");
    w.apply_secret("key", &right(&w, "key", &w.key)).await;
    w.until_in_sync("acme", 150).await;
    assert_eq!(w.puts(), 1);
}
