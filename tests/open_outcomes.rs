//! What happens around a purchase while its outcome is not known: crashes, edits, other people, and a vendor that takes
//! back what it has confirmed. Nothing is sent on a guess, and a person is asked when only a person can know.

use seatkeeper::api::IntentPhase;
use seatkeeper_support::needs_control_plane;
use serde_json::json;
use vendor_sim::{Fault, FaultKind, Webhook};

use crate::tenants::{Tenant, fast_but};
use crate::world::{FAST, World, condition, organization, said, world};

const FOR_EVER: u64 = 3_600_000;

fn pause() -> Fault {
    Fault::on_put(FaultKind::PauseBeforeRow { ms: FOR_EVER })
}

/// The oracle over the one organization of a world.
fn assert_never_above(w: &World, seats: i32) {
    let (name, key) = ("acme".to_owned(), w.key.clone());
    Tenant { world: w, name, key }.assert_never_above(seats);
}

#[tokio::test(flavor = "multi_thread")]
async fn purchase_is_recognized_after_crash_and_settle_time() {
    needs_control_plane!();
    let mut w = world("crash").await;
    let paused = w.bitwarden().inject(pause());
    w.declare("acme", json!({})).await;
    assert!(w.bitwarden().wait_fired(paused, 1).await);
    w.crash_and_restart(FAST).await;
    let status = w.until_reason("acme", "ChangePending", "OutcomeUnknown").await;
    assert_eq!(status.intent.expect("the intent survives").phase, IntentPhase::Open);
    assert_eq!(said(&w.status("acme").await, "Ready"), "Unknown/OutcomeUnknown");
    w.until_polled(1).await;
    w.bitwarden().release(paused);
    let status = w.until_in_sync("acme", 150).await;
    assert_eq!((status.history[0].base().seats, status.history[0].target().seats, w.puts()), (100, 150, 1));
    w.until_polled(3).await;
    assert_eq!((w.puts(), w.organization().billed.seats), (1, Some(150)));
    assert_never_above(&w, 150);
    w.until_told("SeatsIncreased", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn purchase_running_after_client_timeout_is_not_repeated() {
    needs_control_plane!();
    // The vendor turns the total into a difference between two reads: a second request in between would add up.
    let flags = fast_but(&["--settle-unanswered=20s"]);
    let w = World::with("overlap", organization().limit(None), &flags).await;
    let between = Fault::on_put(FaultKind::PauseBetweenReads { ms: FOR_EVER });
    let paused = w.bitwarden().inject(between);
    w.declare("acme", json!({ "limit": { "mode": "UpTo", "seats": 300 } })).await;
    w.until_hung_up(&w.key).await;
    w.until_polled(3).await;
    w.bitwarden().release(paused);
    assert!(w.bitwarden().settle().await);
    w.until_in_sync("acme", 150).await;
    assert_never_above(&w, 150);
    assert_eq!(w.puts(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn purchase_failed_after_billing_in_crash_is_retried_once_and_billed_once() {
    needs_control_plane!();
    let mut w = world("crash-failed").await;
    let paused = w.bitwarden().inject(pause());
    w.bitwarden().inject(Fault::on_put(FaultKind::FailAfterBilling));
    w.declare("acme", json!({})).await;
    assert!(w.bitwarden().wait_fired(paused, 1).await);
    w.crash_and_restart(FAST).await;
    w.bitwarden().release(paused);
    w.until_in_sync("acme", 150).await;
    w.until_polled(3).await;
    assert_eq!((w.puts(), w.organization().billed.seats), (2, Some(150)));
    assert_never_above(&w, 150);
}

/// A purchase got lost, and somebody else bought meanwhile.
async fn in_review(name: &str) -> World {
    let w = world(name).await;
    let lost = w.bitwarden().inject(Fault::on_put(FaultKind::Drop { apply: false }));
    w.declare("acme", json!({})).await;
    assert!(w.bitwarden().wait_fired(lost, 1).await);
    w.bitwarden().set_seats(&w.key.id, 120).expect("the vendor allows it");
    let status = w.until_reason("acme", "Ready", "NeedsReview").await;
    assert_eq!(said(&status, "Stalled"), "True/NeedsReview");
    let message = &condition(&status, "Ready").expect("Ready").message;
    let id = &status.intent.as_ref().expect("the intent stays").id;
    let parts = [
        "150 seats",
        "100 seats",
        "120 seats",
        "it was changed from outside alone",
        id.as_str(),
        "seatkeeper.dev/confirm=",
        "Seatkeeper then plans anew from the shown numbers, and requests the rest of the change",
    ];
    for part in parts {
        assert!(message.contains(part), "{part:?} is missing in {message:?}");
    }
    w.until_polled(3).await;
    assert_eq!(w.puts(), 1, "nothing is sent before somebody decides");
    w
}

#[tokio::test(flavor = "multi_thread")]
async fn external_change_during_doubt_waits_for_confirmation() {
    needs_control_plane!();
    let w = in_review("confirm").await;
    w.annotate("acme", "seatkeeper.dev/confirm", "another-id").await;
    w.until_polled(2).await;
    assert_eq!(w.puts(), 1, "only the id in question counts");
    let id = w.status("acme").await.intent.expect("the intent stays").id;
    w.annotate("acme", "seatkeeper.dev/confirm", &id).await;
    w.until_in_sync("acme", 150).await;
    assert_eq!((w.puts(), w.organization().billed.seats), (2, Some(150)));
    assert_never_above(&w, 150);
}

#[tokio::test(flavor = "multi_thread")]
async fn third_party_change_during_doubt_waits_until_person_edits_spec() {
    needs_control_plane!();
    let w = in_review("edit").await;
    w.edit("acme", json!({ "seats": 120 })).await;
    let status = w.until_in_sync("acme", 120).await;
    assert_eq!(status.limit, Some(120));
    assert_eq!(w.organization().billed.seats, Some(120));
    assert_never_above(&w, 120);
}

/// A purchase was taken back, and so was its repeat.
async fn taken_back_twice(name: &str) -> World {
    let w = world(name).await;
    w.bitwarden().switch(|s| s.webhook = Webhook::restoring());
    w.declare("acme", json!({})).await;
    w.until_in_sync("acme", 150).await;
    w.bitwarden().release_webhooks();
    assert!(w.bitwarden().wait_for(crate::world::PATIENCE, |b| b.organization(&w.key.id).seats == Some(100)).await);
    let doubt = w.until_reason("acme", "ChangePending", "OutcomeUnknown").await;
    assert_eq!(said(&doubt, "Drifted"), "", "the vendor's doing is not drift");
    let message = &condition(&doubt, "ChangePending").expect("ChangePending").message;
    assert!(message.contains("took the last change back, and may bill it all the same"), "{message}");
    assert_eq!(w.puts(), 1, "first the settle time");
    let status = w.until_in_sync("acme", 150).await;
    assert_eq!((w.puts(), status.history[0].attempt), (2, 2));
    assert_eq!((w.organization().seats, w.organization().billed.seats), (Some(150), Some(150)));

    // The vendor does it again.
    w.bitwarden().force_row(&w.key.id, Some(100), Some(100));
    let status = w.until_reason("acme", "Ready", "NeedsReview").await;
    let message = &condition(&status, "Ready").expect("Ready").message;
    for part in ["made the change to 150 seats", "took it back", "may bill 150 seats while it shows 100", "confirm="] {
        assert!(message.contains(part), "{part:?} is missing in {message:?}");
    }
    assert!(!message.contains("from outside"), "it was the vendor: {message:?}");
    w.until_polled(3).await;
    assert_eq!(w.puts(), 2);
    w
}

#[tokio::test(flavor = "multi_thread")]
async fn purchase_taken_back_is_retried_once_then_waits_until_person_confirms() {
    needs_control_plane!();
    let w = taken_back_twice("webhook").await;
    let id = w.status("acme").await.intent.expect("something to confirm").id;
    w.annotate("acme", "seatkeeper.dev/confirm", &id).await;
    w.until_in_sync("acme", 150).await;
    assert_eq!(w.puts(), 3);
    assert_never_above(&w, 150);
}

#[tokio::test(flavor = "multi_thread")]
async fn purchase_taken_back_twice_by_vendor_waits_until_person_edits_spec() {
    needs_control_plane!();
    let w = taken_back_twice("webhook-edit").await;
    w.edit("acme", json!({ "seats": 160 })).await;
    let status = w.until_in_sync("acme", 160).await;
    assert_eq!((status.history[0].base().seats, status.history[0].target().seats, w.puts()), (100, 160, 3));
    assert_eq!(w.organization().billed.seats, Some(160));
    assert_never_above(&w, 160);
}

#[tokio::test(flavor = "multi_thread")]
async fn edit_while_purchase_is_in_flight_loses_neither_purchase_nor_edit() {
    needs_control_plane!();
    let w = world("edited").await;
    let paused = w.bitwarden().inject(pause());
    w.declare("acme", json!({})).await;
    assert!(w.bitwarden().wait_fired(paused, 1).await);
    w.edit("acme", json!({ "seats": 160 })).await;
    w.bitwarden().release(paused);
    let status = w.until_in_sync("acme", 160).await;
    let steps: Vec<_> = status.history.iter().map(|c| (c.base().seats, c.target().seats)).collect();
    assert_eq!((steps, w.puts()), (vec![(150, 160), (100, 150)], 2));
    assert_never_above(&w, 160);
    // Every purchase is told.
    let told = w.until_told("SeatsIncreased", 2).await;
    let bought = told.iter().filter(|(reason, _)| reason == "SeatsIncreased").count();
    assert_eq!(bought, 2, "every purchase is told: {told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn object_deleted_while_purchase_is_in_flight_is_gone_and_purchase_stays() {
    needs_control_plane!();
    let w = world("deleted").await;
    let paused = w.bitwarden().inject(pause());
    w.declare("acme", json!({})).await;
    assert!(w.bitwarden().wait_fired(paused, 1).await);
    w.seats().delete("acme", &Default::default()).await.expect("delete");
    assert!(w.seats().get_opt("acme").await.expect("a look").is_none());
    w.bitwarden().release(paused);
    assert!(w.bitwarden().settle().await);
    // The same name again: a fresh start from what the vendor shows.
    w.declare("acme", json!({})).await;
    let status = w.until_in_sync("acme", 150).await;
    assert_eq!((w.puts(), status.history.len()), (1, 0));
}
