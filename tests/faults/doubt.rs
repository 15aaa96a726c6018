//! Why nobody can tell what became of a change, and which end a case may have then. Knows nothing of the stage;
//! `tests/verdicts.rs` compiles it once more, to test it.

use vendor_sim::{Actor, LedgerEntry};

/// How a case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum End {
    InSync,
    Rejected,
    NeedsReview,
    /// A person must agree to lower something, or correct what contradicts itself.
    Held,
    /// Others undo it again and again, and it is left alone.
    Contested,
    /// It waits for the next window.
    Deferred,
}

/// Why nobody can tell what became of a change.
#[derive(Clone, Copy, Debug)]
pub struct Doubt {
    /// Somebody else changed the seats while it was open, and it was not made.
    pub open: bool,
    /// The vendor took back the repeat.
    pub taken_back: bool,
    /// The webhook of somebody else's change took back a change that was made: a third number is shown beside its bill.
    pub hidden: bool,
    /// Somebody else changed the seats before a change that was made was read back; `None`: beside the reading.
    pub unseen: Option<bool>,
}

impl Doubt {
    /// Whether a review would be in order.
    pub fn is_ambiguous(&self) -> bool {
        self.open || self.taken_back || self.unseen == Some(true)
    }

    /// Whether the webhook of somebody else's change alone excuses a review.
    pub fn is_excused_by_another(&self, end: End) -> bool {
        end == End::NeedsReview && self.hidden && !self.is_ambiguous()
    }

    /// Whether a deed of a person alone excuses that nobody is asked.
    pub fn is_answered(&self, end: End) -> bool {
        end != End::NeedsReview && self.is_ambiguous()
    }

    /// A person is asked exactly where nobody can tell; `answered`: a person's deed has answered it.
    pub fn is_in_order(&self, answered: bool, end: End) -> bool {
        let asked = end == End::NeedsReview;
        self.unseen.is_none()
            || (asked && (self.is_ambiguous() || self.is_excused_by_another(end)))
            || (!asked && (answered || !self.is_answered(end)))
    }
}

/// The last that happened to the row is that the webhook of a change without a request wrote it back, over a purchase that is
/// billed.
pub fn hidden_by_another(ledger: &[LedgerEntry]) -> bool {
    let of_another = |e: &LedgerEntry| e.who == Actor::Webhook && e.request.is_none();
    ledger.last().is_some_and(|e| of_another(e) && e.after.seats != e.billed_after.seats)
}

/// A webhook of one purchase has written its row over the other one's for good, and read by the other's webhook too. Both bills
/// stand: each who declares the account must be told what is billed.
pub fn is_hidden_and_told(ledger: &[LedgerEntry], told: &[Option<i32>]) -> bool {
    let last = ledger.last().filter(|entry| entry.who == Actor::Webhook);
    last.is_some_and(|last| told.iter().all(|told| told.is_some() && *told == last.billed_after.seats))
}

/// Whether one of two installations takes for the vendor's growth what both bought, where the vendor may grow by itself.
pub fn is_taken_for_growth(expected: End, may_grow: bool, ends: &[End]) -> bool {
    expected == End::NeedsReview && may_grow && ends.contains(&End::InSync)
}

/// Whether both installations ended as they must.
pub fn are_in_order(expected: End, may_grow: bool, ends: &[End]) -> bool {
    let taken = is_taken_for_growth(expected, may_grow, ends);
    ends.iter().all(|end| *end == expected || (taken && *end == End::InSync))
}
