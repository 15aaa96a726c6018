//! Objects that must wait for another one, by what ends the wait.

use std::collections::{BTreeMap, BTreeSet};

use super::scan::Scan;
use super::{Age, Bar, Key};

/// What ends a wait.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum WaitsFor {
    /// The scan has come to the age of the object.
    Scan(Age),
    /// The owner of its pool changes what it claims, or goes.
    Owner(Key),
    /// Another object of this account changes what it claims, or its change is over.
    Account(String),
}

impl WaitsFor {
    /// What ends the wait of an object of this age that wants to change this account.
    pub fn of(bar: &Bar, age: Age, account: &str) -> Self {
        match bar {
            Bar::NotKnownYet => Self::Scan(age),
            Bar::OwnedBy(owner) => Self::Owner(owner.clone()),
            Bar::Behind(_) => Self::Account(account.to_owned()),
        }
    }
}

/// All of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Waiters {
    of: BTreeMap<Key, WaitsFor>,
    /// Those that wait for the scan, the oldest first.
    scan: BTreeSet<(Age, Key)>,
}

impl Waiters {
    pub fn add(&mut self, key: &Key, what: WaitsFor) {
        self.remove(key);
        if let WaitsFor::Scan(age) = &what {
            self.scan.insert((age.clone(), key.clone()));
        }
        self.of.insert(key.clone(), what);
    }

    pub fn remove(&mut self, key: &Key) {
        if let Some(WaitsFor::Scan(age)) = self.of.remove(key) {
            self.scan.remove(&(age, key.clone()));
        }
    }

    /// Takes out whom the scan does not hold up any more.
    pub fn scanned(&mut self, scan: &Scan) -> Vec<Key> {
        let mut free = Vec::new();
        while let Some((_, key)) = self.scan.first().filter(|(age, _)| !scan.holds_up(age)).cloned() {
            self.remove(&key);
            free.push(key);
        }
        free
    }

    /// Takes out who waits for this object to own less, or for its account.
    pub fn freed(&mut self, owner: &Key, account: &str) -> Vec<Key> {
        let over = |what: &WaitsFor| match what {
            WaitsFor::Scan(_) => false,
            WaitsFor::Owner(other) => other == owner,
            WaitsFor::Account(other) => other == account,
        };
        let free: Vec<Key> = self.of.iter().filter(|(_, what)| over(what)).map(|(key, _)| key.clone()).collect();
        for key in &free {
            self.remove(key);
        }
        free
    }
}
