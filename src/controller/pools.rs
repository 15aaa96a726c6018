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

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::context::key_of;
use super::memory::Key;
use super::watched::Watched;
use crate::api::Intent;

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

/// Why nothing may be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Bar {
    /// An object that may have the pool, or an open change, was not looked at yet.
    NotKnownYet,
    /// An older object has this pool.
    OwnedBy(Key),
    /// Another change of this account may still be running; `None`: its object or its record is gone.
    Behind(Option<Key>),
}

impl Bar {
    /// The sentence for the object that must wait. Other namespaces' names are not for everybody's eyes.
    pub fn sentence(&self, (namespace, _): &Key) -> String {
        let whose = match self {
            Self::NotKnownYet => {
                return "not every object was looked at yet, and one may have these seats or an open change".into();
            }
            Self::Behind(None) => "of which the record is gone".into(),
            Self::OwnedBy((theirs, name)) | Self::Behind(Some((theirs, name))) if theirs == namespace => {
                format!("of {name}")
            }
            Self::OwnedBy(_) | Self::Behind(Some(_)) => "of an object in another namespace".into(),
        };
        format!("another change of this account, {whose}, may still be running: one is made at a time")
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
    /// Uids that were there when this term began and were not looked at since; `None`: not counted yet.
    inherited: Option<HashSet<String>>,
    /// Number of the term that was begun last.
    term: u64,
}

/// The register of all claims.
#[derive(Debug)]
pub(super) struct Pools {
    /// After this long nothing of a request is running any more.
    settle: Duration,
    register: Mutex<Register>,
}

impl Pools {
    pub fn new(settle: Duration) -> Self {
        Self { settle, register: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Register> {
        self.register.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what an object lays claim to, and says who has it before. A change that was open and that nobody said to be
    /// over, and of which the object does not know any more, bars its account for the settle time.
    pub fn note(&self, key: &Key, uid: &str, claim: Option<Claim>) -> Option<Key> {
        let (mut register, now) = (self.lock(), Instant::now());
        let owner = claim.as_ref().and_then(|claim| register.older(key, claim));
        if let Some(inherited) = &mut register.inherited {
            inherited.remove(uid);
        }
        let before = register.claims.remove(key);
        let same = |before: &&Held| before.open() == claim.as_ref().and_then(|claim| claim.open.as_ref());
        let kept = before.as_ref().filter(same).map(|before| before.since);
        if kept.is_none() {
            register.leave_open(before.as_ref(), self.settle, now);
        }
        let since = kept.unwrap_or(now);
        register.claims.insert(key.clone(), Held { uid: uid.to_owned(), claim, since });
        owner
    }

    /// Whether a change of the object must wait for the look at another.
    pub fn waits(&self, key: &Key, watched: &[Arc<Watched>]) -> bool {
        let register = self.lock();
        let claim = register.claims.get(key).and_then(|held| held.claim.as_ref());
        claim.is_some_and(|claim| register.unseen(watched, claim))
    }

    /// Takes the right to make this change, until it is said to be over or the record does not know of it any more. What a
    /// former term knew is worth nothing in this one, even if nobody has begun it here yet.
    pub fn reserve(&self, key: &Key, intent: &Intent, term: u64, watched: &[Arc<Watched>]) -> Result<(), Bar> {
        let (mut register, now) = (self.lock(), Instant::now());
        if register.term != term {
            return Err(Bar::NotKnownYet);
        }
        let Some(claim) = register.claims.get(key).and_then(|held| held.claim.clone()) else {
            return Err(Bar::NotKnownYet);
        };
        if register.unseen(watched, &claim) {
            return Err(Bar::NotKnownYet);
        }
        if let Some(owner) = register.older(key, &claim) {
            return Err(Bar::OwnedBy(owner));
        }
        register.left_open.retain(|_, until| *until > now);
        if register.left_open.contains_key(&intent.account) {
            return Err(Bar::Behind(None));
        }
        let barred = |held: &Held| held.barred(self.settle, now) == Some(intent.account.as_str());
        if let Some((other, _)) = register.claims.iter().find(|(other, held)| *other != key && barred(held)) {
            return Err(Bar::Behind(Some(other.clone())));
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
        self.lock().set_open(key, open, Instant::now());
    }

    /// The request of an object has ended: what it left running counts from now.
    pub fn request_ended(&self, key: &Key) {
        if let Some(held) = self.lock().claims.get_mut(key) {
            held.since = Instant::now();
        }
    }

    /// Takes an object out. A change of it that may still be running bars its account for the settle time.
    pub fn forget(&self, key: &Key) {
        let mut register = self.lock();
        let before = register.claims.remove(key);
        register.leave_open(before.as_ref(), self.settle, Instant::now());
    }

    /// Begins a new term: what a former one knew may be out of date, and every object is to be looked at again. What was
    /// open stays so until then, for its record may be lost meanwhile.
    pub fn begin_term(&self, term: u64) {
        let mut register = self.lock();
        register.claims.retain(|_, held| {
            held.uid.clear();
            held.open().is_some()
        });
        (register.inherited, register.term) = (None, term);
    }

    /// Says what was there when the term began.
    pub fn inherit(&self, term: u64, mut uids: HashSet<String>) {
        let mut register = self.lock();
        if register.term == term {
            for held in register.claims.values() {
                uids.remove(&held.uid);
            }
            register.inherited = Some(uids);
        }
    }

    /// The term, if an object is waited for that the watch does not know.
    pub fn waits_for_unknown(&self, watched: &[Arc<Watched>]) -> Option<u64> {
        let register = self.lock();
        let known: HashSet<&String> = watched.iter().filter_map(|object| object.metadata.uid.as_ref()).collect();
        register.inherited.as_ref()?.iter().any(|uid| !known.contains(uid)).then_some(register.term)
    }

    /// Waits no more for what is not among these.
    pub fn keep(&self, term: u64, uids: &HashSet<String>) {
        let mut register = self.lock();
        if register.term == term
            && let Some(inherited) = &mut register.inherited
        {
            inherited.retain(|uid| uids.contains(uid));
        }
    }

    /// There is no object with this uid any more.
    pub fn gone(&self, uid: &str) {
        if let Some(inherited) = &mut self.lock().inherited {
            inherited.remove(uid);
        }
    }
}

impl Register {
    fn set_open(&mut self, key: &Key, open: Option<Open>, now: Instant) {
        if let Some(held) = self.claims.get_mut(key)
            && let Some(claim) = &mut held.claim
            && claim.open != open
        {
            (claim.open, held.since) = (open, now);
        }
    }

    /// Nobody said that it is over, and nobody will.
    fn leave_open(&mut self, gone: Option<&Held>, settle: Duration, now: Instant) {
        if let Some(account) = gone.and_then(|held| held.barred(settle, now)) {
            self.left_open.insert(account.to_owned(), now + settle);
        }
    }

    /// Whether an object was not looked at that may have the pool or an open change. What is created while this replica
    /// leads and is younger can have neither.
    fn unseen(&self, watched: &[Arc<Watched>], claim: &Claim) -> bool {
        if self.inherited.as_ref().is_none_or(|inherited| !inherited.is_empty()) {
            return true;
        }
        watched.iter().any(|object| {
            let uid = object.metadata.uid.as_ref();
            let held = self.claims.get(&key_of(object));
            held.is_none_or(|held| Some(&held.uid) != uid) && (uid.is_none() || age_of(&object.metadata) < claim.age)
        })
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
