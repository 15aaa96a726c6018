//! The error object of the owner API and what internal causes become in it (docs/vendors/bitwarden.md,
//! "The error object of the owner API"). The limiter uses its shape too.

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    bitwarden::{
        body::BodyError,
        refusal::{CARD, FAULT, Refusal, WENT_WRONG},
    },
    http::Answer,
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OwnerApiError<'a> {
    object: &'static str,
    message: &'a str,
    validation_errors: Option<Value>,
    exception_message: Option<()>,
    exception_stack_trace: Option<()>,
    inner_exception_message: Option<()>,
}

fn shaped(status: StatusCode, message: &str, validation_errors: Option<Value>) -> Answer {
    let error = OwnerApiError {
        object: "error",
        message,
        validation_errors,
        exception_message: None,
        exception_stack_trace: None,
        inner_exception_message: None,
    };
    Answer::json(status, &error)
}

pub(crate) fn answer(status: StatusCode, message: &str) -> Answer {
    shaped(status, message, None)
}

/// Not there, or not allowed: the same words for both.
pub(crate) fn not_found() -> Answer {
    answer(StatusCode::NOT_FOUND, "Resource not found.")
}

pub(crate) fn unhandled() -> Answer {
    answer(StatusCode::INTERNAL_SERVER_ERROR, "An unhandled server error has occurred.")
}

pub(crate) fn went_wrong() -> Answer {
    answer(StatusCode::INTERNAL_SERVER_ERROR, WENT_WRONG)
}

pub(crate) fn model(error: &BodyError) -> Answer {
    let errors = json!({ &error.key: [error.text] });
    shaped(StatusCode::BAD_REQUEST, "The model state is invalid.", Some(errors))
}

/// A rule's own words; an injected failure looks like one of Stripe.
pub(crate) fn refusal(refusal: &Refusal) -> Answer {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match refusal.rule {
        FAULT => went_wrong(),
        CARD if refusal.status == 400 => {
            shaped(status, &refusal.text, Some(json!({ "payment_method": ["Your card was declined."] })))
        }
        _ => answer(status, &refusal.text),
    }
}
