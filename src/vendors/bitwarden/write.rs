//! Sends a change once, with either kind of key, and tells a refusal from an outcome that is not known.

use std::sync::atomic::Ordering;

use reqwest::{RequestBuilder, StatusCode};
use secrecy::SecretString;

use super::NAME;
use super::session::Session;
use crate::plan::{Fault, Outcome, Refusal, Remedy};
use crate::vendors::http::{self, Answer};
use crate::vendors::{Go, VendorError};

/// Why a change was not sent although its turn had come: another request was answered with 429 meanwhile.
const NO_ROOM: &str = "the host takes no request now";

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
        let request = request(&token);
        if let Err(why) = go() {
            return Outcome::NotSent(why);
        }
        let answer = http::exchange(&self.gate, request, self.settings.write_timeout).await;
        let outcome = match &answer {
            Ok(answer) => judge(answer),
            // A certificate that is refused ends the handshake: no byte of the request has left.
            Err(VendorError::Certificate) => Outcome::NotSent("certificate not trusted"),
            Err(VendorError::Paced { .. } | VendorError::Closed { .. }) => Outcome::NotSent(NO_ROOM),
            Err(_) => Outcome::Unanswered,
        };
        let unauthorized = answer.is_ok_and(|answer| answer.status == StatusCode::UNAUTHORIZED);
        if unauthorized {
            self.forget(number).await;
        }
        self.write_unauthorized.store(unauthorized, Ordering::Relaxed);
        self.count(operation, outcome.label());
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
