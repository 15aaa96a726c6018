//! The apiserver: one object whose status is written by compare-and-swap.

use seatkeeper::api::IntentPhase;

use crate::case::Case;
use crate::variants::FaultSwitch;
use crate::world::World;

/// What of the status the protocol stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Record<C: Case> {
    /// Id of the published plan.
    pub published: Option<u64>,
    pub intent: Option<C::Mark>,
    pub made: C::Made,
}

impl<C: Case> Default for Record<C> {
    fn default() -> Self {
        Self { published: None, intent: None, made: C::Made::default() }
    }
}

/// [`IntentPhase`], as something that can be hashed and sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    Open,
    Answered,
    Unanswered,
    Settling,
    WithoutEffect,
    Rejected,
    NeedsReview,
    MadeElsewhere,
}

impl From<IntentPhase> for Phase {
    fn from(phase: IntentPhase) -> Self {
        match phase {
            IntentPhase::Open => Self::Open,
            IntentPhase::Answered => Self::Answered,
            IntentPhase::Unanswered => Self::Unanswered,
            IntentPhase::Settling => Self::Settling,
            IntentPhase::WithoutEffect => Self::WithoutEffect,
            IntentPhase::Rejected => Self::Rejected,
            IntentPhase::NeedsReview => Self::NeedsReview,
            IntentPhase::MadeElsewhere => Self::MadeElsewhere,
        }
    }
}

impl From<Phase> for IntentPhase {
    fn from(phase: Phase) -> Self {
        match phase {
            Phase::Open => Self::Open,
            Phase::Answered => Self::Answered,
            Phase::Unanswered => Self::Unanswered,
            Phase::Settling => Self::Settling,
            Phase::WithoutEffect => Self::WithoutEffect,
            Phase::Rejected => Self::Rejected,
            Phase::NeedsReview => Self::NeedsReview,
            Phase::MadeElsewhere => Self::MadeElsewhere,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Apiserver<C: Case> {
    pub record: Record<C>,
    /// What a watch cache shows; only the variant that reads it moves it.
    pub cache: Record<C>,
}

/// A write on condition that nobody else wrote since `replica` read. Every write makes other readings stale.
pub fn write<C: Case>(
    fault_switch: Option<FaultSwitch>,
    world: &mut World<C>,
    replica: usize,
    record: Record<C>,
) -> bool {
    if world.replicas[replica].stale && fault_switch != Some(FaultSwitch::NoCompareAndSwap) {
        return false;
    }
    if record != world.apiserver.record {
        C::recorded(&mut world.tries, &world.apiserver.record, &record);
        world.apiserver.record = record;
        let other = &mut world.replicas[1 - replica];
        other.stale = other.reads();
    }
    let writer = &mut world.replicas[replica];
    (writer.copy, writer.stale) = (record, false);
    true
}
