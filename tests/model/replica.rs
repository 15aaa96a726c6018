//! One replica of the operator between two steps: where in its pass it is and what it remembers.

use crate::apiserver::{Mark, Record};
use crate::judge::{ANSWERED, UNANSWERED};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Replica {
    pub step: Step,
    /// The status as this pass read or wrote it.
    pub copy: Record,
    /// Somebody wrote since: the `resourceVersion` of `copy` is an old one.
    pub stale: bool,
    pub clock: Option<Clock>,
    /// The send deadline has passed since the intent was written.
    pub late: bool,
}

/// Where in its pass a replica is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    #[default]
    Idle,
    /// The object was read.
    Read,
    /// The vendor was read too.
    Seen(i8),
    /// A change was decided; its intent is to be written.
    Acting(Mark),
    /// The intent is stored.
    Armed(Mark),
    /// The request has left.
    Waiting(Mark),
    /// The request is over, as far as this process knows.
    Told(Mark, Answer),
    /// The status is to be written.
    Recording(Record),
}

/// What a replica hears of its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    Accepted,
    Opaque,
    None,
    Refused,
    NotSent,
}

/// The clock of a doubt in a process's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Clock {
    pub key: Key,
    pub struck: u8,
    /// What was read after the settle time.
    pub settled: Option<i8>,
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

impl Step {
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

impl Answer {
    /// Bytes of the request left this process.
    pub fn is_of_something_sent(self) -> bool {
        matches!(self, Self::Accepted | Self::Opaque | Self::None)
    }
}

impl Clock {
    /// When it has struck this often, nobody waits for it any more.
    pub fn last(&self) -> u8 {
        match self.key.kind {
            Kind::Open => UNANSWERED,
            Kind::Answered | Kind::Reverted => ANSWERED,
        }
    }
}

impl Replica {
    /// The pass is over; what was read is gone, the clock stays.
    pub fn rest(&mut self) {
        *self = Self { clock: self.clock, ..Self::default() };
    }

    /// Whether this pass holds a reading of the object.
    pub fn reads(&self) -> bool {
        !matches!(self.step, Step::Idle)
    }
}
