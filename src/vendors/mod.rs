//! Talks to vendors over HTTPS and says what it saw in the words of `plan`.
//!
//! One trait ([`VendorAccount`]), and one exhaustive match from the spec's pool to an
//! implementation ([`Vendors::open`]). Adding a vendor is a folder here, an arm there and a member in the spec.
//! Nothing here knows Kubernetes beyond the shape of a Secret's data.

mod bitwarden;
mod connection;
mod date;
mod endpoint;
mod error;
mod fingerprint;
mod gate;
mod http;
mod immuta;
mod license_key;
pub mod pace;
#[cfg(test)]
mod places;
mod secret_data;
mod sessions;
mod tokens;

use std::future::Future;
use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;

pub use bitwarden::rates as bitwarden_rates;
pub use bitwarden::{RefusalText, Symptom, refusals, symptoms};
pub use endpoint::{AllowedHosts, InvalidAllowedHost};
pub use http::{HttpSettings, RequestCounter, RequestLabels, TlsUnavailable};
pub use pace::Urgency;

use crate::api::{Account, Intent};
use crate::plan::{Fault, Outcome, Pool, Snapshot};
use error::VendorError;
use pace::Wait;
use secret_data::CredentialKeys;
use sessions::Sessions;

/// What the credentials of each vendor are made of: none is ever read by another vendor, or sent as a license key.
const CREDENTIALS: [&CredentialKeys; 2] = [&bitwarden::CREDENTIALS, &immuta::CREDENTIALS];

/// Why an account was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// Its turn comes after this long. Nothing was read, nothing is wrong, and the place is kept.
    Paced {
        /// When to come back.
        after: Duration,
    },
    /// What stands against it, in the words of this vendor, and who mends it.
    Failed(Fault),
}

/// One pool of one account, with credentials that have not been refused yet.
pub trait VendorAccount {
    /// The vendor as people write it.
    fn name(&self) -> &'static str;

    /// Whose numbers these are; known before the vendor was asked.
    fn account(&self) -> Account;

    /// Reads everything a decision rests on, in its turn.
    ///
    /// # Errors
    /// [`ReadError::Paced`] when its turn has not come.
    fn read(&self, urgency: Urgency) -> impl Future<Output = Result<Snapshot, ReadError>> + Send;

    /// Takes the turn for a write that is about to be sent, before it is recorded. Sends nothing.
    ///
    /// # Errors
    /// When to come back.
    fn turn_to_write(&self) -> Result<(), Wait>;

    /// Sends the one request of an intent, once. `go` is asked last, just before the bytes leave: `Err` drops the request.
    fn write(&self, intent: &Intent, go: Go<'_>) -> impl Future<Output = Outcome> + Send;

    /// What is told of a change that was refused because of too many requests, with the pause that was asked for.
    fn throttled(&self, after: Option<Duration>) -> Fault {
        VendorError::Throttled { after }.fault(self.name(), self.account().host.as_deref().unwrap_or_default())
    }
}

/// The last question before a request that costs money leaves: still ours to send? `Err` says why not.
pub type Go<'a> = &'a (dyn Fn() -> Result<(), &'static str> + Send + Sync);

/// An account of any vendor.
pub enum AnyAccount {
    /// A Bitwarden organization.
    Bitwarden(bitwarden::Organization),
    /// The licence keys of an Immuta tenant.
    Immuta(immuta::LicenseKeys),
}

impl VendorAccount for AnyAccount {
    fn name(&self) -> &'static str {
        match self {
            Self::Bitwarden(organization) => organization.name(),
            Self::Immuta(keys) => keys.name(),
        }
    }

    fn account(&self) -> Account {
        match self {
            Self::Bitwarden(organization) => organization.account(),
            Self::Immuta(keys) => keys.account(),
        }
    }

    async fn read(&self, urgency: Urgency) -> Result<Snapshot, ReadError> {
        match self {
            Self::Bitwarden(organization) => organization.read(urgency).await,
            Self::Immuta(keys) => Box::pin(keys.read(urgency)).await,
        }
    }

    fn turn_to_write(&self) -> Result<(), Wait> {
        match self {
            Self::Bitwarden(organization) => organization.turn_to_write(),
            Self::Immuta(keys) => keys.turn_to_write(),
        }
    }

    async fn write(&self, intent: &Intent, go: Go<'_>) -> Outcome {
        match self {
            Self::Bitwarden(organization) => organization.write(intent, go).await,
            Self::Immuta(keys) => Box::pin(keys.write(intent, go)).await,
        }
    }
}

/// Everything shared between accounts: connections, their pace, tokens, and the list of hosts that may be talked to.
pub struct Vendors {
    http: http::Http,
    sessions: Sessions<bitwarden::Session>,
    tenants: Sessions<immuta::Session>,
    allowed: AllowedHosts,
}

secret_data::never_shown!(Vendors, AnyAccount);

impl Vendors {
    /// Prepares connections; sends nothing.
    ///
    /// # Errors
    /// When the TLS stack cannot be set up, which no retry mends.
    pub fn new(
        settings: HttpSettings,
        allowed: AllowedHosts,
        requests: RequestCounter,
    ) -> Result<Self, TlsUnavailable> {
        let http = http::Http::new(settings, requests)?;
        Ok(Self { http, sessions: Sessions::default(), tenants: Sessions::default(), allowed })
    }

    /// Opens an account with the credentials of its Secrets, in the order of [`Pool::secrets`]. Sends nothing.
    ///
    /// `keys`: the Secrets of [`Pool::key_secrets`] by name, or why one cannot be read. `object_uid` keys fingerprints.
    ///
    /// # Errors
    /// A [`Fault`] that names the Secret's key and the fix.
    pub fn open(
        &self,
        pool: &Pool,
        secrets: &[Secret],
        keys: &[(String, Result<Secret, Fault>)],
        object_uid: &str,
    ) -> Result<AnyAccount, Fault> {
        match pool {
            Pool::Bitwarden { product, region, organization, .. } => bitwarden::Organization::open(
                secrets,
                *region,
                organization.as_deref(),
                *product,
                &self.allowed,
                &self.http,
                &self.sessions,
            )
            .map(AnyAccount::Bitwarden),
            Pool::Immuta { keys: entries, .. } => {
                // For the compiler: `Pool::secrets` names one.
                let [secret] = secrets else {
                    return Err(Fault::spec("spec.vendor.immuta.credentialsSecretRef is missing".into()));
                };
                let key = immuta::ApiKey::from_secret(secret, &self.allowed)?;
                let (wanted, keys) = immuta::license_keys(entries, keys, object_uid, &key.place());
                let session = immuta::Session::shared(&self.tenants, &self.http, key)?;
                let version = secret_data::version(std::slice::from_ref(secret));
                Ok(AnyAccount::Immuta(immuta::LicenseKeys::new(session, version, wanted, keys)))
            }
        }
    }
}
