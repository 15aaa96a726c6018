//! Every bad answer to a reading: one is no news, several are told as what they are, and all of it heals. Whatever the
//! vendor says in words goes nowhere.

use futures::future::join_all;
use seatkeeper::api::LicenseSeatsStatus;
use serde_json::json;
use vendor_sim::{Fault, FaultKind};

use crate::tenants::fast_but;
use crate::world::{World, condition, organization, said, world};

/// Part of every body a fault makes.
const MARKER: &str = "zz-words-of-the-vendor-zz";
const SIGN_IN: &str = "Please sign in";

#[derive(Clone, Copy, Debug)]
enum On {
    Token,
    Subscription,
    Members,
}

impl On {
    fn fault(self, kind: FaultKind) -> Fault {
        match self {
            Self::Token => Fault::on_token(kind),
            Self::Subscription => Fault::on_get(kind),
            Self::Members => Fault::once(kind).method("GET").path("/public/members"),
        }
    }
}

fn answer(status: u16, body: &str) -> FaultKind {
    let (headers, apply) = (Default::default(), false);
    let body = body.replace("MARKER", MARKER);
    FaultKind::Answer { status, headers, body, apply }
}

fn throttled(retry_after: &str) -> FaultKind {
    FaultKind::Answer {
        status: 429,
        headers: [("retry-after".to_owned(), retry_after.to_owned())].into(),
        body: format!(r#"{{"message":"{MARKER}"}}"#),
        apply: false,
    }
}

/// What goes wrong on the wire or in between, whatever was asked.
fn anywhere() -> Vec<(&'static str, FaultKind)> {
    use FaultKind as K;
    vec![
        ("404", answer(404, "MARKER")),
        ("415", answer(415, "MARKER")),
        ("500", answer(500, r#"{"message":"MARKER"}"#)),
        ("502 HTML", answer(502, "<html>MARKER</html>")),
        ("200 HTML", K::Html),
        ("redirect", answer(302, "MARKER")),
        ("truncated", K::Truncate),
        ("mistyped", answer(200, r#"{"data":"MARKER","access_token":1,"passwordManager":{"seats":"MARKER"}}"#)),
        ("null", answer(200, "null")),
        ("nothing", answer(200, "")),
        ("empty object", answer(200, "{}")),
        ("empty list", answer(200, "[]")),
        ("50 MB", K::HugeBody { bytes: 50_000_000 }),
        ("header flood", K::HeaderFlood { count: 5000 }),
        ("a byte a second", K::Drip { bytes_per_second: 1 }),
        ("reset", K::Reset),
        ("drop", K::Drop { apply: false }),
    ]
}

type Case = (String, On, FaultKind);

fn at(on: On) -> impl Iterator<Item = Case> {
    let named = anywhere().into_iter();
    named.map(move |(name, kind)| (format!("{on:?} {name}"), on, kind))
}

fn token_cases() -> Vec<Case> {
    let token = |name: &str, token: &str, lifetime: &str| {
        let body = format!(r#"{{"access_token":{token},"expires_in":{lifetime},"token_type":"MARKER"}}"#);
        (format!("token {name}"), On::Token, answer(200, &body))
    };
    let bad = [
        token("without life", "\"a\"", "0"),
        token("with negative life", "\"a\"", "-1"),
        token("with 1e99 seconds", "\"a\"", "1e99"),
        token("empty", "\"\"", "3600"),
        token("with a line break", r#""a\r\nx: MARKER""#, "3600"),
    ];
    at(On::Token).chain(bad).collect()
}

fn reading_cases() -> Vec<Case> {
    let numbers = ["-1", "-2147483649", "3000000000", "1e99", "1.5", "\"100\"", "[100]", "true"];
    let numbers = numbers.into_iter().enumerate().flat_map(|(i, number)| {
        let body = |seats: &str, limit: &str| {
            let (rest, other) = (r#""x":"MARKER""#, r#""secretsManager":{"seats":null}"#);
            format!(r#"{{"passwordManager":{{"seats":{seats},"maxAutoScaleSeats":{limit},{rest}}},{other}}}"#)
        };
        [
            (format!("seats {i}"), On::Subscription, answer(200, &body(number, "100"))),
            (format!("limit {i}"), On::Subscription, answer(200, &body("100", number))),
        ]
    });
    let members = |name: &str, body: &str| (format!("members {name}"), On::Members, answer(200, body));
    let bad = [
        members("without status", r#"{"data":[{"id":"MARKER"}]}"#),
        members("cut off", r#"{"data":[{"id":"MARKER","status":2}"#),
        ("400 of a proxy".into(), On::Subscription, answer(400, "<html>MARKER</html>")),
        ("throttled by the edge".into(), On::Subscription, FaultKind::EdgeThrottle),
        ("throttled for ages".into(), On::Subscription, throttled("1000000000")),
        ("throttled for a word".into(), On::Members, throttled("soon MARKER")),
    ];
    at(On::Subscription).chain(at(On::Members)).chain(numbers).chain(bad).collect()
}

/// One bad answer after a good reading, then nothing but bad answers, then good ones again.
async fn play(w: &World, (what, on, kind): Case) {
    let t = w.tenant(&what, organization()).await;
    t.declare(json!({ "seats": 100, "interval": "1m" })).await;
    let before = t.until_in_sync(100).await;

    let once = t.inject(on.fault(kind.clone()));
    if matches!(on, On::Token) {
        t.until_token_is_old().await;
    }
    t.ask("first").await;
    assert_eq!(w.bitwarden().fired(once), 1, "{what}");
    let after = t.ask("second").await;
    let last_handled_reconcile_at = None;
    let after = LicenseSeatsStatus { last_handled_reconcile_at, ..after };
    assert_eq!(after, before, "{what}");

    let lasting = t.inject(on.fault(kind).for_ever());
    w.edit(&t.name, json!({ "interval": "1s" })).await;
    let status = t.until_said("Ready", "Unknown/ObservationStale").await;
    assert_eq!(said(&status, "CredentialsValid"), "Unknown/VendorUnreachable", "{what}");
    let known = (status.seats, status.used);
    assert_eq!(known, (Some(100), Some(80)), "{what}: the last known numbers stay");

    w.bitwarden().clear_fault(lasting);
    w.annotate(&t.name, "seatkeeper.dev/reconcile-requested-at", "now").await;
    t.until_in_sync(100).await;
    assert_eq!(t.puts(), 0, "{what}");
}

async fn play_all(w: &World, cases: Vec<Case>) {
    join_all(cases.into_iter().map(|case| play(w, case))).await;
    assert_eq!(w.operator.try_exit(), None);
    let peak = w.operator.peak_rss_kib().expect("it runs");
    assert!(peak < 80 * 1024, "{peak} KiB for bodies of 50 MB");
    assert_silent(w).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_reading_is_no_news_a_lasting_one_is_told_and_both_heal() {
    let w = world("reads").await;
    play_all(&w, reading_cases()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_token_is_no_news_a_lack_of_good_ones_is_told_and_both_heal() {
    let w = world("tokens").await;
    w.bitwarden().switch(|s| s.token_lifetime_seconds = 1);
    play_all(&w, token_cases()).await;
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
async fn an_expired_token_is_replaced_by_one_that_all_readings_share() {
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
async fn refused_credentials_are_told_with_their_fix_and_not_tried_again_until_something_changes() {
    let w = World::with("refused-reads", organization(), &fast_but(&["--credential-probe=1h"])).await;
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
        ("token 400", On::Token, answer(400, "MARKER"), "Rejected", "clientSecret"),
        ("token 401", On::Token, answer(401, "MARKER"), "Rejected", "401"),
        ("401", On::Subscription, answer(401, "MARKER"), "Rejected", "fresh token"),
        ("401 members", On::Members, answer(401, ""), "Rejected", "fresh token"),
        ("403", On::Subscription, answer(403, "MARKER"), "InsufficientRole", "organization API key"),
        ("403 members", On::Members, FaultKind::EdgeForbidden, "InsufficientRole", "edge"),
    ];
    join_all(cases.map(play)).await;
    assert_silent(&w).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_reading_is_not_repeated_before_its_time_not_even_to_tell_that_it_is_old() {
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
