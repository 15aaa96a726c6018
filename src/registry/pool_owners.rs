//! Which object owns a pool: the oldest of those that want it, in whichever order they were read.

mod same_licenses;

use std::collections::{BTreeMap, BTreeSet};

use super::{Key, Ownership, Rows};

/// An object that has been read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct ReadObject {
    /// Empty for an object that was not read in this term.
    uid: String,
    /// `None`: it wants nothing.
    ownership: Option<Ownership>,
    rows: Rows,
    /// An object whose change has ended since the pass over this one began, and whose account may be the same.
    overtaken: Option<Key>,
}

/// The wish of each object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Owners(BTreeMap<Key, ReadObject>);

impl Owners {
    /// Begins a term: no object counts as read, and what an object wanted is forgotten unless it is to be kept.
    pub fn begin(&mut self, keep: impl Fn(&Key) -> bool) {
        self.0.retain(|key, read| {
            read.uid.clear();
            keep(key)
        });
    }

    /// Returns what the object wanted before. The uid is empty for an object that was read in a former term.
    pub fn note(&mut self, key: &Key, uid: &str, ownership: Option<Ownership>, rows: Rows) -> Option<Ownership> {
        let before = self.0.remove(key);
        let account = |ownership: &Option<Ownership>| ownership.as_ref().map(|ownership| ownership.account.clone());
        // A reading of this process is newer than any record.
        let known = before.as_ref().filter(|before| !rows.read && account(&before.ownership) == account(&ownership));
        let known = known.and_then(|before| before.rows.listed.clone());
        let overtaken = before.as_ref().filter(|_| rows.read).and_then(|before| before.overtaken.clone());
        let rows = Rows { listed: known.or(rows.listed), read: false, ..rows };
        self.0.insert(key.clone(), ReadObject { uid: uid.to_owned(), ownership, rows, overtaken });
        before?.ownership
    }

    /// Removes an object, and returns its wish.
    pub fn forget(&mut self, key: &Key) -> Option<Ownership> {
        self.0.remove(key)?.ownership
    }

    /// The wish of the object.
    pub fn ownership(&self, key: &Key) -> Option<&Ownership> {
        self.0.get(key)?.ownership.as_ref()
    }

    /// Whether the object with this uid was read in this term.
    pub fn has_read(&self, key: &Key, uid: &str) -> bool {
        self.0.get(key).is_some_and(|read| read.uid == uid)
    }

    /// The uids of the objects that were read in this term; some may be empty.
    pub fn uids(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(|read| read.uid.as_str())
    }

    /// The oldest object that has the pool before it. Ownership that no vendor has confirmed goes before none.
    pub fn before(&self, key: &Key, ownership: &Ownership) -> Option<&Key> {
        let same = |theirs: &&Ownership| (&theirs.account, theirs.pool) == (&ownership.account, ownership.pool);
        let rivals = self.0.iter().filter(|(other, _)| *other != key);
        let older = rivals.filter_map(|(other, read)| Some((other, read.ownership.as_ref().filter(same)?)));
        let oldest = older
            .filter(|(_, theirs)| theirs.confirmed && theirs.age < ownership.age)
            .min_by(|a, b| a.1.age.cmp(&b.1.age));
        oldest.map(|(other, _)| other)
    }

    /// The rows of the account were read again.
    pub fn shows(&mut self, key: &Key, listed: BTreeSet<String>) {
        if let Some(read) = self.0.get_mut(key) {
            read.rows.listed = Some(listed);
        }
    }

    /// The wishes of the owners of other pools of the same account. An object whose pool an older one owns changes nothing.
    pub fn wanted_beside(&self, key: &Key) -> Vec<(&'static str, i32)> {
        self.beside(key).filter_map(|(_, theirs)| Some((theirs.pool, theirs.wanted?))).collect()
    }

    /// The objects that want something of another pool of the same account and have it before all others, with the pool.
    pub fn owners_beside(&self, key: &Key) -> Vec<(Key, &'static str)> {
        let wants = self.beside(key).filter(|(_, theirs)| theirs.wanted.is_some());
        wants.map(|(other, theirs)| (other.clone(), theirs.pool)).collect()
    }

    /// The owners of other pools of the same account.
    fn beside(&self, key: &Key) -> impl Iterator<Item = (&Key, &Ownership)> {
        let mine = self.ownership(key);
        let all = self.0.iter().filter_map(|(other, read)| Some((other, read.ownership.as_ref()?)));
        let same = move |theirs: &Ownership| {
            mine.is_some_and(|mine| theirs.account == mine.account && theirs.pool != mine.pool)
        };
        all.filter(move |(other, theirs)| same(theirs) && self.before(other, theirs).is_none())
    }
}
