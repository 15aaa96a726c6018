//! Measures the release binary on a real control plane and the simulated vendor: `make bench`.
//!
//! Prints the time from declaring an object to the vendor's change and to a status that is in sync (20 objects, one
//! after the other): once from the start of `kubectl apply`, as a person waits for it, and once from the start of a
//! request to the apiserver, which is the operator's own part of it. Then how long a hand-over to another replica takes and
//! the takeover of a pool by a younger object, how long 1 000 objects take together, and how much memory the operator holds with them.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

mod hand_over;
mod place;
mod take_over;

use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use kube::api::ListParams;
use place::{BINARY, Place, in_sync};
use seatkeeper_support::{ControlPlane, OPERATOR_USER, only_for_tests};
use vendor_sim::RateLimits;

const ROUNDS: usize = 20;
const MANY: usize = 1000;
const MANY_ROUNDS: usize = 3;

#[tokio::main]
async fn main() {
    let size = std::fs::metadata(BINARY).expect("the binary").len();
    println!("binary                     {:>8.1} MiB", mib(size));
    assert_eq!(only_for_tests(BINARY), [""; 0], "{BINARY} is built with debug assertions");
    let plane = ControlPlane::shared().await;
    latency(plane).await;
    hand_over::measure(plane).await;
    take_over::measure(plane).await;
    many(plane).await;
}

/// What is measured is the operator, and not how long it waits to keep within a cloud's limits.
async fn unlimited<'a>(plane: &'a ControlPlane, name: &str) -> Place<'a> {
    Place::new(plane, name, RateLimits::none()).await
}

/// Who declares.
#[derive(Clone, Copy)]
enum By {
    Kubectl,
    Request,
}

async fn latency(plane: &ControlPlane) {
    for (by, what) in [(By::Kubectl, "kubectl apply"), (By::Request, "a request")] {
        let place = unlimited(plane, "latency").await;
        let (mut to_vendor, mut to_status) = (Vec::new(), Vec::new());
        // One object before the measuring: the first write to a new resource can take seconds.
        for round in 0..=ROUNDS {
            let (vendor, status) = one(&place, &format!("one-{round}"), by).await;
            if round > 0 {
                to_vendor.push(vendor.as_secs_f64() * 1e3);
                to_status.push(status.as_secs_f64() * 1e3);
            }
        }
        for (to, times) in [("vendor", &mut to_vendor), ("status", &mut to_status)] {
            let label = format!("{what} to {to}");
            println!("{label:<27}{:>8.1} ms, median of {ROUNDS} (worst {:.1})", median(times), worst(times));
        }
    }
}

/// From the start of declaring one object to the vendor's change and to the status.
async fn one(place: &Place<'_>, name: &str, by: By) -> (Duration, Duration) {
    let key = place.organization();
    place.secret(name, &key).await;
    let started = (Instant::now(), place.vendor.bitwarden().now());
    let declare = async {
        match by {
            By::Kubectl => place.apply(name).await,
            By::Request => place.declare(name).await,
        }
    };
    // Looked at meanwhile: kubectl may still be at work when all is done.
    let ((), synced) = tokio::join!(declare, place.until_in_sync(name));
    let changed = place.vendor.bitwarden().ledger(&key.id)[0].at;
    let to_vendor = changed.duration_since(started.1).try_into().expect("the change comes later");
    (to_vendor, synced.duration_since(started.0))
}

/// What one round of many objects showed.
struct Many {
    idle_rss: u64,
    declared: Duration,
    in_sync: Duration,
    bought: usize,
    status_writes: usize,
    vendor_requests: usize,
    rss: u64,
    peak_rss: u64,
}

async fn many(plane: &ControlPlane) {
    let mut rounds = Vec::new();
    for _ in 0..MANY_ROUNDS {
        rounds.push(many_once(plane).await);
    }
    let middle = |figure: fn(&Many) -> f64| median(&mut rounds.iter().map(figure).collect::<Vec<_>>());
    let each = MANY as f64;
    println!("resident, idle             {:>8.1} MiB", middle(|round| mib(round.idle_rss)));
    println!("{MANY} objects declared in   {:>8.1} s", middle(|round| round.declared.as_secs_f64()));
    let times: Vec<String> = rounds.iter().map(|round| format!("{:.1}", round.in_sync.as_secs_f64())).collect();
    println!(
        "{MANY} objects in sync after {:>8.1} s, median of {MANY_ROUNDS} ({})",
        middle(|round| round.in_sync.as_secs_f64()),
        times.join(", ")
    );
    println!("{MANY} objects bought        {:>8.0} times", middle(|round| round.bought as f64));
    println!("status writes, each        {:>8.2}", middle(|round| round.status_writes as f64) / each);
    println!("vendor requests, each      {:>8.2}", middle(|round| round.vendor_requests as f64) / each);
    println!("resident, {MANY} objects     {:>8.1} MiB", middle(|round| mib(round.rss)));
    println!("  at its peak              {:>8.1} MiB", middle(|round| mib(round.peak_rss)));
}

async fn many_once(plane: &ControlPlane) -> Many {
    let place = unlimited(plane, "many").await;
    let idle_rss = place.operator.rss_kib().unwrap_or(0) * 1024;
    let keys: Vec<_> = (0..MANY).map(|i| (format!("many-{i}"), place.organization())).collect();
    stream::iter(&keys).for_each_concurrent(16, |(name, key)| place.secret(name, key)).await;
    let mark = place.plane.audit_mark();
    let started = Instant::now();
    stream::iter(&keys).for_each_concurrent(16, |(name, _)| place.declare(name)).await;
    let declared = started.elapsed();
    loop {
        let list = place.seats().list(&ListParams::default()).await.expect("objects");
        if list.items.iter().filter(|object| in_sync(object)).count() == MANY {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let in_sync = started.elapsed();
    let writes = place.plane.audit_since(mark).writes(OPERATOR_USER, &place.namespace);
    Many {
        idle_rss,
        declared,
        in_sync,
        bought: keys.iter().map(|(_, key)| place.vendor.bitwarden().puts(&key.id)).sum(),
        status_writes: writes.resource("licenseseats").len(),
        vendor_requests: place.vendor.bitwarden().requests().len(),
        rss: place.operator.rss_kib().unwrap_or(0) * 1024,
        peak_rss: place.operator.peak_rss_kib().unwrap_or(0) * 1024,
    }
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / 1024.0 / 1024.0
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn worst(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}
