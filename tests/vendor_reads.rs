//! Every bad answer to a reading: one is no news, several are told as what they are, and all of it heals. Whatever the
//! vendor says in words goes nowhere.

use futures::future::join_all;
use seatkeeper::api::LicenseSeatsStatus;
use seatkeeper_support::{OPERATOR_USER, needs_control_plane};
use serde_json::json;
use vendor_sim::{Fault, FaultKind, Organization, Role};

use crate::bad_answers::{
    Case, MARKER, On, SIGN_IN, answer, owner_reading_cases, owner_throttled_cases, reading_cases, throttled,
    throttled_cases, token_cases,
};
use crate::tenants::{Tenant, fast_but};
use crate::world::{World, condition, organization, said, world};

/// Whose key reads.
#[derive(Clone, Copy, PartialEq)]
enum KeyOf {
    Organization,
    Owner,
}

/// With the organization's key.
async fn play(w: &World, case: Case) {
    let t = w.tenant(&case.0, organization()).await;
    t.declare(json!({ "seats": 100, "interval": "1m" })).await;
    play_at(&t, KeyOf::Organization, case).await;
}

/// With an owner's key alone.
async fn play_of_owner(w: &World, case: Case) {
    let t = w.tenant(&case.0, organization()).await;
    let person = t.person(Role::Owner).await;
    w.declare(&t.name, t.alone(json!({ "seats": 100, "interval": "1m" }))).await;
    play_at(&t, KeyOf::Owner, case).await;
    assert_eq!((t.owner_requests("POST"), t.owner_requests("PUT"), t.writes()), (0, 0, 0), "{}", t.name);
    assert!(!w.operator.log().contains(&person.client_secret), "{}", t.name);
    // Nothing is left of it: readings go on, and nobody is told anything.
    t.ask("once more").await;
    t.until_polled(1).await;
    let mark = w.plane.audit_mark();
    t.until_polled(3).await;
    let wrote = w.plane.audit_since(mark).writes(OPERATOR_USER, &w.namespace).name(&t.name);
    assert!(wrote.is_empty(), "{}: {:?}", t.name, wrote.events());
}

/// One bad answer after a good reading, then nothing but bad answers, then good ones again.
async fn play_at(t: &Tenant<'_>, of: KeyOf, (what, on, kind): Case) {
    let w = t.world;
    let before = t.until_in_sync(100).await;

    // A login of a person names no organization.
    let alone = matches!(on, On::Token) && of == KeyOf::Owner;
    let inject = |fault| if alone { w.bitwarden().inject(fault) } else { t.inject(fault) };
    let once = inject(on.fault(kind.clone()));
    if matches!(on, On::Token) {
        t.until_token_is_old().await;
    }
    t.ask("first").await;
    assert_eq!(w.bitwarden().fired(once), 1, "{what}");
    let after = t.ask("second").await;
    let last_handled_reconcile_at = None;
    let after = LicenseSeatsStatus { last_handled_reconcile_at, ..after };
    assert_eq!(after, before, "{what}");

    let lasting = inject(on.fault(kind).for_ever());
    w.edit(&t.name, json!({ "interval": "1s" })).await;
    let status = t.until_said("Ready", "Unknown/ObservationStale").await;
    let accepted = what.ends_with(" 404") && !matches!(on, On::Token);
    let credentials = if accepted { "True/Authenticated" } else { "Unknown/VendorUnreachable" };
    assert_eq!(said(&status, "CredentialsValid"), credentials, "{what}");
    let known = (status.seats, status.used);
    assert_eq!(known, (Some(100), Some(80)), "{what}: the last known numbers stay");

    w.bitwarden().clear_fault(lasting);
    w.annotate(&t.name, "seatkeeper.dev/reconcile-requested-at", "now").await;
    t.until_in_sync(100).await;
    assert_eq!(t.puts(), 0, "{what}");
}

async fn play_all(w: &World, cases: Vec<Case>) {
    join_all(cases.into_iter().map(|case| play(w, case))).await;
    assert_in_order(w).await;
}

/// The operator lives, is small, and tells nothing of what it read.
async fn assert_in_order(w: &World) {
    assert_eq!(w.operator.try_exit(), None);
    let peak = w.operator.peak_rss_kib().expect("it runs");
    assert!(peak < 80 * 1024, "{peak} KiB for bodies of 50 MB");
    assert_silent(w).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn single_bad_reading_is_silent_lasting_one_reported_and_both_heal() {
    needs_control_plane!();
    let w = world("reads").await;
    w.needs_many_tokens();
    play_all(&w, reading_cases()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_owner_key_reading_is_silent_and_lasting_one_reported() {
    needs_control_plane!();
    let w = world("owner-reads").await;
    w.needs_many_tokens();
    join_all(owner_reading_cases().into_iter().map(|case| play_of_owner(&w, case))).await;
    assert_in_order(&w).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn single_throttle_is_silent_lasting_one_reported_and_both_heal() {
    needs_control_plane!();
    for case in throttled_cases() {
        let w = world("edge").await;
        if matches!(case.1, On::Token) {
            w.needs_many_tokens();
            w.bitwarden().switch(|s| s.token_lifetime_seconds = 1);
        }
        play_all(&w, vec![case]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn single_bad_token_is_silent_lasting_lack_reported_and_both_heal() {
    needs_control_plane!();
    let w = world("tokens").await;
    w.needs_many_tokens();
    w.bitwarden().switch(|s| s.token_lifetime_seconds = 1);
    play_all(&w, token_cases()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn single_throttle_of_owner_key_is_silent_and_lasting_one_is_reported() {
    needs_control_plane!();
    for case in owner_throttled_cases() {
        let w = world("owner-edge").await;
        if matches!(case.1, On::Token) {
            w.needs_many_tokens();
            w.bitwarden().switch(|s| s.token_lifetime_seconds = 1);
        }
        play_of_owner(&w, case).await;
        assert_in_order(&w).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_token_is_not_reported_and_lack_of_good_ones_is() {
    needs_control_plane!();
    // One person at a time in each world, for a login names no organization.
    let (cases, worlds) = (token_cases(), 3);
    join_all((0..worlds).map(async |which| {
        let w = world(&format!("owner-tokens-{which}")).await;
        w.needs_many_tokens();
        w.bitwarden().switch(|s| s.token_lifetime_seconds = 1);
        for case in cases.iter().skip(which).step_by(worlds) {
            play_of_owner(&w, case.clone()).await;
            assert_in_order(&w).await;
            for object in w.seats().list(&Default::default()).await.expect("a list") {
                let name = object.metadata.name.expect("a name");
                w.seats().delete(&name, &Default::default()).await.expect("delete");
            }
        }
    }))
    .await;
}

/// Nothing the vendor wrote, and no secret, is found anywhere.
async fn assert_silent(w: &World) {
    let objects = w.seats().list(&Default::default()).await.expect("a list");
    let places = [
        ("log", w.operator.log()),
        ("metrics", w.operator.metrics().await),
        ("events", format!("{:?}", w.events().await)),
        ("objects", serde_json::to_string(&objects).expect("JSON")),
    ];
    for (place, text) in places {
        for word in [MARKER, SIGN_IN, w.key.client_secret.as_str(), "panicked"] {
            assert!(!text.contains(word), "{word:?} is in the {place}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_token_is_replaced_by_one_that_all_readings_share() {
    needs_control_plane!();
    let w = world("expired").await;
    w.declare("acme", json!({ "seats": 100 })).await;
    w.until_in_sync("acme", 100).await;
    let before = w.bitwarden().token_requests();
    assert_eq!(before, 1);
    w.bitwarden().expire_tokens();
    w.until_polled(4).await;
    assert_eq!(w.bitwarden().token_requests(), 2);
    assert_eq!(said(&w.status("acme").await, "Ready"), "True/InSync");
}

#[tokio::test(flavor = "multi_thread")]
async fn single_403_is_silent_and_retried_with_fresh_token() {
    needs_control_plane!();
    let w = world("forbidden").await;
    w.declare("acme", json!({ "seats": 100 })).await;
    let before = w.until_in_sync("acme", 100).await;
    let once = w.bitwarden().inject(Fault::on_get(answer(403, "")));
    assert!(w.bitwarden().wait_fired(once, 1).await);
    w.until_polled(3).await;
    assert_eq!(w.bitwarden().token_requests(), 2);
    assert_eq!(w.status("acme").await, before);
    assert_silent(&w).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_thousand_members_are_counted_without_list_held_in_memory() {
    needs_control_plane!();
    // Those who have left make a list of 25 MB of it, and take no seat.
    let big = Organization::enterprise("Big").seats(32_000).limit(32_000).members(30_000).revoked(55_000);
    let w = World::with("members", big, &fast_but(&["--read-timeout=60s"])).await;
    w.declare("acme", json!({ "seats": 32_000, "interval": "1m" })).await;
    let status = w.until_in_sync("acme", 32_000).await;
    assert_eq!((status.used, status.used_is_lower_bound), (Some(30_000), Some(true)));
    let peak = w.operator.peak_rss_kib().expect("it runs");
    assert!(peak < 48 * 1024, "{peak} KiB for a list of 85 000 people");
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_credentials_are_reported_with_fix_and_not_retried_until_change() {
    needs_control_plane!();
    let w = World::with("refused-reads", organization(), &fast_but(&["--credential-probe=1h"])).await;
    w.needs_many_tokens();
    let invalid = r#"{"error":"invalid_client","error_description":"MARKER"}"#;
    let play = async |(what, on, kind, reason, fix): (&str, On, FaultKind, &str, &str)| {
        let t = w.tenant(what, organization()).await;
        t.declare(json!({ "seats": 100 })).await;
        t.until_in_sync(100).await;
        let asked = || w.bitwarden().count(|r| r.organization.as_deref() == Some(&t.key.id));
        let lasting = t.inject(on.fault(kind).for_ever());
        w.bitwarden().expire_tokens();
        let status = t.until_said("CredentialsValid", &format!("False/{reason}")).await;
        assert_eq!(said(&status, "Ready"), "False/CredentialsInvalid", "{what}");
        assert_eq!(said(&status, "Stalled"), format!("True/{reason}"), "{what}");
        let message = &condition(&status, "Ready").expect("Ready").message;
        assert!(message.contains(fix), "{what}: {message}");
        let before = asked();
        t.until_secret_looked_at(4).await;
        assert_eq!(asked(), before, "{what}: the vendor is left alone");
        w.bitwarden().clear_fault(lasting);
        w.secret(&t.name, w.credentials(&t.key)).await;
        t.until_in_sync(100).await;
    };
    let cases = [
        ("invalid client", On::Token, answer(400, invalid), "Rejected", "rotated"),
        ("token 400", On::Token, answer(400, ""), "Rejected", "clientSecret"),
        ("401", On::Subscription, answer(401, r#"{"message":"MARKER"}"#), "Rejected", "fresh token"),
        ("401 members", On::Members, answer(401, ""), "Rejected", "fresh token"),
        ("403", On::Subscription, answer(403, r#"{"x":"MARKER"}"#), "InsufficientRole", "API key of this organization"),
        ("403 members", On::Members, answer(403, ""), "InsufficientRole", "network in front of"),
    ];
    join_all(cases.map(play)).await;
    assert_silent(&w).await;
}

/// Something in front of the vendor refuses, and lets the request through later.
async fn play_in_front(w: &World, (what, on, kind): (&str, On, FaultKind)) {
    let t = w.tenant(what, organization()).await;
    let fault = on.fault(kind).for_ever();
    let fault = if what.starts_with("owner") {
        // A login of a person names no organization.
        let fault = w.bitwarden().inject(fault);
        t.person(Role::Owner).await;
        w.declare(&t.name, t.alone(json!({ "seats": 100 }))).await;
        fault
    } else {
        let fault = t.inject(fault);
        t.declare(json!({ "seats": 100 })).await;
        fault
    };
    let status = t.until_said("CredentialsValid", "Unknown/VendorUnreachable").await;
    assert_eq!(said(&status, "Ready"), "Unknown/ObservationStale", "{what}");
    let message = &condition(&status, "Ready").expect("Ready").message;
    assert!(message.contains("something in front of Bitwarden refuses the request"), "{what}: {message}");
    w.bitwarden().clear_fault(fault);
    t.until_in_sync(100).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusal_in_front_of_vendor_accuses_no_key_and_is_retried_soon() {
    needs_control_plane!();
    // A key that is held to be bad would not be tried again while the test lasts.
    let w = World::with("in-front", organization(), &fast_but(&["--credential-probe=1h"])).await;
    w.needs_many_tokens();
    let cases = [
        ("token 400", On::Token, answer(400, "<html>MARKER</html>")),
        ("token 401", On::Token, answer(401, "MARKER")),
        ("token 403", On::Token, FaultKind::EdgeForbidden),
        ("401", On::Subscription, answer(401, "MARKER")),
        ("401 members", On::Members, answer(401, "<html>MARKER</html>")),
        ("403", On::Subscription, answer(403, "MARKER")),
        ("403 members", On::Members, FaultKind::EdgeForbidden),
    ];
    join_all(cases.map(|case| play_in_front(&w, case))).await;
    play_in_front(&w, ("owner token 400", On::Token, answer(400, "<html>MARKER</html>"))).await;
    play_in_front(&w, ("owner token 401", On::Token, answer(401, "MARKER"))).await;
    assert_silent(&w).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn throttled_reading_is_not_retried_early_even_to_report_stale_status() {
    needs_control_plane!();
    let w = world("retry-after").await;
    w.declare("acme", json!({ "seats": 100 })).await;
    w.until_in_sync("acme", 100).await;
    let fault = w.bitwarden().inject(Fault::on_get(throttled("5")));
    assert!(w.bitwarden().wait_fired(fault, 1).await);
    let status = w.until_reason("acme", "Ready", "ObservationStale").await;
    assert!(condition(&status, "Ready").expect("Ready").message.contains("asks for"), "{status:?}");
    w.until_in_sync("acme", 100).await;
    let all = w.bitwarden().requests();
    let reads: Vec<_> = all.iter().filter(|r| r.path.ends_with("/subscription")).collect();
    let refused = reads.iter().position(|r| r.status == Some(429)).expect("the throttled one");
    let pause = reads[refused + 1].at.duration_since(reads[refused].at);
    assert!(pause.as_secs() >= 5, "asked again after {pause:?}");
}
