//! The values on the ladder: what would be changed, and what is still to be seen before it may be.

use jiff::Timestamp;

use super::Numbers;
use super::keys::Lack;
use super::protocol::{Open, Wait};
use crate::api::{Change, License, Step, Trigger};

/// What was found out about one account before anything is held against a change.
#[derive(Debug)]
pub(super) struct Look {
    /// The recorded intent, judged.
    pub open: Open,
    pub next: Next,
    /// What may be done while an increase waits: the limit falls, so that the vendor does not buy meanwhile.
    pub meanwhile: Option<Box<Move>>,
    /// The numbers that the spec asks for, where they differ from what is there.
    pub wanted: Option<Numbers>,
    /// The license with its keys, where keys decide: replaces the recorded one.
    pub license: Option<License>,
    /// License keys were removed outside Seatkeeper: the sentence.
    pub lost: Option<String>,
}

/// What comes next, if nothing blocks it.
#[derive(Debug)]
pub(super) enum Next {
    Rest(Rest),
    Move(Box<Move>),
}

/// Nothing is to be changed.
#[derive(Debug)]
pub(super) enum Rest {
    /// All is as declared.
    InSync,
    /// Something lacks that no request can bring.
    Lacking(Lack),
}

/// One change that is wanted.
#[derive(Clone, Debug)]
pub(super) struct Move {
    pub step: Step,
    pub reason: Trigger,
    /// 1 for the first request of a decision.
    pub attempt: i32,
    /// Earlier requests of the decision that were answered without a reason and without an effect.
    pub answered: i32,
    /// Not before this time: earlier requests of the decision had no effect.
    pub not_before: Option<Timestamp>,
    /// What Seatkeeper last set, where it was changed from outside.
    pub drifted: Option<Numbers>,
    /// What must be seen before it may be sent.
    pub settle: Settle,
    /// The clock that runs must outlast every wait for something else.
    pub keeps_clock: bool,
}

/// What must be seen before a change may be sent, though no intent is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Settle {
    /// Nothing.
    Done,
    /// Another reading, after a while.
    Wait(Wait),
    /// Until the late effects of the last change have ended.
    Late(Wait),
    /// The vendor took back this change and its repeat: a person must look.
    Review(Box<Change>),
}
