//! The initial scan of a term: which objects were not read yet in it. Each of them may own a pool, and a change of it may
//! be in flight.

use std::collections::{BTreeMap, BTreeSet};

use super::waiters::HeldUp;
use super::{Age, Key, Realm};

/// The objects that are still unread.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Scan {
    /// Uids that were there when the term began and were not read since; `None`: not listed yet.
    inherited: Option<BTreeSet<String>>,
    /// Objects that the watch knows and that were not read in this term, the oldest first.
    unread: BTreeSet<(Age, Key)>,
    /// The age of each of them.
    ages: BTreeMap<Key, Age>,
    /// Objects for whose account the vendor is asked.
    asked: BTreeMap<Key, Asked>,
}

/// An object that may own a pool once the vendor has answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Asked {
    pub age: Age,
    pub vendor: &'static str,
    /// `None`: any account of the vendor.
    pub account: Option<Realm>,
}

impl Scan {
    /// Begins a term: each object that the watch knows is to be read again.
    pub fn begin(&mut self, ages: impl IntoIterator<Item = (Key, Age)>) {
        self.inherited = None;
        self.asked.clear();
        self.ages = ages.into_iter().collect();
        self.unread = self.ages.iter().map(|(key, age)| (age.clone(), key.clone())).collect();
    }

    /// The uids of all objects when the term began, without those that were read in it.
    pub fn inherit(&mut self, uids: BTreeSet<String>) {
        self.inherited = Some(uids);
    }

    /// Only these uids are still there.
    pub fn keep(&mut self, uids: &BTreeSet<String>) {
        if let Some(inherited) = &mut self.inherited {
            inherited.retain(|uid| uids.contains(uid));
        }
    }

    /// The watch knows this object, which was not read in this term.
    pub fn appeared(&mut self, key: &Key, age: Age) {
        self.disappeared(key);
        self.unread.insert((age.clone(), key.clone()));
        self.ages.insert(key.clone(), age);
    }

    /// The watch no longer knows the object.
    pub fn disappeared(&mut self, key: &Key) {
        if let Some(age) = self.ages.remove(key) {
            self.unread.remove(&(age, key.clone()));
        }
    }

    /// The object with this uid was read, or is gone.
    pub fn read(&mut self, key: &Key, uid: &str) {
        if let Some(inherited) = &mut self.inherited {
            inherited.remove(uid);
        }
        if self.ages.get(key).is_some_and(|(_, unread)| unread == uid) {
            self.disappeared(key);
        }
    }

    /// The vendor is asked for the account of this object; `None`: no object waits for an answer.
    pub fn ask(&mut self, key: &Key, asked: Option<Asked>) {
        match asked {
            Some(asked) => drop(self.asked.insert(key.clone(), asked)),
            None => drop(self.asked.remove(key)),
        }
    }

    /// Whether an object must wait: for the scan, or for an older one that may turn out to have the same account.
    pub fn holds_up(&self, key: &Key, held: &HeldUp) -> bool {
        let same = |asked: &Asked| match &asked.account {
            Some(account) => *account == held.account,
            None => asked.vendor == held.vendor,
        };
        let before = |(other, asked): (&Key, &Asked)| other != key && asked.age < held.age && same(asked);
        self.has_yet_to_come_to(&held.age) || self.asked.iter().any(before)
    }

    /// Whether an object of this age must wait for unread objects. A younger object created in this term owns no pool
    /// before an older one and has no change in flight.
    pub fn has_yet_to_come_to(&self, age: &Age) -> bool {
        let listed = self.inherited.as_ref().is_some_and(BTreeSet::is_empty);
        !listed || self.unread.first().is_some_and(|(oldest, _)| oldest < age)
    }

    /// Whether the scan waits for an object that the watch does not know.
    pub fn waits_for_unknown(&self) -> bool {
        let known: BTreeSet<&str> = self.ages.values().map(|(_, uid)| uid.as_str()).collect();
        self.inherited.as_ref().is_some_and(|inherited| inherited.iter().any(|uid| !known.contains(uid.as_str())))
    }
}
