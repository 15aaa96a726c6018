//! What all requests with one key share, whatever the vendor: connections that trust the CA of its Secret, the way out, time
//! limits, and the counter. A request that costs money is sent here, once.

use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Instant;

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder, Response, Url};

use super::SendGuard;
use super::client_certificate_and_headers::Access;
use super::dispatch::{Limiter, Patience};
use super::error::{Failure, VendorError};
use super::http::{self, Answer, Http, HttpSettings, RequestMetrics, VendorLabel};
use super::operation::{OK, Operation};
use super::rate_limit::Wait;
use super::rate_limit_rules::Rates;
use super::secret_data::{invalid, never_shown};
use super::tls::Unusable;
use super::token_cache::Asker;
use crate::domain::{Fault, Outcome, Refusal};

/// Why a change was not sent although its turn had come: another request was answered meanwhile with 429, or with an outage.
const NO_ROOM: &str = "the host has no free connection";

/// The connection of one key.
pub(super) struct Connection {
    client: Arc<Client>,
    /// For an access proxy before the hosts of this key.
    headers: HeaderMap,
    limiter: Limiter,
    /// Time limits.
    pub settings: HttpSettings,
    requests: RequestMetrics,
    /// The kind of vendor, as in metric labels.
    vendor: &'static str,
}

never_shown!(Connection);

impl Connection {
    /// Prepares it; sends nothing. `access`: of the Secret.
    ///
    /// # Errors
    /// A CA or a certificate that cannot be used.
    pub fn new(http: &Http, vendor: &'static str, rates: &Arc<Rates>, access: &Access) -> Result<Self, Fault> {
        let client = http.client(access).map_err(|unusable| match unusable {
            Unusable::Ca => invalid(
                "ca.crt",
                "holds no certificate: store the CA's certificates in PEM form (-----BEGIN CERTIFICATE-----)",
            ),
            Unusable::Certificate => invalid(
                "tls.crt",
                "is no client certificate that fits tls.key: store the certificate in PEM form, with those that signed it \
                 after it, and its own key in tls.key",
            ),
            Unusable::Key => invalid("tls.key", "is no private key in PEM form: store it as it was made, without a password"),
        })?;
        let headers = access.headers.clone();
        let (settings, requests) = (http.settings.clone(), http.requests());
        Ok(Self { client, headers, limiter: http.limiter(Arc::clone(rates)), settings, requests, vendor })
    }

    /// A request, to be completed and handed to one of the methods below.
    pub fn request(&self, verb: Method, url: Url) -> RequestBuilder {
        self.client.request(verb, url).headers(self.headers.clone())
    }

    /// Takes a turn for a request that is sent next. `owner` names what is waited for: the same owner keeps his place.
    ///
    /// # Errors
    /// The time until the next attempt.
    pub fn turn(&self, verb: &Method, url: &Url, owner: impl Hash, asker: Asker<'_>) -> Result<(), Wait> {
        self.limiter.turn(verb.as_str(), url, owner, asker)
    }

    /// Sends a request that changes nothing and reads the whole answer.
    ///
    /// # Errors
    /// Without an answer. A status that is no success is one.
    pub async fn ask(&self, request: RequestBuilder) -> Result<Answer, VendorError> {
        self.timed(http::exchange(&self.limiter, request, self.settings.read_timeout, Patience::Waits)).await
    }

    /// Sends a request that changes nothing and returns with the head of the answer.
    ///
    /// # Errors
    /// Without an answer.
    pub async fn stream(&self, request: RequestBuilder) -> Result<Response, VendorError> {
        self.timed(self.limiter.send(request, self.settings.read_timeout, Patience::Waits)).await
    }

    /// Sends a request that costs money, once. `send_guard` is asked last, just before the bytes leave. The answer; or what is known
    /// without one, which is that nothing was sent, or nothing.
    ///
    /// # Errors
    /// Why `send_guard` held it back.
    pub async fn send_once(
        &self,
        request: RequestBuilder,
        send_guard: SendGuard<'_>,
    ) -> Result<Result<Answer, Outcome>, &'static str> {
        send_guard()?;
        let answer =
            self.timed(http::exchange(&self.limiter, request, self.settings.write_timeout, Patience::None)).await;
        Ok(answer.map_err(|error| match error {
            // A certificate that is refused ends the handshake: no byte of the request has left.
            VendorError::Certificate(_) => Outcome::NotSent("certificate not trusted"),
            VendorError::RateLimited { .. } | VendorError::Closed { .. } => Outcome::NotSent(NO_ROOM),
            _ => Outcome::Unanswered,
        }))
    }

    /// Measures how long a request takes. One that had to wait for its turn was not sent.
    async fn timed<T>(&self, request: impl Future<Output = Result<T, VendorError>>) -> Result<T, VendorError> {
        let began = Instant::now();
        let answer = request.await;
        if !matches!(answer, Err(VendorError::RateLimited { .. } | VendorError::Closed { .. })) {
            let seconds = self.requests.seconds.get_or_create(&VendorLabel { vendor: self.vendor });
            seconds.observe(began.elapsed().as_secs_f64());
        }
        answer
    }

    /// Counts a request by its outcome.
    pub fn count(&self, operation: Operation, outcome: &'static str) {
        self.requests.count(self.vendor, operation, outcome);
    }

    /// Counts a request that changes nothing by its result.
    pub fn count_result<T, E: Failure>(&self, operation: Operation, result: &Result<T, E>) {
        self.count(operation, result.as_ref().map_or_else(Failure::label, |_| OK));
    }
}

/// The outcome of a change that could not be authenticated. Nothing was sent: whatever the reason, it is no refusal of
/// the change.
pub(super) fn not_signed(error: &impl Failure, host: &str) -> Outcome {
    match error.shared() {
        Some(VendorError::RateLimited { .. } | VendorError::Closed { .. }) => Outcome::NotSent(NO_ROOM),
        Some(VendorError::Throttled { after }) => Outcome::Refused(Refusal::Throttled(*after)),
        _ => Outcome::Refused(Refusal::Credentials(error.fault(host))),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::vendors::Route;

    /// Trusts the public CAs alone.
    fn connection() -> Connection {
        let rates = Rates { rules: Vec::new(), others: Vec::new(), domains: Vec::new() };
        let minute = Duration::from_secs(60);
        let settings = HttpSettings {
            connect_timeout: minute,
            read_timeout: minute,
            write_timeout: minute,
            credential_probe: minute,
        };
        let http = Http::new(settings, Route::default(), RequestMetrics::default()).unwrap();
        Connection::new(&http, "bitwarden", &Arc::new(rates), &Access::default()).unwrap()
    }

    #[tokio::test]
    async fn change_that_is_held_back_last_is_not_sent() {
        let connection = connection();
        let request = connection.request(Method::PUT, "https://vault.test".parse().unwrap());
        assert_eq!(connection.send_once(request, &|| Err("held")).await.err(), Some("held"));
    }

    #[tokio::test]
    async fn change_to_host_whose_certificate_is_not_trusted_was_not_sent() {
        let vendor = vendor_sim::Simulator::start(vendor_sim::Options::default()).await.unwrap();
        let connection = connection();
        let request = connection.request(Method::PUT, vendor.url().parse().unwrap());
        let answer = connection.send_once(request, &|| Ok(())).await.unwrap();
        assert_eq!(answer.err(), Some(Outcome::NotSent("certificate not trusted")));
        assert_eq!(vendor.bitwarden().requests().len(), 0);
    }
}
