//! HTTPS with every bound in one place: no redirects, no proxies from the environment, caps on size and time, no retries.

use std::collections::HashMap;
use std::error::Error as _;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use reqwest::{Certificate, Client, RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::VendorError;
use super::gate::{Gate, Rates};
use super::pace::Pace;
use super::secret_data::never_shown;

/// The largest answer that is kept in memory, in bytes.
const BODY_CAP: usize = 256 * 1024;

/// The longest pause a vendor may ask for; more is treated as this.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// Time limits of vendor requests.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Opening a connection, TLS included.
    pub connect_timeout: Duration,
    /// A whole read, body included.
    pub read_timeout: Duration,
    /// A whole write. Vendors chain slow billing calls, so this is long; it must stay below the settle time.
    pub write_timeout: Duration,
    /// How long a refused key is not tried again unchanged.
    pub credential_probe: Duration,
    /// How old an answer may be that costs the vendor several calls, or that hardly ever changes: roles and subscriptions.
    pub account_recheck: Duration,
    /// The version this client claims to be towards Bitwarden. Personal keys need one that is recent enough (section
    /// 16.2).
    pub bitwarden_client_version: Arc<str>,
}

/// Labels of the vendor request counter, all from small fixed sets.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct RequestLabels {
    /// Kind of vendor.
    pub vendor: &'static str,
    /// What was asked for.
    pub operation: &'static str,
    /// `ok` or what went wrong.
    pub outcome: &'static str,
}

/// Counts vendor requests.
pub type RequestCounter = Family<RequestLabels, Counter>;

/// Clients, one per set of trusted CAs: connections are shared between all accounts behind the same CA.
pub(super) struct Http {
    pub(super) settings: HttpSettings,
    requests: RequestCounter,
    pace: Arc<Mutex<Pace>>,
    start: Instant,
    public: Arc<Client>,
    /// As long as somebody uses them: a CA may be rewritten again and again.
    private: Mutex<HashMap<[u8; 32], Weak<Client>>>,
}

/// The CA bundle in a Secret holds no certificate.
pub(super) struct InvalidCa;

impl Http {
    pub(super) fn new(settings: HttpSettings, requests: RequestCounter) -> Result<Self, VendorError> {
        let public = Arc::new(builder(&settings).build().map_err(|_| VendorError::Tls)?);
        let (pace, start, private) = (Arc::default(), Instant::now(), Mutex::default());
        Ok(Self { settings, requests, pace, start, public, private })
    }

    /// A client that trusts only the given CAs, or the system's when there are none.
    pub(super) fn client(&self, ca: Option<&[u8]>) -> Result<Arc<Client>, InvalidCa> {
        let Some(pem) = ca else { return Ok(Arc::clone(&self.public)) };
        let key: [u8; 32] = Sha256::digest(pem).into();
        let mut private = self.private.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = private.get(&key).and_then(Weak::upgrade) {
            return Ok(client);
        }
        let certificates = Certificate::from_pem_bundle(pem).map_err(|_| InvalidCa)?;
        if certificates.is_empty() {
            return Err(InvalidCa);
        }
        let client = builder(&self.settings).tls_certs_only(certificates).build().map_err(|_| InvalidCa)?;
        let client = Arc::new(client);
        private.retain(|_, client| client.strong_count() > 0);
        private.insert(key, Arc::downgrade(&client));
        Ok(client)
    }

    /// The counter that requests made elsewhere with these clients are counted in.
    pub(super) fn requests(&self) -> RequestCounter {
        self.requests.clone()
    }

    /// The way out for requests of a vendor with these limits.
    pub(super) fn gate(&self, rates: Rates) -> Gate {
        Gate::new(Arc::clone(&self.pace), self.start, rates)
    }
}

fn builder(settings: &HttpSettings) -> reqwest::ClientBuilder {
    Client::builder()
        .https_only(true)
        .http1_only()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .connect_timeout(settings.connect_timeout)
        .user_agent(concat!("seatkeeper/", env!("CARGO_PKG_VERSION")))
}

/// An answer of which the whole body was read.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    retry_after: Option<Duration>,
    body: Vec<u8>,
}

// It may hold a token.
never_shown!(Answer);

impl Answer {
    /// The body as JSON of the given shape, whatever the content type says.
    pub(super) fn json<T: DeserializeOwned>(&self, what: &'static str) -> Result<T, VendorError> {
        serde_json::from_slice(&self.body).map_err(|_| VendorError::Unreadable(what))
    }

    /// Whether a page for people came instead of an answer for programs: a login page, a captive portal.
    pub(super) fn is_web_page(&self) -> bool {
        self.body.trim_ascii_start().starts_with(b"<")
    }

    /// What the answer means when it is not a success.
    pub(super) fn refusal(&self) -> VendorError {
        refusal(self.status, self.retry_after)
    }
}

/// Sends a request through the gate and reads the whole answer, up to the cap.
pub(super) async fn exchange(gate: &Gate, request: RequestBuilder, timeout: Duration) -> Result<Answer, VendorError> {
    let mut response = gate.send(request, timeout).await?;
    let (status, retry_after) = (response.status(), retry_after(&response));
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| meaning(&e))? {
        if body.len() + chunk.len() > BODY_CAP {
            return Err(VendorError::Unreadable("it is too large"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, retry_after, body })
}

/// What an answer other than success means, by its status.
pub(super) fn refusal(status: StatusCode, retry_after: Option<Duration>) -> VendorError {
    match status {
        StatusCode::UNAUTHORIZED => VendorError::Unauthorized,
        StatusCode::FORBIDDEN => VendorError::Forbidden,
        StatusCode::NOT_FOUND => VendorError::NotFound,
        StatusCode::TOO_MANY_REQUESTS => VendorError::Throttled { after: retry_after },
        status => VendorError::Status(status.as_u16()),
    }
}

/// `Retry-After` in seconds. A date, or nonsense, counts as absent: no vendor here sends dates. It is a lower bound
/// (Bitwarden reference, section 12), so a second is added.
pub(super) fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.headers().get(reqwest::header::RETRY_AFTER)?.to_str().ok()?;
    let seconds: u64 = value.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.saturating_add(1)).min(LONGEST_PAUSE))
}

/// Tells transport errors apart without repeating their text, which may hold a URL.
pub(super) fn meaning(error: &reqwest::Error) -> VendorError {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(rustls::Error::InvalidCertificate(_)) = tls(cause) {
            return VendorError::Certificate;
        }
        source = cause.source();
    }
    VendorError::NoAnswer(if error.is_timeout() {
        "it took too long"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the connection broke"
    })
}

/// The TLS error in an error. An I/O error leaves its content out of the chain of sources, and may hold another one.
fn tls<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    match error.downcast_ref::<std::io::Error>() {
        Some(io) => tls(io.get_ref()?),
        None => error.downcast_ref(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::mutants::{Mutant, harmed};

    pub fn http() -> Http {
        let second = Duration::from_secs(1);
        let settings = HttpSettings {
            connect_timeout: second,
            read_timeout: second,
            write_timeout: second,
            credential_probe: second,
            account_recheck: second,
            bitwarden_client_version: "2026.1.0".into(),
        };
        Http::new(settings, RequestCounter::default()).unwrap()
    }

    pub fn answer(status: u16, body: &[u8]) -> Answer {
        Answer { status: StatusCode::from_u16(status).unwrap(), retry_after: None, body: body.to_vec() }
    }

    /// An error that came of foreign bytes says nothing of them, wherever it is shown.
    pub fn assert_ours(error: &VendorError) {
        let fault = error.fault("Vendor", "host.test");
        for text in [error.to_string(), format!("{error:?}"), fault.message, fault.summary] {
            assert!(!text.contains(crate::mutants::MARKER) && !text.contains(char::is_control), "{text:?}");
        }
    }

    const PEM: &str = "-----BEGIN CERTIFICATE-----
MIIBmDCCAT2gAwIBAgIUFNrDghtkc+P/99WnPYJNkpr96WUwCgYIKoZIzj0EAwIw
IDEeMBwGA1UEAwwVU2VhdGtlZXBlciB1bml0IHRlc3RzMCAXDTI2MTEyNTAxNTQz
M1oYDzIxMjYxMTAxMDE1NDMzWjAgMR4wHAYDVQQDDBVTZWF0a2VlcGVyIHVuaXQg
dGVzdHMwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAR+qI/aiWhfBJj/9sAZLuAG
pFyXkgTUsx1IitpQjo1WSbCBb9Xr+grKLWnzeT7vvm0pDPKJ1F3O+UfH1/ZdKqbo
o1MwUTAdBgNVHQ4EFgQUWks1ax6jluR0EqXiUtcu2vGVEWMwHwYDVR0jBBgwFoAU
Wks1ax6jluR0EqXiUtcu2vGVEWMwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQD
AgNJADBGAiEA2etJXe9Mq11aCqsrIrPdAR9THtiOYSuE/d9exu3nRnoCIQD0hEiA
4CL10W3MKVOFKs9igzQs57r1KdFPryOQ6guExQ==
-----END CERTIFICATE-----
";

    #[test]
    fn a_ca_bundle_is_trusted_whole_or_refused() {
        let http = http();
        let trusted = |pem: &str| http.client(Some(pem.as_bytes())).is_ok();
        let as_key = PEM.replace("CERTIFICATE", "PRIVATE KEY");
        for pem in
            [PEM, &PEM.repeat(2), &PEM.replace('\n', "\r\n"), &format!("{as_key}{PEM}"), &format!("# our CA\n{PEM}")]
        {
            assert!(trusted(pem), "{pem}");
        }
        let broken = PEM.replace("MIIBmDCC", "MIIBmDCD");
        for pem in ["", "MIIBmDCC", &as_key, &broken, &format!("{PEM}{broken}"), PEM.trim_end().trim_end_matches('-')] {
            assert!(!trusted(pem), "{pem}");
        }
    }

    const CA: &str = "\
-----BEGIN CERTIFICATE-----
MIIBNDCB56ADAgECAhRbExMGqNFZaUcP36fIdx++IlJY2DAFBgMrZXAwDzENMAsG
A1UEAwwEdGVzdDAgFw0yNjExMjUwMjExMjBaGA8yMTI2MTEwMTAyMTEyMFowDzEN
MAsGA1UEAwwEdGVzdDAqMAUGAytlcAMhAJD+0SmmjdA0EqFSZ/biZmXBjgLhqw16
4y6zaqox/5mGo1MwUTAdBgNVHQ4EFgQUulV8wHA3+C40hMcZvErWicKh4MEwHwYD
VR0jBBgwFoAUulV8wHA3+C40hMcZvErWicKh4MEwDwYDVR0TAQH/BAUwAwEB/zAF
BgMrZXADQQDuvnbi/rCES3XcOtBAjYA36vt/L3cFckIy1KSJNiOqqhGh5QJlUdeY
P55RUD0z7IxRDQxlkyqNtHYqC1p0u1sL
-----END CERTIFICATE-----
";

    #[test]
    fn a_ca_that_is_rewritten_again_and_again_leaves_no_clients_behind() {
        let http = http();
        let used = http.client(Some(CA.as_bytes())).ok().unwrap();
        for version in 0..20 {
            assert!(http.client(Some(format!("{CA}# {version}\n").as_bytes())).is_ok());
        }
        let kept = || http.private.lock().unwrap().len();
        assert!(kept() <= 2, "{} clients", kept());
        assert!(http.client(Some(b"no certificate")).is_err());
        drop(used);
    }

    fn asked(value: &[u8]) -> Option<Duration> {
        let value = reqwest::header::HeaderValue::from_bytes(value).ok()?;
        retry_after(&http::Response::builder().header(reqwest::header::RETRY_AFTER, value).body("").ok()?.into())
    }

    #[test]
    fn a_pause_is_a_number_of_seconds_and_at_most_an_hour() {
        for (value, seconds) in [("0", 1), (" 7 ", 8), ("999999999", 3600), ("18446744073709551615", 3600)] {
            assert_eq!(asked(value.as_bytes()), Some(Duration::from_secs(seconds)), "{value}");
        }
        for value in ["", "-1", "1.5", "1e3", "Wed, 21 Oct 2026 07:28:00 GMT", "18446744073709551616"] {
            assert_eq!(asked(value.as_bytes()), None, "{value}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_bytes_a_ca_bundle_holds_a_client_trusts_at_least_one_certificate_of_it(
            before in any::<Vec<u8>>(), Mutant(pem) in prop_oneof![harmed(PEM.as_bytes()), harmed(b"no certificate"), harmed(b"")],
        ) {
            thread_local!(static HTTP: Http = http());
            let pem = [before, pem].concat();
            if HTTP.with(|http| http.client(Some(&pem)).is_ok()) {
                let begins = pem.windows(27).filter(|window| *window == b"-----BEGIN CERTIFICATE-----").count();
                prop_assert!(begins > 0, "{}", pem.escape_ascii());
            }
        }

        #[test]
        fn whatever_a_vendor_asks_for_the_pause_is_between_a_second_and_an_hour(value in proptest::collection::vec(any::<u8>(), 0..30)) {
            let pause = asked(&value);
            prop_assert!(pause.is_none_or(|pause| pause >= Duration::from_secs(1) && pause <= LONGEST_PAUSE));
        }
    }
}
