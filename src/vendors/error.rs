//! Why a vendor could not be read, by meaning; and the sentence each meaning turns into.

use std::time::Duration;

use crate::plan::{Fault, Remedy, reason};

/// A vendor request that gave no usable answer. Carries our own words and numbers only, never the vendor's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VendorError {
    /// No connection, or it broke, or it took too long.
    #[error("no answer ({0})")]
    NoAnswer(&'static str),
    /// The server's certificate is not one we can trust.
    #[error("certificate not trusted")]
    Certificate,
    /// Too many requests.
    #[error("throttled")]
    Throttled {
        /// What `Retry-After` asked for.
        after: Option<Duration>,
    },
    /// No room for it among the requests to this host; nothing was sent and nothing is wrong.
    #[error("its turn comes in {} s", .after.as_secs())]
    Paced {
        /// When its turn comes.
        after: Duration,
    },
    /// The host asked for a pause in an answer to somebody else; nothing was sent.
    #[error("the host asked for a pause")]
    Closed {
        /// How long it still lasts.
        after: Duration,
    },
    /// The token endpoint does not know this client, or knows another secret for it.
    #[error("invalid_client")]
    InvalidClient,
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
    /// The API key is refused, as it is and exchanged for a token.
    #[error("API key refused")]
    ApiKeyRefused,
    /// 403, where it is known what the key's owner needs.
    #[error("permission missing")]
    MissingPermission(&'static str),
    /// A page for people came instead of an answer, or a redirect to one.
    #[error("a login page")]
    LoginPage,
    /// 403 with a fresh token.
    #[error("forbidden")]
    Forbidden,
    /// The server has no such API.
    #[error("no such API")]
    NotFound,
    /// A self-hosted server, which has no purchased seats to manage.
    #[error("only allowed when not self-hosted")]
    SelfHosted,
    /// Another answer that says nothing.
    #[error("status {0}")]
    Status(u16),
    /// An answer that cannot be read; the word says what was wrong.
    #[error("unreadable answer: {0}")]
    Unreadable(&'static str),
    /// This process cannot do TLS.
    #[error("TLS cannot be set up")]
    Tls,
}

impl VendorError {
    /// One word for the metric label.
    pub fn label(&self) -> &'static str {
        match self {
            Self::NoAnswer(_) => "no_answer",
            Self::Certificate => "certificate",
            Self::Throttled { .. } => "throttled",
            Self::Paced { .. } => "paced",
            Self::Closed { .. } => "closed",
            Self::InvalidClient => "invalid_client",
            Self::TokenRefused(_) => "token_refused",
            Self::ClientVersion => "client_version",
            Self::NotMember => "not_member",
            Self::NotOwner => "not_owner",
            Self::NoOrganization => "no_organization",
            Self::SeveralOrganizations => "several_organizations",
            Self::Unauthorized => "unauthorized",
            Self::ApiKeyRefused => "key_refused",
            Self::MissingPermission(_) => "permission_missing",
            Self::LoginPage => "login_page",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::SelfHosted => "self_hosted",
            Self::Status(_) => "status",
            Self::Unreadable(_) => "unreadable",
            Self::Tls => "tls",
        }
    }

    /// The sentence for people, with its fix, and who can mend it. `vendor` is its name as people write it.
    pub fn fault(&self, vendor: &str, host: &str) -> Fault {
        let time = |after: Option<Duration>, secret_may_help: bool, summary: String, message: String| Fault {
            remedy: Remedy::Time { after, secret_may_help },
            reason: reason::VENDOR_UNREACHABLE,
            summary,
            message,
        };
        let unreachable = format!("{vendor} unreachable");
        match self {
            Self::NoAnswer(why) => {
                time(None, false, unreachable, format!("{host} gave no answer: {why}. It is tried again"))
            }
            Self::Certificate => time(
                None,
                true,
                "certificate not trusted".into(),
                format!(
                    "the certificate of {host} is not signed by a CA the operator trusts, or is not for that name: put the CA's \
                     certificate into the Secret's ca.crt"
                ),
            ),
            // It does not come to a status: the controller comes back instead.
            Self::Paced { after } => time(
                Some(*after),
                false,
                "waits for its turn".into(),
                format!("{host} takes only so many requests a minute: this one comes in {} s", after.as_secs()),
            ),
            Self::Throttled { after: Some(after) } | Self::Closed { after } => time(
                Some(*after),
                false,
                "throttled by the vendor".into(),
                format!("{vendor} asks for {} s of pause: too many requests came from this address", after.as_secs()),
            ),
            Self::Throttled { after: None } => time(
                Some(Duration::from_secs(60)),
                false,
                "throttled by the vendor".into(),
                format!(
                    "{host} refuses requests for now and does not say how long: its edge may be blocking this network"
                ),
            ),
            Self::InvalidClient => Fault::credentials(
                reason::REJECTED,
                "key refused by the vendor",
                format!(
                    "{vendor} refuses the client id and secret: the key was rotated, belongs to another region or server, the \
                     organization is disabled, or its plan has no API access. Put the current key into the Secret"
                ),
            ),
            Self::TokenRefused(status) => Fault::credentials(
                reason::REJECTED,
                "token refused by the vendor",
                format!(
                    "{vendor}'s token endpoint refuses the request with status {status}: check clientId and clientSecret"
                ),
            ),
            Self::ClientVersion => Fault::credentials(
                reason::REJECTED,
                "client version refused",
                format!(
                    "{vendor} refuses the client version that the operator names for personal keys: whoever installed it can set a newer one with --bitwarden-client-version"
                ),
            ),
            Self::NotMember => Fault::credentials(
                reason::INSUFFICIENT_ROLE,
                "key's owner is not a member",
                "the personal key belongs to somebody who is no confirmed member of this organization: removed, or the key of another organization's owner. Use the key of an owner of this one"
                    .into(),
            ),
            Self::NotOwner => Fault::credentials(
                reason::INSUFFICIENT_ROLE,
                "role too low: owner key needed",
                "the personal key belongs to a member who is not an owner, for whom billing does not exist (404): use the key of an owner. Being an admin is not enough, and a provider may not manage the organization"
                    .into(),
            ),
            Self::NoOrganization => Fault::credentials(
                reason::INSUFFICIENT_ROLE,
                "role too low: owner key needed",
                "the personal key belongs to somebody who owns no organization: use the key of an owner".into(),
            ),
            Self::SeveralOrganizations => Fault::spec(
                "spec.vendor.bitwarden.organizationId is needed: the person with this key owns more than one organization"
                    .into(),
            ),
            Self::Unauthorized => Fault::credentials(
                reason::REJECTED,
                "token refused by the vendor",
                format!(
                    "{host} refuses a fresh token with 401: identity and API address may belong to different servers"
                ),
            ),
            Self::ApiKeyRefused => Fault::credentials(
                reason::REJECTED,
                "key refused by the vendor",
                format!(
                    "{host} refuses the API key: it was deleted, or belongs to another tenant, or its owner may not log in. Put a \
                     current key into the Secret's apiKey"
                ),
            ),
            Self::MissingPermission(needed) => Fault::credentials(
                reason::INSUFFICIENT_ROLE,
                "key may not do this",
                format!("{host} refuses this key with 403: {needed}"),
            ),
            Self::LoginPage => Fault::credentials(
                reason::REJECTED,
                "a login page answered",
                format!(
                    "{host} answers with a login page or a redirect instead of data: it does not take the key, or something \
                     in front of {vendor} does not let it through; check server and apiKey in the Secret"
                ),
            ),
            Self::Forbidden => Fault::credentials(
                reason::INSUFFICIENT_ROLE,
                "key may not do this",
                format!(
                    "{host} refuses this key with 403: it must be the organization API key of this organization; or the \
                     vendor's edge blocks this network"
                ),
            ),
            Self::NotFound => time(
                None,
                true,
                "no such API at this server".into(),
                format!("{host} has no such API (404): check the server named in the Secret"),
            ),
            Self::SelfHosted => Fault {
                remedy: Remedy::Unsupported,
                reason: reason::UNSUPPORTED_BY_VENDOR,
                summary: "self-hosted: seats come from the licence".into(),
                message: format!(
                    "{host} is self-hosted, where seats come from the licence file: change the seats of the cloud organization, \
                     then update the licence on the server"
                ),
            },
            Self::Status(status) => {
                time(None, false, unreachable, format!("{host} answers with status {status}. It is tried again"))
            }
            Self::Unreadable(what) => time(
                None,
                true,
                "answer of the vendor not readable".into(),
                format!("the answer of {host} cannot be read ({what}): is it really {vendor}? It is tried again"),
            ),
            Self::Tls => time(None, false, unreachable, "this process cannot set up TLS".into()),
        }
    }
}
