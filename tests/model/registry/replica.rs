//! One process: the real registry, told by a driver what `controller::context`, `work` and `initial_scan` tell it.

use super::asked::{Answer, Asked, Made, RowSet, SETTLE, Set, Told, Word};
use super::events::Event;
use super::fault_switches::FaultSwitch;
use super::pass::{Pass, Step};
use super::variants::Variant;
use super::world::{Act, Change, NAMES, Object, Slot, Uid, World, slot_of};

/// Passes at the same time (`--concurrency`).
const PASSES: usize = 2;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    pub registry: Asked,
    /// Number of its newest term; 0 for a process that never led.
    pub term: u8,
    /// The registry knows of that term.
    begun: bool,
    /// The objects were counted in that term.
    counted: bool,
    /// What its watch has told.
    pub known: [Option<Uid>; 3],
    pub passes: [Pass; 3],
    /// The open change of each object that it knows of, and for how many hours.
    pub doubts: [Option<(u8, u8)>; 3],
    /// What was there when its term began and was not read since: what the registry should know, kept apart from it.
    pub unread: Set,
    /// What the vendor last showed it of the rows of each object's account: what the registry should know, kept apart from it.
    pub shown: [RowSet; 3],
    /// The objects in the order in which it noted them; only a fault switch asks.
    arrivals: Vec<Uid>,
}

impl Replica {
    /// A process that has just started, with the first list of its watch.
    pub fn new(there: &[Option<Object>; 3]) -> Self {
        let mut new = Self {
            registry: Asked::new(),
            term: 0,
            begun: true,
            counted: true,
            known: [None; 3],
            passes: [Pass::default(); 3],
            doubts: [None; 3],
            unread: 0,
            shown: [0; 3],
            arrivals: Vec::new(),
        };
        for object in there.iter().flatten() {
            new.appeared(object.uid);
        }
        new
    }

    /// It has gained the Lease. The registry learns of that later.
    pub fn lead(&mut self, term: u8, unread: Set) {
        (self.term, self.begun, self.counted, self.unread) = (term, false, false, unread);
    }

    pub fn hour(&mut self) {
        for pass in &mut self.passes {
            pass.late |= matches!(pass.step, Step::Reserved | Step::Armed | Step::Cleared);
        }
        for (_, hours) in self.doubts.iter_mut().flatten() {
            *hours = SETTLE.min(*hours + 1);
        }
    }

    /// How many passes are under way.
    fn running(&self) -> usize {
        self.passes.iter().filter(|pass| pass.step != Step::Idle).count()
    }

    /// Nothing is under way, and what there is to be told was told.
    pub fn is_quiet(&self, world: &World) -> bool {
        let there = world.objects.map(|object| object.map(|object| object.uid));
        self.running() == 0 && self.begun && self.counted && self.known == there
    }

    fn waits_for_unknown(&self) -> bool {
        let mut registry = self.registry;
        registry.tell(Word::WaitsForUnknown) == Answer::Yes(true)
    }

    /// What it may do next.
    pub fn offers(&self, variant: &Variant, world: &World, me: usize, acts: &mut Vec<Act>) {
        let leads = world.leader == Some(me);
        if !self.begun {
            acts.push(Act::BeginTerm(me));
        }
        if leads && self.begun && !self.counted {
            acts.push(Act::InitialScan(me));
        }
        if leads && self.waits_for_unknown() && variant.fault_switch != Some(FaultSwitch::NoRecount) {
            acts.push(Act::Recount(me));
        }
        for slot in 0..NAMES.len() {
            let there = world.objects[slot].map(|object| object.uid);
            if self.known[slot] != there {
                acts.push(Act::Watch(me, slot));
                if self.known[slot].is_some() && there.is_some() {
                    acts.push(Act::Relist(me, slot));
                }
            }
            let pass = &self.passes[slot];
            if pass.step == Step::Waiting && world.left.losses > 0 {
                acts.push(Act::GiveUp(me, slot));
            }
            let goes_on = match pass.step {
                Step::Idle => leads && self.known[slot].is_some() && self.running() < PASSES,
                Step::Waiting => !world.runs(pass.change),
                _ => true,
            };
            if goes_on {
                acts.push(Act::Pass(me, slot));
                if matches!(pass.step, Step::Idle | Step::Read | Step::Noted) && world.left.pauses > 0 {
                    acts.push(Act::Pause(me, slot));
                }
            }
        }
    }

    pub fn begin_term(&mut self, variant: &Variant) -> Event {
        let blind = variant.fault_switch == Some(FaultSwitch::NoScan);
        let watched = self.known.iter().flatten().filter(|_| !blind).map(|uid| 1 << uid).sum();
        self.registry.tell(Word::BeginTerm { term: self.term, watched });
        (self.begun, self.shown) = (true, [0; 3]);
        Event::BeginTerm
    }

    pub fn count(&mut self, variant: &Variant, there: Set) -> Event {
        let there = if variant.fault_switch == Some(FaultSwitch::NoScan) { 0 } else { there };
        self.registry.tell(Word::Inherit { term: self.term, there });
        self.counted = true;
        Event::InitialScan
    }

    pub fn recount(&mut self, there: Set) -> Event {
        self.registry.tell(Word::Keep { term: self.term, there });
        Event::Recount
    }

    pub fn appeared(&mut self, uid: Uid) {
        self.registry.tell(Word::Appeared(uid));
        self.known[slot_of(uid)] = Some(uid);
    }

    /// The watch tells of the end of an object, or of a new one.
    pub fn watch(&mut self, variant: &Variant, slot: Slot, there: Option<Uid>, now: u8) -> Event {
        if self.known[slot].is_none() {
            if let Some(uid) = there {
                self.appeared(uid);
            }
            return Event::WatchTellsOfAnObject;
        }
        self.known[slot] = None;
        self.registry.tell(Word::Disappeared(slot));
        if self.passes[slot].step == Step::Idle {
            self.forget(variant, slot, now);
        }
        Event::WatchTellsOfAnEnd
    }

    /// `Context::forget`.
    pub fn forget(&mut self, variant: &Variant, slot: Slot, now: u8) {
        if variant.fault_switch == Some(FaultSwitch::ForgetsDeleted) {
            self.registry.tell(Word::SetOpen { slot, open: None, now });
        }
        self.registry.tell(Word::Forget { slot, now });
        (self.doubts[slot], self.shown[slot]) = (None, 0);
    }

    /// The registry is told what a pass has read, and says who has the pool before its object.
    pub fn note(&mut self, variant: &Variant, pass: &Pass, confirmed: bool, now: u8) -> Option<Slot> {
        let place = (variant.fault_switch == Some(FaultSwitch::ByArrival)).then(|| self.arrival(pass.uid));
        let open = pass.intent.map(|change| match variant.fault_switch {
            Some(FaultSwitch::ForgetsMoved) => Change { account: pass.account, ..change },
            _ => change,
        });
        if variant.fault_switch == Some(FaultSwitch::ForgetsWiped) && open.is_none() {
            self.registry.tell(Word::SetOpen { slot: slot_of(pass.uid), open: None, now });
        }
        let term = if variant.fault_switch == Some(FaultSwitch::OldReading) { self.term } else { pass.term };
        let Pass { uid, read, .. } = *pass;
        let confirmed = confirmed || variant.fault_switch == Some(FaultSwitch::MereName);
        // A key that finds its account by itself names none before it was read; what its record says is open has one.
        let named = (confirmed || !variant.unplaced(uid)).then_some(pass.account);
        let (account, confirmed) = (named.or(open.map(|open| open.account)), confirmed || named.is_none());
        let rows = pass.listed.filter(|_| variant.tells_rows());
        let differs = variant.copied || variant.fault_switch == Some(FaultSwitch::AllDiffer);
        match self.registry.tell(Word::Note(Told {
            uid,
            account,
            confirmed,
            open,
            rows,
            read,
            differs,
            place,
            term,
            now,
        })) {
            Answer::Owner(owner) => owner,
            other => panic!("no answer to what is noted: {other:?}"),
        }
    }

    /// The registry is told which changes the record of an object has.
    pub fn made(&mut self, variant: &Variant, slot: Slot, made: Made, now: u8) {
        let made = if variant.fault_switch == Some(FaultSwitch::OnlyTheLast) { [made[0], None] } else { made };
        if made != [None; 2] {
            self.registry.tell(Word::Made { slot, made, now });
        }
    }

    /// The rows of an object's account were read back after a request.
    pub fn shows(&mut self, variant: &Variant, slot: Slot, rows: Option<RowSet>) {
        let Some(rows) = rows else { return };
        self.shown[slot] = rows;
        if variant.tells_rows() && variant.fault_switch != Some(FaultSwitch::NotReadBack) {
            self.registry.tell(Word::Shows { slot, rows });
        }
    }

    fn arrival(&mut self, uid: Uid) -> u8 {
        let place = self.arrivals.iter().position(|other| *other == uid).unwrap_or_else(|| {
            self.arrivals.push(uid);
            self.arrivals.len() - 1
        });
        u8::try_from(place).unwrap_or_default()
    }

    /// Who has the pool of each object before it, as this process sees it after it has read all objects in this order.
    pub fn owners_after(&self, variant: &Variant, world: &World, order: [Slot; 3]) -> [Option<Slot>; 3] {
        let mut me = Self { arrivals: Vec::new(), ..self.clone() };
        for slot in order {
            match world.objects[slot] {
                Some(object) => {
                    let accepted = !variant.refuses(object.uid);
                    me.note(variant, &Pass::of(&object, self.term), accepted, world.now);
                }
                None => me.forget(variant, slot, world.now),
            }
        }
        std::array::from_fn(|slot| match me.registry.tell(Word::Owner(slot)) {
            Answer::Owner(owner) => owner,
            other => panic!("no answer to who owns: {other:?}"),
        })
    }
}
