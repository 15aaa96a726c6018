//! How long nobody acts when a leader ends: from SIGTERM until its follower changes the vendor. The follower has just looked
//! at the Lease when it begins, so most of it is `--lease-retry`, the wait for its next look.

use std::time::{Duration, Instant};

use seatkeeper_support::{ControlPlane, Operator};

use super::place::BINARY;
use super::{median, unlimited, worst};

/// Each starts a process that needs a token of the vendor, which gives ten a minute.
const ROUNDS: usize = 7;

pub async fn measure(plane: &ControlPlane) {
    let mut place = unlimited(plane, "hand-over").await;
    let vendor = place.vendor.bitwarden();
    let mut times = Vec::new();
    for round in 1..=ROUNDS {
        // One for each round: a second change of an account waits for the late effects of the first.
        let (name, key) = (format!("acme-{round}"), place.organization());
        place.secret(&name, &key).await;
        let allowed = format!("--allowed-host={}", place.vendor.host());
        let follower = Operator::start(plane, BINARY, &place.namespace, &[&allowed]).await;
        follower.wait_ready().await;
        let changes = vendor.ledger(&key.id).len();

        let began = vendor.now();
        place.operator.signal("TERM");
        until("the leader to stop", async || place.operator.log().contains("stopping")).await;
        place.declare(&name).await;
        until("a change", async || vendor.ledger(&key.id).len() > changes).await;
        times.push(vendor.ledger(&key.id)[changes].at.duration_since(began).as_secs_f64() * 1e3);
        // Whoever stops sends nothing more, so this was the follower; its log must say the same.
        until("the follower to tell", async || follower.log().contains("change sent")).await;
        place.operator.wait_exit(Duration::from_secs(15)).await.expect("the leader ends");
        place.operator = follower;
    }
    println!(
        "hand-over                  {:>8.1} ms, SIGTERM to the follower's change, median of {ROUNDS} (worst {:.1})",
        median(&mut times),
        worst(&times)
    );
}

/// Looks every millisecond: what is waited for is measured.
pub async fn until(what: &str, mut is: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !is().await {
        assert!(began.elapsed() < Duration::from_secs(60), "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
