//! Everything together: the states, what may happen in them, and the passing of time.

use stateright::{Model, Property};

use crate::apiserver::{Apiserver, Record};
use crate::case::{Case, Named, Sells, Waits};
use crate::operator::{self, OperatorAct};
use crate::pass_step::{PassStep, Stored};
use crate::passes::Steps;
use crate::replica::{Replica, Step};
use crate::variants::{FaultSwitch, Faults, Variant};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct World<C: Case> {
    pub vendor: C::Vendor,
    pub apiserver: Apiserver<C>,
    pub replicas: [Replica<C>; 2],
    /// What changes around the object.
    pub outside: C::Outside,
    /// Requests of the one decision that left, and that the vendor did not refuse.
    pub tries: C::Tries,
    /// What may still go wrong.
    pub left: Faults,
}

/// The generation that asked first.
pub const FIRST_GENERATION: u8 = 1;

#[derive(Clone, Copy, Debug, PartialEq, Hash)]
pub enum Act<C: Case> {
    Vendor(<C::Vendor as Sells<C>>::Act),
    Operator(usize, OperatorAct),
    /// The clock in a replica's memory elapses.
    Elapse(usize),
    /// Something changes around the object.
    Outside(C::OutsideAct),
    /// The watch cache sees what is stored.
    CacheCatchesUp,
}

impl<C: Case> Act<C> {
    fn name(&self) -> &'static str {
        match self {
            Self::Vendor(act) => C::name_of(Ok(act)),
            Self::Operator(_, act) => act.name(),
            Self::Elapse(_) => "elapse",
            Self::Outside(act) => C::name_of(Err(act)),
            Self::CacheCatchesUp => "cache catches up",
        }
    }
}

impl<C: Case> World<C> {
    /// One line for people who read a trace.
    pub fn brief(&self) -> String {
        let record = &self.apiserver.record;
        let steps = self.replicas.map(|replica| replica.step.rank());
        format!("{} steps {steps:?} intent {:?} made {:?}", self.vendor.brief(), record.intent, record.made)
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
        self
    }

    /// Two worlds that nothing can ever tell apart are one.
    fn forget_what_cannot_matter(&mut self, variant: &Variant<C>) {
        let stored = self.apiserver.record;
        for replica in 0..2 {
            let me = &mut self.replicas[replica];
            let ours = me.copy.intent.map(|intent| intent.id());
            match me.step {
                // A write that will be refused is as good as refused: a reading never gets fresh again.
                Step::Acting(_) if me.stale => {
                    me.does(variant, PassStep::Intent(false));
                    me.rest();
                }
                Step::Recording(_)
                    if me.stale && (ours.is_none() || stored.intent.map(|intent| intent.id()) != ours) =>
                {
                    me.does(variant, PassStep::Status(Stored::Nothing));
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
            let Some(mut clock) = self.replicas[replica].clock else {
                continue;
            };
            // The clock of an intent that nobody knows: of one that was never stored, or is long replaced.
            let known = clock.key.id().is_none_or(|id| self.knows(*id));
            if !known {
                self.replicas[replica].clock = None;
            }
            if !known || clock.is_over() {
                self.vendor.cover(replica, false);
            } else if clock.elapses > 0 {
                self.vendor.cover_elapsed(replica);
            }
        }
    }

    /// Notes the passes that are over.
    fn note_passes(&mut self, variant: &Variant<C>) {
        for me in &mut self.replicas {
            if me.step == Step::Idle && !me.steps.is_empty() {
                variant.passes.iter().for_each(|passes| passes.note(me.steps));
                me.steps = Steps::default();
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
        let rank = |replica: &Replica<C>| {
            (
                replica.step.rank(),
                replica.stale,
                replica.late,
                replica.clock.map(|clock| (clock.key.nameless(), clock.elapses, clock.settled)),
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
                    visit(mark.id_mut());
                }
                Step::Recording(record) => each_of(record, &mut visit),
                Step::Idle | Step::Read | Step::Seen(_) => {}
            }
            if let Some(id) = replica.clock.as_mut().and_then(|clock| clock.key.id()) {
                visit(id);
            }
        }
        self.vendor.each_id(&mut visit);
        C::each_outside_id(&mut self.outside, &mut visit);
    }

    /// Time passes on a clock: requests that are on their way from an intent to the vendor become late.
    fn elapse(&mut self, replica: usize) {
        let Some(clock) = &mut self.replicas[replica].clock else { return };
        clock.elapses += 1;
        let long = clock.key.is_long();
        let me = &mut self.replicas[replica];
        me.elapses_since += u8::from(matches!(me.step, Step::Seen(_)));
        if !long {
            return;
        }
        self.vendor.cover_late(replica);
        for other in &mut self.replicas {
            other.late |= matches!(other.step, Step::Armed(_));
        }
    }
}

fn each_of<C: Case>(record: &mut Record<C>, visit: &mut impl FnMut(&mut u8)) {
    if let Some(intent) = &mut record.intent {
        visit(intent.id_mut());
    }
    C::each_made_id(&mut record.made, visit);
}

impl<C: Case> Model for Variant<C> {
    type State = World<C>;
    type Action = Act<C>;

    fn init_states(&self) -> Vec<World<C>> {
        let (vendor, outside) = C::start();
        vec![World {
            vendor,
            apiserver: Apiserver::default(),
            replicas: [Replica::default(); 2],
            outside,
            tries: C::Tries::default(),
            left: self.faults,
        }]
    }

    fn actions(&self, world: &World<C>, acts: &mut Vec<Act<C>>) {
        let mut vendor = Vec::new();
        C::Vendor::offers(world, &mut vendor);
        acts.extend(vendor.into_iter().map(Act::Vendor));
        for replica in 0..self.replicas {
            let mut own = Vec::new();
            operator::offers(self, world, replica, &mut own);
            acts.extend(own.into_iter().map(|act| Act::Operator(replica, act)));
            let me = &world.replicas[replica];
            let between = matches!(me.step, Step::Idle | Step::Read | Step::Seen(_));
            if let Some(clock) = me.clock.filter(|clock| between && !clock.is_over())
                && (!clock.key.is_long() || world.vendor.lets_time_pass(self, replica, clock))
            {
                acts.push(Act::Elapse(replica));
            }
        }
        let mut outside = Vec::new();
        C::offers_outside(world, &mut outside);
        acts.extend(outside.into_iter().map(Act::Outside));
        if self.fault_switch == Some(FaultSwitch::StaleIntent) && world.apiserver.cache != world.apiserver.record {
            acts.push(Act::CacheCatchesUp);
        }
    }

    fn next_state(&self, world: &World<C>, act: Act<C>) -> Option<World<C>> {
        let mut next = *world;
        if let Some(taken) = self.taken {
            taken.note(act.name());
        }
        match act {
            Act::Vendor(act) => C::Vendor::step(self, &mut next, act),
            Act::Operator(replica, act) => operator::step(self, &mut next, replica, act),
            Act::Elapse(replica) => next.elapse(replica),
            Act::Outside(act) => C::step_outside(&mut next, act),
            Act::CacheCatchesUp => next.apiserver.cache = next.apiserver.record,
        }
        if self.fault_switch.is_none() {
            next.forget_what_cannot_matter(self);
        }
        next.note_passes(self);
        let next = next.ordered().renamed();
        (next != *world).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        C::properties(self)
    }
}
