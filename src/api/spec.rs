//! What people declare. Doc comments here are the manual that `kubectl explain` prints, so they speak to its reader.

// Several print columns look like one attribute given twice.
#![allow(clippy::duplicated_attributes)]

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Adjustment, ApprovalPolicy, Guardrails, Immuta, LicenseSeatsStatus, Limit, Sizing, Thresholds};

/// How many paid seats a vendor account should have, and up to what limit.
///
/// Seatkeeper reads the account through the vendor's API, changes it where it differs from what is declared here, and
/// writes what it observed to `status`. It never writes `spec`. Absent fields are left as they are at the vendor.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "seatkeeper.dev",
    version = "v1alpha1",
    kind = "LicenseSeats",
    plural = "licenseseats",
    singular = "licenseseats",
    shortname = "seats",
    category = "licensing",
    namespaced,
    status = "LicenseSeatsStatus",
    derive = "PartialEq",
    doc = "The paid seats of one pool of one vendor account: what is declared in spec, and what Seatkeeper observed in status.",
    scale(
        spec_replicas_path = ".spec.seats",
        status_replicas_path = ".status.seats",
        label_selector_path = ".status.selector"
    ),
    selectable = ".status.account.vendor",
    selectable = ".status.account.id",
    selectable = ".spec.suspend",
    printcolumn(name = "Desired", type_ = "integer", json_path = ".status.desired"),
    printcolumn(name = "Seats", type_ = "integer", json_path = ".status.seats"),
    printcolumn(name = "Used", type_ = "integer", json_path = ".status.used"),
    printcolumn(name = "Free", type_ = "integer", json_path = ".status.free"),
    printcolumn(name = "Limit", type_ = "integer", json_path = ".status.limit", priority = 1),
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "Status", type_ = "string", json_path = ".status.summary"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Vendor", type_ = "string", json_path = ".status.account.vendor", priority = 1),
    printcolumn(name = "Product", type_ = "string", json_path = ".status.effective.product", priority = 1),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].reason"#,
        priority = 1
    ),
    printcolumn(name = "Expires", type_ = "string", json_path = ".status.license.expiresAt", priority = 1),
    printcolumn(name = "Account", type_ = "string", json_path = ".status.account.id", priority = 1)
)]
#[x_kube(validation = Rule::new(
    "!has(self.seats) || !has(self.guardrails) || !has(self.guardrails.maxSeats) || self.seats <= self.guardrails.maxSeats")
    .message("spec.seats is above spec.guardrails.maxSeats: lower seats, or raise maxSeats first")
    .field_path(".seats"))]
#[x_kube(validation = Rule::new(
    "!has(self.seats) || !has(self.guardrails) || !has(self.guardrails.minSeats) || self.seats >= self.guardrails.minSeats")
    .message("spec.seats is below spec.guardrails.minSeats: raise seats, or lower minSeats first")
    .field_path(".seats"))]
#[x_kube(validation = Rule::new(
    "!has(self.seats) || !has(self.limit) || !has(self.limit.seats) || self.limit.seats >= self.seats")
    .message("spec.limit.seats is below spec.seats: the vendor refuses a limit under the purchased seats; raise limit.seats, or use mode Pinned to let the limit follow the seats")
    .field_path(".limit"))]
#[x_kube(validation = Rule::new(
    "!has(self.limit) || !has(self.limit.seats) || !has(self.guardrails) || !has(self.guardrails.maxSeats) || self.limit.seats <= self.guardrails.maxSeats")
    .message("spec.limit.seats is above spec.guardrails.maxSeats: the vendor could buy past the guard rail by itself; lower limit.seats, or raise maxSeats first")
    .field_path(".limit"))]
#[x_kube(validation = Rule::new(
    "!has(self.limit) || self.limit.mode != 'Unlimited' || !has(self.guardrails) || !has(self.guardrails.maxSeats)")
    .message("spec.limit.mode Unlimited and spec.guardrails.maxSeats exclude each other: the vendor could buy past the guard rail by itself; use mode UpTo or Pinned, or remove maxSeats")
    .field_path(".limit"))]
#[x_kube(validation = Rule::new("!has(self.vendor.bitwarden) || !has(self.seats) || self.seats <= 32767")
    .message("spec.seats is above 32767: larger totals wrap around in Bitwarden's database; lower seats")
    .field_path(".seats"))]
#[x_kube(validation = Rule::new(
    "!has(self.vendor.bitwarden) || !has(self.limit) || !has(self.limit.seats) || self.limit.seats <= 32767")
    .message("spec.limit.seats is above 32767: larger totals wrap around in Bitwarden's database; lower limit.seats")
    .field_path(".limit"))]
#[x_kube(validation = Rule::new("!has(self.limit) || !has(self.vendor.immuta)")
    .message("spec.limit is for vendors that buy by themselves, and Immuta does not: remove limit")
    .field_path(".limit"))]
#[x_kube(validation = Rule::new("!has(self.guardrails) || !has(self.guardrails.maxSeats) || !has(self.vendor.immuta)")
    .message("spec.guardrails.maxSeats cannot be kept at Immuta: the seats of a key are known only after it is added; remove maxSeats")
    .field_path(".guardrails"))]
#[x_kube(validation = Rule::new("!has(self.guardrails) || !has(self.guardrails.maxIncrease) || !has(self.vendor.immuta)")
    .message("spec.guardrails.maxIncrease cannot be kept at Immuta: the seats of a key are known only after it is added; remove maxIncrease")
    .field_path(".guardrails"))]
#[x_kube(validation = Rule::new(
    "!has(self.vendor.immuta) || !has(self.adjustment) || !has(self.adjustment.windows) || !self.adjustment.windows.exists(window, has(window.beforeRenewal))")
    .message("spec.adjustment.windows has beforeRenewal, and Immuta shows no renewal: use cron")
    .field_path(".adjustment"))]
#[x_kube(validation = Rule::new("!has(self.sizing) || !has(self.seats)")
    .message("spec.seats and spec.sizing exclude each other, as sizing computes the seats: remove seats (kubectl scale writes it), or remove sizing")
    .field_path(".seats"))]
#[x_kube(validation = Rule::new("!has(self.sizing) || !has(self.limit) || self.limit.mode == 'Pinned'")
    .message("spec.sizing goes with limit mode Pinned alone, or without a limit: with UpTo and Unlimited the vendor buys by itself, and the two would buy twice; use mode Pinned, or remove sizing")
    .field_path(".limit"))]
#[x_kube(validation = Rule::new("!has(self.sizing) || !has(self.vendor.immuta)")
    .message("spec.sizing is for seats that are set as a number, and Immuta's come from license keys: remove sizing, and declare seats to be warned")
    .field_path(".sizing"))]
#[x_kube(validation = Rule::new(
    "!has(self.sizing) || !has(self.sizing.headroom.seats) || !has(self.adjustment) || !has(self.adjustment.increase) || !has(self.adjustment.increase.urgentBelowFreeSeats) || self.adjustment.increase.urgentBelowFreeSeats <= self.sizing.headroom.seats")
    .message("spec.adjustment.increase.urgentBelowFreeSeats is above spec.sizing.headroom.seats, so that no increase would wait for its window: lower it, or raise the headroom")
    .field_path(".adjustment"))]
#[serde(rename_all = "camelCase")]
pub struct LicenseSeatsSpec {
    /// The account whose seats these are: exactly one vendor. The kind of vendor cannot change later.
    pub vendor: Vendor,

    /// How many seats should be purchased, at least 1; at Bitwarden at most 32767. `kubectl scale` writes this field.
    /// At Immuta, where license keys decide, it is the smallest total that they should have. Absent: the purchased
    /// seats are only observed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = i32::MAX))]
    pub seats: Option<i32>,

    /// Lets the purchased seats follow their use, instead of `seats`: the seats in use, and some free ones. More use
    /// counts at once, less use after a while. Absent: `seats` says how many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sizing: Option<Sizing>,

    /// Up to how many seats the vendor may buy by itself when members join (Bitwarden: seat autoscaling).
    /// Absent: the limit is left as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,

    /// Bounds that no change may cross, whether an edit of `seats` or `limit` or a scaler asks for it. Absent: no
    /// bounds but the vendor's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guardrails: Option<Guardrails>,

    /// When changes may be made: at once, in windows such as one a month, or never. Absent: at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjustment: Option<Adjustment>,

    /// Which changes wait for approval by a person: a `SeatApproval` in the same namespace. Absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalPolicy>,

    /// Whether the vendor is corrected or only observed; absent means `Manage`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub management_policy: Option<ManagementPolicy>,

    /// What happens when the account is changed outside Seatkeeper, away from what `spec` asks. `Correct` (when absent): it is
    /// corrected, twice a day at most. `Report`: the condition `Drifted` has both numbers, and nothing is sent until `spec` asks for
    /// something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift_policy: Option<DriftPolicy>,

    /// true: nothing is written to the vendor until this is false again. Reading goes on, so that shortages are
    /// still reported. Absent means false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,

    /// The cluster whose Seatkeeper changes the account, where several clusters have this object: the `--cluster-name` of its operator.
    /// Every other cluster only reads and reports (`Ready` with reason `Standby`), and so does each of them with `none`. To hand
    /// over, write `none`, wait until the cluster that was active shows `Standby`, then write the new name. Absent: every cluster
    /// that has the object changes the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')")
        .message("spec.activeCluster must be the --cluster-name of an operator, or none: 1 to 63 lower-case letters, digits and dashes, with a letter or a digit at each end, such as prod-eu"))]
    pub active_cluster: Option<String>,

    /// When a shortage of seats or the end of the license is reported. Absent: when no seat is free, and 720h and 168h
    /// before the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<Thresholds>,

    /// How often the vendor is read, as a Go-style duration between 1s and 24h such as `90s`, `10m` or `1h30m`.
    /// Absent means 10m. The operator stretches it to its own minimum (`--min-interval`, 30s unless changed);
    /// `status.effective.interval` says what is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20))]
    #[x_kube(validation = Rule::new(
        "self.matches('^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$') && self != '' && duration(self) >= duration('1s') && duration(self) <= duration('24h')")
        .message("spec.interval must be a duration between 1s and 24h: whole numbers with units, largest first, such as 90s, 10m or 1h30m"))]
    pub interval: Option<String>,
}

/// The account, by vendor. Exactly one member is set.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[x_kube(validation = Rule::new("[has(self.bitwarden), has(self.immuta)].exists_one(set, set)")
    .message("spec.vendor must name exactly one vendor: bitwarden or immuta"))]
#[x_kube(validation = Rule::new("has(self.bitwarden) == has(oldSelf.bitwarden) && has(self.immuta) == has(oldSelf.immuta)")
    .message("spec.vendor cannot change to another vendor: create another LicenseSeats for it")
    .reason(Reason::FieldValueForbidden))]
#[serde(rename_all = "camelCase")]
pub struct Vendor {
    /// A Bitwarden organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bitwarden: Option<Bitwarden>,

    /// An Immuta tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub immuta: Option<Immuta>,
}

/// A Bitwarden organization, reached with its organization API key, the personal API key of one of its owners, or both.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[x_kube(validation = Rule::new(
    "(has(self.product) ? self.product : 'PasswordManager') == (has(oldSelf.product) ? oldSelf.product : 'PasswordManager')")
    .message("spec.vendor.bitwarden.product cannot change: create another LicenseSeats for the other product")
    .field_path(".product")
    .reason(Reason::FieldValueForbidden))]
#[x_kube(validation = Rule::new("has(self.credentialsSecretRef) || has(self.ownerCredentialsSecretRef)")
    .message("spec.vendor.bitwarden needs a key: credentialsSecretRef (organization API key), ownerCredentialsSecretRef (personal API key of an owner), or both"))]
#[serde(rename_all = "camelCase")]
pub struct Bitwarden {
    /// Which seats of the organization; absent means `PasswordManager`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<Product>,

    /// The Bitwarden cloud that holds the organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,

    /// The Secret with the organization API key (Bitwarden admin console, Settings, Organization info, View API key).
    /// It lives in the same namespace, has the type `seatkeeper.dev/credentials`, and holds `clientId`
    /// (`organization.` and a GUID) and `clientSecret`; optionally `server` (or `apiUrl` and `identityUrl`) and `ca.crt`.
    /// It may also hold an owner's personal key: what counts is the key in the Secret, not which field names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials_secret_ref: Option<SecretRef>,

    /// The Secret with the personal API key of an owner of the organization (web vault, Settings, Security, Keys, View API
    /// key). It shows what the organization key cannot: exact usage, the state of the subscription, and it can remove the
    /// limit. Alone or beside the organization key; the same kind of Secret, with `clientId` (`user.` and a GUID) and
    /// `clientSecret`. The key can do all that its owner can: use an account made for this. It may also hold the
    /// organization key; two keys of the same kind are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_credentials_secret_ref: Option<SecretRef>,

    /// The organization's id, a GUID. Needed only without an organization key, and only when the owner has more than one
    /// organization; beside an organization key it must be that key's organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 36))]
    #[x_kube(validation = Rule::new("self.matches('^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$')")
        .message("spec.vendor.bitwarden.organizationId must be a GUID in lower case, such as 6f1c8a52-0d0e-4a5f-9c2b-3b7f5f0a1c11"))]
    pub organization_id: Option<String>,
}

/// A Secret in the same namespace, by name.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretRef {
    /// Name of the Secret, in the namespace of the LicenseSeats.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$')")
        .message("must be the name of a Secret: lower-case letters, digits, - and ., such as bitwarden-org"))]
    pub name: String,
}

/// Which seats of the organization: `PasswordManager` (when absent), `SecretsManager`, or `MachineAccounts` (Bitwarden's
/// API calls them service accounts). It cannot change later.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Product {
    /// Password Manager seats.
    #[default]
    PasswordManager,
    /// Secrets Manager seats.
    SecretsManager,
    /// Secrets Manager machine accounts (Bitwarden's API calls them service accounts).
    MachineAccounts,
}

/// The Bitwarden cloud that holds the organization: `US` (bitwarden.com), `EU` (bitwarden.eu) or `Gov`
/// (bitwarden-gov.com). Keys of one region are unknown in the others. Left out when the Secret names a server of its own.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Region {
    /// bitwarden.com
    US,
    /// bitwarden.eu
    EU,
    /// bitwarden-gov.com
    Gov,
}

/// `Manage` (when absent) brings the vendor to what is declared; `Observe` reads and reports and never writes to the
/// vendor.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ManagementPolicy {
    /// Bring the vendor to what is declared.
    #[default]
    Manage,
    /// Read and report, never write to the vendor.
    Observe,
}

/// `Correct` (when absent) brings the vendor back to what `spec` asks, twice a day at most; `Report` only reports.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DriftPolicy {
    /// Bring the vendor back to what is declared.
    #[default]
    Correct,
    /// Report what was changed outside Seatkeeper, and send nothing.
    Report,
}
