//! Seats that are a number: one object that goes from 1 to 3 seats, and a vendor that bills apart from what it shows.

mod judge;
mod properties;
mod translate;
mod vendor;

use stateright::Property;

use crate::apiserver::{Phase, Record};
use crate::case::{Case, Heard, Judgement, Named, Said, Waits};
use crate::properties::TWICE;
use crate::replica::Clock;
use crate::variants::{Variant, Weakness};
use crate::world::{FIRST_GENERATION, World};
use crate::{caught, safe};
use judge::{ANSWERED, UNANSWERED};
use properties::{BILLED, SHOWN};
use vendor::{Vendor, VendorAct};

/// What the vendor shows at first.
pub const BOUGHT: i8 = 1;
/// What the object asks for.
pub const WANTED: i8 = 3;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity;

/// An intent, or a change made under one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    pub id: u8,
    pub from: i8,
    pub to: i8,
    pub attempt: u8,
    /// Reason `ExternalChange`.
    pub external: bool,
    pub phase: Phase,
}

/// What a replica hears of its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    Accepted,
    Opaque,
    /// A refusal that may come after an effect.
    Uncertain,
    /// There was none, or something in between gave it.
    None,
    Refused,
    NotSent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    pub kind: Kind,
    pub id: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Open,
    Answered,
    Reverted,
}

/// What changes around the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Outside {
    /// Generation of the spec: each edit counts.
    pub generation: u8,
    /// A bound that another pool sets stands against the change.
    pub bounded: bool,
    /// `spec.suspend`.
    pub suspended: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutsideAct {
    /// The bound comes or goes.
    Bound,
    /// Somebody edits the spec and leaves the wish as it is.
    Edit,
    /// Somebody sets or takes away `spec.suspend`.
    Suspend,
}

impl Named for Mark {
    fn id(&self) -> u8 {
        self.id
    }

    fn id_mut(&mut self) -> &mut u8 {
        &mut self.id
    }
}

impl Heard for Answer {
    const NONE: Self = Self::None;
    const NOT_SENT: Self = Self::NotSent;

    fn is_of_something_sent(self) -> bool {
        matches!(self, Self::Accepted | Self::Opaque | Self::Uncertain | Self::None)
    }

    fn is_before_effect(self) -> bool {
        self == Self::Refused
    }

    fn ends_pass(self) -> bool {
        matches!(self, Self::Refused | Self::NotSent)
    }
}

impl Waits for Key {
    fn of_request(id: u8) -> Self {
        Self { kind: Kind::Open, id }
    }

    fn id(&mut self) -> Option<&mut u8> {
        Some(&mut self.id)
    }

    fn last(&self) -> u8 {
        match self.kind {
            Kind::Open => UNANSWERED,
            Kind::Answered | Kind::Reverted => ANSWERED,
        }
    }

    fn is_long(&self) -> bool {
        true
    }
}

impl Case for Quantity {
    type Mark = Mark;
    /// The newest change of the history; only its id, numbers, attempt and reason matter.
    type Made = Option<Mark>;
    type Seen = i8;
    type Answer = Answer;
    type Wait = Key;
    type Vendor = Vendor;
    type Outside = Outside;
    type OutsideAct = OutsideAct;
    type Tries = u8;

    const HARM: &[&'static str] = &[BILLED, SHOWN, TWICE];

    fn name(variant: &Variant<Self>) -> &'static str {
        if variant.relative { "relative endpoint" } else { "absolute endpoint" }
    }

    fn start() -> (Vendor, Outside) {
        let outside = Outside { generation: FIRST_GENERATION, bounded: false, suspended: false };
        (Vendor::new(BOUGHT), outside)
    }

    fn properties(variant: &Variant<Self>) -> Vec<Property<Variant<Self>>> {
        properties::of(variant)
    }

    fn judge(
        variant: &Variant<Self>,
        record: Record<Self>,
        clock: Option<Clock<Self>>,
        seen: i8,
        outside: Outside,
    ) -> Judgement<Self> {
        judge::judge(variant, record, clock, seen, outside)
    }

    fn after(
        variant: &Variant<Self>,
        mark: Mark,
        answer: Answer,
        read_back: Option<i8>,
        (_, before): (i8, Record<Self>),
    ) -> Record<Self> {
        judge::after(variant, mark, answer, read_back, before)
    }

    fn count(tries: &mut u8, _: &Outside, _: Mark, by: i8) {
        *tries = tries.saturating_add_signed(by);
    }

    fn offers_outside(world: &World<Self>, offers: &mut Vec<OutsideAct>) {
        let left = world.left;
        // Left out are edits of the number itself, and a use that cannot be read for a while: the code is known to do wrong
        // there, and that is mended later (issue 12). A change for another wish is sent beside the webhooks of the one
        // before and bills more than either asked for; what an error has billed is forgotten by an edit and an edit back;
        // and a refused change is asked for again when its use gets unreadable.
        let each =
            [(left.bounds, OutsideAct::Bound), (left.edits, OutsideAct::Edit), (left.suspends, OutsideAct::Suspend)];
        offers.extend(each.into_iter().filter(|(left, _)| *left > 0).map(|(_, act)| act));
    }

    fn step_outside(world: &mut World<Self>, act: OutsideAct) {
        let (left, outside) = (&mut world.left, &mut world.outside);
        match act {
            OutsideAct::Bound => {
                left.bounds -= 1;
                outside.bounded = !outside.bounded;
            }
            OutsideAct::Edit => {
                left.edits -= 1;
                outside.generation += 1;
            }
            OutsideAct::Suspend => {
                left.suspends -= 1;
                outside.suspended = !outside.suspended;
            }
        }
    }

    fn unhinder(outside: &mut Outside) {
        (outside.bounded, outside.suspended) = (false, false);
    }

    fn each_made_id(made: &mut Option<Mark>, visit: &mut impl FnMut(&mut u8)) {
        if let Some(made) = made {
            visit(&mut made.id);
        }
    }

    fn is_good_end(world: &World<Self>, verdict: Said<Self>) -> Option<bool> {
        match verdict {
            Said::InSync => Some(world.vendor.shown == WANTED && world.vendor.billed == WANTED),
            Said::Rejected | Said::NeedsReview => Some(true),
            _ => None,
        }
    }

    fn name_of(act: Result<&VendorAct, &OutsideAct>) -> &'static str {
        match act {
            Ok(VendorAct::Proceed(_)) => "proceed",
            Ok(VendorAct::Fail(_)) => "fail",
            Ok(VendorAct::Refuse(_)) => "refuse",
            Ok(VendorAct::Object(_)) => "refuse wherever it stands",
            Ok(VendorAct::Deliver) => "deliver",
            Ok(VendorAct::WriteBack(_)) => "write back",
            Ok(VendorAct::Misread(_)) => "misread",
            Err(OutsideAct::Bound) => "bound",
            Err(OutsideAct::Edit) => "edit",
            Err(OutsideAct::Suspend) => "suspend",
        }
    }

    fn calm(act: &VendorAct) -> u8 {
        if matches!(act, VendorAct::Proceed(_)) { 0 } else { 1 }
    }
}

fn of(replicas: usize) -> Variant<Quantity> {
    Variant::of(replicas)
}

#[test]
fn one_replica_never_buys_twice_and_comes_to_rest() {
    safe(of(1));
    safe(of(1).relative());
}

#[test]
fn bounds_and_edits_that_come_and_go_give_no_decision_a_third_request() {
    safe(of(1).restless());
}

#[test]
fn object_that_is_suspended_now_and_then_gives_no_decision_a_third_request() {
    safe(of(1).with(|left| (left.suspends, left.edits) = (4, 2)));
}

#[test]
fn two_replicas_never_buy_twice_and_come_to_rest() {
    safe(of(2));
}

#[test]
#[ignore = "as large as the absolute one, with the same verdict: cargo test --test model -- --ignored"]
fn two_replicas_never_buy_twice_at_a_relative_endpoint() {
    safe(of(2).relative());
}

#[test]
fn reading_that_is_wrong_once_or_cannot_be_buys_nothing() {
    safe(of(1).misreading());
    safe(of(1).relative().misreading());
    safe(of(1).relative().misreading().without_crash().with(|left| left.bounds = 2));
}

#[test]
fn plan_that_fits_any_numbers_is_caught_where_a_reading_may_be_wrong() {
    caught(of(1).relative().misreading().weakened(Weakness::AnyBase));
}

#[test]
fn no_wait_before_judging_an_open_intent_is_caught() {
    caught(of(1).weakened(Weakness::NoWaitBeforeJudging));
}

#[test]
fn no_wait_before_repeating_a_reverted_change_is_caught() {
    caught(of(1).weakened(Weakness::NoWaitBeforeRepeating));
}

#[test]
fn repeating_a_repeat_that_was_taken_back_is_caught() {
    caught(of(1).weakened(Weakness::RepeatsRepeats));
}

#[test]
fn first_request_that_is_forgotten_while_its_repeat_is_held_is_caught() {
    caught(of(1).restless().weakened(Weakness::ForgetsFirst));
}

#[test]
fn no_send_deadline_is_caught_with_two_replicas() {
    safe(of(1).weakened(Weakness::NoDeadline));
    caught(of(2).without_crash().without_failure().weakened(Weakness::NoDeadline));
}

#[test]
fn no_compare_and_swap_is_caught_with_two_replicas() {
    safe(of(1).weakened(Weakness::NoCompareAndSwap));
    caught(of(2).without_crash().without_failure().weakened(Weakness::NoCompareAndSwap));
}

#[test]
fn an_error_that_closes_the_intent_is_caught() {
    caught(of(1).weakened(Weakness::ErrorCloses));
}

#[test]
fn refusal_that_is_taken_for_proof_is_caught() {
    caught(of(1).weakened(Weakness::RefusalIsProof));
}

#[test]
fn an_intent_read_from_a_stale_cache_is_caught() {
    caught(of(1).weakened(Weakness::StaleIntent));
}

#[test]
fn a_handler_that_outlives_the_settle_time_breaks_the_promise() {
    caught(of(1).weakened(Weakness::SlowHandler));
}

#[test]
fn a_request_that_outlives_the_settle_time_breaks_the_promise() {
    caught(of(1).weakened(Weakness::SlowRequest));
}
