//! Sends a change once, with either kind of key, and tells a refusal from an outcome that is not known.

use std::sync::atomic::Ordering;

use reqwest::{RequestBuilder, StatusCode};
use secrecy::SecretString;

use super::error::BitwardenError;
use super::session::Session;
use crate::plan::{Fault, Outcome, Refusal, Remedy};
use crate::vendors::Go;
use crate::vendors::connection::not_signed;
use crate::vendors::error::{Failure, VendorError};
use crate::vendors::http::Answer;

impl Session {
    /// One request, once. `judge` says what an answer of any status proves.
    pub(super) async fn send_once(
        &self,
        operation: &'static str,
        request: impl FnOnce(&SecretString) -> RequestBuilder,
        go: Go<'_>,
        judge: impl Fn(&Answer) -> Outcome,
    ) -> Outcome {
        let token = match self.token().await {
            Ok(token) => token,
            Err(error) => return not_signed(&error, &self.host()),
        };
        let answer = match self.connection.send_once(request(&token.value), go).await {
            Ok(answer) => answer,
            Err(why) => return Outcome::NotSent(why),
        };
        let outcome = answer.as_ref().map_or_else(Outcome::clone, judge);
        let unauthorized = answer.is_ok_and(|answer| answer.status == StatusCode::UNAUTHORIZED);
        if unauthorized {
            self.tokens.forget(token.number).await;
        }
        self.write_unauthorized.store(unauthorized, Ordering::Relaxed);
        self.connection.count(operation, outcome.label());
        outcome
    }

    /// What statuses mean that neither API gives after any effect: the request did not get to the application's rules
    /// (sections 3.6, 5.1 and 12). `None`: another status.
    pub(super) fn refused_before(&self, answer: &Answer) -> Option<Outcome> {
        let refused = matches!(
            answer.status,
            StatusCode::UNAUTHORIZED
                | StatusCode::FORBIDDEN
                | StatusCode::NOT_FOUND
                | StatusCode::METHOD_NOT_ALLOWED
                | StatusCode::UNSUPPORTED_MEDIA_TYPE
                | StatusCode::TOO_MANY_REQUESTS
        );
        (refused || answer.status.is_redirection()).then(|| Outcome::Refused(self.refused(&answer.refusal())))
    }

    pub(super) fn refused(&self, error: &BitwardenError) -> Refusal {
        let fault = error.fault(&self.host());
        match error {
            BitwardenError::Shared(VendorError::Throttled { after }) => Refusal::Throttled(*after),
            // The token was good for the reading just before, so it has just expired; but not twice in a row: then it
            // is a permission answer (section 16.3).
            BitwardenError::Unauthorized if !self.write_unauthorized.load(Ordering::Relaxed) => {
                let remedy = Remedy::Time { after: None, secret_may_help: false };
                Refusal::Credentials(Fault { remedy, ..fault })
            }
            BitwardenError::Shared(VendorError::Status(status)) => {
                Refusal::Request(format!("it answers with status {status}"))
            }
            BitwardenError::Shared(VendorError::NotFound) => Refusal::Request("it has no such API".into()),
            _ => Refusal::Credentials(fault),
        }
    }
}
