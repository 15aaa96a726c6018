//! Measures how long the changes of a provider with 40 organizations take once their window opens, at Bitwarden's rate limits:
//! `cargo bench --bench windows`, about 12 minutes of waiting.
//!
//! First all wait for the window and are signed in when it opens, as it is after a quarter of an hour of waiting. Then all are
//! declared at once in a window that is open, with an operator that has no token yet: the longest that it can take.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

#[allow(dead_code, reason = "each benchmark needs a part of it")]
mod place;

use std::time::Duration;

use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use place::{BINARY, Place, object};
use seatkeeper_support::{ControlPlane, only_for_tests};
use serde_json::{Value, json};
use vendor_sim::{OrganizationKey, RateLimits};

const ORGANIZATIONS: usize = 40;
/// Enough to sign all in, at ten a minute.
const SIGN_IN: SignedDuration = SignedDuration::from_secs(330);

#[tokio::main]
async fn main() {
    assert_eq!(only_for_tests(BINARY), [""; 0], "{BINARY} is built with debug assertions");
    let plane = ControlPlane::shared().await;
    let place = Place::new(plane, "windows", RateLimits::vendor()).await;
    let opens = place.vendor.bitwarden().now() + SIGN_IN;
    let opens = Timestamp::from_second(opens.as_second().div_euclid(60) * 60 + 60).expect("a minute");
    let all = declare(&place, opens).await;
    report("their window opens, signed in", &changed(&place, &all, opens).await);
    drop(place);
    let place = Place::new(plane, "windows-cold", RateLimits::vendor()).await;
    let began = place.vendor.bitwarden().now();
    let all = declare(&place, began - SignedDuration::from_mins(2)).await;
    report("they are declared, not signed in", &changed(&place, &all, began).await);
}

/// Declares an object for each organization, with a window of an hour that opens daily at this time.
async fn declare(place: &Place<'_>, opens: Timestamp) -> Vec<(String, OrganizationKey)> {
    let all: Vec<_> = (0..ORGANIZATIONS).map(|i| (format!("customer-{i}"), place.organization())).collect();
    stream::iter(&all).for_each_concurrent(8, |(name, key)| place.secret(name, key)).await;
    let schedule = opens.strftime("%-M %-H * * *").to_string();
    let window = json!({ "name": "daily", "cron": { "schedule": schedule, "timeZone": "UTC", "duration": "1h" } });
    let adjustment = json!({ "increase": { "mode": "InWindow" }, "windows": [window] });
    stream::iter(&all).for_each_concurrent(8, |(name, _)| place.create(with(object(name, name), &adjustment))).await;
    all
}

fn with(mut object: Value, adjustment: &Value) -> Value {
    object["spec"]["adjustment"] = adjustment.clone();
    // With a limit to pin, the vendor would be changed before the window.
    object["spec"]["limit"] = json!({ "mode": "UpTo", "seats": 150 });
    object
}

/// Seconds from this time until each organization has its seats, in order.
async fn changed(place: &Place<'_>, all: &[(String, OrganizationKey)], from: Timestamp) -> Vec<f64> {
    let vendor = place.vendor.bitwarden();
    while all.iter().any(|(_, key)| vendor.organization(&key.id).seats != Some(150)) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let at = |key: &OrganizationKey| vendor.ledger(&key.id)[0].at.duration_since(from).as_secs_f64();
    let mut seconds: Vec<f64> = all.iter().map(|(_, key)| at(key)).collect();
    seconds.sort_by(f64::total_cmp);
    let refused = vendor.requests().iter().filter(|request| request.status == Some(429)).count();
    println!("requests refused with 429  {refused:>8}");
    seconds
}

fn report(what: &str, seconds: &[f64]) {
    println!(
        "{ORGANIZATIONS} changed after {what}: first {:.1} s, median {:.1} s, last {:.1} s",
        seconds[0],
        seconds[ORGANIZATIONS / 2],
        seconds[ORGANIZATIONS - 1]
    );
}
