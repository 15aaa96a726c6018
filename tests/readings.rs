//! What is believed of a reading, and what a second key must not take away from the first.

use seatkeeper_support::{needs_control_plane, wait_for};
use serde_json::{Value, json};
use vendor_sim::{Fault, FaultKind, Provider, Role, SubscriptionStatus};

use crate::owner::merged;
use crate::tenants::{Tenant, fast_but};
use crate::world::{PATIENCE, World, condition, organization, said, world};

impl Tenant<'_> {
    /// The owner API shows these numbers of Password Manager, and 20 Secrets Manager seats.
    fn misread(&self, seats: i64, limit: &Value, times: Option<u64>) -> u64 {
        let text = json!({
            "object": "organization", "id": self.key.id, "seats": seats, "maxAutoscaleSeats": limit, "smSeats": 20,
            "smServiceAccounts": 50, "plan": null,
        });
        let fault = Fault::always(FaultKind::Body { text: text.to_string() });
        let fault = fault.method("GET").whole_path(format!("/api/organizations/{}", self.key.id));
        self.world.bitwarden().inject(Fault { times, ..fault })
    }

    /// The owner API fails for this organization.
    fn owner_api_fails(&self) -> u64 {
        let fails = FaultKind::Answer { status: 500, headers: [].into(), body: String::new(), apply: false };
        let path = format!("/api/organizations/{}", self.key.id);
        self.world.bitwarden().inject(Fault::on_owner_read(fails).for_ever().path(path))
    }

    async fn until_fired(&self, fault: u64, times: u64) {
        let fired = || self.world.bitwarden().fired(fault);
        wait_for(format!("{times} readings"), PATIENCE, async || (fired() >= times).then_some(())).await;
    }

    async fn said(&self, kind: &str, reason: &str) -> String {
        let status = self.world.until_reason(&self.name, kind, reason).await;
        condition(&status, kind).expect("a condition").message.clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn number_no_vendor_sells_makes_its_pool_unreadable_and_buys_nothing() {
    needs_control_plane!();
    let w = world("unreadable").await;
    for (name, number) in [("zero", 0), ("overflow", 2_147_483_647)] {
        let t = w.tenant(name, organization().members(60).limit(None).secrets_manager(20, 50)).await;
        t.person(Role::Owner).await;
        let wrong = t.misread(number, &json!(number), None);
        w.declare(name, t.alone(json!({ "limit": { "mode": "UpTo", "seats": 400 } }))).await;
        let product = json!({ "vendor": { "bitwarden": { "product": "SecretsManager" } } });
        let other = format!("{name}-secrets");
        w.declare(&other, t.alone(merged(product, json!({ "seats": 20, "limit": null })))).await;
        w.until_in_sync(&other, 20).await;
        let message = t.said("Ready", "ObservationStale").await;
        assert!(message.contains("a number is out of range"), "{message}");
        t.until_fired(wrong, w.bitwarden().fired(wrong) + 3).await;
        assert_eq!(w.bitwarden().writes(&t.key.id), 0, "{name}");
        w.bitwarden().clear_fault(wrong);
        w.until_in_sync(name, 150).await;
        assert_eq!((t.organization().billed.seats, w.bitwarden().writes(&t.key.id)), (Some(150), 1), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_that_is_wrong_once_adds_nothing() {
    needs_control_plane!();
    let w = world("once").await;
    let t = w.tenant("once", organization().limit(None)).await;
    t.person(Role::Owner).await;
    w.declare("once", t.alone(json!({ "limit": null }))).await;
    w.until_in_sync("once", 150).await;
    let wrong = t.misread(130, &Value::Null, Some(1));
    t.until_fired(wrong, 1).await;
    w.until("once", "the wrong reading", |status| status.plan.is_none() && status.seats == Some(150)).await;
    w.until_in_sync("once", 150).await;
    assert_eq!((t.organization().billed.seats, w.bitwarden().writes(&t.key.id)), (Some(150), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn bill_is_read_anew_before_change_relies_on_it() {
    needs_control_plane!();
    let w = World::with("old-bill", organization(), &fast_but(&["--account-recheck=1h"])).await;
    let t = w.tenant("old-bill", organization().limit(None)).await;
    t.person(Role::Owner).await;
    w.declare("old-bill", t.alone(json!({ "seats": 100, "limit": null, "interval": "1h" }))).await;
    w.until_in_sync("old-bill", 100).await;
    // 30 seats are billed and not shown.
    w.bitwarden().set_seats(&t.key.id, 130).expect("seats");
    w.bitwarden().force_row(&t.key.id, Some(100), None);
    w.edit("old-bill", json!({ "seats": 110 })).await;
    let message = t.said("Ready", "NumbersInDoubt").await;
    assert!(message.contains("a bill for 130 seats beside 100 purchased"), "{message}");
    assert_eq!(w.bitwarden().writes(&t.key.id), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn use_above_seats_is_shown_and_holds_all_changes_but_raised_totals() {
    needs_control_plane!();
    let w = world("contradicts").await;
    let crowded = || organization().members(60).sponsored_families(50);
    let alone = w.tenant("alone", crowded()).await;
    alone.person(Role::Owner).await;
    w.declare("alone", alone.alone(json!({}))).await;
    let message = alone.said("Ready", "NumbersInDoubt").await;
    assert!(message.contains("110 seats in use beside 100 purchased"), "{message}");
    let status = alone.status().await;
    assert_eq!(said(&status, "ChangePending"), "True/NumbersInDoubt");
    assert_eq!(said(&status, "SeatShortage"), "True/OverAllocated");
    let both = w.tenant("both", crowded()).await;
    both.person(Role::Owner).await;
    w.declare("both", both.both(json!({ "seats": 90 }))).await;
    let message = both.said("Ready", "GuardrailViolated").await;
    assert!(message.contains("110 seats in use beside 100 purchased"), "{message}");
    assert_eq!([&alone, &both].map(|t| w.bitwarden().writes(&t.key.id)), [0, 0]);
    w.edit("both", json!({ "seats": 150 })).await;
    let status = w.until_in_sync("both", 150).await;
    assert_eq!(status.used, Some(110));
}

/// How a message names the Secret with the owner's key.
fn of_owner(t: &Tenant<'_>) -> String {
    format!("Secret {} (ownerCredentialsSecretRef)", t.owner_secret())
}

#[tokio::test(flavor = "multi_thread")]
async fn organization_key_goes_on_while_owner_api_fails_and_nothing_is_lowered() {
    needs_control_plane!();
    let w = world("owner-api-fails").await;
    let t = w.tenant("fails", organization()).await;
    t.person(Role::Owner).await;
    let fault = t.owner_api_fails();
    w.declare("fails", t.both(json!({}))).await;
    let status = w.until_in_sync("fails", 150).await;
    assert_eq!((status.used, status.used_is_lower_bound), (Some(80), Some(true)));
    assert_eq!(said(&status, "CredentialsValid"), "Unknown/VendorUnreachable");
    let message = &condition(&status, "CredentialsValid").expect("a condition").message;
    assert!(message.starts_with(&of_owner(&t)), "{message}");
    w.edit("fails", json!({ "seats": 120 })).await;
    let message = t.said("Ready", "NumbersInDoubt").await;
    assert!(message.contains(&format!("the key in {} fails", of_owner(&t))), "{message}");
    assert_eq!(said(&t.status().await, "Reconciling"), "True/Progressing", "the key may work again by itself");
    assert_eq!(t.puts(), 1);
    w.bitwarden().clear_fault(fault);
    let status = w.until_in_sync("fails", 120).await;
    assert_eq!(said(&status, "CredentialsValid"), "True/Authenticated");
}

#[tokio::test(flavor = "multi_thread")]
async fn organization_key_works_beside_missing_or_half_secret_lowering_nothing() {
    needs_control_plane!();
    let w = world("second-secret").await;
    let (missing, half) = (w.tenant("missing", organization()).await, w.tenant("half", organization()).await);
    let user = w.bitwarden().add_user_key(&half.key.id, Role::Owner);
    let mut data = w.personal(&user);
    data["clientSecret"] = json!("");
    w.secret("owner-half", data).await;
    let cases =
        [(&missing, ["CredentialsValid", "False/SecretNotFound"]), (&half, ["CredentialsValid", "False/KeyMissing"])];
    for (t, _) in cases {
        w.declare(&t.name, t.both(json!({}))).await;
    }
    for (t, [kind, told]) in cases {
        let status = t.until_in_sync(150).await;
        assert_eq!((status.used, status.used_is_lower_bound), (Some(80), Some(true)), "{}", t.name);
        assert_eq!(said(&status, kind), told, "{}", t.name);
        let message = &condition(&status, kind).expect("a condition").message;
        assert!(message.starts_with(&of_owner(t)), "{message}");
        w.edit(&t.name, json!({ "seats": 120 })).await;
        let message = t.said("Ready", "NumbersInDoubt").await;
        assert!(message.contains(&format!("the key in {} fails", of_owner(t))), "{message}");
        assert_eq!(t.puts(), 1, "{}", t.name);
    }
    missing.person(Role::Owner).await;
    w.secret("owner-half", w.personal(&user)).await;
    for (t, _) in cases {
        let status = t.until_in_sync(120).await;
        assert_eq!(said(&status, "CredentialsValid"), "True/Authenticated", "{}", t.name);
        assert_eq!(status.used_is_lower_bound, Some(false), "{}", t.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn subscription_unknown_to_stripe_leaves_organization_key_its_abilities() {
    needs_control_plane!();
    let w = world("unknown-to-stripe").await;
    let t = w.tenant("unknown", organization()).await;
    t.person(Role::Owner).await;
    w.bitwarden().set_stripe(&t.key.id, true, true, None);
    // The webhook of that holds the row as it was: it must not undo the limit.
    assert!(w.bitwarden().settle().await);
    w.declare("unknown", t.both(json!({ "seats": 100, "limit": { "mode": "UpTo", "seats": 130 } }))).await;
    let status = w.until_in_sync("unknown", 100).await;
    assert_eq!((status.limit, status.used, status.used_is_lower_bound), (Some(130), Some(80), Some(false)));
    assert_eq!(said(&status, "CredentialsValid"), "Unknown/VendorUnreachable");
    w.edit("unknown", json!({ "seats": 90, "limit": { "mode": "Pinned", "seats": null } })).await;
    let message = t.said("Ready", "NumbersInDoubt").await;
    assert!(message.contains("so nothing is lowered: mend the key"), "{message}");
    assert_eq!(t.puts(), 1);
    w.bitwarden().set_stripe(&t.key.id, true, true, Some(SubscriptionStatus::Active));
    w.until_in_sync("unknown", 90).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reseller_customer_buys_with_organization_key_even_beside_owner_key() {
    needs_control_plane!();
    let w = world("resold").await;
    let t = w.tenant("resold", organization().provider(Provider::Reseller)).await;
    t.person(Role::Owner).await;
    w.declare("resold", t.both(json!({}))).await;
    let status = w.until_in_sync("resold", 150).await;
    assert_eq!((status.used_is_lower_bound, t.puts()), (Some(false), 1));
    assert_eq!(said(&status, "LicenseValid"), "True/Active");
}

#[tokio::test(flavor = "multi_thread")]
async fn limit_of_provider_customer_is_set_by_organization_key_unlike_its_seats() {
    needs_control_plane!();
    let w = world("managed").await;
    let t = w.tenant("managed", organization().provider(Provider::Msp)).await;
    t.person(Role::Owner).await;
    w.bitwarden().set_stripe(&t.key.id, true, false, None);
    // The webhook of that holds the row as it was: it must not undo the limit.
    assert!(w.bitwarden().settle().await);
    w.declare("managed", t.both(json!({ "seats": 110 }))).await;
    let message = t.said("Ready", "UnsupportedByVendor").await;
    assert!(message.contains("a provider manages"), "{message}");
    w.edit("managed", json!({ "seats": 100, "limit": { "mode": "UpTo", "seats": 120 } })).await;
    w.until_in_sync("managed", 100).await;
    assert_eq!((t.organization().limit, t.puts()), (Some(120), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn change_with_both_keys_is_read_back_at_once_where_no_limiter_is_known() {
    needs_control_plane!();
    // The pause between two changes is short; what a lost reading would cost is not.
    let flags = fast_but(&["--settle-answered=2s", "--settle-unanswered=2h", "--account-recheck=1h"]);
    let w = World::with("read-back", organization(), &flags).await;
    let t = w.tenant("both", organization()).await;
    t.person(Role::Owner).await;
    w.declare("both", t.both(json!({ "interval": "1h" }))).await;
    w.until_in_sync("both", 150).await;
    w.edit("both", json!({ "seats": 160 })).await;
    let status = w.until_in_sync("both", 160).await;
    assert_eq!((status.intent, status.history.len(), t.puts()), (None, 2, 2));
    let failing = t.owner_api_fails();
    w.edit("both", json!({ "seats": 170 })).await;
    let status = w.until_in_sync("both", 170).await;
    assert_eq!((status.intent, t.puts()), (None, 3));
    w.bitwarden().clear_fault(failing);
}
