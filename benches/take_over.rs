//! How long a younger object reports `Conflict` after the owner of its pool was deleted.

use std::time::Instant;

use seatkeeper::api::LicenseSeats;
use seatkeeper_support::ControlPlane;

use super::hand_over::until;
use super::place::in_sync;
use super::{median, unlimited, worst};

const ROUNDS: usize = 5;

pub async fn measure(plane: &ControlPlane) {
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        let place = unlimited(plane, "take-over").await;
        let (secret, key) = (format!("take-over-{round}"), place.organization());
        place.secret(&secret, &key).await;
        let find = async |name: &str| place.seats().get(name).await.expect("the object");
        place.declare_with("owner", &secret).await;
        until("the owner in sync", async || in_sync(&find("owner").await)).await;
        let created =
            |object: &LicenseSeats| object.metadata.creation_timestamp.as_ref().map(|time| time.0.as_second());
        let second = created(&find("owner").await);
        until("the next second", async || Some(place.vendor.bitwarden().now().as_second()) > second).await;
        place.declare_with("younger", &secret).await;
        until("the conflict", async || is_conflict(&find("younger").await)).await;
        let began = Instant::now();
        place.seats().delete("owner", &Default::default()).await.expect("a deletion");
        until("the takeover", async || !is_conflict(&find("younger").await)).await;
        times.push(began.elapsed().as_secs_f64() * 1e3);
    }
    println!(
        "takeover of a pool         {:>8.1} ms, deletion to the younger object's status, median of {ROUNDS} (worst {:.1})",
        median(&mut times),
        worst(&times)
    );
}

fn is_conflict(object: &LicenseSeats) -> bool {
    let conditions = object.status.iter().flat_map(|status| &status.conditions);
    conditions.into_iter().any(|c| c.type_ == "Ready" && c.reason == "Conflict")
}
