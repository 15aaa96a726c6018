//! Keys that do not do what they are there for: too low a role, another organization, an old client. Each is told with
//! its fix, what still works goes on, and nothing is sent on a doubt.

use seatkeeper::api::LicenseSeatsStatus;
use seatkeeper_support::needs_control_plane;
use serde_json::{Value, json};
use vendor_sim::{Fault, FaultKind, MemberStatus, Organization, PlanType, Role};

use crate::bad_answers::answer;
use crate::owner::merged;
use crate::tenants::{Tenant, fast_but};
use crate::world::{PATIENCE, World, condition, organization, said, world};

/// `CredentialsValid` says this reason with these words.
async fn told(w: &World, name: &str, reason: &str, words: &[&str]) {
    let what = format!("{name}: {reason} with {words:?}");
    let status = w
        .until(name, what, |status| {
            condition(status, "CredentialsValid")
                .is_some_and(|c| c.reason == reason && words.iter().all(|word| c.message.contains(word)))
        })
        .await;
    assert!(said(&status, "CredentialsValid").starts_with("False/"), "{name}");
}

#[tokio::test(flavor = "multi_thread")]
async fn low_role_beside_organization_key_costs_only_its_additions() {
    needs_control_plane!();
    let w = world("low-role").await;
    for (name, role) in [("admin", Role::Admin), ("user", Role::User), ("custom", Role::Custom)] {
        let t = w.tenant(name, organization().sponsored_families(2)).await;
        t.person(role).await;
        w.declare(name, t.both(json!({}))).await;
        let status = w.until_in_sync(name, 150).await;
        assert_eq!(
            (status.used, status.used_is_lower_bound),
            (Some(82), Some(false)),
            "{name}: any member sees exact use"
        );
        told(&w, name, "InsufficientRole", &["ownerCredentialsSecretRef", "not an owner", "admin is not enough"]).await;
        assert_eq!(said(&status, "LicenseValid"), "Unknown/NotReported", "{name}");
        w.edit(name, json!({ "limit": { "mode": "Unlimited" } })).await;
        w.until_reason(name, "Ready", "UnsupportedByVendor").await;
        assert_eq!((t.puts(), t.organization().limit), (1, Some(150)), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn admins_key_alone_shows_no_seats_until_promotion() {
    needs_control_plane!();
    let w = world("admin-alone").await;
    let t = w.tenant("admin", organization()).await;
    let person = t.person(Role::Admin).await;
    let id = json!({ "vendor": { "bitwarden": { "organizationId": t.key.id } } });
    w.declare("admin", t.alone(id)).await;
    let status = w.until_reason("admin", "Ready", "UnsupportedByVendor").await;
    let message = &condition(&status, "Ready").expect("Ready").message;
    assert!(message.contains("not an owner") && status.seats.is_none(), "{message}");
    w.bitwarden().set_role(&person.user_id, &t.key.id, Role::Owner);
    w.until_in_sync("admin", 150).await;
    assert_eq!(t.organization().billed.seats, Some(150));
}

#[tokio::test(flavor = "multi_thread")]
async fn owner_removed_at_runtime_is_reported_and_seats_are_still_managed() {
    needs_control_plane!();
    let w = world("removed").await;
    let t = w.tenant("acme", organization()).await;
    let person = t.person(Role::Owner).await;
    w.declare("acme", t.both(json!({}))).await;
    w.until_in_sync("acme", 150).await;
    w.bitwarden().remove_from_organization(&person.user_id, &t.key.id);
    told(&w, "acme", "InsufficientRole", &["no confirmed member", "removed"]).await;
    let status = w.edit("acme", json!({ "seats": 160 })).await;
    drop(status);
    let status = w.until_in_sync("acme", 160).await;
    assert_eq!(status.used_is_lower_bound, Some(true), "members are counted again");
    w.bitwarden().set_role(&person.user_id, &t.key.id, Role::Owner);
    w.until_reason("acme", "CredentialsValid", "Authenticated").await;
    w.bitwarden().set_member_status(&person.user_id, &t.key.id, MemberStatus::Accepted);
    told(&w, "acme", "InsufficientRole", &["no confirmed member"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn owner_unknown_to_billing_costs_at_most_twelve_tokens_an_hour() {
    needs_control_plane!();
    let w = world("unknown-owner").await;
    // The bound is our own, and not the limiter's.
    w.needs_many_tokens();
    let t = w.tenant("acme", organization()).await;
    let person = t.person(Role::Owner).await;
    let path = format!("/organizations/{}/billing", t.key.id);
    w.bitwarden().inject(Fault::always(answer(404, r#"{"message":"Resource not found."}"#)).path(path));
    w.declare("acme", t.both(json!({}))).await;
    w.until_in_sync("acme", 150).await;
    let lacks = |status: &LicenseSeatsStatus| {
        condition(status, "CredentialsValid").is_some_and(|c| c.message.contains("has no organizations/{id}/billing"))
    };
    let status = w.until("acme", "no billing", lacks).await;
    assert_eq!(said(&status, "CredentialsValid"), "Unknown/VendorUnreachable", "the list has him as an owner");
    t.until_polled(16).await;
    let logins = w.bitwarden().find_user(&person.user_id).map_or(0, |user| user.logins);
    assert!(logins <= 12, "{logins} token requests");
}

#[tokio::test(flavor = "multi_thread")]
async fn demoted_owner_key_alone_stops_changes_until_owner_again() {
    needs_control_plane!();
    let w = world("demoted").await;
    let t = w.tenant("acme", organization()).await;
    let person = t.person(Role::Owner).await;
    w.declare("acme", t.alone(json!({}))).await;
    w.until_in_sync("acme", 150).await;
    w.bitwarden().set_role(&person.user_id, &t.key.id, Role::User);
    w.bitwarden().expire_tokens();
    w.until_reason("acme", "CredentialsValid", "InsufficientRole").await;
    w.bitwarden().set_role(&person.user_id, &t.key.id, Role::Owner);
    w.until_reason("acme", "CredentialsValid", "Authenticated").await;
    assert_eq!(w.bitwarden().writes(&t.key.id), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn mismatched_keys_are_reported_and_send_nothing() {
    needs_control_plane!();
    let w = world("mismatch").await;
    let (a, b) = (w.tenant("a", organization()).await, w.tenant("b", organization()).await);
    a.person(Role::Owner).await;
    b.person(Role::Owner).await;
    let keys = |credentials: Value, owner: Value, id: Value| {
        json!({ "vendor": { "bitwarden": {
            "credentialsSecretRef": credentials, "ownerCredentialsSecretRef": owner, "organizationId": id,
        } } })
    };
    let name = |name: &str| json!({ "name": name });
    for (object, spec, words) in [
        ("two-organization-keys", keys(name("a"), name("b"), Value::Null), vec!["same kind of key"]),
        ("two-personal-keys", keys(name("owner-a"), name("owner-b"), Value::Null), vec!["same kind of key"]),
        ("other-id", keys(name("a"), Value::Null, json!(b.key.id)), vec!["organizationId is", "correct one"]),
    ] {
        w.declare(object, spec).await;
        told(&w, object, "KeyInvalid", &words).await;
    }
    // The organization key says which organization it is; the other key is of no use, and that is said.
    w.declare("two-organizations", keys(name("a"), name("owner-b"), Value::Null)).await;
    told(&w, "two-organizations", "InsufficientRole", &["owns another organization"]).await;
    w.until_in_sync("two-organizations", 150).await;
    assert_eq!((w.bitwarden().writes(&a.key.id), w.bitwarden().writes(&b.key.id)), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn owner_of_several_organizations_names_one_and_of_none_is_reported() {
    needs_control_plane!();
    let w = world("several").await;
    let (a, b) = (w.tenant("a", organization()).await, w.tenant("b", organization()).await);
    let person = a.person(Role::Owner).await;
    w.bitwarden().set_role(&person.user_id, &b.key.id, Role::Owner);
    w.declare("several", a.alone(json!({}))).await;
    let status = w.until_reason("several", "Ready", "SpecInvalid").await;
    let message = &condition(&status, "Ready").expect("Ready").message;
    assert!(message.contains("organizationId is needed"), "{message}");
    let id = json!({ "vendor": { "bitwarden": { "organizationId": b.key.id } } });
    w.edit("several", id).await;
    w.until_in_sync("several", 150).await;
    assert_eq!((w.bitwarden().writes(&a.key.id), w.bitwarden().writes(&b.key.id)), (0, 1));

    let nobody = w.bitwarden().add_user();
    w.secret("nobody", w.personal(&nobody)).await;
    let alone = json!({ "vendor": { "bitwarden": {
        "credentialsSecretRef": null, "ownerCredentialsSecretRef": { "name": "nobody" },
    } } });
    w.declare("nobody", merged(json!({}), alone)).await;
    told(&w, "nobody", "InsufficientRole", &["owns no organization"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_organization_key_beside_owner_key_is_named_with_owners_view() {
    needs_control_plane!();
    let w = world("refused-beside").await;
    w.needs_many_tokens();
    let small = |plan, seats| Organization::enterprise("Small").plan(plan).seats(seats).limit(None).members(2);
    let tenants = [
        ("free", w.tenant("free", small(PlanType::Free, 2)).await, "plan has no API access", true),
        ("families", w.tenant("families", small(PlanType::Families, 6)).await, "plan has no API access", true),
        ("off", w.tenant("off", organization()).await, "is switched off", true),
        ("rotated", w.tenant("rotated", organization()).await, "Put the current key into the Secret", false),
    ];
    w.bitwarden().set_enabled(&tenants[2].1.key.id, false);
    w.bitwarden().rotate_key(&tenants[3].1.key.id);
    for (name, t, words, sees) in &tenants {
        t.person(Role::Owner).await;
        let observe = json!({ "managementPolicy": "Observe", "seats": null, "limit": null });
        w.declare(name, t.both(observe)).await;
        told(&w, name, "Rejected", &["(credentialsSecretRef): ", words]).await;
        let status = w.status(name).await;
        let message = &condition(&status, "CredentialsValid").expect("CredentialsValid").message;
        assert!(message.starts_with(&format!("Secret {name} (credentialsSecretRef): ")), "{name}: {message}");
        assert_eq!(message.contains("as the owner's key shows"), *sees, "{name}: {message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unusable_secret_of_an_organization_key_is_named_beside_an_owners() {
    needs_control_plane!();
    let w = world("unusable-beside").await;
    let t = w.tenant("acme", organization()).await;
    t.person(Role::Owner).await;
    let mut data = w.credentials(&t.key);
    data["clientSecret"] = json!("two\nlines");
    w.secret("acme", data).await;
    w.declare("acme", t.both(json!({}))).await;
    told(&w, "acme", "KeyInvalid", &["Secret acme (credentialsSecretRef): the Secret's clientSecret"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn edge_403_to_owner_key_accuses_neither_role_nor_key_and_is_retried_soon() {
    needs_control_plane!();
    // A key that is held to be bad would not be tried again while the test lasts.
    let w = World::with("edge-403", organization(), &fast_but(&["--credential-probe=1h"])).await;
    w.needs_many_tokens();
    let page = || answer(403, "<html>Access denied. MARKER</html>");
    let at = |path: &'static str, kind| Fault::always(kind).path(path);
    let cases = [
        ("token", at("/connect/token", FaultKind::EdgeForbidden)),
        ("token page", at("/connect/token", page())),
        ("empty token", at("/connect/token", answer(403, ""))),
        ("list", Fault::always(FaultKind::EdgeForbidden).whole_path("/api/organizations")),
        ("list page", Fault::always(page()).whole_path("/api/organizations")),
        ("organization", at("/api/organizations/", FaultKind::EdgeForbidden)),
        ("organization page", at("/api/organizations/", page())),
        ("use", at("/billing/vnext/metadata", FaultKind::EdgeForbidden)),
    ];
    for (name, fault) in cases {
        let t = w.tenant(name, organization()).await;
        t.person(Role::Owner).await;
        let fault = w.bitwarden().inject(fault);
        w.declare(&t.name, t.alone(json!({}))).await;
        let status = t.until_said("CredentialsValid", "Unknown/VendorUnreachable").await;
        let said_of = |kind| condition(&status, kind).map_or("", |c| &c.message);
        let words = "in front of Bitwarden refuses";
        assert!(said_of("CredentialsValid").contains(words), "{name}: {}", said_of("CredentialsValid"));
        assert_eq!(said(&status, "Stalled"), "", "{name}");
        assert_eq!(w.bitwarden().writes(&t.key.id), 0, "{name}");
        w.bitwarden().clear_fault(fault);
        t.until_in_sync(150).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rare_requests_stay_rare_per_organization_of_one_owner() {
    needs_control_plane!();
    let w = World::with("seldom", organization(), &fast_but(&["--account-recheck=1h"])).await;
    let (a, b) = (w.tenant("a", organization()).await, w.tenant("b", organization()).await);
    let person = a.person(Role::Owner).await;
    w.bitwarden().set_role(&person.user_id, &b.key.id, Role::Owner);
    for tenant in [&a, &b] {
        let id =
            json!({ "managementPolicy": "Observe", "vendor": { "bitwarden": { "organizationId": tenant.key.id } } });
        w.declare(&tenant.name, merged(a.alone(json!({})), id)).await;
    }
    let asked = |tenant: &Tenant<'_>, path: &str| {
        let path = format!("/api/organizations/{}{path}", tenant.key.id);
        w.bitwarden().count(|r| r.method == "GET" && r.path == path)
    };
    let polled = async || (asked(&a, "") >= 4 && asked(&b, "") >= 4).then_some(());
    seatkeeper_support::wait_for("four looks at each", PATIENCE, polled).await;
    assert_eq!((asked(&a, "/subscription"), asked(&b, "/subscription")), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_client_version_names_its_flag() {
    needs_control_plane!();
    let flags = fast_but(&["--bitwarden-client-version=2024.1.0"]);
    let w = World::with("client-version", organization(), &flags).await;
    let key = w.bitwarden().add_user_key(&w.key.id, Role::Owner);
    w.bitwarden().change_account(&key.user_id, |account| account.v2_encryption = true);
    w.secret("owner", w.personal(&key)).await;
    let alone = json!({ "credentialsSecretRef": null, "ownerCredentialsSecretRef": { "name": "owner" } });
    w.declare("acme", json!({ "vendor": { "bitwarden": alone } })).await;
    told(&w, "acme", "Rejected", &["--bitwarden-client-version"]).await;
    assert_eq!(w.bitwarden().writes(&w.key.id), 0);
}
