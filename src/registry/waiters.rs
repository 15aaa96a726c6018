//! Objects that must wait for another one, by what ends the wait.

use std::collections::{BTreeMap, BTreeSet};

use super::unread_objects::Scan;
use super::{Age, BlockedBy, Key, Ownership, Realm};

/// What ends a wait.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum WaitsFor {
    /// The scan has reached the age of the object.
    Scan(HeldUp),
    /// The owner of its pool changes what it wants, or goes.
    Owner(Key),
    /// Another object of this account changes what it wants, or its change has ended.
    Account(Realm),
}

/// An object that the scan may hold up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct HeldUp {
    pub age: Age,
    pub vendor: &'static str,
    pub account: Realm,
}

impl HeldUp {
    /// The object that owns something, and wants to change this account.
    pub fn of(ownership: &Ownership, account: &Realm) -> Self {
        Self { age: ownership.age.clone(), vendor: ownership.vendor, account: account.clone() }
    }
}

impl WaitsFor {
    /// What ends the wait of this object.
    pub fn of(blocked: &BlockedBy, held: HeldUp) -> Self {
        match blocked {
            BlockedBy::NotKnownYet => Self::Scan(held),
            BlockedBy::OwnedBy(owner) | BlockedBy::SameRows(owner, _) => Self::Owner(owner.clone()),
            BlockedBy::InFlightElsewhere(_) | BlockedBy::Late(_) => Self::Account(held.account),
        }
    }
}

/// All waiting objects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Waiters {
    of: BTreeMap<Key, WaitsFor>,
    /// The objects that wait for the scan, the oldest first.
    scan: BTreeSet<(HeldUp, Key)>,
}

impl Waiters {
    pub fn add(&mut self, key: &Key, what: WaitsFor) {
        self.remove(key);
        if let WaitsFor::Scan(held) = &what {
            self.scan.insert((held.clone(), key.clone()));
        }
        self.of.insert(key.clone(), what);
    }

    pub fn remove(&mut self, key: &Key) {
        if let Some(WaitsFor::Scan(held)) = self.of.remove(key) {
            self.scan.remove(&(held, key.clone()));
        }
    }

    /// Removes the objects that the scan no longer delays.
    pub fn scanned(&mut self, scan: &Scan) -> Vec<Key> {
        let come_to = self.scan.iter().take_while(|(held, _)| !scan.has_yet_to_come_to(&held.age));
        let free: Vec<Key> =
            come_to.filter(|(held, key)| !scan.holds_up(key, held)).map(|(_, key)| key.clone()).collect();
        for key in &free {
            self.remove(key);
        }
        free
    }

    /// Removes the objects that wait for this object to own less, or for its account.
    pub fn freed(&mut self, owner: &Key, account: &Realm) -> Vec<Key> {
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
