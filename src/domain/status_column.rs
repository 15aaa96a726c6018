//! The STATUS column: one short phrase. Detail belongs into condition messages.

use jiff::Timestamp;

use super::condition_table::says;
use super::numbers::doubled;
use super::shortage::Shortage;
use super::{Decision, Hold, HoldKind, Numbers, Snapshot, Standby, Verdict, keys};
use crate::api::{CONFIRM, Change, Intent, IntentPhase, MayBill, NO_CLUSTER, Step};

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
    /// The worst first: a shortage replaces `words`, which report that all is in order.
    fn after(self, words: &str) -> String {
        let first = self.shortage.map_or_else(|| words.to_owned(), |s| format!("shortage: {}", s.message));
        let bills = self.billed.map(|billed| format!("bills {billed}"));
        let may_bill = self.may_bill.map(|may| format!("may bill {}", may.seats));
        let late = self.late.then(|| "payment late".to_owned());
        let first = Some(first).filter(|first| !first.is_empty());
        [first, bills, may_bill, late].into_iter().flatten().collect::<Vec<_>>().join("; ")
    }
}

/// The phrase for a decision. It includes `beside` where the decision is not more urgent.
pub(super) fn summary(decision: &Decision, change: Option<&str>, beside: Beside<'_>) -> String {
    let words = says(&decision.verdict).words;
    match &decision.verdict {
        Verdict::InSync | Verdict::Observed(None) => beside.after(words),
        Verdict::Observed(Some(wanted)) => beside.after(&format!("{words}; spec: {}", wanted.seats)),
        Verdict::Standby(standby) => standing_by(standby, words, beside),
        Verdict::Publish | Verdict::Change(_) => format!("{} now", change.unwrap_or("change")),
        Verdict::Held(holds) => held(holds, change.unwrap_or("change"), words, beside),
        Verdict::Rejected if decision.intent.as_ref().is_some_and(|intent| intent.refused.is_some()) => {
            "vendor refused".into()
        }
        Verdict::Lacking(lack) => lack.summary.clone(),
        Verdict::Doubt | Verdict::Rejected | Verdict::NeedsReview | Verdict::Conflict | Verdict::Unsupported(_) => {
            words.to_owned()
        }
    }
}

/// The phrase for an object on standby. `standby` comes first, because a hand-over waits for it.
fn standing_by(standby: &Standby, words: &str, beside: Beside<'_>) -> String {
    let wanted = standby.wanted.map(|wanted| format!("spec: {}", wanted.seats));
    let open = standby.settles.then(|| words.to_owned());
    let other = beside.after("");
    let standby = match standby.active.as_str() {
        NO_CLUSTER => "standby (none active)".to_owned(),
        active => format!("standby for {active}"),
    };
    let all = [Some(standby), open, wanted, Some(other).filter(|other| !other.is_empty())];
    all.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// The phrase for a held change, after anything worse. For a window it has the time of the opening.
fn held(holds: &[Hold], change: &str, words: &str, beside: Beside<'_>) -> String {
    if let Some(HoldKind::Activating(_, Some(until))) = holds.first().map(|hold| &hold.kind) {
        return format!("{change}: {words} at {}", until.strftime("%Y-%m-%d %H:%M:%SZ"));
    }
    // A hold that lasts for days, or until a person acts, must not hide anything worse.
    let waits = holds.first().is_some_and(|hold| hold.lasts() || hold.is_of_a_person());
    let worse = Some(beside.after("")).filter(|worse| waits && !worse.is_empty());
    let worse = worse.map_or_else(String::new, |worse| format!("{worse}; "));
    let Some(HoldKind::Window(awaited)) = holds.first().map(|hold| &hold.kind) else {
        return format!("{worse}{change}: {words}");
    };
    let when =
        awaited.next.as_ref().map_or_else(|| ": no window known".to_owned(), |next| format!(" at {}", next.local));
    let buys = if awaited.vendor_buys { "; vendor may buy meanwhile" } else { "" };
    format!("{worse}{change}{when}{buys}")
}

/// The phrase where the license is not in force.
pub(super) fn not_in_force(shortage: Option<&Shortage>) -> String {
    let short = shortage.map_or_else(String::new, |s| format!("; shortage: {}", s.message));
    format!("license not in force{short}")
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
