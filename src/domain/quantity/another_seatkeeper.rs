//! An account that changed by exactly our own plan before Seatkeeper sent the request: a person made the change in that moment, or
//! another Seatkeeper has the account. Seatkeeper reports it, and corrects and repeats nothing of it before a person decides.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::api::{Intent, IntentPhase, ManagementPolicy, Plan, PlanBlock};
use crate::domain::protocol::{RECENT, WaitFor};
use crate::domain::windows::BEFORE_OPENING;
use crate::domain::{Numbers, Situation};

/// The plan that was about to be carried out, as a question to a person, if the account shows its target and no request of ours
/// explains that.
pub(super) fn made_elsewhere(s: &Situation<'_>, seen: Numbers) -> Option<Intent> {
    let plan = s.calendar.planned.filter(|plan| s.calendar.current && is_due(s, plan))?;
    let moved = plan.step.base() != plan.step.target() && plan.step.target() == seen;
    let manages = s.desired.policy == ManagementPolicy::Manage && s.desired.stands_by().is_none();
    if s.intent.is_some() || !moved || !manages || s.is_first_look() || is_ours(s, plan, seen) || s.confirms(&plan.id) {
        return None;
    }
    Some(Intent {
        id: plan.id.clone(),
        object_uid: s.uid.to_owned(),
        generation: s.generation,
        wish: Some(s.desired.wish()),
        account: s.seen.account_key(),
        step: plan.step.clone(),
        used: s.seen.usage.count(),
        attempt: 1,
        answered: 0,
        reason: plan.reason,
        phase: IntentPhase::MadeElsewhere,
        refused: None,
        next_try: None,
        look: s.look.map(str::to_owned),
        window: None,
        approval: None,
        time: Time(s.now),
    })
}

/// Whether the question is settled: the spec asks for something else, a person has answered, another cluster is active
/// by now, or a day has passed.
pub(super) fn is_over(s: &Situation<'_>, intent: &Intent) -> bool {
    let old = s.now.duration_since(intent.time.0).abs() >= RECENT;
    old || s.edited_since(intent) || s.confirms(&intent.id) || s.desired.stands_by().is_some()
}

/// Whether only the wait of an object that became active held the change, or a window that has just opened: two installations that
/// wait for that window send at the same time. People often make by hand a change that something else holds.
fn is_due(s: &Situation<'_>, plan: &Plan) -> bool {
    let opened = plan.not_before.as_ref().map(|opens| s.now.duration_since(opens.0));
    let opened = opened.is_some_and(|ago| !ago.is_negative() && ago.unsigned_abs() < BEFORE_OPENING);
    let ends = |block: &PlanBlock| *block == PlanBlock::Activation || opened && *block == PlanBlock::Window;
    plan.step.key().is_none() && plan.blocked_by.iter().all(ends) && !may_be_bought_by_vendor(s, plan)
}

/// Whether the vendor may have bought just these seats for people who joined, while the plan waited.
fn may_be_bought_by_vendor(s: &Situation<'_>, plan: &Plan) -> bool {
    let (from, to): (Numbers, Numbers) = (plan.step.base(), plan.step.target());
    let allowed = from.limit.is_none_or(|limit| limit >= to.seats);
    to.limit == from.limit
        && to.seats > from.seats
        && allowed
        && s.seen.usage.count().is_none_or(|used| used > from.seats)
}

/// Whether a request of this installation may explain what is shown: a change on record, one of another object of the account, whether
/// or not that is still there, or one that this process remembers although its record is gone.
fn is_ours(s: &Situation<'_>, plan: &Plan, seen: Numbers) -> bool {
    let account = s.seen.account_key();
    let recent = s.history.iter().filter(|change| s.now.duration_since(change.time.0).abs() < RECENT);
    let made = recent.filter(|change| change.account == account).any(|change| change.target() == seen);
    let remembered = s.elapsed.is_some_and(|elapsed| match &elapsed.wait {
        WaitFor::Request(id) | WaitFor::LateEffects(id) | WaitFor::TakenBack(id) => {
            *id != plan.id && s.history.iter().all(|change| change.id != *id)
        }
        WaitFor::SecondReading { .. } | WaitFor::Activation(_) | WaitFor::Missing(_) => false,
    });
    made || remembered || s.obstacle.is_some()
}
