//! HTTPS with every bound in one place: no redirects, no proxies from the environment, caps on size and time, no retries.

use std::collections::HashMap;
use std::error::Error as _;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use reqwest::header::{DATE, RETRY_AFTER, WWW_AUTHENTICATE};
use reqwest::{Client, Identity, RequestBuilder, Response, StatusCode};
use rustls::AlertDescription;
use serde::de::DeserializeOwned;

use super::OPERATIONS;
use super::certificate_error::Untrusted;
use super::client_certificate_and_headers::{Access, ClientCertificate};
use super::credential_hash::CredentialHash;
use super::date;
use super::dispatch::{Limiter, Patience, SharedLimiter};
use super::error::{Failure, NO_CONNECTION, VendorError};
use super::json_object::JsonObject;
use super::operation::Operation;
use super::proxy_and_ca_bundle::Route;
use super::rate_limit_rules::Rates;
use super::secret_data::never_shown;
use super::tls::{self, Unusable};
use crate::clock;

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

/// Label of what is measured of each vendor.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct VendorLabel {
    /// Kind of vendor.
    pub vendor: &'static str,
}

/// What is measured of vendor requests. Clones share it.
#[derive(Clone)]
pub struct RequestMetrics {
    /// Requests by operation and outcome.
    pub counted: Family<RequestLabels, Counter>,
    /// Seconds from a request to its answer, or to its timeout.
    pub seconds: Family<VendorLabel, Histogram, fn() -> Histogram>,
}

impl Default for RequestMetrics {
    fn default() -> Self {
        // From a host next door to the longest time limit that is ever set.
        let buckets = || Histogram::new([0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0]);
        let own = Self { counted: Family::default(), seconds: Family::new_with_constructor(buckets) };
        // The first of a kind is an increase only where the counter was there before.
        for operations in OPERATIONS {
            let vendor = operations.vendor;
            drop(own.seconds.get_or_create(&VendorLabel { vendor }));
            for (operation, outcome) in operations.labels() {
                drop(own.counted.get_or_create(&RequestLabels { vendor, operation, outcome }));
            }
        }
        own
    }
}

impl RequestMetrics {
    /// Counts a request by its outcome.
    pub(super) fn count(&self, vendor: &'static str, operation: Operation, outcome: &'static str) {
        let labels = RequestLabels { vendor, operation: operation.label, outcome };
        debug_assert!(self.counted.get(&labels).is_some(), "{labels:?} is to be counted from 0 on");
        self.counted.get_or_create(&labels).inc();
    }
}

/// Clients, one per set of trusted CAs: connections are shared between all accounts behind the same CA.
pub(super) struct Http {
    pub(super) settings: HttpSettings,
    route: Route,
    requests: RequestMetrics,
    shared: Arc<SharedLimiter>,
    public: Arc<Client>,
    /// As long as they are in use: a CA may be rewritten again and again.
    private: Mutex<HashMap<CredentialHash, Weak<Client>>>,
}

/// This process cannot do TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("TLS cannot be set up")]
pub struct TlsUnavailable;

impl Http {
    pub(super) fn new(settings: HttpSettings, route: Route, requests: RequestMetrics) -> Result<Self, TlsUnavailable> {
        let public = Arc::new(builder(&settings, &route).build().map_err(|_| TlsUnavailable)?);
        let (shared, private) = (Arc::new(SharedLimiter::new()), Mutex::default());
        Ok(Self { settings, route, requests, shared, public, private })
    }

    /// A client for the hosts of a Secret: it trusts only the Secret's CAs, or the system's where there are none.
    pub(super) fn client(&self, access: &Access) -> Result<Arc<Client>, Unusable> {
        if access.ca.is_none() && access.certificate.is_none() {
            return Ok(Arc::clone(&self.public));
        }
        let key = CredentialHash::of(access.of_connection());
        let mut private = self.private.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = private.get(&key).and_then(Weak::upgrade) {
            return Ok(client);
        }
        let client = Arc::new(self.private_client(access)?);
        private.retain(|_, client| client.strong_count() > 0);
        private.insert(key, Arc::downgrade(&client));
        Ok(client)
    }

    fn private_client(&self, access: &Access) -> Result<Client, Unusable> {
        let builder = builder(&self.settings, &self.route);
        let certificate = access.certificate.as_ref();
        let builder = match (&access.ca, certificate) {
            (Some(ca), _) => builder.tls_backend_preconfigured(tls::with_ca(ca, certificate)?),
            (None, Some(ClientCertificate { chain, key })) => {
                let pem = [key.as_slice(), b"\n", chain].concat();
                builder.identity(Identity::from_pem(&pem).map_err(|_| Unusable::Certificate)?)
            }
            (None, None) => builder,
        };
        builder.build().map_err(|_| if access.ca.is_some() { Unusable::Ca } else { Unusable::Certificate })
    }

    /// What is measured of requests made elsewhere with these clients.
    pub(super) fn requests(&self) -> RequestMetrics {
        self.requests.clone()
    }

    /// The way out for requests of a vendor with these limits.
    pub(super) fn limiter(&self, rates: Arc<Rates>) -> Limiter {
        Limiter::new(Arc::clone(&self.shared), rates, self.route.told())
    }

    /// The rate limiter of all vendors.
    pub(super) fn shared(&self) -> &SharedLimiter {
        &self.shared
    }
}

fn builder(settings: &HttpSettings, route: &Route) -> reqwest::ClientBuilder {
    let builder = Client::builder()
        .https_only(true)
        .http1_only()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .connect_timeout(settings.connect_timeout)
        .user_agent(concat!("seatkeeper/", env!("CARGO_PKG_VERSION")));
    route.taken(builder)
}

/// An answer whose whole body was read.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// The pause of `Retry-After`.
    pub(super) retry_after: Option<Duration>,
    /// `WWW-Authenticate: Bearer`: the framework behind the application asks for a token.
    pub(super) challenges: bool,
    body: Vec<u8>,
}

// It may hold a token.
never_shown!(Answer);

impl Answer {
    /// The body as a JSON object of the given shape, whatever the content type says.
    pub(super) fn json<T: DeserializeOwned>(&self, what: &'static str) -> Result<T, VendorError> {
        serde_json::from_slice(&self.body).map(|JsonObject(read)| read).map_err(|_| VendorError::Unreadable(what))
    }

    /// The body as a JSON list of objects of the given shape.
    pub(super) fn json_list<T: DeserializeOwned>(&self, what: &'static str) -> Result<Vec<T>, VendorError> {
        let list: Result<Vec<JsonObject<T>>, _> = serde_json::from_slice(&self.body);
        let list = list.map_err(|_| VendorError::Unreadable(what))?;
        Ok(list.into_iter().map(|JsonObject(read)| read).collect())
    }

    /// Whether there is no body.
    pub(super) fn is_empty(&self) -> bool {
        self.body.is_empty()
    }

    /// Whether a page for people came instead of an answer for programs: a login page, a captive portal.
    pub(super) fn is_web_page(&self) -> bool {
        self.body.trim_ascii_start().starts_with(b"<")
    }

    /// Whether there is a body that no program of a vendor sends: a page or a text in the place of a JSON object.
    pub(super) fn is_foreign(&self) -> bool {
        !self.body.trim_ascii().is_empty() && self.json::<serde_json::Value>("no object").is_err()
    }

    /// What the answer means when it is not a success.
    pub(super) fn refusal<E: Failure>(&self) -> E {
        match self.status {
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if self.is_foreign() => {
                self.in_front()
            }
            StatusCode::UNAUTHORIZED => E::UNAUTHORIZED,
            StatusCode::FORBIDDEN => E::FORBIDDEN,
            StatusCode::NOT_FOUND => VendorError::NotFound.into(),
            StatusCode::TOO_MANY_REQUESTS => VendorError::Throttled { after: self.retry_after }.into(),
            status if status.is_redirection() => VendorError::Redirect(status.as_u16()).into(),
            status => VendorError::Status(status.as_u16()).into(),
        }
    }

    /// It is a refusal that the vendor itself does not give here.
    pub(super) fn in_front<E: Failure>(&self) -> E {
        // nginx says so in a page with status 400, after a handshake without a certificate of the client.
        let page = b"No required SSL certificate was sent";
        if self.body.windows(page.len()).any(|window| window == page) {
            return VendorError::ClientCertificate.into();
        }
        VendorError::InFront(self.status.as_u16()).into()
    }
}

/// Sends a request through the limiter and reads the whole answer, up to the cap.
pub(super) async fn exchange(
    limiter: &Limiter,
    request: RequestBuilder,
    timeout: Duration,
    patience: Patience,
) -> Result<Answer, VendorError> {
    whole(limiter.send(request, timeout, patience).await?).await
}

/// Reads the rest of an answer, up to the cap.
pub(super) async fn whole(mut response: Response) -> Result<Answer, VendorError> {
    let (status, retry_after, challenges) = (response.status(), retry_after(&response), challenges(&response));
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| meaning(&e))? {
        if body.len() + chunk.len() > BODY_CAP {
            return Err(VendorError::Unreadable("it is too large"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, retry_after, challenges, body })
}

fn challenges(response: &Response) -> bool {
    let schemes = response.headers().get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    schemes.filter_map(|value| value.split([' ', ',']).next()).any(|scheme| scheme.eq_ignore_ascii_case("Bearer"))
}

/// `Retry-After` in seconds or as a date; anything else counts as absent. A date counts from the answer's own `Date`, so that
/// clocks that differ do no harm. It is a lower bound (docs/vendors/bitwarden.md, "Rate limits"), so a second is added.
pub(super) fn retry_after(response: &Response) -> Option<Duration> {
    let header = |name| response.headers().get(name)?.to_str().ok().map(str::trim);
    let value = header(RETRY_AFTER)?;
    let seconds = match value.parse() {
        Ok(seconds) => seconds,
        Err(_) => {
            let from = header(DATE).and_then(date::http).unwrap_or_else(clock::now);
            u64::try_from(from.duration_until(date::http(value)?).as_secs()).unwrap_or(0)
        }
    };
    Some(Duration::from_secs(seconds.saturating_add(1)).min(LONGEST_PAUSE))
}

/// The message about a host that takes no connection. A proxy that the environment names is never used, and is the way
/// out of some clusters.
fn no_connection() -> &'static str {
    static SAID: LazyLock<&str> = LazyLock::new(|| {
        let named = |name: &&str| std::env::var_os(name).is_some_and(|proxy| !proxy.is_empty());
        match ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].iter().any(named) {
            true => {
                "no connection. The operator's environment names a proxy (HTTPS_PROXY or ALL_PROXY), which Seatkeeper does not \
                 use: give it --vendor-proxy, or a direct way to that host"
            }
            false => NO_CONNECTION,
        }
    });
    *SAID
}

/// Tells transport errors of a vendor's host apart without repeating their text, which may hold a URL.
pub(super) fn meaning(error: &reqwest::Error) -> VendorError {
    let mut source = error.source();
    while let Some(cause) = source {
        match tls_error(cause) {
            Some(rustls::Error::InvalidCertificate(why)) => return VendorError::Certificate(Untrusted::of(why)),
            // Some servers call a certificate bad that is missing.
            Some(rustls::Error::AlertReceived(
                AlertDescription::CertificateRequired | AlertDescription::BadCertificate,
            )) => return VendorError::ClientCertificate,
            _ => {}
        }
        source = cause.source();
    }
    VendorError::NoAnswer(if error.is_timeout() {
        "it took too long"
    } else if error.is_connect() {
        no_connection()
    } else {
        "the connection broke"
    })
}

/// The TLS error in an error. An I/O error leaves its content out of the chain of sources, and may hold another one.
pub(super) fn tls_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    match error.downcast_ref::<std::io::Error>() {
        Some(io) => tls_error(io.get_ref()?),
        None => error.downcast_ref(),
    }
}

#[cfg(test)]
pub(super) mod tests;
