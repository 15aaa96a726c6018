//! What must hold in every state, and what must be possible in some.

use stateright::Property;

use super::{BOUGHT, Mark, Quantity, WANTED};
use crate::case::Sells;
use crate::properties::{ONE, RESTS, comes_to_rest};
use crate::replica::{Replica as AnyReplica, Step};
use crate::variants::{FaultSwitch, Variant as AnyVariant};
use crate::world::World as AnyWorld;

type Variant = AnyVariant<Quantity>;
type World = AnyWorld<Quantity>;
type Replica = AnyReplica<Quantity>;

pub const BILLED: &str = "never billed for more than was asked";
pub const SHOWN: &str = "never more seats than were asked";
pub const FEWER: &str = "never fewer seats than were asked or there";
pub const EFFECTS: &str = "no decision has an effect more than twice";
pub const QUIET: &str = "nothing runs and no handler holds another row when a request leaves";
pub const IN_SYNC: &str = "gets in sync";
pub const HEALS: &str = "heals what the vendor took back";

/// All of them for the protocol; of a weakened one only whether it buys too much.
pub fn of(variant: &Variant) -> Vec<Property<Variant>> {
    let mut properties = vec![
        Property::always(BILLED, |_, world: &World| world.vendor.billed <= WANTED),
        Property::always(SHOWN, |_, world: &World| world.vendor.shown <= WANTED),
        Property::always(FEWER, |_, world: &World| world.vendor.billed >= BOUGHT && world.vendor.shown >= BOUGHT),
    ];
    let settles = [
        FaultSwitch::ConstantSettleTime,
        FaultSwitch::NoWaitForLateEffects,
        FaultSwitch::NoAgeOfReadings,
        FaultSwitch::ForgetsFirst,
        FaultSwitch::ForgetsRefused,
    ];
    if variant.fault_switch.is_none_or(|fault_switch| settles.contains(&fault_switch)) {
        properties.push(Property::always(EFFECTS, |_, world: &World| world.vendor.effects <= 2));
        properties.push(Property::always(QUIET, |_, world: &World| !world.vendor.unquiet));
    }
    if variant.fault_switch.is_none() {
        properties.extend([
            Property::always(ONE, |_, world: &World| world.vendor.in_flight() <= 1),
            Property::always(RESTS, comes_to_rest),
            Property::sometimes(IN_SYNC, |_, world: &World| {
                world.apiserver.record.made.last.is_some() && is_whole(world)
            }),
            Property::sometimes(HEALS, |_, world: &World| world.replicas.iter().any(|me| heals(world, me))),
        ]);
    }
    properties
}

fn is_whole(world: &World) -> bool {
    world.vendor.shown == WANTED && world.vendor.billed == WANTED && world.vendor.is_quiet()
}

/// A change that was made before is recorded as made again, by its repeat, and nothing can take it back any more.
fn heals(world: &World, me: &Replica) -> bool {
    let attempt = |made: Option<Mark>| made.map_or(0, |made| made.attempt);
    matches!(me.step, Step::Recording(record) if attempt(record.made.last) == 2 && attempt(me.copy.made.last) == 1)
        && is_whole(world)
}
