//! An object without a record of the account lowers nothing: new, created again, restored, or after a takeover.

use kube::api::PostParams;
use seatkeeper::api::LicenseSeatsStatus;
use seatkeeper_support::needs_control_plane;
use serde_json::json;

use crate::world::{FAST, World, condition, organization, said, world};

impl World {
    /// Waits until the object asks a person to agree to lower something, and agrees as the message says.
    pub async fn agree(&self, name: &str) {
        let status = self.until_reason(name, "Ready", "FirstSight").await;
        let message = &condition(&status, "Ready").expect("Ready").message;
        let (_, consent) = message.split_once("seatkeeper.dev/confirm=").expect("what to annotate");
        // What else stands against the change follows.
        let consent = consent.split(|c: char| !c.is_ascii_hexdigit()).next().expect("an id");
        self.annotate(name, "seatkeeper.dev/confirm", consent).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn recreated_object_lowers_no_seats_vendor_bought_until_person_agrees() {
    needs_control_plane!();
    let w = world("created-again").await;
    let up_to = json!({ "seats": 100, "limit": { "mode": "UpTo", "seats": 300 } });
    w.declare("acme", up_to.clone()).await;
    w.until_in_sync("acme", 100).await;
    let id = w.key.id.clone();
    w.bitwarden().set_seats(&id, 108).expect("the vendor allows it");
    w.until_in_sync("acme", 108).await;
    w.seats().delete("acme", &Default::default()).await.unwrap();
    w.declare("acme", up_to).await;
    let status = w.until_reason("acme", "Ready", "FirstSight").await;
    assert_eq!(said(&status, "ChangePending"), "True/FirstSight");
    assert_eq!(said(&status, "Stalled"), "True/FirstSight");
    w.until_polled(3).await;
    assert_eq!((w.puts(), w.organization().seats), (1, Some(108)), "the limit alone was set");
    w.agree("acme").await;
    w.until_in_sync("acme", 100).await;
    assert_eq!(w.puts(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn object_with_wiped_status_corrects_nothing_down_until_spec_is_edited() {
    needs_control_plane!();
    let w = World::with("wiped", organization().limit(300), FAST).await;
    w.declare("acme", json!({ "limit": null })).await;
    w.until_in_sync("acme", 150).await;
    w.edit("acme", json!({ "suspend": true })).await;
    w.bitwarden().set_seats(&w.key.id, 170).expect("the vendor allows it");
    w.until("acme", "170 seats seen", |status| status.seats == Some(170)).await;
    loop {
        let mut object = w.seats().get("acme").await.expect("the object");
        object.status = Some(LicenseSeatsStatus::default());
        match w.seats().replace_status("acme", &PostParams::default(), &object).await {
            Err(kube::Error::Api(answer)) if answer.is_conflict() => {}
            replaced => break drop(replaced.expect("an empty status is admitted")),
        }
    }
    w.edit("acme", json!({ "suspend": false })).await;
    w.until_reason("acme", "Ready", "FirstSight").await;
    w.until_polled(3).await;
    assert_eq!((w.puts(), w.organization().seats), (1, Some(170)));
    w.edit("acme", json!({ "seats": 160 })).await;
    w.until_in_sync("acme", 160).await;
    assert_eq!(w.puts(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn object_that_takes_over_pool_lowers_nothing_despite_earlier_record() {
    needs_control_plane!();
    let w = world("taken-over").await;
    w.declare("first", json!({})).await;
    w.until_in_sync("first", 150).await;
    w.until_the_next_second("first").await;
    w.declare("second", json!({ "seats": 140 })).await;
    let status = w.until_reason("second", "Ready", "Conflict").await;
    assert_eq!(status.record_of, None);
    w.seats().delete("first", &Default::default()).await.unwrap();
    w.until_reason("second", "Ready", "FirstSight").await;
    w.until_polled(3).await;
    assert_eq!((w.puts(), w.organization().seats), (1, Some(150)));
    w.agree("second").await;
    w.until_in_sync("second", 140).await;
    assert_eq!(w.puts(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn first_web_vault_change_of_account_in_sync_from_start_is_drift() {
    needs_control_plane!();
    let w = World::with("first-drift", organization().limit(300), FAST).await;
    w.declare("acme", json!({ "seats": 100, "limit": null })).await;
    w.until_in_sync("acme", 100).await;
    w.bitwarden().set_seats(&w.key.id, 120).expect("the vendor allows it");
    let told = w.until_told("ExternalChange", 1).await;
    assert!(told[0].1.contains("it showed 100 seats"), "{told:?}");
    let status = w.until_in_sync("acme", 100).await;
    assert_eq!(format!("{:?}", status.history[0].reason), "ExternalChange");
}
