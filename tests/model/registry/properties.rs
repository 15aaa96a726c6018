//! What must hold in every state.

use stateright::Property;

use super::calm;
use super::replica::Replica;
use super::variants::Variant;
use super::world::{AGES, Object, POOLS, Request, Slot, Uid, World, tenant};

pub const OWNERS: &str = "no two objects change one pool at a time within a term";
pub const ACCOUNT: &str = "no request leaves while another change of its account runs";
pub const ORPHAN: &str = "the change of an object that is deleted, moved or wiped blocks its account";
pub const SCANNED: &str = "nothing is reserved before the initial scan is complete";
pub const LATE: &str = "no request leaves while late effects of another change of its account may come";
pub const ASKED: &str = "nothing is reserved while an older object is asked whether it has the pool";
pub const ROWS: &str = "nothing is reserved at one of two addresses that are seen to list the same rows";
pub const OLD: &str = "nothing is reserved on a list from before the end of another change of the account";
pub const AGREE: &str = "an owner is the oldest object, in whichever order they are read";
pub const RESERVES: &str = "who wants a change comes to its reservation";

/// All of them for the registry as it is; of a weakened driver the one that it is to break.
pub fn of(variant: &Variant) -> Vec<Property<Variant>> {
    let all = vec![
        Property::always(OWNERS, |_, world: &World| !any_two(world, are_rivals)),
        Property::always(ACCOUNT, |_, world: &World| !any_two(world, |_, _| true)),
        Property::always(ORPHAN, |_, world: &World| !any_two(world, |a, _| is_left_behind(world, a))),
        Property::always(SCANNED, |_, world: &World| !world.early),
        Property::always(LATE, |_, world: &World| !is_late(world)),
        Property::always(ASKED, |_, world: &World| !world.overtaken),
        Property::always(OLD, |_, world: &World| !world.old),
        Property::always(ROWS, |_, world: &World| !world.shared),
        Property::always(AGREE, |variant, world: &World| !is_quiet(variant, world) || agrees(variant, world)),
        Property::always(RESERVES, |variant, world: &World| {
            !is_quiet(variant, world) || comes_to_reservation(variant, world)
        }),
    ];
    let wanted = |name: &str| variant.broken.is_none_or(|broken| broken == name);
    all.into_iter().filter(|property| wanted(property.name)).collect()
}

/// Whether there are two requests of one account that run at the same time, in either order.
fn any_two(world: &World, are: impl Fn(&Request, &Request) -> bool) -> bool {
    let same = |a: &Request, b: &Request| a != b && !a.late && !b.late && a.change.account == b.change.account;
    world.requests.iter().any(|a| world.requests.iter().any(|b| same(a, b) && are(a, b)))
}

fn are_rivals(a: &Request, b: &Request) -> bool {
    POOLS[a.slot] == POOLS[b.slot] && a.term == b.term && a.uid != b.uid
}

/// A request runs at an account beside the late effects of another one.
fn is_late(world: &World) -> bool {
    let beside = |a: &Request| world.requests.iter().any(|b| !b.late && a.change.account == b.change.account);
    world.requests.iter().filter(|request| request.late).any(beside)
}

/// Its object is gone, or in another account now, or has lost the record of it.
fn is_left_behind(world: &World, request: &Request) -> bool {
    let object = world.object(request.slot, request.uid);
    object.is_none_or(|object| object.account != request.change.account) || world.is_wiped(request.change)
}

/// Nothing is under way. From any other state one like this is reached, for requests and passes always end, and news
/// always arrive.
fn is_quiet(variant: &Variant, world: &World) -> bool {
    world.requests.is_empty() && world.replicas[..variant.replicas].iter().all(|replica| replica.is_quiet(world))
}

/// The smaller is the older: second of the creation, then the uid.
pub fn age(uid: Uid) -> (i64, &'static str) {
    AGES[usize::from(uid / 2)][usize::from(uid % 2)]
}

/// The older objects that want the same as this one, with a key that the vendor accepts.
fn older<'a>(
    variant: &'a Variant,
    world: &'a World,
    slot: Slot,
    object: &'a Object,
) -> impl Iterator<Item = (Slot, &'a Object)> {
    let others = world.objects.iter().enumerate().filter_map(|(slot, object)| Some((slot, object.as_ref()?)));
    others.filter(move |(other, theirs)| {
        // Two addresses of a tenant have an owner each.
        let of_one = theirs.account == object.account && tenant(object.account).is_none();
        let same = POOLS[*other] == POOLS[slot] && of_one;
        same && age(theirs.uid) < age(object.uid) && !variant.refuses(theirs.uid)
    })
}

/// Who has the pool of each object before it, by their ages alone.
fn owners(variant: &Variant, world: &World) -> [Option<Slot>; 3] {
    std::array::from_fn(|slot| {
        let oldest =
            older(variant, world, slot, world.objects[slot].as_ref()?).min_by_key(|(_, object)| age(object.uid));
        oldest.map(|(slot, _)| slot)
    })
}

fn agrees(variant: &Variant, world: &World) -> bool {
    let owners = owners(variant, world);
    let orders = [[0, 1, 2], [2, 1, 0], [1, 0, 2]];
    let read = |replica: &Replica| orders.iter().all(|order| replica.owners_after(variant, world, *order) == owners);
    world.replicas[..variant.replicas].iter().all(read)
}

/// Each object that owns its pool and wants a change gets the right to make it, if the others want nothing, nothing more
/// goes wrong and time passes.
fn comes_to_reservation(variant: &Variant, world: &World) -> bool {
    let wants = |slot: &Slot| {
        world.objects[*slot].is_some_and(|object| {
            let accepted = !variant.refuses(object.uid);
            accepted
                && object.wants
                && older(variant, world, *slot, &object).next().is_none()
                && !twin(variant, world, *slot)
        })
    };
    (0..POOLS.len()).filter(wants).all(|slot| calm::reserves(variant, world, slot))
}

/// Another object's address lists the same rows, and no person says that the two differ.
fn twin(variant: &Variant, world: &World, slot: Slot) -> bool {
    let lists = |slot: Slot| world.objects[slot].and_then(|object| world.lists(object.account)).unwrap_or_default();
    !variant.copied && (0..POOLS.len()).any(|other| other != slot && lists(other) & lists(slot) != 0)
}
