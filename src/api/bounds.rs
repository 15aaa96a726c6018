//! Bounds: the vendor's own limit, guard rails of each change, and the thresholds of warnings. Doc comments are the manual of
//! `kubectl explain`.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The vendor's own auto-scaling limit.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[x_kube(validation = Rule::new("self.mode != 'UpTo' || has(self.seats)")
    .message("spec.limit.mode UpTo needs spec.limit.seats: add limit.seats, or use mode Pinned to let the limit follow the seats"))]
#[x_kube(validation = Rule::new("self.mode == 'UpTo' || !has(self.seats)")
    .message("spec.limit.seats goes with mode UpTo alone: use mode UpTo, or remove limit.seats"))]
#[serde(rename_all = "camelCase")]
pub struct Limit {
    /// `Pinned`: the limit follows the purchased seats, so the vendor never buys by itself. `UpTo`: the vendor may buy
    /// up to `limit.seats`. `Unlimited`: no limit; at Bitwarden only an owner's key can set this, and not beside
    /// `guardrails.maxSeats`.
    pub mode: LimitMode,

    /// With mode `UpTo`: the largest number of seats the vendor may reach by itself, at least `spec.seats`; at Bitwarden
    /// at most 32767. Seats that it buys up to there stay; an edit of `seats` or `limit` gives back those that are free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = i32::MAX))]
    pub seats: Option<i32>,
}

/// `Pinned`: the limit follows the purchased seats, so the vendor never buys by itself. `UpTo`: the vendor may buy up to
/// `limit.seats`. `Unlimited`: no limit; at Bitwarden only an owner's key can set this.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LimitMode {
    /// The limit equals the purchased seats: the vendor never buys by itself.
    Pinned,
    /// The vendor may buy up to `limit.seats`.
    UpTo,
    /// The vendor may buy without end.
    Unlimited,
}

/// Bounds on every change.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[x_kube(validation = Rule::new("!has(self.minSeats) || !has(self.maxSeats) || self.minSeats <= self.maxSeats")
    .message("spec.guardrails.minSeats is above spec.guardrails.maxSeats: swap them, or correct one"))]
#[serde(rename_all = "camelCase")]
pub struct Guardrails {
    /// Never fewer purchased seats than this; at least 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = i32::MAX))]
    pub min_seats: Option<i32>,

    /// Upper bound for purchased seats; at least 1. Also rejects a higher limit, and mode `Unlimited`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = i32::MAX))]
    pub max_seats: Option<i32>,

    /// The largest step upwards of one change; at least 1. Raising a limit counts from the purchased seats, for the vendor may buy
    /// up to there. A larger step is held, and not cut into slices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = i32::MAX))]
    pub max_increase: Option<i32>,

    /// The largest step downwards of one change of the purchased seats; at least 1. A larger step is held. A limit may fall
    /// without it: that costs nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = i32::MAX))]
    pub max_decrease: Option<i32>,
}

/// When `SeatShortage` and the end of a license are reported. Either bound on seats alone is enough.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Thresholds {
    /// A shortage is reported when fewer seats than this are free; at least 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = i32::MAX))]
    pub free_seats: Option<i32>,

    /// A shortage is reported when less than this percentage of the purchased seats is free, 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub free_percent: Option<i32>,

    /// `LicenseValid` says `ExpiringSoon`, and an event is made, when the license ends within one of these Go-style durations,
    /// such as `720h`; at most 5. Absent means 720h and 168h. Licenses that renew by themselves do not end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 5), inner(length(max = 20)))]
    #[x_kube(validation = Rule::new(
        "self.all(d, d.matches('^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$') && !d.matches('^(0*h)?(0*m)?(0*s)?$'))")
        .message("spec.thresholds.expiry must hold durations above 0s: whole numbers with units, largest first, such as 720h"))]
    pub expiry: Option<Vec<String>>,
}
