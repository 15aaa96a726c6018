//! What the operator observed and is doing. Numbers that are not known are absent, never 0.
//!
//! `intent` and `history` are also the operator's only durable memory: the purchase protocol reads them back.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `observedGeneration` of an object that no operator has handled yet, so that nothing reads it as current.
pub const UNOBSERVED: i64 = -1;

fn unobserved() -> i64 {
    UNOBSERVED
}

/// What Seatkeeper observed at the vendor and what it is doing about it. A number that is not known is absent, never 0.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LicenseSeatsStatus {
    /// The generation of `spec` this status speaks about; -1 until the operator has handled the object.
    #[serde(default = "unobserved")]
    pub observed_generation: i64,

    /// One short sentence for people: the STATUS column of `kubectl get`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,

    /// The account the numbers belong to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,

    /// Purchased seats wanted by `spec`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired: Option<i32>,

    /// Purchased seats at the vendor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seats: Option<i32>,

    /// Seats that are taken. See `usedIsLowerBound`.
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

    /// The change that is wanted and not yet made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,

    /// The one change that is being made, written before the request is sent. Do not edit it: it is what keeps seats
    /// from being bought twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,

    /// The last changes made by Seatkeeper, newest first, at most 10.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    pub history: Vec<Change>,

    /// Values in force where `spec` is silent or was stretched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective: Option<Effective>,

    /// The last value of the annotation `seatkeeper.dev/reconcile-requested-at` that was handled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,

    /// What is true of the object now; each message says what to do. `Ready`: `InSync`, `Observed`, `Suspended`; or
    /// not: `Progressing`, `CredentialsInvalid`, `SpecInvalid`, `GuardrailViolated`, `VendorRejected`,
    /// `UnsupportedByVendor`, `Conflict`, `NeedsReview`; or Unknown: `ObservationStale`, `OutcomeUnknown`.
    /// `CredentialsValid` and `SeatShortage` say whether keys work and seats are short, once that is known;
    /// `ChangePending` (a wanted change is not made yet), `Drifted` (somebody else changed the vendor), `Reconciling`
    /// (work is going on) and `Stalled` (a person must act) only while true.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
}

impl Default for LicenseSeatsStatus {
    fn default() -> Self {
        Self {
            observed_generation: UNOBSERVED,
            summary: None,
            account: None,
            desired: None,
            seats: None,
            used: None,
            used_is_lower_bound: None,
            free: None,
            limit: None,
            limited: None,
            plan: None,
            intent: None,
            history: Vec::new(),
            effective: None,
            last_handled_reconcile_at: None,
            conditions: Vec::new(),
        }
    }
}

/// A vendor account, without anything secret.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// The kind of vendor, as in `spec.vendor`.
    pub vendor: String,

    /// The API host the operator talks to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,

    /// The account's identifier at the vendor (Bitwarden: the organization id).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// A wanted change.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// A hash of what the plan rests on: another spec or another observation makes another id.
    pub id: String,

    /// Purchased seats now.
    pub from: i32,

    /// Purchased seats wanted.
    pub to: i32,

    /// Limit now; absent when the vendor has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_from: Option<i32>,

    /// Limit wanted; absent when the vendor is to have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_to: Option<i32>,

    /// Why the change is wanted: `SpecDiffers` (the spec asks for other numbers than the vendor shows) or
    /// `ExternalChange` (somebody else moved the vendor away from what Seatkeeper last set and the spec still asks).
    pub reason: Trigger,

    /// What keeps the change from being made now, if anything: `Suspended`, `Guardrail` (it would cross `spec.guardrails`
    /// or go below the seats in use), `Vendor` (the vendor would refuse it, or these credentials cannot do it),
    /// `OutcomeUnknown` (an earlier change's outcome is not known yet).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocked_by: Vec<PlanBlock>,
}

/// Why a change is wanted.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trigger {
    /// The spec asks for other numbers than the vendor shows.
    SpecDiffers,
    /// The vendor was changed by somebody else since Seatkeeper's last change, away from what the spec asks.
    ExternalChange,
}

/// What keeps a change from being made.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlanBlock {
    /// `spec.suspend` is true.
    Suspended,
    /// It would cross `spec.guardrails`, or go below the seats in use.
    Guardrail,
    /// The vendor would refuse it, or these credentials cannot do it.
    Vendor,
    /// An earlier change's outcome is not known yet.
    OutcomeUnknown,
}

/// A change that is being made: the write-ahead record of the purchase protocol.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Intent {
    /// Names this one attempt; a repeat has another id.
    pub id: String,

    /// uid of the object that asked; an intent restored from a backup of another object is not this object's.
    pub object_uid: String,

    /// Generation of `spec` that asked.
    pub generation: i64,

    /// The account that is being changed, `host/id`.
    pub account: String,

    /// Purchased seats before.
    pub from: i32,

    /// Purchased seats after.
    pub to: i32,

    /// Limit before; absent when the vendor had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_from: Option<i32>,

    /// Limit after; absent when the vendor has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_to: Option<i32>,

    /// Seats in use when it was decided, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<i32>,

    /// 1 for the first request of a decision, 2 for its only repeat.
    pub attempt: i32,

    /// Why the change is made: `SpecDiffers` or `ExternalChange`.
    pub reason: Trigger,

    /// How far it got: `Open` (recorded; the request may or may not have been sent), `Answered` (a final answer that does
    /// not prove what was done), `Unanswered` (no answer; the request may still be running), `Settling` (the change is
    /// visible, but its request may still be running), `Rejected` (refused; not sent again until spec or usage changes),
    /// `NeedsReview` (the vendor shows neither the old nor the new numbers: a person must look).
    pub phase: IntentPhase,

    /// When it was decided.
    pub time: Time,
}

/// How far a change got.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum IntentPhase {
    /// Recorded; the request may or may not have been sent.
    Open,
    /// The vendor gave a final answer that does not prove what it did.
    Answered,
    /// The request was sent and no answer came: it may still be running.
    Unanswered,
    /// The change is visible, but its request may still be running: no further request until that is out of the question.
    Settling,
    /// Refused twice without effect: not sent again until the spec or the usage changes.
    Rejected,
    /// The vendor shows neither the old nor the new numbers: a person must look.
    NeedsReview,
}

/// A change Seatkeeper made.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// The intent it was made under.
    pub id: String,

    /// The account that was changed, `host/id`.
    pub account: String,

    /// Purchased seats before.
    pub from: i32,

    /// Purchased seats after.
    pub to: i32,

    /// Limit before; absent when the vendor had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_from: Option<i32>,

    /// Limit after; absent when the vendor has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_to: Option<i32>,

    /// Generation of `spec` that asked.
    pub generation: i64,

    /// Which attempt succeeded.
    pub attempt: i32,

    /// Why it was made: `SpecDiffers` or `ExternalChange`.
    pub reason: Trigger,

    /// When it was seen to be done.
    pub time: Time,
}

/// Values in force after defaults.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Effective {
    /// How often the vendor is read.
    pub interval: String,
}
