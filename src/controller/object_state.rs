//! Per-object state of this process between passes: the trigger of the last pass, the duration of a doubt on the monotonic clock,
//! and the credentials that need no new try. All of it may be lost at any time: a restart waits longer, and never buys.

mod between_passes;
mod last_written;
mod pass_request;
mod requeue;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::queue::Class;
pub(super) use crate::registry::Key;
pub(super) use between_passes::{CredentialPause, ObjectState};
pub(super) use last_written::Left;
pub(super) use pass_request::PassRequest;
pub(super) use requeue::{backoff, jitter};

/// The state of all objects between passes.
#[derive(Debug, Default)]
pub(super) struct ObjectStates(Mutex<HashMap<Key, ObjectState>>);

impl ObjectStates {
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, ObjectState>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The urgency of a pass after an event of the watch; `None`: the last pass knew the change.
    pub fn news(&self, key: &Key, requested: &PassRequest) -> Option<Class> {
        match self.lock().get(key).and_then(|state| state.requested.as_ref()) {
            Some(known) if known == requested => None,
            Some(known) if known.uid == requested.uid => Some(Class::Urgent),
            _ => Some(Class::New),
        }
    }

    /// Begins a pass: the state to work on. The queue never hands out an object twice at once, so the state may be worked
    /// on outside the lock.
    pub fn begin(&self, key: &Key, requested: &PassRequest, now: Instant) -> ObjectState {
        let mut entries = self.lock();
        let state = entries.entry(key.clone()).or_default();
        state.begin(requested, now)
    }

    /// The object as the last pass left it, if no pass runs and that pass did not know this version.
    pub fn suspects(&self, key: &Key, version: Option<&str>) -> Option<Left> {
        let entries = self.lock();
        let left = entries.get(key).filter(|state| !state.running)?.left.as_ref()?;
        (!left.knows(version)).then(|| left.clone())
    }

    /// Notes that another writer wrote this version of the object, and did not change the status.
    pub fn learn_version(&self, key: &Key, version: Option<String>) {
        if let Some(left) = self.lock().get_mut(key).and_then(|state| state.left.as_mut()) {
            left.learn(version);
        }
    }

    /// The urgency of the next pass of an object that waits for its turn.
    pub fn waits(&self, key: &Key) -> Option<Class> {
        self.lock().get(key).filter(|state| state.rate_limited).map(ObjectState::class)
    }

    /// Ends a pass.
    pub fn end(&self, key: &Key, state: ObjectState) {
        self.lock().insert(key.clone(), state);
    }

    /// Unrecorded effects are retried without back-off.
    pub fn end_back_off(&self) {
        for state in self.lock().values_mut() {
            state.unkept = 0;
        }
    }

    pub fn forget(&self, key: &Key) {
        self.lock().remove(key);
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

    use super::*;

    #[test]
    fn watch_event_distinguishes_new_object_edit_and_known_state() {
        let (states, key) = (ObjectStates::default(), ("it".to_owned(), "acme".to_owned()));
        let requested = |uid: &str, generation| {
            let (uid, generation) = (Some(uid.into()), Some(generation));
            PassRequest::of(&ObjectMeta { uid, generation, ..ObjectMeta::default() })
        };
        assert_eq!(states.news(&key, &requested("a", 1)), Some(Class::New));
        let state = states.begin(&key, &requested("a", 1), Instant::now());
        assert_eq!(states.news(&key, &requested("a", 2)), Some(Class::Urgent), "edited during the first pass");
        states.end(&key, state);
        assert_eq!(states.news(&key, &requested("a", 1)), None);
        assert_eq!(states.news(&key, &requested("a", 2)), Some(Class::Urgent));
        assert_eq!(states.news(&key, &requested("b", 1)), Some(Class::New), "another object by the same name");
        states.forget(&key);
        assert_eq!(states.news(&key, &requested("a", 1)), Some(Class::New));
    }
}
