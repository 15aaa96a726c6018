//! Decides which object may write to which account: one owner per pool, and one change at a time per account. Pure: terms, uids and the
//! time are arguments, and the objects to wake are the result. Called by `controller::shared_registry`, which has the clock and
//! the work queue.
//!
//! Two objects may name the same pool, in any namespaces: the older owns it, the other calls nothing (`pool_owners`). A
//! vendor writes the whole account row with every change. So a change waits for any other change of that account whose
//! outcome is not known yet (`account_lock`). Nothing may be sent before each older object was read, because it may be the
//! owner; and before each object was read that existed before this replica led, because it may have an open change
//! (`unread_objects`).
//!
//! A change that may still be running is remembered here even when the record of it is lost: with its object, or
//! because a status was wiped or an older one restored. It blocks its account until its end is reported, and at the
//! longest for the settle time since this process first saw it. So an object that can no longer be judged blocks no
//! other without end.
//!
//! An object that must wait for another one is woken when that wait ends (`waiters`).

mod account_lock;
mod blocked_by;
mod change_of_deleted_object;
mod known_object;
mod pool_owners;
mod unread_objects;
mod waiters;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use account_lock::Locks;
pub use blocked_by::{BlockedBy, peer};
pub use known_object::{Age, Found, InFlight, Key, Noted, Ownership, Realm, Rows, age_of};
use pool_owners::Owners;
use unread_objects::{Asked, Scan};
use waiters::{HeldUp, Waiters, WaitsFor};

/// The knowledge of one process about all objects in its term. Each method that ends a wait returns the objects to wake.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Registry {
    owners: Owners,
    locks: Locks,
    /// The objects that are still unread in this term.
    scan: Scan,
    /// Objects that wait for another one.
    waiters: Waiters,
    /// Number of the term that was begun last; 0 before the first.
    term: u64,
}

impl Registry {
    /// The registry of a process that has read nothing yet. `settle`: after this long no part of a request is running
    /// any more.
    pub fn new(settle: Duration) -> Self {
        Self {
            owners: Owners::default(),
            locks: Locks::new(settle),
            scan: Scan::default(),
            waiters: Waiters::default(),
            term: 0,
        }
    }

    /// Notes the findings of a pass about an object, and returns the object that owns its pool before it, and the objects to wake. A
    /// change that was open, was not reported as ended, and is no longer in the object's record blocks its
    /// account for the settle time.
    ///
    /// While the vendor is asked for the account of an object, or to confirm it, others that may have the same account and are
    /// younger wait, until it is noted as confirmed or [answered](Self::answered).
    ///
    /// `term`: in which the object was read. Objects that were read in a former term must be read again.
    pub fn note(&mut self, (key, uid): (&Key, &str), found: Found, term: u64, now: Instant) -> (Option<Key>, Vec<Key>) {
        self.scan.ask(key, asked(&found));
        let (ownership, open, rows) = match found {
            Found::Wants(Noted { ownership, open, rows }) => (Some(ownership), open, rows),
            Found::Nothing | Found::Unplaced { .. } => (None, None, Rows::default()),
        };
        let owner = ownership.as_ref().and_then(|ownership| self.owners.before(key, ownership)).cloned();
        match &owner {
            Some(owner) => self.waiters.add(key, WaitsFor::Owner(owner.clone())),
            None => self.waiters.remove(key),
        }
        let opened = self.locks.open(key).cloned();
        let same = opened == open && self.owners.ownership(key) == ownership.as_ref();
        self.locks.note(key, open.clone(), now);
        let current = self.term == term;
        let uid = if current { uid } else { "" };
        let owned = self.owners.note(key, uid, ownership, rows);
        if let Some(ended) = opened.as_ref().filter(|opened| open.as_ref() != Some(opened)) {
            self.owners.overtakes(key, &ended.account);
        }
        if current {
            self.scan.read(key, uid);
        }
        let mut woken = self.scanned();
        if !same {
            woken.extend(self.freed(key, owned.as_ref(), opened.as_ref()));
        }
        (owner, woken)
    }

    /// The object that owns the pool before this one; `None`: it owns what it wants, or wants nothing.
    pub fn owner(&self, key: &Key) -> Option<&Key> {
        self.owners.before(key, self.owners.ownership(key)?)
    }

    /// The wishes of the owners of other pools of the same account.
    pub fn wanted_beside(&self, key: &Key) -> Vec<(&'static str, i32)> {
        self.owners.wanted_beside(key)
    }

    /// The objects that own other pools of the same account and want something of them, with the pool.
    pub fn owners_beside(&self, key: &Key) -> Vec<(Key, &'static str)> {
        self.owners.owners_beside(key)
    }

    /// Whether a change of the object must wait for the scan. If so, the object is woken when the wait ends.
    pub fn waits_for_scan(&mut self, key: &Key) -> bool {
        let held = self.owners.ownership(key).map(|ownership| HeldUp::of(ownership, &ownership.account));
        let Some(held) = held.filter(|held| self.scan.holds_up(key, held)) else { return false };
        self.waiters.add(key, WaitsFor::Scan(held));
        true
    }

    /// The vendor was asked for the account of an object, and its answer was not noted. Returns the objects to wake.
    pub fn answered(&mut self, key: &Key) -> Vec<Key> {
        self.scan.ask(key, None);
        self.scanned()
    }

    /// Wakes the object when another object of its account changes its wish, or when the change of that object has ended.
    pub fn wait_for_account(&mut self, key: &Key) {
        if let Some(ownership) = self.owners.ownership(key) {
            self.waiters.add(key, WaitsFor::Account(ownership.account.clone()));
        }
    }

    /// Takes the right to make this change, until the change is reported as ended or the record no longer has it.
    /// Knowledge of a former term does not count in this one, even if it has not begun here yet. An object that must
    /// wait is woken when it may go on.
    ///
    /// # Errors
    ///
    /// Why the change must wait.
    pub fn reserve(&mut self, key: &Key, change: InFlight, term: u64, now: Instant) -> Result<(), BlockedBy> {
        if let Some(blocked) = self.wait_out(key, &change.account, term, now) {
            return Err(blocked);
        }
        self.locks.set(key, Some(change), now);
        Ok(())
    }

    /// Why a change of this account by this object must wait at this moment, if it must.
    pub fn blocked_by(&mut self, key: &Key, account: &Realm, term: u64, now: Instant) -> Option<BlockedBy> {
        let Some(ownership) = self.owners.ownership(key).filter(|_| self.term == term) else {
            return Some(BlockedBy::NotKnownYet);
        };
        if !ownership.confirmed || self.scan.holds_up(key, &HeldUp::of(ownership, account)) {
            Some(BlockedBy::NotKnownYet)
        } else if let Some(owner) = self.owners.before(key, ownership) {
            Some(BlockedBy::OwnedBy(owner.clone()))
        } else if let Some(blocked) = self.blocked_by_twins(key, now) {
            Some(blocked)
        } else {
            self.locks.blocked_by(key, account, now)
        }
    }

    /// The same, and an object that must wait is woken when the wait ends.
    pub fn wait_out(&mut self, key: &Key, account: &Realm, term: u64, now: Instant) -> Option<BlockedBy> {
        let blocked = self.blocked_by(key, account, term, now)?;
        if let Some(ownership) = self.owners.ownership(key).filter(|_| self.term == term) {
            self.waiters.add(key, WaitsFor::of(&blocked, HeldUp::of(ownership, account)));
        }
        Some(blocked)
    }

    /// Accounts that may be the same under another address. Where one of the two lists nothing, or its list is not
    /// known, the two cannot be distinguished: one changes at a time, and the other one is read anew.
    fn blocked_by_twins(&mut self, key: &Key, now: Instant) -> Option<BlockedBy> {
        let Self { owners, locks, .. } = self;
        if let Some((other, id)) = owners.twin(key) {
            return Some(BlockedBy::SameRows(other.clone(), id));
        }
        let in_flight_elsewhere =
            locks.in_flight_elsewhere(key, |other, account| owners.may_be_one(key, other, account), now);
        in_flight_elsewhere
            .or_else(|| owners.overtaken_by(key).map(|other| BlockedBy::InFlightElsewhere(Some(other.clone()))))
    }

    /// The account of an object was read again, and lists these rows.
    pub fn shows(&mut self, key: &Key, listed: BTreeSet<String>) {
        self.owners.shows(key, listed);
    }

    /// Notes which change of the object may still be running, if any. Returns the objects to wake.
    pub fn set_open(&mut self, key: &Key, open: Option<InFlight>, now: Instant) -> Vec<Key> {
        if self.owners.ownership(key).is_none() {
            return Vec::new();
        }
        let Some(before) = self.locks.set(key, open, now) else { return Vec::new() };
        self.owners.overtakes(key, &before.account);
        self.waiters.freed(key, &before.account)
    }

    /// The record of the object has these changes. For so long the vendor may still write the row of the
    /// account of each because of it. A change that is noted again counts once.
    pub fn made(&mut self, key: &Key, changes: impl IntoIterator<Item = (InFlight, Duration)>, now: Instant) {
        self.locks.made(key, changes, now);
    }

    /// Notes that the request of an object has ended: its late effects count from now.
    pub fn request_ended(&mut self, key: &Key, now: Instant) {
        self.locks.request_ended(key, now);
    }

    /// Removes what a deleted object wanted, and returns the objects to wake. A change of it that may still be running
    /// blocks its account for the settle time.
    pub fn forget(&mut self, key: &Key, now: Instant) -> Vec<Key> {
        self.waiters.remove(key);
        self.scan.ask(key, None);
        let owned = self.owners.forget(key);
        let opened = self.locks.forget(key, now);
        if let Some(opened) = &opened {
            self.owners.overtakes(key, &opened.account);
        }
        let mut woken = self.scanned();
        woken.extend(self.freed(key, owned.as_ref(), opened.as_ref()));
        woken
    }

    /// Begins a new term: knowledge of a former one may be out of date, and every object is to be read again. What was
    /// open stays so until then, for its record may be lost meanwhile.
    pub fn begin_term(&mut self, term: u64, ages: impl IntoIterator<Item = (Key, Age)>) {
        self.owners.begin(|key| self.locks.open(key).is_some());
        self.scan.begin(ages);
        self.term = term;
    }

    /// Records the objects at the beginning of the term, by uid. Returns the objects to wake.
    pub fn inherit(&mut self, term: u64, mut uids: BTreeSet<String>) -> Vec<Key> {
        if self.term != term {
            return Vec::new();
        }
        for uid in self.owners.uids() {
            uids.remove(uid);
        }
        self.scan.inherit(uids);
        self.scanned()
    }

    /// Notes that the watch knows this object.
    pub fn appeared(&mut self, key: &Key, age: Age) {
        if !self.owners.has_read(key, &age.1) {
            self.scan.appeared(key, age);
        }
    }

    /// Notes that the watch no longer knows an object by this name. Returns the objects to wake.
    pub fn disappeared(&mut self, key: &Key) -> Vec<Key> {
        self.scan.disappeared(key);
        self.scanned()
    }

    /// The term, if the scan waits for an object that the watch does not know.
    pub fn waits_for_unknown(&self) -> Option<u64> {
        self.scan.waits_for_unknown().then_some(self.term)
    }

    /// Stops waiting for objects outside these uids. Returns the objects to wake.
    pub fn keep(&mut self, term: u64, uids: &BTreeSet<String>) -> Vec<Key> {
        if self.term != term {
            return Vec::new();
        }
        self.scan.keep(uids);
        self.scanned()
    }

    /// Notes that the object with this uid is gone. Returns the objects to wake.
    pub fn gone(&mut self, key: &Key, uid: &str) -> Vec<Key> {
        self.scan.read(key, uid);
        self.scanned()
    }

    /// The objects that the scan no longer delays.
    fn scanned(&mut self) -> Vec<Key> {
        self.waiters.scanned(&self.scan)
    }

    /// The objects that waited for what this object wanted before, or for its open change.
    fn freed(&mut self, key: &Key, owned: Option<&Ownership>, opened: Option<&InFlight>) -> Vec<Key> {
        let accounts = [owned.map(|ownership| &ownership.account), opened.map(|open| &open.account)];
        accounts.into_iter().flatten().flat_map(|account| self.waiters.freed(key, account)).collect()
    }
}

/// The question to the vendor about an object that younger objects wait for.
fn asked(found: &Found) -> Option<Asked> {
    match found {
        Found::Unplaced { vendor, age } => Some(Asked { age: age.clone(), vendor, account: None }),
        Found::Wants(Noted { ownership, .. }) if !ownership.confirmed => Some(Asked {
            age: ownership.age.clone(),
            vendor: ownership.vendor,
            account: Some(ownership.account.clone()),
        }),
        Found::Wants(_) | Found::Nothing => None,
    }
}

#[cfg(test)]
pub(crate) mod tests;
