//! One step of a pass together with what came of it, as the model and the controller both have them. A pass is a row of such
//! steps. `passes` finds those of the model, and tests/faults/conformance those of the controller, which compiles this file
//! once more. Decisions have no step of their own: nothing outside of the process shows one but by the step that follows it.

use std::fmt;

/// What is done, and what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PassStep {
    /// The object is read.
    Object,
    /// The vendor is read; whether it shows anything.
    Vendor(bool),
    /// The intent is written by compare-and-swap; whether it is stored.
    Intent(bool),
    /// A check before the bytes leave fails: nothing is sent.
    HeldBack,
    /// The request is sent once.
    Sent(Heard),
    /// The vendor is read after the request; whether it shows anything.
    ReadBack(bool),
    /// The status is written by compare-and-swap.
    Status(Stored),
    /// The process dies, or the pass is given up, and no step follows.
    Cut,
}

/// What is heard of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Heard {
    Accepted,
    /// The vendor's application fails, and that proves nothing.
    Opaque,
    /// A refusal that may come after an effect.
    Uncertain,
    /// Nothing, or something in between answers.
    Nothing,
    /// A refusal that is proven to come before any effect.
    Refused,
}

/// What is stored of a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stored {
    Whole(Left),
    /// Another writer was faster: over its write, only what is proven about our own intent.
    Merged(Left),
    /// Another writer was faster, and nothing is written over its write.
    Nothing,
}

/// What a write leaves on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Left {
    pub intent: OnRecord,
    /// It publishes a plan.
    pub plan: bool,
    /// It records a change as made.
    pub made: bool,
}

/// The intent on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OnRecord {
    None,
    /// This write closes it.
    Closed,
    Stays,
}

impl Heard {
    const ALL: [Self; 5] = [Self::Accepted, Self::Opaque, Self::Uncertain, Self::Nothing, Self::Refused];
}

impl Left {
    fn all() -> impl Iterator<Item = Self> {
        let each = [OnRecord::None, OnRecord::Closed, OnRecord::Stays];
        let both = [false, true];
        each.into_iter().flat_map(move |intent| {
            both.into_iter().flat_map(move |plan| both.into_iter().map(move |made| Self { intent, plan, made }))
        })
    }
}

impl PassStep {
    /// Every one that there can be, in a fixed order.
    pub fn all() -> Vec<Self> {
        let either = |step: fn(bool) -> Self| [true, false].map(step);
        let mut all = vec![Self::Object, Self::HeldBack, Self::Cut, Self::Status(Stored::Nothing)];
        all.extend([either(Self::Vendor), either(Self::Intent), either(Self::ReadBack)].concat());
        all.extend(Heard::ALL.map(Self::Sent));
        all.extend(
            Left::all().flat_map(|left| [Self::Status(Stored::Whole(left)), Self::Status(Stored::Merged(left))]),
        );
        all
    }
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.intent {
            OnRecord::None => "no intent",
            OnRecord::Closed => "intent closed",
            OnRecord::Stays => "intent on record",
        })?;
        f.write_str(if self.made { " and change made" } else { "" })?;
        f.write_str(if self.plan { " and plan published" } else { "" })
    }
}

impl fmt::Display for PassStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object => f.write_str("object read"),
            Self::Vendor(true) => f.write_str("vendor read"),
            Self::Vendor(false) => f.write_str("vendor not readable"),
            Self::Intent(true) => f.write_str("intent stored"),
            Self::Intent(false) => f.write_str("intent not stored"),
            Self::HeldBack => f.write_str("held back"),
            Self::Sent(heard) => f.write_str(match heard {
                Heard::Accepted => "sent: accepted",
                Heard::Opaque => "sent: failed without a reason",
                Heard::Uncertain => "sent: refused without proof",
                Heard::Nothing => "sent: no answer",
                Heard::Refused => "sent: refused before any effect",
            }),
            Self::ReadBack(true) => f.write_str("read back"),
            Self::ReadBack(false) => f.write_str("not readable"),
            Self::Status(Stored::Whole(left)) => write!(f, "status stored: {left}"),
            Self::Status(Stored::Merged(left)) => write!(f, "status stored over another write: {left}"),
            Self::Status(Stored::Nothing) => f.write_str("status not stored: another write"),
            Self::Cut => f.write_str("cut short"),
        }
    }
}

/// A pass as a line of the file.
pub fn line(steps: &[PassStep]) -> String {
    steps.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
