//! Bitwarden with the organization API key: the public API and its identity server.
//!
//! Facts are from the vendor reference (bitwarden/server at ac309aa1, 2026-08-20); section numbers are given where a
//! fact is used. The key can read and set seats and limits, count members, and never clear a limit.

mod key;
mod members;
mod session;
mod wire;

use std::sync::Arc;

pub(super) use key::OrganizationKey;
use session::Session;
pub(super) use session::Sessions;

use super::{Go, VendorAccount, VendorError};
use crate::api::{Account, Intent, MAX_SEATS, Product};
use crate::plan::{Bound, Numbers, Outcome, Refusal, Snapshot, Support, Usage};
use wire::{Subscription, SubscriptionChange};

/// Name of the vendor in status and metric labels.
const VENDOR: &str = "bitwarden";
/// Name of the vendor in sentences.
const NAME: &str = "Bitwarden";

/// One pool of one organization.
pub struct Organization {
    session: Arc<Session>,
    product: Product,
}

impl Organization {
    pub(super) fn new(session: Arc<Session>, product: Product) -> Self {
        Self { session, product }
    }

    async fn usage(&self) -> Result<Usage, VendorError> {
        match self.product {
            // Sponsored families take seats too and cannot be seen with this key (section 8).
            Product::PasswordManager => self.session.count_members().await.map(Usage::AtLeast),
            // Access to Secrets Manager is not part of the public member object, machine accounts are not listed.
            Product::SecretsManager | Product::MachineAccounts => Ok(Usage::NotReported),
        }
    }
}

impl VendorAccount for Organization {
    fn account(&self) -> Account {
        let (host, id) = (Some(self.session.host()), Some(self.session.organization_id()));
        Account { vendor: VENDOR.into(), host, id }
    }

    async fn read(&self) -> Result<Snapshot, VendorError> {
        let (subscription, usage) = tokio::try_join!(self.session.subscription(), self.usage())?;
        snapshot(self.account(), self.product, &subscription, usage)
    }

    async fn write(&self, intent: &Intent, go: Go<'_>) -> Outcome {
        let Some(change) = SubscriptionChange::of(self.product, intent.base(), intent.target()) else {
            return Outcome::Refused(Refusal::Request("nothing in it can be sent with an organization key".into()));
        };
        self.session.change(&change, go).await
    }
}

/// The pool's numbers and every rule that Bitwarden's opaque 500 would hide (sections 7 and 16.4).
fn snapshot(account: Account, product: Product, read: &Subscription, usage: Usage) -> Result<Snapshot, VendorError> {
    let (pm, sm) = (read.password_manager()?, read.secrets_manager()?);
    let (seats, limit) = match product {
        Product::PasswordManager => (pm.seats, pm.limit),
        Product::SecretsManager => (sm.seats, sm.limit),
        Product::MachineAccounts => (sm.machine_accounts, sm.machine_account_limit),
    };
    let mut support = Support {
        read_only: None,
        cannot_clear_limit: Some(
            "an organization key can set a limit but never remove one (Bitwarden keeps the old limit when none is sent): use \
             mode Pinned or UpTo, or remove the limit in the admin console"
                .into(),
        ),
    };
    if seats.is_none() {
        support.read_only = Some(
            match product {
                Product::PasswordManager => "this plan has no seat count, so there is nothing to change",
                Product::SecretsManager | Product::MachineAccounts => {
                    "the organization has no Secrets Manager: add it to the plan in the admin console first"
                }
            }
            .into(),
        );
    }
    let mut at_most =
        vec![Bound { seats: MAX_SEATS, because: "larger totals wrap around in its database".into(), pool: None }];
    let mut at_least = Vec::new();
    match product {
        Product::PasswordManager => at_least.extend(sm.seats.map(|seats| Bound {
            seats,
            because: format!(
                "Secrets Manager has {seats} seats and cannot have more than Password Manager: lower those first"
            ),
            pool: Some(Product::SecretsManager.name()),
        })),
        Product::SecretsManager => at_most.extend(pm.seats.map(|seats| Bound {
            seats,
            because: format!("Password Manager has {seats} and Secrets Manager cannot have more: raise those first"),
            pool: Some(Product::PasswordManager.name()),
        })),
        Product::MachineAccounts => {}
    }
    let numbers = seats.map(|seats| Numbers { seats, limit });
    Ok(Snapshot {
        account,
        numbers,
        usage,
        support,
        at_least,
        at_most,
        billed: None,
        capabilities: Vec::new(),
        license: None,
        concern: None,
        tenant: None,
    })
}
