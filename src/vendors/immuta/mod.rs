//! Immuta: an API key of a tenant, and the endpoints that add, list, count and delete licence keys.
//!
//! Facts are from the Immuta reference; section numbers are given where one is used. Much of it is not documented, so
//! this client works whichever way it turns out, and never sends a key twice to find out.

mod answer;
mod key;
mod session;
mod target;
mod wire;

pub(super) use target::pool;

use std::sync::Arc;

pub(super) use key::{ApiKey, CREDENTIALS, LicenseKey, license_keys};
use session::Session;
pub(super) use session::Sessions;

use super::{Go, Urgency, VendorAccount, VendorError};
use crate::api::{Account, Intent, KeyStep, Step};
use crate::plan::{KeyRing, Model, Outcome, Rules, Snapshot, Usage, WantedKey};

/// Name of the vendor in status and metric labels.
const VENDOR: &str = "immuta";
/// Name of the vendor in sentences.
const NAME: &str = "Immuta";

/// The licence keys of one tenant.
pub struct LicenseKeys {
    session: Arc<Session>,
    wanted: Vec<WantedKey>,
    keys: Vec<LicenseKey>,
}

impl LicenseKeys {
    pub(super) fn new(session: Arc<Session>, wanted: Vec<WantedKey>, keys: Vec<LicenseKey>) -> Self {
        Self { session, wanted, keys }
    }

    /// Why keys of the spec cannot be used.
    #[cfg(test)]
    pub(super) fn faults(&self) -> Vec<crate::plan::Fault> {
        self.wanted.iter().filter_map(|key| key.fingerprint.clone().err()).collect()
    }
}

impl VendorAccount for LicenseKeys {
    /// A tenant has no id of its own: it is where it is.
    fn account(&self) -> Account {
        Account { vendor: VENDOR.into(), host: Some(self.session.host()), id: Some(self.session.place()) }
    }

    /// No limit of requests is documented (section 2), so nobody has to wait for a turn.
    async fn read(&self, _: Urgency) -> Result<Snapshot, VendorError> {
        let status = self.session.status().await?;
        let rows = self.session.list().await?;
        // Who only reads the licence has nothing from the users, so a report that cannot be had is left out.
        let reported_users = self.session.usage().await.ok().and_then(|usage| usage.users());
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
            capabilities: Vec::new(),
            license: None,
            concern: None,
        })
    }

    fn turn_to_write(&self) -> Result<(), VendorError> {
        Ok(())
    }

    async fn write(&self, intent: &Intent, go: Go<'_>) -> Outcome {
        match &intent.step {
            Step::AddKey(step) => {
                let key = self.keys.iter().find(|key| Some(&key.fingerprint) == step.fingerprint.as_ref());
                match key {
                    Some(key) => self.session.add(&key.text, go).await,
                    None => Outcome::NotSent("the Secret with the licence key changed meanwhile"),
                }
            }
            Step::RemoveKey(KeyStep { id: Some(id), .. }) => self.session.remove(*id, go).await,
            Step::RemoveKey(_) => Outcome::NotSent("the row to remove is not known"),
            Step::Seats(_) => Outcome::NotSent("it is not about a licence key"),
        }
    }
}

#[cfg(test)]
mod foreign;
