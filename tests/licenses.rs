//! What the subscription says of the license, from the vendor to `LicenseValid`, `Ready` and an event.

use jiff::{SignedDuration, Timestamp};
use seatkeeper_support::needs_control_plane;
use serde_json::json;
use vendor_sim::{PlanType, PriceMigration, Provider, Role, SubscriptionStatus, Terms};

use crate::world::{condition, organization, said, world};

fn in_days(days: i64) -> Timestamp {
    Timestamp::now() + SignedDuration::from_hours(24 * days)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_subscription_state_is_reported_and_one_not_in_force_is_not_ready() {
    needs_control_plane!();
    use SubscriptionStatus as S;
    let w = world("licenses").await;
    w.needs_many_tokens();
    let ends = |terms: &mut Terms, days| (terms.cancel_at_period_end, terms.period_end) = (true, in_days(days));
    let none: fn(&mut Terms) = |_| {};
    type Case<'a> = (&'a str, S, &'a dyn Fn(&mut Terms), &'a str, &'a str);
    let cases: [Case<'_>; 9] = [
        ("active", S::Active, &none, "True/Active", "True/InSync"),
        ("trial", S::Trialing, &none, "True/ExpiringSoon", "True/InSync"),
        ("late", S::PastDue, &none, "True/PastDue", "True/InSync"),
        ("pending", S::Incomplete, &none, "Unknown/Pending", "True/InSync"),
        ("unpaid", S::Unpaid, &none, "False/Expired", "False/Expired"),
        ("canceled", S::Canceled, &none, "False/Expired", "False/Expired"),
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
        let stalled = if ready == "False/Expired" { "True/Expired" } else { "" };
        assert_eq!(said(&status, "Stalled"), stalled, "{}", t.name);
        assert_eq!(t.puts(), 0, "{}", t.name);
        let ends = status.license.as_ref().and_then(|license| license.expires_at.clone());
        assert_eq!(
            ends.is_some(),
            matches!(t.name.as_str(), "trial" | "canceled") || t.name.starts_with("ends-"),
            "{}",
            t.name
        );
    }
    w.until_told("ExpiringSoon", 1).await;
    assert_eq!(said(&w.status("pending").await, "LicenseValid"), "Unknown/Pending", "not paid yet");
}

#[tokio::test(flavor = "multi_thread")]
async fn switched_off_organization_is_reported_while_token_lasts() {
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
async fn owner_of_custom_plan_or_provider_customer_sees_no_state() {
    needs_control_plane!();
    let w = world("no-state").await;
    w.needs_many_tokens();
    let customer = |provider| organization().provider(provider);
    let (mut all, none) = (Vec::new(), "Unknown/NotReported");
    for (name, organization, license) in [
        ("custom", organization().plan(PlanType::Custom), none),
        ("msp", customer(Provider::Msp), none),
        ("business-unit", customer(Provider::BusinessUnit), none),
        // The twins of it: who has a reseller sees the state, as the owner of any other plan does.
        ("reseller", customer(Provider::Reseller), "True/Active"),
        ("other-plan", organization(), "True/Active"),
    ] {
        for keys in ["alone", "both"] {
            let t = w.tenant(&format!("{name} {keys}"), organization.clone()).await;
            t.person(Role::Owner).await;
            let spec = json!({ "seats": 100 });
            w.declare(&t.name, if keys == "both" { t.both(spec) } else { t.alone(spec) }).await;
            all.push((t, license));
        }
    }
    for (t, license) in all {
        let status = t.until_in_sync(100).await;
        assert_eq!(said(&status, "LicenseValid"), license, "{}", t.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn thresholds_set_warning_time_before_license_end() {
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

#[tokio::test(flavor = "multi_thread")]
async fn passed_threshold_is_reported_once() {
    needs_control_plane!();
    let w = world("each-threshold").await;
    let t = w.tenant("ends", organization()).await;
    t.person(Role::Owner).await;
    let ends = |days| {
        w.bitwarden().change_terms(&t.key.id, |terms| {
            (terms.cancel_at_period_end, terms.period_end) = (true, in_days(days));
        })
    };
    ends(20);
    w.declare("ends", t.both(json!({ "seats": 100, "thresholds": { "expiry": ["100h", "500h"] } }))).await;
    let told = async |times| {
        let events = w.until_told("ExpiringSoon", times).await;
        events.into_iter().filter(|(reason, _)| reason == "ExpiringSoon").map(|(_, note)| note).collect::<Vec<_>>()
    };
    let first = told(1).await;
    assert!(first.len() == 1 && first[0].contains("less than 500 h"), "{first:?}");
    t.until_polled(3).await;
    assert_eq!(told(1).await.len(), 1, "the same threshold is told once");
    ends(3);
    let second = told(2).await;
    assert!(second.len() == 2 && second.iter().any(|note| note.contains("less than 100 h")), "{second:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn late_payment_reports_suspension_date() {
    needs_control_plane!();
    let w = world("late-payment").await;
    let t = w.tenant("late", organization()).await;
    t.person(Role::Owner).await;
    let suspended = in_days(60);
    w.bitwarden().set_subscription_status(&t.key.id, SubscriptionStatus::PastDue);
    w.bitwarden().change_terms(&t.key.id, |terms| terms.suspension = Some(suspended));
    w.declare("late", t.both(json!({ "seats": 100 }))).await;
    let status = t.until_said("LicenseValid", "True/PastDue").await;
    let ends = status.license.as_ref().and_then(|license| license.expires_at.clone()).expect("a date");
    assert_eq!(ends.0.as_second(), suspended.as_second());
    let message = &condition(&status, "LicenseValid").expect("LicenseValid").message;
    let day = suspended.strftime("%Y-%m-%d").to_string();
    assert!(message.contains(&day), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn growth_billed_later_is_reported_until_then() {
    needs_control_plane!();
    let w = world("growth").await;
    let t = w.tenant("growth", organization().limit(Some(200)).members(100)).await;
    t.person(Role::Owner).await;
    let up_to = json!({ "seats": 100, "limit": { "mode": "UpTo", "seats": 200 } });
    w.declare("growth", t.both(up_to)).await;
    t.until_in_sync(100).await;
    assert!(w.bitwarden().invite(&t.key.id, 10));
    let status = t.until("the growth, billed later", |status| status.billed == Some(100)).await;
    assert_eq!((status.seats, status.used), (Some(110), Some(110)));
    w.bitwarden().run_billing_job(&t.key.id);
    t.until("the bill to agree", |status| status.billed.is_none() && status.seats == Some(110)).await;
    assert_eq!((t.puts(), t.organization().billed.seats), (0, Some(110)));
}

#[tokio::test(flavor = "multi_thread")]
async fn bill_is_not_reported_while_price_change_is_scheduled() {
    needs_control_plane!();
    let w = world("price-change").await;
    let t = w.tenant("price", organization()).await;
    t.person(Role::Owner).await;
    w.bitwarden().force_row(&t.key.id, Some(90), Some(90));
    w.declare("price", t.both(json!({ "managementPolicy": "Observe" }))).await;
    t.until("the other bill", |status| status.billed == Some(100)).await;
    let future = PriceMigration { name: "Enterprise seat 2027".into(), amount: 99.0, quantity: 100 };
    w.bitwarden().change_terms(&t.key.id, |terms| terms.price_migration = Some(future));
    t.until("no bill", |status| status.billed.is_none() && status.seats == Some(90)).await;
    w.bitwarden().change_terms(&t.key.id, |terms| terms.price_migration = None);
    t.until("the other bill again", |status| status.billed == Some(100)).await;
}
