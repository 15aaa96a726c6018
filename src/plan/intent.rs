//! The purchase protocol's judgement of an open intent: may something be sent, must we wait, or must a person look?
//!
//! An intent is closed only by proof. All waiting is measured on the caller's monotonic clock from when this process
//! first saw the doubt, so a restart waits again and a clock jump changes nothing.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::outcome::applied;
use super::{Doubt, Numbers, Situation};
use crate::api::{Change, Intent, IntentPhase};

/// How long a change that was reverted to exactly our own base counts as the vendor's doing (protocol, step 9).
const REVERT_WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// The times of the purchase protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// After a final answer, late effects are over by then.
    pub answered: Duration,
    /// Without an answer, the request itself is over by then.
    pub unanswered: Duration,
    /// Between the two reads that must agree.
    pub pause: Duration,
}

/// What this process remembers about one doubt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Elapsed {
    /// Which doubt: [`Doubt::key`].
    pub key: String,
    /// Since this process first saw it.
    pub since: Duration,
    /// What was read after the settle time, and how long ago.
    pub settled: Option<(Numbers, Duration)>,
}

/// Whether a request may be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// Nothing is open. The next intent is this attempt of its decision.
    Free { attempt: i32 },
    /// Nothing may be sent for now.
    Wait { key: String, left: Duration, settled: bool, visible: bool },
    /// The vendor refused; the same is not sent again.
    Rejected,
    /// A person must look.
    Review,
}

/// The judgement: what the record must say from now on, and whether anything may be sent.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Judged {
    pub intent: Option<Intent>,
    pub applied: Option<Change>,
    pub gate: Gate,
}

impl Judged {
    fn free(attempt: i32) -> Self {
        Self { intent: None, applied: None, gate: Gate::Free { attempt } }
    }

    fn keep(intent: &Intent, gate: Gate) -> Self {
        Self { intent: Some(intent.clone()), applied: None, gate }
    }

    fn turn(intent: &Intent, phase: IntentPhase, gate: Gate) -> Self {
        Self { intent: Some(Intent { phase, ..intent.clone() }), applied: None, gate }
    }

    /// It came to nothing, or to a part: one repeat from what is shown now. Whatever stands against the repeat, the record of
    /// the first request stays until there is another.
    fn repeat(intent: &Intent, seen: Numbers) -> Self {
        let from_here = Intent { from: seen.seats, limit_from: seen.limit, ..intent.clone() };
        Self::turn(&from_here, IntentPhase::WithoutEffect, Gate::Free { attempt: intent.attempt.saturating_add(1) })
    }

    fn applied(intent: &Intent, now: Timestamp) -> Self {
        Self { applied: Some(applied(intent, now)), ..Self::free(1) }
    }
}

/// Judges the recorded intent against what the vendor shows.
pub(super) fn judge(s: &Situation<'_>, seen: Numbers) -> Judged {
    let Some(intent) = &s.recorded() else { return Judged::free(1) };
    let edited = s.edited_since(intent);
    let foreign = intent.account != s.seen.account_key();
    let confirmed = s.confirmed == Some(intent.id.as_str());
    match intent.phase {
        // The credentials may be those of another account for a moment only: the record holds until there is another one.
        IntentPhase::WithoutEffect | IntentPhase::NeedsReview | IntentPhase::Rejected if foreign => {
            Judged::keep(intent, Gate::Free { attempt: 1 })
        }
        IntentPhase::WithoutEffect if edited => Judged::free(1),
        IntentPhase::WithoutEffect if seen == intent.target() => Judged::applied(intent, s.now),
        IntentPhase::WithoutEffect if intent.attempt == 1 => Judged::repeat(intent, seen),
        // No decision has a third request, whatever a record says.
        IntentPhase::WithoutEffect => Judged::turn(intent, IntentPhase::Rejected, Gate::Rejected),
        IntentPhase::NeedsReview => {
            if edited || confirmed {
                Judged::free(1)
            } else if seen == intent.target() {
                Judged::applied(intent, s.now)
            } else {
                Judged::keep(intent, Gate::Review)
            }
        }
        IntentPhase::Rejected => {
            let same = seen == intent.base() && s.seen.usage.count() == intent.used;
            if edited || confirmed || !same { Judged::free(1) } else { Judged::keep(intent, Gate::Rejected) }
        }
        IntentPhase::Settling => match wait(s, &intent.id, s.timing.unanswered, true) {
            Some(gate) => Judged::keep(intent, gate),
            None => Judged::free(1),
        },
        IntentPhase::Open | IntentPhase::Unanswered | IntentPhase::Answered => doubt(s, intent, seen, edited, foreign),
    }
}

fn doubt(s: &Situation<'_>, intent: &Intent, seen: Numbers, edited: bool, foreign: bool) -> Judged {
    let answered = intent.phase == IntentPhase::Answered;
    let (key, settle) = (clock(intent), settle(s, intent));
    let waiting = wait(s, &key, settle, false);
    if foreign {
        // The other account can no longer be read; once nothing can be in flight there, it is no concern of ours.
        return waiting.map_or_else(|| Judged::free(1), |gate| Judged::keep(intent, gate));
    }
    if seen == intent.target() {
        // Seeing the target ends the doubt at once, but what was never answered may still be running.
        if answered || waiting.is_none() {
            return Judged::applied(intent, s.now);
        }
        let visible = wait(s, &key, settle, true).unwrap_or(Gate::Free { attempt: 1 });
        let applied = Some(applied(intent, s.now));
        return Judged { applied, ..Judged::turn(intent, IntentPhase::Settling, visible) };
    }
    if let Some(gate) = waiting.or_else(|| second_read(s, &key, seen)) {
        return Judged::keep(intent, gate);
    }
    if !seen.is_between(intent.base(), intent.target()) {
        // An edit from before the review is no answer to it.
        Judged::turn(&s.asked_anew(intent), IntentPhase::NeedsReview, Gate::Review)
    } else if edited {
        Judged { applied: part_applied(intent, seen, s.now), ..Judged::free(1) }
    } else if intent.attempt == 1 {
        // One repeat, under a new id.
        Judged { applied: part_applied(intent, seen, s.now), ..Judged::repeat(intent, seen) }
    } else if !answered && taken_back(s, seen).is_some() {
        // What it repeats was made and taken back, and of the repeat nothing was heard: that is no refusal, and the vendor
        // may bill what it does not show.
        Judged::turn(&s.asked_anew(intent), IntentPhase::NeedsReview, Gate::Review)
    } else {
        Judged::turn(intent, IntentPhase::Rejected, Gate::Rejected)
    }
}

/// The clock of an open intent. Late effects are counted from the answer: the request itself may have taken a good part of
/// that time.
pub(super) fn clock(intent: &Intent) -> String {
    let answered = intent.phase == IntentPhase::Answered;
    if answered { format!("answered-{}", intent.id) } else { intent.id.clone() }
}

pub(super) fn settle(s: &Situation<'_>, intent: &Intent) -> Duration {
    if intent.phase == IntentPhase::Answered { s.timing.answered } else { s.timing.unanswered }
}

/// The doubt where the vendor shows no numbers: nothing can be judged, and the time runs all the same.
pub(super) fn unread(s: &Situation<'_>) -> Option<Doubt> {
    let intent = s.intent.filter(|intent| intent.is_open())?;
    let left = match wait(s, &clock(intent), settle(s, intent), false) {
        Some(Gate::Wait { left, .. }) => left,
        // There is nothing more to wait for but numbers.
        _ => Duration::MAX,
    };
    Some(Doubt { key: clock(intent), left, settled: false })
}

/// What was made of a change that was applied in part.
fn part_applied(intent: &Intent, seen: Numbers, now: Timestamp) -> Option<Change> {
    let part = Intent { to: seen.seats, limit_to: seen.limit, ..intent.clone() };
    (seen != intent.base()).then(|| applied(&part, now))
}

/// The last change of ours, if the vendor took it back: it shows exactly our own last base again, soon after our write
/// (protocol, step 9). That is the vendor's doing, not drift and not a third party. Changes that followed one another
/// count as one: a late webhook may bring back the row from before the first of them.
pub(super) fn taken_back<'a>(s: &Situation<'a>, seen: Numbers) -> Option<&'a Change> {
    let last = s.history.first().filter(|last| seen != last.target())?;
    let recent = |change: &&Change| {
        change.account == s.seen.account_key() && s.now.duration_since(change.time.0).abs() < REVERT_WINDOW
    };
    let mut expected = last.target();
    for change in s.history.iter().take_while(recent) {
        if change.target() != expected {
            break;
        }
        if change.base() == seen {
            return Some(last);
        }
        expected = change.base();
    }
    None
}

/// Whether the change that was taken back may be sent once more. Not where it was a repeat: webhooks of both requests may
/// then be about, one handler after the other for longer than the settle time, and one that writes between the two reads
/// of a third request makes the vendor add up (found by the model). So a person is asked.
///
/// `attempt`: what the next request would be if nothing had been taken back. A request that came to nothing meanwhile
/// counts.
pub(super) fn repeat_after(s: &Situation<'_>, last: &Change, seen: Numbers, attempt: i32) -> Gate {
    let afresh = !s.asked_for(last) || s.confirmed == Some(last.id.as_str());
    if last.attempt > 1 && !afresh {
        return Gate::Review;
    }
    let key = format!("reverted-{}", last.id);
    wait(s, &key, s.timing.answered, false)
        .or_else(|| second_read(s, &key, seen))
        .unwrap_or(Gate::Free { attempt: attempt.max(if afresh { 1 } else { 2 }) })
}

pub(super) fn wait(s: &Situation<'_>, key: &str, settle: Duration, visible: bool) -> Option<Gate> {
    let since = s.elapsed.filter(|e| e.key == key).map_or(Duration::ZERO, |e| e.since);
    let left = settle.saturating_sub(since);
    (!left.is_zero()).then(|| Gate::Wait { key: key.to_owned(), left, settled: false, visible })
}

/// After the settle time two reads with a pause between them must agree.
fn second_read(s: &Situation<'_>, key: &str, seen: Numbers) -> Option<Gate> {
    let first = s.elapsed.filter(|e| e.key == key).and_then(|e| e.settled).filter(|(numbers, _)| *numbers == seen);
    let left = s.timing.pause.saturating_sub(first.map_or(Duration::ZERO, |(_, ago)| ago));
    (first.is_none() || !left.is_zero()).then(|| Gate::Wait {
        key: key.to_owned(),
        left,
        settled: true,
        visible: false,
    })
}

/// An id that no other attempt has: not of this object, not of another replica, not of another time.
pub fn intent_id(plan: &str, attempt: i32, writer: &str, now: Timestamp) -> String {
    digest(&[plan, &attempt.to_string(), writer, &now.as_nanosecond().to_string()])
}

/// A short, stable hash of some words.
pub(super) fn digest(words: &[&str]) -> String {
    let mut hash = Sha256::new();
    for word in words {
        hash.update(word.len().to_le_bytes());
        hash.update(word.as_bytes());
    }
    hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}
