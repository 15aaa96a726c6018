//! Drivers of the registry that leave one guard out, each in a small world in which that breaks a promise. The registry is never
//! weakened; its driver lies to it, or does not ask.

use super::properties::{ACCOUNT, AGREE, ASKED, LATE, OLD, ORPHAN, OWNERS, RESERVES, ROWS, SCANNED};
use super::variants::{Left, Variant};
use super::world::BY_HOST;

/// The guard that the driver leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultSwitch {
    /// The registry is told that nothing was there when the term began.
    NoScan,
    /// What was read in a former term counts in this one.
    OldReading,
    /// The right to make a change is given back before the change is made.
    NoLock,
    /// The object that was read first counts as the older one.
    ByArrival,
    /// The open change of a deleted object is said to be over.
    ForgetsDeleted,
    /// The open change of an object whose status was wiped is said to be over.
    ForgetsWiped,
    /// An open change is told as one of the account that its object has now.
    ForgetsMoved,
    /// Whether the replica leads is not asked before a request leaves.
    NoLease,
    /// It is asked, but not in which term.
    AnyTerm,
    /// The send deadline never takes effect.
    NoDeadline,
    /// Objects are counted when the term begins, and not again while one is waited for that the watch does not know.
    NoRecount,
    /// An account is another one under each host name.
    ByHost,
    /// What a Secret names counts although the vendor refuses its key.
    MereName,
    /// What the vendor shows is not noted before the right to make a change is taken.
    NotConfirmed,
    /// That a change was made is told when its record is read, and not when it was made.
    MadeUntold,
    /// What the record of an object tells of its last changes is not told.
    RecordUntold,
    /// Of several changes on record only the last is told.
    OnlyTheLast,
    /// A vendor that is asked for the account of an object counts as one that has answered.
    NobodyWaits,
    /// What an account lists is not told.
    NoRows,
    /// Whatever two addresses list, they count as two accounts.
    AllDiffer,
    /// What an account listed before the change of another object ended counts after it.
    OldList,
    /// What an account lists after a change is told at the next reading.
    NotReadBack,
    /// Not the driver but its assumption: a leader goes while the request of a deleted object runs.
    DeletedAndForgotten,
}

impl FaultSwitch {
    pub const ALL: [Self; 23] = [
        Self::NoScan,
        Self::OldReading,
        Self::NoLock,
        Self::ByArrival,
        Self::ForgetsDeleted,
        Self::ForgetsWiped,
        Self::ForgetsMoved,
        Self::NoLease,
        Self::AnyTerm,
        Self::NoDeadline,
        Self::NoRecount,
        Self::ByHost,
        Self::MereName,
        Self::NotConfirmed,
        Self::MadeUntold,
        Self::RecordUntold,
        Self::OnlyTheLast,
        Self::NobodyWaits,
        Self::NoRows,
        Self::AllDiffer,
        Self::OldList,
        Self::NotReadBack,
        Self::DeletedAndForgotten,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::NoScan => "no initial scan",
            Self::OldReading => "what a former term read counts",
            Self::NoLock => "the lock of an account is not taken",
            Self::ByArrival => "ownership by order of arrival",
            Self::ForgetsDeleted => "the open change of a deleted object is forgotten",
            Self::ForgetsWiped => "the open change of a wiped status is forgotten",
            Self::ForgetsMoved => "an open change blocks the account of now",
            Self::NoLease => "a request leaves without the Lease",
            Self::AnyTerm => "a request leaves in any term",
            Self::NoDeadline => "no send deadline",
            Self::NoRecount => "objects are counted only once",
            Self::ByHost => "an account is another one under each host name",
            Self::MereName => "what a Secret names counts although its key is refused",
            Self::NotConfirmed => "what the vendor shows is not noted",
            Self::MadeUntold => "a change that was made is told when its record is read",
            Self::RecordUntold => "the changes on record are not told",
            Self::OnlyTheLast => "of the changes on record only the last is told",
            Self::NobodyWaits => "nobody waits while an older object is asked for its account",
            Self::NoRows => "what an account lists is not told",
            Self::AllDiffer => "two addresses are two accounts, whatever they list",
            Self::OldList => "what an account listed before another change ended counts",
            Self::NotReadBack => "what an account lists after a change is not told",
            Self::DeletedAndForgotten => "the leader goes while the request of a deleted object runs",
        }
    }

    /// The properties that must be found broken, each in a run of its own.
    pub fn breaks(self) -> &'static [&'static str] {
        match self {
            Self::NoScan => &[SCANNED, ACCOUNT],
            Self::NoLock | Self::ByHost => &[ACCOUNT, OWNERS],
            Self::ByArrival => &[AGREE],
            Self::MereName => &[AGREE, RESERVES],
            Self::NotConfirmed => &[RESERVES],
            Self::ForgetsDeleted | Self::ForgetsWiped | Self::ForgetsMoved | Self::DeletedAndForgotten => &[ORPHAN],
            Self::OldReading | Self::NoLease | Self::AnyTerm | Self::NoDeadline => &[ACCOUNT],
            Self::NoRecount => &[RESERVES],
            Self::MadeUntold | Self::RecordUntold | Self::OnlyTheLast => &[LATE],
            Self::NobodyWaits => &[ASKED],
            Self::NoRows | Self::AllDiffer => &[ACCOUNT, ROWS],
            Self::OldList => &[OLD],
            Self::NotReadBack => &[ROWS],
        }
    }

    /// A small world in which it breaks this property.
    pub fn variant(self, broken: &'static str) -> Variant {
        let two = Left { changes: 2, ..Left::default() };
        let base = match self {
            Self::NoScan | Self::NoLease | Self::AnyTerm => Variant::two(Left { leads: 2, ..two }).without_a_rival(),
            Self::OldReading => Variant::two(Left { leads: 2, pauses: 1, ..two }).without_a_rival(),
            Self::NoDeadline => Variant::two(Left { hours: 2, ..two }),
            Self::MereName => Variant::one(two).with_a_refused_key(),
            Self::NotConfirmed => Variant::one(two),
            Self::ByHost => Variant { accounts: [BY_HOST; 3], ..Variant::one(two) },
            Self::MadeUntold => Variant::one(two).without_a_rival().with_late_effects(),
            Self::RecordUntold => {
                Variant::one(Left { restarts: 1, leads: 1, ..two }).without_a_rival().with_late_effects()
            }
            Self::OnlyTheLast => {
                let moves = Left { changes: 3, moves: 1, restarts: 1, leads: 1, ..two };
                Variant::one(moves).without_a_rival().with_late_effects()
            }
            Self::NobodyWaits => Variant::one(Left { pauses: 2, ..two }).with_a_key_that_finds(),
            Self::OldList => Variant::one(Left { pauses: 2, ..two }).at_two_addresses(),
            Self::NoRows | Self::AllDiffer | Self::NotReadBack => {
                Variant::one(Left { changes: 3, ..two }).at_two_addresses()
            }
            Self::NoLock | Self::ByArrival => Variant::one(Left { creates: 1, ..two }).without_the_oldest(),
            Self::ForgetsDeleted => Variant::one(Left { losses: 1, deletes: 1, ..two }),
            Self::ForgetsWiped => Variant::one(Left { losses: 1, wipes: 1, ..two }),
            Self::ForgetsMoved => Variant::one(Left { moves: 1, restarts: 1, leads: 1, ..two }),
            Self::DeletedAndForgotten => Variant::one(Left { deletes: 1, restarts: 1, leads: 1, ..two }),
            Self::NoRecount => {
                let comes_and_goes = Left { creates: 1, deletes: 1, restarts: 1, leads: 1, ..two };
                Variant::one(comes_and_goes).without_the_oldest()
            }
        };
        Variant { fault_switch: Some(self), broken: Some(broken), ..base }
    }
}
