//! What is known of one object: its age, what it wants, and which change of it may still be running.

use std::collections::BTreeSet;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::api::Intent;
use crate::domain::digest;

/// Namespace and name of an object.
pub type Key = (String, String);

/// When an object was created, then its uid: the smaller is the older.
pub type Age = (Option<Timestamp>, String);

/// The age of an object.
pub fn age_of(metadata: &ObjectMeta) -> Age {
    (metadata.creation_timestamp.as_ref().map(|time| time.0), metadata.uid.clone().unwrap_or_default())
}

/// What two objects share that must not both change it: an account, whatever its host is called. An id that no two accounts
/// have (a GUID, as Bitwarden's organizations have) is one account at every host: the vendor's cloud and a proxy before it
/// are two names of one place. Any other id belongs to its host.
///
/// What proves something about an account (an intent, a history) is bound to host and id, and not to this.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Realm(String);

impl Realm {
    /// Tells this account and another one from all other two.
    pub fn beside(&self, other: &Self) -> String {
        let (one, other) = if self < other { (self, other) } else { (other, self) };
        digest(&["two accounts", &one.0, &other.0])
    }

    /// Whether the two may be one account although they are called otherwise: neither has an id that no other account has.
    pub(super) fn may_be(&self, other: &Self) -> bool {
        let is_unique = |realm: &Self| uuid::Uuid::try_parse(&realm.0).is_ok();
        self != other && !is_unique(self) && !is_unique(other)
    }

    /// The realm of an account that is written `host/id`.
    pub fn of(account: &str) -> Self {
        let id = account.rsplit_once('/').map_or(account, |(_, id)| id);
        let unique = uuid::Uuid::try_parse(id).ok().map(|id| id.hyphenated().to_string());
        Self(unique.unwrap_or_else(|| account.to_owned()))
    }
}

/// What an object wants to own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ownership {
    /// The kind of vendor.
    pub vendor: &'static str,
    /// The account.
    pub account: Realm,
    /// A reading with credentials that the vendor accepted has shown this account. What a person may write into a Secret is no
    /// ownership against others.
    pub confirmed: bool,
    /// The pool within it.
    pub pool: &'static str,
    /// The older object owns a pool.
    pub age: Age,
    /// Seats the object wants of its pool, if it may change them.
    pub wanted: Option<i32>,
}

/// A change that may still be running.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct InFlight {
    /// Id of its intent.
    pub id: String,
    /// The account that it changes, which need not be the one that the object has now.
    pub account: Realm,
}

impl InFlight {
    /// The change of an intent.
    pub fn of(intent: &Intent) -> Self {
        Self { id: intent.id.clone(), account: Realm::of(&intent.account) }
    }
}

/// What a pass found of an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Found {
    /// It wants nothing.
    Nothing,
    /// It wants a pool of an account that only the vendor can name, and the vendor is about to be asked.
    Unplaced {
        /// The kind of vendor.
        vendor: &'static str,
        /// The age of the object.
        age: Age,
    },
    /// It wants something.
    Wants(Noted),
}

/// What was found of an object that wants something.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Noted {
    /// What it wants.
    pub ownership: Ownership,
    /// A change of it that may still be running.
    pub open: Option<InFlight>,
    /// What its account shows.
    pub rows: Rows,
}

/// What distinguishes an account without an id of its own from others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rows {
    /// Number and identifier of each row that it lists; `None`: that is not known, or the account has an id.
    pub listed: Option<BTreeSet<String>>,
    /// They were read from the vendor in this pass.
    pub read: bool,
    /// Ids of other accounts with the same rows that differ from this one, as a person says.
    pub differ: BTreeSet<String>,
}
