//! Which object owns a pool: the oldest of those that claim it, in whichever order they were read.

use std::collections::{BTreeMap, BTreeSet};

use super::{Claim, Key, Rows};

/// An object that was read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Read {
    /// Empty for an object that was not read in this term.
    uid: String,
    /// `None`: it claims nothing.
    claim: Option<Claim>,
    rows: Rows,
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
    pub fn note(&mut self, key: &Key, uid: &str, claim: Option<Claim>, rows: Rows) -> Option<Claim> {
        let before = self.0.remove(key);
        let account = |claim: &Option<Claim>| claim.as_ref().map(|claim| claim.account.clone());
        // What was read in this process is newer than any record.
        let known = before.as_ref().filter(|before| account(&before.claim) == account(&claim));
        let known = known.and_then(|before| before.rows.listed.clone());
        let rows = Rows { listed: known.or(rows.listed), ..rows };
        self.0.insert(key.clone(), Read { uid: uid.to_owned(), claim, rows });
        before?.claim
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

    /// The rows of the account were read again.
    pub fn shows(&mut self, key: &Key, listed: BTreeSet<String>) {
        if let Some(read) = self.0.get_mut(key) {
            read.rows.listed = Some(listed);
        }
    }

    /// Objects whose account is called otherwise than this one's and may be the same: both list a row with the same number
    /// and identifier, or both list none. With the shared rows and the id of the two.
    pub fn twins(&self, key: &Key) -> impl Iterator<Item = (&Key, bool, String)> {
        let mine =
            self.0.get(key).and_then(|read| Some((read.claim.as_ref()?, read.rows.listed.as_ref()?, &read.rows)));
        let others = self.0.iter().filter(move |(other, _)| *other != key);
        others.filter_map(move |(other, read)| {
            let (claim, listed, rows) = mine?;
            let (theirs, beside) = (read.claim.as_ref()?, read.rows.listed.as_ref()?);
            let shared = !listed.is_disjoint(beside);
            let may_be_one = theirs.vendor == claim.vendor
                && theirs.account != claim.account
                && (shared || (listed.is_empty() && beside.is_empty()));
            let id = claim.account.beside(&theirs.account);
            (may_be_one && !rows.differ.contains(&id)).then_some((other, shared, id))
        })
    }

    /// What the other objects of the same account want of their pools.
    pub fn wanted_beside(&self, key: &Key) -> Vec<(&'static str, i32)> {
        let Some(mine) = self.claim(key) else { return Vec::new() };
        let others = self.0.values().filter_map(|read| read.claim.as_ref());
        let beside = others.filter(|theirs| theirs.account == mine.account && theirs.pool != mine.pool);
        beside.filter_map(|theirs| Some((theirs.pool, theirs.wanted?))).collect()
    }
}
