//! What others change at the vendor: corrected twice a day and no more, and what the vendor bought by itself is given back by
//! an edit alone.

use seatkeeper_support::needs_control_plane;
use serde_json::json;
use vendor_sim::Role;

use crate::world::{condition, organization, said, world};

#[tokio::test(flavor = "multi_thread")]
async fn foreign_change_is_corrected_twice_a_day_and_left_alone_the_third_time() {
    needs_control_plane!();
    let w = world("drift").await;
    let t = w.tenant("drift", organization()).await;
    t.declare(json!({})).await;
    t.until_in_sync(150).await;
    for (correction, seats) in [(1, 120), (2, 130)] {
        w.bitwarden().set_seats(&t.key.id, seats).expect("the vendor allows it");
        let corrected = |status: &seatkeeper::api::LicenseSeatsStatus| {
            status.history.len() == correction + 1 && said(status, "Ready") == "True/InSync"
        };
        let status = t.until(&format!("correction {correction}"), corrected).await;
        assert_eq!((status.history[0].base().seats, status.history[0].target().seats), (seats, 150));
    }
    w.bitwarden().set_seats(&t.key.id, 125).expect("the vendor allows it");
    let status = t.until_said("Ready", "False/Conflict").await;
    assert_eq!(said(&status, "Drifted"), "True/ExternalChange");
    let message = &condition(&status, "Ready").expect("Ready").message;
    assert!(message.contains("corrected it twice within a day"), "{message}");
    t.ask("again").await;
    assert_eq!((t.puts(), t.organization().seats), (3, Some(125)));
    // Another wish starts afresh.
    w.edit(&t.name, json!({ "seats": 140 })).await;
    t.until_in_sync(140).await;
    assert_eq!((t.puts(), t.organization().billed.seats), (4, Some(140)));
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_under_report_policy_is_reported_and_kept_until_spec_changes() {
    needs_control_plane!();
    let w = world("drift-report").await;
    let t = w.tenant("drift-report", organization()).await;
    t.declare(json!({ "driftPolicy": "Report" })).await;
    t.until_in_sync(150).await;
    w.bitwarden().set_seats(&t.key.id, 120).expect("the vendor allows it");
    let status = t.until_said("Ready", "True/DriftReportedOnly").await;
    assert_eq!(said(&status, "Drifted"), "True/ExternalChange");
    assert_eq!(said(&status, "ChangePending"), "True/DriftReportedOnly");
    let message = &condition(&status, "Drifted").expect("Drifted").message;
    assert!(message.contains("150 seats") && message.contains("120 seats"), "{message}");
    t.ask("again").await;
    t.until_polled(3).await;
    assert_eq!((t.puts(), t.organization().seats), (1, Some(120)));
    w.edit(&t.name, json!({ "seats": 140 })).await;
    t.until_in_sync(140).await;
    assert_eq!((t.puts(), t.organization().billed.seats), (2, Some(140)));
    let told = w.until_told("ExternalChange", 1).await;
    assert!(told.iter().any(|(_, note)| note.contains("120 seats")), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn vendor_bought_seats_are_given_back_by_edit_down_to_use_and_reported() {
    needs_control_plane!();
    let w = world("give-back").await;
    let t = w.tenant("give-back", organization()).await;
    t.declare(json!({ "seats": 100, "limit": { "mode": "UpTo", "seats": 200 } })).await;
    t.until_in_sync(100).await;
    assert!(w.bitwarden().join(&t.key.id, 50));
    t.until_in_sync(130).await;
    assert_eq!(w.bitwarden().leave(&t.key.id, 20), 20);
    t.until("fewer in use", |status| status.used == Some(110)).await;
    t.until_polled(3).await;
    assert_eq!((t.organization().seats, t.puts()), (Some(130), 1), "nobody asked for fewer");
    w.edit(&t.name, json!({ "limit": { "mode": "UpTo", "seats": 190 } })).await;
    let status = t.until("the seats that are used", |status| status.seats == Some(110)).await;
    assert_eq!(status.used, Some(110));
    assert_eq!((t.puts(), t.organization().billed.seats, t.organization().limit), (2, Some(110), Some(190)));
    let told = w.until_told("SeatsDecreased", 1).await;
    assert!(told.iter().any(|(_, note)| note.contains("130") && note.contains("110")), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn limit_that_changes_alone_is_reported_as_limit_change() {
    needs_control_plane!();
    let w = world("limit").await;
    w.declare("acme", json!({ "seats": 100 })).await;
    w.until_in_sync("acme", 100).await;
    w.edit("acme", json!({ "limit": { "mode": "UpTo", "seats": 180 } })).await;
    w.until("acme", "the limit", |status| status.limit == Some(180)).await;
    let told = w.until_told("LimitChanged", 1).await;
    assert!(told.iter().any(|(_, note)| note.contains("180")), "{told:?}");
    let seats = |(reason, _): &(String, String)| matches!(reason.as_str(), "SeatsIncreased" | "SeatsDecreased");
    assert!(!told.iter().any(seats), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn restored_old_numbers_are_drift_where_bill_shows_it() {
    needs_control_plane!();
    let w = world("set-back").await;
    let t = w.tenant("set-back", organization().limit(None)).await;
    t.person(Role::Owner).await;
    w.declare("set-back", t.both(json!({ "limit": null }))).await;
    t.until_in_sync(150).await;
    w.bitwarden().set_seats(&t.key.id, 100).expect("the vendor allows it");
    let drifted = |status: &seatkeeper::api::LicenseSeatsStatus| said(status, "Drifted") == "True/ExternalChange";
    let status = t.until("drift", drifted).await;
    let message = &condition(&status, "Drifted").expect("Drifted").message;
    assert!(message.contains("Bitwarden was changed from outside"), "{message}");
    let message = &condition(&status, "Ready").expect("Ready").message;
    assert!(!message.contains("took") && !message.contains("may bill"), "{message}");
    t.until("the correction", |status| status.history.len() == 2 && said(status, "Ready") == "True/InSync").await;
    assert_eq!((t.puts(), t.organization().billed.seats), (2, Some(150)));
}
