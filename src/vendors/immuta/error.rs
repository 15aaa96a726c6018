//! What Immuta alone can mean when it gives no numbers, and the sentence each meaning turns into.

use super::NAME;
use crate::domain::{Fault, Remedy, reason};
use crate::vendors::error::{Failure, VendorError};

/// What the owner of a key lacks that may not do something (docs/vendors/immuta.md, "Permissions").
const NEEDED: &str = "the owner of the API key needs the permission APPLICATION_ADMIN in Immuta, and USER_ADMIN beside it on \
                      old releases";

/// Why a tenant could not be read. Carries our own words and numbers only, never Immuta's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ImmutaError {
    /// What any vendor could mean.
    #[error(transparent)]
    Shared(#[from] VendorError),
    /// The API key is refused, as it is and exchanged for a token.
    #[error("API key refused")]
    ApiKeyRefused,
    /// 403: the key's owner lacks a permission.
    #[error("permission missing")]
    MissingPermission,
    /// A row of the list that cannot be identified.
    #[error("row {place} without {field}")]
    OddRow {
        /// Its place in the list, from 1.
        place: usize,
        /// The field that should identify it.
        field: &'static str,
    },
    /// A page for people came instead of an answer, or a redirect to one.
    #[error("a login page")]
    LoginPage,
}

impl Failure for ImmutaError {
    const UNAUTHORIZED: Self = Self::ApiKeyRefused;
    const FORBIDDEN: Self = Self::MissingPermission;
    const LABELS: &'static [&'static str] = &["key_refused", "permission_missing", "odd_row", "login_page"];

    fn shared(&self) -> Option<&VendorError> {
        match self {
            Self::Shared(error) => Some(error),
            _ => None,
        }
    }

    fn label(&self) -> &'static str {
        match self {
            Self::Shared(error) => error.label(),
            Self::ApiKeyRefused => "key_refused",
            Self::MissingPermission => "permission_missing",
            Self::OddRow { .. } => "odd_row",
            Self::LoginPage => "login_page",
        }
    }

    fn remedy(&self) -> Remedy {
        match self {
            Self::Shared(error) => error.remedy(),
            Self::OddRow { .. } => Remedy::Time { after: None, secret_may_help: false },
            Self::ApiKeyRefused | Self::MissingPermission | Self::LoginPage => Remedy::Credentials,
        }
    }

    fn fault(&self, host: &str) -> Fault {
        let (reason, summary, message) = match self {
            Self::Shared(error) => return error.fault(NAME, host),
            Self::ApiKeyRefused => (
                reason::REJECTED,
                "key refused by the vendor",
                format!(
                    "{host} refuses the API key: it was deleted, or belongs to another tenant, or its owner may not log in. Put a \
                     current key into the Secret's apiKey"
                ),
            ),
            Self::MissingPermission => (
                reason::INSUFFICIENT_ROLE,
                "key may not do this",
                format!("{host} refuses this key with 403: {NEEDED}"),
            ),
            Self::OddRow { place, field } => (
                reason::VENDOR_UNREACHABLE,
                "a row cannot be read",
                format!(
                    "row {place} in the license list of {host} has no readable {field} and may be the row of any key: correct the row, or replace its license key. Seatkeeper tries again"
                ),
            ),
            Self::LoginPage => (
                reason::REJECTED,
                "a login page answered",
                format!(
                    "{host} answers with a login page or a redirect instead of data: it does not take the key, or something \
                     in front of {NAME} does not let it through; check server and apiKey in the Secret"
                ),
            ),
        };
        Fault { remedy: self.remedy(), reason, summary: summary.into(), message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: [ImmutaError; 4] = [
        ImmutaError::ApiKeyRefused,
        ImmutaError::MissingPermission,
        ImmutaError::OddRow { place: 1, field: "uuid" },
        ImmutaError::LoginPage,
    ];

    #[test]
    fn error_remedy_survives_formatting() {
        for error in OWN.into_iter().chain([VendorError::NotFound.into()]) {
            assert_eq!(error.fault("host.test").remedy, error.remedy(), "{error:?}");
        }
    }

    #[test]
    fn label_of_every_error_of_its_own_is_listed() {
        assert_eq!(OWN.each_ref().map(Failure::label), ImmutaError::LABELS);
    }
}
