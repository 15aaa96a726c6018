//! The tenant as its documentation shows it (docs/vendors/immuta.md, "Several keys" to "Deleting a row"): a list of
//! rows that never shows a key. A POST adds a row, and nothing ties it to the request; a key that is there already may
//! be refused, answered with its row, or get a second row.
//!
//! Left out, and not to be mended: an answer that names the row of the object's own key that a colleague added between the
//! reading and the request. Nothing tells it from a new row, so it counts as added by the object, and is pruned once the key
//! is not listed any more.

use super::{Answer, Key, Keys, Mark, Row, Rows, Says, Task};
use crate::case::Sells;
use crate::replica::{Clock, Step};
use crate::variants::{FaultSwitch, Variant as AnyVariant};
use crate::world::World as AnyWorld;

type World = AnyWorld<Keys>;
type Variant = AnyVariant<Keys>;

/// How many rows a tenant can have had.
pub const ROWS: usize = 6;

/// The row of a colleague's key that is there from the beginning.
pub const FIRST: Row = 0;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tenant {
    /// Each number that was or will be handed out, in its order.
    pub slots: [Slot; ROWS],
    /// The list lacks this row, though its seats are counted, until that is mended.
    pub gap: Option<Row>,
    /// The next reading neither lists this row nor counts its seats.
    pub unseen: Option<Row>,
    /// Requests that run, in no order.
    pub requests: [Option<Request>; 3],
    /// This object removed a row that it had not added.
    pub robbed: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    #[default]
    Unused,
    /// A colleague added it, of the object's key or of another.
    Colleague(Option<Key>),
    /// This object added it.
    Ours(Key),
    Gone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Request {
    pub intent: u8,
    pub task: Work,
    /// It was answered, and has its effect later.
    pub answered: bool,
    /// The replica that waits for the answer, as long as it does.
    sender: Option<u8>,
    /// Replicas as bits: which clocks cover it, so that it must have ended when they elapse.
    covered: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Work {
    Add(Key),
    Remove(Row),
}

/// One reading: the rows of the list, and the seats, one for each row that there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seen {
    pub rows: Rows,
    pub seats: u8,
}

impl Seen {
    /// As if the seats of rows that the list lacks were not counted.
    pub fn without_hidden_seats(self) -> Self {
        Self { seats: u8::try_from(self.rows.count_ones()).unwrap_or_default(), ..self }
    }
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum How {
    /// It has its effect, and the answer says so.
    Done,
    /// It has its effect, and the answer names no row.
    DoneBare,
    /// It has its effect, and the answer is an opaque 500.
    DoneOpaque,
    /// It has no effect, and the answer names no row.
    NothingBare,
    /// It has no effect, and the answer is an opaque 500.
    NothingOpaque,
    /// The answer is an opaque 500, and the effect follows.
    Later,
    /// Too many requests.
    Throttled,
    /// It has its effect, and is refused all the same, in the tenant's own words.
    DoneRefused,
    /// It has no effect, and is refused in words that do not prove it.
    Refused,
    /// The key is said to be there.
    Duplicate(Says),
    /// The key is there, and the answer names its row.
    SameRow(Row),
}

/// What the tenant, or somebody there, may do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VendorAct {
    Do(usize, How),
    /// The late effect of an answered request.
    Finish(usize),
    /// The late effect never comes.
    Lapse(usize),
    /// A colleague adds a key, perhaps one that the object lists.
    Add(Option<Key>),
    /// A colleague removes a row.
    Remove(Row),
    /// The list lacks this row from now on.
    Gap(Row),
    /// The list is whole again.
    Mend,
    /// The next reading will show the tenant without this row.
    Misread(Row),
}

pub fn bit(row: Row) -> Rows {
    1 << row
}

impl VendorAct {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Do(_, how) => match how {
                How::Done => "done",
                How::DoneBare => "done, answered without a row",
                How::DoneOpaque => "done, answered with an error",
                How::NothingBare => "not done, answered without a row",
                How::NothingOpaque => "not done, answered with an error",
                How::Later => "done after the answer",
                How::Throttled => "throttled",
                How::DoneRefused => "done, and refused",
                How::Refused => "refused",
                How::Duplicate(Says::Present) => "refused as there",
                How::Duplicate(_) => "refused as perhaps there",
                How::SameRow(_) => "answered with the row that is there",
            },
            Self::Finish(_) => "late effect",
            Self::Lapse(_) => "no late effect",
            Self::Add(None) => "a colleague adds another key",
            Self::Add(Some(_)) => "a colleague adds the same key",
            Self::Remove(_) => "a colleague removes a row",
            Self::Gap(_) => "gap",
            Self::Mend => "the list is whole",
            Self::Misread(_) => "misread",
        }
    }
}

impl Slot {
    pub fn is_row(self) -> bool {
        !matches!(self, Self::Unused | Self::Gone)
    }

    fn has(self, key: Key) -> bool {
        self == Self::Colleague(Some(key)) || self == Self::Ours(key)
    }
}

impl Tenant {
    /// One row of a colleague is there.
    pub fn new() -> Self {
        let mut slots = [Slot::Unused; ROWS];
        slots[usize::from(FIRST)] = Slot::Colleague(None);
        Self { slots, ..Self::default() }
    }

    pub fn rows(&self) -> Rows {
        self.numbers(Slot::is_row).map(bit).sum()
    }

    /// The numbers of some rows.
    pub fn numbers(&self, which: impl Fn(Slot) -> bool) -> impl Iterator<Item = Row> {
        let slots = self.slots.into_iter().enumerate().filter(move |(_, slot)| which(*slot));
        slots.map(|(number, _)| Row::try_from(number).unwrap_or_default())
    }

    /// The requests to add a key that run.
    pub fn additions(&self) -> impl Iterator<Item = &Request> {
        self.requests.iter().flatten().filter(|request| matches!(request.task, Work::Add(_)))
    }

    /// A new row; the next number is handed out.
    fn add(&mut self, slot: Slot) -> Option<Row> {
        let number = self.numbers(|slot| slot == Slot::Unused).next()?;
        self.slots[usize::from(number)] = slot;
        Some(number)
    }

    fn has_room(&self) -> bool {
        self.slots.contains(&Slot::Unused)
    }

    fn effect(&mut self, work: Work) -> Answer {
        match work {
            Work::Add(key) => self.add(Slot::Ours(key)).map_or(Answer::Opaque, Answer::Named),
            Work::Remove(row) => {
                let slot = &mut self.slots[usize::from(row)];
                if !slot.is_row() {
                    // 404: gone already.
                    return Answer::Opaque;
                }
                self.robbed |= matches!(slot, Slot::Colleague(_));
                *slot = Slot::Gone;
                Answer::Accepted
            }
        }
    }
}

impl Sells<Keys> for Tenant {
    type Act = VendorAct;

    fn is_quiet(&self) -> bool {
        self.requests.iter().all(Option::is_none) && self.gap.is_none() && self.unseen.is_none()
    }

    fn read(&mut self) -> Option<Seen> {
        let rows = self.rows() & !self.unseen.take().map_or(0, bit);
        let gap = self.gap.map_or(0, bit);
        Some(Seen { rows: rows & !gap, seats: u8::try_from(rows.count_ones()).unwrap_or_default() })
    }

    fn arrive(&mut self, mark: Mark, sender: u8, covered: u8) {
        let task = match mark.task {
            Task::Add { .. } => Work::Add(mark.key),
            Task::Remove(row) => Work::Remove(row),
        };
        let request = Request { intent: mark.id, task, answered: false, sender: Some(sender), covered };
        if let Some(slot) = self.requests.iter_mut().find(|slot| slot.is_none()) {
            *slot = Some(request);
        }
        self.requests.sort_unstable();
    }

    fn hang_up(&mut self, replica: usize) {
        for request in self.requests.iter_mut().flatten() {
            if request.sender.is_some_and(|sender| usize::from(sender) == replica) {
                request.sender = None;
            }
        }
        self.requests.sort_unstable();
    }

    fn swap_replicas(&mut self) {
        for request in self.requests.iter_mut().flatten() {
            request.covered = (request.covered & 1) << 1 | request.covered >> 1;
            request.sender = request.sender.map(|sender| 1 - sender);
        }
        self.requests.sort_unstable();
    }

    fn cover(&mut self, replica: usize, covered: bool) {
        let bit = 1 << replica;
        for request in self.requests.iter_mut().flatten() {
            request.covered = if covered { request.covered | bit } else { request.covered & !bit };
        }
        self.requests.sort_unstable();
    }

    /// Every clock elapses once.
    fn cover_elapsed(&mut self, _: usize) {}

    fn cover_late(&mut self, replica: usize) {
        self.cover(replica, false);
    }

    /// After the time without an answer everything is over; after the time with one, what was answered is.
    fn lets_time_pass(&self, variant: &Variant, replica: usize, clock: Clock<Keys>) -> bool {
        let all = matches!(clock.key, super::Wait::Request(_));
        let running = |request: &Request| request.covered & (1 << replica) != 0 && (all || request.answered);
        !self.requests.iter().flatten().any(running) || variant.fault_switch == Some(FaultSwitch::SlowRequest)
    }

    fn each_id(&mut self, visit: &mut impl FnMut(&mut u8)) {
        for request in self.requests.iter_mut().flatten() {
            visit(&mut request.intent);
        }
        self.requests.sort_unstable();
    }

    fn offers(world: &World, offers: &mut Vec<VendorAct>) {
        for (slot, request) in world.vendor.requests.iter().enumerate() {
            match request {
                Some(request) if request.answered => {
                    offers.extend([VendorAct::Finish(slot), VendorAct::Lapse(slot)]);
                }
                Some(request) => offers.extend(ways(world, request).into_iter().map(|how| VendorAct::Do(slot, how))),
                None => {}
            }
        }
        if world.left.colleagues > 0 {
            if world.vendor.has_room() {
                offers.extend([VendorAct::Add(None), VendorAct::Add(Some(Key::A))]);
            }
            offers.extend(world.vendor.numbers(Slot::is_row).map(VendorAct::Remove));
        }
        if world.vendor.gap.is_some() {
            offers.push(VendorAct::Mend);
        } else if world.left.gaps > 0 {
            offers.extend(world.vendor.numbers(Slot::is_row).map(VendorAct::Gap));
        }
        if world.left.misreads > 0 && world.vendor.unseen.is_none() {
            offers.extend(world.vendor.numbers(Slot::is_row).map(VendorAct::Misread));
        }
    }

    fn step(_: &Variant, world: &mut World, act: VendorAct) {
        match act {
            VendorAct::Do(slot, how) => work(world, slot, how),
            VendorAct::Finish(slot) => {
                if let Some(request) = world.vendor.requests[slot].take() {
                    world.vendor.effect(request.task);
                }
            }
            VendorAct::Lapse(slot) => world.vendor.requests[slot] = None,
            VendorAct::Add(key) => {
                world.left.colleagues -= 1;
                world.vendor.add(Slot::Colleague(key));
            }
            VendorAct::Remove(row) => {
                world.left.colleagues -= 1;
                world.vendor.slots[usize::from(row)] = Slot::Gone;
                world.vendor.gap = world.vendor.gap.filter(|gap| *gap != row);
            }
            VendorAct::Gap(row) => {
                world.left.gaps -= 1;
                world.vendor.gap = Some(row);
            }
            VendorAct::Mend => world.vendor.gap = None,
            VendorAct::Misread(row) => {
                world.left.misreads -= 1;
                world.vendor.unseen = Some(row);
            }
        }
        world.vendor.requests.sort_unstable();
    }

    fn brief(&self) -> String {
        let rows: Vec<&Slot> = self.slots.iter().filter(|slot| **slot != Slot::Unused).collect();
        format!("rows {rows:?} gap {:?} running {:?}", self.gap, self.requests.iter().flatten().collect::<Vec<_>>())
    }
}

/// What may become of a request that has arrived. Where nobody hears the answer, only its effect matters.
fn ways(world: &World, request: &Request) -> Vec<How> {
    let mut ways = vec![How::Done];
    let heard = request.sender.is_some();
    if world.left.failures > 0 {
        ways.push(How::NothingOpaque);
        if heard {
            ways.extend([How::DoneOpaque, How::DoneRefused, How::Later, How::Throttled, How::Refused]);
            ways.extend([How::DoneBare, How::NothingBare]);
        }
    }
    let Work::Add(key) = request.task else { return ways };
    if !heard {
        return ways;
    }
    let present = present(world, request);
    if world.left.duplicates > 0 {
        ways.push(How::Duplicate(Says::PerhapsPresent));
        let there = world.vendor.numbers(|slot| slot.has(key)).next();
        if let Some(row) = there {
            ways.push(How::Duplicate(Says::Present));
            ways.extend((present & bit(row) != 0).then_some(How::SameRow(row)));
        }
    }
    ways
}

/// The rows that the replica knew of when it decided on a request.
fn present(world: &World, request: &Request) -> Rows {
    let known = world.replicas.iter().filter_map(|replica| match replica.step {
        Step::Waiting(Mark { id, task: Task::Add { present, .. }, .. }) if id == request.intent => Some(present),
        _ => None,
    });
    known.fold(0, |one, other| one | other)
}

fn work(world: &mut World, slot: usize, how: How) {
    let Some(request) = world.vendor.requests[slot] else { return };
    match how {
        How::Done => {}
        How::Duplicate(_) | How::SameRow(_) => world.left.duplicates -= 1,
        _ => world.left.failures -= 1,
    }
    let answer = match how {
        How::Done => world.vendor.effect(request.task),
        How::DoneBare => {
            world.vendor.effect(request.task);
            Answer::Accepted
        }
        How::DoneOpaque => {
            world.vendor.effect(request.task);
            Answer::Opaque
        }
        How::DoneRefused => {
            world.vendor.effect(request.task);
            Answer::Uncertain(Says::Other)
        }
        How::NothingBare => Answer::Accepted,
        How::NothingOpaque | How::Later => Answer::Opaque,
        How::Throttled => Answer::Throttled,
        How::Refused => Answer::Uncertain(Says::Other),
        How::Duplicate(says) => Answer::Uncertain(says),
        How::SameRow(row) => Answer::Named(row),
    };
    let later = Request { answered: true, sender: None, ..request };
    world.vendor.requests[slot] = (how == How::Later).then_some(later);
    if let Some(sender) = request.sender {
        let replica = &mut world.replicas[usize::from(sender)];
        if let Step::Waiting(mark) = replica.step {
            replica.step = Step::Told(mark, answer);
        }
    }
}
