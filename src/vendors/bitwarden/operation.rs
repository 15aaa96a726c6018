//! What Bitwarden is asked for.

use super::VENDOR;
use super::error::BitwardenError;
use crate::vendors::error::Failure;
use crate::vendors::operation::{Operation, Operations, operations};

operations! {
    TOKEN: reads("token"),
    GET_SUBSCRIPTION: reads("get_subscription"),
    GET_MEMBERS: reads("get_members"),
    PUT_SUBSCRIPTION: writes("put_subscription"),
    GET_ORGANIZATIONS: reads("get_organizations"),
    GET_ORGANIZATION: reads("get_organization"),
    GET_METADATA: reads("get_metadata"),
    GET_DETAILS: reads("get_details"),
    GET_USERS: reads("get_users"),
    PREVIEW_INVOICE: reads("preview_invoice"),
    POST_SUBSCRIPTION: writes("post_subscription"),
}

/// Each with what may come of it.
pub(in crate::vendors) const OPERATIONS: Operations =
    Operations { vendor: VENDOR, all: ALL, failures: BitwardenError::LABELS };
