//! Which countable pool of which account, as the vendor's own folder reads it from the spec.

use crate::api::LicenseKeyEntry;

/// What a vendor and its things are called, in sentences and labels.
#[derive(Debug, PartialEq, Eq)]
pub struct VendorWords {
    /// The kind of vendor as written in `spec.vendor` and in metric labels.
    pub key: &'static str,
    /// The vendor's name as people write it.
    pub name: &'static str,
    /// What the vendor calls an account, such as `account`.
    pub account: &'static str,
    /// The field of the spec that lists license keys; empty where there are none.
    pub keys_field: &'static str,
    /// What the account does when it is full, as the end of a sentence that begins with the account.
    pub full: &'static str,
}

/// One countable pool of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// What the vendor is called.
    pub vendor: &'static VendorWords,
    /// The pool within its account.
    pub name: &'static str,
    /// Names of the Secrets with the credentials, in the order in which the vendor expects them.
    pub secrets: Vec<String>,
    /// The largest number of seats, and the highest limit, that the vendor can keep.
    pub most_seats: i32,
    /// How a person frees seats, and of whom, as in `remove 3 members`.
    pub frees: (&'static str, &'static str),
    /// The credentials that show all of its use, where others show a part of it or none; `None` where no others show more.
    pub every_use: Option<&'static str>,
    /// What the spec asks of the pool, beside seats and limit.
    pub goal: Goal,
}

/// What the spec asks of a pool, beside seats and limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    /// Seats are set as a number.
    Quantity,
    /// Seats come from license keys.
    Keys {
        /// The keys that the account should have.
        keys: Vec<LicenseKeyEntry>,
        /// Keys of this object that are no longer listed are removed.
        prune: bool,
    },
}

impl Pool {
    /// Names of the Secrets with license keys, each once. A Secret that cannot be read does not keep the account from
    /// being read.
    pub fn key_secrets(&self) -> Vec<&str> {
        let Goal::Keys { keys, .. } = &self.goal else { return Vec::new() };
        let mut names: Vec<&str> = keys.iter().map(|entry| entry.secret_key_ref.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}
