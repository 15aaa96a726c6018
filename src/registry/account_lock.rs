//! The lock of an account: one change at a time. It is held by the change that may still be running, and not by its object:
//! a change whose object or record is gone also holds it, for the settle time. And a change that was made holds it, for
//! its own object too, as long as its late effects may come.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::change_of_deleted_object::ChangesOfDeleted;
use super::{BlockedBy, InFlight, Key, Realm};

/// The open change of an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct InFlightChange {
    open: InFlight,
    /// When this process first knew of the change, or when its request ended.
    since: Instant,
}

/// The changes that may still be running.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Locks {
    /// After this long nothing of a request is running any more.
    settle: Duration,
    held: BTreeMap<Key, InFlightChange>,
    /// Those whose object or record is gone.
    of_deleted: ChangesOfDeleted,
    /// Until when the vendor may still write an account's row because of a change that was made.
    late: BTreeMap<Realm, Instant>,
    /// The changes of each object that are known here, by their ids, and until when each may have late effects.
    made: BTreeMap<Key, BTreeMap<String, Instant>>,
}

impl Locks {
    /// No change is open.
    pub fn new(settle: Duration) -> Self {
        let of_deleted = ChangesOfDeleted::new(settle);
        Self { settle, held: BTreeMap::new(), of_deleted, late: BTreeMap::new(), made: BTreeMap::new() }
    }

    /// The change of an object that may still be running.
    pub fn open(&self, key: &Key) -> Option<&InFlight> {
        self.held.get(key).map(|held| &held.open)
    }

    /// Notes that the record of an object was read. A change that the record no longer has, and that was not reported as ended,
    /// holds its account for the settle time.
    pub fn note(&mut self, key: &Key, open: Option<InFlight>, now: Instant) {
        if self.open(key) != open.as_ref() {
            self.forget(key, now);
            self.set(key, open, now);
        }
    }

    /// Notes which change of an object may still be running, if any. Returns the former one, if it is another.
    pub fn set(&mut self, key: &Key, open: Option<InFlight>, now: Instant) -> Option<InFlight> {
        if self.open(key) == open.as_ref() {
            return None;
        }
        let before = match open {
            Some(open) => self.held.insert(key.clone(), InFlightChange { open, since: now }),
            None => self.held.remove(key),
        };
        before.map(|before| before.open)
    }

    /// The record of the object has these changes. For so long the vendor may still write the row of the
    /// account of each because of it, whatever becomes of the object and of its record.
    pub fn made(&mut self, key: &Key, changes: impl IntoIterator<Item = (InFlight, Duration)>, now: Instant) {
        let (mut known, mut told) = (self.made.remove(key).unwrap_or_default(), BTreeMap::new());
        for (change, late) in changes {
            if told.contains_key(&change.id) {
                continue;
            }
            let over = known.remove(&change.id).unwrap_or_else(|| {
                let until = self.late.entry(change.account).or_insert(now);
                *until = (*until).max(now + late);
                now + late
            });
            told.insert(change.id, over);
        }
        // One record may lack a change, such as after a failed write: its time does not begin anew.
        told.extend(known.into_iter().filter(|(_, over)| *over > now));
        if !told.is_empty() {
            self.made.insert(key.clone(), told);
        }
    }

    /// Notes that the request of an object has ended: its late effects count from now.
    pub fn request_ended(&mut self, key: &Key, now: Instant) {
        if let Some(held) = self.held.get_mut(key) {
            held.since = now;
        }
    }

    /// The object or its record is gone: no reading will report the end of its change. Returns the change.
    pub fn forget(&mut self, key: &Key, now: Instant) -> Option<InFlight> {
        self.made.remove(key);
        let gone = self.held.remove(key)?;
        self.of_deleted.add(&gone.open.account, gone.since, now);
        Some(gone.open)
    }

    /// A change that may still be running besides those of this object, of an account of this kind. `None`: a change whose object or
    /// record is gone.
    pub fn in_flight_elsewhere(
        &mut self,
        key: &Key,
        is: impl Fn(Option<&Key>, &Realm) -> bool,
        now: Instant,
    ) -> Option<BlockedBy> {
        if self.of_deleted.running(now).any(|account| is(None, account)) {
            return Some(BlockedBy::InFlightElsewhere(None));
        }
        let runs = |held: &InFlightChange| now.duration_since(held.since) < self.settle;
        let others = self.held.iter().filter(|(other, held)| *other != key && runs(held));
        let mut in_flight_elsewhere = others.filter(|(other, held)| is(Some(other), &held.open.account));
        in_flight_elsewhere.next().map(|(other, _)| BlockedBy::InFlightElsewhere(Some(other.clone())))
    }

    /// What holds the account besides this object, if anything does.
    pub fn blocked_by(&mut self, key: &Key, account: &Realm, now: Instant) -> Option<BlockedBy> {
        let in_flight_elsewhere = self.in_flight_elsewhere(key, |_, theirs| theirs == account, now);
        if in_flight_elsewhere.is_some() {
            return in_flight_elsewhere;
        }
        self.late.retain(|_, until| *until > now);
        self.late.get(account).map(|until| BlockedBy::Late(until.duration_since(now)))
    }
}
