//! How many seats there should be, by their use. Doc comments are the manual of `kubectl explain`.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many seats there should be, by their use: the seats in use, and the headroom.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sizing {
    /// How many seats should be free.
    pub headroom: Headroom,

    /// The number of seats is a multiple of this, rounded up, before `guardrails` bound it; at least 1. Absent means 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 32767))]
    pub step: Option<i32>,

    /// How long fewer seats must have been enough before any are given back: a Go-style duration of 1h to 2160h. Absent means 336h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20))]
    #[x_kube(validation = Rule::new(
        "self.matches('^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$') && self != '' && duration(self) >= duration('1h') && duration(self) <= duration('2160h')")
        .message("spec.sizing.decreaseAfter must be a duration between 1h and 2160h: whole numbers with units, largest first, such as 336h"))]
    pub decrease_after: Option<String>,
}

/// How many seats should be free. With both members the larger one counts.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[x_kube(validation = Rule::new("has(self.seats) || has(self.percent)")
    .message("spec.sizing.headroom is empty: set seats, percent, or both"))]
#[serde(rename_all = "camelCase")]
pub struct Headroom {
    /// This many seats; at least 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = i32::MAX))]
    pub seats: Option<i32>,

    /// This percentage of the seats in use, rounded up; 0 to 1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1000))]
    pub percent: Option<i32>,
}

/// What sizing has made of the use.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SizingStatus {
    /// The account, `host/id`, whose use it is. That of another account counts for nothing.
    pub account: String,

    /// The seats in use that it followed last.
    pub used: i32,

    /// Seats that this use asks for, before `guardrails` bound them and before a higher use of the last `decreaseAfter` counts.
    /// `status.desired` has what follows.
    pub wanted: i32,

    /// What bounds the number of seats: `minSeats`, `maxSeats`, `maxIncrease`, `maxDecrease`, or `vendor` (it keeps no larger number).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clamped_by: Option<SizeBound>,

    /// Since when all of the use is followed. Absent while only a part of it is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,

    /// The purchased seats at that time. No use from before is known, so until `decreaseAfter` has passed they are not lowered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seats_then: Option<i32>,

    /// Higher uses of before, the highest first, at most 16. For `decreaseAfter` after its end, each keeps the purchased seats that it
    /// needs from being given back. None of them buys a seat.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub highest: Vec<PastUse>,

    /// The purchased seats with which the account was last in sync. Other seats come from outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_sync_with: Option<i32>,
}

/// A use of before.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PastUse {
    /// Seats that were in use.
    pub used: i32,

    /// When fewer were seen in use.
    pub until: Time,
}

/// What bounds a number of seats that follows from the use.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SizeBound {
    /// `spec.guardrails.minSeats`.
    MinSeats,
    /// `spec.guardrails.maxSeats`.
    MaxSeats,
    /// `spec.guardrails.maxIncrease`: the largest step of one change.
    MaxIncrease,
    /// `spec.guardrails.maxDecrease`: the largest step of one change.
    MaxDecrease,
    /// The largest number of seats that the vendor keeps.
    Vendor,
}
