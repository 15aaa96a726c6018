//! What one replica of the operator does, restated from `controller` step by step; every judgment is asked of `domain`.
//!
//! There is no leader election in the model: both replicas act whenever they like. What is safe here is safe without
//! a lease, and a paused process is simply one that takes no step for a while.

use crate::apiserver::{self, Record};
use crate::case::{Case, Doubted, Heard, Named, Said, Sells, Waits};
use crate::pass_step::{Heard as Answered, PassStep, Stored};
use crate::passes::{Steps, left};
use crate::replica::{Clock, Replica, Step};
use crate::variants::{FaultSwitch, Variant};
use crate::world::World;

/// The attempts of a decision that two replicas make.
const MOST_ATTEMPTS: u8 = 2;

/// What a replica may do next, or what may happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OperatorAct {
    ReadObject,
    ReadVendor,
    Decide,
    WriteIntent,
    /// The checks pass and the bytes leave.
    Send,
    /// The bytes leave and never arrive.
    SendIntoTheVoid,
    /// The checks fail: the request is dropped.
    Drop,
    /// The answer is not waited for any longer; the request goes on.
    GiveUp,
    ReadBack,
    /// The reading after the write fails.
    ReadBackFails,
    WriteStatus,
    Crash,
}

/// What a replica does in the model: all of it must happen. Its clock is what elapses.
pub const DOES: [&str; 13] = [
    "crash",
    "decide",
    "drop",
    "elapse",
    "give up",
    "read back",
    "read back fails",
    "read object",
    "read vendor",
    "send",
    "send into the void",
    "write intent",
    "write status",
];

impl OperatorAct {
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadObject => "read object",
            Self::ReadVendor => "read vendor",
            Self::Decide => "decide",
            Self::WriteIntent => "write intent",
            Self::Send => "send",
            Self::SendIntoTheVoid => "send into the void",
            Self::Drop => "drop",
            Self::GiveUp => "give up",
            Self::ReadBack => "read back",
            Self::ReadBackFails => "read back fails",
            Self::WriteStatus => "write status",
            Self::Crash => "crash",
        }
    }
}

pub fn offers<C: Case>(variant: &Variant<C>, world: &World<C>, replica: usize, offers: &mut Vec<OperatorAct>) {
    let me = &world.replicas[replica];
    let left = world.left;
    match me.step {
        Step::Idle => offers.push(OperatorAct::ReadObject),
        Step::Read => offers.push(OperatorAct::ReadVendor),
        Step::Seen(_) => offers.push(OperatorAct::Decide),
        // Two replicas could take turns to record attempts that none of them sends, for ever.
        Step::Acting(mark) if variant.replicas > 1 && mark.attempt() > MOST_ATTEMPTS => {}
        Step::Acting(_) => offers.push(OperatorAct::WriteIntent),
        Step::Armed(_) => {
            let in_time = !me.late || variant.fault_switch == Some(FaultSwitch::NoDeadline);
            if in_time && left.sends > 0 {
                offers.push(OperatorAct::Send);
                if left.losses > 0 {
                    offers.push(OperatorAct::SendIntoTheVoid);
                }
            }
            // Late without anybody's settle time having passed, or shutting down: one of the faults.
            if !in_time || left.losses > 0 {
                offers.push(OperatorAct::Drop);
            }
        }
        Step::Waiting(_) => {
            if left.losses > 0 {
                offers.push(OperatorAct::GiveUp);
            }
        }
        Step::Told(_, answer) => {
            offers.push(OperatorAct::ReadBack);
            if left.losses > 0 && answer.is_of_something_sent() {
                offers.push(OperatorAct::ReadBackFails);
            }
        }
        Step::Recording(_) => offers.push(OperatorAct::WriteStatus),
    }
    if left.crashes > 0 && *me != Replica::default() {
        offers.push(OperatorAct::Crash);
    }
}

#[expect(clippy::too_many_lines, reason = "one match: an arm for each action")]
pub fn step<C: Case>(variant: &Variant<C>, world: &mut World<C>, replica: usize, act: OperatorAct) {
    let me = world.replicas[replica];
    match (act, me.step) {
        (OperatorAct::ReadObject, _) => {
            let copy = match variant.fault_switch {
                Some(FaultSwitch::StaleIntent) => world.apiserver.cache,
                _ => world.apiserver.record,
            };
            world.replicas[replica] = Replica { step: Step::Read, copy, ..me };
            world.replicas[replica].does(variant, PassStep::Object);
        }
        // Between reading and deciding nothing matters but the time that passes: looked at with one replica only.
        (OperatorAct::ReadVendor, _) => {
            let seen = world.vendor.read();
            world.replicas[replica].does(variant, PassStep::Vendor(seen.is_some()));
            let Some(seen) = seen else {
                // The pass ends without a decision.
                return world.replicas[replica].rest();
            };
            if variant.replicas > 1 {
                decide(variant, world, replica, seen);
            } else {
                world.replicas[replica].step = Step::Seen(seen);
            }
        }
        (OperatorAct::Decide, Step::Seen(seen)) => decide(variant, world, replica, seen),
        (OperatorAct::WriteIntent, Step::Acting(mark)) => write_intent(variant, world, replica, mark),
        (OperatorAct::Send, Step::Armed(mark)) => {
            world.left.sends -= 1;
            C::count(&mut world.tries, &world.outside, mark, 1);
            let key = C::Wait::of_request(mark.id(), mark.attempt());
            let covers = |r: usize| world.replicas[r].clock.is_some_and(|clock| clock.key == key);
            let covered = (0..2).filter(|r| covers(*r)).map(|r| 1 << r).sum();
            let sender = u8::try_from(replica).unwrap_or_default();
            world.vendor.arrive(mark, sender, covered);
            world.replicas[replica].step = Step::Waiting(mark);
        }
        (OperatorAct::SendIntoTheVoid, Step::Armed(mark)) => {
            world.left.sends -= 1;
            world.left.losses -= 1;
            C::count(&mut world.tries, &world.outside, mark, 1);
            world.replicas[replica].step = Step::Told(mark, C::Answer::NONE);
        }
        (OperatorAct::Drop, Step::Armed(mark)) => {
            if !me.late {
                world.left.losses -= 1;
            }
            world.replicas[replica].step = Step::Told(mark, C::Answer::NOT_SENT);
        }
        (OperatorAct::GiveUp, Step::Waiting(mark)) => {
            world.left.losses -= 1;
            world.vendor.hang_up(replica);
            world.replicas[replica].step = Step::Told(mark, C::Answer::NONE);
        }
        (OperatorAct::ReadBack, Step::Told(mark, answer)) => {
            let seen = answer.is_of_something_sent().then(|| world.vendor.read()).flatten();
            read_back(variant, world, replica, (mark, answer), seen);
        }
        (OperatorAct::ReadBackFails, Step::Told(mark, answer)) => {
            world.left.losses -= 1;
            read_back(variant, world, replica, (mark, answer), None);
        }
        (OperatorAct::WriteStatus, Step::Recording(record)) => write_status(variant, world, replica, record),
        (OperatorAct::Crash, _) => {
            world.left.crashes -= 1;
            world.vendor.hang_up(replica);
            world.vendor.cover(replica, false);
            world.replicas[replica] = Replica { steps: cut(variant, me), ..Replica::default() };
        }
        _ => {}
    }
}

/// The first decision of a pass (`reconcile::pass`).
fn decide<C: Case>(variant: &Variant<C>, world: &mut World<C>, replica: usize, seen: C::Seen) {
    let me = world.replicas[replica];
    let ageless = variant.fault_switch == Some(FaultSwitch::NoAgeOfReadings);
    let clock = if ageless { me.clock } else { me.clock_of_reading() };
    let judged = C::judge(variant, me.copy, clock, seen, world.outside);
    world.replicas[replica].elapses_since = 0;
    if let Said::Change(mut mark) = judged.verdict {
        *mark.id_mut() = world.fresh_id();
        start_clock(world, replica, C::Wait::of_request(mark.id(), mark.attempt()));
        let me = &mut world.replicas[replica];
        // What was just seen to be made goes into the same write as the intent.
        me.copy.made = judged.record.made;
        (me.before, me.step) = (Some(seen), Step::Acting(mark));
    } else {
        follow(world, replica, judged.doubt, Some(seen));
        record_or_rest(world, replica, judged.record);
    }
}

fn write_intent<C: Case>(variant: &Variant<C>, world: &mut World<C>, replica: usize, mark: C::Mark) {
    let record = Record { published: None, intent: Some(mark), made: world.replicas[replica].copy.made };
    let stored = apiserver::write(variant.fault_switch, world, replica, record);
    world.replicas[replica].does(variant, PassStep::Intent(stored));
    if stored {
        world.replicas[replica].step = Step::Armed(mark);
    } else {
        world.replicas[replica].rest();
    }
}

/// After the request: what is proven, and the second decision of the pass.
fn read_back<C: Case>(
    variant: &Variant<C>,
    world: &mut World<C>,
    replica: usize,
    (mark, answer): (C::Mark, C::Answer),
    seen: Option<C::Seen>,
) {
    world.replicas[replica].does(variant, heard::<C>(answer));
    if answer.is_of_something_sent() {
        world.replicas[replica].does(variant, PassStep::ReadBack(seen.is_some()));
    }
    let me = world.replicas[replica];
    let before = me.before.expect("a reading from before the request");
    let record = C::after(variant, mark, answer, seen, (before, me.copy));
    if answer.is_before_effect() {
        C::count(&mut world.tries, &world.outside, mark, -1);
    }
    world.replicas[replica].before = None;
    if answer.ends_pass() {
        // A fault ends the pass without a decision.
        return record_or_rest(world, replica, record);
    }
    // Without a new reading the one before the request stands.
    let judged = C::judge(variant, record, me.clock, seen.unwrap_or(before), world.outside);
    follow(world, replica, judged.doubt, seen);
    record_or_rest(world, replica, judged.record);
}

/// `record::write`: over somebody else's write only what is proven about our own intent is written.
fn write_status<C: Case>(variant: &Variant<C>, world: &mut World<C>, replica: usize, record: Record<C>) {
    let before = world.replicas[replica].copy;
    let mut stored = Stored::Whole(left(&before, &record));
    if !apiserver::write(variant.fault_switch, world, replica, record) {
        let fresh = world.apiserver.record;
        stored = Stored::Nothing;
        if let Some(merged) = C::over(fresh, before.intent.map(|intent| intent.id()), record) {
            stored = Stored::Merged(left(&fresh, &merged));
            world.replicas[replica].stale = false;
            apiserver::write(variant.fault_switch, world, replica, merged);
        }
    }
    world.replicas[replica].does(variant, PassStep::Status(stored));
    world.replicas[replica].rest();
}

/// What was heard, as a step.
fn heard<C: Case>(answer: C::Answer) -> PassStep {
    answer.kind().map_or(PassStep::HeldBack, PassStep::Sent)
}

/// The steps of a pass that ends here, whatever would have followed.
fn cut<C: Case>(variant: &Variant<C>, mut me: Replica<C>) -> Steps {
    match me.step {
        Step::Idle => return me.steps,
        Step::Waiting(_) => me.does(variant, PassStep::Sent(Answered::Nothing)),
        Step::Told(_, answer) => me.does(variant, heard::<C>(answer)),
        _ => {}
    }
    me.does(variant, PassStep::Cut);
    me.steps
}

fn record_or_rest<C: Case>(world: &mut World<C>, replica: usize, record: Record<C>) {
    if world.replicas[replica].copy == record {
        world.replicas[replica].rest();
    } else {
        world.replicas[replica].step = Step::Recording(record);
    }
}

/// `domain::DoubtClock::restart`.
fn start_clock<C: Case>(world: &mut World<C>, replica: usize, key: C::Wait) {
    let me = &mut world.replicas[replica];
    if me.clock.is_none_or(|clock| clock.key != key) {
        me.clock = Some(Clock { key, elapses: 0, settled: None });
        world.vendor.cover(replica, key.is_long());
    }
}

/// What the clock waits for after a decision, as `domain::DoubtClock::follow`; `clocks` compares the two.
pub fn followed<C: Case>(
    clock: Option<Clock<C>>,
    doubt: Option<Doubted<C>>,
    seen: Option<C::Seen>,
) -> Option<Clock<C>> {
    let Doubted { wait: key, settled, kept: _ } = doubt?;
    let clock = clock.filter(|clock| clock.key == key).unwrap_or(Clock { key, elapses: 0, settled: None });
    let seen = seen.filter(|_| settled);
    Some(Clock { settled: seen.or(clock.settled), ..clock })
}

fn follow<C: Case>(world: &mut World<C>, replica: usize, doubt: Option<Doubted<C>>, seen: Option<C::Seen>) {
    let before = world.replicas[replica].clock;
    let after = followed(before, doubt, seen);
    match after {
        None => world.vendor.cover(replica, false),
        Some(clock) => start_clock(world, replica, clock.key),
    }
    world.replicas[replica].clock = after;
}
