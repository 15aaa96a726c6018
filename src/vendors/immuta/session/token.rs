//! Authenticates, either way: the key as it is, or a token that it is exchanged for. Used by `session` for each request.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, StatusCode};
use secrecy::ExposeSecret;

use super::{ImmutaSession, Way, refusal};
use crate::clock;
use crate::vendors::immuta::error::ImmutaError;
use crate::vendors::immuta::license_api_fields::{Exchange, TokenAnswer};
use crate::vendors::immuta::operation::TOKEN;
use crate::vendors::token_cache::{Asker, NewToken};

impl ImmutaSession {
    /// The authenticated request, and the number of the token to forget if it is refused. Never without authentication: an
    /// endpoint may answer that with 500 (docs/vendors/immuta.md, "Authentication").
    pub(super) async fn signed(
        &self,
        way: Way,
        request: RequestBuilder,
        asker: Option<Asker<'_>>,
    ) -> Result<(RequestBuilder, u64), ImmutaError> {
        Ok(match way {
            Way::Key => {
                let request = request.header("Authorization", sensitive(self.key.api_key.expose_secret())?);
                (request, self.tokens.number().await)
            }
            Way::Token => {
                // No limit of token requests is documented either, so no request waits for a turn.
                let token = self.tokens.get(asker, |_| Ok(()), || self.fetch_token()).await?;
                (request.bearer_auth(token.value.expose_secret()), token.number)
            }
        })
    }

    async fn fetch_token(&self) -> Result<NewToken, ImmutaError> {
        let fetched = self.post_token().await;
        self.connection.count_result(TOKEN, &fetched);
        fetched
    }

    /// `POST /bim/apikey/authenticate`: the key in the body, and where that is refused once in the header
    /// (docs/vendors/immuta.md, "Authentication").
    async fn post_token(&self) -> Result<NewToken, ImmutaError> {
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
        let told: TokenAnswer = answer.json("the token answer has an unexpected shape")?;
        // A time that has passed already comes from clocks that differ: then the token is used until it is refused.
        let lifetime = told.expiration().and_then(|at| Duration::try_from(clock::now().duration_until(at)).ok());
        Ok(NewToken { value: told.token()?, lifetime })
    }
}

/// A header value that is not shown where headers are printed.
fn sensitive(text: &str) -> Result<reqwest::header::HeaderValue, ImmutaError> {
    let mut value = reqwest::header::HeaderValue::from_str(text).map_err(|_| ImmutaError::ApiKeyRefused)?;
    value.set_sensitive(true);
    Ok(value)
}
