//! What both kinds of seats must come to.

use stateright::Model;

use crate::case::{Case, Sells, Waits};
use crate::operator::OperatorAct;
use crate::replica::{Replica, Step};
use crate::variants::{Faults, Variant};
use crate::world::{Act, World};

pub const ONE: &str = "one request at a time";
pub const TWICE: &str = "no decision is requested more than twice";
pub const RESTS: &str = "comes to rest in sync, refused or asking for a review";

/// From a quiet world, with nothing more going wrong, one replica alone comes to an end that a person would accept:
/// all as asked, or a verdict that says why not.
pub fn comes_to_rest<C: Case>(variant: &Variant<C>, world: &World<C>) -> bool {
    let idle = |replica: &Replica<C>| replica.step == Step::Idle;
    if !world.vendor.is_quiet() || !world.replicas.iter().all(idle) {
        return true;
    }
    let alone = Variant { replicas: 1, taken: None, passes: None, ..*variant };
    let mut world = World { left: Faults { sends: 4, ..Faults::default() }, ..*world };
    // The other replica is gone for good.
    world.replicas[1] = Replica::default();
    C::unhinder(&mut world.outside);
    for _ in 0..200 {
        let me = world.replicas[0];
        if me.step == Step::Idle && world.vendor.is_quiet() {
            let seen = world.vendor.clone().read().expect("nothing goes wrong any more");
            let judged = C::judge(variant, world.apiserver.record, me.clock, seen, world.outside);
            if judged.record == world.apiserver.record
                && judged.doubt.is_none_or(|doubt| doubt.kept)
                && let Some(good) = C::is_good_end(&world, judged.verdict)
            {
                return good;
            }
        }
        let Some(next) = calm(&alone, &world) else { return false };
        world = next;
    }
    false
}

/// The next step of a world in which all goes well: the vendor finishes first, then time passes, then the operator goes on.
fn calm<C: Case>(alone: &Variant<C>, world: &World<C>) -> Option<World<C>> {
    let mut acts = Vec::new();
    alone.actions(world, &mut acts);
    let order = |act: &Act<C>| match act {
        Act::Vendor(act) => C::calm(act),
        Act::Elapse(_) if world.replicas[0].clock.is_some_and(|clock| !clock.key.is_of_request()) => 2,
        Act::Elapse(_) => 3,
        Act::Operator(_, OperatorAct::Drop) => 5,
        Act::Operator(..) => 4,
        Act::CacheCatchesUp => 2,
        Act::Outside(_) => 6,
    };
    acts.sort_by_key(order);
    acts.into_iter().find_map(|act| alone.next_state(world, act))
}
