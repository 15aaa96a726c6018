//! Accounts under two addresses that list the same licenses: each may be the other one, until a person says that they differ.

use std::collections::BTreeSet;

use super::{Owners, ReadObject};
use crate::registry::{Key, Realm};

impl ReadObject {
    /// Whether this account may be its own under another name, and no person says that the two differ.
    fn may_be(&self, account: &Realm) -> bool {
        let mine = self.ownership.as_ref().map(|ownership| &ownership.account).filter(|mine| mine.may_be(account));
        mine.is_some_and(|mine| !self.rows.differ.contains(&mine.beside(account)))
    }
}

impl Owners {
    /// An object whose account has another name than this one's and lists a row with the same number and identifier,
    /// and the id of the pair.
    pub(in crate::registry) fn twin(&self, key: &Key) -> Option<(&Key, String)> {
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
    pub(in crate::registry) fn may_be_one(&self, key: &Key, other: Option<&Key>, account: &Realm) -> bool {
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
    pub(in crate::registry) fn overtakes(&mut self, key: &Key, account: &Realm) {
        for (_, read) in self.0.iter_mut().filter(|(other, _)| *other != key) {
            if read.may_be(account) {
                read.overtaken = Some(key.clone());
            }
        }
    }

    /// The object whose change has ended since the pass over this one began, if its account may be the same.
    pub(in crate::registry) fn overtaken_by(&self, key: &Key) -> Option<&Key> {
        let by = self.0.get(key)?.overtaken.as_ref()?;
        let account = self.ownership(by).map(|ownership| &ownership.account);
        account.is_none_or(|account| self.may_be_one(key, Some(by), account)).then_some(by)
    }
}
