//! Talks to vendors over HTTPS and says what it saw in the words of `domain`.
//!
//! One trait ([`VendorAccount`]) between vendors and the rest, and one exhaustive match from the spec's pool to a vendor
//! ([`Vendors::open`]). Adding a vendor is a folder here, an arm there and a member in the spec.
//! Nothing here knows Kubernetes beyond the shape of a Secret's data.

mod allowed_hosts;
mod bitwarden;
mod certificate_error;
mod client_certificate_and_headers;
mod connection;
mod credential_hash;
mod date;
mod dispatch;
mod error;
mod http;
mod immuta;
mod json_object;
mod license_key;
mod operation;
mod proxy_and_ca_bundle;
pub mod rate_limit;
mod rate_limit_rules;
mod recorded_intent;
mod secret_data;
#[cfg(test)]
mod secret_destinations;
mod shared_sessions;
mod target;
mod tls;
mod token_cache;

use std::time::Duration;

use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::Secret;

pub use allowed_hosts::{AllowedHosts, InvalidAllowedHost};
pub use bitwarden::rate_limits as bitwarden_rates;
pub use bitwarden::{BitwardenSettings, RefusalText, Symptom, refusals, symptoms};
pub use http::{HttpSettings, RequestLabels, RequestMetrics, TlsUnavailable, VendorLabel};
pub use proxy_and_ca_bundle::{InvalidRoute, Route};
pub use rate_limit::Urgency;
pub use recorded_intent::{Journal, NotRecorded, Recorded};
pub use target::{Target, target};

use crate::api::Account;
use crate::domain::{Fault, Outcome, Pool, Snapshot};
use crate::registry::Key;
use error::VendorError;
use http::Http;
use operation::Operations;
use rate_limit::Wait;
use secret_data::CredentialKeys;

/// What the credentials of each vendor are made of: none is read by another vendor, or sent as a license key.
const CREDENTIALS: [&CredentialKeys; 2] = [&bitwarden::CREDENTIALS, &immuta::CREDENTIALS];

/// What each vendor may be asked for: all of it is counted from 0 on.
const OPERATIONS: [&Operations; 2] = [&bitwarden::OPERATIONS, &immuta::OPERATIONS];

/// A row of the one list of answers to changes that prove something. Each vendor has its rows in its `proofs.rs`, and the
/// document shows all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The vendor as people write it.
    pub vendor: &'static str,
    /// The statuses.
    pub statuses: Vec<u16>,
    /// What else the answer must be like.
    pub shape: &'static str,
    /// What follows, as a sentence.
    pub proves: &'static str,
}

/// All rows of answers that prove something, in the order of the document.
pub fn proofs() -> Vec<Proof> {
    [bitwarden::proofs(), immuta::proofs()].concat()
}

/// Why an account was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// Its turn comes after this long. Nothing was read, nothing is wrong, and the place is kept.
    RateLimited {
        /// The time until the next attempt.
        after: Duration,
    },
    /// Requests to the host are paused because of an answer to another object. Nothing was read.
    Closed {
        /// The time until the next attempt.
        after: Duration,
        /// The fault.
        fault: Fault,
    },
    /// The obstacle in the words of this vendor, and its remedy.
    Failed(Fault),
}

/// The price of a period, as decimal strings in the currency of the account's bills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// In all, tax included.
    pub total: String,
    /// The tax in `total`.
    pub tax: String,
}

/// One pool of one account, with credentials that have not been refused yet.
pub trait VendorAccount: Send + Sync {
    /// The vendor as people write it.
    fn name(&self) -> &'static str;

    /// The account of these numbers; known before the vendor was asked.
    fn account(&self) -> Account;

    /// Reads everything a decision rests on, in its turn.
    ///
    /// # Errors
    /// [`ReadError::RateLimited`] when its turn has not come.
    fn read(&self, urgency: Urgency) -> BoxFuture<'_, Result<Snapshot, ReadError>>;

    /// What a period would cost with this many seats, where the vendor shows it without changing anything. Asked after a
    /// reading. `None`: the vendor does not show it, or not now.
    fn estimate(&self, _seats: i32) -> BoxFuture<'_, Option<Cost>> {
        Box::pin(std::future::ready(None))
    }

    /// Signs in again where that would be needed within this time, so that requests at a known time need not wait for it.
    /// Returns when its turn to do so comes, where it has not come yet. Vendors that let sign in at any time have nothing to do.
    fn sign_in_for(&self, _lasts: Duration) -> BoxFuture<'_, Option<Duration>> {
        Box::pin(std::future::ready(None))
    }

    /// Takes the turn for a write that is about to be sent, before it is recorded. Sends nothing.
    ///
    /// # Errors
    /// The time until the next attempt.
    fn turn_to_write(&self) -> Result<(), Wait>;

    /// Sends the one request of a recorded intent, once, to the account that the intent is about. `send_guard` is asked last, just
    /// before the bytes leave: `Err` drops the request.
    fn write<'a>(&'a self, recorded: Recorded, send_guard: SendGuard<'a>) -> BoxFuture<'a, Outcome>;

    /// The report of a change that cannot leave for a pause or an outage of the vendor; `None`: only its turn has not come.
    fn closed(&self, wait: Wait) -> Option<Fault> {
        let error = VendorError::from(wait);
        let host = self.account().host.unwrap_or_default();
        matches!(error, VendorError::Closed { .. }).then(|| error.fault(self.name(), &host))
    }

    /// The report of a change that was refused because of too many requests, with the pause that was asked for.
    fn throttled(&self, after: Option<Duration>) -> Fault {
        VendorError::Throttled { after }.fault(self.name(), self.account().host.as_deref().unwrap_or_default())
    }
}

/// The last question before a request that costs money leaves: still ours to send? `Err` says why not.
pub type SendGuard<'a> = &'a (dyn Fn() -> Result<(), &'static str> + Send + Sync);

/// What any account is opened with.
struct Opening<'a> {
    http: &'a Http,
    allowed: &'a AllowedHosts,
    /// In the order of [`Pool::secrets`], or why one cannot be read.
    secrets: &'a [Result<Secret, Fault>],
    /// Those of [`Pool::key_secrets`] by name, or why one cannot be read.
    keys: &'a [(String, Result<Secret, Fault>)],
    /// For which it is opened.
    object: &'a Key,
    /// Keys fingerprints of license keys.
    object_uid: &'a str,
}

/// All vendors, each with the keys that are in use there; and what they share: connections, their rate limiter, and the list of
/// hosts that may be talked to.
pub struct Vendors {
    http: Http,
    allowed: AllowedHosts,
    bitwarden: bitwarden::Bitwarden,
    immuta: immuta::Immuta,
}

secret_data::never_shown!(Vendors, Opening<'static>, Box<dyn VendorAccount>);

impl Vendors {
    /// Prepares connections; sends nothing.
    ///
    /// # Errors
    /// When the TLS stack cannot be set up, which no retry mends.
    pub fn new(
        (settings, route): (HttpSettings, Route),
        bitwarden: BitwardenSettings,
        allowed: AllowedHosts,
        requests: RequestMetrics,
    ) -> Result<Self, TlsUnavailable> {
        Ok(Self::with(Http::new(settings, route, requests)?, bitwarden, allowed))
    }

    fn with(http: Http, bitwarden: BitwardenSettings, allowed: AllowedHosts) -> Self {
        Self { http, allowed, bitwarden: bitwarden::Bitwarden::new(bitwarden), immuta: immuta::Immuta::new() }
    }

    /// Opens an account with the credentials of its Secrets, in the order of `Pool::secrets`, or why one cannot be read. Sends
    /// nothing.
    ///
    /// `keys`: the Secrets of [`Pool::key_secrets`] by name, or why one cannot be read. `object`: whose it is, and its uid, which keys
    /// fingerprints.
    ///
    /// # Errors
    /// A [`Fault`] that names the Secret's key and the fix.
    pub fn open(
        &self,
        target: (&Pool, &Target),
        secrets: &[Result<Secret, Fault>],
        keys: &[(String, Result<Secret, Fault>)],
        object: (&Key, &str),
    ) -> Result<Box<dyn VendorAccount>, Fault> {
        let (object, object_uid) = object;
        let opening = Opening { http: &self.http, allowed: &self.allowed, secrets, keys, object, object_uid };
        let (pool, target) = target;
        match target {
            Target::Bitwarden(target) => self.bitwarden.open(&opening, target),
            Target::Immuta => self.immuta.open(&opening, pool),
        }
    }

    /// An object is gone, or asks for nothing any more: its places at the vendors' limits are free for others.
    pub fn leave_queues(&self, object: &Key) {
        self.http.shared().leave_queues(object);
    }

    /// Waits until some objects may come earlier than [`ReadError::RateLimited`] announced, and names them.
    pub async fn called(&self) -> Vec<Key> {
        self.http.shared().called().await
    }
}
