//! The plan of a change: the number and the id under which people approve it, how long it stays the same one, and the intent under which it
//! is sent.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::approval::{Consent, consent};
use super::change_direction::{covers, directions};
use super::decision::{Decision, Situation};
use super::protocol::{digest, intent_id};
use super::two_readings;
use super::wanted_change::Move;
use super::windows::{Passage, kept_place, passage};
use crate::api::{Change, Intent, IntentPhase, Plan, ShownPlan, Step, Trigger};

/// The wanted change, as the status shows it.
pub(super) fn plan(s: &Situation<'_>, change: &Move) -> Plan {
    let number = |n: Option<i32>| n.map_or_else(|| "-".to_owned(), |n| n.to_string());
    let mut words = vec![s.uid.to_owned(), s.generation.to_string(), s.seen.account_key()];
    match &change.step {
        Step::Seats(step) => {
            words.extend([step.from.to_string(), step.to.to_string(), number(step.limit_from), number(step.limit_to)]);
        }
        Step::AddKey(key) | Step::RemoveKey(key) => {
            let add = matches!(change.step, Step::AddKey(_));
            words.extend([
                if add { "add".to_owned() } else { "remove".to_owned() },
                key.fingerprint.clone().unwrap_or_default(),
                key.id.unwrap_or_default().to_string(),
                key.uuid.clone().unwrap_or_default(),
                key.present.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            ]);
        }
    }
    words.extend(two_readings::grounds(s, &change.step));
    let basis = digest(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let shown = shown(s, &change.step);
    let id = shown.map_or_else(|| basis.clone(), |shown| shown.id);
    let mut step = change.step.clone();
    if let Step::AddKey(key) | Step::RemoveKey(key) = &mut step {
        // The rows that the list showed meanwhile belong to the intent.
        key.present.clear();
        key.heard.clear();
        key.unexplained = None;
    }
    let same = |known: &&Plan| known.id == id && known.step.target().seats == step.target().seats;
    let known = s.calendar.planned.filter(same);
    let estimate = known.and_then(|known| known.estimate.clone());
    Plan { id, basis: Some(basis), step, reason: change.reason, blocked_by: Vec::new(), not_before: None, estimate }
}

/// The intent under which it is sent.
pub(super) fn intent(s: &Situation<'_>, basis: &str, change: &Move) -> Intent {
    let passage = passage(s, change);
    let (approval, applied) = match consent(s, change) {
        Consent::Approved { name, now, .. } => (Some(name), now),
        _ => (None, false),
    };
    let Move { step, reason, attempt, answered, not_before: _, drifted: _, settle: _, keeps_clock: _ } = change;
    Intent {
        id: intent_id(basis, *attempt, s.writer, s.now),
        object_uid: s.uid.to_owned(),
        generation: s.generation,
        wish: Some(s.desired.wish()),
        account: s.seen.account_key(),
        step: step.clone(),
        used: s.seen.usage.count(),
        attempt: *attempt,
        answered: *answered,
        reason: match passage {
            Passage::Urgent => Trigger::Urgent,
            _ if applied => Trigger::Applied,
            _ => *reason,
        },
        phase: IntentPhase::Open,
        refused: None,
        next_try: None,
        look: s.look.map(str::to_owned),
        window: match passage {
            Passage::Through(window) => Some(window),
            _ => kept_place(s.intent, *attempt, step).cloned(),
        },
        approval,
        time: Time(s.now),
    }
}

/// A change that was made, as a question to a person.
pub(super) fn review_of(change: &Change) -> Intent {
    let Change { id, account, step, generation, wish, attempt, reason, window: _, approval: _, time } = change.clone();
    Intent {
        id,
        object_uid: String::new(),
        generation,
        wish,
        account,
        step,
        used: None,
        attempt,
        answered: 0,
        reason,
        phase: IntentPhase::NeedsReview,
        refused: None,
        next_try: None,
        look: None,
        window: None,
        approval: None,
        time,
    }
}

/// The published plan: the last one while the change goes no further, otherwise a new one. `None`: a change that neither costs nor gives
/// back anything, such as a lower limit, needs no approval.
pub(super) fn shown(s: &Situation<'_>, step: &Step) -> Option<ShownPlan> {
    if !is_of_a_plan(step) {
        return None;
    }
    let of = digest(&[s.uid, &s.seen.account_key(), &s.desired.asked]);
    let mut step = step.clone();
    if let Step::AddKey(key) | Step::RemoveKey(key) = &mut step {
        // It does not depend on other rows.
        key.present.clear();
        key.heard.clear();
        key.unexplained = None;
    }
    let last = s.approvals.shown;
    if let Some(last) = last.filter(|last| !last.spent && last.of == of && goes_no_further(&last.step, &step)) {
        return Some(ShownPlan { step, ..last.clone() });
    }
    let number = last.map_or(0, |last| last.number).max(0).saturating_add(1);
    let hash = digest(&[s.uid, &number.to_string(), s.writer, &s.now.as_nanosecond().to_string()]);
    let short: String = hash.chars().take(6).collect();
    Some(ShownPlan { number, id: format!("{number}-{short}"), step, of, spent: false })
}

/// Whether a change stays within another one: the same way, not further, and not from further away.
fn goes_no_further(earlier: &Step, change: &Step) -> bool {
    let (before, now) = (earlier.base().seats, change.base().seats);
    let (up, down) = directions(change);
    let same_way = directions(earlier) == (up, down);
    let from_there = change.key().is_some() || (!up || now >= before) && (!down || now <= before);
    same_way && from_there && covers(earlier, change)
}

/// Whether a change is more than a lower limit.
pub(super) fn is_of_a_plan(step: &Step) -> bool {
    directions(step) != (false, false)
}

/// The plan that the status shows last from now on. It is finished if no change is wanted any more.
pub(super) fn last_plan(s: &Situation<'_>, decision: &Decision) -> Option<ShownPlan> {
    let over = decision.verdict.wants_nothing();
    let shown = decision.plan.as_ref().and_then(|plan| shown(s, &plan.step));
    shown
        .or_else(|| decision.last_plan.clone())
        .or_else(|| s.approvals.shown.map(|last| ShownPlan { spent: last.spent || over, ..last.clone() }))
}
