//! Sends a change once, with either kind of key, and distinguishes a refusal from an outcome that is not known.

use std::sync::atomic::Ordering;

use reqwest::{RequestBuilder, StatusCode};
use secrecy::SecretString;

use super::error::BitwardenError;
use super::owner_api_fields::OwnerApiError;
use super::proofs::{Asked, Shape, is_of_application, proof};
use super::refusals::without_effect;
use super::session::BitwardenSession;
use crate::domain::{Fault, Outcome, Refusal, Remedy};
use crate::vendors::SendGuard;
use crate::vendors::connection::not_signed;
use crate::vendors::error::Failure;
use crate::vendors::http::Answer;
use crate::vendors::operation::Operation;

impl BitwardenSession {
    /// Sends one request, once.
    pub(super) async fn send_once(
        &self,
        operation: Operation,
        request: impl FnOnce(&SecretString) -> RequestBuilder,
        send_guard: SendGuard<'_>,
        asked: Asked,
    ) -> Outcome {
        let token = match self.token().await {
            Ok(token) => token,
            Err(error) => return not_signed(&error, &self.host()),
        };
        let answer = match self.connection.send_once(request(&token.value), send_guard).await {
            Ok(answer) => answer,
            Err(why) => return Outcome::NotSent(why),
        };
        let shape = answer.as_ref().ok().and_then(|answer| proof(answer, asked));
        let outcome = match &answer {
            Err(outcome) => outcome.clone(),
            Ok(_) if shape == Some(Shape::RoleMissing) && !self.lacks_role(token.number).await => Outcome::Unanswered,
            Ok(answer) => self.judged(answer, asked),
        };
        let unauthorized = shape == Some(Shape::Bearer);
        if unauthorized {
            self.tokens.forget(token.number).await;
        }
        self.write_unauthorized.store(unauthorized, Ordering::Relaxed);
        self.connection.count(operation, outcome.label());
        outcome
    }

    /// Judges the answer to a change (docs/vendors/bitwarden.md, "What an answer to a change proves"). Only what is
    /// listed is a refusal: a 500 can follow success, and a 400 of the owner API a committed first half.
    pub(super) fn judged(&self, answer: &Answer, asked: Asked) -> Outcome {
        match proof(answer, asked) {
            Some(shape) => Outcome::Refused(self.refused(shape, answer, asked)),
            // It comes from something in between, and what runs behind that is not known.
            None if !is_of_application(answer, asked) => Outcome::Unanswered,
            None if answer.status == StatusCode::OK => Outcome::Accepted,
            None => Outcome::Answered,
        }
    }

    fn refused(&self, shape: Shape, answer: &Answer, asked: Asked) -> Refusal {
        let fault = |error: BitwardenError| error.fault(&self.host());
        match shape {
            // The token was good for the reading just before, so it has just expired; but not twice in a row: then it
            // is a permission answer (docs/vendors/bitwarden.md, "Renewing a token").
            Shape::Bearer if !self.write_unauthorized.load(Ordering::Relaxed) => {
                let remedy = Remedy::Time { after: None, secret_may_help: false };
                Refusal::Credentials(Fault { remedy, ..fault(BitwardenError::Unauthorized) })
            }
            Shape::Bearer => Refusal::Credentials(fault(BitwardenError::Unauthorized)),
            Shape::RoleMissing => Refusal::Credentials(fault(BitwardenError::Forbidden)),
            Shape::Any => Refusal::Throttled(answer.retry_after),
            Shape::OneStep | Shape::KnownText => {
                let text = answer.json::<OwnerApiError>("no message").map(|error| error.message).unwrap_or_default();
                let moves_seats = asked != Asked::Differences { moves_seats: false };
                let why = without_effect(&text, moves_seats).map(str::to_owned);
                Refusal::Request(why.unwrap_or_else(|| format!("it answers with status {}", answer.status.as_u16())))
            }
        }
    }
}
