//! A world in which all goes well from now on.

use std::sync::Arc;

use super::pass::Step;
use super::variants::{Left, Variant};
use super::world::{Act, NAMES, Slot, World};

/// More steps than anything takes that must end before the next pass.
const MANY: usize = 60;

/// More hours than a change can block its account.
const HOURS: usize = 5;

/// Whether this object gets the right to make a change, while the others want nothing.
pub fn reserves(variant: &Variant, world: &World, slot: Slot) -> bool {
    let (mut world, variant) = (world.clone(), &Variant { taken: Arc::default(), ..variant.clone() });
    world.left = Left { changes: 1, ..Left::default() };
    for other in (0..NAMES.len()).filter(|other| *other != slot) {
        if let Some(object) = &mut world.objects[other] {
            object.wants = false;
        }
    }
    for _ in 0..HOURS {
        go_on(variant, &mut world);
        let leader = world.leader.unwrap_or_else(|| {
            world.step(variant, Act::Lead(0));
            0
        });
        go_on(variant, &mut world);
        for slot in 0..NAMES.len() {
            if world.replicas[leader].known[slot].is_some() {
                world.step(variant, Act::Pass(leader, slot));
                go_on(variant, &mut world);
            }
        }
        if world.left.changes == 0 {
            return true;
        }
        world.step(variant, Act::Hour);
    }
    false
}

/// Lets everything happen that is under way: requests end, passes end, and processes learn of what is there.
fn go_on(variant: &Variant, world: &mut World) {
    for _ in 0..MANY {
        let mut acts = Vec::new();
        world.offers(variant, &mut acts);
        let idle = |world: &World, replica: usize, slot: Slot| world.replicas[replica].passes[slot].step == Step::Idle;
        let order = |act: &Act| match *act {
            Act::Finish(_) => Some(0),
            Act::Pass(replica, slot) => (!idle(world, replica, slot)).then_some(1),
            Act::BeginTerm(_) => Some(2),
            Act::InitialScan(_) => Some(3),
            Act::Watch(..) => Some(4),
            Act::Recount(_) => Some(5),
            _ => None,
        };
        let Some((_, next)) = acts.iter().filter_map(|act| Some((order(act)?, *act))).min_by_key(|(order, _)| *order)
        else {
            return;
        };
        world.step(variant, next);
    }
}
