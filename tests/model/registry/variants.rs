//! What is checked: the registry as it is, and drivers of it that leave one guard out. The registry is never weakened; its
//! driver lies to it, or does not ask.

use std::sync::Arc;

use super::events::Taken;
use super::fault_switches::FaultSwitch;
use super::world::{BY_HOST, Uid, slot_of};

/// One configuration of the model.
#[derive(Clone, Debug)]
pub struct Variant {
    pub name: &'static str,
    pub replicas: usize,
    /// Which of the three objects are there at first.
    pub there: [bool; 3],
    /// The account that each object has.
    pub accounts: [u8; 3],
    /// The vendor refuses the key of the oldest object.
    pub refused: bool,
    /// The key of the oldest object finds its account by itself: before it was read, nobody knows which it is.
    pub finds: bool,
    /// A change has late effects.
    pub late: bool,
    /// One tenant is a copy of the other: they list the same rows, and a person says that they differ.
    pub copied: bool,
    pub fault_switch: Option<FaultSwitch>,
    /// The only property that is looked at; `None`: all.
    pub broken: Option<&'static str>,
    pub left: Left,
    /// What happened while this was checked.
    pub taken: Arc<Taken>,
}

/// How much may still happen in one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Left {
    /// Changes that get the right to be made.
    pub changes: u8,
    /// Answers that are not waited for.
    pub losses: u8,
    /// Processes that die and start again.
    pub restarts: u8,
    /// Times that a replica gains the Lease.
    pub leads: u8,
    pub deletes: u8,
    pub creates: u8,
    /// Secrets that come to name another account.
    pub moves: u8,
    /// Statuses that are wiped.
    pub wipes: u8,
    /// Hours that pass.
    pub hours: u8,
    /// Rows that a colleague adds.
    pub rows: u8,
    /// Passes that pause between reading, noting and deciding, while anything else happens.
    pub pauses: u8,
}

impl Variant {
    fn of(replicas: usize, left: Left) -> Self {
        Self {
            name: "",
            replicas,
            there: [true; 3],
            accounts: [0; 3],
            refused: false,
            finds: false,
            late: false,
            copied: false,
            fault_switch: None,
            broken: None,
            left,
            taken: Arc::default(),
        }
    }

    /// One replica.
    pub fn one(left: Left) -> Self {
        Self::of(1, left)
    }

    /// Two replicas.
    pub fn two(left: Left) -> Self {
        Self::of(2, left)
    }

    /// The oldest object is not there at first: it may be created later.
    pub fn without_the_oldest(self) -> Self {
        Self { there: [false, true, true], ..self }
    }

    /// Only one object wants the first pool.
    pub fn without_a_rival(self) -> Self {
        Self { there: [true, false, true], ..self }
    }

    pub fn with_a_refused_key(self) -> Self {
        Self { refused: true, ..self }
    }

    pub fn with_a_key_that_finds(self) -> Self {
        Self { finds: true, ..self }
    }

    pub fn with_late_effects(self) -> Self {
        Self { late: true, ..self }
    }

    /// Two objects reach one tenant, at an address each.
    pub fn at_two_addresses(self) -> Self {
        Self { accounts: [BY_HOST; 3], ..self.without_a_rival() }
    }

    /// Two objects with a tenant each, of which one is a copy of the other.
    fn with_a_copy(self) -> Self {
        Self { accounts: [BY_HOST, BY_HOST, BY_HOST + 1], copied: true, ..self.without_a_rival() }
    }

    /// Whether the registry is told what an account lists.
    pub fn tells_rows(&self) -> bool {
        !matches!(self.fault_switch, Some(FaultSwitch::NoRows | FaultSwitch::ByHost))
    }

    /// Whether only the vendor can tell which account this object has.
    pub fn unplaced(&self, uid: Uid) -> bool {
        self.finds && slot_of(uid) == 0
    }

    /// Whether the vendor refuses the key of this object.
    pub fn refuses(&self, uid: Uid) -> bool {
        self.refused && uid == 0
    }

    fn called(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// Those that `make test` checks. Each has what it is about, and as much else as there is time for.
    pub fn each() -> Vec<Self> {
        let three = Left { changes: 3, losses: 1, ..Left::default() };
        let two = Left { changes: 2, losses: 1, pauses: 1, ..Left::default() };
        vec![
            Self::one(Left { creates: 1, hours: 3, pauses: 3, ..three })
                .without_the_oldest()
                .called("an older object appears"),
            Self::one(Left { deletes: 1, creates: 1, hours: 2, pauses: 1, ..three })
                .called("an object is deleted and created again"),
            Self::one(Left { moves: 2, hours: 2, ..two }).called("an object moves and comes back"),
            Self::one(Left { wipes: 2, hours: 2, ..two }).called("a status is wiped, and again"),
            Self::one(Left { wipes: 1, restarts: 1, leads: 1, hours: 1, ..two })
                .without_a_rival()
                .called("a status is wiped, and the process starts again"),
            Self::one(Left { moves: 1, restarts: 1, leads: 1, hours: 1, ..two })
                .called("an object moves, and the process starts again"),
            Self::one(Left { deletes: 1, creates: 1, restarts: 1, leads: 1, hours: 1, losses: 0, ..two })
                .without_the_oldest()
                .called("an object comes and goes, and the process starts again"),
            Self::one(Left { moves: 1, hours: 2, pauses: 2, ..two })
                .with_a_refused_key()
                .called("an object has a key that is refused"),
            Self::two(Left { leads: 1, hours: 1, losses: 0, ..two }).called("another replica leads"),
            Self::two(Left { leads: 2, losses: 0, pauses: 0, ..two }).called("two replicas lead in turns"),
            Self::two(Left { leads: 2, hours: 1, pauses: 0, ..two })
                .without_a_rival()
                .called("two replicas lead in turns, and an answer is lost"),
        ]
        .into_iter()
        .chain(Self::of_late_effects())
        .chain(Self::of_accounts())
        .collect()
    }

    /// Late effects of the last change.
    fn of_late_effects() -> Vec<Self> {
        let three = Left { changes: 3, ..Left::default() };
        vec![
            Self::one(Left { deletes: 1, creates: 1, hours: 2, losses: 1, pauses: 1, ..three })
                .without_a_rival()
                .with_late_effects()
                .called("late effects, and an object is deleted and created again"),
            Self::one(Left { moves: 1, restarts: 1, leads: 1, hours: 1, losses: 1, pauses: 1, ..three })
                .without_a_rival()
                .with_late_effects()
                .called("late effects, and an object moves, and the process starts again"),
            Self::one(Left { wipes: 1, hours: 2, losses: 1, pauses: 1, ..three })
                .without_a_rival()
                .with_late_effects()
                .called("late effects, and a status is wiped"),
            Self::two(Left { leads: 2, hours: 1, ..three })
                .without_a_rival()
                .with_late_effects()
                .called("late effects, and two replicas lead in turns"),
        ]
    }

    /// Accounts that are not known yet, or that may be one under two addresses.
    fn of_accounts() -> Vec<Self> {
        let three = Left { changes: 3, pauses: 2, ..Left::default() };
        vec![
            Self::one(Left { creates: 1, restarts: 1, leads: 1, losses: 1, hours: 1, changes: 2, ..three })
                .without_the_oldest()
                .with_a_key_that_finds()
                .called("a key finds its account"),
            Self::one(Left { losses: 1, hours: 2, rows: 1, ..three })
                .at_two_addresses()
                .called("one tenant at two addresses"),
            Self::one(Left { deletes: 1, creates: 1, losses: 1, hours: 1, ..three })
                .at_two_addresses()
                .called("one tenant at two addresses, and an object is deleted and created again"),
            Self::one(Left { restarts: 1, leads: 1, losses: 1, hours: 1, ..three })
                .at_two_addresses()
                .called("one tenant at two addresses, and the process starts again"),
            Self::two(Left { leads: 2, pauses: 1, ..three })
                .at_two_addresses()
                .called("one tenant at two addresses, and two replicas lead in turns"),
            Self::one(Left { losses: 1, hours: 1, ..three }).with_a_copy().called("a tenant and its copy"),
        ]
    }

    /// Those that the nightly workflow checks.
    pub fn larger() -> Vec<Self> {
        let two = Left { changes: 2, losses: 1, hours: 2, pauses: 1, ..Left::default() };
        vec![
            Self::one(Left { moves: 2, restarts: 1, leads: 1, ..two })
                .called("an object moves and comes back, and the process starts again"),
            Self::one(Left { deletes: 1, creates: 1, restarts: 1, leads: 1, ..two })
                .without_the_oldest()
                .called("an object comes and goes, and the process starts again"),
            Self::two(Left { leads: 2, ..two })
                .without_a_rival()
                .called("two replicas lead in turns, and an answer is lost"),
            Self::two(Left { deletes: 1, creates: 1, leads: 1, hours: 1, ..two })
                .called("another replica leads, and an object is deleted and created again"),
            Self::two(Left { moves: 1, leads: 1, hours: 1, ..two })
                .called("another replica leads, and an object moves"),
        ]
    }
}
