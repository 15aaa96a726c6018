//! Other objects of the same account: one change is made at a time, and some in an order that the vendor's rules give.

use std::time::Duration;

use super::vendor::{crossed, declares};
use super::{Hold, HoldKind, Wake, Wanted};
use crate::domain::{Obstacle, Situation};

/// How often to check whether another object is done, if nothing reports it sooner.
const OTHERS: Wake = Wake::After(Duration::from_secs(15));

/// The same, where nothing goes on of the other object: that may take days, and each look costs a reading.
const STUCK: Wake = Wake::After(Duration::from_secs(300));

/// Another object of the account is about to move a bound that this change would cross.
pub(super) fn pool(s: &Situation<'_>, wanted: &Wanted<'_>) -> Vec<Hold> {
    let waits = crossed(s, wanted).filter(|crossed| crossed.moves);
    let each = waits.map(|crossed| {
        let (pool, way) = (crossed.bound.pool.unwrap_or_default(), crossed.way);
        match s.stuck.iter().find(|stuck| Some(stuck.pool) == crossed.bound.pool) {
            Some(stuck) => {
                let message = format!("it waits until {pool} is {way}. {}", stuck.sentence());
                let kind = if stuck.still.deferred { HoldKind::DeferredPool } else { HoldKind::StuckPool };
                Hold { kind, message, wake: STUCK }
            }
            None => {
                let (kind, message) = if declares(s, crossed.bound) {
                    let message =
                        format!("it waits until {pool} is {way}, as another LicenseSeats of this account declares");
                    (HoldKind::OtherPool, message)
                } else {
                    let message =
                        format!("it waits until {pool} is {way}. No LicenseSeats that declares that has been read yet");
                    (HoldKind::UnreadPool, message)
                };
                Hold { kind, message, wake: OTHERS }
            }
        }
    });
    each.collect()
}

/// Other objects have something against it at this moment.
pub(super) fn obstacle(s: &Situation<'_>) -> Option<Hold> {
    let obstacle = s.obstacle?;
    let kind = match obstacle {
        Obstacle::NotScanned => HoldKind::NotScanned,
        Obstacle::SameRows { .. } => return Some(Hold::of(HoldKind::SameRows, obstacle.sentence())),
        Obstacle::Owned(_) => HoldKind::Owned,
        Obstacle::LateEffects(_) => HoldKind::OtherLateEffects,
        Obstacle::InFlight(_) => HoldKind::OtherChange,
    };
    let wake = if let Obstacle::LateEffects(left) = obstacle { Wake::After(*left) } else { OTHERS };
    Some(Hold { kind, message: obstacle.sentence(), wake })
}
