//! The keys of one vendor in use. All objects with the same key share its connection, its token and its refusals.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::credential_hash::CredentialHash;
use super::secret_data::never_shown;
use crate::domain::Fault;

/// A session that no object has used for this long is dropped, tokens and all.
const FORGET_AFTER: Duration = Duration::from_secs(2 * 3600);

/// Sessions by the fingerprints of their keys, each with when it was used last.
pub(super) struct Sessions<S>(Mutex<HashMap<CredentialHash, (Arc<S>, Instant)>>);

never_shown!(Sessions<()>);

impl<S> Default for Sessions<S> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<S> Sessions<S> {
    /// The session of this fingerprint; opens one if absent. `now`: the time of use.
    ///
    /// # Errors
    /// Those of `open`, which then leaves no session.
    pub fn get(
        &self,
        fingerprint: CredentialHash,
        now: Instant,
        open: impl FnOnce() -> Result<S, Fault>,
    ) -> Result<Arc<S>, Fault> {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((session, used)) = sessions.get_mut(&fingerprint) {
            *used = now;
            return Ok(Arc::clone(session));
        }
        sessions.retain(|_, (_, used)| now.duration_since(*used) < FORGET_AFTER);
        let session = Arc::new(open()?);
        sessions.insert(fingerprint, (Arc::clone(&session), now));
        Ok(session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(text: &str) -> CredentialHash {
        CredentialHash::of([text.as_bytes()])
    }

    #[test]
    fn session_is_per_key() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let first = sessions.get(print("a"), now, || Ok(1)).unwrap();
        let again = sessions.get(print("a"), now, || panic!("it is open")).unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        assert_eq!(*sessions.get(print("b"), now, || Ok(2)).unwrap(), 2);
    }

    #[test]
    fn failed_session_is_retried_and_closes_no_other() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        sessions.get(print("a"), now, || Ok(1)).unwrap();
        assert!(sessions.get(print("b"), now, || Err(Fault::spec("no certificate".into()))).is_err());
        assert_eq!(*sessions.get(print("b"), now, || Ok(2)).unwrap(), 2);
        assert_eq!(*sessions.get(print("a"), now, || panic!("it is open")).unwrap(), 1);
    }

    #[test]
    fn session_unused_for_two_hours_is_dropped_when_another_is_opened() {
        let (sessions, start) = (Sessions::default(), Instant::now());
        let session = |key: &str, at: Duration| sessions.get(print(key), start + at, || Ok(key.to_owned())).unwrap();
        let unused = Arc::downgrade(&session("unused", Duration::ZERO));
        let used = Arc::downgrade(&session("used", Duration::ZERO));
        session("used", FORGET_AFTER / 2);
        session("early", FORGET_AFTER - Duration::from_secs(1));
        assert!(unused.upgrade().is_some());
        session("late", FORGET_AFTER);
        assert!(unused.upgrade().is_none() && used.upgrade().is_some());
    }
}
