//! One replica of the operator between two steps: where in its pass it is and what it remembers.

use crate::apiserver::Record;
use crate::case::{Case, Waits};
use crate::pass_step::PassStep;
use crate::passes::Steps;
use crate::variants::Variant;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Replica<C: Case> {
    pub step: Step<C>,
    /// The status as this pass read or wrote it.
    pub copy: Record<C>,
    /// What the vendor showed when a change was decided.
    pub before: Option<C::Seen>,
    /// Somebody wrote since: the `resourceVersion` of `copy` is an old one.
    pub stale: bool,
    pub clock: Option<Clock<C>>,
    /// The send deadline has passed since the intent was written.
    pub late: bool,
    /// How often the clock has elapsed since this pass read the vendor: what was read is as old as that.
    pub elapses_since: u8,
    /// What this pass did so far.
    pub steps: Steps,
}

/// Where in its pass a replica is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step<C: Case> {
    #[default]
    Idle,
    /// The object was read.
    Read,
    /// The vendor was read too.
    Seen(C::Seen),
    /// A change was decided; its intent is to be written.
    Acting(C::Mark),
    /// The intent is stored.
    Armed(C::Mark),
    /// The request has left.
    Waiting(C::Mark),
    /// The request is over, as far as this process knows.
    Told(C::Mark, C::Answer),
    /// The status is to be written.
    Recording(Record<C>),
}

/// The clock of a doubt in a process's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Clock<C: Case> {
    pub key: C::Wait,
    pub elapses: u8,
    /// What was read after the settle time.
    pub settled: Option<C::Seen>,
}

impl<C: Case> Step<C> {
    /// The same for two steps that differ by the id of an intent only.
    pub fn rank(&self) -> u8 {
        match self {
            Self::Idle => 0,
            Self::Read => 1,
            Self::Seen(_) => 2,
            Self::Acting(_) => 3,
            Self::Armed(_) => 4,
            Self::Waiting(_) => 5,
            Self::Told(..) => 6,
            Self::Recording(_) => 7,
        }
    }
}

impl<C: Case> Clock<C> {
    /// It has elapsed as often as it does.
    pub fn is_over(&self) -> bool {
        self.elapses >= self.key.last()
    }
}

impl<C: Case> Default for Replica<C> {
    fn default() -> Self {
        Self {
            step: Step::Idle,
            copy: Record::default(),
            before: None,
            stale: false,
            clock: None,
            late: false,
            elapses_since: 0,
            steps: Steps::default(),
        }
    }
}

impl<C: Case> Replica<C> {
    /// The pass is over; what was read is gone, the clock stays.
    pub fn rest(&mut self) {
        *self = Self { clock: self.clock, steps: self.steps, ..Self::default() };
    }

    /// Takes down a step of this pass.
    pub fn does(&mut self, variant: &Variant<C>, step: PassStep) {
        self.steps = variant.with_step(self.steps, step);
    }

    /// The clock as it was when the vendor was read.
    pub fn clock_of_reading(&self) -> Option<Clock<C>> {
        self.clock.map(|clock| Clock { elapses: clock.elapses - self.elapses_since, ..clock })
    }

    /// Whether this pass holds a reading of the object.
    pub fn reads(&self) -> bool {
        !matches!(self.step, Step::Idle)
    }
}
