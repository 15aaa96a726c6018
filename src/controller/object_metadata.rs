//! The data of each object that the watch delivers and the cache keeps: enough to know that an object needs a pass.
//!
//! The apiserver sends metadata alone, and the cache keeps only the needed part.

use std::borrow::Cow;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::Deserialize;

use super::lenient_metadata::needed;
use crate::api::LicenseSeats;

/// The metadata of a `LicenseSeats`, as far as the controller needs it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ObjectMetadata {
    #[serde(deserialize_with = "needed")]
    pub metadata: ObjectMeta,
}

impl Resource for ObjectMetadata {
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn metadata_api() -> bool {
        true
    }

    fn kind((): &()) -> Cow<'_, str> {
        LicenseSeats::kind(&())
    }

    fn group((): &()) -> Cow<'_, str> {
        LicenseSeats::group(&())
    }

    fn version((): &()) -> Cow<'_, str> {
        LicenseSeats::version(&())
    }

    fn plural((): &()) -> Cow<'_, str> {
        LicenseSeats::plural(&())
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::{CONFIRM, DIFFERS, FLUX_REQUESTED_AT, RECONCILE_REQUESTED_AT};
    use crate::fuzz_inputs::each_of;

    #[test]
    fn only_needed_metadata_of_watch_is_kept() {
        let object = json!({
            "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata",
            "metadata": {
                "name": "acme", "namespace": "it", "uid": "u", "resourceVersion": "7", "generation": 3,
                "creationTimestamp": "2026-10-01T08:00:00Z", "deletionTimestamp": null, "labels": { "a": "b" },
                "annotations": { CONFIRM: "0123456789ab", RECONCILE_REQUESTED_AT: "now", "other": "x" },
                "managedFields": [{ "manager": "kubectl", "operation": "Update", "fieldsV1": { "f:spec": {} } }],
            },
        });
        each_of(&[object], |bytes| {
            let Ok(ObjectMetadata { metadata }) = serde_json::from_slice(bytes) else { return false };
            let known = [CONFIRM, DIFFERS, FLUX_REQUESTED_AT, RECONCILE_REQUESTED_AT];
            let mut kept = metadata.annotations.iter().flat_map(|annotations| annotations.keys());
            assert!(kept.all(|key| known.contains(&key.as_str())), "{metadata:?}");
            assert!(metadata.managed_fields.is_none() && metadata.labels.is_none(), "{metadata:?}");
            true
        });
    }
}
