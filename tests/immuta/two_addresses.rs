//! One tenant that can be reached under two addresses: nothing tells it from two tenants but its licenses.

use seatkeeper_support::needs_control_plane;
use serde_json::json;
use vendor_sim::{Fault, FaultKind};

use super::{Acme, acme, entries};
use crate::tenants::fast_but;
use crate::world::{condition, said};

const DIFFERS: &str = "seatkeeper.dev/differs";

/// The tenant of `acme`, which the operator may reach under its other address too.
async fn reachable_twice(name: &str, flags: &[&'static str]) -> (Acme, String) {
    let mut acme = acme(name).await;
    let other = format!("127.0.0.1:{}", acme.w.vendor.address().port());
    let allowed = format!("--allowed-host={other}");
    let flags = fast_but(flags);
    acme.w.crash_and_restart(&[&flags[..], &[&allowed]].concat()).await;
    (acme, format!("https://{other}"))
}

impl Acme {
    /// Declares `twin` with these keys, for the other address.
    async fn declare_twin(&self, address: &str, keys: &[&str]) {
        let mut admin = self.w.secrets().get("admin").await.expect("the Secret").data.expect("data");
        let api_key = String::from_utf8(admin.remove("apiKey").expect("a key").0).expect("text");
        let mut data = self.admin(&api_key);
        data["server"] = json!(address);
        self.w.secret("admin-twin", data).await;
        let immuta = json!({ "credentialsSecretRef": { "name": "admin-twin" }, "licenseKeys": entries(keys) });
        let spec = json!({ "vendor": { "bitwarden": null, "immuta": immuta }, "limit": null, "seats": null });
        self.w.declare("twin", spec).await;
    }

    /// Issues a key into a Secret for the other address.
    async fn key_at(&self, address: &str, name: &str) {
        let text = self.key(name, 10).await;
        self.put_at(address, name, &text).await;
    }

    async fn put_at(&self, address: &str, name: &str, text: &str) {
        let data = json!({ "licenseKey": text, "server": address });
        self.w.secret_of_type(name, seatkeeper::api::LICENSE_KEY_TYPE, data).await;
    }

    /// Waits until an object is held for the other one, and returns the id that tells the two.
    async fn until_held(&self, name: &str, other: &str) -> String {
        let held = |s: &seatkeeper::api::LicenseSeatsStatus| said(s, "ChangePending") == "True/Conflict";
        let status = self.w.until(name, "same licenses elsewhere", held).await;
        assert_eq!(said(&status, "Ready"), "False/Conflict", "{status:?}");
        let message = &condition(&status, "Ready").expect("Ready").message;
        assert!(message.contains(&format!("LicenseSeats {other} has another address")), "{message}");
        let id = message.split(&format!("{DIFFERS}=")).nth(1).expect("an id");
        id.chars().take_while(char::is_ascii_hexdigit).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tenant_under_two_addresses_gets_no_key_until_confirmed() {
    needs_control_plane!();
    let (acme, address) = reachable_twice("two-addresses", &[]).await;
    acme.key("a", 20).await;
    acme.declare(&["a"], json!({})).await;
    acme.until_ready("True/InSync").await;
    acme.key_at(&address, "b").await;
    acme.declare_twin(&address, &["b"]).await;
    let id = acme.until_held("twin", "acme").await;
    acme.key("c", 20).await;
    acme.list(&["a", "c"]).await;
    assert_eq!(acme.until_held("acme", "twin").await, id);
    acme.until_polled(5).await;
    assert_eq!(acme.tenant.rows().len(), 1);
    acme.w.annotate("twin", DIFFERS, &id).await;
    acme.w.until("twin", "its key", |status| said(status, "Ready") == "True/InSync").await;
    assert_eq!(acme.tenant.rows().len(), 2);
    acme.until_held("acme", "twin").await;
    acme.w.seats().delete("twin", &Default::default()).await.expect("delete");
    acme.until_ready("True/InSync").await;
    assert_eq!(acme.tenant.rows().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn key_of_two_objects_for_empty_tenant_at_two_addresses_is_added_once() {
    needs_control_plane!();
    let patient = ["--write-timeout=30s", "--settle-unanswered=40s"];
    let (acme, address) = reachable_twice("two-addresses-empty", &patient).await;
    let text = acme.key("a", 20).await;
    let pause = acme.tenant.inject(Fault::on_license_add(FaultKind::PauseBeforeRow { ms: 60_000 }));
    // What it has added is known from its own reading after the change, and not from its next poll.
    acme.declare(&["a"], json!({ "interval": "1h" })).await;
    assert!(acme.tenant.wait_fired(pause, 1).await);
    acme.put_at(&address, "b", &text).await;
    acme.declare_twin(&address, &["b"]).await;
    let waits = |s: &seatkeeper::api::LicenseSeatsStatus| said(s, "ChangePending") == "True/OutcomeUnknown";
    let status = acme.w.until("twin", "the change of acme", waits).await;
    assert!(condition(&status, "ChangePending").expect("pending").message.contains("of acme"), "{status:?}");
    acme.tenant.release(pause);
    acme.until_ready("True/InSync").await;
    acme.until_held("twin", "acme").await;
    assert_eq!(acme.tenant.rows().len(), 1);
}
