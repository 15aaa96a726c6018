//! What must hold in every state, and what must be possible in some.

use stateright::Property;

use super::tenant::{FIRST, Slot, bit};
use super::{Key, Keys, Known, Mark, State, Task, Wait};
use crate::apiserver::Phase;
use crate::case::{Case, Said, Sells};
use crate::properties::{RESTS, TWICE, comes_to_rest};
use crate::replica::{Replica as AnyReplica, Step};
use crate::variants::{FaultSwitch, Variant as AnyVariant};
use crate::world::World as AnyWorld;

type Variant = AnyVariant<Keys>;
type World = AnyWorld<Keys>;
type Replica = AnyReplica<Keys>;

/// Nothing in the model makes a request without effect have one after its settle time, so there is no exception: a key
/// that this object adds again has no row that this object made before.
pub const ONCE: &str = "no key has two rows that this object made";
pub const FOREIGN: &str = "no row of a colleague is removed";
pub const ONE: &str = "no addition is sent while another may run";
pub const RUNNING: &str = "the intent of a request that runs is open in the record";
pub const KEPT: &str = "an open intent stays until it is judged";
pub const IN_SYNC: &str = "has the key that it lists";

/// All of them for the protocol; of a weakened one only the harm.
pub fn of(variant: &Variant) -> Vec<Property<Variant>> {
    let mut properties = vec![
        Property::always(ONCE, |_, world: &World| Key::ALL.into_iter().all(|key| has_one_row(world, key))),
        Property::always(FOREIGN, |_, world: &World| !world.vendor.robbed),
    ];
    if matches!(variant.fault_switch, None | Some(FaultSwitch::ForgetsFirst)) {
        properties.push(Property::always(TWICE, |_, world: &World| world.tries.iter().all(|tries| *tries <= 2)));
    }
    if variant.fault_switch.is_none() {
        properties.extend([
            // A removal is over once its row is gone, whatever of its request may still run.
            Property::always(ONE, |_, world: &World| world.vendor.additions().count() <= 1),
            Property::always(RUNNING, runs_under_its_intent),
            Property::always(KEPT, keeps_the_intent),
            Property::always(RESTS, comes_to_rest),
            Property::sometimes(IN_SYNC, |_, world: &World| {
                world.vendor.is_quiet() && has_listed_keys(world) && world.apiserver.record.intent.is_none()
            }),
        ]);
    }
    properties
}

fn has_one_row(world: &World, key: Key) -> bool {
    world.vendor.numbers(|slot| slot == Slot::Ours(key)).count() <= 1
}

fn is_open(phase: Phase) -> bool {
    matches!(phase, Phase::Open | Phase::Answered | Phase::Unanswered | Phase::Settling)
}

/// Not where a row is removed: that it is gone is proof enough, whatever of the request may still run.
fn runs_under_its_intent(_: &Variant, world: &World) -> bool {
    let open = world.apiserver.record.intent.filter(|intent| is_open(intent.phase)).map(|intent| intent.id);
    world.vendor.additions().all(|request| open == Some(request.intent))
}

/// What every replica would write now, had it read object and tenant just now.
fn keeps_the_intent(variant: &Variant, world: &World) -> bool {
    let Some(intent) = world.apiserver.record.intent else { return true };
    let idle = |me: &&Replica| me.step == Step::Idle;
    world.replicas[..variant.replicas].iter().filter(idle).all(|me| keeps(variant, world, intent, me))
}

fn keeps(variant: &Variant, world: &World, intent: Mark, me: &Replica) -> bool {
    let seen = world.vendor.clone().read().expect("a list can always be read");
    let judged = Keys::judge(variant, world.apiserver.record, me.clock, seen, world.outside).record;
    let made = judged.made.last == Some(intent.id);
    let kept = judged.intent.filter(|kept| kept.id == intent.id);
    let waited = me.clock.is_some_and(|clock| match clock.key {
        Wait::Second { id, .. } => id == intent.id,
        Wait::Request(id) | Wait::LateEffects(id) => id == intent.id && clock.is_over(),
        Wait::Missing(_) => false,
    });
    let known = judged.made.keys[intent.key.place()];
    let listed = known.and_then(|known| known.row).is_some_and(|row| seen.rows & bit(row) != 0);
    let refused = matches!(known, Some(Known { state: State::Rejected | State::Unproven | State::AlreadyPresent, .. }));
    // A row that two readings lack and that is still counted counts as removed by nobody; it stays on record.
    let hidden = matches!(intent.task, Task::Remove(row) if seen.rows & bit(row) == 0);
    // The row that the answer named was there before: no change was made.
    let named = matches!(intent.task, Task::Add { named: Some(row), .. } if seen.rows & bit(row) != 0) && listed;
    match intent.phase {
        Phase::Open | Phase::Answered | Phase::Unanswered if !waited => {
            made || named || kept.is_some_and(|kept| is_open(kept.phase))
        }
        // Of a key that is not listed any more nobody needs to know that it came to nothing twice.
        Phase::Open | Phase::Answered | Phase::Unanswered => {
            let unlisted = !world.outside.listing.keys().contains(&intent.key) && intent.attempt > 1;
            made || kept.is_some() || listed || refused || unlisted || hidden
        }
        Phase::Settling => waited || kept == Some(intent),
        Phase::WithoutEffect => {
            let edited = intent.wish != world.outside.listing;
            made || kept.is_some() || edited || listed || hidden
        }
        // A person, or an edit, ends these.
        Phase::Rejected | Phase::NeedsReview | Phase::MadeElsewhere => true,
    }
}

/// Each listed key has a row in the record that the tenant has too, and that may be its own. A row that a colleague adds while
/// an addition is open cannot be told from it.
fn has_listed_keys(world: &World) -> bool {
    let keys = world.apiserver.record.made.keys;
    let has = |key: &Key| {
        let row = keys[key.place()].and_then(|known| known.row);
        row.is_some_and(|row| row != FIRST && world.vendor.rows() & bit(row) != 0)
    };
    world.outside.listing.keys().iter().all(has)
}

/// In sync is what has all listed keys; whatever else it stops at asks for a person and says why.
pub fn is_good_end(world: &World, verdict: Said<Keys>) -> Option<bool> {
    match verdict {
        Said::InSync => Some(has_listed_keys(world)),
        Said::Lacking | Said::Conflict | Said::NeedsReview | Said::Rejected => Some(true),
        _ => None,
    }
}
