//! A key in use: one cached token per key, fetched by one caller while the others wait, renewed before it expires, and
//! replaced once when the API refuses it. What is asked with it is in `public` and `private`.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex as SyncMutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::{Method, RequestBuilder, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use super::error::BitwardenError;
use super::key::KeyOf;
use super::private::Known;
use super::refused_key::RefusedKey;
use super::wire::{TokenAnswer, TokenError};
use super::{ApiKey, VENDOR, rates};
use crate::plan::{Fault, Remedy};
use crate::vendors::Urgency;
use crate::vendors::connection::Connection;
use crate::vendors::endpoint::{host, join};
use crate::vendors::error::{Failure, VendorError};
use crate::vendors::http::Http;
use crate::vendors::secret_data::never_shown;
use crate::vendors::sessions::Sessions;

/// A token is renewed this long before it expires (section 16.3).
const RENEW_BEFORE: Duration = Duration::from_secs(300);

/// Linux CLI (section 3.2).
const DEVICE_TYPE: &str = "25";

/// A token with the time it should be replaced. Not `Debug`.
struct Token {
    value: SecretString,
    number: u64,
    renew: Instant,
}

/// A key in use.
pub(in crate::vendors) struct Session {
    key: ApiKey,
    pub(super) connection: Connection,
    token: Mutex<Option<Token>>,
    refused: SyncMutex<RefusedKey>,
    /// The last write was refused with 401.
    pub(super) write_unauthorized: AtomicBool,
    /// What is asked seldom (a person's key only).
    pub(super) known: SyncMutex<Known>,
}

never_shown!(Token, Session, TokenAnswer);

impl Session {
    /// The session of a key, which all objects with that key share. Sends nothing.
    pub(super) fn shared(sessions: &Sessions<Self>, http: &Http, key: ApiKey) -> Result<Arc<Self>, Fault> {
        sessions.get(key.fingerprint(), Instant::now(), || {
            Ok(Self {
                connection: Connection::new(http, VENDOR, rates::RATES, key.ca.as_deref())?,
                key,
                token: Mutex::default(),
                refused: SyncMutex::default(),
                write_unauthorized: AtomicBool::default(),
                known: SyncMutex::default(),
            })
        })
    }

    pub(super) fn host(&self) -> String {
        host(&self.key.api)
    }

    pub(super) fn client_id(&self) -> &str {
        &self.key.client_id
    }

    pub(super) fn server(&self) -> &Url {
        &self.key.api
    }

    /// Runs a read; refused with 401 or 403, once more with a fresh token (section 16.3).
    pub(super) async fn with_token<T, F: Future<Output = Result<T, BitwardenError>>>(
        &self,
        operation: &'static str,
        read: impl Fn(SecretString) -> F,
    ) -> Result<T, BitwardenError> {
        let (token, number) = self.token().await?;
        let mut result = read(token).await;
        let pause = match result {
            Err(BitwardenError::Unauthorized) => Some(Duration::ZERO),
            Err(BitwardenError::Forbidden) => Some(self.connection.settings.credential_probe),
            _ => None,
        };
        if let Some(pause) = pause {
            self.connection.count(operation, "token_refused");
            if self.replace(number, pause).await {
                let (token, _) = self.token().await?;
                result = read(token).await;
            }
        }
        self.connection.count_result(operation, &result);
        result
    }

    /// Fetches a token in its turn, if none is there. `secret`: version of the Secret that the key came from.
    pub(super) async fn turn_of_token(&self, secret: &str, urgency: Urgency) -> Result<(), BitwardenError> {
        self.token_in_turn(Some((secret, urgency))).await.map(drop)
    }

    /// The current token and its number.
    pub(super) async fn token(&self) -> Result<(SecretString, u64), BitwardenError> {
        self.token_in_turn(None).await
    }

    /// The current token and its number. The lock is held while fetching: one caller asks, the others wait for it. With the
    /// version of a Secret and an urgency a new one is fetched in its turn, which all objects with this key share.
    async fn token_in_turn(&self, asked: Option<(&str, Urgency)>) -> Result<(SecretString, u64), BitwardenError> {
        let mut held = self.token.lock().await;
        if let Some(token) = held.as_ref().filter(|token| Instant::now() < token.renew) {
            return Ok((token.value.clone(), token.number));
        }
        let (secret, urgency) = asked.unzip();
        let (person, probe) = (urgency == Some(Urgency::Asked), self.connection.settings.credential_probe);
        if let Some(error) = self.refusals().remembered(secret, person, probe, Instant::now()) {
            return Err(error);
        }
        if let Some(urgency) = urgency {
            self.connection
                .turn(Method::POST, &self.token_url(), self.key.fingerprint(), urgency)
                .map_err(VendorError::from)?;
        }
        let number = held.as_ref().map_or(0, |token| token.number) + 1;
        let fetched = self.fetch_token().await;
        self.connection.count_result("token", &fetched);
        let refused = fetched.as_ref().err().filter(|error| error.remedy() == Remedy::Credentials);
        self.refusals().note(refused, secret, Instant::now());
        let (value, lifetime) = fetched?;
        let renew = Instant::now() + lifetime.saturating_sub(RENEW_BEFORE.min(lifetime / 2));
        *held = Some(Token { value: value.clone(), number, renew });
        Ok((value, number))
    }

    fn refusals(&self) -> std::sync::MutexGuard<'_, RefusedKey> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn token_url(&self) -> Url {
        join(&self.key.identity, "connect/token")
    }

    /// The number of the token in use; 0 before the first.
    pub(super) async fn token_number(&self) -> u64 {
        self.token.lock().await.as_ref().map_or(0, |token| token.number)
    }

    /// Whether another token than the one with this number is used from now on. It is dropped as long as the hour's tokens
    /// last and none was dropped within `pause`; where somebody was faster, that costs nothing.
    pub(super) async fn replace(&self, number: u64, pause: Duration) -> bool {
        let (mut held, now) = (self.token.lock().await, Instant::now());
        let Some(token) = held.as_mut().filter(|token| token.number == number && now < token.renew) else {
            return true;
        };
        let may = self.refusals().renew(pause, now);
        if may {
            token.renew = now;
        }
        may
    }

    /// Drops the token with this number; a newer one stays.
    pub(super) async fn forget(&self, number: u64) {
        let mut held = self.token.lock().await;
        if let Some(token) = held.as_mut().filter(|token| token.number == number) {
            token.renew = Instant::now();
        }
    }

    /// `POST /connect/token` (sections 3.1, 3.2 and 3.5). Organization keys need no device, and do not mind one
    /// (section 19).
    async fn fetch_token(&self) -> Result<(SecretString, Duration), BitwardenError> {
        let scope = match self.key.of {
            KeyOf::Organization(_) => "api.organization",
            KeyOf::User => "api",
        };
        let device = self.key.device().to_string();
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", scope),
            ("client_id", &self.key.client_id),
            ("client_secret", self.key.client_secret.expose_secret()),
            ("deviceType", DEVICE_TYPE),
            ("deviceIdentifier", &device),
            ("deviceName", "seatkeeper"),
        ];
        let request = self.headers(self.connection.request(Method::POST, self.token_url())).form(&form);
        let answer = self.connection.ask(request).await?;
        match answer.status {
            StatusCode::OK => Ok(answer.json::<TokenAnswer>("the token answer is not what it should be")?.token()?),
            StatusCode::BAD_REQUEST => {
                let error = answer.json::<TokenError>("no error code");
                Err(error.map_or(BitwardenError::TokenRefused(400), |error| error.meaning()))
            }
            _ => Err(answer.refusal()),
        }
    }

    pub(super) fn url(&self, path: &str) -> Url {
        join(&self.key.api, path)
    }

    pub(super) fn api(&self, verb: Method, url: Url, token: &SecretString) -> RequestBuilder {
        self.headers(self.connection.request(verb, url)).bearer_auth(token.expose_secret())
    }

    fn headers(&self, request: RequestBuilder) -> RequestBuilder {
        request
            .header("Accept", "application/json")
            .header("Bitwarden-Client-Name", "cli")
            .header("Bitwarden-Client-Version", &*self.connection.settings.bitwarden_client_version)
            .header("Device-Type", DEVICE_TYPE)
    }
}

#[cfg(test)]
mod tests;
