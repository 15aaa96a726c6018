//! The order in which the pools of one account change: a change waits while another object is about to move a bound of the vendor's rules
//! that it would cross.

use std::time::Duration;

use super::vendor_rules::{Crossed, crossed, declares};
use super::{Hold, HoldKind, Wake, Wanted};
use crate::domain::other_objects::OTHERS;
use crate::domain::{Situation, StandsStill};

/// How often to check an idle object: it may be idle for days, and each check costs a reading.
const STUCK: Wake = Wake::After(Duration::from_secs(300));

/// Another object of the account is about to move a bound that this change would cross.
pub(super) fn gate(s: &Situation<'_>, wanted: &Wanted<'_>) -> Vec<Hold> {
    let waits = crossed(s, wanted).filter(|crossed| crossed.moves);
    let each = waits.map(|crossed| {
        let (pool, way) = (crossed.bound.pool.unwrap_or_default(), crossed.way);
        match s.stuck.iter().find(|stuck| Some(stuck.pool) == crossed.bound.pool) {
            Some(stuck) => {
                let message = format!("it waits until {pool} is {way}. {}", stuck.sentence());
                let kind = match stuck.still {
                    StandsStill { deferred: true, of_a_person, .. } => HoldKind::DeferredPool { of_a_person },
                    StandsStill { .. } => HoldKind::StuckPool,
                };
                Hold { kind, message, wake: STUCK }
            }
            None => {
                let (kind, message) = under_way(s, &crossed);
                Hold { kind, message, wake: OTHERS }
            }
        }
    });
    each.collect()
}

/// The hold for a pool that is about to change: the object that declares the change is active, or was not read yet.
fn under_way(s: &Situation<'_>, crossed: &Crossed<'_>) -> (HoldKind, String) {
    let (pool, way) = (crossed.bound.pool.unwrap_or_default(), crossed.way);
    if declares(s, crossed.bound) {
        let message = format!("it waits until {pool} is {way}, as another LicenseSeats of this account declares");
        (HoldKind::OtherPool, message)
    } else if s.is_first_look() {
        let message = format!("it waits until {pool} is {way}. No LicenseSeats with that change has been read yet");
        (HoldKind::UnreadPool, message)
    } else {
        // The former leader has read it, so it may soon declare the same change again.
        let message =
            format!("Seatkeeper waits for its initial scan: another LicenseSeats may declare that {pool} is {way}");
        (HoldKind::NotScanned, message)
    }
}
