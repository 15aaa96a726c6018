//! What must hold in every state, and what must be possible in some.

use stateright::{Model, Property};

use crate::apiserver::Mark;
use crate::judge::{Said, judge};
use crate::operator::OperatorAct;
use crate::replica::{Kind, Replica, Step};
use crate::variants::{Faults, Variant, Weakness};
use crate::vendor::VendorAct;
use crate::world::{Act, WANTED, World};

pub const BILLED: &str = "never billed for more than was asked";
pub const SHOWN: &str = "never more seats than were asked";
pub const ONE: &str = "one request at a time";
pub const TWICE: &str = "no decision is requested more than twice";
pub const RESTS: &str = "comes to rest in sync, refused or asking for a review";
pub const IN_SYNC: &str = "gets in sync";
pub const HEALS: &str = "heals what the vendor took back";

/// All of them for the protocol; of a weakened one only whether it buys too much.
pub fn of(variant: &Variant) -> Vec<Property<Variant>> {
    let mut properties = vec![
        Property::always(BILLED, |_, world: &World| world.vendor.billed <= WANTED),
        Property::always(SHOWN, |_, world: &World| world.vendor.shown <= WANTED),
    ];
    if matches!(variant.weakness, None | Some(Weakness::ForgetsFirst)) {
        properties.push(Property::always(TWICE, |_, world: &World| world.tries <= 2));
    }
    if variant.weakness.is_none() {
        properties.extend([
            Property::always(ONE, |_, world: &World| world.vendor.in_flight() <= 1),
            Property::always(RESTS, comes_to_rest),
            Property::sometimes(IN_SYNC, |_, world: &World| world.apiserver.record.made.is_some() && is_whole(world)),
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
    matches!(me.step, Step::Recording(record) if attempt(record.made) == 2 && attempt(me.copy.made) == 1)
        && is_whole(world)
}

/// From a quiet world, with nothing more going wrong, one replica alone comes to an end that a person would accept:
/// shown and billed as asked, or a verdict that says why not.
fn comes_to_rest(variant: &Variant, world: &World) -> bool {
    let idle = |replica: &Replica| replica.step == Step::Idle;
    if !world.vendor.is_quiet() || !world.replicas.iter().all(idle) {
        return true;
    }
    let alone = Variant { replicas: 1, ..*variant };
    let mut world = World { left: Faults { sends: 3, ..Faults::default() }, ..*world };
    // The other replica is gone for good.
    world.replicas[1] = Replica::default();
    world.outside.bounded = false;
    for _ in 0..200 {
        let me = world.replicas[0];
        if me.step == Step::Idle && world.vendor.is_quiet() {
            let judged = judge(variant, world.apiserver.record, me.clock, world.vendor.shown, world.outside);
            let settled = judged.record == world.apiserver.record && judged.doubt.is_none();
            match judged.verdict {
                Said::InSync if settled => return world.vendor.shown == WANTED && world.vendor.billed == WANTED,
                Said::Rejected | Said::NeedsReview if settled => return true,
                _ => {}
            }
        }
        let Some(next) = calm(&alone, &world) else { return false };
        world = next;
    }
    false
}

/// The next step of a world in which all goes well: the vendor finishes first, then time passes, then the operator goes on.
fn calm(alone: &Variant, world: &World) -> Option<World> {
    let mut acts = Vec::new();
    alone.actions(world, &mut acts);
    let order = |act: &Act| match act {
        Act::Vendor(VendorAct::Proceed(_)) => 0,
        Act::Vendor(_) => 1,
        Act::Strike(_) if world.replicas[0].clock.is_some_and(|clock| clock.key.kind != Kind::Open) => 2,
        Act::Strike(_) => 3,
        Act::Operator(_, OperatorAct::Drop) => 5,
        Act::Operator(..) => 4,
        Act::CacheCatchesUp => 2,
        Act::Bound | Act::Edit => 6,
    };
    acts.sort_by_key(order);
    acts.into_iter().find_map(|act| alone.next_state(world, act))
}
