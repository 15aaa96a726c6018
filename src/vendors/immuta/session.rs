//! Requests with an API key. Two ways to authenticate are documented, the key itself and a token that it is exchanged
//! for (docs/vendors/immuta.md, "Authentication"): the key is tried first, the token where that is refused, and what
//! worked is remembered.

mod token;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::{Method, RequestBuilder, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::answer;
use super::error::ImmutaError;
use super::license_api_fields::{LicenseRecord, LicenseStatus, Usage};
use super::operation;
use super::proofs::{Meaning, proof};
use super::{ApiKey, Immuta, VENDOR};
use crate::domain::{Fault, Outcome, Row, Uncertain};
use crate::vendors::SendGuard;
use crate::vendors::allowed_hosts::{host, join};
use crate::vendors::connection::{Connection, not_signed};
use crate::vendors::error::{Failure, VendorError};
use crate::vendors::http::{Answer, Http};
use crate::vendors::operation::{OK, Operation};
use crate::vendors::secret_data::never_shown;
use crate::vendors::token_cache::{Asker, Tokens};

/// A token is renewed this long before it expires, where its answer says when.
const RENEW_BEFORE: Duration = Duration::from_secs(60);

/// How to authenticate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// `Authorization: <api key>`.
    Key,
    /// `Authorization: Bearer <token>`.
    Token,
}

/// What was learned of a tenant.
#[derive(Clone, Copy, Debug, Default)]
struct Learned {
    way: Option<Way>,
    /// It wants the key's field in lower case ("The name of the key's field").
    lower_case: bool,
}

/// An API key in use.
pub(super) struct ImmutaSession {
    key: ApiKey,
    connection: Connection,
    tokens: Tokens<ImmutaError>,
    learned: Mutex<Learned>,
}

never_shown!(ImmutaSession, super::license_api_fields::TokenAnswer);

impl Immuta {
    /// The session of a key, which all objects with that key share. Sends nothing.
    pub(super) fn session(&self, http: &Http, key: ApiKey) -> Result<Arc<ImmutaSession>, Fault> {
        self.sessions.get(key.fingerprint(), Instant::now(), || {
            let connection = Connection::new(http, VENDOR, &self.rates, &key.access)?;
            let tokens = Tokens::new(RENEW_BEFORE, connection.settings.credential_probe);
            Ok(ImmutaSession { key, connection, tokens, learned: Mutex::default() })
        })
    }
}

impl ImmutaSession {
    pub(super) fn host(&self) -> String {
        host(&self.key.server)
    }

    /// Host and path: what distinguishes this tenant from others.
    pub(super) fn place(&self) -> String {
        format!("{}{}", self.host(), self.key.server.path().trim_end_matches('/'))
    }

    /// `GET /admin/license/licenseStatus` ("The license status").
    pub(super) async fn status(&self, asker: Asker<'_>) -> Result<LicenseStatus, ImmutaError> {
        let answer = self.get(operation::GET_LICENSE_STATUS, self.url("admin/license/licenseStatus"), asker).await?;
        Ok(answer.json("the license status has an unexpected shape")?)
    }

    /// `GET /admin/license` ("The license record"). Rows that are marked as deleted are left out.
    pub(super) async fn list(&self, asker: Asker<'_>) -> Result<Vec<Row>, ImmutaError> {
        let answer = self.get(operation::GET_LICENSES, self.url("admin/license"), asker).await?;
        let records: Vec<LicenseRecord> = answer.json_list("the list of licenses has an unexpected shape")?;
        let rows = records.into_iter().zip(1..).filter_map(|(record, place)| {
            record.row().map_err(|field| ImmutaError::OddRow { place, field }).transpose()
        });
        rows.collect()
    }

    /// `GET /admin/license/usage`: the summary covers all users, so the smallest page is asked for
    /// ("The usage report").
    pub(super) async fn usage(&self, asker: Asker<'_>) -> Result<Usage, ImmutaError> {
        let mut url = self.url("admin/license/usage");
        url.set_query(Some("offset=0&size=1"));
        Ok(self.get(operation::GET_LICENSE_USAGE, url, asker).await?.json("the usage has an unexpected shape")?)
    }

    /// `POST /admin/license` with a key, once. Where the field that carries the key is refused, the repeat spells it otherwise
    /// ("The name of the key's field"): that refusal is no proof either. `heard`: what the record says of the answer
    /// before, which may have been given to another process.
    pub(super) async fn add(&self, key: &SecretString, heard: Option<&str>, send_guard: SendGuard<'_>) -> Outcome {
        let lower_case = match heard {
            heard if Uncertain::Field.is_told(heard) => true,
            heard if Uncertain::LowerField.is_told(heard) => false,
            _ => self.learned().lower_case,
        };
        let field = if lower_case { "licensekey" } else { "licenseKey" };
        let body = serde_json::json!({ field: key.expose_secret() });
        let answer = self.write(Method::POST, "admin/license", Some(&body), send_guard).await;
        let judge = |answer: Answer| answer::added(&answer, key.expose_secret(), &self.host());
        let mut outcome = answer.map_or_else(|failed| failed, judge);
        match outcome {
            Outcome::Uncertain(Uncertain::Field) => {
                self.learn(|learned| learned.lower_case = !lower_case);
                outcome = Outcome::Uncertain(if lower_case { Uncertain::LowerField } else { Uncertain::Field });
            }
            Outcome::Added(_) => self.learn(|learned| learned.lower_case = lower_case),
            _ => {}
        }
        self.connection.count(operation::ADD_LICENSE, outcome.label());
        outcome
    }

    /// `DELETE /admin/license/{id}`, once. `uuid` identifies the row in the answer.
    pub(super) async fn remove(&self, id: i64, uuid: &str, send_guard: SendGuard<'_>) -> Outcome {
        let answer = self.write(Method::DELETE, &format!("admin/license/{id}"), None, send_guard).await;
        let outcome = answer.map_or_else(|failed| failed, |answer| answer::removed(&answer, (id, uuid), &self.host()));
        self.connection.count(operation::DELETE_LICENSE, outcome.label());
        outcome
    }

    /// Sends a write the way that is known to work. Immuta's own 401 proves that nothing was done: then, and only then,
    /// it is sent once more with a fresh token.
    async fn write(
        &self,
        verb: Method,
        path: &str,
        body: Option<&Value>,
        send_guard: SendGuard<'_>,
    ) -> Result<Answer, Outcome> {
        let mut way = self.learned().way.unwrap_or(Way::Key);
        for again in [false, true] {
            let request = self.request(verb.clone(), self.url(path));
            let request = body.into_iter().fold(request, RequestBuilder::json);
            let signed = self.signed(way, request, None).await;
            let (signed, token) = signed.map_err(|error| not_signed(&error, &self.host()))?;
            let answer = self.connection.send_once(signed, send_guard).await.map_err(Outcome::NotSent)??;
            if again || proof(&answer) != Some(&Meaning::Refused(ImmutaError::ApiKeyRefused)) {
                return Ok(answer);
            }
            self.tokens.forget(token).await;
            way = Way::Token;
        }
        Err(Outcome::Unanswered)
    }

    /// Reads, the way that is known to work. Where that is refused, once more with a fresh token, and then the other way.
    async fn get(&self, operation: Operation, url: Url, asker: Asker<'_>) -> Result<Answer, ImmutaError> {
        let known = self.learned().way;
        let ways: &[Way] = match known {
            None | Some(Way::Key) => &[Way::Key, Way::Token],
            Some(Way::Token) => &[Way::Token, Way::Token, Way::Key],
        };
        let mut refused = None;
        for way in ways {
            match self.get_once(*way, url.clone(), asker).await {
                Ok(answer) => {
                    self.learn(|learned| learned.way = Some(*way));
                    self.connection.count(operation, OK);
                    return Ok(answer);
                }
                // One endpoint is known to answer 500 where it should say 401 ("Authentication").
                Err(error @ ImmutaError::Shared(VendorError::Status(500))) if known.is_none() => {
                    refused.get_or_insert(error);
                }
                Err(error @ (ImmutaError::ApiKeyRefused | ImmutaError::LoginPage)) => {
                    refused.get_or_insert(error);
                }
                // The token endpoint of a tenant that takes keys as they are may be missing.
                Err(ImmutaError::Shared(
                    VendorError::NotFound | VendorError::Status(_) | VendorError::Unreadable(_),
                )) if refused.is_some() && *way == Way::Token && known != Some(Way::Token) => {}
                Err(error) => {
                    self.connection.count(operation, error.label());
                    return Err(error);
                }
            }
        }
        let error = refused.unwrap_or(ImmutaError::ApiKeyRefused);
        self.connection.count(operation, error.label());
        Err(error)
    }

    async fn get_once(&self, way: Way, url: Url, asker: Asker<'_>) -> Result<Answer, ImmutaError> {
        let (request, token) = self.signed(way, self.request(Method::GET, url), Some(asker)).await?;
        let answer = self.connection.ask(request).await?;
        let refused = match answer.status {
            status if status.is_success() && answer.is_web_page() => ImmutaError::LoginPage,
            status if status.is_success() => {
                self.tokens.worked();
                return Ok(answer);
            }
            _ => refusal(&answer),
        };
        // Where it should refuse a token, it may fail ("Authentication"), and not every token says when it ends.
        let refused = match refused {
            ImmutaError::Shared(VendorError::Status(500..)) if way == Way::Token && self.tokens.failed(token).await => {
                ImmutaError::ApiKeyRefused
            }
            refused => refused,
        };
        if let ImmutaError::ApiKeyRefused | ImmutaError::LoginPage = refused {
            self.tokens.forget(token).await;
        }
        Err(refused)
    }

    fn request(&self, verb: Method, url: Url) -> RequestBuilder {
        self.connection.request(verb, url).header("Accept", "application/json")
    }

    fn url(&self, path: &str) -> Url {
        join(&self.key.server, path)
    }

    fn learned(&self) -> Learned {
        *self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn learn(&self, what: impl FnOnce(&mut Learned)) {
        what(&mut self.learned.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// What an answer other than success means here.
fn refusal(answer: &Answer) -> ImmutaError {
    match answer.status {
        StatusCode::UNAUTHORIZED => ImmutaError::ApiKeyRefused,
        status if status.is_redirection() => ImmutaError::LoginPage,
        _ => answer.refusal(),
    }
}

#[cfg(test)]
mod tests;
