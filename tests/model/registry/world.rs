//! Everything together: the objects, the requests that run at the vendor, and what may happen to them.
//!
//! Time is in hours, and the settle time is two of them. A request leaves within the hour in which its intent was stored
//! (the send deadline), and is over within the next one: so it is over when the settle time is, and not sooner.

use stateright::{Model, Property};

use super::asked::{Made, RowSet, Set};
use super::events::Event;
use super::fault_switches::FaultSwitch;
use super::pass::Step;
use super::properties;
use super::replica::Replica;
use super::variants::{Left, Variant};

/// Number of an object's name: 0 and 1 want one pool, 2 another of the same account.
pub type Slot = usize;

/// The objects that may ever be there, as numbers: by name, then in the order of their creation.
pub type Uid = u8;

/// The names.
pub const NAMES: [&str; 3] = ["a", "b", "c"];

/// The pool that an object wants.
pub const POOLS: [&str; 3] = ["seats", "seats", "machines"];

/// The first of the two accounts that have an id of their host alone: each object reaches them at an address of its own.
pub const BY_HOST: u8 = 2;

/// Second of the creation and uid. Those of one second are told apart by their uids alone; of the objects that are
/// created again, each is younger than the first ones, and the uid of one is smaller.
pub const AGES: [[(i64, &str); 2]; 3] = [[(1, "m"), (2, "a")], [(1, "n"), (2, "z")], [(1, "o"), (2, "p")]];

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    pub now: u8,
    /// Number of the newest term, and the replica that leads in it.
    pub term: u8,
    pub leader: Option<usize>,
    /// As the apiserver stores them.
    pub objects: [Option<Object>; 3],
    /// How many there were by each name.
    pub born: [u8; 3],
    /// What runs at the vendor, in no order.
    pub requests: Vec<Request>,
    pub replicas: [Replica; 2],
    /// How many changes there were by each name.
    pub decided: [u8; 3],
    /// A change got the right to be made before each object was looked at that was there before the term.
    pub early: bool,
    /// A change got the right to be made while an older object was asked whether it has the pool.
    pub overtaken: bool,
    /// A change got the right to be made for one of two addresses that were seen to list the same rows.
    pub shared: bool,
    /// A change got the right to be made on a list from before the end of another change of the account.
    pub old: bool,
    /// The changes, as bits, whose record was wiped while they ran.
    pub wiped: u64,
    /// The rows of the two tenants.
    pub rows: [RowSet; 2],
    pub left: Left,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Object {
    pub uid: Uid,
    /// Which account its Secret names, or its key finds.
    pub account: u8,
    pub intent: Option<Change>,
    /// Its spec asks for something else than the vendor shows.
    pub wants: bool,
    /// Its record names this account: the vendor has accepted its key.
    pub recorded: bool,
    /// The rows on record; a list of none tells nothing.
    pub rows: RowSet,
    /// The last changes on record, where they may have late effects.
    pub made: Made,
}

/// A change, as far as its intent tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Change {
    pub id: u8,
    pub account: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Request {
    pub change: Change,
    pub slot: Slot,
    pub uid: Uid,
    /// The term in which its pass began.
    pub term: u8,
    /// An hour has passed since it left.
    pub aged: bool,
    /// It was answered, and its late effects may come.
    pub late: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    Lead(usize),
    BeginTerm(usize),
    InitialScan(usize),
    Recount(usize),
    Watch(usize, Slot),
    /// A new list of the watch has another object by this name.
    Relist(usize, Slot),
    /// A pass goes on: from its beginning to the right to make a change without a pause, then step by step.
    Pass(usize, Slot),
    /// One step of a pass that has no such right yet; then it pauses.
    Pause(usize, Slot),
    GiveUp(usize, Slot),
    Restart(usize),
    /// A request is carried out, or comes to nothing; or its late effects are over.
    Finish(usize),
    /// A colleague adds a row to a tenant.
    Colleague(u8),
    Delete(Slot),
    Create(Slot),
    Move(Slot),
    Wipe(Slot),
    Hour,
}

/// A row that both tenants have from the beginning, for one is a copy of the other.
const COPIED: u8 = 7;

/// A row that a colleague adds.
const COLLEAGUES: u8 = 6;

/// Number of the tenant that this account is, if it is one.
pub fn tenant(account: u8) -> Option<usize> {
    account.checked_sub(BY_HOST).map(usize::from)
}

fn uid(slot: Slot, nth: u8) -> Uid {
    2 * u8::try_from(slot).unwrap_or_default() + nth
}

pub fn slot_of(uid: Uid) -> Slot {
    usize::from(uid / 2)
}

impl World {
    pub fn new(variant: &Variant) -> Self {
        let objects = std::array::from_fn(|slot| variant.there[slot].then(|| Object::new(variant, uid(slot, 0))));
        let mut world = Self {
            now: 0,
            term: 0,
            leader: None,
            objects,
            born: variant.there.map(u8::from),
            requests: Vec::new(),
            replicas: [Replica::new(&objects), Replica::new(&objects)],
            decided: [0; 3],
            early: false,
            overtaken: false,
            shared: false,
            old: false,
            wiped: 0,
            rows: [if variant.copied { 1 << COPIED } else { 0 }; 2],
            left: variant.left,
        };
        // Both are alike: that it is the first one who leads first is no restriction.
        world.lead(0);
        world
    }

    pub fn object(&self, slot: Slot, uid: Uid) -> Option<&Object> {
        self.objects[slot].as_ref().filter(|object| object.uid == uid)
    }

    /// A set of all objects that are there.
    pub fn there(&self) -> Set {
        self.objects.iter().flatten().map(|object| 1 << object.uid).sum()
    }

    fn lead(&mut self, replica: usize) {
        self.term += 1;
        self.leader = Some(replica);
        let unread = self.there();
        self.replicas[replica].lead(self.term, unread);
    }

    /// Changes of these objects run at the vendor, or may still leave.
    fn running(&self) -> impl Iterator<Item = (Slot, Uid, Change)> + '_ {
        let sent = self.requests.iter().map(|request| (request.slot, request.uid, request.change));
        let passes = self.replicas.iter().flat_map(|replica| replica.passes.iter().enumerate());
        let about = passes.filter(|(_, pass)| matches!(pass.step, Step::Armed | Step::Cleared));
        sent.chain(about.map(|(slot, pass)| (slot, pass.uid, pass.change)))
    }

    /// Nobody's record tells of a change that runs, or may still leave.
    fn has_orphan(&self) -> bool {
        self.running().any(|(slot, uid, change)| self.object(slot, uid).is_none() || self.is_wiped(change))
    }

    /// Whether the record of this change was wiped while it ran.
    pub fn is_wiped(&self, change: Change) -> bool {
        self.wiped & 1 << change.id != 0
    }

    /// Whether the leader knows what the record of this object says: what nobody knows of when its record goes is not
    /// covered (docs/never-buys-twice.md).
    fn may_lose_its_record(&self, slot: Slot, uid: Uid) -> bool {
        let known = self.leader.is_some_and(|leader| self.replicas[leader].unread & 1 << uid == 0);
        known || !self.running().any(|(other, running, _)| (other, running) == (slot, uid))
    }

    /// What may happen next.
    pub fn offers(&self, variant: &Variant, acts: &mut Vec<Act>) {
        let (left, assumed) = (self.left, variant.fault_switch != Some(FaultSwitch::DeletedAndForgotten));
        for replica in 0..variant.replicas {
            let me = &self.replicas[replica];
            let leads = self.leader == Some(replica);
            if left.leads > 0 && !leads && !(assumed && self.has_orphan()) {
                acts.push(Act::Lead(replica));
            }
            if left.restarts > 0 {
                acts.push(Act::Restart(replica));
            }
            me.offers(variant, self, replica, acts);
        }
        acts.extend((0..self.requests.len()).map(Act::Finish));
        for slot in 0..NAMES.len() {
            match &self.objects[slot] {
                Some(object) => {
                    if left.deletes > 0 && (!assumed || self.may_lose_its_record(slot, object.uid)) {
                        acts.push(Act::Delete(slot));
                    }
                    if left.moves > 0 {
                        acts.push(Act::Move(slot));
                    }
                    if left.wipes > 0 && self.may_lose_its_record(slot, object.uid) {
                        acts.push(Act::Wipe(slot));
                    }
                }
                None if left.creates > 0 && self.born[slot] < 2 => acts.push(Act::Create(slot)),
                None => {}
            }
        }
        if left.rows > 0 {
            acts.extend((0..2).map(Act::Colleague));
        }
        if left.hours > 0 && !self.requests.iter().any(|request| request.aged || request.late) {
            acts.push(Act::Hour);
        }
    }

    /// Lets something happen, and returns what it came to.
    #[expect(clippy::too_many_lines, reason = "one match: an arm for each action")]
    pub fn step(&mut self, variant: &Variant, act: Act) -> Event {
        match act {
            Act::Lead(replica) => {
                self.left.leads = self.left.leads.saturating_sub(1);
                self.lead(replica);
                Event::Lead
            }
            Act::BeginTerm(replica) => self.replicas[replica].begin_term(variant),
            Act::InitialScan(replica) => {
                let there = self.there();
                self.replicas[replica].count(variant, there)
            }
            Act::Recount(replica) => {
                let there = self.there();
                self.replicas[replica].recount(there)
            }
            Act::Watch(replica, slot) => {
                let (uid, now) = (self.objects[slot].map(|object| object.uid), self.now);
                self.replicas[replica].watch(variant, slot, uid, now)
            }
            Act::Relist(replica, slot) => {
                if let Some(object) = self.objects[slot] {
                    self.replicas[replica].appeared(object.uid);
                }
                Event::ListTellsOfAnother
            }
            Act::Pass(replica, slot) => self.pass(variant, replica, slot),
            Act::Pause(replica, slot) => {
                self.left.pauses -= 1;
                self.pass_step(variant, replica, slot)
            }
            Act::GiveUp(replica, slot) => {
                self.left.losses -= 1;
                self.give_up(variant, replica, slot)
            }
            Act::Restart(replica) => {
                self.left.restarts -= 1;
                self.leader = self.leader.filter(|leader| *leader != replica);
                self.replicas[replica] = Replica::new(&self.objects);
                Event::Restart
            }
            Act::Finish(nth) => self.finish(variant, nth),
            Act::Colleague(tenant) => {
                self.left.rows -= 1;
                self.rows[usize::from(tenant)] |= 1 << COLLEAGUES;
                Event::ColleagueAddsARow
            }
            Act::Delete(slot) => self.delete(slot),
            Act::Create(slot) => self.create(variant, slot),
            Act::Move(slot) => self.change_account(variant, slot),
            Act::Wipe(slot) => self.wipe(variant, slot),
            Act::Hour => {
                self.left.hours = self.left.hours.saturating_sub(1);
                self.now += 1;
                self.requests.iter_mut().for_each(|request| request.aged = true);
                self.replicas.iter_mut().for_each(Replica::hour);
                Event::Hour
            }
        }
    }

    /// Late effects come within the hour: an hour that passes ends them.
    fn finish(&mut self, variant: &Variant, nth: usize) -> Event {
        let request = self.requests.remove(nth);
        if request.late {
            return Event::LateEffectsEnd;
        }
        if let Some(tenant) = tenant(request.change.account) {
            self.rows[tenant] |= 1 << request.uid;
        }
        if !variant.late {
            return Event::Finish;
        }
        self.requests.push(Request { late: true, aged: false, ..request });
        self.requests.sort_unstable();
        Event::LateEffectsBegin
    }

    fn delete(&mut self, slot: Slot) -> Event {
        self.left.deletes -= 1;
        let Some(object) = self.objects[slot].take() else { return Event::Delete };
        for replica in &mut self.replicas {
            replica.unread &= !(1 << object.uid);
        }
        if object.intent.is_some() { Event::DeleteWithOpenChange } else { Event::Delete }
    }

    fn create(&mut self, variant: &Variant, slot: Slot) -> Event {
        self.left.creates -= 1;
        self.objects[slot] = Some(Object::new(variant, uid(slot, self.born[slot])));
        self.born[slot] += 1;
        if self.born[slot] > 1 { Event::CreateAgain } else { Event::Create }
    }

    fn change_account(&mut self, variant: &Variant, slot: Slot) -> Event {
        self.left.moves -= 1;
        let Some(object) = &mut self.objects[slot] else { return Event::Move };
        (object.account, object.recorded, object.rows) = (object.account ^ 1, false, 0);
        // Where it matters that an object changes one account after the other.
        object.wants |= variant.late;
        if object.intent.is_some() { Event::MoveWithOpenChange } else { Event::Move }
    }

    /// The whole status is taken away. What others read of it before is old.
    fn wipe(&mut self, variant: &Variant, slot: Slot) -> Event {
        self.left.wipes -= 1;
        let Some(object) = self.objects[slot] else { return Event::Wipe };
        let running = self.running().filter(|(other, uid, _)| (*other, *uid) == (slot, object.uid));
        self.wiped |= running.map(|(_, _, change)| 1 << change.id).fold(0, std::ops::BitOr::bitor);
        // Where it matters that a change follows another one.
        self.write(slot, None, object.wants || variant.late);
        if let Some(object) = &mut self.objects[slot] {
            (object.recorded, object.rows, object.made) = (false, 0, [None; 2]);
        }
        if object.intent.is_some() { Event::WipeWithOpenChange } else { Event::Wipe }
    }

    /// What the tenant of this account lists at this moment.
    pub fn lists(&self, account: u8) -> Option<RowSet> {
        tenant(account).map(|tenant| self.rows[tenant])
    }

    /// Writes an object's status. What others read of it before is old.
    pub fn write(&mut self, slot: Slot, intent: Option<Change>, wants: bool) {
        if let Some(object) = &mut self.objects[slot] {
            (object.intent, object.wants) = (intent, wants);
        }
        for replica in &mut self.replicas {
            let pass = &mut replica.passes[slot];
            pass.stale |= matches!(pass.step, Step::Read | Step::Noted | Step::Confirmed | Step::Reserved);
        }
    }
}

impl Object {
    fn new(variant: &Variant, uid: Uid) -> Self {
        let account = variant.accounts[slot_of(uid)];
        Self { uid, account, intent: None, wants: true, recorded: false, rows: 0, made: [None; 2] }
    }
}

impl Model for Variant {
    type State = World;
    type Action = Act;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(self)]
    }

    fn actions(&self, world: &World, acts: &mut Vec<Act>) {
        world.offers(self, acts);
    }

    fn next_state(&self, world: &World, act: Act) -> Option<World> {
        let mut next = world.clone();
        let event = next.step(self, act);
        self.taken.note(event);
        (next != *world).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::of(self)
    }
}
