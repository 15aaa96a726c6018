//! License keys that are removed in a window.

use jiff::{SignedDuration, Timestamp};
use seatkeeper::api::LicenseSeatsStatus;
use seatkeeper_support::needs_control_plane;
use serde_json::{Value, json};

use super::{acme, keys_of};
use crate::windows::{far, now, opening_at};
use crate::world::said;

/// Keys are added at once, and removed in a window that opens daily at the minute of this moment.
fn removals_at(moment: Timestamp) -> Value {
    json!({ "decrease": { "mode": "InWindow" }, "windows": opening_at(moment)["windows"] })
}

#[tokio::test(flavor = "multi_thread")]
async fn removal_of_a_key_waits_for_the_window_of_decreases_and_counts_in_it() {
    needs_control_plane!();
    let a = acme("immuta-window").await;
    let old = a.key("old", 40).await;
    a.declare(&["old"], json!({ "adjustment": removals_at(far()) })).await;
    a.until_ready("True/InSync").await;
    let new = a.key("new", 40).await;
    a.prune().await;
    a.list(&["new"]).await;
    let waits = |status: &LicenseSeatsStatus| {
        a.tenant.additions_of(&new) == 1 && said(status, "ChangePending") == "True/AwaitingWindow"
    };
    let waiting = a.until("the removal waits", waits).await;
    assert_eq!(said(&waiting, "Ready"), "True/ChangeDeferred");
    assert_eq!(waiting.next_window.map(|next| next.name).as_deref(), Some("soon"));
    a.until_polled(3).await;
    assert_eq!((a.tenant.deletes(), a.tenant.live_rows_of(&old).len()), (0, 1));
    let opened = now().checked_sub(SignedDuration::from_mins(5)).expect("a time");
    a.w.edit("acme", json!({ "adjustment": removals_at(opened) })).await;
    let alone = |status: &LicenseSeatsStatus| {
        a.tenant.deletes() == 1 && keys_of(status) == ["Added/Active"] && said(status, "Ready") == "True/InSync"
    };
    let status = a.until("the new key alone", alone).await;
    assert_eq!((a.tenant.live_rows_of(&old).len(), a.tenant.live_rows_of(&new).len()), (0, 1));
    assert_eq!(status.history[0].window.as_deref(), Some("soon"));
    assert_eq!(status.window.map(|used| used.changes), Some(1));
}
