//! The message of `Ready`: the sentence of a decision, and the additions from the numbers.

use std::cmp::Ordering;

use super::condition::{ConditionStatus, Conditions, kind};
use super::decision_conditions::{Told, above_ceiling, may_bill, numbers};
use super::delayed_reading_message::UNSENT;
use super::may_bill::checked;
use super::quantity::made_twice::doubled;
use super::standby::{activates, standing_by};
use super::{Decision, Hold, LimitGoal, Snapshot, Verdict, keys, status_column};
use crate::api::{CONFIRM, Change, Intent, IntentPhase, LicenseSeatsStatus};

/// Sets `Ready`: the sentence of the decision or of the license, and the additions from the numbers. Returns the reason and the message.
pub(super) fn say_ready(
    conditions: &mut Conditions,
    status: &LicenseSeatsStatus,
    told: &Told<'_>,
    (ready, why, mut message): (ConditionStatus, &'static str, String),
) -> (&'static str, String) {
    let vendor = told.desired.pool.vendor.name;
    if let Some(billed) = status.billed {
        let way = if brings(told.decision, &status.history) == Some(billed) {
            ", as many as the change brings".to_owned()
        } else {
            format!(": ask {vendor} to correct one of the two")
        };
        message = format!("{message}; {billed} are billed{way}");
    }
    if let Some(may) = may_bill(told) {
        message = format!(
            "{message}. {vendor} may bill {} seats, which it does not show: check the bill, then annotate {CONFIRM}={}, which \
             sends nothing",
            may.seats,
            checked(may)
        );
    }
    if let Some(size) = told.desired.size_words() {
        message = format!("{message}; {size}");
    }
    if let Some((_, above)) = above_ceiling(told) {
        message = format!("{message}; {above}");
    }
    if let Some(differs) = keys::used_differs(status.license.as_ref(), status.used) {
        message = format!("{message}; {differs}");
    }
    if let Some(odd) = told.seen.keys().and_then(|ring| ring.odd(told.desired.pool.vendor.account)) {
        message = format!("{message}; {odd}");
    }
    if told.decision.verdict == Verdict::InSync {
        message.push_str(&activates(told.decision));
    }
    // Readings go on, so nothing else would say it.
    if let Some(why) = &told.decision.unsent {
        message = format!("{message}{UNSENT}{why}");
    }
    conditions.say(kind::READY, ready, why, &message);
    (why, message)
}

/// The target of a change that is about to be made, or whose outcome is not known yet. `history`: recorded changes, newest first.
fn brings(decision: &Decision, history: &[Change]) -> Option<i32> {
    let open = || decision.intent.as_ref().map(|intent| intent.target()).or(history.first().map(Change::target));
    let numbers = match &decision.verdict {
        Verdict::Publish | Verdict::Change(_) | Verdict::Held(_) => Some(decision.plan.as_ref()?.step.target()),
        Verdict::Doubt => open(),
        _ => None,
    };
    numbers.map(|numbers| numbers.seats)
}

/// The message of `Ready`.
pub(super) fn ready(told: &Told<'_>, change: &str, history: &[Change]) -> String {
    let Told { desired, seen, decision, .. } = *told;
    let (vendor, numbers) = (desired.pool.vendor.name, numbers(seen));
    let intent = decision.intent.as_ref();
    match &decision.verdict {
        Verdict::InSync => format!("{vendor} shows {}", status_column::numbers(numbers)),
        Verdict::Standby(standby) => standing_by(vendor, seen, decision, standby),
        Verdict::Observed(_) if seen.numbers().is_none() => {
            format!("{vendor} shows no number of seats; managementPolicy is Observe")
        }
        Verdict::Observed(_) => {
            format!("{vendor} shows {}; managementPolicy is Observe", status_column::numbers(numbers))
        }
        Verdict::Publish | Verdict::Change(_) => format!("{change} at {vendor}"),
        Verdict::Held(holds) => held(holds, change),
        Verdict::Doubt => {
            let what = match intent {
                Some(i) => {
                    format!("The outcome of the change to {} is not known yet", status_column::numbers(i.target()))
                }
                None if decision.drifted.is_some() => format!(
                    "A person or program set {vendor} back to {}. {vendor} bills that number. Seatkeeper corrects it once",
                    status_column::numbers(numbers)
                ),
                None => format!("{vendor} took the last change back, and may bill it all the same"),
            };
            format!("{what}. No further request is sent until {vendor} has been read again after the settle time")
        }
        Verdict::Rejected => intent.map_or_else(String::new, |intent| refused(vendor, intent)),
        Verdict::NeedsReview => {
            let grows = matches!(desired.limit, LimitGoal::UpTo(_));
            intent.map_or_else(String::new, |i| review(vendor, i, seen, history, grows))
        }
        Verdict::Conflict => format!(
            "{vendor} was changed from outside again, after Seatkeeper corrected it twice within a day. Seatkeeper stops until \
             spec.seats or spec.limit is edited or a day has passed. Find the source of the changes"
        ),
        Verdict::Lacking(lack) => lack.message.clone(),
        Verdict::Unsupported(why) => why.clone(),
    }
}

/// A change that the vendor refuses: what happened, and what to do.
fn refused(vendor: &str, intent: &Intent) -> String {
    let why = intent
        .refused
        .as_ref()
        .map_or_else(|| format!("and does not say why: {}", perhaps(intent)), |why| format!("because {why}"));
    let comma = if intent.refused.is_some() { "," } else { "" };
    format!(
        "{vendor} refused the change to {}{comma} {why}. Mend that, then edit spec.seats or spec.limit, or annotate {CONFIRM}={} to \
         have it sent again",
        status_column::numbers(intent.target()),
        intent.id
    )
}

/// Causes for which a vendor may refuse a change without an explanation.
fn perhaps(intent: &Intent) -> String {
    let first = match intent.target().seats.cmp(&intent.base().seats) {
        Ordering::Less => "this key may not see every seat in use",
        Ordering::Equal => "the plan may not allow this limit",
        Ordering::Greater => "the plan may not allow this number of seats",
    };
    format!("{first}, the payment or the subscription may be at fault, or a provider may manage the account")
}

fn held(holds: &[Hold], change: &str) -> String {
    let message: Vec<&str> = holds.iter().map(|hold| hold.message.as_str()).collect();
    format!("{change} not made: {}", message.join("; "))
}

/// The message for an account that changed by exactly the planned change before Seatkeeper had sent it.
pub(super) fn made_elsewhere(vendor: &str, intent: &Intent, seen: &Snapshot, grows: bool) -> String {
    let (from, to) = (intent.base(), intent.target());
    let itself =
        if grows { format!(", or by {vendor} itself, which may buy seats up to the limit") } else { String::new() };
    let since = seen
        .numbers()
        .filter(|seen| *seen != to)
        .map_or_else(String::new, |seen| format!(" Since then it was moved to {}.", status_column::numbers(seen)));
    format!(
        "{vendor} moved from {} to {} before Seatkeeper sent exactly that change: it was made perhaps by another Seatkeeper, in \
         another cluster, or by a person{itself}.{since} Seatkeeper corrects and repeats nothing until you decide or a day has passed: \
         find out which, and give the account to one Seatkeeper alone (spec.activeCluster). Then edit spec.seats or spec.limit to the \
         number that you want, or keep the spec and annotate the object with {CONFIRM}={}",
        status_column::numbers(from),
        status_column::numbers(to),
        intent.id
    )
}

/// The message for a change that needs review. `history`: recorded changes, newest first; `grows`: the vendor may buy by itself.
fn review(vendor: &str, intent: &Intent, seen: &Snapshot, history: &[Change], grows: bool) -> String {
    if intent.phase == IntentPhase::MadeElsewhere {
        return made_elsewhere(vendor, intent, seen, grows);
    }
    let bills_shown = seen.bills_what_it_shows();
    let seen = seen.numbers().unwrap_or(intent.target());
    let made = |last: &Change| last.account == intent.account && last.target() == intent.target();
    let explained = if doubled(intent.base(), intent.target()) == Some(seen.seats) {
        let itself =
            if grows { format!(", or {vendor} itself, which may buy seats up to the limit") } else { String::new() };
        format!(
            "{vendor} should show {} and shows {}, as if the same change had been made twice: perhaps by another Seatkeeper, in \
             another cluster, or a person{itself}. Nothing is corrected and nothing is sent until you decide: find out which, \
             and give the account to one Seatkeeper alone",
            status_column::numbers(intent.target()),
            status_column::numbers(seen)
        )
    } else if seen.seats != intent.target().seats && bills_shown && history.first().is_some_and(made) {
        format!(
            "{vendor} made the change to {}. Then a person or program set it back to {}, and {vendor} bills that number. Nothing is sent \
             until you decide: find the source of that reset",
            status_column::numbers(intent.target()),
            status_column::numbers(seen)
        )
    } else if seen != intent.target() && history.first().is_some_and(made) {
        format!(
            "{vendor} made the change to {}, took it back, and after a repeat shows {} again: it may bill {} seats while \
             it shows {}. Nothing is sent until you decide: ask {vendor} for the billed seats",
            status_column::numbers(intent.target()),
            status_column::numbers(seen),
            intent.target().seats,
            seen.seats
        )
    } else {
        format!(
            "{vendor} should show {} or still {}, and shows {}: either the change was made and {vendor} was changed from outside \
             too, or it was changed from outside alone. Nothing is sent until you decide: check the account",
            status_column::numbers(intent.target()),
            status_column::numbers(intent.base()),
            status_column::numbers(seen)
        )
    };
    format!(
        "{explained}, then edit spec.seats or spec.limit to the number that you want, or keep the spec and annotate the object with \
         {CONFIRM}={}: Seatkeeper then plans anew from the shown numbers, and requests the rest of the change",
        intent.id
    )
}
