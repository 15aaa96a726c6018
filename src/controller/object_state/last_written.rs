//! The state of an object after a pass, to distinguish writes by others from writes by this process.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Instant;

use serde_json::Value;

/// An object as a pass of this process left it.
#[derive(Clone, Debug)]
pub(in crate::controller) struct Left {
    /// The term of leadership of the pass: in another term, another replica may have written.
    pub term: u64,
    /// When a pass last restored a status that another writer had written.
    pub redone: Option<Instant>,
    /// The versions that it read and wrote.
    versions: Vec<String>,
    /// A hash of the whole status.
    status: u64,
}

impl Left {
    pub fn new(versions: &[String], status: &Value, (term, redone): (u64, Option<Instant>)) -> Self {
        Self { term, redone, versions: versions.to_vec(), status: hash(status) }
    }

    /// Whether the pass read or wrote this version.
    pub fn knows(&self, version: Option<&str>) -> bool {
        version.is_some_and(|version| self.versions.iter().any(|known| known == version))
    }

    /// Notes that another writer wrote this version, and did not change the status.
    pub fn learn(&mut self, version: Option<String>) {
        self.versions = version.into_iter().collect();
    }

    /// Whether this is another status.
    pub fn differs(&self, status: &Value) -> bool {
        self.status != hash(status)
    }
}

/// A hash of its JSON, in which the order of names is always the same.
fn hash(status: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    status.to_string().hash(&mut hasher);
    hasher.finish()
}
