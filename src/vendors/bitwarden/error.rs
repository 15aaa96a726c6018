//! What Bitwarden alone can mean when it gives no numbers, and the sentence each meaning turns into.

use super::NAME;
use crate::domain::{Fault, Remedy, reason};
use crate::vendors::error::{Failure, VendorError};

/// Why an organization could not be read. Carries our own words and numbers only, never Bitwarden's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BitwardenError {
    /// What any vendor could mean.
    #[error(transparent)]
    Shared(#[from] VendorError),
    /// The token endpoint does not know this organization's client, or knows another secret for it.
    #[error("invalid_client")]
    InvalidClient,
    /// The same, of a person.
    #[error("invalid_client of a person")]
    PersonUnknown,
    /// No personal key works for this account.
    #[error("account with legacy encryption")]
    LegacyAccount,
    /// The organization is shown, and this status is answered for its subscription.
    #[error("no subscription: status {0}")]
    NoSubscription(u16),
    /// The same of an organization's key, and the owner's key shows that the plan has no API.
    #[error("plan without API")]
    PlanWithoutApi,
    /// The same of an organization's key, and the owner's key shows that the organization is switched off.
    #[error("organization switched off")]
    SwitchedOff,
    /// The token endpoint refuses the request as such.
    #[error("token request refused with status {0}")]
    TokenRefused(u16),
    /// The token endpoint wants a newer client version.
    #[error("client version refused")]
    ClientVersion,
    /// The person belongs to no such organization, or is not confirmed there.
    #[error("not a member")]
    NotMember,
    /// The person is not an owner.
    #[error("not an owner")]
    NotOwner,
    /// The person owns no organization.
    #[error("no organization")]
    NoOrganization,
    /// The person owns more than one organization, and none is named.
    #[error("several organizations")]
    SeveralOrganizations,
    /// 401 with a fresh token.
    #[error("unauthorized with a fresh token")]
    Unauthorized,
    /// 403 with a fresh token.
    #[error("forbidden")]
    Forbidden,
    /// The server accepts an organization key, and has no such path of the organization API.
    #[error("no {0}")]
    NoOrganizationPath(&'static str),
    /// The server accepts a person's key, and has no such path for a person who should see it.
    #[error("no {path}")]
    NoPath {
        /// Which, with `{id}` of the organization.
        path: &'static str,
        /// The owner API says so in its own words, as it also does to a member who is no owner
        /// (docs/vendors/bitwarden.md, "A wrong role").
        own: bool,
    },
    /// A self-hosted server, which has no purchased seats to manage.
    #[error("only allowed when not self-hosted")]
    SelfHosted,
}

impl BitwardenError {
    /// What a 404 of the organization API means where a token was accepted. A 404 of the token endpoint says nothing of a path.
    pub(super) fn of_organization_path(self, path: &'static str) -> Self {
        if self == Self::Shared(VendorError::NotFound) { Self::NoOrganizationPath(path) } else { self }
    }

    /// What a 404 of the owner API means where a token was accepted.
    pub(super) fn of_path(self, path: &'static str) -> Self {
        match self {
            Self::Shared(VendorError::NotFound) => Self::NoPath { path, own: false },
            Self::NotOwner => Self::NoPath { path, own: true },
            error => error,
        }
    }
}

impl Failure for BitwardenError {
    const UNAUTHORIZED: Self = Self::Unauthorized;
    const FORBIDDEN: Self = Self::Forbidden;
    const LABELS: &'static [&'static str] = &[
        "invalid_client",
        "legacy_account",
        "no_subscription",
        "token_refused",
        "client_version",
        "not_member",
        "not_owner",
        "no_organization",
        "several_organizations",
        "unauthorized",
        "forbidden",
        "no_path",
        "self_hosted",
    ];

    fn shared(&self) -> Option<&VendorError> {
        match self {
            Self::Shared(error) => Some(error),
            _ => None,
        }
    }

    fn label(&self) -> &'static str {
        match self {
            Self::Shared(error) => error.label(),
            Self::InvalidClient | Self::PersonUnknown | Self::PlanWithoutApi | Self::SwitchedOff => "invalid_client",
            Self::LegacyAccount => "legacy_account",
            Self::NoSubscription(_) => "no_subscription",
            Self::TokenRefused(_) => "token_refused",
            Self::ClientVersion => "client_version",
            Self::NotMember => "not_member",
            Self::NotOwner => "not_owner",
            Self::NoOrganization => "no_organization",
            Self::SeveralOrganizations => "several_organizations",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NoOrganizationPath(_) | Self::NoPath { .. } => "no_path",
            Self::SelfHosted => "self_hosted",
        }
    }

    fn remedy(&self) -> Remedy {
        match self {
            Self::Shared(error) => error.remedy(),
            Self::SeveralOrganizations => Remedy::Spec,
            Self::SelfHosted => Remedy::Unsupported,
            Self::NoOrganizationPath(_) | Self::NoPath { .. } => Remedy::Server { lasts: false },
            Self::NoSubscription(_) => Remedy::Time { after: None, secret_may_help: false },
            Self::InvalidClient
            | Self::PersonUnknown
            | Self::LegacyAccount
            | Self::PlanWithoutApi
            | Self::SwitchedOff
            | Self::TokenRefused(_)
            | Self::ClientVersion
            | Self::NotMember
            | Self::NotOwner
            | Self::NoOrganization
            | Self::Unauthorized
            | Self::Forbidden => Remedy::Credentials,
        }
    }

    #[expect(clippy::too_many_lines, reason = "a table of sentences: each reads best beside the others")]
    fn fault(&self, host: &str) -> Fault {
        let (reason, summary, message) = match self {
            Self::Shared(error) => return error.fault(NAME, host),
            Self::SeveralOrganizations => {
                return Fault::spec(
                    "spec.vendor.bitwarden.organizationId is needed: the person with this key owns more than one organization"
                        .into(),
                );
            }
            Self::InvalidClient => (
                reason::REJECTED,
                "key refused by the vendor",
                format!(
                    "{NAME} refuses the client id and secret: the key was rotated, belongs to another region or server, the \
                     organization is disabled or deleted, or its plan has no API access. Put the current key into the Secret"
                ),
            ),
            Self::PersonUnknown => (
                reason::REJECTED,
                "key refused by the vendor",
                format!(
                    "{NAME} refuses the client id and secret: the personal key was rotated, belongs to another region or server, \
                     or its account was deleted. Put the current key into the Secret"
                ),
            ),
            Self::LegacyAccount => (
                reason::REJECTED,
                "account refused by the vendor",
                format!(
                    "the account of the personal key has an encryption that {NAME} no longer supports, and no key of it works: ask \
                     {NAME}'s support to recover the account, or use the key of another owner"
                ),
            ),
            Self::NoSubscription(status) => (
                reason::VENDOR_UNREACHABLE,
                "subscription not shown",
                format!(
                    "{host} shows the organization, and answers with status {status} for its subscription: its payment service may \
                     not know the subscription. Seatkeeper tries again; if it lasts, ask {NAME}"
                ),
            ),
            Self::PlanWithoutApi => (
                reason::REJECTED,
                "plan has no API access",
                format!(
                    "{NAME} refuses the organization key because the organization's plan has no API access, as the owner's key shows \
                     (Free and Families have none): choose a plan with API access, or take this key out of the spec"
                ),
            ),
            Self::SwitchedOff => (
                reason::REJECTED,
                "organization switched off",
                format!(
                    "{NAME} refuses the organization key because the organization is switched off, as the owner's key shows: ask \
                     {NAME}, or renew its subscription"
                ),
            ),
            Self::TokenRefused(status) => (
                reason::REJECTED,
                "token refused by the vendor",
                format!(
                    "{NAME}'s token endpoint refuses the request with status {status}: check clientId and clientSecret"
                ),
            ),
            Self::ClientVersion => (
                reason::REJECTED,
                "client version refused",
                format!(
                    "{NAME} refuses the client version that the operator names for personal keys: ask the installer to set a newer one with --bitwarden-client-version"
                ),
            ),
            Self::NotMember => (
                reason::INSUFFICIENT_ROLE,
                "key's owner is not a member",
                "the owner of the personal key is no confirmed member of this organization: the person was removed, owns another organization, or this organization was deleted. Use the key of an owner of this one"
                    .into(),
            ),
            Self::NotOwner => (
                reason::INSUFFICIENT_ROLE,
                "role too low: owner key needed",
                "the personal key belongs to a member who is not an owner, and Bitwarden shows billing to owners alone (404): use the key of an owner. Being an admin is not enough, and a provider may not manage the organization"
                    .into(),
            ),
            Self::NoOrganization => (
                reason::INSUFFICIENT_ROLE,
                "role too low: owner key needed",
                "the owner of the personal key owns no organization: use the key of an owner. Where it worked before, the organization was deleted, or the person is no longer its owner"
                    .into(),
            ),
            Self::Unauthorized => (
                reason::REJECTED,
                "token refused by the vendor",
                format!(
                    "{host} refuses a fresh token with 401: identity and API address may belong to different servers. Check the addresses in the Secret"
                ),
            ),
            Self::Forbidden => (
                reason::INSUFFICIENT_ROLE,
                "key may not do this",
                format!(
                    "{host} refuses this key with 403: it may belong to another organization, so put the API key of this \
                     organization into the Secret. If the key is right, the network in front of Bitwarden may block the \
                     operator's address: ask Bitwarden"
                ),
            ),
            Self::NoOrganizationPath(path) => (
                reason::UNSUPPORTED_BY_VENDOR,
                "no such API at this server",
                format!(
                    "{host} accepts the key but has no {path} (Vaultwarden has no seats; for {NAME} check apiUrl, or update). Seatkeeper \
                     tries again"
                ),
            ),
            Self::NoPath { path, .. } => (
                reason::UNSUPPORTED_BY_VENDOR,
                "no such API at this server",
                format!(
                    "{host} has no {path}: an older server, another product, or a proxy that filters. Check apiUrl or server in \
                     the Secret, or update the server. Seatkeeper tries again"
                ),
            ),
            Self::SelfHosted => (
                reason::UNSUPPORTED_BY_VENDOR,
                "self-hosted: seats come from the license",
                format!(
                    "{host} is self-hosted, where seats come from the license file: change the seats of the cloud organization, \
                     then update the license on the server"
                ),
            ),
        };
        Fault { remedy: self.remedy(), reason, summary: summary.into(), message }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::vendors::bitwarden::symptoms::errors;

    #[test]
    fn error_remedy_survives_formatting() {
        let all = errors();
        assert!(all.len() > 15, "{all:?}");
        for error in all {
            assert_eq!(error.fault("host.test").remedy, error.remedy(), "{error:?}");
        }
    }
    #[test]
    fn label_of_every_error_of_its_own_is_listed() {
        let all = errors();
        let labels: BTreeSet<_> = all.iter().filter(|error| error.shared().is_none()).map(Failure::label).collect();
        assert_eq!(labels, BitwardenError::LABELS.iter().copied().collect());
    }
}
