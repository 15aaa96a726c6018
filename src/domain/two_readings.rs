//! Two readings that agree: which changes need them, what must be the same in both, and the gate that waits for the second. The first reading
//! publishes the plan, whose id is made of what it showed; the second sends it. Asked by `decision`.

use std::time::Duration;

use super::gates::{Hold, HoldKind, WaitedFor, Wake, Wanted};
use super::protocol::{Wait, WaitFor};
use super::wanted_change::{Move, Settle};
use super::{LimitGoal, Numbers, Situation, Usage};
use crate::api::{Intent, IntentPhase, PlanBlock, Step};

/// Whether a change is sent only under a plan that another reading published. Everything is, but a repeat that two readings
/// have just allowed and that says how many seats there should be.
pub(super) fn must_be_published(s: &Situation<'_>, change: &Move) -> bool {
    // A repeat that was held is as old as its hold, and what asks a refused one again may be one wrong reading.
    let old = |intent: &Intent| matches!(intent.phase, IntentPhase::WithoutEffect | IntentPhase::Rejected);
    change.attempt == 1 || s.intent.is_some_and(old) || needs_two(s, &change.step)
}

/// Whether another reading published this plan as due, and this one allows to send it: it has read all that the change rests on.
/// What was read before, or waited until now, is published once more, and the next reading is made for the change.
pub(super) fn is_published(s: &Situation<'_>, plan: &str) -> bool {
    s.published == Some(plan) && !s.seen.billed_is_old && !has_waited(s)
}

/// Whether the recorded plan waits for what may end for two installations at one moment: a window, an approval that both have,
/// another pool of the account, or the pause after a request without effect. They must not send at that moment what each of them adds. What is asked only of a plan that is
/// due, such as another object's open change, is not meant: it would be published again and again.
fn has_waited(s: &Situation<'_>) -> bool {
    let ends = |block: &PlanBlock| {
        matches!(block, PlanBlock::Window | PlanBlock::Approval | PlanBlock::OtherPool | PlanBlock::Retry)
    };
    s.calendar.planned.is_some_and(|plan| plan.blocked_by.iter().any(ends))
}

/// Whether more than the numbers must be the same in both readings: what gives seats back, what adds to whatever is there,
/// and what follows the vendor's own purchases.
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

/// What a change rests on beside its own numbers, for the id of its plan: another reading makes another plan.
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

/// A change that the vendor took back, or a row that is gone at once, is seen twice before anything follows from it.
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
