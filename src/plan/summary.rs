//! The STATUS column: one short phrase. Detail belongs into condition messages.

use jiff::Timestamp;

use super::numbers::doubled;
use super::shortage::Shortage;
use super::table::says;
use super::{Decision, Numbers, Verdict};
use crate::api::{CONFIRM, Change, Intent, MayBill};

/// The phrase for a decision. A shortage is told where nothing more urgent is to be said.
pub(super) fn summary(
    decision: &Decision,
    change: Option<&str>,
    shortage: Option<&Shortage>,
    may_bill: Option<&MayBill>,
) -> String {
    let calm = |text: &str| shortage.map_or_else(|| text.to_owned(), |s| format!("shortage: {}", s.message));
    let words = says(&decision.verdict).words;
    match &decision.verdict {
        Verdict::InSync | Verdict::Observed(None) => match may_bill {
            Some(may) => calm(&format!("{words}; may bill {}", may.seats)),
            None => calm(words),
        },
        Verdict::Observed(Some(wanted)) => calm(&format!("{words}; spec asks {}", wanted.seats)),
        Verdict::Publish | Verdict::Change(_) => format!("{} now", change.unwrap_or("change")),
        Verdict::Held(_) => format!("{}: {words}", change.unwrap_or("change")),
        Verdict::Rejected if decision.intent.as_ref().is_some_and(|intent| intent.refused.is_some()) => {
            "vendor refused".into()
        }
        Verdict::Lacking(lack) => lack.summary.clone(),
        Verdict::Doubt | Verdict::Rejected | Verdict::NeedsReview | Verdict::Conflict | Verdict::Unsupported(_) => {
            words.to_owned()
        }
    }
}

/// A change in a few words: `+50 seats`, `limit 170`, `-10 seats, limit 140`.
pub(super) fn change(from: Numbers, to: Numbers) -> String {
    let delta = i64::from(to.seats) - i64::from(from.seats);
    let seats = (delta != 0).then(|| format!("{delta:+} seat{}", if delta.abs() == 1 { "" } else { "s" }));
    let limit = (from.limit != to.limit).then(|| match to.limit {
        Some(limit) => format!("limit {limit}"),
        None => "no limit".to_owned(),
    });
    seats.into_iter().chain(limit).collect::<Vec<_>>().join(", ")
}

/// Numbers for people: `150 seats, limit 150`.
pub(super) fn numbers(n: Numbers) -> String {
    match n.limit {
        Some(limit) => format!("{} seats with limit {limit}", n.seats),
        None => format!("{} seats with no limit", n.seats),
    }
}

/// A day, for sentences.
pub(super) fn date(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

/// What a person must know to resolve a review. `history`: recorded changes, newest first.
pub(super) fn review(vendor: &str, intent: &Intent, seen: Numbers, history: &[Change]) -> String {
    let made = |last: &Change| last.account == intent.account && last.target() == intent.target();
    let explained = if doubled(intent.base(), intent.target()) == Some(seen.seats) {
        format!(
            "{vendor} should show {} and shows {}, as if the same change had been made twice: perhaps by another Seatkeeper, in \
             another cluster. Nothing is corrected and nothing is sent until you decide: give the account to one of them",
            numbers(intent.target()),
            numbers(seen)
        )
    } else if seen != intent.target() && history.first().is_some_and(made) {
        format!(
            "{vendor} made the change to {}, took it back, and after a repeat shows {} again: it may bill {} seats while \
             it shows {}. Nothing is sent until you decide: ask {vendor} what it bills",
            numbers(intent.target()),
            numbers(seen),
            intent.target().seats,
            seen.seats
        )
    } else {
        format!(
            "{vendor} should show {} or still {}, and shows {}: either the change was made and somebody else changed it \
             too, or somebody else changed it alone. Nothing is sent until you decide: look at the account",
            numbers(intent.target()),
            numbers(intent.base()),
            numbers(seen)
        )
    };
    format!(
        "{explained}, then edit spec.seats or spec.limit to what it should be, or keep the spec and annotate the object with \
         {CONFIRM}={}: Seatkeeper then plans anew from what is shown, and requests what the spec still asks",
        intent.id
    )
}
