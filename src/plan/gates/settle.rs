//! What must be seen first. A change that the vendor took back, or a row that is gone at once: seen twice before anything
//! follows from it. The last change of ours: over with its late effects before the next one leaves.

use super::{Hold, HoldKind, Wait, WaitedFor, Wake, Wanted};
use crate::plan::Situation;
use crate::plan::ladder::Settle;

pub(super) fn gate(s: &Situation<'_>, wanted: &Wanted<'_>) -> Vec<Hold> {
    match &wanted.change.settle {
        Settle::Done => vec![],
        Settle::Wait(wait @ Wait { left, .. }) => {
            let kind = HoldKind::Settle(WaitedFor(wait.clone()));
            vec![Hold { kind, message: String::new(), wake: Wake::After(*left) }]
        }
        Settle::Late(wait @ Wait { left, .. }) => {
            let message = format!(
                "{} may write the row of the last change once more: the next change follows when that is over",
                s.desired.pool.vendor.name
            );
            vec![Hold { kind: HoldKind::LateEffects(WaitedFor(wait.clone())), message, wake: Wake::After(*left) }]
        }
        Settle::Review(change) => vec![Hold::of(HoldKind::Review(change.clone()), String::new())],
    }
}
