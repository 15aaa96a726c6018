//! The data of each `SeatApproval` that the watch delivers: its identity, and its object.

use std::borrow::Cow;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::Deserialize;
use serde_json::Value;

use super::lenient_metadata::needed;
use crate::api::SeatApproval;

/// A `SeatApproval`, read so that no malformed one breaks the whole list.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct WatchedApproval {
    #[serde(deserialize_with = "needed")]
    pub metadata: ObjectMeta,
    #[serde(default)]
    pub spec: Value,
}

impl Resource for WatchedApproval {
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        SeatApproval::kind(&())
    }

    fn group((): &()) -> Cow<'_, str> {
        SeatApproval::group(&())
    }

    fn version((): &()) -> Cow<'_, str> {
        SeatApproval::version(&())
    }

    fn plural((): &()) -> Cow<'_, str> {
        SeatApproval::plural(&())
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}
