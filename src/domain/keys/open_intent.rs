//! The judgment of an open addition or removal of a license key: the purchase protocol where the vendor shows no
//! numbers to compare but rows, and a new row must be recognized.

use jiff::Timestamp;

use super::messages::{self, NO_ANSWER, STATUS, Trouble};
use super::record::{refuse, rowless};
use super::records::{KeyRecords, holds_seats};
use super::snapshot::{KeyRing, Row};
use crate::api::{Change, Intent, IntentPhase, KeyAsked, KeyOrigin, KeyRecord, KeyState, KeyStep, Step};
use crate::domain::outcome::applied;
use crate::domain::protocol::{Open, State, Wait, WaitFor, digest, settling, wait, wait_of};
use crate::domain::{Situation, Uncertain};

/// Judges the recorded intent against what the account lists, and records what is thereby known.
pub(super) fn judge(s: &Situation<'_>, records: &mut KeyRecords<'_>) -> Open {
    let Some(intent) = &s.recorded() else { return Open::free() };
    let step = match &intent.step {
        Step::AddKey(step) | Step::RemoveKey(step) if intent.account == s.seen.account_key() => {
            translated(s, intent, step, records)
        }
        // Another account, or nothing about a key: once nothing can be in flight there, it is no concern of ours.
        _ if !intent.is_open() => return Open::keep(intent, State::Free { attempt: 1 }),
        _ => return settling(s, intent).map_or_else(Open::free, |left| Open::wait(intent, left)),
    };
    let adds = matches!(intent.step, Step::AddKey(_));
    match intent.phase {
        IntentPhase::WithoutEffect if s.edited_since(intent) => Open::free(),
        IntentPhase::NeedsReview => review(s, intent, &step, records),
        IntentPhase::Rejected => {
            let listed = records.ring.row(step.id, step.uuid.as_deref()).is_some();
            let gone = !listed && !may_be_hidden(records, &step);
            let confirmed = s.confirms(&intent.id);
            if s.edited_since(intent) || confirmed || gone {
                Open::free()
            } else {
                refused(s, Open::keep(intent, State::Rejected))
            }
        }
        IntentPhase::Settling => wait(s, WaitFor::Request(intent.id.clone()), s.timing.unanswered)
            .map_or_else(Open::free, |left| Open::wait(intent, left)),
        _ if adds => added(s, intent, &step, records),
        _ => removed(s, intent, &step, records),
    }
}

/// The account does not remove a row.
fn refused(s: &Situation<'_>, open: Open) -> Open {
    let lack = messages::lack(vec![Trouble::removal_refused(s.desired.pool.vendor, open.intent.as_ref())]);
    Open { lack: Some(lack), ..open }
}

fn added(s: &Situation<'_>, intent: &Intent, step: &KeyStep, records: &mut KeyRecords<'_>) -> Open {
    let ring = records.ring;
    if let Some(done) = named_row(s, intent, step, records) {
        return done;
    }
    if let Some(left) = settled(s, intent, records) {
        return Open::wait(intent, left);
    }
    if listed_row(records, step).is_some() {
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
    let candidates: Vec<Row> = new_rows(&ring.rows, step, &records.list).cloned().collect();
    let gained = records.gained_seats(step);
    match &candidates[..] {
        // Enough seats have come for another row, which the list may lack: either may be the key's. Or seats that nothing
        // explained before are those of this row: the list may only have lacked it when the addition was decided.
        [row] if gained < 0 || holds_seats(gained, row.seats) => {
            Open::turn(intent, IntentPhase::NeedsReview, State::Review)
        }
        [row] => {
            records.bind(step, row, KeyOrigin::Found);
            let open = has_row(s, intent, step, row, records);
            Open { applied: open.applied.map(|change| after_refusal(change, heard(intent, step))), ..open }
        }
        // Seats have come without a row: the list may lack the very row that this request made.
        [] if gained > 0 => Open::turn(intent, IntentPhase::NeedsReview, State::Review),
        [] if intent.attempt == 1 => again(intent, step),
        [] => asked_twice(s, intent, step, records),
        _ => Open::turn(intent, IntentPhase::NeedsReview, State::Review),
    }
}

/// The account's own answer named a row, and the row is listed.
fn named_row(s: &Situation<'_>, intent: &Intent, step: &KeyStep, records: &mut KeyRecords<'_>) -> Option<Open> {
    let row = records.ring.row(step.id, step.uuid.as_deref())?;
    records.bind(step, row, origin(step, row));
    Some(has_row(s, intent, step, row, records))
}

/// Two requests brought no row: now a person must check, and the outcomes of the requests say what.
fn asked_twice(s: &Situation<'_>, intent: &Intent, step: &KeyStep, records: &mut KeyRecords<'_>) -> Open {
    let says = |refusal: Uncertain| refusal.is_told(intent.refused.as_deref());
    if says(Uncertain::Present)
        && let Some(row) = records.only_possible(step).cloned()
    {
        records.bind(step, &row, KeyOrigin::Found);
        return has_row(s, intent, step, &row, records);
    }
    let heard = heard(intent, step);
    let refused = |words: &String| words != NO_ANSWER && !words.starts_with(STATUS);
    let (state, asked) = match () {
        () if says(Uncertain::Present) || says(Uncertain::PerhapsPresent) => (KeyState::AlreadyPresent, None),
        () if heard.iter().all(refused) => (KeyState::Rejected, None),
        // A missing row is no refusal.
        () => (KeyState::Unproven, Some(KeyAsked { id: digest(&["sent twice", &intent.id]), heard })),
    };
    if records.is_wanted(&rowless(step, state)) {
        refuse(&mut records.list, step, state, asked);
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

fn removed(s: &Situation<'_>, intent: &Intent, step: &KeyStep, records: &mut KeyRecords<'_>) -> Open {
    let ring = records.ring;
    // One reading is no proof, whether it has the row or lacks it.
    if let Some(left) = settled(s, intent, records).or_else(|| seen_once(s, intent, step, records)) {
        return Open::wait(intent, left);
    }
    let done = || Open::done(applied(&with(intent, KeyStep { to: ring.seats, ..recorded(intent, step) }), s.now));
    let listed = ring.row(step.id, step.uuid.as_deref()).is_some();
    if !listed && may_be_hidden(records, step) {
        // The list may lack it: it does not count as removed, and is judged afresh if it is listed again.
        return Open::free();
    }
    if !listed {
        records.forget(step);
        return done();
    }
    if is_gone(ring, step) {
        // Still listed and no longer counted: the account shows what it has only marked as deleted.
        retire(&mut records.list, step);
        return done();
    }
    if intent.attempt == 1 {
        again(intent, step)
    } else {
        refused(s, Open::turn(intent, IntentPhase::Rejected, State::Rejected))
    }
}

/// Whether the seats of a row that is to be removed may still be counted. One that gives none leaves nothing to count.
fn may_be_hidden(records: &KeyRecords<'_>, step: &KeyStep) -> bool {
    let gives = step.from.saturating_sub(step.to);
    gives != 0 && records.counts(Some(gives))
}

/// A row that is gone, or not counted any more, after a removal was found to be without effect: that is read twice too.
fn seen_once(s: &Situation<'_>, intent: &Intent, step: &KeyStep, records: &KeyRecords<'_>) -> Option<Wait> {
    let vanished = intent.phase == IntentPhase::WithoutEffect && is_gone(records.ring, step);
    vanished.then(|| wait(s, WaitFor::Missing(records.ring.sight()), s.timing.pause)).flatten()
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
fn review(s: &Situation<'_>, intent: &Intent, step: &KeyStep, records: &mut KeyRecords<'_>) -> Open {
    if matches!(intent.step, Step::AddKey(_))
        && let Some(done) = named_row(s, intent, step, records)
    {
        return done;
    }
    if let Some(row) = listed_row(records, step) {
        return has_row(s, intent, step, row, records);
    }
    let wanted = records.is_wanted(&rowless(step, KeyState::Pending));
    if !wanted || s.confirms(&intent.id) {
        return Open::free();
    }
    Open::keep(intent, State::Review)
}

/// The row that the key of a step is known to have, if it is listed.
fn listed_row<'a>(records: &KeyRecords<'a>, step: &KeyStep) -> Option<&'a Row> {
    let of_step = |record: &&KeyRecord| record.fingerprint.is_some() && record.fingerprint == step.fingerprint;
    let record = records.list.iter().filter(|record| record.state != KeyState::Removed).find(of_step)?;
    records.ring.row(record.id, record.uuid.as_deref())
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
fn has_row(s: &Situation<'_>, intent: &Intent, step: &KeyStep, row: &Row, records: &KeyRecords<'_>) -> Open {
    Open { applied: change(intent, step, row, records.ring.seats, s.now), ..Open::free() }
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
fn translated(s: &Situation<'_>, intent: &Intent, step: &KeyStep, records: &KeyRecords<'_>) -> KeyStep {
    if intent.object_uid == s.uid {
        return step.clone();
    }
    let entry = records.ring.wanted.iter().find(|entry| step.secret_key_ref.as_ref() == Some(&entry.reference));
    KeyStep { fingerprint: entry.and_then(|entry| entry.fingerprint.clone().ok()), ..step.clone() }
}

/// What is still to be waited for before the list proves anything: the settle time, and then two readings that agree.
fn settled(s: &Situation<'_>, intent: &Intent, records: &KeyRecords<'_>) -> Option<Wait> {
    if intent.phase == IntentPhase::WithoutEffect {
        return None;
    }
    let begun = |of: &WaitFor| *of == wait_of(intent);
    let begun = s.elapsed.is_some_and(|e| matches!(&e.wait, WaitFor::SecondReading { of, .. } if begun(of)));
    let agree = WaitFor::SecondReading { of: Box::new(wait_of(intent)), sight: records.ring.sight() };
    settling(s, intent).filter(|_| !begun).or_else(|| wait(s, agree, s.timing.pause))
}
