//! The request for a turn, and how long it may wait.

use crate::registry::Key;

/// A request for a turn.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// The object, which waits at one place of a bucket at most.
    pub object: &'a Key,
    /// What is asked for: objects with the same owner share one place.
    pub owner: u64,
    /// How long it may wait.
    pub urgency: Urgency,
    /// The same was refused lately. All others of this urgency come first.
    pub failed: bool,
}

/// How long the reading may wait, from the longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// No person waits: it was due.
    Poll,
    /// The first reading of a new object.
    First,
    /// The object was edited between two passes, or its Secret changed.
    Changed,
    /// A person edited the object or asked for a look. Comes with those that changed, and may also end a pause that was only
    /// our guess.
    Asked,
    /// A change is being made, or its outcome is not known.
    Urgent,
}

impl Urgency {
    /// How much of a budget may be in use for one more of this kind: what is above is kept for the more urgent, the last
    /// 5 % for other clients behind the same address.
    pub(super) fn share(self) -> f64 {
        match self {
            Self::Poll => 0.75,
            Self::First => 0.85,
            Self::Changed | Self::Asked => 0.90,
            Self::Urgent => 0.95,
        }
    }
}
