//! What the answer to an addition or a deletion proves (docs/vendors/immuta.md, "Refusals", "Adding a key" and
//! "Deleting a row"). Little is documented: what does not prove that nothing was done leaves the outcome open.

use reqwest::StatusCode;
use serde_json::Value;

use super::license_api_fields::{Hint, LicenseRecord, RemovedRecord};
use super::proofs::{Meaning, is_of_application, proof};
use crate::domain::{Outcome, Refusal, Uncertain};
use crate::vendors::error::Failure;
use crate::vendors::http::Answer;

/// Judges the answer to `POST /admin/license`. A success proves a row only where it holds the record of one.
pub(super) fn added(answer: &Answer, key: &str, host: &str) -> Outcome {
    let record =
        || answer.json::<LicenseRecord>("not a license record").ok()?.row().ok()?.filter(|row| row.odd.is_none());
    let row = answer.status.is_success().then(record).flatten();
    row.map_or_else(|| refused(answer, host, |answer| hinted(answer, key)), |row| Outcome::Added(Box::new(row)))
}

/// Judges the answer to `DELETE /admin/license/{id}`. Of its body, which holds the key, only what identifies the row is
/// read: a success that names another row, or none, proves nothing about this one.
pub(super) fn removed(answer: &Answer, (id, uuid): (i64, &str), host: &str) -> Outcome {
    let record = || answer.json::<RemovedRecord>("not a license record");
    if answer.status.is_success() && record().is_ok_and(|record| record.is_of(id, uuid)) {
        return Outcome::Accepted;
    }
    refused(answer, host, |answer| Uncertain::Status(answer.status.as_u16()))
}

/// What means the same for both.
fn refused(answer: &Answer, host: &str, uncertain: impl FnOnce(&Answer) -> Uncertain) -> Outcome {
    match proof(answer) {
        Some(Meaning::Refused(error)) => Outcome::Refused(Refusal::Credentials(error.fault(host))),
        Some(Meaning::Throttled) => Outcome::Refused(Refusal::Throttled(answer.retry_after)),
        Some(Meaning::Uncertain) => Outcome::Uncertain(uncertain(answer)),
        None if is_of_application(answer) => Outcome::Uncertain(Uncertain::Other(answer.status.as_u16())),
        None => Outcome::Uncertain(Uncertain::Between(answer.status.as_u16())),
    }
}

/// What a refusal of a key hints at.
fn hinted(answer: &Answer, key: &str) -> Uncertain {
    let hint = Hint::of(&answer.json("no object").unwrap_or(Value::Null), key);
    match answer.status {
        _ if hint.duplicate => Uncertain::Present,
        StatusCode::CONFLICT => Uncertain::PerhapsPresent,
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY if hint.names_field => Uncertain::Field,
        status => Uncertain::Status(status.as_u16()),
    }
}
