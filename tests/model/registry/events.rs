//! What happened while a model was checked: what never happens is not checked.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! events {
    ($($event:ident),* $(,)?) => {
        /// Everything that can happen.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Event { $($event),* }

        /// All of it.
        pub const ALL: &[Event] = &[$(Event::$event),*];
    };
}

events! {
    Lead, BeginTerm, InitialScan, Recount,
    WatchTellsOfAnObject, WatchTellsOfAnEnd, ListTellsOfAnother,
    ReadObject, ReadNothing,
    NotedAsOwner, NotedBehindOwner, NotedWithoutAccount, ReadAsOwner, ReadBehindOwner, NotedWithOpenChange,
    Reserved, ReservedAfterSettling, BlockedByScan, BlockedByOwner, BlockedByOpenChange, BlockedByLostChange,
    BlockedByLateEffects, BlockedByLateEffectsOfAnObjectThatIsGone, BlockedByRows,
    ClosedAfterSettling,
    IntentStored, IntentRefused,
    Cleared, HeldBack, Left, LeftWhileAnotherLeads,
    Heard, GivenUp, Recorded, NotRecorded,
    Finish, LateEffectsBegin, LateEffectsEnd, ColleagueAddsARow, Restart, Delete, DeleteWithOpenChange, Create, CreateAgain, Move, MoveWithOpenChange,
    Wipe, WipeWithOpenChange, Hour,
}

/// Which of them happened, as bits.
#[derive(Debug, Default)]
pub struct Taken(AtomicU64);

impl Taken {
    pub fn note(&self, event: Event) {
        let bit = 1 << event as u64;
        if self.0.load(Ordering::Relaxed) & bit == 0 {
            self.0.fetch_or(bit, Ordering::Relaxed);
        }
    }

    pub fn has(&self, event: Event) -> bool {
        self.0.load(Ordering::Relaxed) & (1 << event as u64) != 0
    }
}
