//! A change that the vendor took back, or a row that is gone at once: seen twice before anything follows from it.

use super::{Hold, HoldKind, Wait, WaitedFor, Wake, Wanted};
use crate::plan::Situation;
use crate::plan::ladder::Settle;

pub(super) fn gate(_: &Situation<'_>, wanted: &Wanted<'_>) -> Vec<Hold> {
    match &wanted.change.settle {
        Settle::Done => vec![],
        Settle::Wait(wait @ Wait { left, .. }) => {
            let kind = HoldKind::Settle(WaitedFor(wait.clone()));
            vec![Hold { kind, message: String::new(), wake: Wake::After(*left) }]
        }
        Settle::Review(change) => vec![Hold::of(HoldKind::Review(change.clone()), String::new())],
    }
}
