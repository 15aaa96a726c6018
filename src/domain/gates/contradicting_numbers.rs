//! Numbers that contradict each other, though each may be true. A decrease and a difference wait until the numbers agree. A total
//! upwards, and a change of the limit alone, rest on none of them.

use super::{Hold, HoldKind, Wanted};
use crate::api::Step;
use crate::domain::Situation;

pub(super) fn gate(s: &Situation<'_>, wanted: &Wanted<'_>) -> Vec<Hold> {
    let support = &s.seen.rules.support;
    let lowers = wanted.target.seats < wanted.now.seats;
    let adds = support.adds(wanted.now, wanted.target);
    if !matches!(wanted.change.step, Step::Seats(_)) || !(lowers || adds) {
        return vec![];
    }
    let failing = support.cannot_lower.iter().filter(|_| lowers).cloned();
    let passes = s.seen.concern.as_ref().is_some_and(|fault| fault.remedy.may_pass());
    let of_the_key = if passes { HoldKind::KeyUnread } else { HoldKind::NumbersInDoubt };
    let failing = failing.map(|message| Hold::of(of_the_key.clone(), message));
    let contradictions = contradictions(s, wanted);
    let contradicted = (!contradictions.is_empty()).then(|| {
        let vendor = s.desired.pool.vendor.name;
        let (held, way) = match lowers {
            true => ("nothing is lowered", ""),
            false => ("nothing is added to them", ", or use credentials that set totals"),
        };
        format!(
            "{vendor} shows {}, and one of these numbers may be wrong: {held} until they agree. Correct them at {vendor}{way}",
            contradictions.join(", and ")
        )
    });
    failing.chain(contradicted.map(|message| Hold::of(HoldKind::NumbersInDoubt, message))).collect()
}

fn contradictions(s: &Situation<'_>, wanted: &Wanted<'_>) -> Vec<String> {
    let seats = wanted.now.seats;
    let used = s.seen.usage.count().filter(|used| *used > seats);
    let used = used.map(|used| format!("{used} seats in use beside {seats} purchased"));
    let limit = wanted.now.limit.filter(|limit| *limit < seats).map(|limit| {
        format!("a limit of {limit} below {seats} seats (declare {seats} seats with the limit that you want first)")
    });
    // Seats that are billed already cost nothing more, and Seatkeeper repeats a change of its own that is billed and not shown.
    let account = s.seen.account_key();
    let made = s.history.first().filter(|last| last.account == account).map(|last| last.target().seats);
    let asked = s.intent.filter(|intent| intent.account == account).map(|intent| intent.target().seats);
    let ours = |billed: i32| [made, asked].contains(&Some(billed));
    let healed = |billed: i32| billed == wanted.target.seats && (billed > seats || ours(billed));
    let billed = s.seen.billed.filter(|billed| *billed != seats && !healed(*billed));
    let billed = billed.map(|billed| format!("a bill for {billed} seats beside {seats} purchased"));
    [used, limit, billed].into_iter().flatten().collect()
}
