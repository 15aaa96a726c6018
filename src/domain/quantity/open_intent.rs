//! Judges an open change of seats and limit by the numbers that the vendor shows.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::another_seatkeeper::{is_over, made_elsewhere};
use super::refused_change::asks_anew;
use super::taken_back::taken_back;
use crate::api::{Change, Intent, IntentPhase, SeatsStep, Step};
use crate::domain::outcome::applied;
use crate::domain::protocol::{Open, State, Wait, settling, wait_of};
use crate::domain::retry_pause::pause_after;
use crate::domain::two_readings::second_reading;
use crate::domain::{Numbers, Situation};

/// This many answers without a reason and without an effect are a refusal.
const REFUSED_AFTER: i32 = 2;

/// Judges the recorded intent against what the vendor shows.
pub(super) fn judge(s: &Situation<'_>, seen: Numbers) -> Open {
    let Some(intent) = &s.recorded() else {
        let made = made_elsewhere(s, seen);
        return made.map_or_else(Open::free, |made| Open::keep(&made, State::Free { attempt: 1 }));
    };
    let edited = s.edited_since(intent);
    let foreign = intent.account != s.seen.account_key();
    let confirmed = s.confirms(&intent.id);
    match intent.phase {
        // The credentials may belong to another account only for a moment, so the record stays until another one replaces it.
        IntentPhase::WithoutEffect | IntentPhase::NeedsReview | IntentPhase::Rejected | IntentPhase::MadeElsewhere
            if foreign =>
        {
            Open::keep(intent, State::Free { attempt: 1 })
        }
        IntentPhase::MadeElsewhere if is_over(s, intent) => Open::free(),
        IntentPhase::MadeElsewhere => Open::keep(intent, State::Free { attempt: 1 }),
        IntentPhase::WithoutEffect if edited => Open::free(),
        IntentPhase::WithoutEffect if seen == intent.target() => Open::done(applied(intent, s.now)),
        IntentPhase::WithoutEffect => repeat(intent, seen),
        IntentPhase::NeedsReview => {
            if edited || confirmed {
                Open::free()
            } else if seen == intent.target() {
                Open::done(applied(intent, s.now))
            } else {
                Open::keep(intent, State::Review)
            }
        }
        IntentPhase::Rejected if edited => Open::free(),
        // The refused requests stay counted, because the wait for the next request covers their late effects.
        IntentPhase::Rejected if confirmed || asks_anew(s, intent, seen) => {
            Open::again(intent, step(seen, intent.target()))
        }
        IntentPhase::Rejected => Open::keep(intent, State::Rejected),
        IntentPhase::Settling => match settling(s, intent) {
            Some(left) => Open::wait(intent, Wait { visible: true, ..left }),
            None => Open::free(),
        },
        IntentPhase::Open | IntentPhase::Unanswered | IntentPhase::Answered => doubt(s, intent, seen, edited, foreign),
    }
}

fn doubt(s: &Situation<'_>, intent: &Intent, seen: Numbers, edited: bool, foreign: bool) -> Open {
    let answered = intent.phase == IntentPhase::Answered;
    let waiting = settling(s, intent);
    if foreign {
        // The other account can no longer be read. Once no request can be in flight there, it does not matter.
        return waiting.map_or_else(Open::free, |left| Open::wait(intent, left));
    }
    if seen == intent.target() {
        // The visible target ends the doubt at once, but a request without an answer may still be running.
        return match waiting.filter(|_| !answered) {
            None => Open::done(applied(intent, s.now)),
            Some(left) => {
                let visible = State::Wait(Wait { visible: true, ..left });
                let applied = Some(applied(intent, s.now));
                Open { applied, ..Open::turn(intent, IntentPhase::Settling, visible) }
            }
        };
    }
    if let Some(left) = waiting.or_else(|| second_reading(s, wait_of(intent), seen)) {
        return Open::wait(intent, left);
    }
    if !seen.is_between(intent.base(), intent.target()) {
        // An edit from before the review is no answer to it.
        Open::turn(&s.asked_anew(intent), IntentPhase::NeedsReview, State::Review)
    } else if edited {
        Open { applied: part_applied(intent, seen, s.now), ..Open::free() }
    } else if intent.attempt > 1 && taken_back(s, seen).is_some() {
        // The repeated change was made and taken back. An answer is a refusal. Without an answer, the vendor may bill a number that
        // it does not show.
        if answered {
            Open::turn(intent, IntentPhase::Rejected, State::Rejected)
        } else {
            Open::turn(&s.asked_anew(intent), IntentPhase::NeedsReview, State::Review)
        }
    } else {
        let told = Intent { answered: intent.answered.saturating_add(i32::from(answered)), ..intent.clone() };
        if told.answered >= REFUSED_AFTER {
            Open::turn(&told, IntentPhase::Rejected, State::Rejected)
        } else {
            let pause = SignedDuration::try_from(pause_after(s, intent)).unwrap_or_default();
            let next_try = (!pause.is_zero()).then(|| s.now.saturating_add(pause).map(Time).ok()).flatten();
            Open { applied: part_applied(intent, seen, s.now), ..repeat(&Intent { next_try, ..told }, seen) }
        }
    }
}

/// The request again, from the shown numbers.
fn repeat(intent: &Intent, seen: Numbers) -> Open {
    Open::repeat(intent, step(seen, intent.target()))
}

fn step(from: Numbers, to: Numbers) -> Step {
    Step::Seats(SeatsStep { from: from.seats, to: to.seats, limit_from: from.limit, limit_to: to.limit })
}

/// The part of a change that was made.
fn part_applied(intent: &Intent, seen: Numbers, now: Timestamp) -> Option<Change> {
    let part = Intent { step: step(intent.base(), seen), ..intent.clone() };
    (seen != intent.base()).then(|| applied(&part, now))
}

/// The open intent once nothing is left to change. A request without effect is closed. A refusal is closed with the second reading
/// that shows its target, and then counts as made: if the vendor falls back, no third request follows.
pub(super) fn nothing_left(s: &Situation<'_>, seen: Numbers, open: Open) -> Open {
    let Some(intent) = open.intent.as_ref().filter(|intent| intent.account == s.seen.account_key()) else {
        return open;
    };
    match intent.phase {
        IntentPhase::WithoutEffect => Open { intent: None, ..open },
        IntentPhase::Rejected => match second_reading(s, wait_of(intent), seen) {
            Some(left) => Open { state: State::Wait(Wait { visible: true, ..left }), ..open },
            None if seen == intent.target() => Open::done(applied(intent, s.now)),
            None => Open { intent: None, ..open },
        },
        _ => open,
    }
}
