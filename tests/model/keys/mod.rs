//! Seats that license keys bring: one object that lists one or two keys, a tenant with rows, and colleagues who add and
//! remove rows of their own.

mod judge;
mod outside;
mod properties;
mod tenant;
mod tests;
pub use tests::with_all_passes;
mod translate;

use stateright::Property;

use crate::apiserver::{Phase, Record};
use crate::case::{Case, Heard, Judgment, Named, Said, Waits};
use crate::pass_step;
use crate::properties::TWICE;
use crate::replica::Clock;
use crate::variants::Variant;
use crate::world::World;
use outside::{Listing, Outside, OutsideAct};
use properties::{FOREIGN, ONCE};
use tenant::{Seen, Tenant, VendorAct};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Keys;

/// A license key of the object's Secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    A,
    B,
}

impl Key {
    pub const ALL: [Self; 2] = [Self::A, Self::B];

    pub fn place(self) -> usize {
        usize::from(self == Self::B)
    }
}

/// A row, by its number. The model's tenant hands out no number twice, so its identifier says nothing more.
pub type Row = u8;

/// Numbers of rows, as bits.
pub type Rows = u8;

/// An intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    pub id: u8,
    pub task: Task,
    pub key: Key,
    pub attempt: u8,
    /// Reason `ExternalChange`.
    pub external: bool,
    pub phase: Phase,
    /// Seats when it was decided.
    pub from: u8,
    /// Of an addition: those of them that no listed row explained.
    pub unexplained: u8,
    /// The list of keys that it was decided for.
    pub wish: Listing,
    /// What the refusal said that was heard.
    pub refused: Option<Says>,
    /// What the refusal of the first request said, if one was heard.
    pub first: Option<Says>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Task {
    /// The rows that were there, and the row that the answer named.
    Add {
        present: Rows,
        named: Option<Row>,
    },
    Remove(Row),
}

/// What is recorded besides the intent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Made {
    /// Intent of the newest change of the history.
    pub last: Option<u8>,
    /// Corrections of what colleagues took away, for each list of keys.
    pub corrections: [u8; 3],
    /// The records of both keys.
    pub keys: [Option<Known>; 2],
}

/// The record of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Known {
    pub row: Option<Row>,
    pub origin: Option<Origin>,
    pub state: State,
}

/// [`seatkeeper::api::KeyOrigin`] of rows that the object has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    Added,
    Found,
}

/// [`seatkeeper::api::KeyState`] of keys that do not end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    Active,
    Missing,
    Rejected,
    Unproven,
    AlreadyPresent,
    Removed,
}

/// What a replica hears of its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// The key is added, in this row.
    Named(Row),
    /// A success that names no row.
    Accepted,
    Opaque,
    /// There was none, or something in between gave it.
    None,
    /// An answer that is known to come before any effect, and that may be followed by the same.
    Throttled,
    /// A refusal that may come after an effect; what it says of the key.
    Uncertain(Says),
    NotSent,
}

/// What a refusal says that proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Says {
    /// The key is there.
    Present,
    /// The key may be there.
    PerhapsPresent,
    /// Something else.
    Other,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wait {
    Request(u8),
    LateEffects(u8),
    /// Two readings must agree; `late`: the wait before was for late effects.
    Second {
        id: u8,
        late: bool,
        sight: Seen,
    },
    /// A row is not listed any more.
    Missing(Seen),
}

impl Named for Mark {
    fn id(&self) -> u8 {
        self.id
    }

    fn id_mut(&mut self) -> &mut u8 {
        &mut self.id
    }
}

impl Heard for Answer {
    const NONE: Self = Self::None;
    const NOT_SENT: Self = Self::NotSent;

    fn is_of_something_sent(self) -> bool {
        !matches!(self, Self::Throttled | Self::NotSent)
    }

    fn is_before_effect(self) -> bool {
        self == Self::Throttled
    }

    fn kind(self) -> Option<pass_step::Heard> {
        Some(match self {
            Self::Named(_) | Self::Accepted => pass_step::Heard::Accepted,
            Self::Opaque => pass_step::Heard::Opaque,
            Self::Uncertain(_) => pass_step::Heard::Uncertain,
            Self::None => pass_step::Heard::Nothing,
            Self::Throttled => pass_step::Heard::Refused,
            Self::NotSent => return None,
        })
    }

    fn ends_pass(self) -> bool {
        matches!(self, Self::Throttled | Self::NotSent)
    }
}

impl Waits for Wait {
    fn of_request(id: u8, _: u8) -> Self {
        Self::Request(id)
    }

    fn is_of_request(&self) -> bool {
        matches!(self, Self::Request(_))
    }

    fn id(&mut self) -> Option<&mut u8> {
        match self {
            Self::Request(id) | Self::LateEffects(id) | Self::Second { id, .. } => Some(id),
            Self::Missing(_) => None,
        }
    }

    fn last(&self) -> u8 {
        1
    }

    fn is_long(&self) -> bool {
        matches!(self, Self::Request(_) | Self::LateEffects(_))
    }
}

impl Case for Keys {
    type Mark = Mark;
    type Made = Made;
    type Seen = Seen;
    type Answer = Answer;
    type Wait = Wait;
    type Vendor = Tenant;
    type Outside = Outside;
    type OutsideAct = OutsideAct;
    /// For each key.
    type Tries = [u8; 2];

    const HARM: &[&'static str] = &[ONCE, FOREIGN, TWICE];

    fn name(_: &Variant<Self>) -> &'static str {
        "license keys"
    }

    fn start() -> (Tenant, Outside) {
        (Tenant::new(), Outside::new())
    }

    fn properties(variant: &Variant<Self>) -> Vec<Property<Variant<Self>>> {
        properties::of(variant)
    }

    fn judge(
        variant: &Variant<Self>,
        record: Record<Self>,
        clock: Option<Clock<Self>>,
        seen: Seen,
        outside: Outside,
    ) -> Judgment<Self> {
        judge::judge(variant, record, clock, seen, outside)
    }

    fn after(
        variant: &Variant<Self>,
        mark: Mark,
        answer: Answer,
        read_back: Option<Seen>,
        before: (Seen, Record<Self>),
    ) -> Record<Self> {
        judge::after(variant, mark, answer, read_back, before)
    }

    fn over(stored: Record<Self>, ours: Option<u8>, record: Record<Self>) -> Option<Record<Self>> {
        judge::over(stored, ours, record)
    }

    fn count(tries: &mut [u8; 2], outside: &Outside, mark: Mark, by: i8) {
        if matches!(mark.task, Task::Add { .. }) && mark.wish == outside.listing {
            let tries = &mut tries[mark.key.place()];
            *tries = tries.saturating_add_signed(by);
        }
    }

    /// A decision is over once a row is recorded for its key.
    fn recorded(tries: &mut [u8; 2], before: &Record<Self>, after: &Record<Self>) {
        for key in Key::ALL {
            let row = |record: &Record<Self>| record.made.keys[key.place()].and_then(|known| known.row);
            if row(after).is_some() && row(after) != row(before) {
                tries[key.place()] = 0;
            }
        }
    }

    fn offers_outside(world: &World<Self>, offers: &mut Vec<OutsideAct>) {
        outside::offers(world, offers);
    }

    fn step_outside(world: &mut World<Self>, act: OutsideAct) {
        outside::step(world, act);
    }

    fn unhinder(outside: &mut Outside) {
        outside.unhinder();
    }

    fn each_made_id(made: &mut Made, visit: &mut impl FnMut(&mut u8)) {
        if let Some(last) = &mut made.last {
            visit(last);
        }
    }

    fn newest(made: &Made) -> Option<u8> {
        made.last
    }

    fn is_good_end(world: &World<Self>, verdict: Said<Self>) -> Option<bool> {
        properties::is_good_end(world, verdict)
    }

    fn name_of(act: Result<&VendorAct, &OutsideAct>) -> &'static str {
        match act {
            Ok(act) => act.name(),
            Err(OutsideAct::Edit) => "edit",
            Err(OutsideAct::Suspend) => "suspend",
            Err(OutsideAct::List(_)) => "list",
            Err(OutsideAct::Bound) => "bound",
            Err(OutsideAct::Use(_)) => "use",
        }
    }

    fn calm(act: &VendorAct) -> u8 {
        match act {
            VendorAct::Do(..) => 0,
            VendorAct::Mend => 1,
            _ => 2,
        }
    }
}
