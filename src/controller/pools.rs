//! Who may write to which account: one owner per pool, and one change at a time per account.
//!
//! Two objects may name the same pool, in any namespaces: the older owns it, the other calls nothing. And a vendor
//! writes the whole account row with every change, so a change waits for any other change of that account whose outcome
//! is not known yet. Nothing may be sent while an older object was not looked at, for it may be the owner; nor while one
//! is left that was there before this replica led, for a change of it may be open.
//!
//! A change that may still be running is remembered here even when the record of it is lost: with its object, or because
//! somebody wiped a status or restored an older one. It bars its account until it is said to be over, and at the longest
//! for the settle time since this process first saw it: an object that can no longer be judged hinders nobody for ever.
//!
//! An object that must wait for another one is put into the work queue when what it waits for is over (`waiters`).

mod bar;
mod scan;
mod waiters;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::memory::Key;
use super::queue::{Class, Queue};
use crate::api::Intent;
pub(super) use bar::Bar;
use scan::Scan;
use waiters::{Waiters, WaitsFor};

/// When an object was created, then its uid: the smaller is the older.
pub(super) type Age = (Option<Timestamp>, String);

/// The age of an object.
pub(super) fn age_of(metadata: &ObjectMeta) -> Age {
    (metadata.creation_timestamp.as_ref().map(|time| time.0), metadata.uid.clone().unwrap_or_default())
}

/// What an object lays claim to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    /// `host/id`.
    pub account: String,
    /// The pool within it.
    pub pool: &'static str,
    /// The older object owns a pool.
    pub age: Age,
    /// Seats the object wants of its pool, if it may change them.
    pub wanted: Option<i32>,
    /// A change of it that may still be running.
    pub open: Option<Open>,
}

/// A change that may still be running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Open {
    /// Id of its intent.
    pub id: String,
    /// The account that it changes, which need not be the one that the object has now.
    pub account: String,
}

impl Open {
    fn of(intent: &Intent) -> Self {
        Self { id: intent.id.clone(), account: intent.account.clone() }
    }
}

#[derive(Debug)]
struct Held {
    /// Empty for an object that was not looked at in this term.
    uid: String,
    /// `None`: it lays claim to nothing.
    claim: Option<Claim>,
    /// Since when this process has known of the open change, or when its request ended.
    since: Instant,
}

impl Held {
    fn open(&self) -> Option<&Open> {
        self.claim.as_ref()?.open.as_ref()
    }

    /// The account of a change that may still be running.
    fn barred(&self, settle: Duration, now: Instant) -> Option<&str> {
        let open = self.open().filter(|_| now.duration_since(self.since) < settle)?;
        Some(&open.account)
    }
}

#[derive(Debug, Default)]
struct Register {
    claims: HashMap<Key, Held>,
    /// Accounts with a change that may still be running and of which the record is gone.
    left_open: HashMap<String, Instant>,
    /// What is left to read in this term.
    scan: Scan,
    /// Objects that wait for another one.
    waiters: Waiters,
    /// Number of the term that was begun last.
    term: u64,
}

/// The register of all claims.
#[derive(Debug)]
pub(super) struct Pools {
    /// After this long nothing of a request is running any more.
    settle: Duration,
    /// Where objects are put that need not wait any more.
    queue: Arc<Queue>,
    register: Mutex<Register>,
}

impl Pools {
    pub fn new(settle: Duration, queue: Arc<Queue>) -> Self {
        Self { settle, queue, register: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Register> {
        self.register.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what an object lays claim to, and says who has it before. A change that was open and that nobody said to be
    /// over, and of which the object does not know any more, bars its account for the settle time.
    ///
    /// `term`: in which the object was read. What was read in a former one is to be read again.
    pub fn note(&self, key: &Key, uid: &str, claim: Option<Claim>, term: u64) -> Option<Key> {
        let (mut register, now) = (self.lock(), Instant::now());
        let owner = claim.as_ref().and_then(|claim| register.older(key, claim));
        match &owner {
            Some(owner) => register.waiters.add(key, WaitsFor::Owner(owner.clone())),
            None => register.waiters.remove(key),
        }
        let before = register.claims.remove(key);
        let same = |before: &&Held| before.open() == claim.as_ref().and_then(|claim| claim.open.as_ref());
        let kept = before.as_ref().filter(same).map(|before| before.since);
        if kept.is_none() {
            register.leave_open(before.as_ref(), self.settle, now);
        }
        let since = kept.unwrap_or(now);
        let changed = before.filter(|before| before.claim != claim);
        let current = register.term == term;
        let uid = if current { uid } else { "" };
        register.claims.insert(key.clone(), Held { uid: uid.to_owned(), claim, since });
        if current {
            register.scan.read(key, uid);
        }
        self.wake(register.scanned());
        self.wake(register.freed(key, changed.as_ref()));
        owner
    }

    fn wake(&self, keys: Vec<Key>) {
        for key in keys {
            self.queue.push(&key, Class::Urgent);
        }
    }

    /// Whether a change of the object must wait for the scan. If so, it is put into the queue when it need not.
    pub fn waits_for_scan(&self, key: &Key) -> bool {
        let mut register = self.lock();
        let age = register.claims.get(key).and_then(|held| held.claim.as_ref()).map(|claim| claim.age.clone());
        let Some(age) = age.filter(|age| register.scan.holds_up(age)) else { return false };
        register.waiters.add(key, WaitsFor::Scan(age));
        true
    }

    /// Puts the object into the queue when another object of its account claims something else, or its change is over.
    pub fn wait_for_account(&self, key: &Key) {
        let mut register = self.lock();
        let account = register.claims.get(key).and_then(|held| held.claim.as_ref()).map(|claim| claim.account.clone());
        if let Some(account) = account {
            register.waiters.add(key, WaitsFor::Account(account));
        }
    }

    /// Takes the right to make this change, until it is said to be over or the record does not know of it any more. What a
    /// former term knew is worth nothing in this one, even if nobody has begun it here yet. An object that must wait is put
    /// into the queue when it need not.
    pub fn reserve(&self, key: &Key, intent: &Intent, term: u64) -> Result<(), Bar> {
        let (mut register, now) = (self.lock(), Instant::now());
        if register.term != term {
            return Err(Bar::NotKnownYet);
        }
        let Some(claim) = register.claims.get(key).and_then(|held| held.claim.clone()) else {
            return Err(Bar::NotKnownYet);
        };
        if let Some(bar) = register.bar(key, &claim, &intent.account, self.settle, now) {
            register.waiters.add(key, WaitsFor::of(&bar, claim.age, &intent.account));
            return Err(bar);
        }
        register.set_open(key, Some(Open::of(intent)), now);
        Ok(())
    }

    /// What the other objects of the same account want of their pools.
    pub fn wanted_beside(&self, key: &Key) -> Vec<(&'static str, i32)> {
        let register = self.lock();
        let Some(mine) = register.claims.get(key).and_then(|held| held.claim.as_ref()) else { return Vec::new() };
        let others = register.claims.values().filter_map(|held| held.claim.as_ref());
        let beside = others.filter(|theirs| theirs.account == mine.account && theirs.pool != mine.pool);
        beside.filter_map(|theirs| Some((theirs.pool, theirs.wanted?))).collect()
    }

    /// Says which change of the object may still be running, if any.
    pub fn set_open(&self, key: &Key, intent: Option<&Intent>) {
        let open = intent.filter(|intent| intent.is_open()).map(Open::of);
        let mut register = self.lock();
        let before = register.set_open(key, open, Instant::now());
        let free = before.map_or_else(Vec::new, |before| register.waiters.freed(key, &before.account));
        self.wake(free);
    }

    /// The request of an object has ended: what it left running counts from now.
    pub fn request_ended(&self, key: &Key) {
        if let Some(held) = self.lock().claims.get_mut(key) {
            held.since = Instant::now();
        }
    }

    /// Takes out what an object claimed that is gone. A change of it that may still be running bars its account for the
    /// settle time.
    pub fn forget(&self, key: &Key) {
        let mut register = self.lock();
        register.waiters.remove(key);
        let before = register.claims.remove(key);
        register.leave_open(before.as_ref(), self.settle, Instant::now());
        self.wake(register.freed(key, before.as_ref()));
    }

    /// Begins a new term: what a former one knew may be out of date, and every object is to be looked at again. What was
    /// open stays so until then, for its record may be lost meanwhile.
    pub fn begin_term(&self, term: u64, watched: impl IntoIterator<Item = (Key, Age)>) {
        let mut register = self.lock();
        register.claims.retain(|_, held| {
            held.uid.clear();
            held.open().is_some()
        });
        register.scan.begin(watched);
        register.term = term;
    }

    /// Says what was there when the term began.
    pub fn inherit(&self, term: u64, mut uids: HashSet<String>) {
        let mut register = self.lock();
        if register.term == term {
            for held in register.claims.values() {
                uids.remove(&held.uid);
            }
            register.scan.inherit(uids);
            self.wake(register.scanned());
        }
    }

    /// The watch knows this object.
    pub fn appeared(&self, key: &Key, age: Age) {
        let mut register = self.lock();
        if register.claims.get(key).is_none_or(|held| held.uid != age.1) {
            register.scan.appeared(key, age);
        }
    }

    /// The watch knows no object by this name any more.
    pub fn disappeared(&self, key: &Key) {
        let mut register = self.lock();
        register.scan.disappeared(key);
        self.wake(register.scanned());
    }

    /// The term, if an object is waited for that the watch does not know.
    pub fn waits_for_unknown(&self) -> Option<u64> {
        let register = self.lock();
        register.scan.waits_for_unknown().then_some(register.term)
    }

    /// Waits no more for what is not among these.
    pub fn keep(&self, term: u64, uids: &HashSet<String>) {
        let mut register = self.lock();
        if register.term == term {
            register.scan.keep(uids);
            self.wake(register.scanned());
        }
    }

    /// There is no object with this uid any more.
    pub fn gone(&self, key: &Key, uid: &str) {
        let mut register = self.lock();
        register.scan.read(key, uid);
        self.wake(register.scanned());
    }
}

impl Register {
    /// Whom the scan does not hold up any more.
    fn scanned(&mut self) -> Vec<Key> {
        self.waiters.scanned(&self.scan)
    }

    /// Who waited for what the object claimed before.
    fn freed(&mut self, key: &Key, before: Option<&Held>) -> Vec<Key> {
        let claim = before.and_then(|held| held.claim.as_ref());
        let mut free = claim.map_or_else(Vec::new, |claim| self.waiters.freed(key, &claim.account));
        if let Some(open) = claim.and_then(|claim| claim.open.as_ref()) {
            free.extend(self.waiters.freed(key, &open.account));
        }
        free
    }

    /// Why nothing may be sent to the account, if so.
    fn bar(&mut self, key: &Key, claim: &Claim, account: &str, settle: Duration, now: Instant) -> Option<Bar> {
        if self.scan.holds_up(&claim.age) {
            return Some(Bar::NotKnownYet);
        }
        if let Some(owner) = self.older(key, claim) {
            return Some(Bar::OwnedBy(owner));
        }
        self.left_open.retain(|_, until| *until > now);
        if self.left_open.contains_key(account) {
            return Some(Bar::Behind(None));
        }
        let barred = |held: &Held| held.barred(settle, now) == Some(account);
        let other = self.claims.iter().find(|(other, held)| *other != key && barred(held));
        other.map(|(other, _)| Bar::Behind(Some(other.clone())))
    }

    /// Returns the change that was open before, if it is another one.
    fn set_open(&mut self, key: &Key, open: Option<Open>, now: Instant) -> Option<Open> {
        let held = self.claims.get_mut(key)?;
        let claim = held.claim.as_mut().filter(|claim| claim.open != open)?;
        held.since = now;
        std::mem::replace(&mut claim.open, open)
    }

    /// Nobody said that it is over, and nobody will.
    fn leave_open(&mut self, gone: Option<&Held>, settle: Duration, now: Instant) {
        if let Some(account) = gone.and_then(|held| held.barred(settle, now)) {
            self.left_open.insert(account.to_owned(), now + settle);
        }
    }

    fn older(&self, key: &Key, claim: &Claim) -> Option<Key> {
        let same = |theirs: &&Claim| (&theirs.account, theirs.pool) == (&claim.account, claim.pool);
        let rivals = self.claims.iter().filter(|(other, _)| *other != key);
        let older = rivals.filter_map(|(other, held)| Some((other, held.claim.as_ref().filter(same)?)));
        let oldest = older.filter(|(_, theirs)| theirs.age < claim.age).min_by(|a, b| a.1.age.cmp(&b.1.age));
        oldest.map(|(other, _)| other.clone())
    }
}

#[cfg(test)]
mod tests;
