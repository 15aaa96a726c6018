//! What the answer to an addition or a deletion proves (sections 6, 7.2 and 7.4). Little is documented: what does not
//! prove that nothing was done leaves the outcome open.

use reqwest::StatusCode;
use serde_json::Value;

use super::error::ImmutaError;
use super::wire::{Hint, LicenseRecord};
use crate::plan::{Outcome, Refusal};
use crate::vendors::error::{Failure, VendorError};
use crate::vendors::http::Answer;

/// What the answer to a POST comes to.
pub(super) enum Added {
    /// This.
    Outcome(Outcome),
    /// The field that carries the key may be spelled otherwise: nothing was done (section 7.3).
    OtherSpelling,
}

/// Judges the answer to `POST /admin/license`.
pub(super) fn added(answer: &Answer, key: &str, host: &str) -> Added {
    Added::Outcome(match answer.status {
        status if status.is_success() => match answer.json::<LicenseRecord>("not a licence record") {
            Ok(record) => match record.row() {
                Ok(Some(row)) => Outcome::Added(Box::new(row)),
                _ => Outcome::Accepted,
            },
            Err(_) if answer.is_web_page() => Outcome::Unanswered,
            Err(_) => Outcome::Accepted,
        },
        StatusCode::CONFLICT => {
            let hint = Hint::of(&answer.json("no JSON").unwrap_or(Value::Null), key);
            Outcome::Refused(Refusal::Duplicate { certain: hint.duplicate })
        }
        status @ (StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY) => {
            let hint = Hint::of(&answer.json("no JSON").unwrap_or(Value::Null), key);
            if hint.duplicate {
                Outcome::Refused(Refusal::Duplicate { certain: true })
            } else if hint.names_field {
                return Added::OtherSpelling;
            } else {
                Outcome::Refused(Refusal::Request(format!("status {}", status.as_u16())))
            }
        }
        _ => other(answer, host),
    })
}

/// Judges the answer to `DELETE /admin/license/{id}`. Its body holds the key and is not looked at.
pub(super) fn removed(answer: &Answer, host: &str) -> Outcome {
    match answer.status {
        status if status.is_success() && !answer.is_web_page() => Outcome::Accepted,
        // Gone already, if the list says so too: something in between may have no such page.
        StatusCode::NOT_FOUND if !answer.is_web_page() => Outcome::Answered,
        status @ (StatusCode::BAD_REQUEST
        | StatusCode::CONFLICT
        | StatusCode::UNPROCESSABLE_ENTITY
        | StatusCode::METHOD_NOT_ALLOWED) => Outcome::Refused(Refusal::Request(format!("status {}", status.as_u16()))),
        _ => other(answer, host),
    }
}

/// What means the same for both.
fn other(answer: &Answer, host: &str) -> Outcome {
    let credentials = |error: ImmutaError| Outcome::Refused(Refusal::Credentials(error.fault(host)));
    match answer.status {
        StatusCode::UNAUTHORIZED => credentials(ImmutaError::ApiKeyRefused),
        StatusCode::FORBIDDEN => credentials(ImmutaError::MissingPermission),
        StatusCode::TOO_MANY_REQUESTS => match answer.refusal() {
            ImmutaError::Shared(VendorError::Throttled { after }) => Outcome::Refused(Refusal::Throttled(after)),
            error => credentials(error),
        },
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            credentials(answer.refusal())
        }
        status if status.is_redirection() => credentials(ImmutaError::LoginPage),
        // The application's own 500 is final; a gateway's answer says nothing of what runs behind it.
        StatusCode::INTERNAL_SERVER_ERROR if answer.json::<Value>("no JSON").is_ok() => Outcome::Answered,
        _ => Outcome::Unanswered,
    }
}
