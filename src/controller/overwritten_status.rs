//! Notices that another writer wrote a status, and has a pass restore it before the next poll. The watch carries no status, so a
//! version that is not ours is read once. Only a changed status is a reason for a pass: a label is none.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use kube::ResourceExt;
use tokio::sync::Notify;

use super::object_state::Key;
use super::queue::Class;
use super::stored_object::StoredObject;
use super::{Context, Error};

/// Objects of which another writer wrote a version, each with the time at which it is read.
#[derive(Debug, Default)]
pub(super) struct Suspects {
    due: Mutex<HashMap<Key, Instant>>,
    changed: Notify,
}

impl Suspects {
    fn add(&self, key: &Key, due: Instant) {
        self.due.lock().unwrap_or_else(PoisonError::into_inner).entry(key.clone()).or_insert(due);
        self.changed.notify_one();
    }

    fn first(&self) -> Option<(Instant, Key)> {
        let due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        due.iter().map(|(key, due)| (*due, key.clone())).min()
    }

    /// Waits for the first due object, and takes it.
    async fn next(&self) -> Key {
        loop {
            let first = self.first();
            let timer = async {
                match &first {
                    Some((due, _)) => tokio::time::sleep_until((*due).into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.changed.notified() => continue,
                () = timer => {}
            }
            if let Some((_, key)) = first {
                self.due.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
                return key;
            }
        }
    }
}

impl Context {
    /// Suspects that another writer wrote the status of an object. Two that write against each other do so no more often than the
    /// shortest interval allows.
    pub(super) fn suspect(&self, key: &Key) {
        let Some(object) = self.known(key).filter(|_| self.leadership.is_current()) else { return };
        if let Some(left) = self.states.suspects(key, object.resource_version().as_deref()) {
            let now = Instant::now();
            self.suspects.add(key, left.redone.map_or(now, |redone| redone + self.settings.min_interval));
        }
    }

    /// Whether another writer wrote the status since the last pass.
    async fn is_foreign(&self, key: &Key) -> Result<bool, Error> {
        let Some(stored) = StoredObject::read(&self.client, key).await? else { return Ok(false) };
        let version = stored.metadata().resource_version.clone();
        let Some(left) = self.states.suspects(key, version.as_deref()) else { return Ok(false) };
        let foreign = left.term == self.term() && left.differs(stored.record());
        if !foreign {
            self.states.learn_version(key, version);
        }
        Ok(foreign)
    }
}

/// Checks suspects one by one, and requests passes.
pub(super) async fn follow(context: &Context) {
    loop {
        let key = context.suspects.next().await;
        match context.is_foreign(&key).await {
            Ok(true) => {
                tracing::info!(
                    namespace = key.0,
                    name = key.1,
                    "another writer changed the status: Seatkeeper writes it anew"
                );
                context.queue.push(&key, Class::Poll);
            }
            Ok(false) => {}
            Err(error) => tracing::debug!(%error, "an object could not be read to find its writer"),
        }
    }
}
