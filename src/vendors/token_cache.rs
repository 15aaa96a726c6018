//! The token of one key: fetched by one caller while the others wait, renewed before it expires, replaced when the API refuses
//! it, and not asked for again where the key itself was refused.

mod refused_key;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex as SyncMutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use refused_key::RefusedKey;
use secrecy::SecretString;
use tokio::sync::Mutex;

use super::Urgency;
use super::error::{Failure, VendorError};
use super::rate_limit::Wait;
use super::secret_data::never_shown;
use crate::domain::Remedy;
use crate::registry::Key;

/// This many failures of the vendor in a row make a token suspect.
const FAILURES: u32 = 3;

/// A token as the vendor gave it.
pub(super) struct NewToken {
    pub value: SecretString,
    /// How long it lasts; `None`: that is not known, and it is used until it is refused.
    pub lifetime: Option<Duration>,
}

/// A token in use.
pub(super) struct Token {
    pub value: SecretString,
    /// Each token has the number after the one before it, from 1.
    pub number: u64,
}

/// The request for a token, or for the turn of a request: what decides which one comes first, and whether a key may be
/// tried again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker<'a> {
    pub object: &'a Key,
    /// Versions of the Secrets that the key came from.
    pub secret: &'a str,
    pub urgency: Urgency,
    /// The request was refused lately.
    pub failed: bool,
    /// Remaining lifetime that a token should have.
    pub lasts: Duration,
}

/// The last token, and when to ask for another one.
struct Held {
    value: SecretString,
    number: u64,
    renew: Option<Instant>,
    /// Intended lifetime, as received.
    used_for: Duration,
}

impl Held {
    fn is_good(&self, now: Instant) -> bool {
        self.lasts(now, Duration::ZERO)
    }

    /// Whether it has this much lifetime left, or more than half of a short one.
    fn lasts(&self, now: Instant, lasts: Duration) -> bool {
        self.renew.is_none_or(|renew| now + lasts.min(self.used_for / 2) < renew)
    }
}

/// The tokens of one key.
pub(super) struct Tokens<E> {
    held: Mutex<Option<Held>>,
    refused: SyncMutex<RefusedKey<E>>,
    /// In a row.
    failures: AtomicU32,
    /// A token is renewed this long before it expires, or after half of its life if that comes later.
    renew_before: Duration,
    /// How long a refused key is not tried again unchanged.
    probe: Duration,
}

never_shown!(NewToken, Token, Held, Tokens<()>);

impl<E: Failure> Tokens<E> {
    pub fn new(renew_before: Duration, probe: Duration) -> Self {
        let failures = AtomicU32::default();
        Self { held: Mutex::default(), refused: SyncMutex::default(), failures, renew_before, probe }
    }

    /// The current token. If there is none, takes `turn` and fetches one under the lock: one caller asks, and the others
    /// wait. Without an `asker` no turn is taken: a pass that has begun is to be finished.
    ///
    /// # Errors
    /// Those of `turn` and `fetch`, and the remembered refusal of the key while the same answer is expected.
    pub async fn get<F: Future<Output = Result<NewToken, E>>>(
        &self,
        asker: Option<Asker<'_>>,
        turn: impl FnOnce(Asker<'_>) -> Result<(), Wait>,
        fetch: impl FnOnce() -> F,
    ) -> Result<Token, E> {
        let mut held = self.held.lock().await;
        let lasts = asker.map_or(Duration::ZERO, |asker| asker.lasts);
        if let Some(Held { value, number, .. }) = held.as_ref().filter(|held| held.lasts(Instant::now(), lasts)) {
            return Ok(Token { value: value.clone(), number: *number });
        }
        let (secret, urgency) = asker.map(|asker| (asker.secret, asker.urgency)).unzip();
        let person = urgency == Some(Urgency::Asked);
        if let Some(error) = self.refusals().remembered(secret, person, self.probe, Instant::now()) {
            return Err(error);
        }
        if let Some(asker) = asker {
            let failed = self.refusals().was_refused_lately(Instant::now());
            turn(Asker { failed, ..asker }).map_err(VendorError::from)?;
        }
        let fetched = fetch().await;
        let refused = fetched.as_ref().err().filter(|error| error.remedy() == Remedy::Credentials);
        self.refusals().note(refused, secret, Instant::now());
        let NewToken { value, lifetime } = fetched?;
        let number = held.as_ref().map_or(0, |held| held.number) + 1;
        let used_for = lifetime.map(|lifetime| used_for(lifetime, self.renew_before));
        let renew = used_for.map(|used_for| Instant::now() + used_for);
        *held = Some(Held { value: value.clone(), number, renew, used_for: used_for.unwrap_or_default() });
        Ok(Token { value, number })
    }

    /// The number of the token in use; 0 before the first.
    pub async fn number(&self) -> u64 {
        self.held.lock().await.as_ref().map_or(0, |held| held.number)
    }

    /// Whether another token than the one with this number is used from now on. It is dropped as long as the hour's tokens
    /// last and none was dropped within `pause`; where another was faster, that costs nothing.
    pub async fn replace(&self, number: u64, pause: Duration) -> bool {
        let (mut held, now) = (self.held.lock().await, Instant::now());
        let Some(held) = held.as_mut().filter(|held| held.number == number && held.is_good(now)) else {
            return true;
        };
        let may = self.refusals().renew(pause, now);
        if may {
            held.renew = Some(now);
        }
        may
    }

    /// Notes that the vendor failed (a 5xx) when it was asked with the token of this number. Some vendors fail so where they
    /// should refuse the token. Whether another one is used from now on: after the third failure in a row, as often as the
    /// hour's tokens allow.
    pub async fn failed(&self, number: u64) -> bool {
        let in_a_row = self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        in_a_row >= FAILURES && self.replace(number, self.probe).await
    }

    /// Notes that the vendor gave what it was asked for.
    pub fn worked(&self) {
        self.failures.store(0, Ordering::Relaxed);
    }

    /// Drops the token with this number; a newer one stays.
    pub async fn forget(&self, number: u64) {
        if let Some(held) = self.held.lock().await.as_mut().filter(|held| held.number == number) {
            held.renew = Some(Instant::now());
        }
    }

    fn refusals(&self) -> MutexGuard<'_, RefusedKey<E>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a token is used that lasts so long.
fn used_for(lifetime: Duration, renew_before: Duration) -> Duration {
    lifetime.saturating_sub(renew_before.min(lifetime / 2))
}
