//! A broken business rule: which one, and the text the owner API would show.
//! The PUT of the organization API swallows both (docs/vendors/bitwarden.md, "The subscription PUT"), so tests find them in
//! `lastRefusal`; the owner API shows them.

use jiff::Timestamp;
use serde::Serialize;

use super::switches::BillingPath;

/// Rule of a failure that was injected.
pub(crate) const FAULT: &str = "fault";

/// Rule of a declined card.
pub(crate) const CARD: &str = "card";

/// What most failures of Stripe become ("The error object of the owner API").
pub(crate) const WENT_WRONG: &str = "Something went wrong with your request. Please contact support.";

/// The first rule that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// Id of a rule (`A9`, `U1`, `S9`: "Rules of a change"), or `stripe`, `card`, `pricing`, `storage`, `autoscale` or
    /// `fault`.
    pub rule: &'static str,
    /// Status the owner API would give.
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

    /// The legacy path names the Stripe parameter, the new one only says that something went wrong
    /// ("Two billing paths").
    pub(crate) fn card(path: BillingPath) -> Self {
        match path {
            BillingPath::Legacy => Self::with_status(CARD, 400, "Errors have occurred."),
            BillingPath::New => Self::with_status(CARD, 500, WENT_WRONG),
        }
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
