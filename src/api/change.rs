//! A change of the vendor through its life: planned, recorded before it is sent, and remembered once made.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::PassedWindow;
use super::step::{self, Step};

fn is_zero(n: &i32) -> bool {
    *n == 0
}

/// A wanted change.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Its id, which a `SeatApproval` names: how many plans the object has had, and a hash. It stays while the change does not go
    /// further and `spec` asks for the same.
    pub id: String,

    /// A hash of what the plan rests on: another spec or another observation makes another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<String>,

    /// What is changed: the member `step`.
    #[serde(flatten, with = "step")]
    #[schemars(with = "step::Recorded")]
    pub step: Step,

    /// Why the change is wanted: `SpecDiffers` (the spec asks for other numbers than the vendor shows), `UseChanged` (the use of the
    /// seats has changed, and `spec.sizing` follows it), `ExternalChange` (the vendor was moved from outside, away from what
    /// Seatkeeper last set and the spec still asks), `Urgent` (one of the first two, and so few seats are free that it waits for
    /// no window), or `Applied` (a person had it made now, by a `SeatApproval` with `applyNow`).
    pub reason: Trigger,

    /// What keeps the change from being made now, if anything: `Suspended`, `Guardrail` (it would cross `spec.guardrails`
    /// or go below the seats in use), `Vendor` (the vendor would refuse it, or these credentials cannot do it),
    /// `OutcomeUnknown` (an earlier change's outcome is not known yet), `OtherPool` (another object of this account must
    /// change its pool first), `Conflict` (repeated external changes, or another object has the pool), `DriftReportedOnly` (the account was changed outside Seatkeeper, and
    /// `spec.driftPolicy` is `Report`), `Window` (it waits for a window of `spec.adjustment`, or its direction is switched off there),
    /// `Approval` (it waits for a `SeatApproval`, or one denies it), `Activation` (the object became active in this cluster, and waits
    /// before its first change), `FirstSight` (the object has no record of the account, and a person must agree), `NumbersInDoubt`
    /// (numbers of the vendor contradict each other, or a key that shows them fails), `LateEffects` (those of the last change may
    /// still come), `Retry` (earlier requests had no effect, and the next one waits for its time).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocked_by: Vec<PlanBlock>,

    /// No request of this plan is sent before this time, at which the next window for it opens. Absent where the plan
    /// waits for no window, and where it is not known when one opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Time>,

    /// The vendor's price of a period after the change. Seatkeeper asks for it once, where the change waits for a
    /// window or a person; Bitwarden shows it to an owner's key. Absent where the vendor does not show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
}

/// What a period of the account would cost after a change, as the vendor estimates it. No bill, and no part of what is approved.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Estimate {
    /// For a whole period and all seats of the account, tax included, such as `11520.00`. The vendor names no currency: it is that of
    /// the account's bills.
    pub total: String,

    /// The tax in `total`.
    pub tax: String,

    /// When the vendor was asked.
    pub as_of: Time,
}

/// Why a change is wanted.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trigger {
    /// The spec asks for other numbers than the vendor shows.
    SpecDiffers,
    /// The use of the seats has changed, and `spec.sizing` follows it.
    UseChanged,
    /// The vendor was changed from outside since Seatkeeper's last change, away from what the spec asks.
    ExternalChange,
    /// The spec asks for more seats, and so few are free that the change did not wait for its window.
    Urgent,
    /// A person had it made now: a `SeatApproval` with `applyNow`.
    Applied,
}

impl Trigger {
    /// The word for it in the status.
    pub fn word(self) -> &'static str {
        match self {
            Self::SpecDiffers => "SpecDiffers",
            Self::UseChanged => "UseChanged",
            Self::ExternalChange => "ExternalChange",
            Self::Urgent => "Urgent",
            Self::Applied => "Applied",
        }
    }
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
    /// Another object of this account must change its pool first.
    OtherPool,
    /// Repeated external changes.
    Conflict,
    /// The object has no record of the account yet: no seats are lowered and no license key is removed until a person agrees.
    FirstSight,
    /// Earlier requests had no effect: the next one waits for its time.
    Retry,
    /// The late effects of the last change may still come.
    LateEffects,
    /// Numbers of the vendor contradict each other, or a key that shows them fails.
    NumbersInDoubt,
    /// The account was changed outside Seatkeeper, and `spec.driftPolicy` is `Report`.
    DriftReportedOnly,
    /// It waits for a window of `spec.adjustment`, or its direction is switched off there.
    Window,
    /// It waits for a `SeatApproval`, or one denies it.
    Approval,
    /// The object became active in this cluster (`spec.activeCluster`), and waits before its first change.
    Activation,
}

/// A change that is being made: the write-ahead record of the purchase protocol.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Intent {
    /// Names this one attempt; a repeat has another id.
    pub id: String,

    /// uid of the object that the change was made for. The intent counts for another object too, as after a restore;
    /// only its fingerprints of license keys do not.
    pub object_uid: String,

    /// Generation of `spec` that asked.
    pub generation: i64,

    /// A hash of what `spec` asked of the account: pool, seats, limit, license keys. An edit of anything else leaves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wish: Option<String>,

    /// The account that is being changed, `host/id`.
    pub account: String,

    /// What is changed: the member `step`.
    #[serde(flatten, with = "step")]
    #[schemars(with = "step::Recorded")]
    pub step: Step,

    /// Seats in use when it was decided, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<i32>,

    /// 1 for the first request of a decision. A license key has one repeat; seats are requested again, with growing
    /// pauses, as long as the requests have no effect.
    pub attempt: i32,

    /// Requests of this decision that the vendor answered without a reason and without an effect. The second one counts as a
    /// refusal.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub answered: i32,

    /// Why the change is made: `SpecDiffers`, `UseChanged`, `ExternalChange`, `Urgent` or `Applied`.
    pub reason: Trigger,

    /// How far it got: `Open` (recorded; the request may or may not have been sent), `Answered` (a final answer that
    /// does not prove what was done), `Unanswered` (no answer; the request may still be running), `Settling` (the
    /// change is visible, but its request may still be running), `WithoutEffect` (it had no effect and is sent again as
    /// soon as nothing blocks it), `Rejected` (refused; not sent again until the wish or a Secret changes, fewer seats
    /// are in use, or a person asks), `NeedsReview` (the vendor shows neither the old nor the new numbers: a person
    /// must check), `MadeElsewhere` (the account moved by exactly this change before its request was sent; nothing of
    /// it is corrected or repeated).
    pub phase: IntentPhase,

    /// Why the vendor refuses, in Seatkeeper's words, where it is known: with phase `Rejected`, and with `Answered`
    /// where the refusal does not prove that nothing was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,

    /// With phase `WithoutEffect`: when the next request follows, if nothing blocks it. Absent: at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_try: Option<Time>,

    /// Value of the annotation `seatkeeper.dev/reconcile-requested-at` when it was decided. A new value asks once for
    /// another request of a change that had no effect or was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look: Option<String>,

    /// The window that let the request pass, and that counts it; absent where it needs none, of a repeat too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<PassedWindow>,

    /// Name of the `SeatApproval` that let the request pass, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<String>,

    /// When it was decided.
    pub time: Time,
}

/// A number that the vendor may bill and does not show.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MayBill {
    /// The intent of the change: the value of the confirming annotation that clears this.
    pub id: String,

    /// The account, `host/id`.
    pub account: String,

    /// Seats that may be billed.
    pub seats: i32,
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
    /// Two readings after the settle time show that it had no effect: it is sent again, under another id, as soon as
    /// nothing blocks it.
    WithoutEffect,
    /// Refused: not sent again until the wish or a Secret changes, fewer seats are in use, or a person asks.
    Rejected,
    /// The vendor shows neither the old nor the new numbers: a person must look.
    NeedsReview,
    /// The account moved by exactly this change before its request was sent: a person made it, or another Seatkeeper has the account.
    MadeElsewhere,
}

/// A change Seatkeeper made.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// The intent it was made under.
    pub id: String,

    /// The account that was changed, `host/id`.
    pub account: String,

    /// What is changed: the member `step`.
    #[serde(flatten, with = "step")]
    #[schemars(with = "step::Recorded")]
    pub step: Step,

    /// Generation of `spec` that asked.
    pub generation: i64,

    /// A hash of what `spec` asked of the account, as in `intent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wish: Option<String>,

    /// Which attempt succeeded.
    pub attempt: i32,

    /// Why it was made: `SpecDiffers`, `UseChanged`, `ExternalChange`, `Urgent` or `Applied`.
    pub reason: Trigger,

    /// Name of the window that let the request pass, if it needed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<String>,

    /// Name of the `SeatApproval` that let the request pass, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<String>,

    /// When the vendor showed it as made.
    pub time: Time,
}
