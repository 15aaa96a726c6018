//! What the operator observed and is doing. Numbers that are not known are absent, never 0.
//!
//! `intent`, `history` and `satisfiedGeneration` are also the operator's only durable memory: decisions read them back.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Activity, ApprovalUsed, Change, Intent, KeyCapabilities, License, MayBill, NextWindow, Plan, ShownPlan,
    SizingStatus, WindowUse,
};

/// `observedGeneration` of an object that no operator has handled yet, so that nothing reads it as current.
pub const UNOBSERVED: i64 = -1;

fn unobserved() -> i64 {
    UNOBSERVED
}

/// Selects no pod: seats run nothing, and an autoscaler that reads `/scale` asks for a selector all the same.
fn no_pods() -> String {
    "seatkeeper.dev/pods=none".into()
}

/// What Seatkeeper observed at the vendor and what it is doing about it. A number that is not known is absent, never 0.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LicenseSeatsStatus {
    /// The generation of `spec` that this status describes; -1 until the operator has handled the object.
    #[serde(default = "unobserved")]
    pub observed_generation: i64,

    /// The generation of `spec` with which the vendor was last seen to agree. Seats that the vendor buys by itself
    /// under an `UpTo` limit are accepted from then on, until `spec` asks for something else. Do not edit it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub satisfied_generation: Option<i64>,

    /// A hash of the account and of what that `spec` asked of it: an edit of anything else leaves it satisfied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub satisfied_wish: Option<String>,

    /// Which object and account this record was made for. Without it, as after a restore or when the pool was taken over,
    /// no seats are lowered and no license key is removed until a person agrees. The limit is not held. Do not edit it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_of: Option<RecordOf>,

    /// One short sentence for people: the STATUS column of `kubectl get`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,

    /// A label selector that no pod has. HorizontalPodAutoscalers and KEDA read `/scale` only where there is one.
    #[serde(default = "no_pods")]
    pub selector: String,

    /// The account that the numbers belong to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,

    /// Purchased seats wanted by `spec`: `seats`, or what follows from `sizing`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired: Option<i32>,

    /// Purchased seats at the vendor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seats: Option<i32>,

    /// Seats in use. See `usedIsLowerBound`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<i32>,

    /// true: at least `used` seats are taken; the credentials given cannot see all uses (Bitwarden's organization key
    /// sees members but not sponsored families).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_is_lower_bound: Option<bool>,

    /// `seats` less `used`; negative when more seats are taken than purchased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free: Option<i32>,

    /// Up to how many seats the vendor may buy by itself; absent when unlimited or not known (see `limited`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<i32>,

    /// Whether the vendor has a limit at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limited: Option<bool>,

    /// Seats that are billed, where the vendor shows this number and it differs from `seats`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billed: Option<i32>,

    /// What each of the given keys allows, as last seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["key".into()]))]
    pub capabilities: Vec<KeyCapabilities>,

    /// The license or subscription behind the seats; absent when these credentials do not show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<License>,

    /// The change that is wanted and not yet made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,

    /// The plan that was shown last, for its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_plan: Option<ShownPlan>,

    /// The approval under which a change was last requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalUsed>,

    /// With `spec.approval`: seats up to which people have agreed. It begins with the seats that were found, falls with the purchased
    /// seats once these are what `spec` asks, and rises by approved changes alone. Do not edit it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreed_seats: Option<i32>,

    /// The number of seats that `spec.sizing` derives from the use, and the uses that it remembers. Do not edit it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sizing: Option<SizingStatus>,

    /// The window in which the change that waits may be made. Absent while nothing waits for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_window: Option<NextWindow>,

    /// The changes that were made because a window is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<WindowUse>,

    /// Whether this cluster changes the account, where `spec.activeCluster` is or was set. Do not edit it: without it,
    /// the object waits before its next change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity: Option<Activity>,

    /// The one change that is being made, written before the request is sent. Do not edit it: it is what keeps seats
    /// from being bought twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,

    /// What the vendor may bill and does not show: it answered a change to this number twice without a reason, took the change
    /// back, or had not shown its outcome when the spec was edited. It ends when the vendor shows that number, when credentials show
    /// what is billed, when another change is made, or when a person confirms it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub may_bill: Option<MayBill>,

    /// The last changes made by Seatkeeper, newest first, at most 10.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    pub history: Vec<Change>,

    /// Values in force where `spec` has none, or where the operator changed its value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective: Option<Effective>,

    /// When the vendor was last read, in steps: it is updated once it is an hour old, or ten intervals where that is
    /// longer. So the numbers are at least that new, unless `Ready` says `ObservationStale`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_observed_at: Option<Time>,

    /// The installation of Seatkeeper that writes this status: namespace and name of its leader election Lease. Two
    /// that write the same object report it in an event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,

    /// The request for a reading at once that was handled last: the value of the annotation
    /// `seatkeeper.dev/reconcile-requested-at` or `reconcile.fluxcd.io/requestedAt`, whichever changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,

    /// What is true of the object now; each message says what to do. `Ready`: `InSync`, `Observed`, `Standby`, `Suspended`, `ChangeDeferred`,
    /// `DriftReportedOnly`; or not: `Progressing`, `CredentialsInvalid`, `SpecInvalid`, `GuardrailViolated`, `NumbersInDoubt`, `FirstSight`,
    /// `VendorRejected`,
    /// `UnsupportedByVendor`, `AwaitingOtherPool`, `AwaitingRetry`, `ApprovalsUnreadable`, `Conflict`, `NeedsReview`, `Expired`, and at
    /// Immuta `SeatsShort`,
    /// `LicenseKeyRejected`, `AlreadyPresent`, `PruneBlocked`, and for a license key that cannot be used `SecretNotFound`,
    /// `SecretNotPermitted`, `KeyMissing`, `KeyInvalid`; where the record cannot be kept, `CRDOutdated` (the CRD is older
    /// than the operator) and `StatusNotStored`; or Unknown: `ObservationStale`, `OutcomeUnknown`.
    /// `CredentialsValid`: `Authenticated`; or not: `SecretNotFound`, `SecretNotPermitted`, `KeyMissing`, `KeyInvalid`,
    /// `Rejected`, `InsufficientRole`, `HostNotAllowed`; or Unknown: `VendorUnreachable`.
    /// `SeatShortage`: `BelowThreshold`, `Exhausted`, `OverAllocated`; or not: `Sufficient`, `SeatsNotReported`; or Unknown:
    /// `UsageNotReported`, `SeatsNotReported`.
    /// `LicenseValid`: `Active`, `ExpiringSoon`, `PastDue`; or not: `Expired`, `Invalidated`; or Unknown: `Pending`,
    /// `NotReported`.
    /// Only while true: `ChangePending` (a wanted change is not made yet: `AwaitingWindow`, `WindowMissed`, `NeverMade`, `AwaitingApproval`, `ChangeDenied`, `Suspended`, `DriftReportedOnly`, `BlockedByGuardrail`,
    /// `FirstSight`, `OutcomeUnknown`, `Settling`, `Activating`, `AwaitingOtherPool`, `AwaitingRetry`, or as `Ready` says), `Drifted` (`ExternalChange`: a person or another program changed the
    /// vendor; `AnotherSeatkeeper`: by exactly the change that was planned and not sent), `Reconciling` (work is going on) and `Stalled` (a person must act).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
}

impl Default for LicenseSeatsStatus {
    fn default() -> Self {
        Self {
            observed_generation: UNOBSERVED,
            satisfied_generation: None,
            satisfied_wish: None,
            record_of: None,
            summary: None,
            selector: no_pods(),
            account: None,
            desired: None,
            seats: None,
            used: None,
            used_is_lower_bound: None,
            free: None,
            limit: None,
            limited: None,
            billed: None,
            capabilities: Vec::new(),
            license: None,
            plan: None,
            last_plan: None,
            approval: None,
            agreed_seats: None,
            sizing: None,
            next_window: None,
            window: None,
            activity: None,
            intent: None,
            may_bill: None,
            history: Vec::new(),
            effective: None,
            last_observed_at: None,
            operator: None,
            last_handled_reconcile_at: None,
            conditions: Vec::new(),
        }
    }
}

/// The object and account that a status was recorded for.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordOf {
    /// uid of the object.
    pub uid: String,

    /// The account, `host/id`.
    pub account: String,

    /// A hash of the seats or license keys that `spec` asked for when the object first saw the account. No seats are lowered and no
    /// license key is removed for it. Absent once the account was in sync, or once `spec` asks for other seats or license keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_wish: Option<String>,
}

/// A vendor account, without anything secret.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// The kind of vendor, as in `spec.vendor`.
    pub vendor: String,

    /// The API host that the operator uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,

    /// The account's identifier at the vendor (Bitwarden: the organization id), once a reading with accepted credentials has
    /// shown it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// Values in force after defaults.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Effective {
    /// How often the vendor is read.
    pub interval: String,

    /// What is counted: `PasswordManager`, `SecretsManager` or `MachineAccounts` at Bitwarden, `LicenseKeys` at Immuta.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,

    /// The most purchased seats, and the highest limit, that a change may end at: the smaller one of `spec.guardrails.maxSeats` and the
    /// installer's `--max-seats`. Absent: the vendor's own bounds alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_seats: Option<i32>,

    /// The largest step upwards of one change: the smaller one of `spec.guardrails.maxIncrease` and the installer's
    /// `--max-increase`. Absent: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_increase: Option<i32>,
}
