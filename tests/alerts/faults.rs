//! How each fault of an object comes about, with the simulated vendor.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use vendor_sim::{Fault, FaultKind, Organization, Role, SubscriptionStatus};

use crate::bad_answers::answer;
use crate::stored_objects::{store, stored};
use crate::tenants::Tenant;
use crate::windows::{far, now, opening_at};
use crate::world::{PATIENCE, World, merge, organization, said};

/// Secrets Manager may not have more seats than Password Manager, whose change waits for its window.
const POOL: &str = "pool-awaits-deferred-pool";

fn in_days(days: i64) -> Timestamp {
    now().checked_add(SignedDuration::from_hours(24 * days)).expect("a time")
}

/// A window that opens once a year, in so many days.
fn opening_in(days: i64) -> Value {
    let schedule = in_days(days).strftime("%-M %-H %-d %-m *").to_string();
    json!({
        "increase": { "mode": "InWindow" },
        "windows": [{ "name": "far", "cron": { "schedule": schedule, "timeZone": "UTC", "duration": "1h" } }],
    })
}

/// 100 seats with too few idle ones for an alert, unless the fault is about the use.
fn account(fault: &str) -> Organization {
    let members = match fault {
        "seats-run-short" | "seats-run-short-and-then-no-usable-answer" => 97,
        "no-seat-free" | "no-seat-free-before-window" => 100,
        "seats-idle" => 50,
        _ => 80,
    };
    let account = organization().members(members);
    match fault {
        POOL => account.secrets_manager(95, 50).sm_limit(95).sm_members(80),
        _ => account,
    }
}

/// An organization with its Secrets.
pub async fn begin<'w>(w: &'w World, fault: &str) -> Tenant<'w> {
    let tenant = w.tenant(fault, account(fault)).await;
    assert_eq!(tenant.name, fault);
    tenant.person(Role::Owner).await;
    tenant
}

/// What stands beside the number of seats in the spec.
fn spec(fault: &str) -> Value {
    match fault {
        "suspended" => json!({ "seats": 110, "suspend": true }),
        "change-awaits-window" | "window-missed" => json!({ "seats": 110, "adjustment": opening_at(far()) }),
        POOL => json!({ "seats": 105, "vendor": { "bitwarden": { "product": "SecretsManager" } } }),
        "seats-run-short" | "seats-run-short-and-then-no-usable-answer" => json!({ "thresholds": { "freeSeats": 5 } }),
        "wish-beyond-guard-rail" => json!({ "seats": 110, "guardrails": { "maxIncrease": 5 } }),
        "spec-of-no-use" => json!({ "adjustment": {
            "increase": { "mode": "InWindow" },
            "windows": [{ "name": "w", "cron": { "schedule": "0 6 31 2 *", "timeZone": "UTC", "duration": "4h" } }],
        } }),
        "change-lost-and-account-changed" | "account-changed-and-corrected" => json!({ "seats": 110 }),
        "approval-missing" => json!({ "seats": 110, "approval": { "increaseAbove": 1 } }),
        "account-changed-and-reported" => json!({ "driftPolicy": "Report" }),
        "bill-differs" => json!({ "managementPolicy": "Observe" }),
        "no-seat-free-before-window" => json!({ "seats": 110, "adjustment": opening_in(3) }),
        "license-ends-before-window" => json!({ "seats": 110, "adjustment": opening_in(50) }),
        _ => json!({}),
    }
}

async fn declare(t: &Tenant<'_>) {
    let mut whole = json!({ "seats": 100 });
    merge(&mut whole, spec(&t.name));
    t.world.declare(&t.name, t.both(whole)).await;
}

/// Brings the fault about.
pub async fn play(t: &Tenant<'_>) {
    let vendor = t.world.bitwarden();
    let ends_in = |days| {
        vendor.change_terms(&t.key.id, |terms| (terms.cancel_at_period_end, terms.period_end) = (true, in_days(days)));
    };
    match t.name.as_str() {
        "license-ends-in-20-days" => ends_in(20),
        "license-ends-in-6-days" => ends_in(6),
        "license-ends-before-window" => ends_in(40),
        // An end that is known, and too far away for an alert.
        "seats-run-short" | "seats-run-short-and-then-no-usable-answer" => ends_in(400),
        "license-canceled" => vendor.set_subscription_status(&t.key.id, SubscriptionStatus::Canceled),
        "payment-late" => vendor.set_subscription_status(&t.key.id, SubscriptionStatus::PastDue),
        "secret-missing" => drop(t.world.secrets().delete(&t.name, &Default::default()).await.expect("deleted")),
        "key-refused" => drop(vendor.rotate_key(&t.key.id)),
        POOL => {
            let other = format!("{}-other", t.name);
            t.world.declare(&other, t.both(json!({ "seats": 110, "adjustment": opening_at(far()) }))).await;
            t.world.until_reason(&other, "ChangePending", "AwaitingWindow").await;
        }
        "bill-differs" => vendor.force_row(&t.key.id, Some(90), Some(90)),
        "change-lost-and-account-changed" => {
            let lost = t.inject(Fault::on_put(FaultKind::Drop { apply: false }));
            declare(t).await;
            assert!(vendor.wait_fired(lost, 1).await);
            vendor.set_seats(&t.key.id, 105).expect("the vendor allows it");
            t.until_said("Ready", "False/NeedsReview").await;
            return;
        }
        _ => {}
    }
    declare(t).await;
    follow_up(t).await;
}

/// What comes after the declaration, until the object says so.
async fn follow_up(t: &Tenant<'_>) {
    let vendor = t.world.bitwarden();
    match t.name.as_str() {
        "vendor-gives-no-usable-answer" | "seats-run-short-and-then-no-usable-answer" => {
            t.until_in_sync(100).await;
            t.inject(Fault::on_get(answer(500, "no")).for_ever());
            t.inject(Fault::on_owner_read(answer(500, "no")).for_ever());
            t.until_said("Ready", "Unknown/ObservationStale").await;
        }
        "account-changed-and-reported" => {
            t.until_in_sync(100).await;
            vendor.set_seats(&t.key.id, 105).expect("the vendor allows it");
            t.until_said("Drifted", "True/ExternalChange").await;
        }
        "account-changed-and-corrected" => {
            t.until_in_sync(110).await;
            vendor.set_seats(&t.key.id, 105).expect("the vendor allows it");
            t.until("the correction", |s| s.history.len() == 2 && said(s, "Ready") == "True/InSync").await;
        }
        "window-missed" => miss_the_window(t).await,
        "suspended" => drop(t.until_said("ChangePending", "True/Suspended").await),
        "change-awaits-window" => drop(t.until_said("ChangePending", "True/AwaitingWindow").await),
        POOL => {
            t.until_said("Ready", "True/ChangeDeferred").await;
            t.until_said("ChangePending", "True/AwaitingOtherPool").await;
        }
        "none" => drop(t.until_in_sync(100).await),
        _ => {}
    }
}

/// As if the operator had been away over the opening: the recorded window is over.
async fn miss_the_window(t: &Tenant<'_>) {
    t.until_said("ChangePending", "True/AwaitingWindow").await;
    let hours = |hours| now().checked_add(SignedDuration::from_hours(hours)).expect("a time").to_string();
    let mut object = stored(t.world, &t.name).await;
    object["status"]["nextWindow"]["opensAt"] = json!(hours(-3));
    object["status"]["nextWindow"]["closesAt"] = json!(hours(-2));
    store(t.world, &t.name, &object).await;
    let missed = tokio::time::timeout(PATIENCE, t.until_said("ChangePending", "True/WindowMissed")).await;
    assert!(missed.is_ok(), "{}", t.name);
}
