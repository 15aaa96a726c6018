//! Which cluster's Seatkeeper changes an account, as it is recorded.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Value of `spec.activeCluster` with which no cluster is active. No operator may have it as its name.
pub const NO_CLUSTER: &str = "none";

/// Whether this object is the one that changes the account, where `spec.activeCluster` is or was set.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Activity {
    /// `Standby` (another cluster is active, or none), `Activating` (it became active here, and waits before its first change) or
    /// `Active`.
    pub state: ActivityState,

    /// The cluster that `spec.activeCluster` named; absent where the field was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,

    /// uid of the object. An object restored from the record of another one becomes active anew.
    pub uid: String,

    /// When this state began.
    pub since: Time,

    /// With `Activating`: when the first change may be made, if two readings agree by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

/// Whether an object changes its account.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ActivityState {
    /// Another cluster is active, or none.
    Standby,
    /// It became active here, and waits before its first change.
    Activating,
    /// It has waited, and makes changes.
    Active,
}
