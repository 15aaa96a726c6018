//! Two readings that agree: which changes need them, what must be the same in both, and the gate that waits for the second. The
//! first reading publishes the plan, and its id is made of that reading. The second reading sends the plan. Called by `decision`.

use std::time::Duration;

use super::gates::{Hold, HoldKind, WaitedFor, Wake, Wanted};
use super::protocol::{Wait, WaitFor};
use super::wanted_change::{Move, Settle};
use super::{LimitGoal, Numbers, Situation, Usage};
use crate::api::{Intent, IntentPhase, PlanBlock, Step};

/// Whether a change is sent only under a plan that another reading published. Every change is, except for a repeat with a total that
/// two readings have just allowed.
pub(super) fn must_be_published(s: &Situation<'_>, change: &Move) -> bool {
    // A repeat that was held is as old as its hold, and one wrong reading may be the cause that a refused change is requested again.
    let old = |intent: &Intent| matches!(intent.phase, IntentPhase::WithoutEffect | IntentPhase::Rejected);
    change.attempt == 1 || s.intent.is_some_and(old) || needs_two(s, &change.step)
}

/// Whether another reading published this plan as due, and this reading allows to send it because it has all that the change rests
/// on. A plan that rests on an earlier reading, or that waited until now, is published once more, and the next reading is made for
/// the change.
pub(super) fn is_published(s: &Situation<'_>, plan: &str) -> bool {
    s.published == Some(plan) && !s.seen.billed_is_old && !has_waited(s)
}

/// Whether the recorded plan waits for something that may end for two installations at one moment: a window, an approval that both
/// have, another pool of the account, or the pause after a request without effect. At that moment they must not both send a
/// difference. A hold that applies only to a due plan, such as another object's open change, does not count: the plan would be
/// published again and again.
fn has_waited(s: &Situation<'_>) -> bool {
    let ends = |block: &PlanBlock| {
        matches!(block, PlanBlock::Window | PlanBlock::Approval | PlanBlock::OtherPool | PlanBlock::Retry)
    };
    s.calendar.planned.is_some_and(|plan| plan.blocked_by.iter().any(ends))
}

/// Whether more than the numbers must be the same in both readings. That applies to a change that gives seats back, to a difference,
/// and to a change that follows the vendor's own purchases.
fn needs_two(s: &Situation<'_>, step: &Step) -> bool {
    match step {
        Step::AddKey(_) => false,
        Step::RemoveKey(_) => true,
        Step::Seats(_) => {
            let (from, to): (Numbers, Numbers) = (step.base(), step.target());
            to.seats < from.seats
                || matches!(s.desired.limit, LimitGoal::UpTo(_))
                || s.seen.rules.support.adds(from, to)
        }
    }
}

/// The facts on which a change rests beside its own numbers, for the id of its plan: a different reading makes another plan.
pub(super) fn grounds(s: &Situation<'_>, step: &Step) -> Vec<String> {
    if !needs_two(s, step) {
        return Vec::new();
    }
    let number = |n: Option<i32>| n.map_or_else(|| "-".to_owned(), |n| n.to_string());
    let exact = matches!(s.seen.usage, Usage::Exact(_)).to_string();
    let list = s.seen.keys().map(super::KeyRing::sight);
    [room(s, step), exact, number(s.seen.billed)].into_iter().chain(list).collect()
}

/// Whether the use is above the seats before the change, and above those after it. How many are in use beyond that does not matter:
/// people come and go, and each change of theirs would make another plan.
fn room(s: &Situation<'_>, step: &Step) -> String {
    let above = |used: i32| [step.base(), step.target()].map(|numbers| used > numbers.seats);
    s.seen.usage.count().map_or_else(|| "-".to_owned(), |used| format!("{:?}", above(used)))
}

/// After the settle time two readings with a pause between them must agree.
pub(super) fn second_reading(s: &Situation<'_>, what: WaitFor, seen: Numbers) -> Option<Wait> {
    let first = s.elapsed.filter(|e| e.wait == what).and_then(|e| e.settled).filter(|(numbers, _)| *numbers == seen);
    let left = s.timing.pause.saturating_sub(first.map_or(Duration::ZERO, |(_, ago)| ago));
    (first.is_none() || !left.is_zero()).then_some(Wait { what, left, settled: true, visible: false })
}

/// Two readings must show that the vendor took a change back, or that a row is gone, before Seatkeeper acts on it.
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
