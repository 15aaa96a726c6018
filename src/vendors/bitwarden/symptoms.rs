//! What Bitwarden answers and what it means, as a table: from it `docs/errors.md` is made, and each row is played by a
//! test. The sentences themselves are in `error`, in the shared one of all vendors, and in `refusals`.

use std::time::Duration;

use super::error::BitwardenError;
use crate::plan::{Fault, Remedy};
use crate::vendors::error::{Failure, VendorError};

/// One answer of Bitwarden, or none.
#[derive(Clone, Debug)]
pub struct Symptom {
    /// What is seen on the wire.
    pub seen: &'static str,
    /// Headings of docs/vendors/bitwarden.md.
    pub headings: &'static [&'static str],
    error: BitwardenError,
}

impl Symptom {
    /// What is told: reason, summary, sentence with its fix, and what mends it. `host` is the API's.
    pub fn fault(&self, host: &str) -> Fault {
        self.error.fault(host)
    }

    /// When it is tried again, in words.
    pub fn retry(&self) -> &'static str {
        match self.error.remedy() {
            Remedy::Spec => "when spec changes",
            Remedy::Credentials => "when Secret or spec changes; otherwise rarely (`--credential-probe`)",
            Remedy::Owner => "when the older object goes",
            Remedy::Cluster => "with back-off",
            Remedy::Unsupported => "when spec changes; otherwise every 10 min",
            Remedy::Time { after: Some(_), .. } => "after the pause",
            Remedy::Time { after: None, secret_may_help: true } => {
                "ever later, up to 5 min; at once when the Secret changes"
            }
            Remedy::Time { after: None, secret_may_help: false } => "ever later, up to 5 min",
        }
    }
}

/// All rows, in the order of the document.
#[expect(clippy::too_many_lines, reason = "a table: its length is the number of its rows")]
pub fn symptoms() -> Vec<Symptom> {
    fn row(seen: &'static str, headings: &'static [&'static str], error: impl Into<BitwardenError>) -> Symptom {
        Symptom { seen, headings, error: error.into() }
    }
    vec![
        row(
            "token: 400 `invalid_client`, to an organization key",
            &["Refusals of the token endpoint"],
            BitwardenError::InvalidClient,
        ),
        row(
            "token: 400 `invalid_client`, to a personal key",
            &["Refusals of the token endpoint"],
            BitwardenError::PersonUnknown,
        ),
        row(
            "token: 400 `invalid_grant`, to a personal key",
            &["Refusals of the token endpoint"],
            BitwardenError::LegacyAccount,
        ),
        row(
            "token: 400 `version_header_missing` or `invalid_client_version`",
            &["Refusals of the token endpoint"],
            BitwardenError::ClientVersion,
        ),
        row(
            "token: 400 with another code (`invalid_scope`, `invalid_request`, `device_error`)",
            &["Refusals of the token endpoint"],
            BitwardenError::TokenRefused(400),
        ),
        row("API: 401, also with a fresh token", &["Refused tokens"], BitwardenError::Unauthorized),
        row("API: 403, also with a fresh token", &["Refused tokens"], BitwardenError::Forbidden),
        row("public API: 404", &["The subscription GET"], VendorError::NotFound),
        row(
            "private API: 404 or 403, also with a fresh token",
            &["Who may see and change billing", "A wrong role"],
            BitwardenError::NotOwner,
        ),
        row(
            "private API: the organization is not in the person's list, or not confirmed",
            &["The personal key"],
            BitwardenError::NotMember,
        ),
        row(
            "private API: the person's list has no organization that he owns",
            &["Endpoints"],
            BitwardenError::NoOrganization,
        ),
        row(
            "private API: 5xx for the subscription of an organization that is shown",
            &["Two billing paths"],
            BitwardenError::NoSubscription(500),
        ),
        row("private API: the person owns several organizations", &["Endpoints"], BitwardenError::SeveralOrganizations),
        row(
            "429 with `Retry-After`",
            &["Rate limits"],
            VendorError::Throttled { after: Some(Duration::from_secs(38)) },
        ),
        row("429 without `Retry-After`", &["The edge in front of the cloud"], VendorError::Throttled { after: None }),
        row(
            "5xx, a redirect, or another status",
            &["The private error object", "The subscription PUT"],
            VendorError::Status(503),
        ),
        row(
            "200 that is not the API's answer (HTML, other JSON, too large)",
            &["Shapes of JSON"],
            VendorError::Unreadable("it is too large"),
        ),
        row(
            "no connection, a broken one, or a time-out",
            &["How long a request can run"],
            VendorError::NoAnswer("no connection"),
        ),
        row("a certificate that is not trusted", &["Addresses of a deployment"], VendorError::Certificate),
    ]
}

/// Every error of the table, and the one that it leaves out.
#[cfg(test)]
pub(super) fn errors() -> Vec<BitwardenError> {
    symptoms().into_iter().map(|row| row.error).chain([BitwardenError::SelfHosted]).collect()
}
