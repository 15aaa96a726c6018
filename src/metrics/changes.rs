//! Which changes a status has that the one before did not have.

use crate::api::{Change, IntentPhase, LicenseSeatsStatus, Step, Trigger};

/// What a change does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// More seats, or a license key more.
    Increase,
    /// Fewer seats, or a license key less.
    Decrease,
    /// Another limit alone.
    Limit,
}

/// Each of them.
pub(super) const DIRECTIONS: [Direction; 3] = [Direction::Increase, Direction::Decrease, Direction::Limit];

/// Each reason of a change.
pub(super) const TRIGGERS: [Trigger; 5] =
    [Trigger::SpecDiffers, Trigger::UseChanged, Trigger::ExternalChange, Trigger::Urgent, Trigger::Applied];

impl Direction {
    fn of(step: &Step) -> Self {
        match step {
            Step::AddKey(_) => Self::Increase,
            Step::RemoveKey(_) => Self::Decrease,
            Step::Seats(_) if step.target().seats > step.base().seats => Self::Increase,
            Step::Seats(_) if step.target().seats < step.base().seats => Self::Decrease,
            Step::Seats(_) => Self::Limit,
        }
    }

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Increase => "increase",
            Self::Decrease => "decrease",
            Self::Limit => "limit",
        }
    }
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeResult {
    /// The vendor shows it.
    Made,
    /// The vendor refuses it.
    Refused,
}

impl ChangeResult {
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Refused => "refused",
        }
    }
}

/// A change in a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// What it does.
    pub direction: Direction,
    /// Its outcome.
    pub outcome: ChangeResult,
    /// The seats that it added or removed, where it changed them.
    pub seats: u32,
    /// Why it was wanted.
    pub trigger: &'static str,
}

impl Counted {
    fn of(step: &Step, outcome: ChangeResult, trigger: Trigger) -> Self {
        let seats = if step.key().is_some() { 0 } else { step.target().seats.abs_diff(step.base().seats) };
        Self { direction: Direction::of(step), outcome, seats, trigger: trigger.word() }
    }
}

/// Changes that a status has and the one that it replaces does not have.
pub fn told(before: &LicenseSeatsStatus, after: &LicenseSeatsStatus) -> Vec<Counted> {
    let new = |change: &&Change| before.history.iter().all(|known| known.id != change.id);
    let made = after.history.iter().filter(new).map(|made| Counted::of(&made.step, ChangeResult::Made, made.reason));
    let refused =
        |status: &LicenseSeatsStatus| status.intent.clone().filter(|intent| intent.phase == IntentPhase::Rejected);
    let known = refused(before).map(|intent| intent.id);
    let refused = refused(after).filter(|intent| Some(&intent.id) != known.as_ref());
    let refused = refused.map(|intent| Counted::of(&intent.step, ChangeResult::Refused, intent.reason));
    made.chain(refused).collect()
}
