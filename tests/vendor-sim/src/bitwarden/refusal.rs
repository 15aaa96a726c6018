//! A broken business rule: which one, and the text the private API would show.
//! The public PUT swallows both (section 5.3), so tests find them in `lastRefusal`.

use jiff::Timestamp;
use serde::Serialize;

/// The first rule that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// Number in the tables of section 7 (`A9`, `U1`, `S9`), `7.3` for Stripe, `storage`, `autoscale` or `fault`.
    pub rule: &'static str,
    /// Status the private API would give.
    pub status: u16,
    /// Exact text.
    pub text: String,
}

impl Refusal {
    pub(crate) fn new(rule: &'static str, text: impl Into<String>) -> Self {
        Self { rule, status: 400, text: text.into() }
    }

    pub(crate) fn with_status(rule: &'static str, status: u16, text: impl Into<String>) -> Self {
        Self { rule, status, text: text.into() }
    }

    pub(crate) fn not_found(rule: &'static str) -> Self {
        Self::with_status(rule, 404, "Resource not found.")
    }
}

/// The last refusal of an organization, with the request that met it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LastRefusal {
    /// When.
    pub at: Timestamp,
    /// Number of the request.
    pub request: Option<u64>,
    /// The rule.
    #[serde(flatten)]
    pub refusal: Refusal,
}
