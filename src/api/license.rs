//! The license or subscription behind the seats, and what the given keys allow: status types.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{KeyRecord, KeysOf};

/// The license or subscription behind the seats.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct License {
    /// Its state, as the vendor reports it: `Active`, `Trial`, `PastDue` (a payment is late), `Pending` (the first
    /// payment is missing), `Unpaid`, `Canceled`, `Expired`, `Invalidated`, `Disabled` (the account as a whole),
    /// `Absent` (there is none).
    pub state: LicenseState,

    /// When the seats end unless a person acts; absent when the license renews by itself or has no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,

    /// End of the period that is paid for, after which a subscription renews.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period_end: Option<Time>,

    /// Seats without those that are merely tolerated, where the vendor shows the two separately.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hard_seats: Option<i32>,

    /// Whether the vendor would take one more user now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub can_add_user: Option<bool>,

    /// Users in the vendor's usage report, which counts differently from seats in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_users: Option<i32>,

    /// License keys, those of `spec` first; at most 100.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub keys: Vec<KeyRecord>,

    /// The object and the account that the records in `keys` belong to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys_of: Option<KeysOf>,
}

impl License {
    /// A license with nothing known but its state.
    pub fn of(state: LicenseState) -> Self {
        Self {
            state,
            expires_at: None,
            period_end: None,
            hard_seats: None,
            can_add_user: None,
            reported_users: None,
            keys: Vec::new(),
            keys_of: None,
        }
    }
}

/// State of a license or subscription, in words that hold for every vendor.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LicenseState {
    /// In force.
    Active,
    /// In force without payment, for a while.
    Trial,
    /// In force; a payment is late.
    PastDue,
    /// The first payment is missing.
    Pending,
    /// Not in force: not paid.
    Unpaid,
    /// Not in force: ended by a person.
    #[serde(alias = "Cancelled")]
    Canceled,
    /// Not in force: its time has passed.
    Expired,
    /// Not in force: the vendor does not honor it any more.
    Invalidated,
    /// The account as a whole is switched off.
    Disabled,
    /// There is no license.
    Absent,
}

/// What one of the given keys allows.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyCapabilities {
    /// Which key: `Organization` (Bitwarden's organization key) or `Owner` (the personal key of an owner).
    pub key: KeyKind,

    /// What it allows: `ReadSeats`, `ReadExactUsage`, `WriteSeats`, `ClearLimit` (mode `Unlimited`), `ReadRefusals` (why the
    /// vendor refuses a change), `ReadSubscription` (the state of the license).
    pub allows: Vec<Capability>,
}

/// Kind of a key.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyKind {
    /// An organization's own key.
    Organization,
    /// The personal key of an owner of the organization.
    Owner,
}

/// Something a key allows.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Capability {
    /// See purchased seats and limit.
    ReadSeats,
    /// See how many seats are taken, with every use.
    ReadExactUsage,
    /// Change purchased seats and limit.
    WriteSeats,
    /// Remove the limit.
    ClearLimit,
    /// See why the vendor refuses a change.
    ReadRefusals,
    /// See the state of the subscription, and what is billed.
    ReadSubscription,
}
