//! Refusals in the usual V1 shape (docs/vendors/immuta.md, "Refusals"): `statusCode`, `error`, `message`, and sometimes
//! `validation[]`.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{choices::FieldNamed, switches::Switches};
use crate::http::Answer;

/// A refusal before it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// `message`.
    pub message: String,
    /// `validation[0]` as code and field.
    pub validation: Option<(&'static str, String)>,
}

impl Problem {
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), validation: None }
    }

    pub(crate) fn not_found(message: &str) -> Self {
        Self::new(404, message)
    }

    /// About one field of the body; named where the switch says ("The name of the key's field").
    pub(crate) fn field(switches: &Switches, code: &'static str, field: &str, text: &str) -> Self {
        let told = format!("\"{field}\" {text}");
        let validation = Some((code, field.to_owned()));
        let status = switches.wrong_field_status;
        match switches.field_named {
            FieldNamed::Both => Self { status, message: told, validation },
            FieldNamed::Message => Self { status, message: told, validation: None },
            FieldNamed::Validation => Self { status, message: "Invalid request payload input".into(), validation },
        }
    }

    /// With `submitted` if refusals are to repeat the key.
    pub(crate) fn answer(self, switches: &Switches, submitted: Option<&str>) -> Answer {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let echo = submitted.filter(|_| switches.errors_echo_key);
        let message = match echo {
            Some(key) => format!("{}: {key}", self.message),
            None => self.message,
        };
        if switches.errors_message_only {
            return Answer::json(status, &json!({ "message": message }));
        }
        let error = status.canonical_reason().unwrap_or("Unknown");
        let mut body = json!({ "statusCode": status.as_u16(), "error": error, "message": message });
        if let Some((code, field)) = self.validation {
            let mut detail = json!({ "code": code, "path": [field] });
            if let Some(key) = echo {
                detail["value"] = Value::from(key);
            }
            body["validation"] = json!([detail]);
        }
        Answer::json(status, &body)
    }
}
