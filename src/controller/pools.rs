//! Who may write to which account: one owner per pool, and one change at a time per account.
//!
//! Two objects may name the same pool, in any namespaces: the older owns it, the other calls nothing. And a vendor
//! writes the whole account row with every change, so a change waits for any other change of that account whose outcome
//! is not known yet. Nothing may be sent while an older object was not looked at, for it may be the owner; nor while one
//! is left that was there before this replica led, for a change of it may be open.
//!
//! A change that may still be running is remembered here even when the record of it is lost: with its object, or because
//! somebody wiped a status or restored an older one.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::context::key_of;
use super::memory::Key;
use super::watched::Watched;

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
    /// A change of it may still be running.
    pub open: bool,
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
            Self::NotKnownYet => return "not every object was looked at yet".into(),
            Self::Behind(None) => "of which the record is gone".into(),
            Self::OwnedBy((theirs, name)) | Self::Behind(Some((theirs, name))) if theirs == namespace => {
                format!("of {name}")
            }
            Self::OwnedBy(_) | Self::Behind(Some(_)) => "of an object in another namespace".into(),
        };
        format!("another change of this account, {whose}, may still be running: one is made at a time")
    }
}

#[derive(Debug, Default)]
struct Register {
    /// By uid, which is empty for one that was not looked at in this term; `None`: it lays claim to nothing.
    claims: HashMap<Key, (String, Option<Claim>)>,
    /// Accounts with a change that may still be running and of which the record is gone.
    left_open: HashMap<String, Instant>,
    /// Uids that were there before anything was sent in this term and were not looked at since; `None`: not counted yet.
    inherited: Option<HashSet<String>>,
}

/// The register of all claims.
#[derive(Debug, Default)]
pub(super) struct Pools(Mutex<Register>);

impl Pools {
    fn lock(&self) -> MutexGuard<'_, Register> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what an object lays claim to, and says who has it before. A change that was open and that nobody said to be
    /// over, and of which the object does not know any more, bars its account for `settle`.
    pub fn note(&self, key: &Key, uid: &str, claim: Option<Claim>, settle: Duration) -> Option<Key> {
        let mut register = self.lock();
        let owner = claim.as_ref().and_then(|claim| register.older(key, claim));
        let open = claim.as_ref().filter(|claim| claim.open).map(|claim| claim.account.clone());
        if let Some(inherited) = &mut register.inherited {
            inherited.remove(uid);
        }
        if let Some((_, Some(before))) = register.claims.insert(key.clone(), (uid.to_owned(), claim))
            && before.open
            && open.as_ref() != Some(&before.account)
        {
            register.left_open.insert(before.account, Instant::now() + settle);
        }
        owner
    }

    /// Takes the right to change the account, until [`note`](Self::note) says that nothing is open any more.
    pub fn reserve(&self, key: &Key, watched: &[Arc<Watched>]) -> Result<(), Bar> {
        let mut register = self.lock();
        let Some((_, Some(claim))) = register.claims.get(key).cloned() else {
            return Err(Bar::NotKnownYet);
        };
        if register.unseen(watched, &claim) {
            return Err(Bar::NotKnownYet);
        }
        if let Some(owner) = register.older(key, &claim) {
            return Err(Bar::OwnedBy(owner));
        }
        let now = Instant::now();
        register.left_open.retain(|_, until| *until > now);
        if register.left_open.contains_key(&claim.account) {
            return Err(Bar::Behind(None));
        }
        let other = register.claims.iter().find(|(other, (_, theirs))| {
            *other != key && theirs.as_ref().is_some_and(|theirs| theirs.open && theirs.account == claim.account)
        });
        if let Some((other, _)) = other {
            return Err(Bar::Behind(Some(other.clone())));
        }
        register.claims.entry(key.clone()).and_modify(|(_, claim)| {
            if let Some(claim) = claim {
                claim.open = true;
            }
        });
        Ok(())
    }

    /// What the other objects of the same account want of their pools.
    pub fn wanted_beside(&self, key: &Key) -> Vec<(&'static str, i32)> {
        let register = self.lock();
        let Some((_, Some(mine))) = register.claims.get(key) else { return Vec::new() };
        let others = register.claims.values().filter_map(|(_, claim)| claim.as_ref());
        let beside = others.filter(|theirs| theirs.account == mine.account && theirs.pool != mine.pool);
        beside.filter_map(|theirs| Some((theirs.pool, theirs.wanted?))).collect()
    }

    /// Says whether a change of the object may still be running.
    pub fn set_open(&self, key: &Key, open: bool) {
        if let Some((_, Some(claim))) = self.lock().claims.get_mut(key) {
            claim.open = open;
        }
    }

    /// Takes an object out. A change of it that may still be running bars its account for `settle`.
    pub fn forget(&self, key: &Key, settle: Duration) {
        let mut register = self.lock();
        if let Some((_, Some(claim))) = register.claims.remove(key)
            && claim.open
        {
            register.left_open.insert(claim.account, Instant::now() + settle);
        }
    }

    /// Begins a new term: what a former one knew may be out of date, and every object is to be looked at again. What was
    /// open stays so until then, for its record may be lost meanwhile.
    pub fn begin_term(&self) {
        let mut register = self.lock();
        register.claims.retain(|_, (uid, claim)| {
            uid.clear();
            claim.as_ref().is_some_and(|claim| claim.open)
        });
        register.inherited = None;
    }
}

impl Register {
    /// Whether an object was not looked at that may have the pool or an open change. What is created while this replica
    /// leads and is younger can have neither.
    fn unseen(&mut self, watched: &[Arc<Watched>], claim: &Claim) -> bool {
        let Self { claims, inherited, .. } = self;
        let unseen: Vec<&Watched> = watched
            .iter()
            .map(Arc::as_ref)
            .filter(|object| {
                let known =
                    claims.get(&key_of(object)).is_some_and(|(uid, _)| Some(uid) == object.metadata.uid.as_ref());
                !known && object.metadata.deletion_timestamp.is_none()
            })
            .collect();
        let uids = || unseen.iter().filter_map(|object| object.metadata.uid.clone()).collect();
        let inherited = inherited.get_or_insert_with(uids);
        let matters = |object: &&&Watched| {
            object.metadata.uid.as_ref().is_none_or(|uid| inherited.contains(uid))
                || age_of(&object.metadata) < claim.age
        };
        unseen.iter().any(|object| matters(&object))
    }

    fn older(&self, key: &Key, claim: &Claim) -> Option<Key> {
        let same = |theirs: &&Claim| (&theirs.account, theirs.pool) == (&claim.account, claim.pool);
        let rivals = self.claims.iter().filter(|(other, _)| *other != key);
        let older = rivals.filter_map(|(other, (_, theirs))| Some((other, theirs.as_ref().filter(same)?)));
        let oldest = older.filter(|(_, theirs)| theirs.age < claim.age).min_by(|a, b| a.1.age.cmp(&b.1.age));
        oldest.map(|(other, _)| other.clone())
    }
}

#[cfg(test)]
mod tests;
