//! Proves who calls, either way: the key as it is, or a token that it is exchanged for. Used by `session` for each request.

use std::time::{Duration, Instant};

use reqwest::{Method, RequestBuilder, StatusCode};
use secrecy::{ExposeSecret, SecretString};

use super::{Session, Way, refusal};
use crate::clock;
use crate::vendors::immuta::error::ImmutaError;
use crate::vendors::immuta::wire::{Exchange, TokenAnswer};

/// A token is renewed this long before it expires, where its answer says when.
const RENEW_BEFORE: Duration = Duration::from_secs(60);

/// A token, and when to ask for another one if that is known. Not `Debug`.
pub(super) struct Token {
    value: SecretString,
    renew: Option<Instant>,
}

impl Session {
    /// The request with who calls. Never without: an endpoint may answer that with 500 (section 2).
    pub(super) async fn signed(&self, way: Way, request: RequestBuilder) -> Result<RequestBuilder, ImmutaError> {
        Ok(match way {
            Way::Key => request.header("Authorization", sensitive(self.key.api_key.expose_secret())?),
            Way::Token => request.bearer_auth(self.token().await?.expose_secret()),
        })
    }

    /// The current token. The lock is held while fetching: one caller asks, the others wait for it.
    async fn token(&self) -> Result<SecretString, ImmutaError> {
        let mut held = self.token.lock().await;
        let fresh = |token: &&Token| token.renew.is_none_or(|renew| Instant::now() < renew);
        if let Some(token) = held.as_ref().filter(fresh) {
            return Ok(token.value.clone());
        }
        let fetched = self.fetch_token().await;
        self.connection.count_result("token", &fetched);
        let token = fetched?;
        let value = token.value.clone();
        *held = Some(token);
        Ok(value)
    }

    pub(super) async fn forget_token(&self) {
        *self.token.lock().await = None;
    }

    /// `POST /bim/apikey/authenticate`: the key in the body, and where that is refused once in the header (section 2).
    async fn fetch_token(&self) -> Result<Token, ImmutaError> {
        let url = || self.url("bim/apikey/authenticate");
        let key = self.key.api_key.expose_secret();
        let in_body = self.request(Method::POST, url()).json(&Exchange { apikey: key });
        let mut answer = self.connection.ask(in_body).await?;
        if matches!(answer.status, StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED) {
            let in_header = self.request(Method::POST, url()).header("Authorization", sensitive(key)?);
            answer = self.connection.ask(in_header).await?;
        }
        match answer.status {
            StatusCode::BAD_REQUEST => return Err(ImmutaError::ApiKeyRefused),
            status if !status.is_success() => return Err(refusal(&answer)),
            _ if answer.is_web_page() => return Err(ImmutaError::LoginPage),
            _ => {}
        }
        let told: TokenAnswer = answer.json("the token answer is not what it should be")?;
        let left = told.expiration().and_then(|at| Duration::try_from(clock::now().duration_until(at)).ok());
        // A time that has passed already comes from clocks that differ: then the token is used until it is refused.
        let renew = left.map(|left| Instant::now() + left.saturating_sub(RENEW_BEFORE.min(left / 2)));
        Ok(Token { value: told.token()?, renew })
    }
}

/// A header value that is not shown where headers are printed.
fn sensitive(text: &str) -> Result<reqwest::header::HeaderValue, ImmutaError> {
    let mut value = reqwest::header::HeaderValue::from_str(text).map_err(|_| ImmutaError::ApiKeyRefused)?;
    value.set_sensitive(true);
    Ok(value)
}
