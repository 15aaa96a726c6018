//! One organization that can be reached under two host names, and objects that merely name an organization.

use seatkeeper_support::needs_control_plane;
use serde_json::{Value, json};
use vendor_sim::{Fault, FaultKind, Options, Organization, OrganizationKey, Role, Simulator};

use crate::tenants::fast_but;
use crate::world::{FAST, World, condition, organization, said, world};

impl World {
    /// The same key in Secret `name`, for the vendor under its other name.
    async fn other_name(&self, name: &str, key: &OrganizationKey) {
        let mut data = self.credentials(key);
        data["server"] = Value::Null;
        data["apiUrl"] = json!(self.vendor.api_url());
        data["identityUrl"] = json!(self.vendor.identity_url());
        data.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
        self.secret(name, data).await;
    }
}

fn with_secret(name: &str, more: Value) -> Value {
    let mut spec = json!({ "vendor": { "bitwarden": { "credentialsSecretRef": { "name": name } } } });
    crate::world::merge(&mut spec, more);
    spec
}

#[tokio::test(flavor = "multi_thread")]
async fn organization_under_two_host_names_has_one_owner_of_each_pool() {
    needs_control_plane!();
    let w = world("two-names").await;
    w.other_name("other", &w.key).await;
    w.declare("older", json!({})).await;
    w.until_in_sync("older", 150).await;
    w.until_the_next_second("older").await;
    w.declare("younger", with_secret("other", json!({ "seats": 160 }))).await;
    let status = w.until_reason("younger", "Ready", "Conflict").await;
    assert!(condition(&status, "Ready").expect("Ready").message.contains("LicenseSeats older is older"), "{status:?}");
    w.until_polled(3).await;
    assert_eq!((w.puts(), w.organization().seats), (1, Some(150)));
    w.seats().delete("older", &Default::default()).await.expect("delete");
    w.until_in_sync("younger", 160).await;
    assert_eq!(w.puts(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn organization_under_two_host_names_gets_one_change_at_a_time() {
    needs_control_plane!();
    let patient = fast_but(&["--write-timeout=30s", "--settle-unanswered=40s"]);
    let w = World::with("two-names-lock", organization().secrets_manager(20, 50), &patient).await;
    w.other_name("other", &w.key).await;
    let pause = w.bitwarden().inject(Fault::on_put(FaultKind::PauseBeforeRow { ms: 60_000 }));
    w.declare("passwords", json!({})).await;
    assert!(w.bitwarden().wait_fired(pause, 1).await);
    let machines = json!({ "vendor": { "bitwarden": { "product": "MachineAccounts" } }, "seats": 60, "limit": null });
    w.declare("machines", with_secret("other", machines)).await;
    let held = w.until_reason("machines", "ChangePending", "OutcomeUnknown").await;
    assert!(condition(&held, "ChangePending").expect("pending").message.contains("of passwords"), "{held:?}");
    assert_eq!(w.puts(), 1);
    w.bitwarden().release(pause);
    w.until_in_sync("passwords", 150).await;
    w.until_in_sync("machines", 60).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn object_that_names_organization_with_refused_key_blocks_no_other_object() {
    needs_control_plane!();
    let w = world("mere-name").await;
    let mut refused = w.credentials(&w.key);
    refused["clientSecret"] = json!("not-the-secret-of-this-key");
    w.secret("refused", refused).await;
    w.declare("older", with_secret("refused", json!({ "seats": 140 }))).await;
    let status = w.until_reason("older", "CredentialsValid", "Rejected").await;
    assert_eq!(status.account.and_then(|account| account.id), None, "nobody has confirmed it");
    w.until_the_next_second("older").await;
    w.declare("younger", json!({})).await;
    w.until_in_sync("younger", 150).await;
    // Its own key makes it the owner, as the older one.
    w.secret("refused", w.credentials(&w.key)).await;
    w.until_reason("younger", "Ready", "Conflict").await;
    w.until_reason("older", "Ready", "FirstSight").await;
    assert_eq!(w.puts(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn younger_object_waits_while_owner_key_is_asked_for_its_organization() {
    needs_control_plane!();
    let w = World::with("asked-first", organization(), &fast_but(&["--read-timeout=60s"])).await;
    let key = w.bitwarden().add_user_key(&w.key.id, Role::Owner);
    w.secret("owner", w.personal(&key)).await;
    let slow = Fault::once(FaultKind::Delay { before_ms: 3_600_000, after_ms: 0 })
        .method("GET")
        .whole_path("/api/organizations");
    let slow = w.bitwarden().inject(slow);
    let owner = json!({ "vendor": { "bitwarden": {
        "credentialsSecretRef": null, "ownerCredentialsSecretRef": { "name": "owner" },
    } } });
    w.declare("older", owner).await;
    assert!(w.bitwarden().wait_fired(slow, 1).await);
    w.until_the_next_second("older").await;
    w.declare("younger", json!({ "seats": 160 })).await;
    let held = w.until_reason("younger", "ChangePending", "OutcomeUnknown").await;
    assert!(said(&held, "Ready").starts_with("False/") || said(&held, "Ready").starts_with("Unknown/"), "{held:?}");
    assert_eq!(w.puts(), 0);
    w.bitwarden().release(slow);
    w.until_in_sync("older", 150).await;
    w.until_reason("younger", "Ready", "Conflict").await;
    assert_eq!((w.puts(), w.organization().seats), (0, Some(150)), "the older one bought, by a difference");
}

#[tokio::test(flavor = "multi_thread")]
async fn self_hosted_copy_with_original_id_neither_owns_nor_blocks() {
    needs_control_plane!();
    let copy = Simulator::start(Options::hurried()).await.expect("simulator");
    copy.bitwarden().switch(|switches| switches.self_hosted = true);
    let allowed = format!("--allowed-host={}", copy.host());
    let w = World::with("copy", organization(), &[FAST, &[&allowed]].concat()).await;
    let key = copy.bitwarden().add_organization(Organization { id: Some(w.key.id.clone()), ..organization() });
    let data = json!({
        "clientId": key.client_id, "clientSecret": key.client_secret, "server": copy.url(), "ca.crt": copy.ca_pem(),
    });
    w.secret("copy", data).await;
    w.declare("older", with_secret("copy", json!({}))).await;
    w.until_reason("older", "Ready", "UnsupportedByVendor").await;
    w.until_the_next_second("older").await;
    w.declare("younger", json!({})).await;
    w.until_in_sync("younger", 150).await;
    w.until_reason("older", "Ready", "UnsupportedByVendor").await;
    assert_eq!(w.puts(), 1);
}
