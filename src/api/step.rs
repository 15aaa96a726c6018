//! What one change changes, as plan, intent and history record it: seats and limit together, or one license key.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::SecretKeyRef;

/// What one request changes at the vendor.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Step {
    /// Seats and limit are set together.
    Seats(SeatsStep),
    /// A license key is added.
    AddKey(KeyStep),
    /// The row of a license key is removed.
    RemoveKey(KeyStep),
}

/// Seats and limit, before and after.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SeatsStep {
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
}

/// A license key that is added, or whose row is removed.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyStep {
    /// Seats of the account before.
    pub from: i32,

    /// Seats of the account after, as far as they are known: an addition shows its seats only afterwards.
    pub to: i32,

    /// The key, where the spec lists it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_key_ref: Option<SecretKeyRef>,

    /// Fingerprint of the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,

    /// The numbers of the rows that were there when it was decided: the new row of an addition is none of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub present: Vec<i64>,

    /// Of an addition: the seats that the account counted when it was decided, and that none of those rows explained. The list
    /// may have lacked a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unexplained: Option<i32>,

    /// The row's number, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<i64>,

    /// The license's identifier, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,

    /// Of an addition: the outcomes of its requests so far that prove nothing, in Seatkeeper's words, the first request
    /// first. `no answer` means that the answer was lost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heard: Vec<String>,
}

/// A step as a record holds it: `step`, or the members of former versions.
#[derive(JsonSchema, Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Recorded {
    /// What is changed. Exactly one member is there: `seats` (seats and limit), `addKey` or `removeKey` (a license key).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    step: Option<Step>,

    /// Written by former versions, which had no `step`: purchased seats before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<i32>,

    /// Written by former versions, which had no `step`: purchased seats after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<i32>,

    /// Written by former versions, which had no `step`: limit before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    limit_from: Option<i32>,

    /// Written by former versions, which had no `step`: limit after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    limit_to: Option<i32>,

    /// Written by former versions, which had no `step`: the license key that was added or removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    license_key: Option<FormerKeyStep>,
}

/// A license key as former versions recorded it.
#[derive(JsonSchema, Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FormerKeyStep {
    /// `Add` or `Remove`.
    action: FormerAction,

    /// The key, where the spec listed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret_key_ref: Option<SecretKeyRef>,

    /// Fingerprint of the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fingerprint: Option<String>,

    /// The numbers of the rows that were there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    present: Vec<i64>,

    /// The row's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<i64>,

    /// The license's identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uuid: Option<String>,
}

/// What former versions did with a license key.
#[derive(JsonSchema, Clone, Copy, Debug, Serialize, Deserialize)]
enum FormerAction {
    /// It was added.
    Add,
    /// Its row was removed.
    Remove,
}

impl Recorded {
    /// The step, whichever version recorded it.
    fn step(self) -> Result<Step, &'static str> {
        let Self { step, from, to, limit_from, limit_to, license_key } = self;
        match (step, from, to) {
            (Some(step), ..) => Ok(step),
            (None, Some(from), Some(to)) => Ok(former(SeatsStep { from, to, limit_from, limit_to }, license_key)),
            (None, ..) => Err("it has no step"),
        }
    }
}

fn former(seats: SeatsStep, key: Option<FormerKeyStep>) -> Step {
    let Some(FormerKeyStep { action, secret_key_ref, fingerprint, present, id, uuid }) = key else {
        return Step::Seats(seats);
    };
    let SeatsStep { from, to, .. } = seats;
    let step =
        KeyStep { from, to, secret_key_ref, fingerprint, present, unexplained: None, id, uuid, heard: Vec::new() };
    match action {
        FormerAction::Add => Step::AddKey(step),
        FormerAction::Remove => Step::RemoveKey(step),
    }
}

/// Writes a step as the member `step` of its record.
pub(super) fn serialize<S: Serializer>(step: &Step, serializer: S) -> Result<S::Ok, S::Error> {
    Recorded { step: Some(step.clone()), ..Recorded::default() }.serialize(serializer)
}

/// Reads a step, whichever version recorded it.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Step, D::Error> {
    Recorded::deserialize(deserializer)?.step().map_err(serde::de::Error::custom)
}
