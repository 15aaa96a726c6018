//! How a pass left its object, to distinguish what others write there from what this process wrote.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Instant;

use serde_json::Value;

/// An object as a pass of this process left it.
#[derive(Clone, Debug)]
pub(in crate::controller) struct Left {
    /// The term of leadership of the pass: in another term, another replica may have written.
    pub term: u64,
    /// When a status of another writer was redone last.
    pub redone: Option<Instant>,
    /// The versions that it read and wrote.
    versions: Vec<String>,
    /// Stands for the whole status.
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

    /// Another writer wrote this version, and left the status alone.
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
