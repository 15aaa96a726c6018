//! Guard rails that admission cannot hold alone: of objects that it never saw, and of limits that follow what the vendor
//! shows. Each rail lets its own number through and holds the next one.

use futures::future::join_all;
use seatkeeper_support::needs_control_plane;
use serde_json::{Value, json};
use vendor_sim::Organization;

use crate::stored_objects::{store, stored};
use crate::tenants::Tenant;
use crate::world::{World, condition, organization, said, world};

/// Writes another spec behind the apiserver's back.
async fn rewrite(w: &World, t: &Tenant<'_>, seats: i32, rails: Value) {
    let mut object = stored(w, &t.name).await;
    object["spec"]["seats"] = json!(seats);
    object["spec"]["guardrails"] = rails;
    object["metadata"]["generation"] = json!(2);
    store(w, &t.name, &object).await;
}

/// A tenant of which the object was in sync and then was rewritten, and whether its change may be made.
struct Rewritten {
    what: &'static str,
    seats: i32,
    rails: Value,
    held: Option<&'static str>,
}

#[tokio::test(flavor = "multi_thread")]
async fn rail_of_an_object_that_admission_never_saw_holds_the_change() {
    needs_control_plane!();
    let w = world("rails").await;
    let case = |what, seats, rails, held| Rewritten { what, seats, rails, held };
    let above = "150 seats would be above spec.guardrails.maxSeats 149";
    let below = "90 seats would be below spec.guardrails.minSeats 91";
    let up = "150 seats are 50 more than now, above spec.guardrails.maxIncrease 49: declare 149 seats first, or raise maxIncrease";
    let down = "90 seats are 10 fewer than now, above spec.guardrails.maxDecrease 9: declare 91 seats first, or raise maxDecrease";
    let cases = [
        case("above the most", 150, json!({ "maxSeats": 149 }), Some(above)),
        case("the most", 150, json!({ "maxSeats": 150 }), None),
        case("below the least", 90, json!({ "minSeats": 91 }), Some(below)),
        case("the least", 90, json!({ "minSeats": 90 }), None),
        case("a step that is too large", 150, json!({ "maxIncrease": 49 }), Some(up)),
        case("the largest step", 150, json!({ "maxIncrease": 50 }), None),
        case("a step down that is too large", 90, json!({ "maxDecrease": 9 }), Some(down)),
        case("the largest step down", 90, json!({ "maxDecrease": 10 }), None),
    ];
    let play = async |case: Rewritten| {
        let t = w.tenant(case.what, organization()).await;
        t.declare(json!({ "seats": 100 })).await;
        t.until_in_sync(100).await;
        rewrite(&w, &t, case.seats, case.rails).await;
        match case.held {
            None => {
                t.until_in_sync(case.seats).await;
                assert_eq!(t.puts(), 1, "{}", case.what);
            }
            Some(sentence) => until_held(&t, sentence).await,
        }
    };
    join_all(cases.into_iter().map(play)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limit_that_follows_the_seats_is_held_above_the_rail_and_set_at_it() {
    needs_control_plane!();
    let w = world("rail-limit").await;
    let grown = || Organization::enterprise("Acme").seats(Some(250)).limit(Some(300)).members(80);
    let pinned =
        |most: i32| json!({ "seats": null, "limit": { "mode": "Pinned" }, "guardrails": { "maxSeats": most } });
    let held = w.tenant("limit above the rail", grown()).await;
    held.declare(pinned(249)).await;
    until_held(&held, "a limit of 250 would be above spec.guardrails.maxSeats 249").await;
    let set = w.tenant("limit at the rail", grown()).await;
    set.declare(pinned(250)).await;
    let limited = set.until("the limit", |status| status.limit == Some(250)).await;
    assert_eq!((limited.seats, set.puts(), set.organization().seats), (Some(250), 1, Some(250)));
}

#[tokio::test(flavor = "multi_thread")]
async fn up_to_limit_above_guard_rail_is_held_for_object_not_seen_by_admission() {
    needs_control_plane!();
    let w = world("rail-up-to").await;
    for most in [200, 201] {
        let t = w.tenant(&format!("up to 201 under {most}"), organization()).await;
        t.declare(json!({ "seats": 100 })).await;
        t.until_in_sync(100).await;
        let mut object = stored(&w, &t.name).await;
        object["spec"]["limit"] = json!({ "mode": "UpTo", "seats": 201 });
        object["spec"]["guardrails"] = json!({ "maxSeats": most });
        object["metadata"]["generation"] = json!(2);
        store(&w, &t.name, &object).await;
        if most < 201 {
            until_held(&t, "a limit of 201 would be above spec.guardrails.maxSeats 200").await;
        } else {
            t.until("the limit", |status| status.limit == Some(201)).await;
            assert_eq!((t.puts(), t.organization().seats), (1, Some(100)));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_correction_is_held_where_its_step_is_too_large() {
    needs_control_plane!();
    let w = world("rail-drift").await;
    for most in [49, 50] {
        let bought = Organization::enterprise("Acme").seats(Some(150)).limit(Some(150)).members(80);
        let t = w.tenant(&format!("corrected by {most} at most"), bought).await;
        t.declare(json!({ "seats": 150, "guardrails": { "maxIncrease": most } })).await;
        t.until_in_sync(150).await;
        w.bitwarden().set_seats(&t.key.id, 100).expect("the vendor allows it");
        if most < 50 {
            until_held(&t, "150 seats are 50 more than now, above spec.guardrails.maxIncrease 49").await;
            let drifted = t.status().await;
            assert_eq!(said(&drifted, "Drifted"), "True/ExternalChange");
        } else {
            t.until("the correction", |status| status.history.len() == 1).await;
            t.until_in_sync(150).await;
            assert_eq!((t.puts(), t.organization().billed.seats), (1, Some(150)));
        }
    }
}

/// Held with this sentence, however often it is looked at.
async fn until_held(t: &Tenant<'_>, sentence: &str) {
    let before = t.organization();
    let status = t.until_said("Ready", "False/GuardrailViolated").await;
    assert_eq!(said(&status, "Stalled"), "True/GuardrailViolated", "{}", t.name);
    let message = &condition(&status, "Ready").expect("Ready").message;
    assert!(message.contains(sentence), "{message}");
    assert_eq!(said(&status, "ChangePending"), "True/BlockedByGuardrail", "{sentence}");
    t.ask("again").await;
    assert_eq!(t.puts(), 0, "{sentence}");
    let after = t.organization();
    assert_eq!((after.seats, after.limit), (before.seats, before.limit), "{sentence}");
}
