//! Organizations as tests and people describe them: a builder, and the JSON of seeds and of the control API.
//! Every state that docs/vendors/bitwarden.md tells of is a field; people with keys of their own are added afterwards.

use serde::{Deserialize, Serialize};

use super::{
    plans::PlanType,
    switches::BillingPath,
    terms::{License, Terms},
};

/// State of a Stripe subscription.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionStatus {
    /// In trial.
    Trialing,
    /// Paid.
    #[default]
    Active,
    /// Late.
    PastDue,
    /// Ended.
    Canceled,
    /// Given up.
    Unpaid,
    /// Never begun.
    Incomplete,
    /// Never begun, and too late now.
    IncompleteExpired,
}

/// Who manages an organization instead of its owners ("Organizations under a provider").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Provider {
    /// 0.
    Msp,
    /// 1.
    Reseller,
    /// 2.
    BusinessUnit,
}

impl Provider {
    /// The vendor's number.
    pub fn number(self) -> u8 {
        match self {
            Self::Msp => 0,
            Self::Reseller => 1,
            Self::BusinessUnit => 2,
        }
    }
}

/// A new organization. Missing JSON fields mean the default: an enabled Enterprise organization with 100 seats.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Organization {
    /// GUID; random if None.
    pub id: Option<String>,
    /// Key; 30 random characters if None.
    pub client_secret: Option<String>,
    /// Name.
    pub name: String,
    /// Disabled organizations get no token.
    pub enabled: bool,
    /// Whether keys work; None: as the plan says.
    pub use_api: Option<bool>,
    /// Plan.
    pub plan: PlanType,
    /// Seats; None: no seat limit.
    pub seats: Option<i32>,
    /// Autoscale cap; None: none.
    pub limit: Option<i32>,
    /// Storage total in GB; None: no storage.
    pub storage_gb: Option<i32>,
    /// Storage in use.
    pub storage_used_gb: i32,
    /// Confirmed members; the first is the owner.
    pub members: u32,
    /// Members with status Invited.
    pub invited: u32,
    /// Members with status Accepted.
    pub accepted: u32,
    /// Members with status Revoked.
    pub revoked: u32,
    /// Members with status Staged.
    pub staged: u32,
    /// Admin-initiated sponsored families: they occupy seats, invisibly ("Who occupies a seat").
    pub sponsored_families: i32,
    /// Whether such sponsorships are enabled.
    pub use_admin_sponsored_families: bool,
    /// Access to Secrets Manager.
    pub use_secrets_manager: bool,
    /// Secrets Manager seats.
    pub sm_seats: Option<i32>,
    /// Secrets Manager cap.
    pub sm_limit: Option<i32>,
    /// Machine accounts allowed.
    pub service_accounts: Option<i32>,
    /// Machine account cap.
    pub service_account_limit: Option<i32>,
    /// Machine accounts in use.
    pub machine_accounts_used: i32,
    /// How many of the members have access to Secrets Manager.
    pub sm_members: u32,
    /// Whether the row names a Stripe customer.
    pub stripe_customer: bool,
    /// Whether the row names a Stripe subscription.
    pub stripe_subscription: bool,
    /// Its state at Stripe; None: Stripe does not know it.
    pub subscription_status: Option<SubscriptionStatus>,
    /// Terms of the subscription.
    pub terms: Terms,
    /// License, for self-hosted servers.
    pub license: Option<License>,
    /// Provider, if managed by one.
    pub provider: Option<Provider>,
    /// None: the first organization of a simulator goes the legacy path, the second the new one, and so on
    /// ("Two billing paths").
    pub billing_path: Option<BillingPath>,
}

impl Default for Organization {
    fn default() -> Self {
        Self {
            id: None,
            client_secret: None,
            name: "Example Corp".into(),
            enabled: true,
            use_api: None,
            plan: PlanType::EnterpriseAnnually,
            seats: Some(100),
            limit: None,
            storage_gb: Some(1),
            storage_used_gb: 0,
            members: 1,
            invited: 0,
            accepted: 0,
            revoked: 0,
            staged: 0,
            sponsored_families: 0,
            use_admin_sponsored_families: false,
            use_secrets_manager: false,
            sm_seats: None,
            sm_limit: None,
            service_accounts: None,
            service_account_limit: None,
            machine_accounts_used: 0,
            sm_members: 0,
            stripe_customer: true,
            stripe_subscription: true,
            subscription_status: Some(SubscriptionStatus::Active),
            terms: Terms::default(),
            license: None,
            provider: None,
            billing_path: None,
        }
    }
}

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident($value:ident: $kind:ty) => $field:ident = $made:expr;)*) => {
        $($(#[$doc])* #[must_use] pub fn $name(mut self, $value: $kind) -> Self { self.$field = $made; self })*
    };
}

impl Organization {
    /// An Enterprise organization with 100 seats, no cap, one member, paid.
    pub fn enterprise(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Whether the chosen id, if any, is a GUID. Others are replaced by random ones.
    pub fn has_usable_id(&self) -> bool {
        self.id.as_deref().is_none_or(|id| uuid::Uuid::parse_str(id).is_ok())
    }

    /// A Teams organization.
    pub fn teams(name: impl Into<String>) -> Self {
        Self::enterprise(name).plan(PlanType::TeamsAnnually)
    }

    setters! {
        /// A chosen GUID.
        id(v: impl Into<String>) => id = Some(v.into());
        /// A chosen key.
        client_secret(v: impl Into<String>) => client_secret = Some(v.into());
        /// Enabled or not.
        enabled(v: bool) => enabled = v;
        /// API access, whatever the plan says.
        use_api(v: bool) => use_api = Some(v);
        /// Plan.
        plan(v: PlanType) => plan = v;
        /// Seats (`100` or `None`).
        seats(v: impl Into<Option<i32>>) => seats = v.into();
        /// Autoscale cap.
        limit(v: impl Into<Option<i32>>) => limit = v.into();
        /// Storage total in GB.
        storage(v: impl Into<Option<i32>>) => storage_gb = v.into();
        /// Storage in use, GB.
        storage_used(v: i32) => storage_used_gb = v;
        /// Confirmed members.
        members(v: u32) => members = v;
        /// Invited members.
        invited(v: u32) => invited = v;
        /// Accepted members.
        accepted(v: u32) => accepted = v;
        /// Revoked members.
        revoked(v: u32) => revoked = v;
        /// Staged members.
        staged(v: u32) => staged = v;
        /// Sponsored families in use.
        sponsored_families(v: i32) => sponsored_families = v;
        /// Sponsored families enabled.
        use_admin_sponsored_families(v: bool) => use_admin_sponsored_families = v;
        /// Members with access to Secrets Manager.
        sm_members(v: u32) => sm_members = v;
        /// Secrets Manager cap.
        sm_limit(v: impl Into<Option<i32>>) => sm_limit = v.into();
        /// Machine account cap.
        service_account_limit(v: impl Into<Option<i32>>) => service_account_limit = v.into();
        /// Machine accounts in use.
        machine_accounts_used(v: i32) => machine_accounts_used = v;
        /// Stripe customer present.
        stripe_customer(v: bool) => stripe_customer = v;
        /// Stripe subscription present in the row.
        stripe_subscription(v: bool) => stripe_subscription = v;
        /// State of the subscription at Stripe; None: Stripe does not know it.
        subscription_status(v: impl Into<Option<SubscriptionStatus>>) => subscription_status = v.into();
        /// Terms of the subscription.
        terms(v: Terms) => terms = v;
        /// License of a self-hosted server.
        license(v: License) => license = Some(v);
        /// The way of its bills.
        billing_path(v: BillingPath) => billing_path = Some(v);
        /// Managed by a provider (set the Stripe ids yourself: "Organizations under a provider").
        provider(v: Provider) => provider = Some(v);
    }

    /// Access to Secrets Manager with these seats and machine accounts.
    #[must_use]
    pub fn secrets_manager(mut self, seats: impl Into<Option<i32>>, service_accounts: impl Into<Option<i32>>) -> Self {
        self.use_secrets_manager = true;
        self.sm_seats = seats.into();
        self.service_accounts = service_accounts.into();
        self
    }
}
