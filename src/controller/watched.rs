//! What the watch delivers and the cache keeps of each object: enough to know that there is something to look at.
//!
//! The apiserver sends metadata alone, and of that only what is needed is kept.

use std::borrow::Cow;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::Deserialize;

use super::metadata::needed;
use crate::api::LicenseSeats;

/// The metadata of a `LicenseSeats`, as far as the controller needs it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Watched {
    #[serde(deserialize_with = "needed")]
    pub metadata: ObjectMeta,
}

impl Resource for Watched {
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
