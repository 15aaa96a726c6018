//! The registry of ownership that all passes share. It is called under a lock, with the time as an argument, and the
//! objects that it wakes go into the work queue. `crate::registry` decides which object may write to which account.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::object_state::Key;
use super::queue::{Class, Queue};
use crate::api::{Change, Intent};
use crate::domain::{Obstacle, StandsStill, Stuck};
use crate::registry::{Age, BlockedBy, Found, InFlight, Realm, Registry, peer};

/// The registry of all ownership.
#[derive(Debug)]
pub(super) struct Pools {
    /// The queue for objects that no longer need to wait.
    queue: Arc<Queue>,
    registry: Mutex<Registry>,
    /// The reports of objects that make no progress.
    stuck: Mutex<HashMap<Key, StandsStill>>,
}

impl Pools {
    /// `settle`: after this long no part of a request is still running.
    pub fn new(settle: Duration, queue: Arc<Queue>) -> Self {
        Self { queue, registry: Mutex::new(Registry::new(settle)), stuck: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, keys: Vec<Key>) {
        for key in keys {
            self.queue.push(&key, Class::Urgent);
        }
    }

    /// Notes the findings of a pass about an object, and returns the object that owns its pool before it. `term`: in which the
    /// object was read.
    pub fn note(&self, key: &Key, uid: &str, found: Found, term: u64) -> Option<Key> {
        let (owner, woken) = self.lock().note((key, uid), found, term, Instant::now());
        self.wake(woken);
        owner
    }

    /// Notes that the account of an object was read again.
    pub fn shows(&self, key: &Key, listed: BTreeSet<String>) {
        self.lock().shows(key, listed);
    }

    /// The vendor was asked for the account of an object, and its answer was not noted.
    pub fn answered(&self, key: &Key) {
        let woken = self.lock().answered(key);
        self.wake(woken);
    }

    /// Whether a change of the object must wait for the scan. If so, the object is put into the queue when the wait ends.
    pub fn waits_for_scan(&self, key: &Key) -> bool {
        self.lock().waits_for_scan(key)
    }

    /// Puts the object into the queue when another object of its account changes its wish, or when the change of that object has ended.
    pub fn wait_for_account(&self, key: &Key) {
        self.lock().wait_for_account(key);
    }

    /// The obstacles of other objects to a change of this account. `term`: of the pass.
    pub fn obstacle(&self, key: &Key, account: &str, term: u64) -> Option<Obstacle> {
        self.lock().blocked_by(key, &Realm::of(account), term, Instant::now()).map(|blocked| blocked.obstacle(key))
    }

    /// Puts the object into the queue when no other object blocks a change of this account any more.
    pub fn wait_out(&self, key: &Key, account: &str, term: u64) {
        if self.lock().wait_out(key, &Realm::of(account), term, Instant::now()).is_none() {
            self.wake(vec![key.clone()]);
        }
    }

    /// Takes the right to make this change, until the change is reported as ended or the record no longer has it. An
    /// object that must wait is put into the queue when it may go on.
    pub fn reserve(&self, key: &Key, intent: &Intent, term: u64) -> Result<(), BlockedBy> {
        self.lock().reserve(key, InFlight::of(intent), term, Instant::now())
    }

    /// The wishes of the owners of other pools of the same account.
    pub fn wanted_beside(&self, key: &Key) -> Vec<(&'static str, i32)> {
        self.lock().wanted_beside(key)
    }

    /// Whether an object is idle, and why.
    pub fn set_stuck(&self, key: &Key, why: Option<StandsStill>) {
        let mut stuck = self.stuck.lock().unwrap_or_else(PoisonError::into_inner);
        match why {
            Some(why) => drop(stuck.insert(key.clone(), why)),
            None => drop(stuck.remove(key)),
        }
    }

    /// The objects of the same account that own other pools and make no progress.
    pub fn stuck_beside(&self, key: &Key) -> Vec<Stuck> {
        let beside = self.lock().owners_beside(key);
        let stuck = self.stuck.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |(other, pool): (Key, &'static str)| {
            stuck.get(&other).map(|still| Stuck { pool, peer: peer(key, &other), still: still.clone() })
        };
        beside.into_iter().filter_map(of).collect()
    }

    /// Notes which change of the object may still be running, if any.
    pub fn set_open(&self, key: &Key, intent: Option<&Intent>) {
        let open = intent.filter(|intent| intent.is_open()).map(InFlight::of);
        let woken = self.lock().set_open(key, open, Instant::now());
        self.wake(woken);
    }

    /// Notes that the object has made these changes. Each may have late effects for this long.
    pub fn made<'a>(&self, key: &Key, changes: impl IntoIterator<Item = (&'a Change, Duration)>) {
        let open = |change: &Change| InFlight { id: change.id.clone(), account: Realm::of(&change.account) };
        let changes = changes.into_iter().map(|(change, late)| (open(change), late));
        self.lock().made(key, changes, Instant::now());
    }

    /// Notes that the request of an object has ended: its late effects count from now.
    pub fn request_ended(&self, key: &Key) {
        self.lock().request_ended(key, Instant::now());
    }

    /// Removes the wish of a deleted object.
    pub fn forget(&self, key: &Key) {
        self.set_stuck(key, None);
        let woken = self.lock().forget(key, Instant::now());
        self.wake(woken);
    }

    /// Begins a new term, in which every object must be read again.
    pub fn begin_term(&self, term: u64, ages: impl IntoIterator<Item = (Key, Age)>) {
        self.lock().begin_term(term, ages);
    }

    /// Records the objects at the beginning of the term, by uid.
    pub fn inherit(&self, term: u64, uids: BTreeSet<String>) {
        let woken = self.lock().inherit(term, uids);
        self.wake(woken);
    }

    /// Notes that the watch knows this object.
    pub fn appeared(&self, key: &Key, age: Age) {
        self.lock().appeared(key, age);
    }

    /// Notes that the watch no longer knows an object by this name.
    pub fn disappeared(&self, key: &Key) {
        let woken = self.lock().disappeared(key);
        self.wake(woken);
    }

    /// The term, if the scan waits for an object that the watch does not know.
    pub fn waits_for_unknown(&self) -> Option<u64> {
        self.lock().waits_for_unknown()
    }

    /// Stops waiting for objects outside these uids.
    pub fn keep(&self, term: u64, uids: &BTreeSet<String>) {
        let woken = self.lock().keep(term, uids);
        self.wake(woken);
    }

    /// Notes that the object with this uid is gone.
    pub fn gone(&self, key: &Key, uid: &str) {
        let woken = self.lock().gone(key, uid);
        self.wake(woken);
    }
}

#[cfg(test)]
mod tests;
