//! The append-only ledger: every change of what is shown or what is billed, with who did it.
//! Billing and row are two commits at the vendor (docs/vendors/bitwarden.md, "What is billed and when"), so they are
//! two entries here.

use jiff::Timestamp;
use serde::Serialize;

/// Who changed something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Actor {
    /// A PUT of the organization API whose client is still waiting.
    OrganizationPut,
    /// A write of the owner API whose client is still waiting.
    OwnerWrite,
    /// A write of either API whose client is gone, or which was applied late.
    LateFinisher,
    /// The vendor, for members who joined.
    Autoscale,
    /// Somebody in the web vault.
    ThirdParty,
    /// The billing webhook writing the row it read earlier ("The billing webhook").
    Webhook,
    /// The vendor's job that brings billing up to date after an autoscale ("What is billed and when").
    BillingJob,
    /// Vendor staff or a migration ("Who else writes seats"): no rule applies.
    Vendor,
}

/// Which commit an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Step {
    /// Stripe's quantities changed.
    Billed,
    /// The organization's row changed.
    Row,
    /// Both at once (third parties and autoscaling in the request).
    Both,
}

/// The numbers of the organization's row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shown {
    /// Password Manager seats; None: plan without a seat limit.
    pub seats: Option<i32>,
    /// Autoscale cap.
    pub limit: Option<i32>,
    /// Storage in GB.
    pub storage_gb: Option<i32>,
    /// Secrets Manager seats.
    pub sm_seats: Option<i32>,
    /// Secrets Manager cap.
    pub sm_limit: Option<i32>,
    /// Machine accounts.
    pub service_accounts: Option<i32>,
    /// Machine account cap.
    pub service_account_limit: Option<i32>,
}

/// What Stripe bills, as totals that compare with [`Shown`] (Stripe's quantity plus what the plan includes).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Billed {
    /// Password Manager seats; None: no subscription.
    pub seats: Option<i32>,
    /// Storage in GB.
    pub storage_gb: Option<i32>,
    /// Secrets Manager seats.
    pub sm_seats: Option<i32>,
    /// Machine accounts.
    pub service_accounts: Option<i32>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LedgerEntry {
    /// 1, 2, 3 ... per organization.
    pub sequence: u64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub who: Actor,
    /// Which commit.
    pub step: Step,
    /// Number of the HTTP request, if one caused it.
    pub request: Option<u64>,
    /// Row before.
    pub before: Shown,
    /// Row after.
    pub after: Shown,
    /// Billed before.
    pub billed_before: Billed,
    /// Billed after.
    pub billed_after: Billed,
}
