//! A suspended object changes nothing. Requests that were sent before are still read back.

use super::{Hold, HoldKind, Wanted};
use crate::domain::Situation;

pub(super) fn gate(s: &Situation<'_>, _: &Wanted<'_>) -> Vec<Hold> {
    let message = || "spec.suspend is true: nothing is sent until it is false".to_owned();
    s.desired.suspended.then(|| Hold::of(HoldKind::Suspended, message())).into_iter().collect()
}
