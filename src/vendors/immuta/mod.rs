//! Immuta: an API key of a tenant, and the endpoints that add, list, count and delete licence keys.
//!
//! Facts are from the Immuta reference; section numbers are given where one is used. Much of it is not documented, so
//! this client works whichever way it turns out, and never sends a key twice to find out.

mod answer;
mod error;
mod key;
mod session;
mod wire;

use std::sync::Arc;

use error::ImmutaError;
pub(super) use key::{ApiKey, CREDENTIALS, LicenseKey, license_keys};
pub(super) use session::Session;

use super::error::Failure;
use super::pace::Wait;
use super::tokens::Asker;
use super::{Go, ReadError, Urgency, VendorAccount};
use crate::api::{Account, Intent, KeyAction};
use crate::plan::{Numbers, Outcome, Snapshot, Support, Tenant, Usage, WantedKey};

/// Name of the vendor in status and metric labels.
const VENDOR: &str = "immuta";
/// Name of the vendor in sentences.
const NAME: &str = "Immuta";

/// The licence keys of one tenant.
pub struct LicenseKeys {
    session: Arc<Session>,
    /// Of the Secret that the key came from.
    secret_version: String,
    wanted: Vec<WantedKey>,
    keys: Vec<LicenseKey>,
}

impl LicenseKeys {
    pub(super) fn new(
        session: Arc<Session>,
        secret_version: String,
        wanted: Vec<WantedKey>,
        keys: Vec<LicenseKey>,
    ) -> Self {
        Self { session, secret_version, wanted, keys }
    }

    async fn snapshot(&self, asker: Asker<'_>) -> Result<Snapshot, ImmutaError> {
        let status = self.session.status(asker).await?;
        let rows = self.session.list(asker).await?;
        // Who only reads the licence has nothing from the users, so a report that cannot be had is left out.
        let reported_users = self.session.usage(asker).await.ok().and_then(|usage| usage.users());
        let seats = status.seats(rows.is_empty())?;
        let tenant = Tenant {
            rows,
            wanted: self.wanted.clone(),
            can_add_user: status.can_add_user,
            hard_seats: status.hard_seats()?,
            reported_users,
        };
        Ok(Snapshot {
            account: self.account(),
            numbers: Some(Numbers { seats, limit: None }),
            usage: status.used()?.map_or(Usage::NotReported, Usage::Exact),
            support: Support::default(),
            at_least: Vec::new(),
            at_most: Vec::new(),
            billed: None,
            capabilities: Vec::new(),
            license: None,
            concern: None,
            tenant: Some(tenant),
        })
    }

    /// Why keys of the spec cannot be used.
    #[cfg(test)]
    pub(super) fn faults(&self) -> Vec<crate::plan::Fault> {
        self.wanted.iter().filter_map(|key| key.fingerprint.clone().err()).collect()
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

    /// No limit of requests is documented (section 2), so nobody has to wait for a turn.
    async fn read(&self, urgency: Urgency) -> Result<Snapshot, ReadError> {
        self.snapshot(Asker { secret: &self.secret_version, urgency })
            .await
            .map_err(|error| error.unread(&self.session.host()))
    }

    fn turn_to_write(&self) -> Result<(), Wait> {
        Ok(())
    }

    async fn write(&self, intent: &Intent, go: Go<'_>) -> Outcome {
        let Some(step) = &intent.license_key else { return Outcome::NotSent("it is not about a licence key") };
        match (step.action, step.id) {
            (KeyAction::Add, _) => {
                let key = self.keys.iter().find(|key| Some(&key.fingerprint) == step.fingerprint.as_ref());
                match key {
                    Some(key) => self.session.add(&key.text, go).await,
                    None => Outcome::NotSent("the Secret with the licence key changed meanwhile"),
                }
            }
            (KeyAction::Remove, Some(id)) => self.session.remove(id, go).await,
            (KeyAction::Remove, None) => Outcome::NotSent("the row to remove is not known"),
        }
    }
}

#[cfg(test)]
mod foreign;
