//! What is known of one object: its age, what it claims, and which change of it may still be running.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::api::Intent;

/// Namespace and name of an object.
pub type Key = (String, String);

/// When an object was created, then its uid: the smaller is the older.
pub type Age = (Option<Timestamp>, String);

/// The age of an object.
pub fn age_of(metadata: &ObjectMeta) -> Age {
    (metadata.creation_timestamp.as_ref().map(|time| time.0), metadata.uid.clone().unwrap_or_default())
}

/// What an object lays claim to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Claim {
    /// `host/id`.
    pub account: String,
    /// The pool within it.
    pub pool: &'static str,
    /// The older object owns a pool.
    pub age: Age,
    /// Seats the object wants of its pool, if it may change them.
    pub wanted: Option<i32>,
}

/// A change that may still be running.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Open {
    /// Id of its intent.
    pub id: String,
    /// The account that it changes, `host/id`, which need not be the one that the object has now.
    pub account: String,
}

impl Open {
    /// The change of an intent.
    pub fn of(intent: &Intent) -> Self {
        Self { id: intent.id.clone(), account: intent.account.clone() }
    }
}

/// What a pass found of an object that claims something.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Noted {
    /// What it claims.
    pub claim: Claim,
    /// A change of it that may still be running.
    pub open: Option<Open>,
}
