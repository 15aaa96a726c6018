//! Seats that are a number: one object that goes from 1 to 3 seats, and a vendor that bills apart from what it shows.

mod judge;
mod properties;
mod translate;
mod vendor;

use stateright::Property;

use crate::apiserver::{Phase, Record};
use crate::case::{Case, Heard, Judgment, Named, Said, Sells, Waits};
use crate::operator::DOES;
use crate::pass_step;
use crate::replica::{Clock, Replica};
use crate::variants::{FaultSwitch, Faults, Taken, Variant};
use crate::world::{FIRST_GENERATION, World};
use crate::{caught, safe};
pub use judge::judge as judged;
use judge::{ANSWERED, UNANSWERED};
use properties::{BILLED, EFFECTS, FEWER, QUIET, SHOWN};
pub use translate::{numbers, wait};
use vendor::{Vendor, VendorAct};

/// What the vendor shows at first.
pub const BOUGHT: i8 = 1;
/// What the object asks for.
pub const WANTED: i8 = 3;
/// What it asks for after an edit.
const LESS: i8 = 2;
/// Seats that are in use at first.
const USED: i8 = 1;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity;

/// An intent, or a change made under one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    pub id: u8,
    pub from: i8,
    pub to: i8,
    pub attempt: u8,
    /// Requests before it that were answered without an effect.
    pub answered: u8,
    /// What the spec asked for.
    pub wish: i8,
    /// How many looks had been asked for.
    pub looks: u8,
    /// Seats that were in use, where that was reported.
    pub used: Option<i8>,
    /// Reason `ExternalChange`.
    pub external: bool,
    pub phase: Phase,
}

/// What the record says besides plan and intent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Made {
    /// The newest change of the history; only its id, numbers, attempt, wish and reason matter.
    pub last: Option<Mark>,
    /// So many seats may be billed, and are not shown.
    pub may_bill: Option<i8>,
    /// The object became active in a cluster that has no record of it, and waits before its first change.
    pub waits: bool,
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
    /// Which attempt is waited for.
    pub attempt: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Open,
    Answered,
    Reverted,
    /// The object became active. It has no id.
    Activation,
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
    /// The window of the change is closed.
    pub closed: bool,
    /// The approval that the change needs is not there.
    pub unapproved: bool,
    /// What the spec asks for.
    pub wanted: i8,
    /// How many looks a person has asked for.
    pub looks: u8,
    /// Seats in use, where that is reported.
    pub used: Option<i8>,
    /// The question that a person has confirmed.
    pub confirmed: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutsideAct {
    /// The bound comes or goes.
    Bound,
    /// Somebody edits the spec and leaves the wish as it is.
    Edit,
    /// Somebody sets or takes away `spec.suspend`.
    Suspend,
    /// The window closes or opens.
    Window,
    /// A person takes the approval back, or gives it.
    Approval,
    /// Somebody edits the number of seats: to another one, and back.
    Wish,
    /// A person asks for a look.
    Look,
    /// Another number of seats is in use, or it is not reported any more.
    Use(Option<i8>),
    /// A person confirms the question that is open.
    Confirm,
    /// The operator is lost, whatever it does, and the object becomes active in a cluster that has no record of it.
    HandOver,
}

impl Named for Mark {
    fn id(&self) -> u8 {
        self.id
    }

    fn id_mut(&mut self) -> &mut u8 {
        &mut self.id
    }

    fn attempt(&self) -> u8 {
        self.attempt
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

    fn kind(self) -> Option<pass_step::Heard> {
        Some(match self {
            Self::Accepted => pass_step::Heard::Accepted,
            Self::Opaque => pass_step::Heard::Opaque,
            Self::Uncertain => pass_step::Heard::Uncertain,
            Self::None => pass_step::Heard::Nothing,
            Self::Refused => pass_step::Heard::Refused,
            Self::NotSent => return None,
        })
    }

    fn ends_pass(self) -> bool {
        matches!(self, Self::Refused | Self::NotSent)
    }
}

impl Waits for Key {
    fn of_request(id: u8, attempt: u8) -> Self {
        Self { kind: Kind::Open, id, attempt }
    }

    fn is_of_request(&self) -> bool {
        self.kind == Kind::Open
    }

    fn id(&mut self) -> Option<&mut u8> {
        (self.kind != Kind::Activation).then_some(&mut self.id)
    }

    fn last(&self) -> u8 {
        match self.kind {
            Kind::Activation => UNANSWERED,
            Kind::Open => UNANSWERED + ANSWERED * (self.attempt - 1),
            Kind::Answered | Kind::Reverted => ANSWERED * self.attempt,
        }
    }

    fn is_long(&self) -> bool {
        true
    }
}

impl Case for Quantity {
    type Mark = Mark;
    type Made = Made;
    type Seen = i8;
    type Answer = Answer;
    type Wait = Key;
    type Vendor = Vendor;
    type Outside = Outside;
    type OutsideAct = OutsideAct;
    /// What had an effect counts, and the vendor knows that.
    type Tries = ();

    const HARM: &[&'static str] = &[BILLED, SHOWN, FEWER, EFFECTS, QUIET];

    fn name(variant: &Variant<Self>) -> &'static str {
        if variant.relative { "relative endpoint" } else { "absolute endpoint" }
    }

    fn start() -> (Vendor, Outside) {
        let outside = Outside {
            generation: FIRST_GENERATION,
            bounded: false,
            suspended: false,
            closed: false,
            unapproved: false,
            wanted: WANTED,
            looks: 0,
            used: Some(USED),
            confirmed: None,
        };
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
    ) -> Judgment<Self> {
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

    fn over(stored: Record<Self>, ours: Option<u8>, record: Record<Self>) -> Option<Record<Self>> {
        judge::over(stored, ours, record)
    }

    fn count((): &mut (), _: &Outside, _: Mark, _: i8) {}

    fn offers_outside(world: &World<Self>, offers: &mut Vec<OutsideAct>) {
        let left = world.left;
        let each = [
            (left.bounds, OutsideAct::Bound),
            (left.edits, OutsideAct::Edit),
            (left.suspends, OutsideAct::Suspend),
            (left.windows, OutsideAct::Window),
            (left.approvals, OutsideAct::Approval),
            (left.wishes, OutsideAct::Wish),
            (left.looks, OutsideAct::Look),
        ];
        offers.extend(each.into_iter().filter(|(left, _)| *left > 0).map(|(_, act)| act));
        if left.uses > 0 {
            let others = [None, Some(USED - 1), Some(USED)].into_iter();
            offers.extend(others.filter(|used| *used != world.outside.used).map(OutsideAct::Use));
        }
        if left.confirmations > 0 && question(world).is_some_and(|open| world.outside.confirmed != Some(open.id)) {
            offers.push(OutsideAct::Confirm);
        }
        if left.hand_overs > 0 && (left.rash || !has_repeated(world)) {
            offers.push(OutsideAct::HandOver);
        }
    }

    #[expect(clippy::too_many_lines, reason = "one match: an arm for each action")]
    fn step_outside(world: &mut World<Self>, act: OutsideAct) {
        let asked = question(world);
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
            OutsideAct::Window => {
                left.windows -= 1;
                outside.closed = !outside.closed;
            }
            OutsideAct::Approval => {
                left.approvals -= 1;
                outside.unapproved = !outside.unapproved;
            }
            OutsideAct::Wish => {
                left.wishes -= 1;
                outside.generation += 1;
                outside.wanted = if outside.wanted == WANTED { LESS } else { WANTED };
                (world.vendor.effects, world.vendor.edited) = (0, true);
            }
            OutsideAct::Look => {
                left.looks -= 1;
                outside.looks += 1;
            }
            OutsideAct::HandOver => {
                left.hand_overs -= 1;
                for replica in 0..2 {
                    world.vendor.hang_up(replica);
                    world.vendor.cover(replica, false);
                }
                world.replicas = [Replica::default(); 2];
                let made = Made { waits: true, ..Made::default() };
                world.apiserver.record = Record { made, ..Record::default() };
                // What the other cluster asks for is another decision, as after an edit.
                (world.vendor.effects, world.vendor.edited) = (0, true);
            }
            OutsideAct::Use(used) => {
                left.uses -= 1;
                outside.used = used;
            }
            OutsideAct::Confirm => {
                left.confirmations -= 1;
                outside.confirmed = asked.map(|asked| asked.id);
                if asked.is_some_and(|asked| asked.phase == Phase::NeedsReview) {
                    // What is shown is a person's starting point from now on, as after an edit.
                    (world.vendor.effects, world.vendor.edited) = (0, true);
                }
            }
        }
    }

    fn unhinder(outside: &mut Outside) {
        (outside.bounded, outside.suspended, outside.used) = (false, false, Some(USED));
        (outside.closed, outside.unapproved) = (false, false);
    }

    fn each_made_id(made: &mut Made, visit: &mut impl FnMut(&mut u8)) {
        if let Some(made) = &mut made.last {
            visit(&mut made.id);
        }
    }

    fn newest(made: &Made) -> Option<u8> {
        made.last.map(|made| made.id)
    }

    fn each_outside_id(outside: &mut Outside, visit: &mut impl FnMut(&mut u8)) {
        if let Some(confirmed) = &mut outside.confirmed {
            visit(confirmed);
        }
    }

    fn is_good_end(world: &World<Self>, verdict: Said<Self>) -> Option<bool> {
        match verdict {
            Said::InSync => {
                Some(world.vendor.shown == world.outside.wanted && world.vendor.billed == world.outside.wanted)
            }
            Said::MayBill => Some(world.vendor.shown == world.outside.wanted),
            Said::Rejected | Said::NeedsReview => Some(true),
            _ => None,
        }
    }

    fn name_of(act: Result<&VendorAct, &OutsideAct>) -> &'static str {
        match act {
            Ok(VendorAct::Proceed(_)) => "proceed",
            Ok(VendorAct::Fail(_)) => "fail",
            Ok(VendorAct::FailDone(_)) => "fail when all is done",
            Ok(VendorAct::Refuse(_)) => "refuse",
            Ok(VendorAct::Object(_)) => "refuse wherever it stands",
            Ok(VendorAct::Deliver) => "deliver",
            Ok(VendorAct::WriteBack(_)) => "write back",
            Ok(VendorAct::Misread(_)) => "misread",
            Err(OutsideAct::Bound) => "bound",
            Err(OutsideAct::Edit) => "edit",
            Err(OutsideAct::Suspend) => "suspend",
            Err(OutsideAct::Window) => "window",
            Err(OutsideAct::Approval) => "approval",
            Err(OutsideAct::Wish) => "wish",
            Err(OutsideAct::Look) => "look",
            Err(OutsideAct::Use(_)) => "use",
            Err(OutsideAct::Confirm) => "confirm",
            Err(OutsideAct::HandOver) => "hand over",
        }
    }

    fn calm(act: &VendorAct) -> u8 {
        if matches!(act, VendorAct::Proceed(_)) { 0 } else { 1 }
    }
}

/// Whether a change was sent more than once. The wait of an object that becomes active is that of a first request: whoever hands
/// over from a side that was lost waits longer then (docs/policies.md, "One active cluster").
fn has_repeated(world: &World<Quantity>) -> bool {
    let Record { intent, made, .. } = world.apiserver.record;
    [intent, made.last].into_iter().flatten().any(|mark| mark.attempt > 1)
}

/// The intent that a person is asked about.
fn question(world: &World<Quantity>) -> Option<Mark> {
    let asks = |mark: &Mark| matches!(mark.phase, Phase::Rejected | Phase::NeedsReview);
    world.apiserver.record.intent.filter(asks)
}

fn of(replicas: usize) -> Variant<Quantity> {
    Variant::of(replicas)
}

/// What the vendor, and people, do in the model: all of it must happen.
const HAPPENS: [&str; 17] = [
    "approval",
    "bound",
    "confirm",
    "deliver",
    "edit",
    "fail",
    "fail when all is done",
    "look",
    "misread",
    "proceed",
    "refuse",
    "refuse wherever it stands",
    "suspend",
    "use",
    "window",
    "wish",
    "write back",
];

/// What changes around the object.
fn little(change: fn(&mut Faults)) -> Variant<Quantity> {
    of(1).without_crash().without_failure().with(|left| left.losses = 0).with(change)
}

/// Everything happens, for traces of which each is one of very many.
pub fn lively() -> Variant<Quantity> {
    of(1).restless().misreading().with(|left| (left.wishes, left.looks, left.uses, left.sends) = (2, 2, 2, 5))
}

/// So many variants as show each pass that there is. By differences the vendor takes fewer steps, and the operator the same.
pub fn with_all_passes() -> Vec<Variant<Quantity>> {
    let two_losses = |variant: Variant<Quantity>| variant.relative().with(|left| (left.losses, left.sends) = (2, 2));
    let alone = [of(1), two_losses(of(1)), old_reading().relative(), refusals().relative()];
    let two = two_losses(of(2)).without_crash().with(|left| left.sends = 1);
    alone.into_iter().chain([two]).collect()
}

/// A pass may decide about a reading that is older than the settle time, the next reading may be wrong, and the wish is edited.
fn old_reading() -> Variant<Quantity> {
    little(|left| (left.wishes, left.misreads) = (1, 1))
}

#[test]
fn reading_that_counts_as_one_of_the_moment_of_its_decision_is_caught() {
    caught(old_reading().weakened(FaultSwitch::NoAgeOfReadings));
}

/// What must be there of each kind of endpoint: what stands still in the model makes it smaller.
#[test]
fn one_replica_never_buys_twice_and_rests_under_every_fault() {
    for relative in [false, true] {
        let taken: &'static Taken = Box::leak(Box::default());
        let variants = [
            of(1),
            little(|left| (left.bounds, left.edits, left.suspends, left.looks) = (1, 1, 1, 1)),
            little(|left| (left.windows, left.approvals) = (2, 2)),
            old_reading(),
            refusals().with(|left| (left.uses, left.confirmations, left.sends) = (1, 1, 3)),
        ];
        let of_kind = |variant: Variant<Quantity>| if relative { variant.relative() } else { variant };
        let states: usize = variants.into_iter().map(|variant| safe(of_kind(variant).noting(taken))).sum();
        assert_eq!(taken.names(), HAPPENS.into_iter().chain(DOES).collect(), "what was taken, and what there is");
        assert!(states > 800_000, "only {states} states: something in the model stands still");
    }
}

#[test]
fn bounds_and_edits_that_come_and_go_give_no_decision_a_third_request() {
    safe(of(1).restless());
}

#[test]
fn object_suspended_now_and_then_sends_no_third_request() {
    safe(of(1).with(|left| (left.suspends, left.edits) = (4, 2)));
}

#[test]
fn closing_window_or_deleted_approval_gives_no_decision_third_request() {
    safe(of(1).with(|left| (left.windows, left.edits) = (2, 1)));
    safe(of(1).with(|left| (left.approvals, left.edits) = (2, 1)));
    safe(of(1).without_crash().with(|left| (left.windows, left.approvals) = (2, 2)));
}

#[test]
fn two_replicas_never_buy_twice_and_come_to_rest() {
    safe(two_replicas().without_crash());
}

#[test]
fn two_replicas_of_which_one_dies_never_buy_twice_and_come_to_rest() {
    safe(two_replicas().without_failure());
}

/// With an owner's key each request is a difference: one that adds to another buys twice at once.
#[test]
fn two_replicas_sending_differences_never_buy_twice_and_come_to_rest() {
    let one_fails = two_replicas().relative().without_crash().with(|left| left.losses = 0);
    let one_is_lost = two_replicas().relative().without_crash().without_failure();
    let states = safe(one_fails) + safe(one_is_lost);
    assert!(states > 2_500_000, "only {states} states: something in the model stands still");
}

#[test]
#[ignore = "many times as large as each of its parts: cargo test --test model -- --ignored"]
fn two_replicas_never_buy_twice_under_combined_faults() {
    safe(two_replicas());
    safe(two_replicas().relative());
}

/// No more than two requests: with two replicas everything is much larger.
fn two_replicas() -> Variant<Quantity> {
    of(2).with(|left| left.sends = 2)
}

#[test]
fn reading_that_is_wrong_once_or_cannot_be_buys_nothing() {
    safe(of(1).misreading());
    safe(of(1).relative().misreading());
    safe(of(1).relative().misreading().without_crash().with(|left| left.bounds = 2));
}

#[test]
fn plan_that_fits_any_numbers_is_caught_where_a_reading_may_be_wrong() {
    let edited = of(1).relative().misreading().without_crash().without_failure().with(|left| left.wishes = 2);
    caught(edited.weakened(FaultSwitch::AnyBase));
}

#[test]
fn no_wait_before_judging_an_open_intent_is_caught() {
    caught(of(1).weakened(FaultSwitch::NoWaitBeforeJudging));
}

#[test]
fn no_wait_before_repeating_a_reverted_change_is_caught() {
    caught(of(1).weakened(FaultSwitch::NoWaitBeforeRepeating));
}

#[test]
fn repeating_a_repeat_that_was_taken_back_is_caught() {
    caught(of(1).weakened(FaultSwitch::RepeatsRepeats));
}

#[test]
fn outage_that_lasts_never_buys_twice_and_ends_with_the_wish() {
    safe(outage());
    safe(outage().relative());
}

/// Nothing is heard of three requests in a row, and a person asks for a look.
fn outage() -> Variant<Quantity> {
    of(1).without_crash().with(|left| (left.losses, left.failures, left.sends, left.looks) = (3, 1, 5, 1))
}

#[test]
fn use_that_comes_and_goes_never_buys_twice() {
    safe(refusals().with(|left| left.uses = 2));
    safe(refusals().relative().with(|left| left.uses = 2));
}

#[test]
fn question_that_a_person_confirms_never_buys_twice() {
    safe(refusals().with(|left| left.confirmations = 2));
    safe(refusals().relative().with(|left| left.confirmations = 2));
    safe(taken_back().with(|left| left.confirmations = 1));
    safe(taken_back().relative().with(|left| left.confirmations = 1));
}

/// What the vendor takes back twice is for a person.
fn taken_back() -> Variant<Quantity> {
    of(1).without_crash().without_failure().with(|left| left.sends = 4)
}

/// Two requests are refused, and more may follow.
fn refusals() -> Variant<Quantity> {
    of(1).without_crash().with(|left| (left.losses, left.failures, left.sends) = (0, 2, 4))
}

#[test]
fn two_replicas_around_which_something_changes_never_buy_twice() {
    let calm = || two_replicas().without_crash().without_failure().with(|left| left.losses = 0);
    safe(calm().with(|left| left.uses = 2));
    safe(calm().with(|left| left.bounds = 2));
    safe(calm().with(|left| (left.edits, left.suspends) = (1, 2)));
}

#[test]
fn refused_change_that_counts_as_a_first_request_is_caught() {
    caught(refusals().with(|left| left.uses = 2).weakened(FaultSwitch::ForgetsRefused));
    caught(refusals().with(|left| left.confirmations = 1).weakened(FaultSwitch::ForgetsRefused));
}

#[test]
fn settle_time_that_does_not_grow_with_the_attempts_is_caught() {
    caught(outage().weakened(FaultSwitch::ConstantSettleTime));
}

#[test]
fn edit_of_the_wish_at_any_time_never_buys_more_than_either_wish() {
    safe(of(1).without_crash().with(|left| (left.wishes, left.sends) = (2, 4)));
    safe(of(1).relative().without_crash().with(|left| (left.wishes, left.sends) = (2, 4)));
}

#[test]
fn sizing_never_buys_more_than_was_wanted_at_any_time() {
    let edited = || of(1).without_crash().with(|left| (left.wishes, left.sends) = (2, 4));
    for variant in [edited(), edited().relative(), old_reading(), old_reading().relative()] {
        safe(variant.sized());
    }
}

#[test]
fn change_that_follows_the_late_effects_of_another_one_is_caught() {
    caught(of(1).without_crash().with(|left| left.wishes = 2).weakened(FaultSwitch::NoWaitForLateEffects));
}

#[test]
fn first_request_that_is_forgotten_while_its_repeat_is_held_is_caught() {
    caught(outage().with(|left| left.bounds = 4).weakened(FaultSwitch::ForgetsFirst));
}

#[test]
fn no_send_deadline_is_caught_with_two_replicas() {
    safe(of(1).weakened(FaultSwitch::NoDeadline));
    caught(of(2).without_crash().without_failure().weakened(FaultSwitch::NoDeadline));
}

#[test]
fn no_compare_and_swap_is_caught_with_two_replicas() {
    safe(of(1).weakened(FaultSwitch::NoCompareAndSwap));
    caught(of(2).without_crash().without_failure().weakened(FaultSwitch::NoCompareAndSwap));
}

#[test]
fn error_that_closes_the_intent_is_caught() {
    caught(of(1).weakened(FaultSwitch::ErrorCloses));
}

#[test]
fn refusal_treated_as_proof_is_caught() {
    caught(of(1).weakened(FaultSwitch::RefusalIsProof));
}

#[test]
fn intent_read_from_a_stale_cache_is_caught() {
    caught(of(1).weakened(FaultSwitch::StaleIntent));
}

#[test]
fn handler_that_outlives_settle_time_breaks_promise() {
    caught(of(1).weakened(FaultSwitch::SlowHandler));
}

#[test]
fn request_that_outlives_settle_time_breaks_promise() {
    caught(of(1).weakened(FaultSwitch::SlowRequest));
}

/// The operator is lost at any moment, and another cluster takes over.
fn handed_over() -> Variant<Quantity> {
    of(1).without_crash().with(|left| left.hand_overs = 1)
}

#[test]
fn cluster_that_takes_over_from_a_lost_one_never_buys_twice() {
    safe(handed_over());
    safe(handed_over().relative());
}

#[test]
fn cluster_that_takes_over_without_a_wait_is_caught() {
    caught(handed_over().weakened(FaultSwitch::NoWaitBeforeActive));
    caught(handed_over().relative().weakened(FaultSwitch::NoWaitBeforeActive));
}

/// Why the manual asks for a longer wait there.
#[test]
fn takeover_between_repeats_without_longer_wait_is_caught() {
    caught(handed_over().with(|left| (left.losses, left.sends, left.rash) = (2, 4, true)));
}
