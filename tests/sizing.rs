//! Seats that follow the use, on the real apiserver: who joins, who leaves, what is not shown, and what is never bought.

use jiff::SignedDuration;
use seatkeeper::api::{LicenseSeatsStatus, SizeBound, SizingStatus};
use seatkeeper_support::needs_control_plane;
use serde_json::{Value, json};
use vendor_sim::{Organization, Role};

use crate::stored_objects::{store, stored};
use crate::tenants::Tenant;
use crate::windows::{now, opening_at};
use crate::world::{FAST, World, condition, organization, said, world};

/// 105 seats, pinned, of which 95 are in use: just what a headroom of 10 asks for.
fn grown() -> Organization {
    Organization::enterprise("Acme").seats(105).limit(105).members(95)
}

/// A headroom of 10, and `more`.
fn sized(more: Value) -> Value {
    let mut spec = json!({ "seats": null, "sizing": { "headroom": { "seats": 10 }, "decreaseAfter": "1h" } });
    crate::world::merge(&mut spec, more);
    spec
}

fn sizing(status: &LicenseSeatsStatus) -> SizingStatus {
    status.sizing.clone().expect("status.sizing")
}

fn message(status: &LicenseSeatsStatus, kind: &str) -> String {
    condition(status, kind).map_or_else(String::new, |condition| condition.message.clone())
}

fn reasons(status: &LicenseSeatsStatus) -> Vec<Value> {
    status.history.iter().map(|change| serde_json::to_value(change.reason).expect("JSON")).collect()
}

/// The organization of the world itself.
fn first(w: &World) -> Tenant<'_> {
    Tenant { world: w, name: "key".into(), key: w.key.clone() }
}

impl Tenant<'_> {
    /// Waits until what is recorded of the use says so many.
    async fn until_used(&self, used: i32) -> LicenseSeatsStatus {
        self.until(&format!("{used} in use"), |status| {
            status.used == Some(used) && status.sizing.as_ref().is_some_and(|sizing| sizing.used == used)
        })
        .await
    }

    /// Holds that some polls write nothing to the apiserver and send nothing that buys.
    async fn rests(&self) {
        let version = async || self.world.seats().get(&self.name).await.expect("the object").metadata.resource_version;
        self.until_polled(1).await;
        let (writes, written) = (self.writes(), version().await);
        self.until_polled(3).await;
        assert_eq!((self.writes(), version().await), (writes, written), "no write at rest");
    }

    /// As if what is recorded of the use were two hours older.
    async fn ages(&self) {
        let mut object = stored(self.world, &self.name).await;
        let ago = (now() - SignedDuration::from_hours(2)).to_string();
        let sizing = &mut object["status"]["sizing"];
        sizing["since"] = json!(ago);
        for past in sizing["highest"].as_array_mut().into_iter().flatten() {
            past["until"] = json!(ago);
        }
        store(self.world, &self.name, &object).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn seats_follow_joining_users_by_one_purchase_per_growth_and_none_at_rest() {
    needs_control_plane!();
    let w = world("sizing").await;
    let t = w.tenant("grows", grown()).await;
    t.declare(sized(json!({}))).await;
    let status = t.until_in_sync(105).await;
    assert_eq!((status.desired, sizing(&status).wanted, t.puts()), (Some(105), 105, 0));
    t.rests().await;
    for (joined, used, seats, puts) in [(5, 100, 110, 1), (1, 101, 111, 2)] {
        assert!(w.bitwarden().join(&t.key.id, joined));
        let status = t.until_in_sync(seats).await;
        assert_eq!((status.used, status.limit, status.desired), (Some(used), Some(seats), Some(seats)));
        assert_eq!((t.puts(), t.organization().billed.seats), (puts, Some(seats)));
        assert_eq!(reasons(&status), vec![json!("UseChanged"); puts]);
        t.rests().await;
    }
    let told = w.until_told("SeatsIncreased", 2).await;
    assert!(told.iter().any(|(_, note)| note.contains("following the use")), "{told:?}");
    // Those who leave and come back buy nothing.
    for _ in 0..3 {
        assert_eq!(w.bitwarden().leave(&t.key.id, 4), 4);
        t.until_used(97).await;
        assert!(w.bitwarden().join(&t.key.id, 4));
        t.until_used(101).await;
    }
    t.rests().await;
    assert_eq!((t.puts(), t.organization().seats), (2, Some(111)));
    assert_eq!(said(&t.status().await, "Drifted"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_an_owners_key_seats_follow_downwards_after_a_while_over_a_restart() {
    needs_control_plane!();
    let mut w = World::with("sizing-down", grown(), FAST).await;
    let key = w.bitwarden().add_user_key(&w.key.id, Role::Owner);
    w.secret("owner", w.personal(&key)).await;
    let owner = json!({ "vendor": { "bitwarden": { "ownerCredentialsSecretRef": { "name": "owner" } } } });
    w.declare("key", sized(owner)).await;
    let status = w.until_in_sync("key", 105).await;
    assert_eq!(status.used_is_lower_bound, Some(false));
    assert_eq!(w.bitwarden().leave(&w.key.id, 35), 35);
    let id = w.key.id.clone();
    let status = first(&w).until_used(60).await;
    assert_eq!((status.desired, status.summary.as_deref()), (Some(105), Some("in sync")));
    let remembered = sizing(&status).highest;
    assert_eq!(remembered.iter().map(|past| past.used).collect::<Vec<_>>(), [95]);
    let ready = message(&status, "Ready");
    assert!(ready.contains("60 in use ask for 70 seats") && ready.contains("goes below 105 seats on"), "{ready}");
    first(&w).rests().await;
    assert_eq!(w.bitwarden().writes(&id), 0);
    w.crash_and_restart(FAST).await;
    let t = first(&w);
    t.rests().await;
    assert_eq!(sizing(&t.status().await).highest, remembered, "it is remembered over a restart");
    t.ages().await;
    let status = t.until_in_sync(70).await;
    assert_eq!(
        (sizing(&status).highest, status.limit, reasons(&status)),
        (vec![], Some(70), vec![json!("UseChanged")])
    );
    assert_eq!((t.writes(), t.organization().billed.seats), (1, Some(70)));
    t.rests().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lower_bound_of_use_lowers_nothing_at_any_age_and_names_key_showing_all() {
    needs_control_plane!();
    let w = world("sizing-bound").await;
    let t = w.tenant("bound", grown()).await;
    t.declare(sized(json!({}))).await;
    t.until_in_sync(105).await;
    assert_eq!(w.bitwarden().leave(&t.key.id, 55), 55);
    let status = t.until_used(40).await;
    assert_eq!((status.used_is_lower_bound, sizing(&status).since), (Some(true), None));
    t.ages().await;
    let status = t.until("the earlier use is forgotten", |s| sizing(s).highest.is_empty()).await;
    assert_eq!((said(&status, "Ready").as_str(), status.desired), ("True/InSync", Some(105)));
    let ready = message(&status, "Ready");
    let told = "these credentials show 40 in use, which ask for 50 seats; more may be in use, so Seatkeeper gives none back: use an \
                owner's key (ownerCredentialsSecretRef)";
    assert!(ready.contains(told), "{ready}");
    t.rests().await;
    assert_eq!((t.writes(), t.organization().seats), (0, Some(105)));
    // More use counts at once all the same.
    assert!(w.bitwarden().join(&t.key.id, 56));
    t.until_in_sync(106).await;
    assert_eq!(t.puts(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn bound_of_size_is_named_in_status_and_in_shortage() {
    needs_control_plane!();
    let w = world("sizing-clamp").await;
    let t = w.tenant("clamp", grown()).await;
    t.declare(sized(json!({ "guardrails": { "maxSeats": 108 } }))).await;
    t.until_in_sync(105).await;
    assert!(w.bitwarden().join(&t.key.id, 5));
    let status = t.until_in_sync(108).await;
    assert_eq!(status.summary.as_deref(), Some("in sync; use asks 110, maxSeats 108"));
    assert_eq!((sizing(&status).wanted, sizing(&status).clamped_by), (110, Some(SizeBound::MaxSeats)));
    assert!(w.bitwarden().join(&t.key.id, 8));
    let status = t.until_said("SeatShortage", "True/Exhausted").await;
    let short = message(&status, "SeatShortage");
    assert!(
        short.contains("the use asks for 118 seats, above spec.guardrails.maxSeats 108: raise maxSeats"),
        "{short}"
    );
    t.rests().await;
    assert_eq!((t.puts(), t.organization().seats), (1, Some(108)));
    // A step is bounded as well, and the next ones follow.
    w.edit(&t.name, json!({ "guardrails": { "maxSeats": 200, "maxIncrease": 6 } })).await;
    let status = t.until_in_sync(118).await;
    let steps: Vec<_> = status.history.iter().rev().map(|change| change.target().seats).collect();
    assert_eq!((steps, t.puts()), (vec![108, 114, 118], 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn use_that_is_not_shown_stalls_with_the_fix_and_sends_nothing() {
    needs_control_plane!();
    let w = world("sizing-unshown").await;
    let pools = || organization().secrets_manager(20, 50).sm_limit(20).service_account_limit(60);
    for (product, fix) in [
        ("MachineAccounts", "shows to no credentials: nothing is changed. Declare spec.seats instead"),
        ("SecretsManager", "Use an owner's key (ownerCredentialsSecretRef), or declare spec.seats instead"),
    ] {
        let t = w.tenant(product, pools()).await;
        t.declare(sized(json!({ "vendor": { "bitwarden": { "product": product } } }))).await;
        let status = t.until_said("Ready", "False/UnsupportedByVendor").await;
        assert_eq!(said(&status, "Stalled"), "True/UnsupportedByVendor");
        assert_eq!((status.summary.as_deref(), &status.sizing), (Some("use not shown; sizing needs it"), &None));
        let ready = message(&status, "Ready");
        assert!(ready.contains(fix), "{ready}");
        t.rests().await;
        assert_eq!(t.writes(), 0);
        // Declared as a number, it goes on.
        let seats = if product == "MachineAccounts" { 55 } else { 25 };
        w.edit(&t.name, json!({ "sizing": null, "seats": seats })).await;
        let status = t.until_in_sync(seats).await;
        assert_eq!((t.writes(), status.sizing), (1, None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn use_of_other_organization_buys_nothing_when_credentials_are_switched() {
    needs_control_plane!();
    let w = world("sizing-switched").await;
    let t = w.tenant("large", organization().seats(905).limit(905).members(900)).await;
    t.declare(sized(json!({}))).await;
    t.until_in_sync(910).await;
    let small = w.tenant("small", organization().seats(50).limit(50).members(30)).await;
    w.edit(&t.name, json!({ "vendor": { "bitwarden": { "credentialsSecretRef": { "name": "small" } } } })).await;
    let status = t.until("the other organization", |status| status.seats == Some(50) && status.used == Some(30)).await;
    assert_eq!((sizing(&status).used, sizing(&status).highest), (30, vec![]));
    small.until_polled(3).await;
    assert_eq!((small.writes(), small.organization().seats), (0, Some(50)));
    assert!(w.bitwarden().join(&small.key.id, 11));
    t.until_in_sync(51).await;
    assert_eq!((small.writes(), small.organization().billed.seats), (1, Some(51)));
}

#[tokio::test(flavor = "multi_thread")]
async fn growth_beyond_one_step_waits_for_next_window_and_ends_as_users_leave() {
    needs_control_plane!();
    let w = world("sizing-window").await;
    let t = w.tenant("window", grown()).await;
    let spec = json!({ "adjustment": opening_at(now()), "guardrails": { "maxIncrease": 6 } });
    t.declare(sized(spec)).await;
    t.until_in_sync(105).await;
    assert!(w.bitwarden().join(&t.key.id, 10));
    let status = t.until_said("ChangePending", "True/AwaitingWindow").await;
    assert_eq!((status.seats, status.window.map(|used| used.changes)), (Some(111), Some(1)));
    let summary = status.summary.unwrap_or_default();
    assert!(summary.starts_with("+4 seats at "), "{summary}");
    t.rests().await;
    assert_eq!(w.bitwarden().leave(&t.key.id, 10), 10);
    let status = t.until_in_sync(111).await;
    assert_eq!((status.next_window, status.plan), (None, None), "nothing is bought for those who are gone");
    t.rests().await;
    assert_eq!((t.puts(), t.organization().seats), (1, Some(111)));
}

#[tokio::test(flavor = "multi_thread")]
async fn object_finding_more_seats_than_use_needs_lowers_only_if_person_agrees() {
    needs_control_plane!();
    let w = world("sizing-first").await;
    let t = w.tenant("first", organization()).await;
    t.person(Role::Owner).await;
    w.declare(&t.name, t.both(sized(json!({})))).await;
    let status = t.until_in_sync(100).await;
    assert_eq!((sizing(&status).wanted, sizing(&status).seats_then), (90, Some(100)));
    t.rests().await;
    t.ages().await;
    let status = t.until_said("Ready", "False/FirstSight").await;
    assert_eq!((said(&status, "ChangePending").as_str(), t.writes()), ("True/FirstSight", 0));
    w.agree(&t.name).await;
    t.until_in_sync(90).await;
    assert_eq!((t.writes(), t.organization().billed.seats), (1, Some(90)));
}
