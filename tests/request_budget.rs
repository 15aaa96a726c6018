//! The rate limiter: the vendor's own limiter never has to refuse, a pause that the vendor asks for counts for all
//! objects, and a bad key costs one request however many objects use it.

use seatkeeper::api::LicenseSeatsStatus;
use seatkeeper_support::{OPERATOR_USER, needs_control_plane, wait_for};
use serde_json::json;
use vendor_sim::{Fault, OrganizationKey, RateLimits, RequestRecord};

use crate::bad_answers::throttled;
use crate::tenants::{Tenant, fast_but};
use crate::world::{FAST, PATIENCE, World, condition, organization, said, world};

/// Organizations with an object each: as many tokens as there are in a minute for first looks.
async fn tenants(w: &World, n: usize) -> Vec<Tenant<'_>> {
    let mut tenants = Vec::new();
    for i in 0..n {
        tenants.push(w.tenant(&format!("org {i}"), organization()).await);
    }
    tenants
}

fn refused(w: &World) -> usize {
    w.bitwarden().count(|request| request.status == Some(429))
}

#[tokio::test(flavor = "multi_thread")]
async fn operator_buys_polls_and_edits_within_vendor_limits_without_refusal() {
    needs_control_plane!();
    let w = world("limited").await;
    w.bitwarden().switch(|s| s.rate_limits = RateLimits::vendor());
    let tenants = tenants(&w, 8).await;
    for t in &tenants {
        t.declare(json!({})).await;
    }
    for t in &tenants {
        t.until_in_sync(150).await;
    }
    // Eight objects that ask for a look every second are more than the vendor takes of readings.
    w.until_polled(40).await;
    w.edit(&tenants[3].name, json!({ "seats": 160 })).await;
    tenants[3].until_in_sync(160).await;
    w.until_polled(20).await;
    assert_eq!(refused(&w), 0);
    assert_eq!(tenants.iter().map(Tenant::puts).sum::<usize>(), 9);
    assert_eq!(w.bitwarden().token_requests(), 8);
    let rate_limited = w.operator.metric(r#"seatkeeper_reconciles_total{outcome="rate_limited"}"#).await;
    assert!(rate_limited.is_some_and(|rate_limited| rate_limited > 0.0), "{rate_limited:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn object_waiting_beyond_three_intervals_reports_once_and_is_read() {
    needs_control_plane!();
    let mut w = world("turns").await;
    let mut names = Vec::new();
    for t in tenants(&w, 4).await {
        t.declare(json!({ "seats": 100 })).await;
        t.until_in_sync(100).await;
        names.push(t.name);
    }
    // A new process has no tokens, and takes few a minute.
    let mark = w.plane.audit_mark();
    w.crash_and_restart(FAST).await;
    let waits = async || {
        for name in &names {
            let status = w.status(name).await;
            let ready = condition(&status, "Ready")
                .filter(|ready| ready.message.contains("Seatkeeper has not read this object"));
            if let Some(ready) = ready {
                return Some((ready.reason.clone(), status.seats));
            }
        }
        None
    };
    let told = wait_for("one that waits to say so", PATIENCE, waits).await;
    assert_eq!(told, ("ObservationStale".into(), Some(100)));
    for name in &names {
        w.until_in_sync(name, 100).await;
        let writes = w.plane.audit_since(mark).writes(OPERATOR_USER, &w.namespace).resource("licenseseats").name(name);
        assert!(writes.len() <= 2, "{name}: {:?}", writes.events());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_over_a_minute_away_is_reported_once_without_event() {
    needs_control_plane!();
    let w = world("late-turns").await;
    w.needs_many_tokens();
    // Each reading needs a token of its own.
    w.bitwarden().switch(|s| s.token_lifetime_seconds = 1);
    let tenants = tenants(&w, 24).await;
    for t in &tenants {
        t.declare(json!({ "seats": 100, "interval": "1h" })).await;
    }
    for t in &tenants {
        t.until_in_sync(100).await;
    }
    tenants[0].until_token_is_old().await;
    w.bitwarden().switch(|s| s.rate_limits = RateLimits::vendor());
    // The answers of this reading show the limiter. Of the others nine get a token in this minute, and nine in the next one.
    tenants[0].ask("first").await;
    let (mark, events) = (w.plane.audit_mark(), w.events().await);
    for t in &tenants[1..] {
        w.annotate(&t.name, "seatkeeper.dev/reconcile-requested-at", "now").await;
    }
    let message = |status: &LicenseSeatsStatus| condition(status, "Ready").expect("Ready").message.clone();
    let late = async || {
        let mut late = Vec::new();
        for t in &tenants {
            let status = t.status().await;
            if message(&status)
                .contains(". Rate limited: Bitwarden limits the requests per minute. The numbers are from 20")
            {
                late.push((t.name.clone(), status));
            }
        }
        (late.len() >= 5).then_some(late)
    };
    for (name, status) in wait_for("five turns to be late", PATIENCE, late).await {
        assert!(message(&status).contains("Z. The next reading is at about 20"), "{}", message(&status));
        assert_eq!((said(&status, "Ready").as_str(), status.summary.as_deref()), ("True/InSync", Some("in sync")));
        assert_eq!(status.last_handled_reconcile_at, None, "{name}: a request is handled once the vendor is read");
        let writes = w.plane.audit_since(mark).writes(OPERATOR_USER, &w.namespace).resource("licenseseats").name(&name);
        assert_eq!(writes.len(), 1, "{name}: {:?}", writes.events());
    }
    assert_eq!((w.events().await, refused(&w)), (events, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn new_object_behind_bad_keys_reports_wait_before_first_reading() {
    needs_control_plane!();
    let w = world("behind-bad-keys").await;
    w.bitwarden().switch(|s| s.rate_limits = RateLimits::vendor());
    for t in tenants(&w, 14).await {
        let mut bogus = w.credentials(&t.key);
        bogus["clientSecret"] = json!("not-the-secret-of-this-key");
        w.secret(&t.name, bogus).await;
        t.declare(json!({})).await;
    }
    let spent = async || (w.bitwarden().token_requests() >= 8).then_some(());
    wait_for("the tokens of a minute to be spent", PATIENCE, spent).await;
    let good = w.tenant("good", organization()).await;
    good.declare(json!({})).await;
    let status = good.until_said("Ready", "Unknown/ObservationStale").await;
    let message = &condition(&status, "Ready").expect("Ready").message;
    assert!(message.contains("Seatkeeper has not read this object yet"), "{message}");
    assert_eq!((status.summary.as_deref(), status.seats), (Some("rate limited; waiting"), None));
}

/// Objects with invented keys, more than the vendor takes token requests of in five minutes; its limit is reached.
async fn with_invented_keys(w: &World) -> Vec<String> {
    w.bitwarden().switch(|s| s.rate_limits = RateLimits::vendor());
    let mut names = Vec::new();
    for t in tenants(w, 40).await {
        let mut invented = w.credentials(&t.key);
        invented["clientSecret"] = json!("not-the-secret-of-this-key");
        w.secret(&t.name, invented).await;
        t.declare(json!({})).await;
        names.push(t.name);
    }
    let spent = async || (tokens(w).len() >= 8).then_some(());
    wait_for("the tokens of a minute to be spent", PATIENCE, spent).await;
    names
}

/// Token requests in the order of their arrival.
fn tokens(w: &World) -> Vec<RequestRecord> {
    let mut requests = w.bitwarden().requests();
    requests.retain(|request| request.path.ends_with("/connect/token"));
    requests
}

/// The token requests after the first so many, up to the first one with this key.
async fn tokens_until(w: &World, after: usize, key: &OrganizationKey) -> Vec<RequestRecord> {
    let asked = async || {
        let tokens = tokens(w).split_off(after);
        let at = tokens.iter().position(|request| request.organization.as_deref() == Some(&key.id))?;
        Some(tokens[..=at].to_vec())
    };
    wait_for("a token request with the good key", PATIENCE * 3, asked).await
}

#[tokio::test(flavor = "multi_thread")]
async fn new_object_does_not_wait_for_many_bad_keys_of_another_namespace() {
    needs_control_plane!();
    let mut w = World::over_all_namespaces("shares", organization(), FAST).await;
    with_invented_keys(&w).await;
    w.namespace = w.plane.namespace("shares-good").await;
    let good = w.tenant("good", organization()).await;
    let before = tokens(&w).len();
    good.declare(json!({})).await;
    let until = tokens_until(&w, before, &good.key).await;
    // Four leave within a second, and may overtake each other on the way.
    assert!(until.len() <= 4, "{} bad keys came before it", until.len() - 1);
    assert_eq!(refused(&w), 0);
    good.until_in_sync(150).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_objects_give_their_places_to_waiting_object() {
    needs_control_plane!();
    let w = world("places-of-the-deleted").await;
    let bad = with_invented_keys(&w).await;
    let good = w.tenant("good", organization()).await;
    good.declare(json!({})).await;
    good.until_said("Ready", "Unknown/ObservationStale").await;
    for name in &bad {
        w.seats().delete(name, &Default::default()).await.expect("delete");
    }
    let after = tokens(&w).len();
    let until = tokens_until(&w, after, &good.key).await;
    assert_eq!(until.len(), 1, "none of the deleted asks for a token");
    assert_eq!(refused(&w), 0);
    good.until_in_sync(150).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pause_asked_of_one_object_holds_for_whole_host_even_if_person_asks() {
    needs_control_plane!();
    let w = world("pause").await;
    let tenants = tenants(&w, 3).await;
    for t in &tenants {
        t.declare(json!({})).await;
        t.until_in_sync(150).await;
    }
    let fault = tenants[0].inject(Fault::on_get(throttled("1800")));
    assert!(w.bitwarden().wait_fired(fault, 1).await);
    for t in &tenants {
        let status = t.until_said("Ready", "Unknown/ObservationStale").await;
        let message = &condition(&status, "Ready").expect("Ready").message;
        assert!(message.contains("of pause: too many requests"), "{message}");
    }
    let before = w.bitwarden().requests().len();
    for t in &tenants {
        t.ask("now").await;
    }
    let late = w.tenant("late", organization()).await;
    late.declare(json!({})).await;
    late.until_said("Ready", "Unknown/ObservationStale").await;
    assert_eq!(w.bitwarden().requests().len(), before);
    assert_eq!(refused(&w), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_key_that_many_objects_share_costs_one_token_request() {
    needs_control_plane!();
    let w = World::with("bad-key", organization(), &fast_but(&["--credential-probe=1h"])).await;
    let new = w.bitwarden().rotate_key(&w.key.id);
    let names = ["a", "b", "c", "d", "e", "f"];
    for name in names {
        let observe = json!({ "seats": null, "limit": null, "managementPolicy": "Observe" });
        w.declare(name, observe).await;
    }
    for name in names {
        w.until_reason(name, "CredentialsValid", "Rejected").await;
    }
    assert_eq!(w.bitwarden().token_requests(), 1);
    // The mended Secret is tried at once, by all of them together.
    w.secret("key", w.credentials(&new)).await;
    for name in names {
        w.until_reason(name, "Ready", "Observed").await;
    }
    assert_eq!(w.bitwarden().token_requests(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn key_without_permission_is_not_given_token_after_token() {
    needs_control_plane!();
    let w = world("forbidden").await;
    // The bound is our own, and not the limiter's.
    w.needs_many_tokens();
    w.bitwarden().inject(Fault::on_get(crate::bad_answers::answer(403, "")).for_ever());
    w.declare("acme", json!({})).await;
    w.until_reason("acme", "CredentialsValid", "InsufficientRole").await;
    // A person who asks again and again, each time in vain.
    for i in 0..20 {
        let word = i.to_string();
        w.annotate("acme", "seatkeeper.dev/reconcile-requested-at", &word).await;
        let handled = async || (w.status("acme").await.last_handled_reconcile_at == Some(word.clone())).then_some(());
        wait_for("the request to be handled", PATIENCE, handled).await;
    }
    assert!(w.bitwarden().token_requests() <= 12, "{}", w.bitwarden().token_requests());
}
