//! What must be seen first. A change that the vendor took back, or a row that is gone at once: seen twice before anything
//! follows from it. The last change of ours: over with its late effects before the next one leaves.

use super::{Hold, HoldKind, Wait, WaitedFor, Wake, Wanted};
use crate::domain::Situation;
use crate::domain::ladder::Settle;

pub(super) fn gate(_: &Situation<'_>, wanted: &Wanted<'_>) -> Vec<Hold> {
    match &wanted.change.settle {
        Settle::Done | Settle::Late(_) => vec![],
        Settle::Wait(wait @ Wait { left, .. }) => {
            let kind = HoldKind::Settle(WaitedFor(wait.clone()));
            vec![Hold { kind, message: String::new(), wake: Wake::After(*left) }]
        }
        Settle::Review(change) => vec![Hold::of(HoldKind::Review(change.clone()), String::new())],
    }
}

/// The late effects of the last change may still come.
pub(super) fn late(s: &Situation<'_>, wanted: &Wanted<'_>) -> Vec<Hold> {
    let Settle::Late(wait @ Wait { left, .. }) = &wanted.change.settle else { return vec![] };
    let message = format!(
        "{} may still write late effects of the last change: the next change follows after them",
        s.desired.pool.vendor.name
    );
    vec![Hold { kind: HoldKind::LateEffects(WaitedFor(wait.clone())), message, wake: Wake::After(*left) }]
}
