//! Sends a change once, with either kind of key, and tells a refusal from an outcome that is not known.

use std::sync::atomic::Ordering;

use reqwest::{RequestBuilder, StatusCode};
use secrecy::SecretString;

use super::NAME;
use super::session::Session;
use crate::plan::{Fault, Outcome, Refusal, Remedy};
use crate::vendors::connection::NO_ROOM;
use crate::vendors::http::Answer;
use crate::vendors::{Go, VendorError};

impl Session {
    /// One request, once. `judge` says what an answer of any status proves.
    pub(super) async fn send_once(
        &self,
        operation: &'static str,
        request: impl FnOnce(&SecretString) -> RequestBuilder,
        go: Go<'_>,
        judge: impl Fn(&Answer) -> Outcome,
    ) -> Outcome {
        let (token, number) = match self.token().await {
            Ok(token) => token,
            Err(VendorError::Paced { .. } | VendorError::Closed { .. }) => return Outcome::NotSent(NO_ROOM),
            Err(error) => return Outcome::Refused(self.no_token(&error)),
        };
        let answer = match self.connection.send_once(request(&token), go).await {
            Ok(answer) => answer,
            Err(why) => return Outcome::NotSent(why),
        };
        let outcome = answer.as_ref().map_or_else(Outcome::clone, judge);
        let unauthorized = answer.is_ok_and(|answer| answer.status == StatusCode::UNAUTHORIZED);
        if unauthorized {
            self.forget(number).await;
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

    /// Without a token nothing was sent: whatever the reason, it is not a refusal of the change.
    fn no_token(&self, error: &VendorError) -> Refusal {
        match error {
            VendorError::Throttled { after } => Refusal::Throttled(*after),
            _ => Refusal::Credentials(error.fault(NAME, &self.host())),
        }
    }

    pub(super) fn refused(&self, error: &VendorError) -> Refusal {
        let fault = error.fault(NAME, &self.host());
        match error {
            VendorError::Throttled { after } => Refusal::Throttled(*after),
            // The token was good for the reading just before, so it has just expired; but not twice in a row: then it
            // is a permission answer (section 16.3).
            VendorError::Unauthorized if !self.write_unauthorized.load(Ordering::Relaxed) => {
                let remedy = Remedy::Time { after: None, secret_may_help: false };
                Refusal::Credentials(Fault { remedy, ..fault })
            }
            VendorError::Status(status) => Refusal::Request(format!("it answers with status {status}")),
            VendorError::NotFound => Refusal::Request("it has no such API".into()),
            _ => Refusal::Credentials(fault),
        }
    }
}
