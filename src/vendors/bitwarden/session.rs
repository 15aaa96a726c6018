//! A key in use: its token, and how each request is authenticated. The requests are in `organization_api` and `owner_api`.
//!
//! Quoted headings are those of docs/vendors/bitwarden.md.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::{Method, RequestBuilder, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};

use super::api_key::{ApiKey, KeyOf};
use super::error::BitwardenError;
use super::operation::TOKEN;
use super::organization_api_fields::{Message, TokenAnswer, TokenError};
use super::owner_api::Known;
use super::{Bitwarden, BitwardenSettings, VENDOR};
use crate::domain::Fault;
use crate::vendors::allowed_hosts::{host, join};
use crate::vendors::connection::Connection;
use crate::vendors::error::VendorError;
use crate::vendors::http::{Answer, Http};
use crate::vendors::operation::Operation;
use crate::vendors::secret_data::never_shown;
use crate::vendors::token_cache::{Asker, NewToken, Token, Tokens};

/// A token is renewed this long before it expires ("Renewing a token").
const RENEW_BEFORE: Duration = Duration::from_secs(300);

/// Linux CLI ("The personal key").
const DEVICE_TYPE: &str = "25";

/// A key in use.
pub(super) struct BitwardenSession {
    key: ApiKey,
    pub(super) settings: BitwardenSettings,
    pub(super) connection: Connection,
    pub(super) tokens: Tokens<BitwardenError>,
    /// The last write was refused with 401.
    pub(super) write_unauthorized: AtomicBool,
    /// What is asked seldom (a person's key only).
    pub(super) known: Mutex<Known>,
}

never_shown!(BitwardenSession, TokenAnswer);

impl Bitwarden {
    /// The session of a key, which all objects with that key share. Sends nothing.
    pub(super) fn session(&self, http: &Http, key: ApiKey) -> Result<Arc<BitwardenSession>, Fault> {
        self.sessions.get(key.fingerprint(), Instant::now(), || {
            let connection = Connection::new(http, VENDOR, &self.rates, &key.access)?;
            let tokens = Tokens::new(RENEW_BEFORE, connection.settings.credential_probe);
            let settings = self.settings.clone();
            Ok(BitwardenSession {
                key,
                settings,
                connection,
                tokens,
                write_unauthorized: AtomicBool::default(),
                known: Mutex::default(),
            })
        })
    }
}

impl BitwardenSession {
    pub(super) fn host(&self) -> String {
        host(&self.key.api)
    }

    pub(super) fn client_id(&self) -> &str {
        &self.key.client_id
    }

    pub(super) fn server(&self) -> &Url {
        &self.key.api
    }

    /// Runs a read; refused with 401 or 403, or with a third 500 in a row, once more with a fresh token
    /// ("Renewing a token").
    pub(super) async fn with_token<T, F: Future<Output = Result<T, BitwardenError>>>(
        &self,
        operation: Operation,
        read: impl Fn(SecretString) -> F,
    ) -> Result<T, BitwardenError> {
        let token = self.token().await?;
        let mut result = read(token.value).await;
        let probe = self.connection.settings.credential_probe;
        let renewed = match result {
            Err(BitwardenError::Unauthorized) => Some(self.tokens.replace(token.number, Duration::ZERO).await),
            // Something in front may have put a page in the place of the refusal of an old token.
            Err(BitwardenError::Forbidden | BitwardenError::Shared(VendorError::InFront(401))) => {
                Some(self.tokens.replace(token.number, probe).await)
            }
            // Of an organization that is gone, too, for as long as its token lives ("How long a token counts").
            Err(BitwardenError::Shared(VendorError::Status(500))) => {
                self.tokens.failed(token.number).await.then_some(true)
            }
            _ => None,
        };
        if let Some(renewed) = renewed {
            self.connection.count(operation, "token_refused");
            if renewed {
                result = read(self.token().await?.value).await;
            }
        }
        if result.is_ok() {
            self.tokens.worked();
        }
        self.connection.count_result(operation, &result);
        result
    }

    /// Fetches a token in its turn, which all objects with this key share, if none is there.
    pub(super) async fn turn_of_token(&self, asker: Asker<'_>) -> Result<(), BitwardenError> {
        self.token_for(Some(asker)).await.map(drop)
    }

    /// The current token.
    pub(super) async fn token(&self) -> Result<Token, BitwardenError> {
        self.token_for(None).await
    }

    async fn token_for(&self, asker: Option<Asker<'_>>) -> Result<Token, BitwardenError> {
        let turn =
            |asker: Asker<'_>| self.connection.turn(&Method::POST, &self.token_url(), self.key.fingerprint(), asker);
        self.tokens.get(asker, turn, || self.fetch_token()).await
    }

    fn token_url(&self) -> Url {
        join(&self.key.identity, "connect/token")
    }

    async fn fetch_token(&self) -> Result<NewToken, BitwardenError> {
        let fetched = self.post_token().await;
        self.connection.count_result(TOKEN, &fetched);
        fetched
    }

    /// `POST /connect/token` ("The organization key", "The personal key" and "Refusals of the token endpoint").
    /// Organization keys need no device, and do not mind one ("Vaultwarden").
    async fn post_token(&self) -> Result<NewToken, BitwardenError> {
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
            StatusCode::OK => Ok(answer.json::<TokenAnswer>("the token answer has an unexpected shape")?.token()?),
            // This answer does not come from the token endpoint, whose refusals are all 400 with JSON
            // ("Refusals of the token endpoint").
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(answer.in_front()),
            StatusCode::BAD_REQUEST if answer.is_foreign() => Err(answer.in_front()),
            StatusCode::BAD_REQUEST => {
                let person = matches!(self.key.of, KeyOf::User);
                let error = answer.json::<TokenError>("no error code");
                Err(error.map_or(BitwardenError::TokenRefused(400), |error| error.meaning(person)))
            }
            _ => Err(answer.refusal()),
        }
    }

    /// What an answer of either API means when it is not a success. The owner API has a sentence of its own for what a
    /// person's role does not show ("The error object of the owner API"); any other 404 comes from a server without that API.
    pub(super) fn refusal(&self, answer: &Answer) -> BitwardenError {
        let own = || self.key.of == KeyOf::User && answer.json::<Message>("no message").is_ok();
        match answer.status {
            StatusCode::NOT_FOUND if own() => BitwardenError::NotOwner,
            _ => answer.refusal(),
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
            .header("Bitwarden-Client-Version", &*self.settings.client_version)
            .header("Device-Type", DEVICE_TYPE)
    }
}

#[cfg(test)]
pub(super) mod tests;
