//! The vendor as its source shows it (docs/vendors/bitwarden.md, "Late and lost effects"): a row that is shown, a
//! quantity that is billed, a PUT that reads the row twice and writes it whole, and billing webhooks that write back
//! what they read.

use super::{Answer, Mark, Quantity, WANTED};
use crate::case::Sells;
use crate::replica::{Clock, Step};
use crate::variants::{FaultSwitch, Variant};
use crate::world::World as AnyWorld;

type World = AnyWorld<Quantity>;

/// How many webhooks one change of the subscription sends.
const WEBHOOKS: u8 = 2;

/// Replicas as bits: which clocks cover this piece of work, so that it must have ended when they elapse.
pub type Clocks = u8;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Vendor {
    /// What everybody reads.
    pub shown: i8,
    /// What is paid for.
    pub billed: i8,
    /// Requests that run, in no order.
    pub requests: [Option<Request>; 3],
    /// Webhooks sent and not yet delivered; some never are.
    pub webhooks: u8,
    /// Webhooks being handled, in no order.
    pub handlers: [Option<Handler>; 4],
    /// The next reading shows this instead; 0 is no number of seats.
    pub misread: Option<i8>,
    /// What the last request asked for.
    pub asked: Option<i8>,
    /// Another number is wanted since.
    pub edited: bool,
    /// How often a request of this decision changed what is billed; more than twice is too often.
    pub effects: u8,
    /// A request came while another ran, or while a handler held another row than the one that is shown.
    pub unquiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Request {
    pub intent: u8,
    base: i8,
    target: i8,
    stage: Stage,
    /// The replica that waits for the answer, as long as it does.
    pub sender: Option<u8>,
    pub covered: Clocks,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Stage {
    Arrived,
    /// The difference was computed from the first reading.
    Subtracted(i8),
    /// The new total was computed from the second reading; the pricing service was asked.
    Added(i8),
    /// The subscription has the new quantity, the row has not.
    Billed(i8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handler {
    /// The row as it was when the handler began: all of it is written back.
    row: i8,
    pub covered: Clocks,
}

impl Vendor {
    pub fn new(seats: i8) -> Self {
        Self { shown: seats, billed: seats, ..Self::default() }
    }

    pub fn in_flight(&self) -> usize {
        self.requests.iter().flatten().count()
    }
}

impl Sells<Quantity> for Vendor {
    type Act = VendorAct;

    fn is_quiet(&self) -> bool {
        self.misread.is_none()
            && self.webhooks == 0
            && self.handlers.iter().all(Option::is_none)
            && self.in_flight() == 0
    }

    fn read(&mut self) -> Option<i8> {
        Some(self.misread.take().unwrap_or(self.shown)).filter(|seats| *seats > 0)
    }

    fn arrive(&mut self, mark: Mark, sender: u8, covered: Clocks) {
        let Mark { id: intent, from: base, to: target, .. } = mark;
        let shown = self.shown;
        let another = self.asked.replace(target).is_some_and(|before| before != target);
        if mark.attempt == 1 && (std::mem::take(&mut self.edited) || another) {
            // By the assumption, those of an earlier decision are over. Those of an earlier attempt may come however late.
            self.webhooks = 0;
            self.handlers = self.handlers.map(|handler| handler.filter(|handler| handler.row != shown));
            self.handlers.sort_unstable();
        }
        self.unquiet |= self.in_flight() > 0 || self.handlers.iter().flatten().any(|handler| handler.row != shown);
        let request = Request { intent, base, target, stage: Stage::Arrived, sender: Some(sender), covered };
        put(&mut self.requests, request);
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
        let swapped = |clocks: Clocks| (clocks & 1) << 1 | clocks >> 1;
        for request in self.requests.iter_mut().flatten() {
            request.covered = swapped(request.covered);
            request.sender = request.sender.map(|sender| 1 - sender);
        }
        for handler in self.handlers.iter_mut().flatten() {
            handler.covered = swapped(handler.covered);
        }
        self.requests.sort_unstable();
        self.handlers.sort_unstable();
    }

    fn cover(&mut self, replica: usize, covered: bool) {
        self.cover_requests(replica, covered);
        self.cover_handlers(replica, covered);
    }

    /// Requests are over by then.
    fn cover_elapsed(&mut self, replica: usize) {
        self.cover_requests(replica, false);
    }

    /// From here on the clock of a replica waits for the handlers that run now, and for no other.
    fn cover_late(&mut self, replica: usize) {
        self.cover_handlers(replica, true);
    }

    fn lets_time_pass(&self, variant: &Variant<Quantity>, replica: usize, clock: Clock<Quantity>) -> bool {
        let covers = |clocks: Clocks| clocks & (1 << replica) != 0;
        let handler = self.handlers.iter().flatten().any(|handler| covers(handler.covered));
        let request = clock.elapses == 0 && self.requests.iter().flatten().any(|request| covers(request.covered));
        (!handler || variant.fault_switch == Some(FaultSwitch::SlowHandler))
            && (!request || variant.fault_switch == Some(FaultSwitch::SlowRequest))
    }

    fn each_id(&mut self, visit: &mut impl FnMut(&mut u8)) {
        for request in self.requests.iter_mut().flatten() {
            visit(&mut request.intent);
        }
        self.requests.sort_unstable();
    }

    fn offers(world: &World, acts: &mut Vec<VendorAct>) {
        offers(world, acts);
    }

    fn step(variant: &Variant<Quantity>, world: &mut World, act: VendorAct) {
        step(variant, world, act);
    }

    fn brief(&self) -> String {
        format!("shown {} billed {}", self.shown, self.billed)
    }
}

impl Vendor {
    fn cover_requests(&mut self, replica: usize, covered: bool) {
        for request in self.requests.iter_mut().flatten() {
            set(&mut request.covered, replica, covered);
        }
        self.requests.sort_unstable();
    }

    fn cover_handlers(&mut self, replica: usize, covered: bool) {
        for handler in self.handlers.iter_mut().flatten() {
            set(&mut handler.covered, replica, covered);
        }
        self.handlers.sort_unstable();
    }
}

/// What the vendor may do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VendorAct {
    /// A request takes its next step.
    Proceed(usize),
    /// A request fails where it stands; the answer is the same opaque 500 before and after billing.
    Fail(usize),
    /// A request fails after all was done: the row is written too, and the answer is that same 500.
    FailDone(usize),
    /// A request is refused before any effect, and the answer proves it.
    Refuse(usize),
    /// A request is refused where it stands, in words that prove nothing.
    Object(usize),
    /// A webhook is delivered, however late: its handler reads the row.
    Deliver,
    /// A handler writes back the row that it read.
    WriteBack(usize),
    /// The next reading will be wrong.
    Misread(i8),
}

fn offers(world: &World, offers: &mut Vec<VendorAct>) {
    let vendor = &world.vendor;
    for (slot, request) in vendor.requests.iter().enumerate() {
        let Some(request) = request else { continue };
        offers.push(VendorAct::Proceed(slot));
        if world.left.failures > 0 {
            offers.extend([VendorAct::Fail(slot), VendorAct::Object(slot)]);
            match request.stage {
                Stage::Arrived => offers.push(VendorAct::Refuse(slot)),
                Stage::Billed(_) => offers.push(VendorAct::FailDone(slot)),
                Stage::Subtracted(_) | Stage::Added(_) => {}
            }
        }
    }
    if vendor.webhooks > 0 && vendor.handlers.contains(&None) {
        offers.push(VendorAct::Deliver);
    }
    for (slot, handler) in vendor.handlers.iter().enumerate() {
        if handler.is_some() && (slot == 0 || vendor.handlers[slot - 1] != *handler) {
            offers.push(VendorAct::WriteBack(slot));
        }
    }
    if world.left.misreads > 0 && vendor.misread.is_none() {
        offers.extend((0..=WANTED).filter(|seats| *seats != vendor.shown).map(VendorAct::Misread));
    }
}

fn step(variant: &Variant<Quantity>, world: &mut World, act: VendorAct) {
    match act {
        VendorAct::Proceed(slot) => proceed(variant, world, slot),
        VendorAct::Fail(slot) => {
            world.left.failures -= 1;
            finish(world, slot, Answer::Opaque);
        }
        VendorAct::FailDone(slot) => {
            world.left.failures -= 1;
            if let Some(Request { stage: Stage::Billed(total), .. }) = world.vendor.requests[slot] {
                world.vendor.shown = total;
            }
            finish(world, slot, Answer::Opaque);
        }
        VendorAct::Refuse(slot) => {
            world.left.failures -= 1;
            finish(world, slot, Answer::Refused);
        }
        VendorAct::Object(slot) => {
            world.left.failures -= 1;
            finish(world, slot, Answer::Uncertain);
        }
        VendorAct::Deliver => {
            world.vendor.webhooks -= 1;
            let row = world.vendor.shown;
            put(&mut world.vendor.handlers, Handler { row, covered: 0 });
        }
        VendorAct::WriteBack(slot) => {
            if let Some(handler) = world.vendor.handlers[slot].take() {
                world.vendor.shown = handler.row;
            }
            world.vendor.handlers.sort_unstable();
        }
        VendorAct::Misread(seats) => {
            world.left.misreads -= 1;
            world.vendor.misread = Some(seats);
        }
    }
}

fn proceed(variant: &Variant<Quantity>, world: &mut World, slot: usize) {
    let vendor = &mut world.vendor;
    let Some(request) = vendor.requests[slot] else { return };
    let next = match request.stage {
        Stage::Arrived if variant.relative => Stage::Added(vendor.shown + request.target - request.base),
        Stage::Arrived => Stage::Subtracted(request.target - vendor.shown),
        Stage::Subtracted(0) => return finish(world, slot, Answer::Accepted),
        Stage::Subtracted(difference) => Stage::Added(vendor.shown + difference),
        Stage::Added(total) => {
            vendor.effects = (vendor.effects + u8::from(vendor.billed != total)).min(3);
            vendor.billed = total;
            vendor.webhooks += WEBHOOKS;
            Stage::Billed(total)
        }
        Stage::Billed(total) => {
            vendor.shown = total;
            return finish(world, slot, Answer::Accepted);
        }
    };
    vendor.requests[slot] = Some(Request { stage: next, ..request });
}

/// The request is over; whoever still waits hears the answer.
fn finish(world: &mut World, slot: usize, answer: Answer) {
    let Some(request) = world.vendor.requests[slot].take() else {
        return;
    };
    if let Some(sender) = request.sender {
        let replica = &mut world.replicas[usize::from(sender)];
        if let Step::Waiting(mark) = replica.step {
            replica.step = Step::Told(mark, answer);
        }
    }
}

fn put<T: Ord>(slots: &mut [Option<T>], item: T) {
    if let Some(slot) = slots.iter_mut().find(|slot| slot.is_none()) {
        *slot = Some(item);
    }
    slots.sort_unstable();
}

fn set(clocks: &mut Clocks, replica: usize, covered: bool) {
    let bit = 1 << replica;
    *clocks = if covered { *clocks | bit } else { *clocks & !bit };
}
