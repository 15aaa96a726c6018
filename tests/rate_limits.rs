//! Nearly spent budgets: other clients behind our address use up the vendor's window just before a request of ours. With an
//! organization's key, which sets totals, and with an owner's, which sends differences: nothing is lost, and nothing is sent
//! twice.

use seatkeeper_support::{needs_control_plane, wait_for};
use serde_json::{Value, json};
use vendor_sim::{Fault, FaultKind, RateLimits, RequestRecord, Role};

use crate::tenants::{Tenant, fast_but};
use crate::world::{PATIENCE, World, condition, organization, said};

/// How long a window is here, instead of a minute.
const WINDOW_SECONDS: u64 = 4;

/// Longer than any test.
const FOR_EVER: u64 = 300_000;

/// Held back until it is released.
fn held() -> FaultKind {
    FaultKind::Delay { before_ms: FOR_EVER, after_ms: 0 }
}

const SUBSCRIPTION: &str = "/api/public/organization/subscription";

/// The default limits, in windows that a test can wait for.
fn short_windows() -> RateLimits {
    let mut limits = RateLimits::default();
    limits
        .rules
        .iter_mut()
        .filter(|rule| rule.period_seconds == 60)
        .for_each(|rule| rule.period_seconds = WINDOW_SECONDS);
    limits
}

/// Times long enough for what a test holds up between intent and request.
fn unhurried() -> Vec<&'static str> {
    fast_but(&["--send-deadline=20s", "--read-timeout=20s", "--write-timeout=20s", "--settle-unanswered=60s"])
}

async fn limited(name: &str) -> World {
    let w = World::with(name, organization(), &unhurried()).await;
    w.bitwarden().switch(|s| s.rate_limits = short_windows());
    w
}

/// Which key an object is given, and what its changes and readings are.
#[derive(Clone, Copy)]
enum Key {
    Organization,
    Owner,
}

impl Key {
    async fn spec(self, t: &Tenant<'_>) -> Value {
        match self {
            Self::Organization => json!({ "vendor": { "bitwarden": { "credentialsSecretRef": { "name": t.name } } } }),
            Self::Owner => {
                t.person(Role::Owner).await;
                t.alone(json!({}))
            }
        }
    }

    fn on_change(self, kind: FaultKind) -> Fault {
        match self {
            Self::Organization => Fault::on_put(kind),
            Self::Owner => Fault::on_owner_write(kind),
        }
    }

    /// A fault on one reading of the seats.
    fn on_reading(self, t: &Tenant<'_>, kind: FaultKind) -> Fault {
        Fault { method: Some("GET".into()), whole_path: Some(self.reading(t)), ..Fault::once(kind) }
    }

    fn change(self, t: &Tenant<'_>) -> (&'static str, String) {
        match self {
            Self::Organization => ("PUT", SUBSCRIPTION.into()),
            Self::Owner => ("POST", format!("/api/organizations/{}/subscription", t.key.id)),
        }
    }

    /// What a reading asks first.
    fn reading(self, t: &Tenant<'_>) -> String {
        match self {
            Self::Organization => SUBSCRIPTION.into(),
            Self::Owner => format!("/api/organizations/{}", t.key.id),
        }
    }
}

/// How often the limiter refused a request of this verb.
fn refused(w: &World, verb: &str) -> usize {
    w.bitwarden().count(|r: &RequestRecord| r.status == Some(429) && r.method == verb)
}

/// In the end 150 seats were bought, in steps that add up to that.
async fn bought_once(t: &Tenant<'_>) {
    let status = t.until_in_sync(150).await;
    let steps: Vec<_> = status.history.iter().map(|c| (c.base().seats, c.target().seats)).collect();
    assert_eq!((steps, status.intent), (vec![(100, 150)], None), "{}", t.name);
    assert_eq!((t.organization().seats, t.organization().billed.seats), (Some(150), Some(150)), "{}", t.name);
    t.assert_never_above(150);
}

async fn read_back_is_refused(name: &str, key: Key) {
    let w = limited(name).await;
    let t = w.tenant("acme", organization()).await;
    let spec = key.spec(&t).await;
    let paused = t.inject(key.on_change(FaultKind::PauseBeforeRow { ms: FOR_EVER }));
    w.declare("acme", spec).await;
    assert!(w.bitwarden().wait_fired(paused, 1).await);
    w.bitwarden().leave_over("GET", &key.reading(&t), 0);
    w.bitwarden().release(paused);
    // The change was accepted, and is not said to be done before it is seen.
    let status = t.until("the open change to be told", |s| said(s, "ChangePending") == "True/OutcomeUnknown").await;
    assert_eq!((status.seats, status.intent.map(|intent| intent.target().seats)), (Some(100), Some(150)));
    bought_once(&t).await;
    assert_eq!((refused(&w, "GET"), w.bitwarden().writes(&t.key.id)), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn purchase_with_rate_limited_read_back_is_open_until_seen_never_resent() {
    needs_control_plane!();
    read_back_is_refused("read-back-limited", Key::Organization).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn difference_with_rate_limited_read_back_is_open_until_seen_never_resent() {
    needs_control_plane!();
    read_back_is_refused("owner-read-back", Key::Owner).await;
}

async fn change_itself_is_refused(name: &str, key: Key) {
    let w = limited(name).await;
    let t = w.tenant("acme", organization()).await;
    let spec = key.spec(&t).await;
    let (verb, path) = key.change(&t);
    let reading = t.inject(key.on_reading(&t, held()));
    w.declare("acme", spec).await;
    assert!(w.bitwarden().wait_fired(reading, 1).await);
    w.bitwarden().leave_over(verb, &path, 0);
    w.bitwarden().release(reading);
    let status = t.until("the pause to be told", |s| s.summary.as_deref() == Some("throttled by the vendor")).await;
    assert_eq!(status.intent, None, "nothing came of it, and that is known");
    bought_once(&t).await;
    assert_eq!((refused(&w, verb), w.bitwarden().writes(&t.key.id)), (1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn purchase_refused_by_limiter_is_sent_after_its_window() {
    needs_control_plane!();
    change_itself_is_refused("purchase-limited", Key::Organization).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn difference_refused_by_rate_limit_is_sent_again_after_its_window() {
    needs_control_plane!();
    change_itself_is_refused("difference-limited", Key::Owner).await;
}

/// Declares a change and holds it up after its intent is recorded and before its request leaves. The fault that does.
async fn held_after_its_intent(t: &Tenant<'_>, key: Key) -> u64 {
    let (w, spec) = (t.world, key.spec(t).await);
    let vendor = w.bitwarden();
    let between = match key {
        // A token that is old when the change is due: another one is asked for.
        Key::Organization => {
            vendor.switch(|s| s.token_lifetime_seconds = 1);
            let last = t.inject(key.on_reading(t, held()).skip(1));
            w.declare(&t.name, spec).await;
            assert!(vendor.wait_fired(last, 1).await);
            let arrived = vendor.now();
            let old = async || (vendor.now().duration_since(arrived).as_millis() > 1000).then_some(());
            wait_for("the token to be old", PATIENCE, old).await;
            let token = vendor.inject(Fault::on_token(held()));
            vendor.release(last);
            token
        }
        // A difference is made from numbers that are read once more.
        Key::Owner => {
            let again = t.inject(key.on_reading(t, held()).skip(2));
            w.declare(&t.name, spec).await;
            again
        }
    };
    assert!(vendor.wait_fired(between, 1).await);
    assert!(w.status(&t.name).await.intent.is_some(), "the intent is recorded");
    between
}

async fn turn_is_taken_away(name: &str, key: Key) {
    let w = limited(name).await;
    let other = w.tenant("other", organization()).await;
    other.declare(json!({ "seats": 100 })).await;
    other.until_in_sync(100).await;
    let t = w.tenant("acme", organization()).await;
    let between = held_after_its_intent(&t, key).await;
    // The other object is refused, which closes the host for both.
    w.bitwarden().leave_over("GET", SUBSCRIPTION, 0);
    wait_for("the refusal", PATIENCE, async || (refused(&w, "GET") == 1).then_some(())).await;
    // The simulator counts it before the operator has heard of it; what the operator counts has closed the host.
    let heard = async || {
        let metrics = w.operator.metrics().await;
        let mut throttled = metrics.lines().filter(|line| line.contains(r#"outcome="throttled""#));
        throttled.any(|line| !line.ends_with(" 0")).then_some(())
    };
    wait_for("the operator to hear of it", PATIENCE, heard).await;
    w.bitwarden().release(between);
    let status = t.until("the pause to be told", |s| s.summary.as_deref() == Some("throttled by the vendor")).await;
    let message = &condition(&status, "Ready").expect("Ready").message;
    assert!(message.contains("of pause: too many requests"), "{message}");
    assert_eq!((status.intent, w.bitwarden().writes(&t.key.id)), (None, 0), "nothing was sent, and that is known");
    assert!(w.operator.log().contains("the host has no free connection"), "{}", w.operator.log_tail(40));
    bought_once(&t).await;
    assert_eq!(w.bitwarden().writes(&t.key.id), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn purchase_that_loses_turn_after_intent_to_other_object_is_sent_once() {
    needs_control_plane!();
    turn_is_taken_away("turn-taken", Key::Organization).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn difference_that_loses_turn_after_intent_to_other_object_is_sent_once() {
    needs_control_plane!();
    turn_is_taken_away("owner-turn-taken", Key::Owner).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn difference_is_not_sent_before_its_rate_limited_last_reading() {
    needs_control_plane!();
    let w = limited("last-look").await;
    let t = w.tenant("acme", organization()).await;
    let spec = Key::Owner.spec(&t).await;
    let reading = t.inject(Key::Owner.on_reading(&t, held()).skip(1));
    w.declare("acme", spec).await;
    assert!(w.bitwarden().wait_fired(reading, 1).await);
    // One is left for the reading that decides.
    w.bitwarden().leave_over("GET", &Key::Owner.reading(&t), 1);
    w.bitwarden().release(reading);
    let status = t.until("the pause to be told", |s| s.summary.as_deref() == Some("throttled by the vendor")).await;
    assert_eq!((status.intent, w.bitwarden().writes(&t.key.id)), (None, 0));
    assert!(w.operator.log().contains("the numbers could not be read again"), "{}", w.operator.log_tail(40));
    bought_once(&t).await;
    assert_eq!((refused(&w, "GET"), w.bitwarden().writes(&t.key.id)), (1, 1));
}
