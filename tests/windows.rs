//! Changes that wait for their window, on the real apiserver: what is shown while they wait, what opens, and who may not wait.

use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp, ToSpan};
use seatkeeper::api::LicenseSeatsStatus;
use seatkeeper_support::{needs_control_plane, wait_for};
use serde_json::{Value, json};
use vendor_sim::Role;
use vendor_sim::immuta::LicenseKey;

use crate::immuta::{Acme, acme, keys_of, tenant};
use crate::stored_objects::{store, stored};
use crate::world::{FAST, PATIENCE, World, condition, organization, said, world};

pub fn now() -> Timestamp {
    Timestamp::try_from(SystemTime::now()).expect("a time")
}

/// A window that opens daily at the minute of this moment.
pub fn opening_at(moment: Timestamp) -> Value {
    let schedule = moment.strftime("%-M %-H * * *").to_string();
    json!({
        "increase": { "mode": "InWindow" },
        "windows": [{ "name": "soon", "cron": { "schedule": schedule, "timeZone": "UTC", "duration": "1h" } }],
    })
}

/// The next full minute that is far enough away to see the change wait first.
fn soon() -> Timestamp {
    let later = now().checked_add(25.seconds()).expect("a time");
    let second = later.as_second().div_euclid(60) * 60 + 60;
    Timestamp::from_second(second).expect("a time")
}

/// A window that was closed an hour ago and opens in hours.
pub fn far() -> Timestamp {
    now().checked_add(SignedDuration::from_hours(6)).expect("a time")
}

pub async fn until_waits(w: &World, name: &str) -> LicenseSeatsStatus {
    w.until(name, "waits for its window", |status| {
        said(status, "Ready") == "True/ChangeDeferred" && said(status, "ChangePending") == "True/AwaitingWindow"
    })
    .await
}

/// Until so many requests that set seats were made, past the longest wait for an opening that is near.
async fn until_puts(w: &World, puts: usize) {
    let made =
        w.bitwarden().wait_for(Duration::from_secs(120), |vendor| vendor.count(|r| r.method == "PUT") >= puts).await;
    assert!(made, "{} of {puts}\n{}", w.puts(), w.operator.log_tail(40));
}

#[tokio::test(flavor = "multi_thread")]
async fn increase_waits_without_write_for_window_and_second_waits_for_next_one() {
    needs_control_plane!();
    let w = World::with("window", organization().limit(Some(120)), FAST).await;
    let opens = soon();
    w.declare("acme", json!({ "adjustment": opening_at(opens) })).await;
    // The limit costs nothing and falls at once, so that the vendor buys nothing meanwhile.
    w.until("acme", "the limit is pinned", |status| status.limit == Some(100)).await;
    let waiting = until_waits(&w, "acme").await;
    let next = waiting.next_window.clone().expect("the next window");
    assert_eq!((next.name.as_str(), next.opens_at.0), ("soon", opens));
    let shown = format!("+50 seats at {}", opens.strftime("%Y-%m-%d %H:%M UTC"));
    assert_eq!(waiting.summary.as_deref(), Some(shown.as_str()));
    let puts = w.puts();
    assert_eq!((puts, w.organization().seats, w.organization().limit), (1, Some(100), Some(100)), "the limit alone");
    until_puts(&w, puts + 1).await;
    assert!(now() >= opens, "not before it opens");
    let status = w.until_in_sync("acme", 150).await;
    assert_eq!(status.history[0].window.as_deref(), Some("soon"));
    let used = status.window.clone().expect("the use of the window");
    assert_eq!((used.opened_at.0, used.changes), (opens, 1));
    // The window is still open, and has seen its change.
    w.edit("acme", json!({ "seats": 160 })).await;
    let waiting = until_waits(&w, "acme").await;
    let message = &condition(&waiting, "ChangePending").expect("ChangePending").message;
    assert!(message.contains("has seen 1 of 1 changes"), "{message}");
    let tomorrow = opens.checked_add(SignedDuration::from_hours(24)).expect("a time");
    assert_eq!(waiting.next_window.map(|next| next.opens_at.0), Some(tomorrow));
    // Another name and another minute give no second change.
    let mut renamed = opening_at(opens.checked_add(SignedDuration::from_mins(-10)).expect("a time"));
    renamed["windows"][0]["name"] = json!("renamed");
    w.edit("acme", json!({ "adjustment": renamed })).await;
    w.until("acme", "the renamed window", |status| {
        status.next_window.as_ref().is_some_and(|next| next.name == "renamed")
    })
    .await;
    assert_eq!((w.puts(), w.organization().seats), (puts + 1, Some(150)));
}

#[tokio::test(flavor = "multi_thread")]
async fn operator_absent_at_window_opening_makes_change_while_window_is_open() {
    needs_control_plane!();
    let mut w = world("window-restart").await;
    let opens = soon();
    w.declare("acme", json!({ "adjustment": opening_at(opens) })).await;
    w.until("acme", "the limit is pinned", |status| status.limit == Some(100)).await;
    until_waits(&w, "acme").await;
    let puts = w.puts();
    w.operator.signal("KILL");
    w.operator.wait_exit(PATIENCE).await.expect("a killed process ends");
    let opened = async || (now() > opens).then_some(());
    wait_for("the window to open", Duration::from_secs(120), opened).await;
    assert_eq!(w.puts(), puts, "the operator is away when it opens");
    w.start_operator(FAST).await;
    let status = w.until_in_sync("acme", 150).await;
    let used = status.window.clone().expect("the use of the window");
    assert_eq!((used.opened_at.0, used.changes), (opens, 1));
    assert_eq!(status.history[0].window.as_deref(), Some("soon"));
    assert_eq!(w.puts(), puts + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn object_deleted_while_change_waits_changes_nothing_when_window_opens() {
    needs_control_plane!();
    let w = world("window-deleted").await;
    let (deleted, kept) = (w.tenant("deleted", organization()).await, w.tenant("kept", organization()).await);
    let opens = soon();
    for t in [&deleted, &kept] {
        t.declare(json!({ "adjustment": opening_at(opens) })).await;
        t.until("the limit is pinned", |status| status.limit.is_some() && status.limit == status.seats).await;
        until_waits(&w, &t.name).await;
    }
    let puts = deleted.puts();
    w.seats().delete(&deleted.name, &Default::default()).await.expect("delete");
    until_puts(&w, kept.puts() + puts + 1).await;
    assert!(now() >= opens, "not before it opens");
    kept.until_in_sync(150).await;
    kept.until_polled(2).await;
    let (left, changed) = (deleted.organization(), kept.organization());
    assert_eq!((deleted.puts(), left.seats, left.billed.seats), (puts, Some(100), Some(100)));
    assert_eq!(changed.seats, Some(150));
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_object_writes_nothing_and_an_urgent_one_does_not_wait() {
    needs_control_plane!();
    let w = World::with("window-urgent", organization().members(99), FAST).await;
    let mut adjustment = opening_at(far());
    w.declare("acme", json!({ "adjustment": adjustment })).await;
    w.until("acme", "the limit is pinned", |status| status.limit == Some(100)).await;
    until_waits(&w, "acme").await;
    w.until_polled(1).await;
    let (puts, written) = (w.puts(), w.seats().get("acme").await.expect("acme").metadata.resource_version);
    w.until_polled(3).await;
    assert_eq!(w.seats().get("acme").await.expect("acme").metadata.resource_version, written, "no write at rest");
    assert_eq!(w.puts(), puts);
    adjustment["increase"]["urgentBelowFreeSeats"] = json!(2);
    w.edit("acme", json!({ "adjustment": adjustment })).await;
    let status = w.until_in_sync("acme", 150).await;
    assert_eq!(serde_json::to_value(status.history[0].reason).unwrap(), json!("Urgent"));
    assert_eq!((status.window, &status.history[0].window, w.puts()), (None, &None, puts + 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn suspended_object_skips_its_window_and_wish_that_goes_back_ends_wait() {
    needs_control_plane!();
    let w = world("window-ends").await;
    w.declare("acme", json!({ "suspend": true, "adjustment": opening_at(now()) })).await;
    let held = w.until_reason("acme", "ChangePending", "Suspended").await;
    assert!(held.next_window.is_some_and(|window| window.held), "it has no right to leave later");
    w.until_polled(2).await;
    assert_eq!(w.puts(), 0, "an open window lifts no suspend");
    w.edit("acme", json!({ "suspend": false, "adjustment": opening_at(far()) })).await;
    w.until("acme", "the limit is pinned", |status| status.limit == Some(100)).await;
    until_waits(&w, "acme").await;
    w.edit("acme", json!({ "seats": 100 })).await;
    let status = w.until_in_sync("acme", 100).await;
    assert_eq!((status.next_window, status.plan, status.window), (None, None, None));
    assert_eq!((w.puts(), w.organization().seats), (0, Some(100)));
}

#[tokio::test(flavor = "multi_thread")]
async fn change_that_missed_its_window_is_in_condition_and_event() {
    needs_control_plane!();
    let w = world("window-missed").await;
    w.declare("acme", json!({ "adjustment": opening_at(far()) })).await;
    let waiting = until_waits(&w, "acme").await;
    // As if the operator had been away over the opening: the recorded window is over.
    let hours = |hours| now().checked_add(SignedDuration::from_hours(hours)).expect("a time").to_string();
    let mut object = stored(&w, "acme").await;
    object["status"]["nextWindow"]["opensAt"] = json!(hours(-3));
    object["status"]["nextWindow"]["closesAt"] = json!(hours(-2));
    store(&w, "acme", &object).await;
    w.until("acme", "it missed its window", |status| said(status, "ChangePending") == "True/WindowMissed").await;
    let told = w.until_told("WindowMissed", 1).await;
    assert!(told[0].1.contains("it missed the window that opened at"), "{told:?}");
    let status = w.status("acme").await;
    assert_eq!(status.summary, waiting.summary, "and it waits for the next one");
    assert_eq!(w.puts(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn direction_that_is_switched_off_is_shown_and_not_made() {
    needs_control_plane!();
    let w = world("window-never").await;
    w.declare("acme", json!({ "adjustment": { "increase": { "mode": "Never" } } })).await;
    let status = w.until("acme", "shown", |status| said(status, "ChangePending") == "True/NeverMade").await;
    assert_eq!(said(&status, "Ready"), "True/ChangeDeferred");
    assert_eq!(status.summary.as_deref(), Some("+50 seats: shown only"));
    w.until_polled(2).await;
    assert_eq!(w.puts(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn schedule_only_operator_can_check_stalls_and_names_field_and_fix() {
    needs_control_plane!();
    let w = world("window-faults").await;
    let with = |schedule: &str, zone: &str, duration: &str| {
        json!({
            "increase": { "mode": "InWindow" },
            "windows": [{ "name": "w", "cron": { "schedule": schedule, "timeZone": zone, "duration": duration } }],
        })
    };
    let cases = [
        ("0 6 7-1 * *", "Europe/Berlin", "4h", "windows[0].cron.schedule has \"7-1\" as day of month"),
        ("0 6 31 2 *", "Europe/Berlin", "4h", "windows[0].cron.schedule"),
        ("0 6 * * MON#6", "Europe/Berlin", "4h", "write a number from 1 to 5"),
        ("0 6 1 * *", "Europe/Berlinn", "4h", "Europe/Berlin"),
        ("0 6 1 * *", "europe/berlin", "4h", "Europe/Berlin"),
        ("0 * * * *", "UTC", "2h", "windows[0].cron.duration"),
    ];
    w.declare("acme", json!({ "adjustment": with("0 6 1 * *", "UTC", "4h") })).await;
    for (schedule, zone, duration, expected) in cases {
        w.edit("acme", json!({ "adjustment": with(schedule, zone, duration) })).await;
        let status = w
            .until("acme", expected, |status| {
                condition(status, "Ready").is_some_and(|ready| ready.message.contains(expected))
            })
            .await;
        assert_eq!(
            (said(&status, "Ready").as_str(), said(&status, "Stalled").as_str()),
            ("False/SpecInvalid", "True/SpecInvalid")
        );
        w.edit("acme", json!({ "adjustment": with("0 6 1 * *", "UTC", "4h") })).await;
        w.until("acme", "mended", |status| said(status, "Ready") == "True/ChangeDeferred").await;
    }
    // One that admission never saw.
    let mut object = stored(&w, "acme").await;
    object["spec"]["adjustment"] = json!({ "windows": [], "increase": { "mode": "InWindow" } });
    object["metadata"]["generation"] = json!(99);
    store(&w, "acme", &object).await;
    let status = w.until_reason("acme", "Ready", "SpecInvalid").await;
    let message = &condition(&status, "Ready").expect("Ready").message;
    assert!(message.contains("spec.adjustment.increase.mode is InWindow and it has no window"), "{message}");
    assert_eq!(w.organization().seats, Some(100));
}

/// The window before the renewal, for increases.
pub fn before_renewal() -> Value {
    json!({
        "increase": { "mode": "InWindow" },
        "windows": [{ "name": "renewal", "beforeRenewal": { "opens": "48h", "closes": "2h" } }],
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn renewal_window_opens_by_end_of_period_that_owner_key_shows() {
    needs_control_plane!();
    let w = world("window-renewal").await;
    let t = w.tenant("renewal", organization()).await;
    t.person(Role::Owner).await;
    let ends_in = |hours| {
        let end = now().checked_add(SignedDuration::from_hours(hours)).expect("a time");
        w.bitwarden().change_terms(&t.key.id, |terms| terms.period_end = end);
        end
    };
    let puts = || w.bitwarden().puts(&t.key.id);
    let end = ends_in(24 * 30);
    w.declare("renewal", t.both(json!({ "adjustment": before_renewal() }))).await;
    let waiting = until_waits(&w, "renewal").await;
    let opens = end.checked_sub(SignedDuration::from_hours(48)).expect("a time");
    let next = waiting.next_window.clone().expect("the next window");
    assert_eq!((next.name.as_str(), next.opens_at.0.as_second()), ("renewal", opens.as_second()));
    let shown = format!("+50 seats at {}", opens.strftime("%Y-%m-%d %H:%M UTC"));
    assert_eq!(waiting.summary.as_deref(), Some(shown.as_str()));
    // An hour before the end it is closed again, and no other end is known.
    ends_in(1);
    w.until("renewal", "nothing is known to open", |status| status.next_window.is_none()).await;
    w.until_polled(2).await;
    assert_eq!((puts(), w.bitwarden().organization(&t.key.id).seats), (0, Some(100)));
    ends_in(24);
    let status = w.until_in_sync("renewal", 150).await;
    assert_eq!((puts(), status.history[0].window.as_deref()), (1, Some("renewal")));
    assert_eq!(status.window.map(|used| used.changes), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn renewal_window_without_known_renewal_stays_shut_with_remedy() {
    needs_control_plane!();
    let w = world("window-no-renewal").await;
    w.declare("acme", json!({ "adjustment": before_renewal() })).await;
    let waiting = until_waits(&w, "acme").await;
    let message = &condition(&waiting, "ChangePending").expect("ChangePending").message;
    assert!(message.contains("does not show the end of the period to these credentials"), "{message}");
    assert!(message.contains("use credentials that show it, or a window with cron"), "{message}");
    w.until_polled(2).await;
    assert_eq!((waiting.next_window, w.organization().seats), (None, Some(100)));
}

impl Acme {
    async fn until_key_waits(&self, keys: &[&str]) -> LicenseSeatsStatus {
        let waits = |status: &LicenseSeatsStatus| {
            keys_of(status) == keys && said(status, "ChangePending") == "True/AwaitingWindow"
        };
        self.until("a key waits for its window", waits).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn license_key_waits_for_its_window_unless_seats_are_short_without_it() {
    needs_control_plane!();
    let a = acme("window-keys").await;
    let (one, two) = (a.key("one", 40).await, a.key("two", 25).await);
    // 10 users have no seat: the first key does not wait.
    a.declare(&["one"], json!({ "adjustment": opening_at(far()) })).await;
    let status = a.until_ready("True/InSync").await;
    assert_eq!((status.history[0].window.as_deref(), status.window), (None, None));
    a.list(&["one", "two"]).await;
    let waiting = a.until_key_waits(&["Added/Active", "/Pending"]).await;
    assert_eq!(said(&waiting, "Ready"), "True/ChangeDeferred");
    assert_eq!(waiting.next_window.map(|next| next.name).as_deref(), Some("soon"));
    a.until_polled(3).await;
    assert_eq!((a.tenant.additions_of(&one), a.tenant.additions_of(&two), a.tenant.posts()), (1, 0, 1));
    // Now the spec asks for more seats than the first key brings.
    a.w.edit("acme", json!({ "seats": 65 })).await;
    let status = a.until_ready("True/InSync").await;
    assert_eq!(keys_of(&status), ["Added/Active", "Added/Active"]);
    assert_eq!((status.window, status.next_window), (None, None), "it has used no window");
    assert_eq!((a.tenant.additions_of(&two), a.tenant.posts()), (1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn license_key_is_added_in_its_open_window_and_counts() {
    needs_control_plane!();
    let a = acme("window-keys-open").await;
    a.key("one", 40).await;
    a.declare(&["one"], json!({})).await;
    a.until_ready("True/InSync").await;
    let keys = ["two", "three"];
    for name in keys {
        a.key(name, 5).await;
    }
    a.w.edit("acme", json!({ "adjustment": opening_at(now().checked_sub(5.minutes()).expect("a time")) })).await;
    a.list(&["one", "two", "three"]).await;
    let status = a.until_key_waits(&["Added/Active", "Added/Active", "/Pending"]).await;
    assert_eq!(status.history[0].window.as_deref(), Some("soon"));
    assert_eq!(status.window.map(|used| used.changes), Some(1));
    a.until_polled(3).await;
    assert_eq!(a.tenant.posts(), 2, "the third key waits for the next window");
}

#[tokio::test(flavor = "multi_thread")]
async fn license_key_waits_for_no_window_beyond_end_of_key_that_it_replaces() {
    needs_control_plane!();
    let a = Acme::with("window-keys-end", tenant(), |_| {}).await;
    let life = Duration::from_secs(3 * 3600);
    let old = a.issued("old", LicenseKey::seats(40).expires_in(life)).await;
    let new = a.key("new", 40).await;
    a.declare(&["old"], json!({ "adjustment": opening_at(far()) })).await;
    a.until_ready("True/InSync").await;
    a.list(&["old", "new"]).await;
    a.until("both keys", |status| keys_of(status) == ["Added/Active", "Added/Active"]).await;
    assert_eq!((a.tenant.additions_of(&old), a.tenant.additions_of(&new), a.tenant.posts()), (1, 1, 2));
}
