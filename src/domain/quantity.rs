//! Seats as a number that is set, together with its limit: judges their open change, and finds the next step.

mod another_seatkeeper;
pub(super) mod late_effects;
pub(super) mod made_twice;
mod open_intent;
mod refused_change;
mod taken_back;

pub(super) use taken_back::taken_back;

use super::protocol::{Open, State, Wait};
use super::seat_limit::{protected, target};
use super::wanted_change::{Look, Move, Next, Rest, Settle};
use super::{Doubt, Numbers, Situation, drift, sizing};
use crate::api::{Change, Intent, IntentPhase, SeatsStep, Step, Trigger};

/// The clock of the last change of seats, if it must go on.
pub(super) fn late_clock(s: &Situation<'_>, applied: Option<&Change>) -> Option<Doubt> {
    late_effects::late_clock(s, applied.or(s.history.first())?)
}

/// Judges the open change and returns what is next, if nothing blocks it.
pub(super) fn look(s: &Situation<'_>, now: Numbers) -> Look {
    let mut open = open_intent::judge(s, now);
    // A change that the vendor took back looks like its own purchase, if the limit allows one. So does our last change made twice,
    // unless as many seats are in use: the vendor buys no more than those, so they stay in either case.
    let last = s.history.first().filter(|last| last.account == s.seen.account_key());
    let grown = taken_back(s, now).is_none() && made_twice::made_twice(s, last, now).is_none();
    let made = last.is_some_and(|last| s.asked_for(last));
    let wanted = target(s.desired, now, s.seen.usage, grown && (s.satisfied || made));
    if let State::Wait(wait @ Wait { visible: true, .. }) = &mut open.state {
        wait.visible = wanted == now;
    }
    if wanted != now && open.intent.as_ref().is_some_and(|intent| is_question(s, intent)) {
        open.state = State::Review;
    }
    let unknown = sizing::unknown(s);
    if wanted == now && unknown.is_none() {
        open = open_intent::nothing_left(s, now, open);
    }
    let meanwhile = protected(s.desired.limit, now, wanted).map(|target| Box::new(next(s, now, target, &open)));
    let next = match unknown {
        Some(lack) => Next::Rest(Rest::Lacking(lack)),
        None if wanted == now => Next::Rest(Rest::InSync),
        None => Next::Move(Box::new(next(s, now, wanted, &open))),
    };
    Look { open, next, meanwhile, wanted: Some(wanted).filter(|wanted| *wanted != now), license: None, lost: None }
}

/// Whether this account changed by exactly our own plan. Seatkeeper changes it no further before a person has decided who made the change.
fn is_question(s: &Situation<'_>, intent: &Intent) -> bool {
    intent.phase == IntentPhase::MadeElsewhere && intent.account == s.seen.account_key()
}

fn next(s: &Situation<'_>, now: Numbers, wanted: Numbers, open: &Open) -> Move {
    let taken_back = taken_back(s, now);
    let last = open.applied.as_ref().or(s.history.first()).filter(|last| last.account == s.seen.account_key());
    let made = last.filter(|last| s.asked_for(last));
    let drifted = drift::drifted(s, now, wanted, open, last);
    let by_others = drifted.is_some() && (made.is_some() || s.satisfied);
    // A request without effect is repeated only as it was.
    let again = open.intent.as_ref().filter(|_| open.repeat.as_ref().is_some_and(|step| step.target() == wanted));
    // A new target of the same wish is no first request: late effects of earlier ones may follow.
    let attempt = if let State::Free { attempt } = open.state { attempt } else { 1 };
    let (attempt, settle) = match taken_back {
        _ if made_twice::made_twice(s, last, now).is_some() => {
            (attempt, last.map_or(Settle::Done, |last| Settle::Review(Box::new(last.clone()))))
        }
        Some(last) => taken_back::repeat_after(s, last, now, attempt),
        None => {
            (attempt, last.and_then(|last| late_effects::late_effects(s, last, now)).map_or(Settle::Done, Settle::Late))
        }
    };
    Move {
        step: Step::Seats(SeatsStep {
            from: now.seats,
            to: wanted.seats,
            limit_from: now.limit,
            limit_to: wanted.limit,
        }),
        reason: match &s.desired.sizing {
            _ if by_others => Trigger::ExternalChange,
            Some(_) if made.is_some() || s.satisfied => Trigger::UseChanged,
            _ => Trigger::SpecDiffers,
        },
        attempt,
        answered: again.map_or(0, |intent| intent.answered),
        not_before: again.filter(|intent| !s.looked_since(intent)).and_then(|intent| Some(intent.next_try.as_ref()?.0)),
        drifted,
        settle,
        // The findings about a change that was taken back must outlast every wait. Otherwise they would have to be made anew.
        keeps_clock: taken_back.is_some(),
    }
}
