//! The wanted change before any gate, and the readings that it still needs.

use jiff::Timestamp;

use super::Numbers;
use super::keys::Lack;
use super::protocol::{Open, Wait};
use crate::api::{Change, License, Step, Trigger};

/// The findings about one account before any gate.
#[derive(Debug)]
pub(super) struct Look {
    /// The recorded intent, judged.
    pub open: Open,
    pub next: Next,
    /// The protective step while an increase waits: the limit falls, so that the vendor does not buy meanwhile.
    pub meanwhile: Option<Box<Move>>,
    /// The numbers that the spec asks for, if they differ from the present ones.
    pub wanted: Option<Numbers>,
    /// The license with its keys, if keys decide. It replaces the recorded one.
    pub license: Option<License>,
    /// License keys were removed outside Seatkeeper: the sentence.
    pub lost: Option<String>,
}

/// The next step, before any gate.
#[derive(Debug)]
pub(super) enum Next {
    Rest(Rest),
    Move(Box<Move>),
}

/// No change is wanted.
#[derive(Debug)]
pub(super) enum Rest {
    /// All is as declared.
    InSync,
    /// A lack that no request can end.
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
    /// The earliest time: earlier requests of the decision had no effect.
    pub not_before: Option<Timestamp>,
    /// The numbers last set by Seatkeeper, if they were changed from outside.
    pub drifted: Option<Numbers>,
    /// The readings needed before it may be sent.
    pub settle: Settle,
    /// The clock that runs must outlast every wait for something else.
    pub keeps_clock: bool,
}

/// The readings that a change needs although no intent is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Settle {
    /// Nothing.
    Done,
    /// Another reading, after a while.
    Wait(Wait),
    /// Until the late effects of the last change have ended.
    Late(Wait),
    /// The vendor took back this change and its repeat: a person must check.
    Review(Box<Change>),
}
