//! The open change of an object that was deleted, or whose record is gone. It may still be running, and it holds its account for
//! the settle time: no reading will report its end.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::Realm;

/// Until when an account is held by a change whose object or record is gone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ChangesOfDeleted {
    /// After this long nothing of a request is running any more.
    settle: Duration,
    until: BTreeMap<Realm, Instant>,
}

impl ChangesOfDeleted {
    /// None is gone.
    pub fn new(settle: Duration) -> Self {
        Self { settle, until: BTreeMap::new() }
    }

    /// The object or the record of a change of this account is gone. `since`: when this process first knew of the change, or when its
    /// request ended.
    pub fn add(&mut self, account: &Realm, since: Instant, now: Instant) {
        if now.duration_since(since) < self.settle {
            self.until.insert(account.clone(), now + self.settle);
        }
    }

    /// The accounts in which such a change may still be running.
    pub fn running(&mut self, now: Instant) -> impl Iterator<Item = &Realm> {
        self.until.retain(|_, until| *until > now);
        self.until.keys()
    }
}
