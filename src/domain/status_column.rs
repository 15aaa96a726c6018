//! The STATUS column: short phrases, the worst first. Detail belongs into condition messages.

use jiff::Timestamp;

use super::condition_table::says;
use super::numbers::doubled;
use super::shortage::Shortage;
use super::{Decision, Hold, HoldKind, Numbers, Snapshot, Standby, Verdict, keys};
use crate::api::{CONFIRM, Change, Intent, IntentPhase, MayBill, Step};

/// What STATUS reports beside a decision.
#[derive(Clone, Copy)]
pub(super) struct Beside<'a> {
    pub shortage: Option<&'a Shortage>,
    /// Seats that are billed, where that is another number than is shown.
    pub billed: Option<i32>,
    pub may_bill: Option<&'a MayBill>,
    /// A payment is late.
    pub late: bool,
}

impl Beside<'_> {
    /// What hurts the users of the account now, or soon.
    fn harm(self) -> impl Iterator<Item = String> {
        let shortage = self.shortage.map(|s| format!("{SHORTAGE}{}", s.short));
        shortage.into_iter().chain(self.late.then(|| "payment late".to_owned()))
    }

    /// What is billed beside what is shown.
    fn bills(self) -> impl Iterator<Item = String> {
        let bills = self.billed.map(|billed| format!("bills {billed}"));
        bills.into_iter().chain(self.may_bill.map(|may| format!("may bill {}", may.seats)))
    }

    fn all(self) -> Vec<String> {
        self.harm().chain(self.bills()).collect()
    }

    /// A shortage replaces `words`, which report that all is in order.
    fn after(self, words: &[String]) -> Vec<String> {
        let words = if self.shortage.is_some() { &[] } else { words };
        words.iter().cloned().chain(self.all()).collect()
    }
}

/// The phrases for a decision, the worst first. They include `beside` where the decision is not more urgent.
pub(super) fn summary(decision: &Decision, change: Option<&str>, beside: Beside<'_>) -> Vec<String> {
    let words = says(&decision.verdict).words.to_owned();
    match &decision.verdict {
        Verdict::InSync | Verdict::Observed(None) => beside.after(&[words]),
        Verdict::Observed(Some(wanted)) => beside.after(&[words, format!("spec: {}", wanted.seats)]),
        Verdict::Standby(standby) => standing_by(standby, words, beside),
        Verdict::Publish | Verdict::Change(_) => vec![format!("{} now", change.unwrap_or("change"))],
        Verdict::Held(holds) => held(holds, change.unwrap_or("change"), &words, beside),
        Verdict::Lacking(lack) => [lack.summary.clone()].into_iter().chain(beside.all()).collect(),
        Verdict::Doubt => vec![words],
        // What was bought is not known, which is worse than too few seats.
        Verdict::NeedsReview => [words].into_iter().chain(beside.harm()).collect(),
        // What may be billed is in the sentence of a refusal.
        Verdict::Rejected => {
            let why = decision.intent.as_ref().is_some_and(|intent| intent.refused.is_some());
            beside.harm().chain([if why { "vendor refused".to_owned() } else { words }]).collect()
        }
        Verdict::Conflict | Verdict::Unsupported(_) => beside.harm().chain([words]).chain(beside.bills()).collect(),
    }
}

/// The longest STATUS, in characters: the other columns of `kubectl get -A` fit into 120 beside it.
const ROOM: usize = 36;

/// Stands before a shortage where there is room.
const SHORTAGE: &str = "shortage: ";

/// The column of these phrases, the worst first. Those that it has no room for are counted.
pub(super) fn column(phrases: &[String]) -> String {
    let fits = |text: &String| text.chars().count() <= ROOM;
    let whole = phrases.join("; ");
    if fits(&whole) {
        return whole;
    }
    let short: Vec<&str> = phrases.iter().map(|phrase| phrase.strip_prefix(SHORTAGE).unwrap_or(phrase)).collect();
    let short = match short.as_slice() {
        [first, rest @ ..] if !rest.is_empty() && *first == says(&Verdict::InSync).words => rest,
        all => all,
    };
    let cut = |shown| match short.split_at(shown) {
        (shown, []) => shown.join("; "),
        (shown, left) => format!("{}; +{} more", shown.join("; "), left.len()),
    };
    let first = || format!("{}{}", short.first().unwrap_or(&""), if short.len() > 1 { "…" } else { "" });
    (1..=short.len()).rev().map(cut).find(fits).unwrap_or_else(first)
}

/// The phrases for an object on standby. `standby` comes first, because a hand-over waits for it.
fn standing_by(standby: &Standby, words: String, beside: Beside<'_>) -> Vec<String> {
    let wanted = standby.wanted.map(|wanted| format!("spec: {}", wanted.seats));
    let open = standby.settles.then_some(words);
    let standby = format!("standby for {}", standby.active);
    [Some(standby), open, wanted].into_iter().flatten().chain(beside.all()).collect()
}

/// The phrases for a held change, after anything worse. For a window they have the time of the opening.
fn held(holds: &[Hold], change: &str, words: &str, beside: Beside<'_>) -> Vec<String> {
    if let Some(HoldKind::Activating(_, Some(until))) = holds.first().map(|hold| &hold.kind) {
        return vec![format!("{change}: {words} at {}", until.strftime("%Y-%m-%d %H:%M:%SZ"))];
    }
    // A hold that lasts for days, or until a person acts, must not hide anything worse.
    let waits = holds.first().is_some_and(|hold| hold.lasts() || hold.is_of_a_person());
    let beside = Some(beside).filter(|_| waits);
    let mut phrases: Vec<String> = beside.into_iter().flat_map(Beside::harm).collect();
    if let Some(HoldKind::Window(awaited)) = holds.first().map(|hold| &hold.kind) {
        let when =
            awaited.next.as_ref().map_or_else(|| ": no window known".to_owned(), |next| format!(" at {}", next.local));
        phrases.push(format!("{change}{when}"));
        phrases.extend(awaited.vendor_buys.then(|| "vendor may buy meanwhile".to_owned()));
    } else {
        phrases.push(format!("{change}: {words}"));
    }
    phrases.extend(beside.into_iter().flat_map(Beside::bills));
    phrases
}

/// The phrases where the license is not in force.
pub(super) fn not_in_force(shortage: Option<&Shortage>) -> Vec<String> {
    let short = shortage.map(|s| format!("{SHORTAGE}{}", s.short));
    ["license not in force".to_owned()].into_iter().chain(short).collect()
}

/// A step in a few words, for sentences: `add license key 1`, `+50 seats`, `limit 170`, `-10 seats, limit 140`.
pub(super) fn step(step: &Step) -> String {
    keys::step_words(step).unwrap_or_else(|| change(step.base(), step.target()))
}

/// The same for the narrow column: a limit that equals the seats before and after is left out.
pub(super) fn step_in_short(step: &Step) -> String {
    let (from, to) = (step.base(), step.target());
    let pinned = |n: Numbers| n.limit == Some(n.seats);
    let limit = if pinned(from) && pinned(to) { from.limit } else { to.limit };
    keys::step_words(step).unwrap_or_else(|| change(from, Numbers { limit, ..to }))
}

fn change(from: Numbers, to: Numbers) -> String {
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

/// The message for an account that moved by exactly the planned change before Seatkeeper had sent it.
pub(super) fn made_elsewhere(vendor: &str, intent: &Intent, seen: &Snapshot, grows: bool) -> String {
    let (from, to) = (intent.base(), intent.target());
    let itself =
        if grows { format!(", or by {vendor} itself, which may buy seats up to the limit") } else { String::new() };
    let since = seen
        .numbers()
        .filter(|seen| *seen != to)
        .map_or_else(String::new, |seen| format!(" Since then it was moved to {}.", numbers(seen)));
    format!(
        "{vendor} moved from {} to {} before Seatkeeper sent exactly that change: it was made perhaps by another Seatkeeper, in \
         another cluster, or by a person{itself}.{since} Seatkeeper corrects and repeats nothing until you decide or a day has passed: \
         find out which, and give the account to one Seatkeeper alone (spec.activeCluster). Then edit spec.seats or spec.limit to the \
         number that you want, or keep the spec and annotate the object with {CONFIRM}={}",
        numbers(from),
        numbers(to),
        intent.id
    )
}

/// The message for a change that needs review. `history`: recorded changes, newest first; `grows`: the vendor may buy by itself.
pub(super) fn review(vendor: &str, intent: &Intent, seen: &Snapshot, history: &[Change], grows: bool) -> String {
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
            numbers(intent.target()),
            numbers(seen)
        )
    } else if seen.seats != intent.target().seats && bills_shown && history.first().is_some_and(made) {
        format!(
            "{vendor} made the change to {}, and it was set back to {} from outside, which {vendor} bills too. Nothing is sent until you \
             decide: find the source of that reset",
            numbers(intent.target()),
            numbers(seen)
        )
    } else if seen != intent.target() && history.first().is_some_and(made) {
        format!(
            "{vendor} made the change to {}, took it back, and after a repeat shows {} again: it may bill {} seats while \
             it shows {}. Nothing is sent until you decide: ask {vendor} for the billed seats",
            numbers(intent.target()),
            numbers(seen),
            intent.target().seats,
            seen.seats
        )
    } else {
        format!(
            "{vendor} should show {} or still {}, and shows {}: either the change was made and {vendor} was changed from outside \
             too, or it was changed from outside alone. Nothing is sent until you decide: check the account",
            numbers(intent.target()),
            numbers(intent.base()),
            numbers(seen)
        )
    };
    format!(
        "{explained}, then edit spec.seats or spec.limit to the number that you want, or keep the spec and annotate the object with \
         {CONFIRM}={}: Seatkeeper then plans anew from the shown numbers, and requests the rest of the change",
        intent.id
    )
}
