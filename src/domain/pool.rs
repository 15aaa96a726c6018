//! Which countable pool of which account, as the vendor's own folder reads it from the spec.

use crate::api::LicenseKeyEntry;

/// The names of a vendor and of its things, in sentences and labels.
#[derive(Debug, PartialEq, Eq)]
pub struct VendorWords {
    /// The kind of vendor as written in `spec.vendor` and in metric labels.
    pub key: &'static str,
    /// The vendor's name as people write it.
    pub name: &'static str,
    /// The vendor's word for an account, such as `account`.
    pub account: &'static str,
    /// The field of the spec that lists license keys; empty where there are none.
    pub keys_field: &'static str,
    /// The behavior of a full account, as the end of a sentence that begins with the account.
    pub full: &'static str,
}

/// One countable pool of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// The names of the vendor.
    pub vendor: &'static VendorWords,
    /// The pool within its account.
    pub name: &'static str,
    /// Names of the Secrets with the credentials, in the order in which the vendor expects them.
    pub secrets: Vec<String>,
    /// The largest number of seats, and the highest limit, that the vendor can keep.
    pub most_seats: i32,
    /// How a person frees seats, and of whom, as in `remove 3 members`.
    pub frees: (&'static str, &'static str),
    /// The credentials that show the whole use, if other credentials show a part of it or none; `None` if no credentials show more.
    pub every_use: Option<&'static str>,
    /// The wishes of the spec for the pool, except for seats and limit.
    pub goal: Goal,
}

/// The wishes of a spec for a pool, except for seats and limit.
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
    /// Names of the Secrets with license keys, each once. An unreadable one of these Secrets does not prevent a reading of the account.
    pub fn key_secrets(&self) -> Vec<&str> {
        let Goal::Keys { keys, .. } = &self.goal else { return Vec::new() };
        let mut names: Vec<&str> = keys.iter().map(|entry| entry.secret_key_ref.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}
