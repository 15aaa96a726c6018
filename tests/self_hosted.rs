//! Self-hosted servers: seats come from the license file, so they are only shown, and what to do instead is said.

use jiff::{SignedDuration, Timestamp};
use seatkeeper::api::LicenseSeatsStatus;
use seatkeeper_support::{needs_control_plane, wait_for};
use serde_json::json;
use vendor_sim::{Fault, FaultKind, License, Organization, RequestRecord, Role};

use crate::bad_answers::answer;
use crate::world::{PATIENCE, World, condition, organization, said, world};

fn licensed(days: i64) -> Organization {
    let expires = Timestamp::now() + SignedDuration::from_hours(24 * days);
    let expires_without_grace_period = expires - SignedDuration::from_hours(24 * 60);
    organization().limit(None).license(License { expires, expires_without_grace_period })
}

async fn self_hosted(name: &str) -> World {
    let w = world(name).await;
    w.bitwarden().switch(|switches| switches.self_hosted = true);
    w
}

#[tokio::test(flavor = "multi_thread")]
async fn organization_key_counts_members_and_names_license_as_source() {
    needs_control_plane!();
    let w = self_hosted("self-org").await;
    let t = w.tenant("org", licensed(365)).await;
    t.declare(json!({})).await;
    let status = w.until_reason("org", "Ready", "UnsupportedByVendor").await;
    let message = &condition(&status, "Ready").expect("Ready").message;
    assert!(message.contains("license file") && message.contains("cloud organization"), "{message}");
    assert_eq!((status.seats, status.used, status.used_is_lower_bound), (None, Some(80), Some(true)));
    assert_eq!(said(&status, "CredentialsValid"), "True/Authenticated");
    assert_eq!(t.puts(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn owner_key_sees_seats_and_license_end_and_changes_neither() {
    needs_control_plane!();
    let w = self_hosted("self-owner").await;
    for both in [true, false] {
        let t = w.tenant(if both { "both" } else { "alone" }, licensed(20)).await;
        t.person(Role::Owner).await;
        let spec = |more| if both { t.both(more) } else { t.alone(more) };
        w.declare(&t.name, spec(json!({ "seats": 100, "limit": null }))).await;
        let status = w.until_in_sync(&t.name, 100).await;
        assert_eq!((status.used, status.limited), (Some(80), Some(false)), "{}", t.name);
        assert_eq!(said(&status, "LicenseValid"), "True/ExpiringSoon", "{}", t.name);
        w.edit(&t.name, json!({ "seats": 150 })).await;
        let status = w.until_reason(&t.name, "Ready", "UnsupportedByVendor").await;
        let message = &condition(&status, "Ready").expect("Ready").message;
        assert!(message.contains("update the license"), "{message}");
        assert_eq!(w.bitwarden().writes(&t.key.id), 0, "{}", t.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn server_has_one_address_or_two() {
    needs_control_plane!();
    let w = self_hosted("self-urls").await;
    let t = w.tenant("two", licensed(365)).await;
    let person = t.person(Role::Owner).await;
    let mut data = w.personal(&person);
    data.as_object_mut().expect("an object").remove("server");
    data["apiUrl"] = json!(w.vendor.api_url());
    data["identityUrl"] = json!(w.vendor.identity_url());
    w.secret("owner-two", data).await;
    w.declare("two", t.alone(json!({ "seats": 100, "limit": null }))).await;
    w.until_in_sync("two", 100).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn observed_pool_without_a_number_of_seats_is_ready_and_shows_its_use() {
    needs_control_plane!();
    let hosted = self_hosted("self-observed").await;
    let cloud = world("uncounted-observed").await;
    let uncounted = organization().seats(None).limit(None);
    for (w, organization, (kind, shortage)) in [
        (&hosted, licensed(365), ("SeatShortage", "Unknown/SeatsNotReported")),
        (&cloud, uncounted, ("SeatShortage", "False/SeatsNotReported")),
    ] {
        let t = w.tenant("watched", organization).await;
        t.declare(json!({ "managementPolicy": "Observe", "seats": null, "limit": null })).await;
        let status = t.until_said("Ready", "True/Observed").await;
        assert_eq!((status.seats, status.used), (None, Some(80)), "{}", w.namespace);
        assert_eq!(status.summary.as_deref(), Some("observed"), "{}", w.namespace);
        assert_eq!(said(&status, kind), shortage);
        assert!(condition(&status, kind).expect("told").message.contains("in use; "));
        assert!(condition(&status, "Stalled").is_none(), "{}", w.namespace);
    }
}

/// As Vaultwarden answers for a path that it lacks (docs/vendors/bitwarden.md, "Vaultwarden").
const OF_VAULTWARDEN: &str = r#"{"error":{"code":404,"reason":"Not Found"}}"#;

/// A server that takes keys and has no such path, as Vaultwarden has none of the organization API's subscription or of billing.
fn lacks(w: &World, path: &str, body: &str) -> u64 {
    w.bitwarden().inject(Fault::always(answer(404, body)).path(path))
}

/// Waits until the object is given up as one that needs a person; what `Ready` says.
async fn given_up(w: &World, name: &str) -> String {
    let status = w.until(name, "Stalled", |status| condition(status, "Stalled").is_some()).await;
    assert_eq!(said(&status, "Ready"), "False/UnsupportedByVendor", "{name}");
    assert_eq!(said(&status, "CredentialsValid"), "True/Authenticated", "{name}: the key is accepted");
    assert!(condition(&status, "Reconciling").is_none(), "{name}");
    condition(&status, "Ready").expect("Ready").message.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn server_without_billing_names_missing_path_and_blames_no_owner() {
    needs_control_plane!();
    let w = self_hosted("self-no-billing").await;
    let own = r#"{"message":"Resource not found."}"#;
    for (name, body) in [("vaultwarden", OF_VAULTWARDEN), ("page", "<html>MARKER</html>"), ("own-words", own)] {
        let t = w.tenant(name, organization()).await;
        t.person(Role::Owner).await;
        let fault = lacks(&w, "/billing/", body);
        let named = json!({ "vendor": { "bitwarden": { "organizationId": t.key.id } } });
        w.declare(name, t.alone(named)).await;
        let message = given_up(&w, name).await;
        let (host, path) = (w.vendor.host(), "organizations/{id}/billing/vnext/metadata");
        let expected = format!("{host} has no {path}: an older server, another product, or a proxy that filters");
        assert!(message.starts_with(&expected), "{name}: {message}");
        w.bitwarden().clear_fault(fault);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn server_without_a_list_of_organizations_accuses_no_member() {
    needs_control_plane!();
    let w = self_hosted("self-no-list").await;
    let t = w.tenant("listed", organization()).await;
    t.person(Role::Owner).await;
    // The words that the owner API also has for a member who is no owner.
    let own = answer(404, r#"{"message":"Resource not found."}"#);
    w.bitwarden().inject(Fault::always(own).method("GET").whole_path("/api/organizations"));
    let named = json!({ "vendor": { "bitwarden": { "organizationId": t.key.id } } });
    w.declare("listed", t.alone(named)).await;
    let message = given_up(&w, "listed").await;
    assert!(message.starts_with(&format!("{} has no organizations: an older server", w.vendor.host())), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn key_accepted_by_server_without_organization_api_waits_for_person() {
    needs_control_plane!();
    let w = self_hosted("self-no-organization").await;
    let t = w.tenant("organization-key", organization()).await;
    lacks(&w, "/public/", OF_VAULTWARDEN);
    t.declare(json!({})).await;
    let tries = |status: &LicenseSeatsStatus| {
        said(status, "CredentialsValid") == "True/Authenticated" && condition(status, "Reconciling").is_some()
    };
    t.until("tried a few times", tries).await;
    let message = given_up(&w, "organization-key").await;
    let expected = format!(
        "{} accepts the key but has no public/organization/subscription (Vaultwarden has no seats; for Bitwarden check apiUrl, \
         or update)",
        w.vendor.host()
    );
    assert!(message.starts_with(&expected), "{message}");
    w.bitwarden().clear_faults();
    let status = w.until("organization-key", "read", |status| status.used.is_some()).await;
    assert_eq!(status.used, Some(80), "the path is there now");
}

#[tokio::test(flavor = "multi_thread")]
async fn login_limit_of_server_stops_logins_and_keeps_tokens_in_use() {
    needs_control_plane!();
    let w = world("login-limit").await;
    w.needs_many_tokens();
    // As Vaultwarden: ten at once, then hardly any, and no word of how long (docs/vendors/bitwarden.md, "Vaultwarden").
    let limit = w.bitwarden().inject(Fault::on_token(FaultKind::EdgeThrottle).skip(10).for_ever());
    let mut tenants = Vec::new();
    for i in 0..14 {
        let t = w.tenant(&format!("org {i}"), organization()).await;
        t.declare(json!({ "seats": 100 })).await;
        tenants.push(t);
    }
    let is_told = |status: &LicenseSeatsStatus| {
        let told = condition(status, "Ready").map(|ready| ready.message.clone()).unwrap_or_default();
        told.starts_with(&format!("{} answered 429 without saying how long; next try in ", w.vendor.host()))
    };
    let sorted = async || {
        let (mut good, mut told) = (Vec::new(), Vec::new());
        for t in &tenants {
            let status = t.status().await;
            match said(&status, "Ready").as_str() {
                "True/InSync" => good.push(t),
                _ if is_told(&status) => told.push(t),
                _ => {}
            }
        }
        (good.len() == 10 && told.len() == 4).then_some((good, told))
    };
    let (good, told) = wait_for("ten with a token and four that are told", PATIENCE, sorted).await;
    let tokens = || w.bitwarden().token_requests();
    let asked = tokens();
    for t in good {
        t.until_polled(2).await;
    }
    assert_eq!(tokens(), asked, "the login is closed");
    let refused = |r: &RequestRecord| r.status == Some(429) && !r.path.ends_with("/connect/token");
    assert_eq!(w.bitwarden().count(refused), 0);
    // A person need not wait for a pause that Seatkeeper has set itself.
    w.bitwarden().clear_fault(limit);
    for t in told {
        t.ask("now").await;
        t.until_in_sync(100).await;
    }
}
