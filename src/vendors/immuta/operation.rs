//! What Immuta is asked for.

use super::VENDOR;
use super::error::ImmutaError;
use crate::vendors::error::Failure;
use crate::vendors::operation::{Operation, Operations, operations};

operations! {
    TOKEN: reads("token"),
    GET_LICENSE_STATUS: reads("get_license_status"),
    GET_LICENSES: reads("get_licenses"),
    GET_LICENSE_USAGE: reads("get_license_usage"),
    ADD_LICENSE: writes("add_license"),
    DELETE_LICENSE: writes("delete_license"),
}

/// Each with what may come of it.
pub(in crate::vendors) const OPERATIONS: Operations =
    Operations { vendor: VENDOR, all: ALL, failures: ImmutaError::LABELS };
