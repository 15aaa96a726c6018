//! Requests with an organization key: one cached token per key, fetched by one caller while the others wait, renewed
//! before it expires, and replaced once when the API refuses it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as SyncMutex, PoisonError};
use std::time::{Duration, Instant};

use futures::TryStreamExt;
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tokio_util::io::{StreamReader, SyncIoBridge};

use super::wire::{Message, Subscription, SubscriptionChange, TokenAnswer, TokenError};
use super::{NAME, OrganizationKey, VENDOR, members};
use crate::plan::{Fault, Outcome, Refusal, Remedy};
use crate::vendors::endpoint::{host, join};
use crate::vendors::http::{self, Http, HttpSettings, RequestCounter, RequestLabels};
use crate::vendors::secret_data::invalid;
use crate::vendors::{Go, VendorError};

/// A token is renewed this long before it expires (section 16.3).
const RENEW_BEFORE: Duration = Duration::from_secs(300);

/// Sessions that nobody has used for this long are dropped, tokens and all.
const FORGET_AFTER: Duration = Duration::from_secs(2 * 3600);

/// The version this client claims to be. Only user keys need it, but the edge looks at it (section 16.2).
const CLIENT_VERSION: &str = "2026.8.0";

/// A token with the time it should be replaced. Not `Debug`.
struct Token {
    value: SecretString,
    number: u64,
    renew: Instant,
}

/// An organization key in use.
pub(in crate::vendors) struct Session {
    key: OrganizationKey,
    client: Client,
    settings: HttpSettings,
    requests: RequestCounter,
    token: Mutex<Option<Token>>,
    /// The last write was refused with 401.
    write_unauthorized: AtomicBool,
}

/// Of a key and its servers.
type Fingerprint = [u8; 32];

/// All keys in use, so that objects with the same key share its token.
#[derive(Default)]
pub(in crate::vendors) struct Sessions(SyncMutex<HashMap<Fingerprint, (Arc<Session>, Instant)>>);

impl Sessions {
    pub(in crate::vendors) fn get(&self, http: &Http, key: OrganizationKey) -> Result<Arc<Session>, Fault> {
        let fingerprint = key.fingerprint();
        let now = Instant::now();
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((session, used)) = sessions.get_mut(&fingerprint) {
            *used = now;
            return Ok(Arc::clone(session));
        }
        sessions.retain(|_, (_, used)| now.duration_since(*used) < FORGET_AFTER);
        let client = http.client(key.ca.as_deref()).map_err(|_| {
            invalid(
                "ca.crt",
                "holds no certificate: store the CA's certificates in PEM form (-----BEGIN CERTIFICATE-----)",
            )
        })?;
        let (settings, requests) = (http.settings, http.requests());
        let session = Arc::new(Session {
            key,
            client,
            settings,
            requests,
            token: Mutex::default(),
            write_unauthorized: AtomicBool::default(),
        });
        sessions.insert(fingerprint, (Arc::clone(&session), now));
        Ok(session)
    }
}

impl Session {
    pub(super) fn host(&self) -> String {
        host(&self.key.api)
    }

    pub(super) fn organization_id(&self) -> String {
        self.key.organization_id.clone()
    }

    /// `GET /public/organization/subscription` (section 5.2).
    pub(super) async fn subscription(&self) -> Result<Subscription, VendorError> {
        self.with_token("get_subscription", |token| self.get_subscription(token)).await
    }

    /// Members that take a seat, from `GET /public/members` (section 5.4).
    pub(super) async fn count_members(&self) -> Result<i32, VendorError> {
        self.with_token("get_members", |token| self.get_members(token)).await
    }

    async fn get_subscription(&self, token: SecretString) -> Result<Subscription, VendorError> {
        let request = self.api(self.client.get(self.url("public/organization/subscription")), &token);
        let answer = http::exchange(request, self.settings.read_timeout).await?;
        match answer.status {
            StatusCode::OK => answer.json("the subscription is not what it should be"),
            // The one meaning a 400 of the application has here (section 15.1); proxies have others.
            StatusCode::BAD_REQUEST if answer.json::<Message>("no message").is_ok() => Err(VendorError::SelfHosted),
            _ => Err(answer.refusal()),
        }
    }

    async fn get_members(&self, token: SecretString) -> Result<i32, VendorError> {
        let request = self.api(self.client.get(self.url("public/members")), &token);
        let response = http::open(request, self.settings.read_timeout).await?;
        if response.status() != StatusCode::OK {
            return Err(http::refusal(response.status(), http::retry_after(&response)));
        }
        let body = response.bytes_stream().map_err(std::io::Error::other);
        let reader = SyncIoBridge::new(StreamReader::new(body));
        let counted = tokio::task::spawn_blocking(move || members::count(reader)).await;
        counted.unwrap_or(Err(VendorError::Unreadable("counting members failed")))
    }

    /// `PUT /public/organization/subscription` (section 5.3): one request, once.
    pub(super) async fn change(&self, change: &SubscriptionChange, go: Go<'_>) -> Outcome {
        let (token, number) = match self.token().await {
            Ok(token) => token,
            Err(error) => return Outcome::Refused(self.no_token(&error)),
        };
        let request = self.api(self.client.put(self.url("public/organization/subscription")), &token).json(change);
        if let Err(why) = go() {
            return Outcome::NotSent(why);
        }
        let answer = http::exchange(request, self.settings.write_timeout).await;
        let outcome = match &answer {
            Ok(answer) => self.outcome(answer),
            // A certificate that is refused ends the handshake: no byte of the request has left.
            Err(VendorError::Certificate) => Outcome::NotSent("certificate not trusted"),
            Err(_) => Outcome::Unanswered,
        };
        let unauthorized = answer.is_ok_and(|answer| answer.status == StatusCode::UNAUTHORIZED);
        if unauthorized {
            self.forget(number).await;
        }
        self.write_unauthorized.store(unauthorized, Ordering::Relaxed);
        self.count("put_subscription", outcome.label());
        outcome
    }

    /// What an answer to the PUT proves (sections 5.3, 15.1 and 16.4). The application's own answers are JSON with a
    /// message, or empty where the framework refuses; everything else comes from something in between.
    fn outcome(&self, answer: &http::Answer) -> Outcome {
        let from_application = answer.json::<Message>("no message").is_ok();
        match answer.status {
            StatusCode::OK if from_application => Outcome::Accepted,
            StatusCode::INTERNAL_SERVER_ERROR if from_application => Outcome::Answered,
            StatusCode::UNAUTHORIZED
            | StatusCode::FORBIDDEN
            | StatusCode::NOT_FOUND
            | StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::UNSUPPORTED_MEDIA_TYPE
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_REQUEST => Outcome::Refused(self.refused(&match answer.status {
                StatusCode::BAD_REQUEST => VendorError::Status(400),
                _ => answer.refusal(),
            })),
            status if status.is_redirection() => Outcome::Refused(self.refused(&answer.refusal())),
            _ => Outcome::Unanswered,
        }
    }

    /// Without a token nothing was sent: whatever the reason, it is not a refusal of the change.
    fn no_token(&self, error: &VendorError) -> Refusal {
        match error {
            VendorError::Throttled { after } => Refusal::Throttled(*after),
            _ => Refusal::Credentials(error.fault(NAME, &self.host())),
        }
    }

    fn refused(&self, error: &VendorError) -> Refusal {
        let fault = error.fault(NAME, &self.host());
        match error {
            VendorError::Throttled { after } => Refusal::Throttled(*after),
            // The token was good for the reading just before, so it has just expired; but not twice in a row: then it
            // is a permission answer (section 16.3).
            VendorError::Unauthorized if !self.write_unauthorized.load(Ordering::Relaxed) => {
                let remedy = Remedy::Time { after: None, secret_may_help: false };
                Refusal::Credentials(Fault { remedy, ..fault })
            }
            VendorError::Status(status) => Refusal::Request(format!("status {status}")),
            VendorError::NotFound => Refusal::Request("status 404".into()),
            _ => Refusal::Credentials(fault),
        }
    }

    /// Runs a read; refused with 401 or 403, once more with a fresh token (section 16.3).
    async fn with_token<T, F: Future<Output = Result<T, VendorError>>>(
        &self,
        operation: &'static str,
        read: impl Fn(SecretString) -> F,
    ) -> Result<T, VendorError> {
        let (token, number) = self.token().await?;
        let mut result = read(token).await;
        if matches!(result, Err(VendorError::Unauthorized | VendorError::Forbidden)) {
            self.count(operation, "token_refused");
            self.forget(number).await;
            let (token, _) = self.token().await?;
            result = read(token).await;
        }
        self.count(operation, result.as_ref().map_or_else(VendorError::label, |_| "ok"));
        result
    }

    /// The current token and its number. The lock is held while fetching: one caller asks, the others wait for it.
    async fn token(&self) -> Result<(SecretString, u64), VendorError> {
        let mut held = self.token.lock().await;
        if let Some(token) = held.as_ref().filter(|token| Instant::now() < token.renew) {
            return Ok((token.value.clone(), token.number));
        }
        let number = held.as_ref().map_or(0, |token| token.number) + 1;
        let fetched = self.fetch_token().await;
        self.count("token", fetched.as_ref().map_or_else(VendorError::label, |_| "ok"));
        let (value, lifetime) = fetched?;
        let renew = Instant::now() + lifetime.saturating_sub(RENEW_BEFORE.min(lifetime / 2));
        *held = Some(Token { value: value.clone(), number, renew });
        Ok((value, number))
    }

    /// Drops the token with this number; a newer one stays.
    async fn forget(&self, number: u64) {
        let mut held = self.token.lock().await;
        if let Some(token) = held.as_mut().filter(|token| token.number == number) {
            token.renew = Instant::now();
        }
    }

    /// `POST /connect/token` (sections 3.1 and 3.5).
    async fn fetch_token(&self) -> Result<(SecretString, Duration), VendorError> {
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", "api.organization"),
            ("client_id", &self.key.client_id),
            ("client_secret", self.key.client_secret.expose_secret()),
        ];
        let request = self.headers(self.client.post(join(&self.key.identity, "connect/token"))).form(&form);
        let answer = http::exchange(request, self.settings.read_timeout).await?;
        match answer.status {
            StatusCode::OK => {
                let token: TokenAnswer = answer.json("the token answer is not what it should be")?;
                let lifetime = u64::try_from(token.expires_in).ok().filter(|seconds| *seconds > 0);
                let lifetime = lifetime.ok_or(VendorError::Unreadable("the token has no lifetime"))?;
                let usable = !token.access_token.is_empty() && token.access_token.bytes().all(|b| b.is_ascii_graphic());
                if !usable {
                    return Err(VendorError::Unreadable("the token is not a token"));
                }
                Ok((SecretString::from(token.access_token), Duration::from_secs(lifetime.min(24 * 3600))))
            }
            StatusCode::BAD_REQUEST => match answer.json::<TokenError>("no error code") {
                Ok(TokenError { error }) if error == "invalid_client" => Err(VendorError::InvalidClient),
                _ => Err(VendorError::TokenRefused(400)),
            },
            _ => Err(answer.refusal()),
        }
    }

    fn url(&self, path: &str) -> Url {
        join(&self.key.api, path)
    }

    fn api(&self, request: RequestBuilder, token: &SecretString) -> RequestBuilder {
        self.headers(request).bearer_auth(token.expose_secret())
    }

    fn headers(&self, request: RequestBuilder) -> RequestBuilder {
        request
            .header("Accept", "application/json")
            .header("Bitwarden-Client-Name", "cli")
            .header("Bitwarden-Client-Version", CLIENT_VERSION)
            .header("Device-Type", "25")
    }

    fn count(&self, operation: &'static str, outcome: &'static str) {
        self.requests.get_or_create(&RequestLabels { vendor: VENDOR, operation, outcome }).inc();
    }
}
