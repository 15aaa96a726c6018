//! The apiserver: one object whose status is written by compare-and-swap.

use crate::replica::Replica;
use crate::variants::{Variant, Weakness};

/// What of the status the protocol stands on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Record {
    /// Id of the published plan.
    pub published: Option<u64>,
    pub intent: Option<Mark>,
    /// The newest change of the history; only its id, numbers, attempt and reason matter.
    pub made: Option<Mark>,
}

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

/// [`seatkeeper::api::IntentPhase`], as something that can be hashed and sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    Open,
    Answered,
    Unanswered,
    Settling,
    WithoutEffect,
    Rejected,
    NeedsReview,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Apiserver {
    pub record: Record,
    /// What a watch cache shows; only the variant that reads it moves it.
    pub cache: Record,
}

impl Apiserver {
    /// A write on condition that nobody else wrote since `replica` read. Every write makes other readings stale.
    pub fn write(&mut self, variant: &Variant, replicas: &mut [Replica; 2], replica: usize, record: Record) -> bool {
        if replicas[replica].stale && variant.weakness != Some(Weakness::NoCompareAndSwap) {
            return false;
        }
        if record != self.record {
            self.record = record;
            let other = &mut replicas[1 - replica];
            other.stale = other.reads();
        }
        let writer = &mut replicas[replica];
        (writer.copy, writer.stale) = (record, false);
        true
    }
}
