//! Drift: how a change from outside is noticed, `spec.driftPolicy` Report, the end of repeated corrections, and the condition `Drifted`.

use jiff::SignedDuration;

use super::approval::{Consent, consent};
use super::condition::{ConditionStatus, Conditions, kind, reason};
use super::decision_conditions::{Told, numbers};
use super::gates::{Hold, HoldKind, Wanted};
use super::protocol::Open;
use super::quantity::taken_back;
use super::wanted_change::Settle;
use super::{LimitGoal, Numbers, Situation, ready_message, status_column};
use crate::api::{Change, DriftPolicy, Intent, IntentPhase, Trigger};

/// After this many corrections of changes from outside within a day, Seatkeeper stops fighting.
const MAX_CORRECTIONS_A_DAY: usize = 2;

/// The numbers that Seatkeeper set last or saw in sync, if others changed them. `last`: our last change of this account.
pub(super) fn drifted(
    s: &Situation<'_>,
    now: Numbers,
    wanted: Numbers,
    open: &Open,
    last: Option<&Change>,
) -> Option<Numbers> {
    let made = last.filter(|last| s.asked_for(last));
    // Seatkeeper never set the numbers of an account that was in sync from the start. Its change is external too.
    let in_sync = s.satisfied.then_some(wanted).filter(|_| s.desired.sizing.is_none());
    let followed = s.desired.in_sync_with(now).filter(|_| s.satisfied && open.applied.is_none());
    let set = followed.or(made.map(|made| made.step.target())).or(in_sync).or(last.map(|last| last.step.target()));
    // The vendor still bills a change that it reverted. If the bill equals the shown numbers, a person set the old
    // numbers. The time of the repeat is the same either way.
    let by_person = set.is_some_and(|set| set.seats != now.seats) && s.seen.bills_what_it_shows();
    set.filter(|set| *set != now && (taken_back(s, now).is_none() || by_person))
}

/// Where `spec.driftPolicy` is Report, a change from outside is reported and not corrected.
pub(super) fn reported(s: &Situation<'_>, wanted: &Wanted<'_>) -> Vec<Hold> {
    let change = wanted.change;
    let drift = s.desired.drift == DriftPolicy::Report && change.reason == Trigger::ExternalChange;
    // If the vendor shows a change twice, a person decides. If a row is missing once, the list may lack it.
    let comes_first = match &change.settle {
        Settle::Review(_) => true,
        Settle::Wait(_) => change.drifted.is_none(),
        Settle::Done | Settle::Late(_) => false,
    };
    // Approving the plan that is shown applies it.
    let approved = matches!(consent(s, change), Consent::Approved { of_plan: true, .. });
    if !drift || comes_first || approved {
        return vec![];
    }
    let message =
        "spec.driftPolicy is Report: edit spec to what you want, or set driftPolicy to Correct to have it corrected";
    vec![Hold::of(HoldKind::DriftReported, message.into())]
}

/// After a few corrections of changes from outside Seatkeeper stops.
pub(super) fn repeated(s: &Situation<'_>, wanted: &Wanted<'_>) -> Vec<Hold> {
    let corrects = wanted.change.reason == Trigger::ExternalChange;
    if corrects && corrections_today(s) >= MAX_CORRECTIONS_A_DAY {
        return vec![Hold::of(HoldKind::Contest, "repeated external changes; Seatkeeper stopped correcting".into())];
    }
    vec![]
}

/// Corrections of changes from outside within the last day, for this very wish. The count begins anew with another wish.
fn corrections_today(s: &Situation<'_>) -> usize {
    let day = SignedDuration::from_hours(24);
    s.history
        .iter()
        .filter(|change| change.reason == Trigger::ExternalChange && s.asked_for(change))
        .filter(|change| s.now.duration_since(change.time.0).abs() < day)
        .count()
}

/// Sets `Drifted`. `history`: recorded changes, newest first.
pub(super) fn say_drift(conditions: &mut Conditions, told: &Told<'_>, history: &[Change]) {
    let Told { desired, seen, decision, .. } = *told;
    let vendor = desired.pool.vendor.name;
    let made = |intent: &&Intent| intent.phase == IntentPhase::MadeElsewhere && intent.account == seen.account_key();
    if let Some(intent) = decision.intent.as_ref().filter(made) {
        let grows = matches!(desired.limit, LimitGoal::UpTo(_));
        let message = ready_message::made_elsewhere(vendor, intent, seen, grows);
        conditions.say(kind::DRIFTED, ConditionStatus::True, reason::ANOTHER_SEATKEEPER, message);
        return;
    }
    if let Some(lost) = &decision.lost {
        conditions.say(kind::DRIFTED, ConditionStatus::True, reason::EXTERNAL_CHANGE, format!("{lost} at {vendor}"));
    }
    if let Some(set) = decision.drifted {
        let (before, shown) = (status_column::numbers(set), status_column::numbers(numbers(seen)));
        let message = if history.first().is_some_and(|last| last.step.target() == set) {
            format!("{vendor} was changed from outside: Seatkeeper last set {before}, now it shows {shown}")
        } else {
            format!("{vendor} was changed from outside: it showed {before} as declared, now it shows {shown}")
        };
        conditions.say(kind::DRIFTED, ConditionStatus::True, reason::EXTERNAL_CHANGE, message);
    }
}
