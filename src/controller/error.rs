//! Errors between the operator and the apiserver. A fault of a vendor or a Secret is a [`Fault`](crate::domain::Fault), which the
//! status reports.

use std::time::Duration;

/// A pass that could not be finished. The object gets another pass; what was done is in its status.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The apiserver refused or could not be reached.
    #[error("apiserver: {}", plain(.0))]
    Apiserver(#[from] kube::Error),
    /// The apiserver took too long.
    #[error("apiserver: no answer within {} s", .0.as_secs())]
    Slow(Duration),
    /// The object changed during its pass.
    #[error("the object changed meanwhile")]
    Conflict,
    /// These fields of a status are not stored as they were written, or are refused.
    #[error("the apiserver does not store the status as it is written ({})", .0.join(", "))]
    NotStored(Vec<String>),
    /// The answer is not the requested object.
    #[error(
        "apiserver: the answer is not the requested object; perhaps something between the operator and the apiserver answers"
    )]
    Foreign,
    /// The status cannot be written as JSON.
    #[error("status cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// The apiserver's error, or the cause of its absence, in words alone.
pub fn plain(error: &kube::Error) -> String {
    if let kube::Error::Api(status) = error {
        return format!("{} ({})", status.message, status.code);
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

impl Error {
    /// Classifies an error of the apiserver: another writer was faster, or the request failed.
    pub(super) fn of(error: kube::Error) -> Self {
        match &error {
            kube::Error::Api(status) if status.is_conflict() => Self::Conflict,
            _ => Self::Apiserver(error),
        }
    }
}
