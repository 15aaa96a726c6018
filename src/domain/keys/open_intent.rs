//! The judgment of an open addition or removal of a license key: the purchase protocol where the vendor shows no
//! numbers to compare but rows, and a new row must be recognized.

use jiff::Timestamp;

use super::messages::{self, NO_ANSWER, STATUS, Trouble};
use super::record::{refuse, rowless};
use super::records::{Book, holds_seats};
use super::snapshot::{KeyRing, Row};
use crate::api::{Change, Intent, IntentPhase, KeyAsked, KeyOrigin, KeyRecord, KeyState, KeyStep, Step};
use crate::domain::outcome::applied;
use crate::domain::protocol::{Open, State, Wait, WaitFor, digest, settling, wait, wait_of};
use crate::domain::{Situation, Uncertain};

/// Judges the recorded intent against what the account lists, and records what is thereby known.
pub(super) fn judge(s: &Situation<'_>, book: &mut Book<'_>) -> Open {
    let Some(intent) = &s.recorded() else { return Open::free() };
    let step = match &intent.step {
        Step::AddKey(step) | Step::RemoveKey(step) if intent.account == s.seen.account_key() => {
            translated(s, intent, step, book)
        }
        // Another account, or nothing about a key: once nothing can be in flight there, it is no concern of ours.
        _ if !intent.is_open() => return Open::keep(intent, State::Free { attempt: 1 }),
        _ => return settling(s, intent).map_or_else(Open::free, |left| Open::wait(intent, left)),
    };
    let adds = matches!(intent.step, Step::AddKey(_));
    match intent.phase {
        IntentPhase::WithoutEffect if s.edited_since(intent) => Open::free(),
        IntentPhase::NeedsReview => review(s, intent, &step, book),
        IntentPhase::Rejected => {
            let listed = book.ring.row(step.id, step.uuid.as_deref()).is_some();
            let gone = !listed && !may_be_hidden(book, &step);
            let confirmed = s.confirms(&intent.id);
            if s.edited_since(intent) || confirmed || gone {
                Open::free()
            } else {
                refused(s, Open::keep(intent, State::Rejected))
            }
        }
        IntentPhase::Settling => wait(s, WaitFor::Request(intent.id.clone()), s.timing.unanswered)
            .map_or_else(Open::free, |left| Open::wait(intent, left)),
        _ if adds => added(s, intent, &step, book),
        _ => removed(s, intent, &step, book),
    }
}

/// The account does not remove a row.
fn refused(s: &Situation<'_>, open: Open) -> Open {
    let lack = messages::lack(vec![Trouble::removal_refused(s.desired.pool.vendor, open.intent.as_ref())]);
    Open { lack: Some(lack), ..open }
}

fn added(s: &Situation<'_>, intent: &Intent, step: &KeyStep, book: &mut Book<'_>) -> Open {
    let ring = book.ring;
    if let Some(done) = named_row(s, intent, step, book) {
        return done;
    }
    if let Some(left) = settled(s, intent, book) {
        return Open::wait(intent, left);
    }
    if listed_row(book, step).is_some() {
        // The key has a row all the same: the spec names it, or it is listed again.
        return Open::free();
    }
    if step.id.is_some() {
        // The account confirmed a row: that it is not listed is no reason to ask for another.
        return Open::turn(intent, IntentPhase::NeedsReview, State::Review);
    }
    if intent.phase == IntentPhase::WithoutEffect {
        // Nothing of ours is running any more: a row that is new now is not of this request.
        return again(intent, step);
    }
    let candidates: Vec<Row> = new_rows(&ring.rows, step, &book.records).cloned().collect();
    let gained = book.gained_seats(step);
    match &candidates[..] {
        // Enough seats have come for another row, which the list may lack: either may be the key's. Or seats that nothing
        // explained before are those of this row: the list may only have lacked it when the addition was decided.
        [row] if gained < 0 || holds_seats(gained, row.seats) => {
            Open::turn(intent, IntentPhase::NeedsReview, State::Review)
        }
        [row] => {
            book.bind(step, row, KeyOrigin::Found);
            let open = has_row(s, intent, step, row, book);
            Open { applied: open.applied.map(|change| after_refusal(change, heard(intent, step))), ..open }
        }
        // Seats have come without a row: the list may lack the very row that this request made.
        [] if gained > 0 => Open::turn(intent, IntentPhase::NeedsReview, State::Review),
        [] if intent.attempt == 1 => again(intent, step),
        [] => asked_twice(s, intent, step, book),
        _ => Open::turn(intent, IntentPhase::NeedsReview, State::Review),
    }
}

/// The account's own answer named a row, and the row is listed.
fn named_row(s: &Situation<'_>, intent: &Intent, step: &KeyStep, book: &mut Book<'_>) -> Option<Open> {
    let row = book.ring.row(step.id, step.uuid.as_deref())?;
    book.bind(step, row, origin(step, row));
    Some(has_row(s, intent, step, row, book))
}

/// Two requests brought no row: now a person must check, and the outcomes of the requests say what.
fn asked_twice(s: &Situation<'_>, intent: &Intent, step: &KeyStep, book: &mut Book<'_>) -> Open {
    let says = |refusal: Uncertain| refusal.is_told(intent.refused.as_deref());
    if says(Uncertain::Present)
        && let Some(row) = book.only_possible(step).cloned()
    {
        book.bind(step, &row, KeyOrigin::Found);
        return has_row(s, intent, step, &row, book);
    }
    let heard = heard(intent, step);
    let refused = |words: &String| words != NO_ANSWER && !words.starts_with(STATUS);
    let (state, asked) = match () {
        () if says(Uncertain::Present) || says(Uncertain::PerhapsPresent) => (KeyState::AlreadyPresent, None),
        () if heard.iter().all(refused) => (KeyState::Rejected, None),
        // A missing row is no refusal.
        () => (KeyState::Unproven, Some(KeyAsked { id: digest(&["sent twice", &intent.id]), heard })),
    };
    if book.is_wanted(&rowless(step, state)) {
        refuse(&mut book.records, step, state, asked);
    }
    Open::free()
}

/// The outcome of each request of a decision. A request without a recorded outcome had no answer.
fn heard(intent: &Intent, step: &KeyStep) -> Vec<String> {
    let mut heard = step.heard.clone();
    let attempts = usize::try_from(intent.attempt).unwrap_or_default();
    // A former version recorded a refusal alone.
    if let Some(refused) = intent.refused.clone().filter(|_| heard.len() < attempts) {
        heard.resize(attempts - 1, NO_ANSWER.to_owned());
        heard.push(refused);
    }
    heard.resize(attempts.max(heard.len()), NO_ANSWER.to_owned());
    heard
}

fn removed(s: &Situation<'_>, intent: &Intent, step: &KeyStep, book: &mut Book<'_>) -> Open {
    let ring = book.ring;
    // One reading is no proof, whether it has the row or lacks it.
    if let Some(left) = settled(s, intent, book).or_else(|| seen_once(s, intent, step, book)) {
        return Open::wait(intent, left);
    }
    let done = || Open::done(applied(&with(intent, KeyStep { to: ring.seats, ..recorded(intent, step) }), s.now));
    let listed = ring.row(step.id, step.uuid.as_deref()).is_some();
    if !listed && may_be_hidden(book, step) {
        // The list may lack it: it does not count as removed, and is judged afresh if it is listed again.
        return Open::free();
    }
    if !listed {
        book.forget(step);
        return done();
    }
    if is_gone(ring, step) {
        // Still listed and no longer counted: the account shows what it has only marked as deleted.
        retire(&mut book.records, step);
        return done();
    }
    if intent.attempt == 1 {
        again(intent, step)
    } else {
        refused(s, Open::turn(intent, IntentPhase::Rejected, State::Rejected))
    }
}

/// Whether the seats of a row that is to be removed may still be counted. One that gives none leaves nothing to count.
fn may_be_hidden(book: &Book<'_>, step: &KeyStep) -> bool {
    let gives = step.from.saturating_sub(step.to);
    gives != 0 && book.counts(Some(gives))
}

/// A row that is gone, or not counted any more, after a removal was found to be without effect: that is read twice too.
fn seen_once(s: &Situation<'_>, intent: &Intent, step: &KeyStep, book: &Book<'_>) -> Option<Wait> {
    let vanished = intent.phase == IntentPhase::WithoutEffect && is_gone(book.ring, step);
    vanished.then(|| wait(s, WaitFor::Missing(book.ring.sight()), s.timing.pause)).flatten()
}

/// Whether the row of a removal is gone by what one reading shows: it is not listed, or it is listed and its seats are not
/// counted any more.
pub(super) fn is_gone(ring: &KeyRing, step: &KeyStep) -> bool {
    match ring.row(step.id, step.uuid.as_deref()) {
        None => true,
        Some(row) => row.seats.is_some_and(|seats| seats > 0 && ring.seats <= step.from.saturating_sub(seats)),
    }
}

/// The request had no effect. The record keeps its own words, and the repeat is of the step in this object's words.
fn again(intent: &Intent, step: &KeyStep) -> Open {
    let kept = Open::repeat(intent, intent.step.clone());
    let step = KeyStep { heard: heard(intent, step), ..step.clone() };
    Open { repeat: Some(with(intent, step).step), ..kept }
}

/// The key of an intent as it is recorded, in whatever words.
fn recorded(intent: &Intent, step: &KeyStep) -> KeyStep {
    intent.step.key().unwrap_or(step).clone()
}

/// The intent with another key step of the same kind.
pub(super) fn with(intent: &Intent, step: KeyStep) -> Intent {
    let step = match intent.step {
        Step::RemoveKey(_) => Step::RemoveKey(step),
        Step::AddKey(_) | Step::Seats(_) => Step::AddKey(step),
    };
    Intent { step, ..intent.clone() }
}

/// Several rows may be the key's, or one that the list lacks: only a person can decide. The review ends once the row is
/// listed that the account named, the spec names the row, the key is not wanted any more, or a person says that none of
/// them is the key's.
fn review(s: &Situation<'_>, intent: &Intent, step: &KeyStep, book: &mut Book<'_>) -> Open {
    if matches!(intent.step, Step::AddKey(_))
        && let Some(done) = named_row(s, intent, step, book)
    {
        return done;
    }
    if let Some(row) = listed_row(book, step) {
        return has_row(s, intent, step, row, book);
    }
    let wanted = book.is_wanted(&rowless(step, KeyState::Pending));
    if !wanted || s.confirms(&intent.id) {
        return Open::free();
    }
    Open::keep(intent, State::Review)
}

/// The row that the key of a step is known to have, if it is listed.
fn listed_row<'a>(book: &Book<'a>, step: &KeyStep) -> Option<&'a Row> {
    let of_step = |record: &&KeyRecord| record.fingerprint.is_some() && record.fingerprint == step.fingerprint;
    let record = book.records.iter().filter(|record| record.state != KeyState::Removed).find(of_step)?;
    book.ring.row(record.id, record.uuid.as_deref())
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

/// A row that the account answered with and that was there before was not made by this object.
pub(super) fn origin(step: &KeyStep, row: &Row) -> KeyOrigin {
    if step.present.contains(&row.id) { KeyOrigin::Found } else { KeyOrigin::Added }
}

/// Marks the record of a removed row: it is never removed a second time, and gone once it is no longer listed.
pub(super) fn retire(records: &mut [KeyRecord], step: &KeyStep) {
    for record in records.iter_mut().filter(|record| (record.id, &record.uuid) == (step.id, &step.uuid)) {
        record.state = KeyState::Removed;
    }
}

/// The key has this row, and nothing of the addition is open any more.
fn has_row(s: &Situation<'_>, intent: &Intent, step: &KeyStep, row: &Row, book: &Book<'_>) -> Open {
    Open { applied: change(intent, step, row, book.ring.seats, s.now), ..Open::free() }
}

/// The change, with its row. A row that was there before is of no change.
pub(super) fn change(intent: &Intent, step: &KeyStep, row: &Row, seats: i32, now: Timestamp) -> Option<Change> {
    let (id, uuid) = (Some(row.id), Some(row.uuid.clone()));
    let told = KeyStep { present: Vec::new(), unexplained: None, heard: Vec::new(), ..step.clone() };
    let came = || with(intent, KeyStep { to: seats, id, uuid, ..told });
    (!step.present.contains(&row.id)).then(|| applied(&came(), now))
}

/// A change whose row was found although its last request was refused is no plain addition: the record keeps the outcomes.
fn after_refusal(change: Change, heard: Vec<String>) -> Change {
    match change.step {
        Step::AddKey(step) if messages::refusal(&heard).is_some() => {
            Change { step: Step::AddKey(KeyStep { heard, ..step }), ..change }
        }
        step => Change { step, ..change },
    }
}

/// The step in this object's words: a fingerprint of another object, in a restored record, says nothing here.
fn translated(s: &Situation<'_>, intent: &Intent, step: &KeyStep, book: &Book<'_>) -> KeyStep {
    if intent.object_uid == s.uid {
        return step.clone();
    }
    let entry = book.ring.wanted.iter().find(|entry| step.secret_key_ref.as_ref() == Some(&entry.reference));
    KeyStep { fingerprint: entry.and_then(|entry| entry.fingerprint.clone().ok()), ..step.clone() }
}

/// What is still to be waited for before the list proves anything: the settle time, and then two readings that agree.
fn settled(s: &Situation<'_>, intent: &Intent, book: &Book<'_>) -> Option<Wait> {
    if intent.phase == IntentPhase::WithoutEffect {
        return None;
    }
    let begun = |of: &WaitFor| *of == wait_of(intent);
    let begun = s.elapsed.is_some_and(|e| matches!(&e.wait, WaitFor::SecondReading { of, .. } if begun(of)));
    let agree = WaitFor::SecondReading { of: Box::new(wait_of(intent)), sight: book.ring.sight() };
    settling(s, intent).filter(|_| !begun).or_else(|| wait(s, agree, s.timing.pause))
}
