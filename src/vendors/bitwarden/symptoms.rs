//! What Bitwarden answers and what it means, as a table: from it `docs/errors.md` is made, and each row is played by a
//! test. The sentences themselves are in `error`, in the shared one of all vendors, and in `refusals`.

use std::time::Duration;

use jiff::Timestamp;

use super::error::BitwardenError;
use super::organization_api::SUBSCRIPTION;
use super::owner_api::METADATA;
use crate::domain::{Fault, Remedy};
use crate::vendors::certificate_error::Untrusted;
use crate::vendors::error::{Failure, NO_CONNECTION, VendorError};

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
    /// What is reported: reason, summary, sentence with its fix, and what mends it. `host` is the API's.
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
            Remedy::Server { .. } | Remedy::Time { after: None, secret_may_help: true } => {
                "with back-off, up to 5 min; at once when the Secret changes"
            }
            Remedy::Time { after: None, secret_may_help: false } => "with back-off, up to 5 min",
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
        row(
            "API: 403 without a body or with JSON, also with a fresh token",
            &["Refused tokens"],
            BitwardenError::Forbidden,
        ),
        row(
            "401 or 403 with a page or a text; token: also without a body; token: 400 with a page or a text",
            &["Refusals of the token endpoint", "Refused tokens"],
            VendorError::InFront(403),
        ),
        row("token: 404", &["Refusals of the token endpoint"], VendorError::NotFound),
        row(
            "organization API: 404",
            &["The subscription GET", "Vaultwarden"],
            BitwardenError::NoOrganizationPath(SUBSCRIPTION),
        ),
        row(
            "owner API: 404 without its JSON, for the person's list, or to an owner",
            &["The error object of the owner API", "A wrong role"],
            BitwardenError::NoPath { path: METADATA, own: false },
        ),
        row(
            "owner API: 404 with its JSON to a member who is no owner, or 403, also with a fresh token",
            &["Who may see and change billing", "A wrong role"],
            BitwardenError::NotOwner,
        ),
        row(
            "owner API: the organization is not in the person's list, or not confirmed",
            &["The personal key"],
            BitwardenError::NotMember,
        ),
        row(
            "owner API: the person's list has no organization that the person owns",
            &["Endpoints"],
            BitwardenError::NoOrganization,
        ),
        row(
            "owner API: 5xx for the subscription of an organization that is shown",
            &["Two billing paths"],
            BitwardenError::NoSubscription(500),
        ),
        row("owner API: the person owns several organizations", &["Endpoints"], BitwardenError::SeveralOrganizations),
        row(
            "429 with `Retry-After`",
            &["Rate limits"],
            VendorError::Throttled { after: Some(Duration::from_secs(38)) },
        ),
        row("429 without `Retry-After`", &["The edge in front of the cloud"], VendorError::Throttled { after: None }),
        row(
            "5xx, or another status",
            &["The error object of the owner API", "The subscription PUT"],
            VendorError::Status(503),
        ),
        row("a redirect", &["The subscription PUT"], VendorError::Redirect(302)),
        row(
            "200 with a foreign body (HTML, other JSON, too large)",
            &["Shapes of JSON"],
            VendorError::Unreadable("it is too large"),
        ),
        row(
            "no connection, a broken one, or a time-out",
            &["How long a request can run"],
            VendorError::NoAnswer(NO_CONNECTION),
        ),
        row(
            "a certificate of an unknown CA",
            &["Addresses of a deployment"],
            VendorError::Certificate(Untrusted::UnknownIssuer),
        ),
        row(
            "a certificate that has expired",
            &["Addresses of a deployment"],
            VendorError::Certificate(Untrusted::Expired(date(2021))),
        ),
        row(
            "a certificate that is not valid yet",
            &["Addresses of a deployment"],
            VendorError::Certificate(Untrusted::NotYetValid(date(2100))),
        ),
        row(
            "a certificate for other names",
            &["Addresses of a deployment"],
            VendorError::Certificate(Untrusted::OtherNames),
        ),
        row(
            "a CA's certificate as the server's own",
            &["Addresses of a deployment"],
            VendorError::Certificate(Untrusted::OfCa),
        ),
        row("a client certificate is wanted", &["Addresses of a deployment"], VendorError::ClientCertificate),
    ]
}

/// The first moment of a year.
fn date(year: i16) -> Option<Timestamp> {
    jiff::civil::date(year, 1, 1).to_zoned(jiff::tz::TimeZone::UTC).ok().map(|at| at.timestamp())
}

/// Every error of the table, and those that it leaves out.
#[cfg(test)]
pub(super) fn errors() -> Vec<BitwardenError> {
    let others = [BitwardenError::SelfHosted, BitwardenError::PlanWithoutApi, BitwardenError::SwitchedOff];
    symptoms().into_iter().map(|row| row.error).chain(others).collect()
}
