//! The other pools of an organization, and every change that Bitwarden would refuse without a word: it is never sent,
//! and the sentence says why and what to do.

use seatkeeper_support::needs_control_plane;
use serde_json::{Value, json};
use vendor_sim::{Organization, Role};

use crate::world::{condition, organization, said, world};

fn with_secrets_manager() -> Organization {
    let with = organization().secrets_manager(20, 50).sm_limit(20).service_account_limit(60);
    with.sm_members(10)
}

fn of(product: &str) -> Value {
    json!({ "vendor": { "bitwarden": { "product": product } } })
}

fn merged(mut spec: Value, more: Value) -> Value {
    crate::world::merge(&mut spec, more);
    spec
}

#[tokio::test(flavor = "multi_thread")]
async fn each_pool_of_an_organization_is_bought_by_itself() {
    needs_control_plane!();
    let w = world("pools").await;
    let t = w.tenant("acme", with_secrets_manager()).await;
    for (name, product, seats, limit) in
        [("sm", "SecretsManager", 30, 30), ("machines", "MachineAccounts", 75, 75), ("pm", "PasswordManager", 150, 150)]
    {
        let secret =
            json!({ "vendor": { "bitwarden": { "credentialsSecretRef": { "name": "acme" } } }, "seats": seats });
        w.declare(name, merged(of(product), secret)).await;
        let status = w.until_in_sync(name, seats).await;
        assert_eq!(status.limit, Some(limit), "{name}");
        match name {
            "pm" => assert_eq!(said(&status, "SeatShortage"), "False/Sufficient"),
            _ => assert_eq!(said(&status, "SeatShortage"), "Unknown/UsageNotReported", "{name}"),
        }
        assert_eq!(status.used.is_some(), name == "pm", "a number that is not known is absent");
    }
    let organization = t.organization();
    let (shown, billed) = (&organization, organization.billed);
    assert_eq!((shown.seats, shown.limit, billed.seats), (Some(150), Some(150), Some(150)));
    assert_eq!((shown.sm_seats, shown.sm_limit, billed.sm_seats), (Some(30), Some(30), Some(30)));
    let accounts = (shown.service_accounts, shown.service_account_limit, billed.service_accounts);
    assert_eq!(accounts, (Some(75), Some(75), Some(75)));
    assert_eq!(t.puts(), 3);
    let all = w.bitwarden().requests();
    for body in all.iter().filter(|r| r.method == "PUT").filter_map(|r| r.body.as_deref()) {
        let both = body.contains("passwordManager") && body.contains("secretsManager");
        assert!(!both && !body.contains("storage"), "only what must change is sent: {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn blocked_change_is_made_once_unblocked() {
    needs_control_plane!();
    let w = world("unblocked").await;
    let t = w.tenant("members leave", organization()).await;
    t.declare(json!({ "seats": 70 })).await;
    t.until_said("Ready", "False/GuardrailViolated").await;
    assert_eq!(w.bitwarden().leave(&t.key.id, 5), 5);
    assert_eq!(w.bitwarden().revoke(&t.key.id, 5), 5);
    w.agree(&t.name).await;
    t.until_in_sync(70).await;
    assert_eq!((t.puts(), t.organization().billed.seats), (1, Some(70)));

    let t = w.tenant("unlimited already", organization().limit(None)).await;
    t.declare(json!({ "seats": 100, "limit": { "mode": "Unlimited" } })).await;
    let status = t.until_in_sync(100).await;
    assert_eq!((status.limit, status.limited), (None, Some(false)));
    w.edit(&t.name, json!({ "seats": 110 })).await;
    t.until_in_sync(110).await;
    assert_eq!(t.organization().limit, None);

    let t = w.tenant("invisible sponsorships", organization().sponsored_families(10)).await;
    t.declare(json!({ "seats": 85 })).await;
    w.agree(&t.name).await;
    let status = t.until_said("Ready", "False/VendorRejected").await;
    let message = &condition(&status, "Ready").expect("Ready").message;
    assert!(message.contains("this key may not see every seat in use"), "{message}");
    assert_eq!((t.puts(), t.organization().seats), (2, Some(100)));
    w.bitwarden().set_sponsored_families(&t.key.id, 0);
    w.bitwarden().leave(&t.key.id, 1);
    t.until_in_sync(85).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn self_hosted_server_is_reported_and_never_written_to() {
    needs_control_plane!();
    let w = world("self-hosted").await;
    w.bitwarden().switch(|s| s.self_hosted = true);
    w.declare("acme", json!({})).await;
    let status = w.until_reason("acme", "Ready", "UnsupportedByVendor").await;
    assert_eq!(said(&status, "CredentialsValid"), "True/Authenticated");
    assert_eq!(said(&status, "Stalled"), "True/UnsupportedByVendor");
    let message = &condition(&status, "Ready").expect("Ready").message;
    assert!(message.contains("change the seats of the cloud organization"), "{message}");
    assert_eq!(w.puts(), 0);
    // The server moves to the cloud.
    w.bitwarden().switch(|s| s.self_hosted = false);
    w.annotate("acme", "seatkeeper.dev/reconcile-requested-at", "now").await;
    w.until_in_sync("acme", 150).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn standalone_discount_keeps_limit_since_removal_buys_password_manager() {
    needs_control_plane!();
    let w = world("standalone-limit").await;
    let t = w.tenant("acme", organization().secrets_manager(25, 50).sm_limit(25).sm_members(5)).await;
    w.bitwarden().change_terms(&t.key.id, |terms| terms.secrets_manager_standalone = true);
    t.person(Role::Owner).await;
    let unlimited = merged(of("SecretsManager"), json!({ "seats": 30, "limit": { "mode": "Unlimited" } }));
    w.declare("acme", t.both(unlimited)).await;
    let status = t.until_said("Ready", "False/UnsupportedByVendor").await;
    assert_eq!(said(&status, "ChangePending"), "True/UnsupportedByVendor");
    let message = &condition(&status, "Ready").expect("Ready").message;
    assert!(message.contains("discount") && message.contains("Pinned or UpTo"), "{message}");
    t.ask("again").await;
    let o = t.organization();
    assert_eq!((w.bitwarden().writes(&t.key.id), o.seats, o.limit), (0, Some(100), Some(100)));
    w.edit("acme", json!({ "limit": { "mode": "Pinned" } })).await;
    t.until_in_sync(30).await;
    let o = t.organization();
    assert_eq!((t.puts(), o.sm_seats, o.seats, o.limit), (1, Some(30), Some(100), Some(100)));
}

#[tokio::test(flavor = "multi_thread")]
async fn pool_waiting_for_held_pool_names_that_object_and_reason_and_stalls() {
    needs_control_plane!();
    let w = world("held-beside").await;
    let small = organization().seats(50).limit(50).members(20);
    let t = w.tenant("acme", small.secrets_manager(45, 50).sm_limit(45).sm_members(10)).await;
    for (name, product, seats) in [("pm", "PasswordManager", 30), ("sm", "SecretsManager", 22)] {
        let secret =
            json!({ "vendor": { "bitwarden": { "credentialsSecretRef": { "name": "acme" } } }, "seats": seats });
        w.declare(name, merged(of(product), secret)).await;
    }
    w.until_reason("pm", "Ready", "FirstSight").await;
    w.edit("pm", json!({ "seats": 25 })).await;
    let stalled = |status: &seatkeeper::api::LicenseSeatsStatus| said(status, "Stalled") == "True/AwaitingOtherPool";
    let status = w.until("pm", "waits for an object that is held", stalled).await;
    let message = &condition(&status, "Ready").expect("Ready").message;
    let why = "LicenseSeats sm declares that and is held (-23 seats: blocked by guard rail): see its status";
    assert!(message.ends_with(why), "{message}");
    assert_eq!(w.bitwarden().writes(&t.key.id), 0);
    // An owner's key shows the use.
    t.person(Role::Owner).await;
    w.edit("sm", t.both(json!({ "seats": 22 }))).await;
    w.agree("sm").await;
    w.until_in_sync("sm", 22).await;
    w.until_in_sync("pm", 25).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pool_waiting_for_pool_that_awaits_approval_names_it_and_is_ready() {
    needs_control_plane!();
    let w = world("deferred-beside").await;
    let t = w.tenant("acme", with_secrets_manager()).await;
    let secret = json!({ "vendor": { "bitwarden": { "credentialsSecretRef": { "name": "acme" } } } });
    let asks = json!({ "seats": 150, "approval": { "increaseAbove": 10 } });
    w.declare("pm", merged(of("PasswordManager"), merged(secret.clone(), asks))).await;
    w.until_reason("pm", "ChangePending", "AwaitingApproval").await;
    w.declare("sm", merged(of("SecretsManager"), merged(secret, json!({ "seats": 120 })))).await;
    let deferred = |status: &seatkeeper::api::LicenseSeatsStatus| said(status, "Ready") == "True/ChangeDeferred";
    let status = w.until("sm", "waits as long as pm does", deferred).await;
    let message = &condition(&status, "Ready").expect("Ready").message;
    let why = "LicenseSeats pm declares that and is held (+50 seats: approval needed): see its status";
    assert!(message.ends_with(why), "{message}");
    assert_eq!(said(&status, "ChangePending"), "True/AwaitingOtherPool");
    assert!(condition(&status, "Reconciling").is_none() && condition(&status, "Stalled").is_none(), "{status:?}");
    assert_eq!(t.puts(), 0);
    w.edit("pm", json!({ "approval": null })).await;
    w.until_in_sync("pm", 150).await;
    w.until_in_sync("sm", 120).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pool_waiting_for_suspended_pool_names_it_and_is_ready() {
    needs_control_plane!();
    let w = world("suspended-beside").await;
    let t = w.tenant("acme", with_secrets_manager()).await;
    let secret = json!({ "vendor": { "bitwarden": { "credentialsSecretRef": { "name": "acme" } } } });
    let suspended = json!({ "seats": 150, "suspend": true });
    w.declare("pm", merged(of("PasswordManager"), merged(secret.clone(), suspended))).await;
    w.until_reason("pm", "ChangePending", "Suspended").await;
    w.declare("sm", merged(of("SecretsManager"), merged(secret, json!({ "seats": 120 })))).await;
    let deferred = |status: &seatkeeper::api::LicenseSeatsStatus| said(status, "Ready") == "True/ChangeDeferred";
    let status = w.until("sm", "waits as long as pm is suspended", deferred).await;
    let message = &condition(&status, "Ready").expect("Ready").message;
    let why = "LicenseSeats pm declares that and is held (+50 seats: suspended): see its status";
    assert!(message.ends_with(why), "{message}");
    assert_eq!(said(&status, "ChangePending"), "True/AwaitingOtherPool");
    assert_eq!(t.puts(), 0);
    w.edit("pm", json!({ "suspend": false })).await;
    w.until_in_sync("pm", 150).await;
    w.until_in_sync("sm", 120).await;
    // Suspended without a change that is wanted, it is no reason to wait: the vendor's rule alone holds more.
    w.edit("pm", json!({ "suspend": true })).await;
    w.edit("sm", json!({ "seats": 160 })).await;
    w.until_reason("sm", "Ready", "VendorRejected").await;
    assert_eq!(t.puts(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn pools_declared_together_are_raised_in_order_without_reported_refusal() {
    needs_control_plane!();
    let w = world("together").await;
    let t = w.tenant("acme", with_secrets_manager()).await;
    for (name, product, seats) in
        [("sm", "SecretsManager", 120), ("machines", "MachineAccounts", 75), ("pm", "PasswordManager", 150)]
    {
        let secret = json!({ "vendor": { "bitwarden": { "credentialsSecretRef": { "name": "acme" } } } });
        let spec = merged(of(product), merged(secret, json!({ "seats": seats, "interval": "1h" })));
        w.declare(name, spec).await;
    }
    for (name, seats) in [("pm", 150), ("sm", 120), ("machines", 75)] {
        w.until_in_sync(name, seats).await;
    }
    let told = w.until_told("SeatsIncreased", 3).await;
    assert_eq!(told.iter().find(|(reason, _)| reason == "VendorRejected"), None);
    assert_eq!(t.puts(), 3);
}
