//! Approval of a change: what needs an approval, the approval itself, and what is recorded of it. Doc comments are the
//! manual of `kubectl explain`.

// Several print columns look like one attribute given twice.
#![allow(clippy::duplicated_attributes)]

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::step::{self, Step};

/// Which changes need a `SeatApproval`.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[x_kube(validation = Rule::new("has(self.increaseAbove) || has(self.decreaseAbove)")
    .message("spec.approval is empty: set increaseAbove, decreaseAbove, or both; or remove approval"))]
#[serde(rename_all = "camelCase")]
pub struct ApprovalPolicy {
    /// An increase of more seats than this needs an approval; 0: each one does. So does one that ends more than this above
    /// `status.agreedSeats`, so that no large step is made in slices. A higher limit counts from the purchased seats, and the seats
    /// of a license key are not known before it is added: it always needs one. Absent: none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = i32::MAX))]
    pub increase_above: Option<i32>,

    /// A decrease of more seats than this needs an approval; 0: each one does. Absent: none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = i32::MAX))]
    pub decrease_above: Option<i32>,
}

/// An approval or a denial of a change of a LicenseSeats object in the same namespace.
///
/// The right to `create seatapprovals` is the right to approve. The spec cannot be changed. Deleting the approval before the change
/// takes it back. Seatkeeper writes nothing to it; `status.approval` of the LicenseSeats names the one that was used.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "seatkeeper.dev",
    version = "v1alpha1",
    kind = "SeatApproval",
    plural = "seatapprovals",
    singular = "seatapproval",
    category = "licensing",
    namespaced,
    derive = "PartialEq",
    doc = "An approval or a denial of a change of a LicenseSeats object in the same namespace.",
    printcolumn(name = "LicenseSeats", type_ = "string", json_path = ".spec.licenseSeatsRef.name"),
    printcolumn(name = "Decision", type_ = "string", json_path = ".spec.decision"),
    printcolumn(name = "Plan", type_ = "string", json_path = ".spec.planId"),
    printcolumn(name = "Up-To", type_ = "integer", json_path = ".spec.upTo"),
    printcolumn(name = "Limit-Up-To", type_ = "integer", json_path = ".spec.limitUpTo"),
    printcolumn(name = "Valid-Until", type_ = "string", json_path = ".spec.validUntil"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[x_kube(validation = Rule::new("self == oldSelf")
    .message("the spec of a SeatApproval is immutable: delete it and create another")
    .reason(Reason::FieldValueForbidden))]
#[x_kube(validation = Rule::new("has(self.planId) != (has(self.upTo) || has(self.limitUpTo))")
    .message("a SeatApproval has either planId (status.plan.id of the LicenseSeats) or a bound: upTo, limitUpTo, or both"))]
#[x_kube(validation = Rule::new("has(self.planId) || has(self.validUntil)")
    .message("a SeatApproval without planId needs validUntil, or it would approve for ever: add a time such as 2026-12-31T00:00:00Z")
    .field_path(".validUntil"))]
#[x_kube(validation = Rule::new("!has(self.validUntil) || self.validUntil < timestamp('9999-12-30T00:00:00Z')")
    .message("spec.validUntil must be before 9999-12-30: use a time such as 2026-12-31T00:00:00Z")
    .field_path(".validUntil"))]
#[x_kube(validation = Rule::new("self.decision == 'Approved' || has(self.planId)")
    .message("a SeatApproval that denies names the plan: use planId (status.plan.id of the LicenseSeats)"))]
#[x_kube(validation = Rule::new("self.decision == 'Approved' || !has(self.applyNow) || !self.applyNow")
    .message("spec.applyNow goes with decision Approved alone: remove applyNow")
    .field_path(".applyNow"))]
#[serde(rename_all = "camelCase")]
pub struct SeatApprovalSpec {
    /// The LicenseSeats object in the same namespace.
    pub license_seats_ref: LicenseSeatsRef,

    /// `Approved` or `Denied`. Where two contradict each other, the denial counts.
    pub decision: ApprovalDecision,

    /// The plan that is approved or denied: `status.plan.id` of the LicenseSeats. A yes allows it once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub plan_id: Option<String>,

    /// Approves each increase that ends at no more purchased seats than this, and has no limit above `limitUpTo`, or `upTo` where that
    /// is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = i32::MAX))]
    pub up_to: Option<i32>,

    /// Approves each limit up to this. Without `upTo` it lets no seats be bought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = i32::MAX))]
    pub limit_up_to: Option<i32>,

    /// The approval counts before this time (RFC 3339, such as `2026-12-31T00:00:00Z`). Absent: until it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Time>,

    /// true: the change does not wait for its window either, and does not count in one. Mode `Never`, `suspend` and
    /// guard rails still hold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apply_now: Option<bool>,
}

/// A LicenseSeats object in the same namespace, by name.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LicenseSeatsRef {
    /// Its name.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$')")
        .message("must be the name of a LicenseSeats object: lower-case letters, digits, - and ., such as acme"))]
    pub name: String,
}

/// Yes or no.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ApprovalDecision {
    /// The change may be made.
    Approved,
    /// The change is held.
    Denied,
}

/// The approval under which a change was last requested.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalUsed {
    /// Name of the SeatApproval.
    pub name: String,

    /// The plan that it allowed.
    pub plan_id: String,

    /// Purchased seats after the change.
    pub to: i32,

    /// Limit after the change; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_to: Option<i32>,

    /// When it was used.
    pub time: Time,
}

/// The plan that was shown last, for its id: a `SeatApproval` names it. Do not edit it.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownPlan {
    /// How many plans this object has had. No number comes twice.
    pub number: i64,

    /// Its id: the number, and a hash that no other object's plan has.
    pub id: String,

    /// What it changes: the member `step`. The id stays while the change does not go further.
    #[serde(flatten, with = "step")]
    #[schemars(with = "step::Recorded")]
    pub step: Step,

    /// A hash of what it follows from: seats, limit, sizing, guard rails, adjustment and vendor of `spec`. An edit of one of these
    /// makes another plan.
    pub of: String,

    /// The plan is finished: its change was made, or is not wanted any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub spent: bool,
}
