//! One operator over all namespaces: who owns a pool is decided across them, and the other learns no names from it.

use seatkeeper::api::LicenseSeats;
use seatkeeper_support::{needs_control_plane, wait_for};
use serde_json::json;

use crate::world::{FAST, PATIENCE, World, condition, organization, said};

#[tokio::test(flavor = "multi_thread")]
async fn the_younger_of_two_objects_in_two_namespaces_waits_and_does_not_learn_whose_pool_it_is() {
    needs_control_plane!();
    let mut w = World::over_all_namespaces("undisclosed", organization(), FAST).await;
    let owner = w.declare("confidential", json!({})).await;
    w.until_in_sync("confidential", 150).await;
    let (owners, theirs) = (w.seats(), w.namespace.clone());
    // Creation times have whole seconds; the younger must be younger.
    let made = owner.metadata.creation_timestamp.expect("a stored object has a time").0;
    let later = async || (w.bitwarden().now().as_second() > made.as_second()).then_some(());
    wait_for("the next second", PATIENCE, later).await;

    w.namespace = w.plane.namespace("elsewhere").await;
    w.secret("key", w.credentials(&w.key)).await;
    w.declare("younger", json!({ "seats": 160 })).await;
    let status = w.until_reason("younger", "Ready", "Conflict").await;
    let message = &condition(&status, "Ready").expect("Ready").message;
    assert!(message.starts_with("a LicenseSeats in another namespace is older"), "{message}");
    assert_eq!(
        (said(&status, "Stalled").as_str(), status.seats),
        ("True/Conflict", None),
        "the vendor is not read for it"
    );
    w.until_told("Conflict", 1).await;
    w.until_polled(3).await;
    let everything = format!("{} {:?}", shown(&w, "younger").await, w.events().await);
    for name in [theirs.as_str(), "confidential"] {
        assert!(!everything.contains(name), "{name} is disclosed: {everything}");
    }
    assert_eq!((w.puts(), w.organization().seats), (1, Some(150)));

    owners.delete("confidential", &Default::default()).await.expect("delete");
    w.until_in_sync("younger", 160).await;
    assert_eq!((w.puts(), w.organization().billed.seats), (2, Some(160)));
}

/// Everything that the apiserver shows of an object.
async fn shown(w: &World, name: &str) -> String {
    let object: LicenseSeats = w.seats().get(name).await.expect("the object");
    serde_json::to_string(&object).expect("JSON")
}
