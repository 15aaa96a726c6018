//! Where every vendor request passes: puts the clock to `pace`, one for all vendors, and tells it what was answered.

#[cfg(test)]
pub(super) mod overheard;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reqwest::{Client, Request, RequestBuilder, Response, StatusCode, Url};

use super::error::VendorError;
use super::http::{meaning, retry_after};
use super::pace::{Heard, Lane, LimitedLane, Pace, Urgency, Wait};
use super::rates::Rates;

/// The way out for one vendor's requests. Cheap to clone; all of them share one pace.
#[derive(Clone)]
pub(super) struct Gate {
    pace: Arc<Mutex<Pace>>,
    start: Instant,
    rates: Arc<Rates>,
}

impl Gate {
    pub(super) fn new(pace: Arc<Mutex<Pace>>, start: Instant, rates: Arc<Rates>) -> Self {
        Self { pace, start, rates }
    }

    /// Takes a turn for a request that is sent next, before anything is sent. `owner` names who waits for it: the same
    /// owner keeps his place.
    ///
    /// # Errors
    /// When to come back.
    pub(super) fn turn(&self, verb: &str, url: &Url, owner: impl Hash, urgency: Urgency) -> Result<(), Wait> {
        let mut hash = DefaultHasher::new();
        owner.hash(&mut hash);
        self.lock().turn(&self.lane(verb, url), hash.finish(), urgency, self.start.elapsed())
    }

    /// Sends a request and returns with the head of the answer. Does not wait before it sends.
    ///
    /// # Errors
    /// [`VendorError::Paced`] and [`VendorError::Closed`]: nothing was sent.
    pub(super) async fn send(&self, request: RequestBuilder, timeout: Duration) -> Result<Response, VendorError> {
        let (client, request) = request.timeout(timeout).build_split();
        let request = request.map_err(|e| meaning(&e))?;
        let lane = self.lane(request.method().as_str(), request.url());
        self.lock().leave(&lane, self.start.elapsed())?;
        let response = leave(&client, request).await.map_err(|e| meaning(&e))?;
        let heard = Heard {
            status: response.status().as_u16(),
            retry_after: (response.status() == StatusCode::TOO_MANY_REQUESTS).then(|| retry_after(&response)).flatten(),
            limited: response.headers().contains_key("x-rate-limit-limit"),
        };
        self.lock().heard(&lane, heard, self.start.elapsed());
        Ok(response)
    }

    fn lane(&self, verb: &str, url: &Url) -> LimitedLane<'_> {
        let host = super::endpoint::host(url);
        let (limits, trusted) = (self.rates.limits(verb, url.path()), self.rates.are_in_force_on(&host));
        LimitedLane { lane: Lane { host, verb: verb.to_owned(), path: url.path().to_owned() }, limits, trusted }
    }

    fn lock(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
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
