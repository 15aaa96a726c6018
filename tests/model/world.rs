//! Everything together: the states, what may happen in them, and the passing of time.

use stateright::{Model, Property};

use crate::apiserver::{Apiserver, Mark, Record};
use crate::operator::{self, OperatorAct};
use crate::properties;
use crate::replica::{Replica, Step};
use crate::variants::{Faults, Variant, Weakness};
use crate::vendor::{self, Vendor, VendorAct};

/// What the vendor shows at first.
pub const BOUGHT: i8 = 1;
/// What the object asks for.
pub const WANTED: i8 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct World {
    pub vendor: Vendor,
    pub apiserver: Apiserver,
    pub replicas: [Replica; 2],
    /// What changes around the object.
    pub outside: Outside,
    /// Requests of the one decision that left, and that the vendor did not refuse.
    pub tries: u8,
    /// What may still go wrong.
    pub left: Faults,
}

/// What changes around the object while its wish stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Outside {
    /// Generation of the spec: each edit leaves the wish as it is.
    pub generation: u8,
    /// A bound that another pool sets stands against the change.
    pub bounded: bool,
}

/// The generation that asked first.
pub const FIRST_GENERATION: u8 = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    Vendor(VendorAct),
    Operator(usize, OperatorAct),
    /// The clock in a replica's memory strikes.
    Strike(usize),
    /// The bound comes or goes.
    Bound,
    /// Somebody edits the spec and leaves the wish as it is.
    Edit,
    /// The watch cache sees what is stored.
    CacheCatchesUp,
}

impl World {
    /// One line for people who read a trace.
    pub fn brief(&self) -> String {
        let (vendor, record) = (&self.vendor, &self.apiserver.record);
        let steps = self.replicas.map(|replica| replica.step.rank());
        format!(
            "shown {} billed {} steps {steps:?} intent {:?} made {:?}",
            vendor.shown, vendor.billed, record.intent, record.made
        )
    }

    /// The answer of this replica's request is not heard by anybody.
    pub fn hang_up(&mut self, replica: usize) {
        for request in self.vendor.requests.iter_mut().flatten() {
            if request.sender.is_some_and(|sender| usize::from(sender) == replica) {
                request.sender = None;
            }
        }
        self.vendor.requests.sort_unstable();
    }

    /// The smallest id that nothing refers to: ids only have to differ from those that are still in use.
    pub fn fresh_id(&mut self) -> u8 {
        let mut used = 0_u32;
        self.each_id(|id| used |= 1 << *id);
        u8::try_from(used.trailing_ones()).unwrap_or_default()
    }

    /// Numbers the ids anew in the order of their appearance, so that worlds which differ by names only are one.
    pub fn renamed(mut self) -> Self {
        let mut names = [None; 32];
        let mut next = 0;
        self.each_id(|id| {
            let name = &mut names[usize::from(*id)];
            if name.is_none() {
                *name = Some(next);
                next += 1;
            }
            *id = name.unwrap_or_default();
        });
        self.vendor.requests.sort_unstable();
        self
    }

    /// Two worlds that nothing can ever tell apart are one.
    fn forget_what_cannot_matter(&mut self) {
        let stored = self.apiserver.record;
        for replica in 0..2 {
            let me = &mut self.replicas[replica];
            let ours = me.copy.intent.map(|intent| intent.id);
            match me.step {
                // A write that will be refused is as good as refused: a reading never gets fresh again.
                Step::Acting(_) if me.stale => me.rest(),
                Step::Recording(_) if me.stale && (ours.is_none() || stored.intent.map(|intent| intent.id) != ours) => {
                    me.rest();
                }
                // What is written over another write is intent and change, whatever was read around them.
                Step::Recording(record) if me.stale => {
                    me.copy = stored;
                    me.step = Step::Recording(Record { published: None, ..record });
                }
                _ => {}
            }
        }
        for replica in 0..2 {
            let Some(clock) = self.replicas[replica].clock else {
                continue;
            };
            // The clock of an intent that nobody knows: of one that was never stored, or is long replaced.
            let known = self.knows(clock.key.id);
            if !known {
                self.replicas[replica].clock = None;
            }
            if !known || clock.struck >= clock.last() {
                self.vendor.cover(replica, None);
            } else if clock.struck > 0 {
                self.vendor.cover_requests(replica, false);
            }
        }
    }

    fn knows(&mut self, id: u8) -> bool {
        let clocks = self.replicas.map(|replica| replica.clock);
        for replica in &mut self.replicas {
            replica.clock = None;
        }
        let mut known = false;
        self.each_id(|other| known |= *other == id);
        for (replica, clock) in self.replicas.iter_mut().zip(clocks) {
            replica.clock = clock;
        }
        known
    }

    /// Replicas have no names either: the one further on comes first.
    fn ordered(mut self) -> Self {
        let rank = |replica: &Replica| {
            (
                replica.step.rank(),
                replica.stale,
                replica.late,
                replica.clock.map(|clock| (clock.key.kind, clock.struck, clock.settled)),
            )
        };
        // A single replica is the first one and stays it: the second never acts and has the least rank.
        if rank(&self.replicas[0]) < rank(&self.replicas[1]) {
            self.replicas.swap(0, 1);
            self.vendor.swap_replicas();
        }
        self
    }

    fn each_id(&mut self, mut visit: impl FnMut(&mut u8)) {
        each_of(&mut self.apiserver.record, &mut visit);
        each_of(&mut self.apiserver.cache, &mut visit);
        for replica in &mut self.replicas {
            each_of(&mut replica.copy, &mut visit);
            match &mut replica.step {
                Step::Acting(mark) | Step::Armed(mark) | Step::Waiting(mark) | Step::Told(mark, _) => {
                    visit(&mut mark.id);
                }
                Step::Recording(record) => each_of(record, &mut visit),
                Step::Idle | Step::Read | Step::Seen(_) => {}
            }
            if let Some(clock) = &mut replica.clock {
                visit(&mut clock.key.id);
            }
        }
        for request in self.vendor.requests.iter_mut().flatten() {
            visit(&mut request.intent);
        }
    }

    /// Time passes on a clock: requests that are on their way from an intent to the vendor become late.
    fn strike(&mut self, replica: usize) {
        if let Some(clock) = &mut self.replicas[replica].clock {
            clock.struck += 1;
        }
        self.vendor.cover_handlers(replica, true);
        for other in &mut self.replicas {
            other.late |= matches!(other.step, Step::Armed(_));
        }
    }
}

fn each_of(record: &mut Record, visit: &mut impl FnMut(&mut u8)) {
    let Record { intent, made, .. } = record;
    for Mark { id, .. } in [intent, made].into_iter().flatten() {
        visit(id);
    }
}

impl Model for Variant {
    type State = World;
    type Action = Act;

    fn init_states(&self) -> Vec<World> {
        vec![World {
            vendor: Vendor::new(BOUGHT),
            apiserver: Apiserver::default(),
            replicas: [Replica::default(); 2],
            outside: Outside { generation: FIRST_GENERATION, bounded: false },
            tries: 0,
            left: self.faults,
        }]
    }

    fn actions(&self, world: &World, acts: &mut Vec<Act>) {
        let mut vendor = Vec::new();
        vendor::offers(world, &mut vendor);
        acts.extend(vendor.into_iter().map(Act::Vendor));
        for replica in 0..self.replicas {
            let mut own = Vec::new();
            operator::offers(self, world, replica, &mut own);
            acts.extend(own.into_iter().map(|act| Act::Operator(replica, act)));
            let me = &world.replicas[replica];
            let between = matches!(me.step, Step::Idle | Step::Read | Step::Seen(_));
            if let Some(clock) = me.clock.filter(|_| between) {
                let requests_too = clock.struck == 0;
                if clock.struck < clock.last() && vendor::lets_time_pass(self, &world.vendor, replica, requests_too) {
                    acts.push(Act::Strike(replica));
                }
            }
        }
        if world.left.bounds > 0 {
            acts.push(Act::Bound);
        }
        if world.left.edits > 0 {
            acts.push(Act::Edit);
        }
        if self.weakness == Some(Weakness::StaleIntent) && world.apiserver.cache != world.apiserver.record {
            acts.push(Act::CacheCatchesUp);
        }
    }

    fn next_state(&self, world: &World, act: Act) -> Option<World> {
        let mut next = *world;
        match act {
            Act::Vendor(act) => vendor::step(self, &mut next, act),
            Act::Operator(replica, act) => operator::step(self, &mut next, replica, act),
            Act::Strike(replica) => next.strike(replica),
            Act::Bound => {
                next.left.bounds -= 1;
                next.outside.bounded = !next.outside.bounded;
            }
            Act::Edit => {
                next.left.edits -= 1;
                next.outside.generation += 1;
            }
            Act::CacheCatchesUp => next.apiserver.cache = next.apiserver.record,
        }
        if self.weakness.is_none() {
            next.forget_what_cannot_matter();
        }
        let next = next.ordered().renamed();
        (next != *world).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::of(self)
    }
}
