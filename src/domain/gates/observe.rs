//! An object that only observes changes nothing.

use super::{Hold, HoldKind, Wanted};
use crate::api::ManagementPolicy;
use crate::domain::Situation;

pub(super) fn gate(s: &Situation<'_>, _: &Wanted<'_>) -> Vec<Hold> {
    match s.desired.policy {
        ManagementPolicy::Observe => vec![Hold::of(HoldKind::Observe, String::new())],
        ManagementPolicy::Manage => vec![],
    }
}
