//! `spec.approval` and `SeatApproval`: a change waits for a person's yes, and a no holds it.

use super::{Hold, HoldKind, Wanted};
use crate::domain::Situation;
use crate::domain::approval::{Consent, consent, shown, why_none_covers};
use crate::domain::windows::is_first_repeat;

pub(super) fn gate(s: &Situation<'_>, wanted: &Wanted<'_>) -> Vec<Hold> {
    // Most changes need no yes: an id is asked for where a message names it.
    let id = || shown(s, &wanted.change.step).map_or_else(String::new, |plan| plan.id);
    match consent(s, wanted.change) {
        // The protocol's first repeat of a request is the same change: it passed already. A person may still deny it.
        Consent::Needed(_) | Consent::Unread(_) if is_first_repeat(s, wanted.change) => vec![],
        Consent::Unread(why) => vec![Hold::of(HoldKind::ApprovalsUnread, why)],
        Consent::Needed(why) => {
            let others: String = why_none_covers(s, &wanted.change.step).iter().map(|why| format!(". {why}")).collect();
            let message = format!(
                "{why}: create a SeatApproval in this namespace with planId {}, or edit spec to ask for less{others}",
                id()
            );
            vec![Hold::of(HoldKind::Approval, message)]
        }
        Consent::Denied(name) => {
            let message = format!(
                "SeatApproval {name} denies plan {}: delete that SeatApproval to have the change made (the right to delete \
                 seatapprovals decides who can), or edit spec to another wish",
                id()
            );
            vec![Hold::of(HoldKind::Denied, message)]
        }
        Consent::NotNeeded | Consent::Approved { .. } => vec![],
    }
}
