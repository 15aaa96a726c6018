//! Which answers to a change prove that nothing was done: by status and shape, as data. Whatever is not here proves nothing.
//!
//! Quoted headings are those of docs/vendors/bitwarden.md.

use reqwest::StatusCode;

use super::NAME;
use super::organization_api_fields::Message;
use super::owner_api_fields::{Named, OwnerApiError};
use super::refusals::without_effect;
use crate::vendors::Proof;
use crate::vendors::http::Answer;

/// What an answer must be like, besides its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// The framework's challenge ("Refused tokens").
    Bearer,
    /// The framework's bare refusal ("Refused tokens"), which an edge can give as well: a fresh token must show the
    /// same.
    RoleMissing,
    /// Whatever it is.
    Any,
    /// The application's error, where nothing can have come before it.
    OneStep,
    /// The application's error with a text of a rule that is checked before any effect.
    KnownText,
}

/// The step of the answered change, as far as known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// A change by totals, of one product.
    Totals,
    /// A change by differences; whether seats were to move.
    Differences { moves_seats: bool },
}

/// The list.
const PROOFS: [(u16, Shape); 5] = [
    (401, Shape::Bearer),
    (403, Shape::RoleMissing),
    (429, Shape::Any),
    (400, Shape::OneStep),
    (400, Shape::KnownText),
];

/// The first row that an answer fits. Of [`Shape::RoleMissing`] half is to be shown yet.
pub(super) fn proof(answer: &Answer, asked: Asked) -> Option<Shape> {
    let fits = |(status, shape): &&(u16, Shape)| answer.status.as_u16() == *status && shape.is(answer, asked);
    PROOFS.iter().find(fits).map(|(_, shape)| *shape)
}

/// The list for the document.
pub(in crate::vendors) fn proofs() -> Vec<Proof> {
    let row = |(status, shape): &(u16, Shape)| {
        let (shape, proves) = shape.words();
        Proof { vendor: NAME, statuses: vec![*status], shape, proves }
    };
    PROOFS.iter().map(row).collect()
}

impl Shape {
    fn is(self, answer: &Answer, asked: Asked) -> bool {
        let error = || answer.json::<OwnerApiError>("no message").ok();
        match self {
            Self::Bearer => answer.challenges,
            Self::RoleMissing => answer.is_empty() && asked == Asked::Totals,
            Self::Any => true,
            Self::OneStep => asked != Asked::Differences { moves_seats: true } && error().is_some(),
            Self::KnownText => error().is_some_and(|error| without_effect(&error.message, true).is_some()),
        }
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Bearer => ("a header `WWW-Authenticate: Bearer`", "Nothing was done: the token is refused."),
            Self::RoleMissing => (
                "an empty body, and a fresh token then gets 403 for a reading too, without a page or a text",
                "Nothing was done: the key lacks the role.",
            ),
            Self::Any => ("any", "Nothing was done: too many requests. If this is wrong, it costs a pause."),
            Self::OneStep => (
                "the application's JSON, to a change of a single step (by totals, or of the limit alone)",
                "Nothing was done: the request is refused.",
            ),
            Self::KnownText => (
                "the application's JSON with a text of [errors.md](errors.md) that has no note about reading the outcome back",
                "Nothing was done: the rule is checked before any effect.",
            ),
        }
    }
}

/// Whether an answer has the application's own shape: only then is the request known to have ended. The organization
/// API answers to a change with a message, and with these statuses alone ("The subscription PUT"); the owner API with
/// an object that says what it is, or with an error that has a message ("The error object of the owner API" and "The
/// subscription POST of the owner API").
pub(super) fn is_of_application(answer: &Answer, asked: Asked) -> bool {
    let message = || answer.json::<Message>("no message").is_ok();
    match (asked, answer.status) {
        (Asked::Totals, StatusCode::OK | StatusCode::BAD_REQUEST | StatusCode::INTERNAL_SERVER_ERROR) => message(),
        (Asked::Totals, _) => false,
        (Asked::Differences { .. }, StatusCode::OK) => answer.json::<Named>("no object").is_ok(),
        (Asked::Differences { .. }, StatusCode::INTERNAL_SERVER_ERROR) => message(),
        (Asked::Differences { .. }, status) => status.is_client_error() && message(),
    }
}
