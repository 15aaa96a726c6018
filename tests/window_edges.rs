//! What happens just before a window opens, at its opening, and as it closes under a request.

use jiff::{SignedDuration, Timestamp};
use seatkeeper::api::LicenseSeatsStatus;
use seatkeeper_support::{needs_control_plane, wait_for};
use serde_json::json;
use vendor_sim::Role;

use crate::proxied::Proxied;
use crate::tenants::{Tenant, fast_but};
use crate::windows::{before_renewal, far, now, opening_at, until_waits};
use crate::world::{PATIENCE, World, organization, said, world};

fn later(hours: i64) -> Timestamp {
    now().checked_add(SignedDuration::from_hours(hours)).expect("a time")
}

/// How long a token lives: it is renewed after half of that, and before an opening after half of this half.
const TOKEN: u64 = 40;
const RENEWED: SignedDuration = SignedDuration::from_secs(20);

/// The times between the tokens that its key asked for.
fn between_tokens(t: &Tenant<'_>) -> Vec<SignedDuration> {
    let requests = t.world.bitwarden().requests();
    let tokens = requests.iter().filter(|r| r.path.ends_with("/connect/token"));
    let times: Vec<Timestamp> = tokens.filter(|r| r.organization.as_deref() == Some(&t.key.id)).map(|r| r.at).collect();
    times.windows(2).map(|pair| pair[1].duration_since(pair[0])).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn change_before_opening_renews_token_before_it_expires() {
    needs_control_plane!();
    let w = world("window-sign-in").await;
    // Tokens of seconds are replaced more often than the limiter likes.
    w.needs_many_tokens();
    w.bitwarden().switch(|s| s.token_lifetime_seconds = TOKEN);
    let (near, distant) = (w.tenant("near", organization()).await, w.tenant("distant", organization()).await);
    let opens = now().checked_add(SignedDuration::from_mins(10)).expect("a time");
    distant.declare(json!({ "adjustment": opening_at(far()) })).await;
    near.declare(json!({ "adjustment": opening_at(opens) })).await;
    for t in [&near, &distant] {
        until_waits(&w, &t.name).await;
    }
    let early = async || between_tokens(&near).into_iter().find(|time| *time < RENEWED);
    wait_for("a token before the last one is to be renewed", PATIENCE * 2, early).await;
    let renewed = async || Some(between_tokens(&distant)).filter(|times| !times.is_empty());
    let times = wait_for("a second token of the other key", PATIENCE * 2, renewed).await;
    assert!(times.iter().all(|time| *time >= RENEWED), "its window opens in hours: {times:?}");
    assert_eq!((near.puts(), distant.puts()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn renewal_that_moved_since_it_was_read_buys_nothing_at_the_old_opening() {
    needs_control_plane!();
    let w = World::with("window-moved", organization(), &fast_but(&["--account-recheck=1h"])).await;
    let t = w.tenant("moved", organization()).await;
    t.person(Role::Owner).await;
    let ends = |end: Timestamp| w.bitwarden().change_terms(&t.key.id, |terms| terms.period_end = end);
    // It opens 48 hours before the end: in half a minute.
    let opens = now().checked_add(SignedDuration::from_secs(30)).expect("a time");
    ends(opens.checked_add(SignedDuration::from_hours(48)).expect("a time"));
    w.declare("moved", t.both(json!({ "adjustment": before_renewal() }))).await;
    let next = |status: &LicenseSeatsStatus| status.next_window.as_ref().map(|next| next.opens_at.0.as_second());
    let waiting = until_waits(&w, "moved").await;
    let end = later(24 * 30);
    ends(end);
    w.until_polled(2).await;
    assert!(now() < opens, "the end has moved before the window opens");
    let still = w.status("moved").await;
    let read = Some(opens.as_second());
    assert_eq!((next(&waiting), next(&still)), (read, read), "what was read is good for an hour");
    let opened = async || (now() >= opens).then_some(());
    wait_for("the window to open by what was read", PATIENCE, opened).await;
    let moved = end.checked_sub(SignedDuration::from_hours(48)).expect("a time");
    w.until("moved", "the end as it is now", |status| next(status) == Some(moved.as_second())).await;
    w.until_polled(2).await;
    let puts = w.bitwarden().puts(&t.key.id);
    assert_eq!((puts, w.bitwarden().organization(&t.key.id).seats), (0, Some(100)));
}

#[tokio::test(flavor = "multi_thread")]
async fn window_that_closes_before_a_recorded_request_leaves_lets_none_leave() {
    needs_control_plane!();
    let flags = fast_but(&["--lease-duration=31s", "--lease-renew-deadline=30s"]);
    let p = Proxied::new("window-closes", &flags).await;
    p.hold_first_intent();
    let opened = now().checked_sub(SignedDuration::from_mins(30)).expect("a time");
    p.w.declare("acme", json!({ "adjustment": opening_at(opened) })).await;
    p.until_intent_held("acme").await;
    // By the clock of the operator, which goes on running, the window of an hour is over.
    p.jump(3600).await;
    p.let_go();
    p.until_logged("the send deadline has passed").await;
    let missed = |status: &LicenseSeatsStatus| said(status, "ChangePending") == "True/WindowMissed";
    let status = p.w.until("acme", "it missed its window", missed).await;
    assert_eq!((status.intent, status.window), (None, None), "its place in the window is given back");
    let next = status.next_window.expect("the next window");
    assert!(next.opens_at.0 > later(20), "the one of tomorrow: {next:?}");
    p.w.until_polled(3).await;
    assert_eq!((p.w.puts(), p.w.organization().billed.seats), (0, Some(100)));
}
