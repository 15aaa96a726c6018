//! What is told of each error, and what becomes of a change without proof of who calls.

use std::collections::BTreeSet;

use super::*;
use crate::domain::{Outcome, Refusal};
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
    const LABELS: &'static [&'static str] = &["own"];

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

fn every() -> [AcmeError; 17] {
    let throttled = |after| VendorError::Throttled { after }.into();
    let down = |trouble, asked| VendorError::from(down(trouble, asked)).into();
    [
        VendorError::NoAnswer("no connection").into(),
        VendorError::Certificate(Untrusted::UnknownIssuer).into(),
        VendorError::ClientCertificate.into(),
        VendorError::Redirect(302).into(),
        throttled(Some(PAUSE)),
        throttled(None),
        VendorError::from(Wait::Turn(PAUSE)).into(),
        VendorError::from(Wait::Closed(PAUSE)).into(),
        VendorError::from(Wait::Guessed(PAUSE)).into(),
        down(Trouble::NoConnection("no connection"), None),
        down(Trouble::Status(503), None),
        down(Trouble::Status(503), Some(PAUSE * 10)),
        VendorError::NotFound.into(),
        VendorError::InFront(403).into(),
        VendorError::Status(503).into(),
        VendorError::Unreadable("it is too large").into(),
        AcmeError::Own,
    ]
}

#[test]
fn label_of_every_error_is_listed() {
    let labels: BTreeSet<_> = every().iter().map(Failure::label).collect();
    let listed: BTreeSet<_> = VendorError::LABELS.iter().chain(AcmeError::LABELS).copied().collect();
    assert_eq!(labels, listed);
}

#[test]
fn rate_limit_wait_is_no_fault_and_every_other_error_keeps_its_remedy() {
    for error in every() {
        let fault = Fault { remedy: error.remedy(), ..error.fault("host.test") };
        let expected = match &error {
            AcmeError::Shared(VendorError::RateLimited { .. }) => ReadError::RateLimited { after: PAUSE },
            AcmeError::Shared(VendorError::Closed { .. }) => ReadError::Closed { after: PAUSE, fault },
            _ => ReadError::Failed(fault),
        };
        assert_eq!(error.unread("host.test"), expected);
    }
}

#[test]
fn host_outage_is_reported_in_words_of_its_error_with_pause_it_asks_for() {
    let told = |error: VendorError| error.fault("Acme", "host.test").message;
    let closed = |trouble, asked| told(down(trouble, asked).into());
    assert_eq!(closed(Trouble::Status(502), None), told(VendorError::Status(502)));
    let words = "the proxy takes no connection";
    assert_eq!(closed(Trouble::NoConnection(words), None), told(VendorError::NoAnswer(words)));
    let guessed = told(Wait::Guessed(Duration::from_secs(230)).into());
    assert_eq!(guessed, "host.test answered 429 without saying how long; next try in 230 s");
    let asks = closed(Trouble::Status(503), Some(Duration::from_secs(600)));
    assert_eq!(asks, "host.test answers with status 503 and asks for 600 s of pause. Seatkeeper tries again then");
}

#[test]
fn unsigned_change_is_unsent_or_refused_for_key() {
    for error in every() {
        let outcome = not_signed(&error, "host.test");
        match error {
            AcmeError::Shared(VendorError::RateLimited { .. } | VendorError::Closed { .. }) => {
                assert!(matches!(outcome, Outcome::NotSent(_)), "{outcome:?}");
            }
            AcmeError::Shared(VendorError::Throttled { after }) => {
                assert_eq!(outcome, Outcome::Refused(Refusal::Throttled(after)));
            }
            error => assert_eq!(outcome, Outcome::Refused(Refusal::Credentials(error.fault("host.test")))),
        }
    }
}
