//! Seats that the vendor may bill and does not show. Called by `decision`.

use super::decision::{Decision, Situation, Verdict};
use super::{Numbers, quantity};
use crate::api::{Intent, IntentPhase, MayBill};

/// A person's confirmation after checking the bill. It differs from the word that sends the same change again.
pub(super) fn checked(may: &MayBill) -> String {
    format!("bill-{}", may.id)
}

/// The number that the vendor may bill and does not show. It is the target of a change that the vendor refused twice without a
/// reason, of a change whose outcome was not known when the spec was edited, or of a change that the vendor took back and whose old
/// numbers the spec now asks for. It stays in the status until the billed number is shown, another change is made, or a
/// person confirms it.
pub(super) fn may_bill(s: &Situation<'_>, decision: &Decision) -> Option<MayBill> {
    let account = s.seen.account_key();
    let of = |id: &str, target: Numbers| MayBill { id: id.to_owned(), account: account.clone(), seats: target.seats };
    let opaque = |intent: &&Intent| {
        intent.phase == IntentPhase::Rejected && intent.refused.is_none() && intent.step.key().is_none()
    };
    let refused = decision.intent.as_ref().filter(opaque).filter(|intent| intent.account == account);
    let accepted = matches!(decision.verdict, Verdict::InSync | Verdict::Observed(None));
    let taken_back = s.seen.numbers().filter(|_| accepted).and_then(|now| quantity::taken_back(s, now));
    let dropped = s.intent.filter(|open| {
        let unknown = open.is_open() || matches!(open.phase, IntentPhase::WithoutEffect | IntentPhase::NeedsReview);
        let sought = unknown && open.account == account && open.step.key().is_none();
        sought && decision.intent.is_none() && s.seen.numbers() != Some(open.target())
    });
    let new = refused.or(dropped).map(|intent| of(&intent.id, intent.target()));
    let new = new.or_else(|| taken_back.map(|change| of(&change.id, change.target())));
    let known = new.or_else(|| s.may_bill.cloned())?;
    let shown = s.seen.numbers().is_some_and(|now| now.seats == known.seats);
    let billed = s.seen.billed.is_some() && !s.seen.billed_is_old;
    let told = shown || billed || decision.applied.is_some() || s.confirms(&checked(&known));
    (known.account != account || !told).then_some(known)
}
