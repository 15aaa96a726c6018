//! `spec.approval` and `SeatApproval`: a change waits for a person's yes, and a no holds it.

use super::{Hold, HoldKind, Wanted};
use crate::domain::Situation;
use crate::domain::approval::{Consent, consent, shown, why_none_covers};
use crate::domain::windows::is_first_repeat;

pub(super) fn gate(s: &Situation<'_>, wanted: &Wanted<'_>) -> Vec<Hold> {
    let Some(plan) = shown(s, &wanted.change.step) else { return vec![] };
    let id = plan.id;
    match consent(s, wanted.change) {
        // The protocol's first repeat of a request is the same change: it passed already. A person may still deny it.
        Consent::Needed(_) if is_first_repeat(s, wanted.change) => vec![],
        Consent::Needed(why) => {
            let others: String = why_none_covers(s, &id).iter().map(|why| format!(". {why}")).collect();
            let message = format!(
                "{why}: create a SeatApproval in this namespace with planId {id}, or edit spec to ask for less{others}"
            );
            vec![Hold::of(HoldKind::Approval, message)]
        }
        Consent::Denied(name) => {
            let message = format!(
                "SeatApproval {name} denies plan {id}: delete that SeatApproval to have the change made (the right to delete \
                 seatapprovals decides who can), or edit spec to another wish"
            );
            vec![Hold::of(HoldKind::Denied, message)]
        }
        Consent::NotNeeded | Consent::Approved { .. } => vec![],
    }
}
