//! The installer's ceilings, on the shipped binary: over every object and limit, held in words that name the flag, and never
//! lowering anything.

use futures::future::join_all;
use seatkeeper::api::LicenseSeatsStatus;
use seatkeeper_support::needs_control_plane;
use serde_json::{Value, json};
use vendor_sim::Organization;

use crate::tenants::{Tenant, fast_but};
use crate::world::{World, condition, organization, said};

async fn capped(name: &str) -> World {
    World::with(name, organization(), &fast_but(&["--max-seats=140", "--max-increase=30"])).await
}

fn ready(status: &LicenseSeatsStatus) -> &str {
    &condition(status, "Ready").expect("Ready").message
}

/// Held with this sentence, for a person to act, and nothing is sent.
async fn until_held(t: &Tenant<'_>, sentence: &str) -> LicenseSeatsStatus {
    let status = t.until_said("Ready", "False/GuardrailViolated").await;
    assert_eq!(said(&status, "Stalled"), "True/GuardrailViolated", "{}", t.name);
    assert_eq!(said(&status, "ChangePending"), "True/BlockedByGuardrail", "{}", t.name);
    assert!(ready(&status).contains(sentence), "{}: {}", t.name, ready(&status));
    t.ask("again").await;
    assert_eq!(t.puts(), 0, "{}", t.name);
    status
}

#[tokio::test(flavor = "multi_thread")]
async fn ceiling_allows_its_own_number_and_holds_next_of_seats_limit_and_step() {
    needs_control_plane!();
    let w = capped("ceilings").await;
    let of = |seats: i32| Organization::enterprise("Acme").seats(seats).limit(seats).members(60);
    let up_to = |seats: i32| json!({ "seats": 120, "limit": { "mode": "UpTo", "seats": seats } });
    let seats = |seats: i32| json!({ "seats": seats, "limit": { "mode": "Pinned" } });
    let most =
        "the installer's --max-seats 140: lower seats, or ask the installer to raise it (chart: limits.maxSeats)";
    let limit = "a limit of 141 would be above the installer's --max-seats 140: lower the limit";
    let step = "the installer's --max-increase 30: declare 130 seats first, or ask the installer to raise it (chart: limits.maxIncrease)";
    let cases: [(&str, i32, Value, Option<&str>); 6] = [
        ("the most", 120, seats(140), None),
        ("above the most", 120, seats(141), Some(most)),
        ("the highest limit", 120, up_to(140), None),
        ("a higher limit", 120, up_to(141), Some(limit)),
        ("the largest step", 100, seats(130), None),
        ("a larger step", 100, seats(131), Some(step)),
    ];
    let play = async |(name, shown, spec, held): (&str, i32, Value, Option<&str>)| {
        let t = w.tenant(name, of(shown)).await;
        t.declare(spec.clone()).await;
        let Some(sentence) = held else {
            let wanted = spec["seats"].as_i64().and_then(|seats| i32::try_from(seats).ok()).expect("seats");
            let status = t.until_in_sync(wanted).await;
            assert_eq!(t.puts(), 1, "{name}");
            let effective = status.effective.expect("status.effective");
            assert_eq!((effective.max_seats, effective.max_increase), (Some(140), Some(30)), "{name}");
            return;
        };
        until_held(&t, sentence).await;
        // What holds it is the number alone.
        w.edit(&t.name, json!({ "seats": 125, "limit": { "mode": "Pinned", "seats": null } })).await;
        t.until_in_sync(125).await;
    };
    join_all(cases.into_iter().map(play)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn seats_above_ceiling_stay_are_reported_and_may_be_lowered_never_raised() {
    needs_control_plane!();
    let w = capped("ceilings-above").await;
    let grown = || Organization::enterprise("Acme").seats(200).limit(200).members(80);
    let t = w.tenant("above", grown()).await;
    t.declare(json!({ "seats": 200 })).await;
    let status = t.until_in_sync(200).await;
    assert_eq!(status.summary.as_deref(), Some("in sync; above --max-seats 140"));
    let words = "200 purchased seats are above the installer's --max-seats 140: they stay, and none is added";
    assert!(ready(&status).contains(words), "{}", ready(&status));
    assert_eq!((t.puts(), said(&status, "Stalled").as_str()), (0, ""));
    w.edit(&t.name, json!({ "seats": 201 })).await;
    until_held(&t, "201 seats would be above the installer's --max-seats 140").await;
    w.edit(&t.name, json!({ "seats": 180 })).await;
    t.until_in_sync(180).await;
    assert_eq!(t.puts(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn seats_that_follow_the_use_stop_at_the_ceiling_and_name_it() {
    needs_control_plane!();
    let w = capped("ceilings-sizing").await;
    let sized = json!({ "seats": null, "sizing": { "headroom": { "seats": 10 }, "decreaseAfter": "1h" } });
    let org = |seats: i32, members: u32| Organization::enterprise("Acme").seats(seats).limit(seats).members(members);
    let below = w.tenant("below", org(138, 135)).await;
    let above = w.tenant("above", org(200, 198)).await;
    for t in [&below, &above] {
        t.declare(sized.clone()).await;
    }
    let status = below.until_in_sync(140).await;
    assert_eq!(status.summary.as_deref(), Some("use asks 145, --max-seats 140"));
    let status = above.until_in_sync(200).await;
    let told = "use asks 208, --max-seats 140…";
    assert_eq!(status.summary.as_deref(), Some(told), "what is there stays");
    assert_eq!((below.puts(), above.puts()), (1, 0));
}
