//! License keys: the Immuta part of `spec`, and what `status` remembers of each key. Never a key itself.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SecretRef;

/// The largest number of license keys of one tenant.
pub const MAX_KEYS: u32 = 20;

/// An Immuta tenant. Its seats come from license keys: the keys listed here are added to the tenant, and `spec.seats`
/// says how many seats they should total.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[x_kube(validation = Rule::new(
    "!has(self.licenseKeys) || self.licenseKeys.all(a, self.licenseKeys.exists_one(b, a.secretKeyRef == b.secretKeyRef))")
    .message("spec.vendor.immuta.licenseKeys names the same key of the same Secret twice: remove one of the two")
    .field_path(".licenseKeys"))]
#[x_kube(validation = Rule::new(
    "!has(self.prune) || !self.prune || (has(self.licenseKeys) && size(self.licenseKeys) > 0)")
    .message("spec.vendor.immuta.prune is true and licenseKeys is empty: that would remove every key; list the keys that should stay, or set prune to false")
    .field_path(".prune"))]
#[serde(rename_all = "camelCase")]
pub struct Immuta {
    /// The Secret with an API key of an application admin of the tenant. It lives in the same namespace, has the type
    /// `seatkeeper.dev/credentials`, and holds `apiKey` and `server` (https://host of the tenant); optionally `ca.crt`.
    pub credentials_secret_ref: SecretRef,

    /// The license keys that the tenant should have, at most 20. Each is added once and then recognized by what the tenant
    /// answered. Absent or empty: none is added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = MAX_KEYS))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub license_keys: Option<Vec<LicenseKeyEntry>>,

    /// true: Seatkeeper removes a key from the tenant that this object added and no longer lists, once the tenant shows
    /// all listed keys. It keeps the key if fewer seats than are used or wanted, no valid key, or one feature less
    /// would be left. Absent means false: nothing is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prune: Option<bool>,
}

/// One license key.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[x_kube(validation = Rule::new("!(self.secretKeyRef.key in ['server', 'ca.crt'])")
    .message("spec.vendor.immuta.licenseKeys[].secretKeyRef.key must not be server or ca.crt: they say where the license key may go; name the key of the Secret that holds the license key, such as licenseKey")
    .field_path(".secretKeyRef.key"))]
#[serde(rename_all = "camelCase")]
pub struct LicenseKeyEntry {
    /// Where the license key is: a Secret of the type `seatkeeper.dev/license-key` in the same namespace, and the key within
    /// it. The Secret also holds `server` (https://host of the tenant that the license key is for). The license key is sent
    /// only if `server` equals the `server` of the Secret that `credentialsSecretRef` names.
    pub secret_key_ref: SecretKeyRef,

    /// The row of the tenant that this key already has, where Seatkeeper cannot know it: another person or program
    /// added the key, or the record of it is lost. `kubectl get -o yaml` shows the rows under `status.license.keys`.
    /// The key is then not added, and `prune` may remove it later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopt: Option<KeyRow>,
}

/// A key within a Secret of the same namespace.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretKeyRef {
    /// Name of the Secret, in the namespace of the LicenseSeats.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$')")
        .message("must be the name of a Secret: lower-case letters, digits, - and ., such as immuta-2027"))]
    pub name: String,

    /// The key within the Secret's data, such as `licenseKey`.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = Rule::new("self.matches('^[-._a-zA-Z0-9]+$')")
        .message("must be a key of a Secret's data: letters, digits, -, _ and ., such as licenseKey"))]
    pub key: String,
}

impl SecretKeyRef {
    /// The path of the key, in the form `immuta-2027/licenseKey`.
    pub fn path(&self) -> String {
        format!("{}/{}", self.name, self.key)
    }
}

/// A row of the tenant's list of licenses.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyRow {
    /// The tenant's number of the row. A rebuilt tenant assigns the same numbers again, so it counts only with `uuid`.
    pub id: i64,

    /// The license's identifier, as Immuta shows it.
    #[schemars(length(min = 1, max = 100))]
    pub uuid: String,
}

/// What is known of one license key: wanted, at the tenant, or both. Never the key itself.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyRecord {
    /// Where the key came from; absent for keys that this object does not list and did not add.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_key_ref: Option<SecretKeyRef>,

    /// Tells this key from others without showing it: a keyed hash that only this object can compare.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,

    /// The tenant's number of the row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<i64>,

    /// The license's identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,

    /// The origin of the row: `Added` (by this object), `Adopted` (the spec names the row), `Found` (it is treated as
    /// this key's without proof that this object made it: never removed), `Foreign` (another owner's: never touched).
    /// Absent until there is a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<KeyOrigin>,

    /// Its state: `Active`, `Expired`, `Invalidated`, `Missing` (its row is gone from the list), `Pending` (not added
    /// yet), `Rejected` (the tenant refuses the key), `Unproven` (the tenant was asked twice to add it, and nothing
    /// proves the outcome: a person must check), `GivenUp` (a person has confirmed that its row is gone: it is added again),
    /// `AlreadyPresent` (the tenant has it, and Seatkeeper cannot tell which row it is), `Unreadable` (its Secret
    /// cannot be used), `Removed` (removed by this object and still listed).
    pub state: KeyState,

    /// User seats of this key. They may not simply add up: `status.seats` is the tenant's own total.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seats: Option<i32>,

    /// When it expires; absent if never, or not shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,

    /// Whether its end blocks (true) or only warns (false); known only for keys that this object added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hard_expiration: Option<bool>,

    /// Names of the features and data handlers that this key enables, where the tenant shows them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,

    /// With state `Unproven`: the requests whose outcome is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<KeyAsked>,
}

/// Requests to add a license key that brought no row.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyAsked {
    /// Names the question whether the key is there, made of the last request. A person who confirms this id lets the key be
    /// sent again.
    pub id: String,

    /// The outcome of each request, in Seatkeeper's words.
    pub heard: Vec<String>,
}

/// The origin of a row of the tenant.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyOrigin {
    /// Added by this object.
    Added,
    /// The spec says which row it is.
    Adopted,
    /// Taken for this key without proof that this object made it.
    Found,
    /// Outside Seatkeeper.
    Foreign,
}

/// The state of a license key.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyState {
    /// Listed by the tenant and in force.
    Active,
    /// Its time has passed.
    Expired,
    /// The vendor does not honor it any more.
    Invalidated,
    /// Its row is gone from the tenant's list.
    Missing,
    /// Not added yet.
    Pending,
    /// The tenant refuses the key.
    Rejected,
    /// The tenant was asked twice to add it, and nothing proves the outcome.
    Unproven,
    /// A person has confirmed that its row is gone.
    GivenUp,
    /// The tenant has the key, and Seatkeeper cannot tell which row it is.
    AlreadyPresent,
    /// Its Secret cannot be used.
    Unreadable,
    /// Removed by this object and still listed.
    Removed,
}

/// The owner of these records: fingerprints of another object, and rows of another tenant, prove nothing.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeysOf {
    /// uid of the object that made the fingerprints.
    pub object_uid: String,

    /// The tenant of the rows.
    pub account: String,
}
