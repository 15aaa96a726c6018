//! The STATUS column: short phrases, the worst first. Detail belongs into condition messages.

use jiff::{SignedDuration, Timestamp};

use super::condition::reason;
use super::ready_reason::says;
use super::shortage::Shortage;
use super::{Decision, Hold, HoldKind, Numbers, Standby, Verdict, keys};
use crate::api::{MayBill, Step};

/// What STATUS reports beside a decision.
#[derive(Clone, Copy)]
pub(super) struct Beside<'a> {
    /// The license is not in force.
    pub off: bool,
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
        self.off_in_short().chain(self.short_or_late())
    }

    fn off_in_short(self) -> impl Iterator<Item = String> {
        self.off.then(|| "license not in force".to_owned()).into_iter()
    }

    fn short_or_late(self) -> impl Iterator<Item = String> {
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

    /// A shortage, or a license that is not in force, replaces `words`, which report that all is in order.
    fn after(self, words: &[String]) -> Vec<String> {
        let words = if self.off || self.shortage.is_some() { &[] } else { words };
        words.iter().cloned().chain(self.all()).collect()
    }
}

/// The phrases for a decision, the worst first. They include `beside` where the decision is not more urgent.
pub(super) fn summary(decision: &Decision, change: Option<&str>, beside: Beside<'_>) -> Vec<String> {
    let words = says(&decision.verdict).words.to_owned();
    let after_off = |words: &str| beside.off_in_short().chain([words.to_owned()]).chain(beside.short_or_late());
    match &decision.verdict {
        Verdict::InSync | Verdict::Observed(None) => beside.after(&[words]),
        Verdict::Observed(Some(wanted)) => beside.after(&[words, format!("spec: {}", wanted.seats)]),
        Verdict::Standby(standby) => standing_by(standby, words, beside),
        Verdict::Publish | Verdict::Change(_) => vec![format!("{} now", change.unwrap_or("change"))],
        Verdict::Held(holds) => held(holds, change.unwrap_or("change"), &words, beside),
        // What is short names what brings the license back into force.
        Verdict::Lacking(lack) if lack.reason == reason::SEATS_SHORT => {
            [lack.summary.clone()].into_iter().chain(beside.all()).collect()
        }
        Verdict::Lacking(lack) => after_off(&lack.summary).chain(beside.bills()).collect(),
        // It ends by itself, and the rest may not.
        Verdict::Doubt => beside.harm().chain([words]).collect(),
        // What was bought is not known, which is worse than too few seats.
        Verdict::NeedsReview => after_off(&words).collect(),
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
    let first = || without_limit(short.first().unwrap_or(&""));
    let phrases = (1..=short.len()).rev().map(cut).find(fits);
    let bounded = |text: String| if fits(&text) { text } else { text.chars().take(ROOM - 1).chain(['…']).collect() };
    phrases.unwrap_or_else(|| bounded(first() + if short.len() > 1 { "…" } else { "" }))
}

/// A phrase without the limit beside the seats: `+50 seats, limit 150: other pool first`.
fn without_limit(phrase: &str) -> String {
    let Some((seats, rest)) = phrase.split_once(", ").filter(|(_, rest)| rest.contains("limit")) else {
        return phrase.to_owned();
    };
    let end = [rest.find(':'), rest.find(" at ")].into_iter().flatten().min();
    format!("{seats}{}", end.map_or("", |end| &rest[end..]))
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
        // The minute in which it will have begun. The message of Ready has the second.
        let until = until.saturating_add(SignedDuration::from_secs(59)).unwrap_or(*until);
        let until = format!("{change}: {words} at {}", until.strftime("%H:%MZ"));
        return beside.off_in_short().chain([until]).collect();
    }
    let mut phrases: Vec<String> = beside.harm().collect();
    if let Some(HoldKind::Window(awaited)) = holds.first().map(|hold| &hold.kind) {
        let when =
            awaited.next.as_ref().map_or_else(|| ": no window known".to_owned(), |next| format!(" at {}", next.local));
        phrases.push(format!("{change}{when}"));
        phrases.extend(awaited.vendor_buys.then(|| "vendor may buy meanwhile".to_owned()));
    } else {
        phrases.push(format!("{change}: {words}"));
    }
    // Until the last change is seen, another number may be billed, and that is in order.
    let waits = holds.first().is_some_and(Hold::may_take_days);
    phrases.extend(Some(beside).filter(|_| waits).into_iter().flat_map(Beside::bills));
    phrases
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
