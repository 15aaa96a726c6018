//! How often a missing Secret is read again, and how long no other change is a reason to read the vendor.

use std::time::{Duration, Instant};

use super::ObjectState;

/// This many readings of a Secret take a minute, with the time as shipped.
const MINUTE: u32 = 12;

impl ObjectState {
    /// The time from this reading of a Secret to the next one: `often` for a minute, with the shipped value, and then a minute. An
    /// action of a person on the object begins a new minute.
    pub fn secret_recheck(&mut self, often: Duration, now: Instant) -> Duration {
        let since = *self.waits_for_secret.get_or_insert(now);
        if now.duration_since(since) < often * MINUTE { often } else { often * MINUTE }
    }

    /// How long only a change of a Secret is a reason to read the vendor. `secrets`: the versions of all Secrets.
    pub fn watches_only(&self, secrets: Option<&str>, now: Instant) -> Option<Duration> {
        let (until, term) = self.secret_watch?;
        let idle = !self.asked && !self.foreign && self.proof.is_none() && !self.doubt.runs();
        let same = term == self.term && secrets.is_some() && self.read_with.as_deref() == secrets;
        (idle && same && until > now).then(|| until.duration_since(now))
    }
}
