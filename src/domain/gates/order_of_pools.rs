//! The order in which the pools of one account change: a change waits while another object is about to move a bound of the vendor's rules
//! that it would cross.

use std::time::Duration;

use super::vendor_rules::{crossed, declares};
use super::{Hold, HoldKind, Wake, Wanted};
use crate::domain::Situation;
use crate::domain::other_objects::OTHERS;

/// How often to check another object of which nothing goes on: that may take days, and each look costs a reading.
const STUCK: Wake = Wake::After(Duration::from_secs(300));

/// Another object of the account is about to move a bound that this change would cross.
pub(super) fn gate(s: &Situation<'_>, wanted: &Wanted<'_>) -> Vec<Hold> {
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
