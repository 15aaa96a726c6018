//! Immuta: an API key of a tenant, and the endpoints that add, list, count and delete license keys.
//!
//! Facts are in docs/vendors/immuta.md; its headings are quoted where one is used. Much of it is not documented, so
//! this client works whichever way it turns out, and never sends a key twice to find out.

mod answer;
mod api_key;
mod error;
mod license_api_fields;
mod operation;
mod proofs;
mod rate_limits;
mod session;
mod target;

use std::sync::Arc;

use error::ImmutaError;
use std::time::Duration;

pub(super) use api_key::CREDENTIALS;
use api_key::{ApiKey, LicenseKey, license_keys};
use futures::TryFutureExt;
use futures::future::BoxFuture;
pub(super) use operation::OPERATIONS;
pub(super) use proofs::proofs;
use rate_limits::rates;
use session::ImmutaSession;
pub(super) use target::pool;

use super::error::Failure;
use super::rate_limit::Wait;
use super::rate_limit_rules::Rates;
use super::secret_data::{never_shown, version};
use super::shared_sessions::Sessions;
use super::token_cache::Asker;
use super::{Opening, ReadError, Recorded, SendGuard, Urgency, VendorAccount};
use crate::api::{Account, Intent, KeyStep, Step};
use crate::domain::{Fault, Goal, KeyRing, Model, Outcome, Pool, Rules, Snapshot, Usage, WantedKey};
use crate::registry::Key;

/// Name of the vendor in status and metric labels.
const VENDOR: &str = "immuta";
/// Name of the vendor in sentences.
const NAME: &str = "Immuta";

/// What all tenants share.
pub(super) struct Immuta {
    rates: Arc<Rates>,
    /// The keys that are in use.
    sessions: Sessions<ImmutaSession>,
}

/// The license keys of one tenant.
struct LicenseKeys {
    /// For which they were opened.
    object: Key,
    session: Arc<ImmutaSession>,
    /// Of the Secret that the key came from.
    secret_version: String,
    wanted: Vec<WantedKey>,
    keys: Vec<LicenseKey>,
}

never_shown!(Immuta, LicenseKeys);

impl Immuta {
    pub(super) fn new() -> Self {
        Self { rates: Arc::new(rates()), sessions: Sessions::default() }
    }

    /// Opens the license keys of a tenant with the API key of its Secret. Sends nothing.
    pub(super) fn open(&self, opening: &Opening<'_>, pool: &Pool) -> Result<Box<dyn VendorAccount>, Fault> {
        // For the compiler: the pool names one Secret, and its goal is keys.
        let ([secret], Goal::Keys { keys: entries, .. }) = (opening.secrets, &pool.goal) else {
            return Err(Fault::spec("spec.vendor.immuta.credentialsSecretRef is missing".into()));
        };
        let key = ApiKey::from_secret(secret.as_ref().map_err(Fault::clone)?, opening.allowed)?;
        let (wanted, keys) = license_keys(entries, opening.keys, opening.object_uid, &key.place());
        let session = self.session(opening.http, key)?;
        let object = opening.object.clone();
        Ok(Box::new(LicenseKeys { object, session, secret_version: version(opening.secrets), wanted, keys }))
    }
}

impl LicenseKeys {
    async fn snapshot(&self, asker: Asker<'_>) -> Result<Snapshot, ImmutaError> {
        let status = self.session.status(asker).await?;
        let rows = self.session.list(asker).await?;
        // Who only reads the license has nothing from the users, so a report that cannot be had is left out.
        let reported_users = self.session.usage(asker).await.ok().and_then(|usage| usage.users());
        let seats = status.seats(rows.is_empty())?;
        let ring = KeyRing {
            seats,
            rows,
            wanted: self.wanted.clone(),
            can_add_user: status.can_add_user,
            hard_seats: status.hard_seats()?,
            reported_users,
        };
        Ok(Snapshot {
            account: self.account(),
            usage: status.used()?.map_or(Usage::NotReported, Usage::Exact),
            model: Model::Keys(ring),
            rules: Rules::default(),
            billed: None,
            billed_is_old: false,
            capabilities: Vec::new(),
            license: None,
            concern: None,
        })
    }

    async fn change(&self, intent: &Intent, send_guard: SendGuard<'_>) -> Outcome {
        match &intent.step {
            Step::AddKey(step) => {
                let key = self.keys.iter().find(|key| Some(&key.fingerprint) == step.fingerprint.as_ref());
                match key {
                    Some(key) => self.session.add(&key.text, step.heard.last().map(String::as_str), send_guard).await,
                    None => Outcome::NotSent("the Secret with the license key changed meanwhile"),
                }
            }
            Step::RemoveKey(KeyStep { id: Some(id), uuid: Some(uuid), .. }) => {
                self.session.remove(*id, uuid, send_guard).await
            }
            Step::RemoveKey(_) => Outcome::NotSent("the row to remove is not known"),
            Step::Seats(_) => Outcome::NotSent("it is not about a license key"),
        }
    }
}

impl VendorAccount for LicenseKeys {
    fn name(&self) -> &'static str {
        NAME
    }

    /// A tenant has no id of its own: it is where it is.
    fn account(&self) -> Account {
        Account { vendor: VENDOR.into(), host: Some(self.session.host()), id: Some(self.session.place()) }
    }

    /// No limit of requests is documented ("Rate limits"), so no request waits for a turn.
    fn read(&self, urgency: Urgency) -> BoxFuture<'_, Result<Snapshot, ReadError>> {
        let unread = |error: ImmutaError| error.unread(&self.session.host());
        let asker =
            Asker { object: &self.object, secret: &self.secret_version, urgency, failed: false, lasts: Duration::ZERO };
        Box::pin(self.snapshot(asker).map_err(unread))
    }

    fn turn_to_write(&self) -> Result<(), Wait> {
        Ok(())
    }

    fn write<'a>(&'a self, recorded: Recorded, send_guard: SendGuard<'a>) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            match recorded.spend(&self.account()) {
                Ok(intent) => self.change(&intent, send_guard).await,
                Err(why) => Outcome::NotSent(why),
            }
        })
    }
}

#[cfg(test)]
mod hostile_answers;
