//! The change of a decision as it is published and recorded: its plan, its intent, and when the one follows the other.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::approval::{Consent, consent, shown};
use super::decision::Situation;
use super::protocol::{digest, intent_id};
use super::two_readings;
use super::wanted_change::Move;
use super::windows::{Passage, kept_place, passage};
use crate::api::{Change, Intent, IntentPhase, Plan, Step, Trigger};

/// The longest time between publishing and sending a difference.
const LONGEST_SPREAD: Duration = Duration::from_secs(5);

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
        // What the list showed meanwhile belongs to the intent.
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

/// How long after its publishing a plan is sent. A difference adds to whatever is there, so two installations that do not know of
/// each other must not send one at the same moment: the second reads what the first has done.
pub(super) fn spread(s: &Situation<'_>, plan: &Plan) -> Duration {
    if plan.step.key().is_some() || !s.seen.rules.support.adds(plan.step.base(), plan.step.target()) {
        return Duration::ZERO;
    }
    let chance = plan
        .basis
        .iter()
        .flat_map(|basis| basis.bytes())
        .fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()))
        % 1000;
    LONGEST_SPREAD.min(s.timing.pause) * chance / 1000
}
