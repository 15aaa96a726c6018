//! Which object owns a pool: the oldest of those that want it, in whichever order they were read.

use std::collections::{BTreeMap, BTreeSet};

use super::{Key, Ownership, Realm, Rows};

/// An object that was read.
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

impl ReadObject {
    /// Whether this account may be its own under another name, and no person says that the two differ.
    fn may_be(&self, account: &Realm) -> bool {
        let mine = self.ownership.as_ref().map(|ownership| &ownership.account).filter(|mine| mine.may_be(account));
        mine.is_some_and(|mine| !self.rows.differ.contains(&mine.beside(account)))
    }
}

/// What each object wants.
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
        // What was read in this process is newer than any record.
        let known = before.as_ref().filter(|before| !rows.read && account(&before.ownership) == account(&ownership));
        let known = known.and_then(|before| before.rows.listed.clone());
        let overtaken = before.as_ref().filter(|_| rows.read).and_then(|before| before.overtaken.clone());
        let rows = Rows { listed: known.or(rows.listed), read: false, ..rows };
        self.0.insert(key.clone(), ReadObject { uid: uid.to_owned(), ownership, rows, overtaken });
        before?.ownership
    }

    /// Takes an object out, and returns what it wanted.
    pub fn forget(&mut self, key: &Key) -> Option<Ownership> {
        self.0.remove(key)?.ownership
    }

    /// What the object wants.
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

    /// An object whose account has another name than this one's and lists a row with the same number and identifier,
    /// and the id of the pair.
    pub fn twin(&self, key: &Key) -> Option<(&Key, String)> {
        let mine = self.0.get(key)?;
        let (ownership, listed) = (mine.ownership.as_ref()?, mine.rows.listed.as_ref()?);
        let others = self.0.iter().filter(|(other, _)| *other != key);
        others.filter_map(|(other, read)| Some((other, read.ownership.as_ref()?, read.rows.listed.as_ref()?))).find_map(
            |(other, theirs, beside)| {
                let shared = theirs.vendor == ownership.vendor && !listed.is_disjoint(beside);
                (shared && mine.may_be(&theirs.account)).then(|| (other, ownership.account.beside(&theirs.account)))
            },
        )
    }

    /// Whether a change of this account by another object may be one of this object's account, which has another name.
    /// They differ if each lists a row that the other one does not list. `None`: it is not known what is listed there.
    pub fn may_be_one(&self, key: &Key, other: Option<&Key>, account: &Realm) -> bool {
        let Some((mine, listed)) = self.0.get(key).and_then(|mine| Some((mine, mine.rows.listed.as_ref()?))) else {
            return false;
        };
        let theirs = other.and_then(|other| self.0.get(other));
        let theirs =
            theirs.filter(|read| read.ownership.as_ref().is_some_and(|ownership| ownership.account == *account));
        let beside = theirs.and_then(|theirs| theirs.rows.listed.as_ref());
        let apart = |beside: &BTreeSet<String>| !listed.is_empty() && !beside.is_empty() && listed.is_disjoint(beside);
        mine.may_be(account) && !beside.is_some_and(apart)
    }

    /// A change of this account by an object has ended: what others have read of an account that may be the same is old.
    pub fn overtakes(&mut self, key: &Key, account: &Realm) {
        for (_, read) in self.0.iter_mut().filter(|(other, _)| *other != key) {
            if read.may_be(account) {
                read.overtaken = Some(key.clone());
            }
        }
    }

    /// The object whose change has ended since the pass over this one began, if its account may be the same.
    pub fn overtaken_by(&self, key: &Key) -> Option<&Key> {
        let by = self.0.get(key)?.overtaken.as_ref()?;
        let account = self.ownership(by).map(|ownership| &ownership.account);
        account.is_none_or(|account| self.may_be_one(key, Some(by), account)).then_some(by)
    }

    /// The wishes of the other objects of the same account.
    pub fn wanted_beside(&self, key: &Key) -> Vec<(&'static str, i32)> {
        let Some(mine) = self.ownership(key) else { return Vec::new() };
        let others = self.0.values().filter_map(|read| read.ownership.as_ref());
        let beside = others.filter(|theirs| theirs.account == mine.account && theirs.pool != mine.pool);
        beside.filter_map(|theirs| Some((theirs.pool, theirs.wanted?))).collect()
    }

    /// The objects that want something of another pool of the same account and have it before all others, with the pool.
    pub fn owners_beside(&self, key: &Key) -> Vec<(Key, &'static str)> {
        let Some(mine) = self.ownership(key) else { return Vec::new() };
        let wants = self.0.iter().filter_map(|(other, read)| Some((other, read.ownership.as_ref()?)));
        let beside = wants.filter(|(_, theirs)| theirs.account == mine.account && theirs.pool != mine.pool);
        let owners = beside.filter(|(other, theirs)| theirs.wanted.is_some() && self.before(other, theirs).is_none());
        owners.map(|(other, theirs)| (other.clone(), theirs.pool)).collect()
    }
}
