//! The judgement of an open addition or removal of a licence key: the purchase protocol where the vendor shows no
//! numbers to compare but rows, of which a new one must be recognised (Immuta reference, section 7.2).

use jiff::Timestamp;

use super::book::Book;
use super::record::{refuse, rowless};
use super::tenant::Row;
use crate::api::{Change, Intent, IntentPhase, KeyAction, KeyOrigin, KeyRecord, KeyState, KeyStep};
use crate::plan::intent::{Gate, clock, settle, wait};
use crate::plan::outcome::applied;
use crate::plan::{Numbers, Situation};

/// What follows from the recorded intent.
#[derive(Debug)]
pub(super) struct Judged {
    pub intent: Option<Intent>,
    pub applied: Option<Change>,
    pub gate: Gate,
    /// The step that may be sent once more.
    pub repeat: Option<KeyStep>,
}

impl Judged {
    fn free() -> Self {
        Self { intent: None, applied: None, gate: Gate::Free { attempt: 1 }, repeat: None }
    }

    fn keep(intent: &Intent, gate: Gate) -> Self {
        Self { intent: Some(intent.clone()), gate, ..Self::free() }
    }

    fn turn(intent: &Intent, phase: IntentPhase, gate: Gate) -> Self {
        Self::keep(&Intent { phase, ..intent.clone() }, gate)
    }

    fn done(change: Change) -> Self {
        Self { applied: Some(change), ..Self::free() }
    }

    /// It came to nothing: one repeat. Whatever stands against the repeat, the record of the first request stays until there
    /// is another.
    fn again(intent: &Intent, step: &KeyStep) -> Self {
        let attempt = intent.attempt.saturating_add(1);
        let kept = Self::turn(intent, IntentPhase::WithoutEffect, Gate::Free { attempt });
        Self { repeat: Some(step.clone()), ..kept }
    }
}

/// Judges the recorded intent against what the tenant lists, and records what is thereby known.
pub(super) fn judge(s: &Situation<'_>, seen: Numbers, book: &mut Book<'_>) -> Judged {
    let Some(intent) = &s.recorded() else { return Judged::free() };
    let key = clock(intent);
    let step = match &intent.license_key {
        Some(step) if intent.account == s.seen.account_key() => translated(s, intent, step, book),
        // Another tenant, or nothing about a key: once nothing can be in flight there, it is no concern of ours.
        _ => {
            if !intent.is_open() {
                return Judged::keep(intent, Gate::Free { attempt: 1 });
            }
            return wait(s, &key, settle(s, intent), false)
                .map_or_else(Judged::free, |gate| Judged::keep(intent, gate));
        }
    };
    match (intent.phase, step.action) {
        (IntentPhase::WithoutEffect, _) if s.edited_since(intent) => Judged::free(),
        (IntentPhase::NeedsReview, _) => review(s, intent, &step, seen, book),
        (IntentPhase::Rejected, _) => {
            let gone = book.tenant.row(step.id, step.uuid.as_deref()).is_none();
            let confirmed = s.confirmed == Some(intent.id.as_str());
            if s.edited_since(intent) || confirmed || gone {
                Judged::free()
            } else {
                Judged::keep(intent, Gate::Rejected)
            }
        }
        (IntentPhase::Settling, _) => match wait(s, &intent.id, s.timing.unanswered, true) {
            Some(gate) => Judged::keep(intent, gate),
            None => Judged::free(),
        },
        (_, KeyAction::Add) => added(s, intent, &step, seen, book),
        (_, KeyAction::Remove) => removed(s, intent, &step, seen, book),
    }
}

fn added(s: &Situation<'_>, intent: &Intent, step: &KeyStep, seen: Numbers, book: &mut Book<'_>) -> Judged {
    let tenant = book.tenant;
    if let Some(row) = tenant.row(step.id, step.uuid.as_deref()) {
        // The tenant's own answer named this row.
        book.bind(step, row, origin(step, row));
        return Judged::done(made(s, intent, step, row, seen));
    }
    if let Some(gate) = settled(s, intent, seen, book) {
        return Judged::keep(intent, gate);
    }
    if listed_row(book, step).is_some() {
        // The key has a row all the same: the spec names it, or it is listed again.
        return Judged::free();
    }
    if intent.phase == IntentPhase::WithoutEffect {
        // Nothing of ours is running any more: a row that is new now is not of this request.
        return Judged::again(intent, step);
    }
    let candidates: Vec<Row> = new_rows(&tenant.rows, step, &book.records).cloned().collect();
    match &candidates[..] {
        [row] => {
            book.bind(step, row, KeyOrigin::Found);
            Judged::done(made(s, intent, step, row, seen))
        }
        [] if intent.attempt == 1 => Judged::again(intent, step),
        [] => {
            let record = rowless(step, KeyState::Rejected);
            // A key of which a row is listed was not refused, whatever became of this request.
            if book.is_wanted(&record) && !book.lists(step) {
                refuse(&mut book.records, step, KeyState::Rejected);
            }
            Judged::free()
        }
        _ => Judged::turn(intent, IntentPhase::NeedsReview, Gate::Review),
    }
}

fn removed(s: &Situation<'_>, intent: &Intent, step: &KeyStep, seen: Numbers, book: &mut Book<'_>) -> Judged {
    let done = || applied(&Intent { to: seen.seats, ..intent.clone() }, s.now);
    let tenant = book.tenant;
    let Some(row) = tenant.row(step.id, step.uuid.as_deref()) else {
        book.forget(step);
        let waiting = wait(s, &clock(intent), settle(s, intent), true);
        let over = matches!(intent.phase, IntentPhase::Answered | IntentPhase::WithoutEffect);
        return match waiting.filter(|_| !over) {
            None => Judged::done(done()),
            // Its number may be handed out again, so nothing else is sent while the removal may still be running.
            Some(gate) => Judged { applied: Some(done()), ..Judged::turn(intent, IntentPhase::Settling, gate) },
        };
    };
    if let Some(gate) = settled(s, intent, seen, book) {
        return Judged::keep(intent, gate);
    }
    if row.seats.is_some_and(|seats| seats > 0 && seen.seats <= intent.from.saturating_sub(seats)) {
        // Still listed and no longer counted: the tenant shows what it has only marked as deleted.
        retire(&mut book.records, step);
        return Judged::done(done());
    }
    if intent.attempt == 1 {
        Judged::again(intent, step)
    } else {
        Judged::turn(intent, IntentPhase::Rejected, Gate::Rejected)
    }
}

/// Several rows may be the key's: only a person can tell. It is over once the spec names the row, the key is not wanted
/// any more, or a person says that none of them is.
fn review(s: &Situation<'_>, intent: &Intent, step: &KeyStep, seen: Numbers, book: &Book<'_>) -> Judged {
    if let Some(row) = listed_row(book, step) {
        return Judged::done(made(s, intent, step, row, seen));
    }
    let wanted = book.is_wanted(&rowless(step, KeyState::Pending));
    if !wanted || s.confirmed == Some(intent.id.as_str()) {
        return Judged::free();
    }
    Judged::keep(intent, Gate::Review)
}

/// The row that the key of a step is known to have, if it is listed.
fn listed_row<'a>(book: &Book<'a>, step: &KeyStep) -> Option<&'a Row> {
    let of_step = |record: &&KeyRecord| record.fingerprint.is_some() && record.fingerprint == step.fingerprint;
    let record = book.records.iter().filter(|record| record.state != KeyState::Removed).find(of_step)?;
    book.tenant.row(record.id, record.uuid.as_deref())
}

/// Rows that were not there before and that no other key has.
pub(super) fn new_rows<'a>(
    rows: &'a [Row],
    step: &'a KeyStep,
    records: &'a [KeyRecord],
) -> impl Iterator<Item = &'a Row> {
    rows.iter().filter(move |row| {
        let owned = records.iter().any(|record| row.is(record.id, record.uuid.as_deref()));
        !owned && !step.present.contains(&row.id)
    })
}

/// A row that the tenant answered with and that was there before was not made by this object.
pub(super) fn origin(step: &KeyStep, row: &Row) -> KeyOrigin {
    if step.present.contains(&row.id) { KeyOrigin::Found } else { KeyOrigin::Added }
}

/// Marks the record of a removed row: it is never removed a second time, and gone once it is no longer listed.
pub(super) fn retire(records: &mut [KeyRecord], step: &KeyStep) {
    for record in records.iter_mut().filter(|record| (record.id, &record.uuid) == (step.id, &step.uuid)) {
        record.state = KeyState::Removed;
    }
}

/// The change, with the row it came to.
pub(super) fn change(intent: &Intent, step: &KeyStep, row: &Row, seats: i32, now: Timestamp) -> Change {
    let step = KeyStep { id: Some(row.id), uuid: Some(row.uuid.clone()), present: Vec::new(), ..step.clone() };
    applied(&Intent { to: seats, license_key: Some(step), ..intent.clone() }, now)
}

fn made(s: &Situation<'_>, intent: &Intent, step: &KeyStep, row: &Row, seen: Numbers) -> Change {
    change(intent, step, row, seen.seats, s.now)
}

/// The step in this object's words: a fingerprint of another object, in a restored record, says nothing here.
fn translated(s: &Situation<'_>, intent: &Intent, step: &KeyStep, book: &Book<'_>) -> KeyStep {
    if intent.object_uid == s.uid {
        return step.clone();
    }
    let entry = book.tenant.wanted.iter().find(|entry| step.secret_key_ref.as_ref() == Some(&entry.reference));
    KeyStep { fingerprint: entry.and_then(|entry| entry.fingerprint.clone().ok()), ..step.clone() }
}

/// What is still to be waited for before the list proves anything: the settle time, and then two readings that agree.
fn settled(s: &Situation<'_>, intent: &Intent, seen: Numbers, book: &Book<'_>) -> Option<Gate> {
    if intent.phase == IntentPhase::WithoutEffect {
        return None;
    }
    let key = clock(intent);
    let agree = format!("agree-{key}-");
    let begun = s.elapsed.is_some_and(|elapsed| elapsed.key.starts_with(&agree));
    let first = wait(s, &key, settle(s, intent), false).filter(|_| !begun);
    first.or_else(|| wait(s, &format!("{agree}{}", book.tenant.sight(seen.seats)), s.timing.pause, false))
}
