//! Which object owns a pool: the oldest of those that claim it, in whichever order they were read.

use std::collections::BTreeMap;

use super::{Claim, Key};

/// An object that was read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Read {
    /// Empty for an object that was not read in this term.
    uid: String,
    /// `None`: it claims nothing.
    claim: Option<Claim>,
}

/// What each object claims.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Owners(BTreeMap<Key, Read>);

impl Owners {
    /// Begins a term: no object counts as read, and what an object claimed is forgotten unless it is to be kept.
    pub fn begin(&mut self, keep: impl Fn(&Key) -> bool) {
        self.0.retain(|key, read| {
            read.uid.clear();
            keep(key)
        });
    }

    /// Returns what the object claimed before. The uid is empty for an object that was read in a former term.
    pub fn note(&mut self, key: &Key, uid: &str, claim: Option<Claim>) -> Option<Claim> {
        self.0.insert(key.clone(), Read { uid: uid.to_owned(), claim })?.claim
    }

    /// Takes an object out, and returns what it claimed.
    pub fn forget(&mut self, key: &Key) -> Option<Claim> {
        self.0.remove(key)?.claim
    }

    /// What the object claims.
    pub fn claim(&self, key: &Key) -> Option<&Claim> {
        self.0.get(key)?.claim.as_ref()
    }

    /// Whether the object with this uid was read in this term.
    pub fn has_read(&self, key: &Key, uid: &str) -> bool {
        self.0.get(key).is_some_and(|read| read.uid == uid)
    }

    /// The uids of the objects that were read in this term; some may be empty.
    pub fn uids(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(|read| read.uid.as_str())
    }

    /// The oldest object that has the pool of this claim before it. A claim that no vendor has confirmed stands before none.
    pub fn before(&self, key: &Key, claim: &Claim) -> Option<&Key> {
        let same = |theirs: &&Claim| (&theirs.account, theirs.pool) == (&claim.account, claim.pool);
        let rivals = self.0.iter().filter(|(other, _)| *other != key);
        let older = rivals.filter_map(|(other, read)| Some((other, read.claim.as_ref().filter(same)?)));
        let oldest =
            older.filter(|(_, theirs)| theirs.confirmed && theirs.age < claim.age).min_by(|a, b| a.1.age.cmp(&b.1.age));
        oldest.map(|(other, _)| other)
    }

    /// What the other objects of the same account want of their pools.
    pub fn wanted_beside(&self, key: &Key) -> Vec<(&'static str, i32)> {
        let Some(mine) = self.claim(key) else { return Vec::new() };
        let others = self.0.values().filter_map(|read| read.claim.as_ref());
        let beside = others.filter(|theirs| theirs.account == mine.account && theirs.pool != mine.pool);
        beside.filter_map(|theirs| Some((theirs.pool, theirs.wanted?))).collect()
    }
}
