//! Where every vendor request passes: gives the clock to `rate_limit`, one for all vendors, and reports the answers to it.

#[cfg(test)]
pub(super) mod overheard;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reqwest::{Client, Request, RequestBuilder, Response, Url};
use tokio::sync::Notify;

use super::error::VendorError;
use super::http::{meaning, retry_after};
use super::proxy_and_ca_bundle::ToldOfProxy;
use super::rate_limit::{Ask, Bucket, Ending, LimitedBucket, Outage, Probes, RateLimiter, Signal, Trouble, Wait};
use super::rate_limit_rules::Rates;
use super::token_cache::Asker;
use crate::registry::Key;

/// The rate limiter of all vendors, with its clock.
pub(super) struct SharedLimiter {
    rate_limiter: Mutex<RateLimiter>,
    start: Instant,
    /// A request has ended: where it was a probe, the others need not wait any more.
    ended: Notify,
    /// Objects that may come sooner than they were promised.
    called: Mutex<Vec<Key>>,
    sooner: Notify,
}

impl SharedLimiter {
    pub(super) fn new() -> Self {
        Self {
            rate_limiter: Mutex::default(),
            start: Instant::now(),
            ended: Notify::new(),
            called: Mutex::default(),
            sooner: Notify::new(),
        }
    }

    /// An object is gone, or asks for nothing more.
    pub(super) fn leave_queues(&self, object: &Key) {
        let mut rate_limiter = self.lock();
        rate_limiter.leave_queues(object, self.start.elapsed());
        self.call(rate_limiter.called());
    }

    /// Waits until the turn of some objects comes sooner than they were promised, and names them.
    pub(super) async fn called(&self) -> Vec<Key> {
        loop {
            let called = std::mem::take(&mut *self.called.lock().unwrap_or_else(PoisonError::into_inner));
            if !called.is_empty() {
                return called;
            }
            self.sooner.notified().await;
        }
    }

    fn call(&self, objects: Vec<Key>) {
        if !objects.is_empty() {
            self.called.lock().unwrap_or_else(PoisonError::into_inner).extend(objects);
            self.sooner.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, RateLimiter> {
        self.rate_limiter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The way out for one vendor's requests. Cheap to clone; all of them share one rate limiter.
#[derive(Clone)]
pub(super) struct Limiter {
    shared: Arc<SharedLimiter>,
    rates: Arc<Rates>,
    /// The messages about the installer's proxy.
    proxy: Option<&'static ToldOfProxy>,
}

/// Whether a request may wait for the probe of its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// It changes nothing, and a pass that has begun is to be finished.
    Waits,
    /// It costs money: it leaves at once or not at all.
    None,
}

/// A request that has left, until it has ended.
struct UnderWay<'a> {
    shared: &'a SharedLimiter,
    bucket: &'a LimitedBucket<'a>,
    probes: Probes,
    ending: Ending,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.shared.lock().ended(self.bucket, self.probes, self.ending, self.shared.start.elapsed());
        self.shared.ended.notify_waiters();
    }
}

impl Limiter {
    pub(super) fn new(shared: Arc<SharedLimiter>, rates: Arc<Rates>, proxy: Option<&'static ToldOfProxy>) -> Self {
        Self { shared, rates, proxy }
    }

    /// Takes a turn for a request that is sent next, before anything is sent. `owner` names what is waited for: the same
    /// owner keeps his place.
    ///
    /// # Errors
    /// The time until the next attempt.
    pub(super) fn turn(&self, verb: &str, url: &Url, owner: impl Hash, asker: Asker<'_>) -> Result<(), Wait> {
        let mut hash = DefaultHasher::new();
        owner.hash(&mut hash);
        let Asker { object, urgency, failed, .. } = asker;
        let ask = Ask { object, owner: hash.finish(), urgency, failed };
        let mut rate_limiter = self.shared.lock();
        let turn = rate_limiter.turn(&self.bucket(verb, url), &ask, self.shared.start.elapsed());
        self.shared.call(rate_limiter.called());
        turn
    }

    /// Sends a request and returns with the head of the answer.
    ///
    /// # Errors
    /// [`VendorError::RateLimited`] and [`VendorError::Closed`]: nothing was sent.
    pub(super) async fn send(
        &self,
        request: RequestBuilder,
        timeout: Duration,
        patience: Patience,
    ) -> Result<Response, VendorError> {
        let (client, request) = request.timeout(timeout).build_split();
        let request = request.map_err(|error| meaning(&error))?;
        let bucket = self.bucket(request.method().as_str(), request.url());
        let probes = self.leave(&bucket, timeout, patience).await?;
        let mut under_way = UnderWay { shared: &self.shared, bucket: &bucket, probes, ending: Ending::Dropped };
        let answer = leave(&client, request).await.map_err(|error| (self.meaning(&error), error.is_connect()));
        under_way.ending = match &answer {
            Ok(response) => Outage::of_answer(response.status().as_u16(), retry_after(response))
                .map_or(Ending::Answered, Ending::Failed),
            Err((VendorError::NoAnswer(why), true)) => {
                Ending::Failed(Outage { trouble: Trouble::NoConnection(why), asked: None })
            }
            Err(_) => Ending::Silent,
        };
        drop(under_way);
        let response = answer.map_err(|(error, _)| error)?;
        let signal = Signal {
            status: response.status().as_u16(),
            retry_after: retry_after(&response),
            limited: response.headers().contains_key("x-rate-limit-limit"),
        };
        self.shared.lock().signal(&bucket, signal, self.shared.start.elapsed());
        Ok(response)
    }

    /// What an error means: of the proxy, if it comes from there.
    fn meaning(&self, error: &reqwest::Error) -> VendorError {
        let of_proxy = self.proxy.and_then(|told| told.of(error));
        of_proxy.map_or_else(|| meaning(error), VendorError::NoAnswer)
    }

    /// Takes the room of a request that leaves next.
    async fn leave(&self, bucket: &LimitedBucket<'_>, most: Duration, patience: Patience) -> Result<Probes, Wait> {
        loop {
            let ended = self.shared.ended.notified();
            tokio::pin!(ended);
            ended.as_mut().enable();
            let left = self.shared.lock().leave(bucket, self.shared.start.elapsed());
            match left {
                Err(Wait::Down { probing: true, .. }) if patience == Patience::Waits => {
                    if tokio::time::timeout(most, ended).await.is_err() {
                        return left;
                    }
                }
                left => return left,
            }
        }
    }

    fn bucket(&self, verb: &str, url: &Url) -> LimitedBucket<'_> {
        let host = super::allowed_hosts::host(url);
        let (limits, trusted) = (self.rates.limits(verb, url.path()), self.rates.are_in_force_on(&host));
        LimitedBucket { bucket: Bucket { host, verb: verb.to_owned(), path: url.path().to_owned() }, limits, trusted }
    }
}

/// The one place where a request leaves.
async fn leave(client: &Client, request: Request) -> reqwest::Result<Response> {
    #[cfg(test)]
    if let Some(response) = overheard::instead(&request) {
        return Ok(response);
    }
    client.execute(request).await
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::super::rate_limit::{RateLimit, Urgency};
    use super::*;

    #[tokio::test]
    async fn reading_waits_for_probe_of_host_and_change_leaves_at_once_or_never() {
        let limits = vec![RateLimit { count: 100, per: Duration::from_secs(1) }];
        let rates = Rates { rules: Vec::new(), others: limits, domains: Vec::new() };
        let limiter = Limiter::new(Arc::new(SharedLimiter::new()), Arc::new(rates), None);
        let bucket = limiter.bucket("GET", &Url::parse("https://api.test/seats").unwrap());
        let hour = Duration::from_secs(3600);
        let ends = |probes, ending| drop(UnderWay { shared: &limiter.shared, bucket: &bucket, probes, ending });
        let first = limiter.leave(&bucket, hour, Patience::None).await.unwrap();
        ends(first, Outage::of_answer(503, Some(Duration::ZERO)).map(Ending::Failed).unwrap());
        let down = limiter.leave(&bucket, hour, Patience::Waits).now_or_never();
        assert!(matches!(down, Some(Err(Wait::Down { probing: false, .. }))), "no reading waits for a pause: {down:?}");
        // As if the second of its pause were over.
        let object = ("it".to_owned(), "acme".to_owned());
        let ask = Ask { object: &object, owner: 1, urgency: Urgency::Asked, failed: false };
        limiter.shared.lock().turn(&bucket, &ask, hour).unwrap();
        let probe = limiter.shared.lock().leave(&bucket, hour).unwrap();
        let change = limiter.leave(&bucket, hour, Patience::None).now_or_never();
        assert!(matches!(change, Some(Err(Wait::Down { probing: true, .. }))), "{change:?}");
        let mut reading = std::pin::pin!(limiter.leave(&bucket, hour, Patience::Waits));
        assert!(reading.as_mut().now_or_never().is_none());
        ends(probe, Ending::Answered);
        assert!(matches!(reading.now_or_never(), Some(Ok(_))));
    }
}
