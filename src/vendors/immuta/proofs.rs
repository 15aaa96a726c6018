//! What answers to a change prove: by status and shape, as data. Little is documented (docs/vendors/immuta.md,
//! "Refusals"), so the list is short.

use reqwest::StatusCode;
use serde_json::Value;

use super::NAME;
use super::error::ImmutaError;
use crate::vendors::Proof;
use crate::vendors::http::Answer;

/// What a status means in an answer of Immuta's own shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Nothing was done, and this is wrong.
    Refused(ImmutaError),
    /// Nothing was done, whatever the shape: too many requests, which something in between may say.
    Throttled,
    /// A refusal that may come after an effect.
    Uncertain,
}

/// The list. Rows with the same meaning are together.
static PROOFS: [(&[u16], Meaning); 4] = [
    (&[401], Meaning::Refused(ImmutaError::ApiKeyRefused)),
    (&[403], Meaning::Refused(ImmutaError::MissingPermission)),
    (&[429], Meaning::Throttled),
    (&[400, 404, 409, 422], Meaning::Uncertain),
];

/// What an answer proves, if anything.
pub(super) fn proof(answer: &Answer) -> Option<&'static Meaning> {
    let is = |(statuses, _): &&(&[u16], Meaning)| statuses.contains(&answer.status.as_u16());
    let (_, meaning) = PROOFS.iter().find(is)?;
    (*meaning == Meaning::Throttled || is_refusal(answer)).then_some(meaning)
}

/// The list for the document.
pub(in crate::vendors) fn proofs() -> Vec<Proof> {
    let row = |(statuses, meaning): &(&[u16], Meaning)| Proof {
        vendor: NAME,
        statuses: statuses.to_vec(),
        shape: if *meaning == Meaning::Throttled { "any" } else { "its JSON (an object with `message`)" },
        proves: match meaning {
            Meaning::Refused(ImmutaError::MissingPermission) => "Nothing was done: the key lacks a permission.",
            Meaning::Refused(_) => "Nothing was done: the key is refused.",
            Meaning::Throttled => {
                "Nothing was done: too many requests. It does not count among the two requests of a decision."
            }
            Meaning::Uncertain => {
                "Little: an uncertain refusal. Seatkeeper sends it once more after the settle time, and then asks a person."
            }
        },
    };
    PROOFS.iter().map(row).collect()
}

/// Whether an answer has Immuta's own shape ("Refusals"): only then is the request known to have ended.
pub(super) fn is_of_application(answer: &Answer) -> bool {
    match answer.status {
        status if status.is_success() => answer.json::<Value>("no object").is_ok(),
        StatusCode::INTERNAL_SERVER_ERROR => is_refusal(answer),
        status => status.is_client_error() && is_refusal(answer),
    }
}

fn is_refusal(answer: &Answer) -> bool {
    answer.json::<Value>("no object").is_ok_and(|body| body.get("message").is_some_and(Value::is_string))
}
