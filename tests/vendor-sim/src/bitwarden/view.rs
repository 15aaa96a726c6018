//! What tests and people get to see of an organization: its key, and all of its numbers at once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    ledger::Billed,
    organization::{Provider, SubscriptionStatus},
    plans::PlanType,
    refusal::LastRefusal,
    state::{Org, Row},
    terms::{License, Terms},
};

/// An organization key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrganizationKey {
    /// GUID of the organization.
    pub id: String,
    /// `organization.<guid>`.
    pub client_id: String,
    /// 30 characters.
    pub client_secret: String,
}

/// Everything about an organization, now.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrganizationView {
    /// GUID.
    pub id: String,
    /// Name.
    pub name: String,
    /// `organization.<guid>`.
    pub client_id: String,
    /// Enabled.
    pub enabled: bool,
    /// Keys work.
    pub use_api: bool,
    /// Plan.
    pub plan: PlanType,
    /// Seats shown.
    pub seats: Option<i32>,
    /// Cap shown.
    pub limit: Option<i32>,
    /// Storage shown.
    pub storage_gb: Option<i32>,
    /// Access to Secrets Manager.
    pub use_secrets_manager: bool,
    /// Secrets Manager seats shown.
    pub sm_seats: Option<i32>,
    /// Secrets Manager cap shown.
    pub sm_limit: Option<i32>,
    /// Machine accounts shown.
    pub service_accounts: Option<i32>,
    /// Machine account cap shown.
    pub service_account_limit: Option<i32>,
    /// Machine accounts in use.
    pub machine_accounts_used: i32,
    /// All members, whatever their status.
    pub members: usize,
    /// The same by status number.
    pub members_by_status: BTreeMap<i8, usize>,
    /// Seats occupied: members plus sponsored families (docs/vendors/bitwarden.md, "Who occupies a seat").
    pub occupied: i32,
    /// Secrets Manager seats occupied.
    pub sm_occupied: i32,
    /// Sponsored families.
    pub sponsored_families: i32,
    /// What Stripe bills, as totals.
    pub billed: Billed,
    /// Stripe's own number for seats: total minus included.
    pub billed_quantity: Option<i32>,
    /// Stripe customer named in the row.
    pub stripe_customer: bool,
    /// Stripe subscription named in the row.
    pub stripe_subscription: bool,
    /// Its state.
    pub subscription_status: Option<SubscriptionStatus>,
    /// Terms of the subscription.
    pub terms: Terms,
    /// License, if self-hosted.
    pub license: Option<License>,
    /// Provider.
    pub provider: Option<Provider>,
    /// Mails to the owners: seats raised to the cap by hand, first autoscale (docs/vendors/bitwarden.md,
    /// "What is billed and when").
    pub owner_mails: usize,
    /// Why the last change was refused.
    pub last_refusal: Option<LastRefusal>,
}

impl Org {
    /// Everything, for tests and people.
    pub(crate) fn view(&self) -> OrganizationView {
        let usage = self.usage();
        let mut members_by_status = BTreeMap::new();
        for member in &self.members {
            *members_by_status.entry(member.status.number()).or_insert(0) += 1;
        }
        let Row { shown, .. } = self.row;
        OrganizationView {
            id: self.id.to_string(),
            name: self.row.name.clone(),
            client_id: format!("organization.{}", self.id),
            enabled: self.row.enabled,
            use_api: self.row.use_api,
            plan: self.row.plan,
            seats: shown.seats,
            limit: shown.limit,
            storage_gb: shown.storage_gb,
            use_secrets_manager: self.row.use_sm,
            sm_seats: shown.sm_seats,
            sm_limit: shown.sm_limit,
            service_accounts: shown.service_accounts,
            service_account_limit: shown.service_account_limit,
            machine_accounts_used: self.machine_accounts,
            members: self.members.len(),
            members_by_status,
            occupied: usage.occupied(),
            sm_occupied: usage.sm_users,
            sponsored_families: self.sponsored,
            billed: self.billed(),
            billed_quantity: self.stripe.map(|s| s.seats),
            stripe_customer: self.row.customer,
            stripe_subscription: self.row.subscription,
            subscription_status: self.stripe.map(|s| s.status),
            terms: self.terms.clone(),
            license: self.license.clone(),
            provider: self.provider,
            owner_mails: self.owner_mails,
            last_refusal: self.last_refusal.clone(),
        }
    }
}
