//! What is wrong with a server's certificate, and the sentence that says it. Names in the certificate are not repeated: they are
//! whatever the server sends.

use jiff::Timestamp;
use rustls::CertificateError;
use rustls::pki_types::UnixTime;

/// Why a certificate is not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Untrusted {
    /// It ended then, where that is known.
    Expired(Option<Timestamp>),
    /// It begins then, where that is known.
    NotYetValid(Option<Timestamp>),
    /// It is for other names than the host's.
    OtherNames,
    /// A server shows the certificate of a CA as its own.
    OfCa,
    /// No trusted CA has signed it.
    UnknownIssuer,
    /// Anything else.
    Unusable,
}

impl Untrusted {
    pub fn of(error: &CertificateError) -> Self {
        match error {
            CertificateError::Expired => Self::Expired(None),
            CertificateError::ExpiredContext { not_after, .. } => Self::Expired(time(*not_after)),
            CertificateError::NotValidYet => Self::NotYetValid(None),
            CertificateError::NotValidYetContext { not_before, .. } => Self::NotYetValid(time(*not_before)),
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Self::OtherNames,
            // A CA that was made anew has the name of the old one and another key.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::UnknownIssuer,
            CertificateError::Other(other)
                if other.0.downcast_ref::<webpki::Error>() == Some(&webpki::Error::CaUsedAsEndEntity) =>
            {
                Self::OfCa
            }
            _ => Self::Unusable,
        }
    }

    /// A few words, and the sentence with its fix.
    pub fn words(self, host: &str) -> (&'static str, String) {
        match self {
            Self::Expired(end) => (
                "certificate expired",
                format!(
                    "the certificate of {host} {}: renew it at that server",
                    end.map_or_else(|| "has expired".into(), |end| format!("expired at {end}"))
                ),
            ),
            Self::NotYetValid(begin) => (
                "certificate not valid yet",
                format!(
                    "the certificate of {host} is {}: check the clocks of that server's CA and of the operator's node",
                    begin.map_or_else(|| "not valid yet".into(), |begin| format!("valid from {begin}"))
                ),
            ),
            Self::OtherNames => (
                "certificate for other names",
                format!(
                    "the certificate of {host} is for other names: name the server in the Secret as its certificate does, or give \
                     that server a certificate for {host}"
                ),
            ),
            Self::OfCa => (
                "certificate of a CA at a server",
                format!(
                    "{host} shows a CA certificate as its own (openssl req -x509 makes these). Give the server a certificate signed by \
                     that CA, or put this one into the Secret's ca.crt; then Seatkeeper trusts no other"
                ),
            ),
            Self::UnknownIssuer => (
                "certificate not trusted",
                format!(
                    "the certificate of {host} is not signed by a CA the operator trusts: put the CA's certificate into the Secret's \
                     ca.crt (where there is one, it alone counts), or for all vendors into the file of --vendor-ca-bundle (Helm: \
                     caBundle)"
                ),
            ),
            Self::Unusable => (
                "certificate not trusted",
                format!("the certificate of {host} cannot be used: give that server another one"),
            ),
        }
    }
}

fn time(time: UnixTime) -> Option<Timestamp> {
    Timestamp::from_second(i64::try_from(time.as_secs()).ok()?).ok()
}
