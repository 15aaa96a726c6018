//! Why a vendor could not be read: what all vendors share, with the sentence each meaning turns into. What one vendor alone
//! can mean, and each sentence that only its administrators understand, is in that vendor's folder.

use std::time::Duration;

use super::ReadError;
use super::http::NO_CONNECTION;
use super::pace::{Outage, Trouble, Wait};
use crate::plan::{Fault, Remedy, reason};

/// A vendor request that gave no usable answer. Carries our own words and numbers only, never the vendor's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum VendorError {
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
    /// The host is left alone because of what somebody else was answered; nothing was sent.
    #[error("the host is left alone for now")]
    Closed {
        /// When to come back.
        after: Duration,
        /// What is wrong with the host; `None`: too many requests came from this address.
        outage: Option<Outage>,
    },
    /// The server has no such API.
    #[error("no such API")]
    NotFound,
    /// Another answer that says nothing.
    #[error("status {0}")]
    Status(u16),
    /// An answer that cannot be read; the word says what was wrong.
    #[error("unreadable answer: {0}")]
    Unreadable(&'static str),
}

/// All that can keep one vendor from being read: what all vendors share, and what it alone can mean.
pub(super) trait Failure: Clone + From<VendorError> {
    /// What its status 401 means.
    const UNAUTHORIZED: Self;
    /// What its status 403 means.
    const FORBIDDEN: Self;

    /// What it means for any vendor, if that is all.
    fn shared(&self) -> Option<&VendorError>;

    /// One word for the metric label.
    fn label(&self) -> &'static str;

    /// Who or what mends it.
    fn remedy(&self) -> Remedy;

    /// The sentence for people, with its fix; its remedy is [`Failure::remedy`].
    fn fault(&self, host: &str) -> Fault;

    /// What the controller is told.
    fn unread(&self, host: &str) -> ReadError {
        match self.shared() {
            Some(VendorError::Paced { after }) => ReadError::Paced { after: *after },
            Some(VendorError::Closed { after, .. }) => ReadError::Closed { after: *after, fault: self.fault(host) },
            _ => ReadError::Failed(self.fault(host)),
        }
    }
}

impl From<Wait> for VendorError {
    fn from(wait: Wait) -> Self {
        match wait {
            Wait::Turn(after) => Self::Paced { after },
            Wait::Closed(after) => Self::Closed { after, outage: None },
            Wait::Down { after, outage, .. } => Self::Closed { after, outage: Some(outage) },
        }
    }
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
            Self::NotFound => "not_found",
            Self::Status(_) => "status",
            Self::Unreadable(_) => "unreadable",
        }
    }

    /// Time mends all of these; some of them, the owner of the Secret sooner.
    pub fn remedy(&self) -> Remedy {
        let after = match self {
            Self::Paced { after } | Self::Closed { after, .. } | Self::Throttled { after: Some(after) } => Some(*after),
            Self::Throttled { after: None } => Some(Duration::from_secs(60)),
            Self::NoAnswer(_) | Self::Certificate | Self::NotFound | Self::Status(_) | Self::Unreadable(_) => None,
        };
        let secret_may_help = matches!(self, Self::Certificate | Self::NotFound | Self::Unreadable(_));
        Remedy::Time { after, secret_may_help }
    }

    /// The sentence for people, with its fix. `vendor` is its name as people write it.
    pub fn fault(&self, vendor: &str, host: &str) -> Fault {
        let unreachable = format!("{vendor} unreachable");
        let (summary, message) = match self {
            Self::NoAnswer(why) => (unreachable, format!("{host} gave no answer: {why}. It is tried again")),
            Self::Certificate => (
                "certificate not trusted".into(),
                format!(
                    "the certificate of {host} is not signed by a CA the operator trusts, or is not for that name: put the CA's \
                     certificate into the Secret's ca.crt"
                ),
            ),
            // It does not come to a status: the controller comes back instead.
            Self::Paced { after } => (
                "waits for its turn".into(),
                format!("{host} takes only so many requests a minute: this one comes in {} s", after.as_secs()),
            ),
            Self::Throttled { after: Some(after) } | Self::Closed { after, outage: None } => (
                "throttled by the vendor".into(),
                format!("{vendor} asks for {} s of pause: too many requests came from this address", after.as_secs()),
            ),
            Self::Throttled { after: None } => (
                "throttled by the vendor".into(),
                format!(
                    "{host} refuses requests for now and does not say how long: its edge may be blocking this network"
                ),
            ),
            Self::NotFound => (
                "no such API at this server".into(),
                format!("{host} has no such API (404): check the server named in the Secret"),
            ),
            Self::Closed { outage: Some(Outage { trouble: Trouble::NoConnection, .. }), .. } => {
                let Fault { summary, message, .. } = Self::NoAnswer(NO_CONNECTION).fault(vendor, host);
                (summary, message)
            }
            Self::Closed { outage: Some(Outage { trouble: Trouble::Status(status), asked: None }), .. } => {
                let Fault { summary, message, .. } = Self::Status(*status).fault(vendor, host);
                (summary, message)
            }
            Self::Closed { outage: Some(Outage { trouble: Trouble::Status(status), asked: Some(asked) }), .. } => (
                unreachable,
                format!(
                    "{host} answers with status {status} and asks for {} s of pause. It is tried again then",
                    asked.as_secs()
                ),
            ),
            Self::Status(status) => (unreachable, format!("{host} answers with status {status}. It is tried again")),
            Self::Unreadable(what) => (
                "answer of the vendor not readable".into(),
                format!("the answer of {host} cannot be read ({what}): is it really {vendor}? It is tried again"),
            ),
        };
        Fault { remedy: self.remedy(), reason: reason::VENDOR_UNREACHABLE, summary, message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Outcome, Refusal};
    use crate::vendors::connection::not_signed;

    /// A vendor with one meaning of its own.
    #[derive(Clone, Debug, PartialEq, Eq)]
    enum AcmeError {
        Shared(VendorError),
        Own,
    }

    impl From<VendorError> for AcmeError {
        fn from(error: VendorError) -> Self {
            Self::Shared(error)
        }
    }

    impl Failure for AcmeError {
        const UNAUTHORIZED: Self = Self::Own;
        const FORBIDDEN: Self = Self::Own;

        fn shared(&self) -> Option<&VendorError> {
            match self {
                Self::Shared(error) => Some(error),
                Self::Own => None,
            }
        }

        fn label(&self) -> &'static str {
            self.shared().map_or("own", VendorError::label)
        }

        fn remedy(&self) -> Remedy {
            self.shared().map_or(Remedy::Credentials, VendorError::remedy)
        }

        fn fault(&self, host: &str) -> Fault {
            let own = || Fault::credentials(reason::REJECTED, "own", format!("{host}: own"));
            self.shared().map_or_else(own, |error| error.fault("Acme", host))
        }
    }

    const PAUSE: Duration = Duration::from_secs(7);

    fn down(trouble: Trouble, asked: Option<Duration>) -> Wait {
        Wait::Down { after: PAUSE, outage: Outage { trouble, asked }, probing: false }
    }

    fn every() -> [AcmeError; 13] {
        let throttled = |after| VendorError::Throttled { after }.into();
        let down = |trouble, asked| VendorError::from(down(trouble, asked)).into();
        [
            VendorError::NoAnswer("no connection").into(),
            VendorError::Certificate.into(),
            throttled(Some(PAUSE)),
            throttled(None),
            VendorError::from(Wait::Turn(PAUSE)).into(),
            VendorError::from(Wait::Closed(PAUSE)).into(),
            down(Trouble::NoConnection, None),
            down(Trouble::Status(503), None),
            down(Trouble::Status(503), Some(PAUSE * 10)),
            VendorError::NotFound.into(),
            VendorError::Status(503).into(),
            VendorError::Unreadable("it is too large").into(),
            AcmeError::Own,
        ]
    }

    #[test]
    fn a_turn_that_has_not_come_is_no_fault_and_everything_else_is_one_that_keeps_its_remedy() {
        for error in every() {
            let fault = Fault { remedy: error.remedy(), ..error.fault("host.test") };
            let expected = match &error {
                AcmeError::Shared(VendorError::Paced { .. }) => ReadError::Paced { after: PAUSE },
                AcmeError::Shared(VendorError::Closed { .. }) => ReadError::Closed { after: PAUSE, fault },
                _ => ReadError::Failed(fault),
            };
            assert_eq!(error.unread("host.test"), expected);
        }
    }

    #[test]
    fn host_in_an_outage_is_told_in_the_words_of_who_saw_it_and_with_the_pause_that_it_asks_for() {
        let told = |error: VendorError| error.fault("Acme", "host.test").message;
        let closed = |trouble, asked| told(down(trouble, asked).into());
        assert_eq!(closed(Trouble::Status(502), None), told(VendorError::Status(502)));
        assert_eq!(closed(Trouble::NoConnection, None), told(VendorError::NoAnswer(NO_CONNECTION)));
        let asks = closed(Trouble::Status(503), Some(Duration::from_secs(600)));
        assert_eq!(asks, "host.test answers with status 503 and asks for 600 s of pause. It is tried again then");
    }

    #[test]
    fn without_proof_of_who_calls_a_change_is_not_sent_or_refused_for_the_key() {
        for error in every() {
            let outcome = not_signed(&error, "host.test");
            match error {
                AcmeError::Shared(VendorError::Paced { .. } | VendorError::Closed { .. }) => {
                    assert!(matches!(outcome, Outcome::NotSent(_)), "{outcome:?}");
                }
                AcmeError::Shared(VendorError::Throttled { after }) => {
                    assert_eq!(outcome, Outcome::Refused(Refusal::Throttled(after)));
                }
                error => assert_eq!(outcome, Outcome::Refused(Refusal::Credentials(error.fault("host.test")))),
            }
        }
    }
}
