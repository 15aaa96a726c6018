//! What the subscription says of the licence, from the vendor to `LicenseValid`, `Ready` and an event.

use jiff::{SignedDuration, Timestamp};
use seatkeeper_support::needs_control_plane;
use serde_json::json;
use vendor_sim::{Role, SubscriptionStatus, Terms};

use crate::world::{organization, said, world};

fn in_days(days: i64) -> Timestamp {
    Timestamp::now() + SignedDuration::from_hours(24 * days)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_state_of_a_subscription_is_told_and_what_is_not_in_force_is_not_ready() {
    needs_control_plane!();
    use SubscriptionStatus as S;
    let w = world("licenses").await;
    let ends = |terms: &mut Terms, days| (terms.cancel_at_period_end, terms.period_end) = (true, in_days(days));
    let none: fn(&mut Terms) = |_| {};
    type Case<'a> = (&'a str, S, &'a dyn Fn(&mut Terms), &'a str, &'a str);
    let cases: [Case<'_>; 9] = [
        ("active", S::Active, &none, "True/Active", "True/InSync"),
        ("trial", S::Trialing, &none, "True/Active", "True/InSync"),
        ("late", S::PastDue, &none, "True/PastDue", "True/InSync"),
        ("pending", S::Incomplete, &none, "Unknown/Pending", "True/InSync"),
        ("unpaid", S::Unpaid, &none, "False/Expired", "False/Expired"),
        ("cancelled", S::Canceled, &none, "False/Expired", "False/Expired"),
        ("never-begun", S::IncompleteExpired, &none, "False/Expired", "False/Expired"),
        ("ends-in-a-year", S::Active, &|terms| ends(terms, 365), "True/Active", "True/InSync"),
        ("ends-in-a-week", S::Active, &|terms| ends(terms, 6), "True/ExpiringSoon", "True/InSync"),
    ];
    let mut all = Vec::new();
    for (name, status, change, license, ready) in cases {
        let t = w.tenant(name, organization()).await;
        t.person(Role::Owner).await;
        w.bitwarden().set_subscription_status(&t.key.id, status);
        w.bitwarden().change_terms(&t.key.id, change);
        w.declare(name, t.both(json!({ "seats": 100 }))).await;
        all.push((t, license, ready));
    }
    for (t, license, ready) in all {
        let status = t.until_said("LicenseValid", license).await;
        assert_eq!(said(&status, "Ready"), ready, "{}", t.name);
        assert_eq!(t.puts(), 0, "{}", t.name);
    }
    w.until_told("ExpiringSoon", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_that_is_switched_off_is_said_to_be_while_its_token_lasts() {
    needs_control_plane!();
    let w = world("disabled").await;
    let t = w.tenant("off", organization()).await;
    t.person(Role::Owner).await;
    w.declare("off", t.both(json!({ "seats": 100 }))).await;
    t.until_said("LicenseValid", "True/Active").await;
    w.bitwarden().set_enabled(&t.key.id, false);
    let status = t.until_said("LicenseValid", "False/Invalidated").await;
    assert_eq!(said(&status, "Ready"), "False/Expired");
    w.bitwarden().set_enabled(&t.key.id, true);
    t.until_said("LicenseValid", "True/Active").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thresholds_say_how_long_before_the_end_to_warn() {
    needs_control_plane!();
    let w = world("expiry").await;
    let t = w.tenant("ends", organization()).await;
    t.person(Role::Owner).await;
    w.bitwarden().change_terms(&t.key.id, |terms| {
        (terms.cancel_at_period_end, terms.period_end) = (true, in_days(20));
    });
    let quiet = json!({ "seats": 100, "thresholds": { "expiry": ["48h"] } });
    w.declare("ends", t.both(quiet)).await;
    t.until_said("LicenseValid", "True/Active").await;
    w.edit("ends", json!({ "thresholds": { "expiry": ["48h", "500h"] } })).await;
    t.until_said("LicenseValid", "True/ExpiringSoon").await;
    let told = w.until_told("ExpiringSoon", 1).await;
    assert!(told.iter().any(|(_, note)| note.contains("less than 500 h")), "{told:?}");
}
