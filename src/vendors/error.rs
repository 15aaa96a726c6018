//! Why a vendor could not be read: what all vendors share, with the sentence each meaning turns into. What one vendor alone
//! can mean, and each sentence that only its administrators understand, is in that vendor's folder.

use std::time::Duration;

use super::ReadError;
use super::certificate_error::Untrusted;
use super::rate_limit::{Outage, Trouble, Wait};
use crate::domain::{Fault, RATE_LIMITED, Remedy, reason};

/// How long is waited after a 429 that does not say it, the first time.
const GUESSED: Duration = Duration::from_secs(60);

/// A host that takes no connection.
pub(super) const NO_CONNECTION: &str = "no connection. Let the operator's pods reach that host, or name a proxy (--vendor-proxy; Helm: \
     vendors.proxy)";

/// A vendor request that gave no usable answer. Carries our own words and numbers only, never the vendor's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum VendorError {
    /// No connection, or it broke, or it took too long.
    #[error("no answer ({0})")]
    NoAnswer(&'static str),
    /// The server's certificate is not one we can trust.
    #[error("certificate not trusted")]
    Certificate(Untrusted),
    /// Something in front of the vendor wants a certificate of ours.
    #[error("a client certificate is wanted")]
    ClientCertificate,
    /// Too many requests.
    #[error("throttled")]
    Throttled {
        /// The pause of `Retry-After`.
        after: Option<Duration>,
    },
    /// The rate limit of this host has no room; nothing was sent and nothing is wrong.
    #[error("rate limited for {} s", .after.as_secs())]
    RateLimited {
        /// The time until it may be sent.
        after: Duration,
    },
    /// Requests to the host are paused because of an answer to another object; nothing was sent.
    #[error("requests to the host are paused")]
    Closed {
        /// The time until the next attempt.
        after: Duration,
        /// The fault of the host; `None`: too many requests came from this address.
        outage: Option<Outage>,
    },
    /// The server has no such API.
    #[error("no such API")]
    NotFound,
    /// A refusal with this status that is not the vendor's own: by a firewall, a gateway, an edge.
    #[error("refused with status {0} in front of the vendor")]
    InFront(u16),
    /// The answer is elsewhere, and Seatkeeper does not follow: a gateway sends people to its login so.
    #[error("redirected with status {0}")]
    Redirect(u16),
    /// Another answer that proves nothing.
    #[error("status {0}")]
    Status(u16),
    /// An unreadable answer, with its fault.
    #[error("unreadable answer: {0}")]
    Unreadable(&'static str),
}

/// All that can keep one vendor from being read: what all vendors share, and what it alone can mean.
pub(super) trait Failure: Clone + From<VendorError> {
    /// What its status 401 means.
    const UNAUTHORIZED: Self;
    /// What its status 403 means.
    const FORBIDDEN: Self;
    /// Each [`Failure::label`] that not every vendor has.
    const LABELS: &'static [&'static str];

    /// What it means for any vendor, if that is all.
    fn shared(&self) -> Option<&VendorError>;

    /// One word for the metric label.
    fn label(&self) -> &'static str;

    /// The remedy.
    fn remedy(&self) -> Remedy;

    /// The sentence for people, with its fix; its remedy is [`Failure::remedy`].
    fn fault(&self, host: &str) -> Fault;

    /// The error for the controller.
    fn unread(&self, host: &str) -> ReadError {
        match self.shared() {
            Some(VendorError::RateLimited { after }) => ReadError::RateLimited { after: *after },
            Some(VendorError::Closed { after, .. }) => ReadError::Closed { after: *after, fault: self.fault(host) },
            _ => ReadError::Failed(self.fault(host)),
        }
    }
}

impl From<Wait> for VendorError {
    fn from(wait: Wait) -> Self {
        match wait {
            Wait::Turn(after) => Self::RateLimited { after },
            Wait::Closed(after) => Self::Closed { after, outage: None },
            Wait::Guessed(after) => {
                Self::Closed { after, outage: Some(Outage { trouble: Trouble::Status(429), asked: None }) }
            }
            Wait::Down { after, outage, .. } => Self::Closed { after, outage: Some(outage) },
        }
    }
}

impl VendorError {
    /// Each [`VendorError::label`].
    pub const LABELS: &'static [&'static str] = &[
        "no_answer",
        "certificate",
        "client_certificate",
        "throttled",
        "rate_limited",
        "closed",
        "not_found",
        "in_front",
        "redirect",
        "status",
        "unreadable",
    ];

    /// One word for the metric label.
    pub fn label(&self) -> &'static str {
        match self {
            Self::NoAnswer(_) => "no_answer",
            Self::Certificate(_) => "certificate",
            Self::ClientCertificate => "client_certificate",
            Self::Throttled { .. } => "throttled",
            Self::RateLimited { .. } => "rate_limited",
            Self::Closed { .. } => "closed",
            Self::NotFound => "not_found",
            Self::InFront(_) => "in_front",
            Self::Redirect(_) => "redirect",
            Self::Status(_) => "status",
            Self::Unreadable(_) => "unreadable",
        }
    }

    /// Time mends all of these; some of them, the owner of the Secret sooner.
    pub fn remedy(&self) -> Remedy {
        let after = match self {
            Self::RateLimited { after } | Self::Closed { after, .. } | Self::Throttled { after: Some(after) } => {
                Some(*after)
            }
            Self::Throttled { after: None } => Some(GUESSED),
            Self::NoAnswer(_)
            | Self::Certificate(_)
            | Self::ClientCertificate
            | Self::NotFound
            | Self::InFront(_)
            | Self::Redirect(_)
            | Self::Status(_)
            | Self::Unreadable(_) => None,
        };
        let secret_may_help = match self {
            Self::Certificate(_)
            | Self::ClientCertificate
            | Self::NotFound
            | Self::Redirect(_)
            | Self::Unreadable(_) => true,
            Self::NoAnswer(_)
            | Self::Throttled { .. }
            | Self::RateLimited { .. }
            | Self::Closed { .. }
            | Self::InFront(_)
            | Self::Status(_) => false,
        };
        Remedy::Time { after, secret_may_help }
    }

    /// The sentence for people, with its fix. `vendor` is its name as people write it.
    #[expect(clippy::too_many_lines, reason = "a table of sentences: each reads best beside the others")]
    pub fn fault(&self, vendor: &str, host: &str) -> Fault {
        let unreachable = format!("{vendor} unreachable");
        let (summary, message) = match self {
            Self::NoAnswer(why) => (unreachable, format!("{host} gave no answer: {why}. Seatkeeper tries again")),
            Self::Certificate(untrusted) => {
                let (summary, message) = untrusted.words(host);
                (summary.into(), message)
            }
            Self::ClientCertificate => (
                "a client certificate is wanted".into(),
                format!(
                    "{host} wants a client certificate that it knows: put one into the Secret as tls.crt and tls.key, let the operator \
                     through without one, or name another address of {vendor} in the Secret. Seatkeeper tries again"
                ),
            ),
            // It gets no status: the controller comes back instead.
            Self::RateLimited { after } => (
                RATE_LIMITED.into(),
                format!("{host} limits the requests per minute: this one is sent in {} s", after.as_secs()),
            ),
            Self::Throttled { after: Some(after) } | Self::Closed { after, outage: None } => (
                "throttled by the vendor".into(),
                format!("{vendor} asks for {} s of pause: too many requests came from this address", after.as_secs()),
            ),
            Self::Throttled { after: None } => guessed(host, GUESSED),
            Self::Closed { after, outage: Some(Outage { trouble: Trouble::Status(429), asked: None }) } => {
                guessed(host, *after)
            }
            Self::NotFound => (
                "no such API at this server".into(),
                format!("{host} has no such API (404): check the server named in the Secret"),
            ),
            Self::InFront(status) => (
                format!("blocked in front of {vendor}"),
                format!(
                    "{host} answers with status {status}, and not as {vendor} does: something in front of {vendor} refuses the \
                     request, such as a firewall, a gateway or its edge. This proves nothing about the key. Let the operator's \
                     requests through there. Seatkeeper tries again"
                ),
            ),
            Self::Closed { outage: Some(Outage { trouble: Trouble::NoConnection(why), .. }), .. } => {
                let Fault { summary, message, .. } = Self::NoAnswer(why).fault(vendor, host);
                (summary, message)
            }
            Self::Closed { outage: Some(Outage { trouble: Trouble::Status(status), asked: None }), .. } => {
                let Fault { summary, message, .. } = Self::Status(*status).fault(vendor, host);
                (summary, message)
            }
            Self::Closed { outage: Some(Outage { trouble: Trouble::Status(status), asked: Some(asked) }), .. } => (
                unreachable,
                format!(
                    "{host} answers with status {status} and asks for {} s of pause. Seatkeeper tries again then",
                    asked.as_secs()
                ),
            ),
            Self::Redirect(status) => (
                format!("redirected in front of {vendor}"),
                format!(
                    "{host} redirects to another place (status {status}), as a gateway with a login does, and Seatkeeper never \
                     follows: let the operator through without a login, or name the address of {vendor} itself in the Secret. Seatkeeper \
                     tries again"
                ),
            ),
            Self::Status(status) => {
                (unreachable, format!("{host} answers with status {status}. Seatkeeper tries again"))
            }
            Self::Unreadable(what) => (
                "answer of the vendor not readable".into(),
                format!("the answer of {host} cannot be read ({what}): is it really {vendor}? Seatkeeper tries again"),
            ),
        };
        Fault { remedy: self.remedy(), reason: reason::VENDOR_UNREACHABLE, summary, message }
    }
}

/// The report of a 429 that does not say how long: STATUS and sentence. `after`: when it is tried next.
fn guessed(host: &str, after: Duration) -> (String, String) {
    let message = format!("{host} answered 429 without saying how long; next try in {} s", after.as_secs());
    ("throttled by the vendor".into(), message)
}

#[cfg(test)]
mod tests;
