//! What a status says of a tenant: seats, users, ends.

use std::time::Duration;

use seatkeeper_support::needs_control_plane;
use serde_json::json;
use vendor_sim::immuta::{CanAddUser, LicenseKey};

use super::{Acme, acme, keys_of, tenant};
use crate::world::{condition, said};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test(flavor = "multi_thread")]
async fn shortage_is_reported_with_number_of_missing_seats() {
    needs_control_plane!();
    let a = acme("immuta-short").await;
    a.key("one", 40).await;
    a.declare(&["one"], json!({ "seats": 65 })).await;
    let status = a.until_ready("False/SeatsShort").await;
    assert!(condition(&status, "Ready").unwrap().message.contains("25 are missing; supply another license key"));
    assert_eq!(status.summary.as_deref(), Some("25 seats short: supply a key"));
    assert_eq!(said(&status, "Stalled"), "True/SeatsShort");
    a.w.until_told("SeatsShort", 1).await;
    a.key("two", 25).await;
    a.list(&["one", "two"]).await;
    a.until_ready("True/InSync").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tenant_that_takes_no_users_has_shortage_despite_free_seats() {
    needs_control_plane!();
    let a = acme("immuta-full").await;
    a.key("one", 40).await;
    a.declare(&["one"], json!({ "thresholds": { "freeSeats": 5 } })).await;
    let status = a.until_ready("True/InSync").await;
    assert_eq!(said(&status, "SeatShortage"), "False/Sufficient");
    a.tenant.add_users(26);
    a.w.until_reason("acme", "SeatShortage", "BelowThreshold").await;
    a.tenant.remove_users(20);
    a.tenant.switch(|switches| switches.can_add_user = CanAddUser::Never);
    let status = a.w.until_reason("acme", "SeatShortage", "Exhausted").await;
    assert!(condition(&status, "SeatShortage").unwrap().message.contains("takes no more users"));
    assert_eq!(status.license.unwrap().can_add_user, Some(false));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_form_of_can_add_user_is_shown_as_answered() {
    needs_control_plane!();
    let a = acme("immuta-takes-users").await;
    a.issued("one", LicenseKey::seats(40).soft_seats(5)).await;
    a.declare(&["one"], json!({})).await;
    a.until_ready("True/InSync").await;
    // More than the seats, and fewer than with the soft ones.
    a.tenant.add_users(32);
    for (way, takes) in [
        (CanAddUser::WithinSoftSeats, true),
        (CanAddUser::WithinSeats, false),
        (CanAddUser::Always, true),
        (CanAddUser::Never, false),
    ] {
        a.tenant.switch(|switches| switches.can_add_user = way);
        let shown = |status: &seatkeeper::api::LicenseSeatsStatus| {
            status.used == Some(42) && status.license.as_ref().and_then(|license| license.can_add_user) == Some(takes)
        };
        let status = a.until(format!("takes users: {takes}"), shown).await;
        let message = &condition(&status, "SeatShortage").unwrap().message;
        assert_eq!(message.contains("takes no more users"), !takes, "{message}");
    }
    a.proves(&["canAddUser"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn used_is_license_count_and_other_count_is_reported_beside_it() {
    needs_control_plane!();
    let a = Acme::with("immuta-used", tenant().inactive_users(7).policy_owners(2), |_| {}).await;
    a.key("one", 40).await;
    a.declare(&["one"], json!({})).await;
    let status = a.until_ready("True/InSync").await;
    assert_eq!((status.used, status.used_is_lower_bound, status.free), (Some(12), Some(false), Some(28)));
    assert_eq!(status.license.as_ref().unwrap().reported_users, Some(19));
    let message = &condition(&status, "Ready").unwrap().message;
    assert!(message.contains("the license counts 12 active users; the usage report has 19"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn expiry_warns_in_time_and_names_hard_or_soft_end() {
    needs_control_plane!();
    for (name, hard) in [("immuta-hard", true), ("immuta-soft", false)] {
        let a = acme(name).await;
        let terms = LicenseKey::seats(40).expires_in(HOUR * 800);
        a.issued("one", if hard { terms.hard_expiration() } else { terms }).await;
        a.declare(&["one"], json!({ "thresholds": { "expiry": ["900h"] } })).await;
        let status = a.w.until_reason("acme", "LicenseValid", "ExpiringSoon").await;
        let message = &condition(&status, "LicenseValid").unwrap().message;
        assert!(message.contains(if hard { "it blocks" } else { "does not block" }), "{message}");
        assert_eq!(status.license.as_ref().unwrap().keys[0].hard_expiration, Some(hard));
        a.w.until_told("ExpiringSoon", 1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn key_ending_beside_sufficient_one_gives_no_warning() {
    needs_control_plane!();
    let a = acme("immuta-overlap").await;
    a.issued("old", LicenseKey::seats(40).expires_in(HOUR * 50)).await;
    a.issued("new", LicenseKey::seats(40).expires_in(HOUR * 9000)).await;
    a.declare(&["old", "new"], json!({})).await;
    let status = a.until_ready("True/InSync").await;
    assert_eq!(said(&status, "LicenseValid"), "True/Active");
    a.w.edit("acme", json!({ "seats": 60 })).await;
    a.w.until_reason("acme", "LicenseValid", "ExpiringSoon").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tenant_of_which_every_key_has_expired_is_not_ready() {
    needs_control_plane!();
    let a = acme("immuta-expired").await;
    let key = a.tenant.issue(LicenseKey::seats(40).expired());
    a.tenant.switch(|switches| switches.expired_key_accepted = true);
    a.put("one", &key).await;
    a.declare(&["one"], json!({})).await;
    // The seats of a key that only warns of its end count on, and the tenant takes users.
    let status = a.until_ready("True/InSync").await;
    assert_eq!(said(&status, "LicenseValid"), "True/ExpiringSoon");
    assert!(condition(&status, "LicenseValid").unwrap().message.contains("passed its end date"));
    assert_eq!(keys_of(&status), ["Added/Expired"]);
    a.tenant.switch(|switches| switches.can_add_user = CanAddUser::Never);
    let status = a.until_ready("False/Expired").await;
    assert_eq!(said(&status, "LicenseValid"), "False/Expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn tenant_without_key_is_reported_and_shows_no_end() {
    needs_control_plane!();
    let a = acme("immuta-none").await;
    a.declare(&[], json!({})).await;
    let status = a.until_ready("False/Expired").await;
    assert!(condition(&status, "LicenseValid").unwrap().message.contains("there is no license key"));
    assert_eq!((status.seats, status.license.unwrap().expires_at), (Some(0), None));
}

#[tokio::test(flavor = "multi_thread")]
async fn tenant_without_seats_has_no_license_in_force_though_its_list_differs() {
    needs_control_plane!();
    let a = acme("immuta-invalidated").await;
    a.key("one", 40).await;
    a.declare(&["one"], json!({})).await;
    a.until_ready("True/InSync").await;
    assert!(a.tenant.invalidate(a.tenant.live_rows()[0].id));
    let status = a.w.until_reason("acme", "LicenseValid", "Invalidated").await;
    let message = &condition(&status, "LicenseValid").unwrap().message;
    assert!(message.contains("licenses 0 seats and lists license keys that look in force (1)"), "{message}");
    assert_eq!((status.seats, said(&status, "Ready").as_str()), (Some(0), "False/Expired"));
    assert_eq!((a.tenant.posts(), a.tenant.deletes()), (1, 0));
}
