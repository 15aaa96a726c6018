//! Finds the new row of the added license key in the account's list. The vendor shows rows, and no numbers to compare. If the row
//! cannot be recognized, a person is asked.

use jiff::Timestamp;

use super::key_record::{refuse, rowless};
use super::key_states::{KeyRecords, holds_seats};
use super::license_list::Row;
use super::messages::{self, NO_ANSWER, STATUS};
use super::{again, settled, with};
use crate::api::{Change, Intent, IntentPhase, KeyAsked, KeyOrigin, KeyRecord, KeyState, KeyStep, Step};
use crate::domain::outcome::applied;
use crate::domain::protocol::{Open, State, digest};
use crate::domain::{Situation, Uncertain};

/// Judges an open addition.
pub(super) fn added(s: &Situation<'_>, intent: &Intent, step: &KeyStep, records: &mut KeyRecords<'_>) -> Open {
    let ring = records.ring;
    if let Some(done) = named_row(s, intent, step, records) {
        return done;
    }
    if let Some(left) = settled(s, intent, records) {
        return Open::wait(intent, left);
    }
    if listed_row(records, step).is_some() {
        // The key has a row: the spec names it, or the list shows it again.
        return Open::free();
    }
    if step.id.is_some() {
        // The account confirmed a row. That the list lacks it is no reason to request another.
        return Open::turn(intent, IntentPhase::NeedsReview, State::Review);
    }
    if intent.phase == IntentPhase::WithoutEffect {
        // No request of ours is still running: a row that is new now is not from this request.
        return again(intent, step);
    }
    let candidates: Vec<Row> = new_rows(&ring.rows, step, &records.list).cloned().collect();
    let gained = records.gained_seats(step);
    match &candidates[..] {
        // The account has enough new seats for another row, which the list may lack: either row may be the key's. Or this row
        // explains seats that no row explained before: the list may have lacked it when the addition was decided.
        [row] if gained < 0 || holds_seats(gained, row.seats) => {
            Open::turn(intent, IntentPhase::NeedsReview, State::Review)
        }
        [row] => {
            records.bind(step, row, KeyOrigin::Found);
            let open = has_row(s, intent, step, row, records);
            Open { applied: open.applied.map(|change| after_refusal(change, heard(intent, step))), ..open }
        }
        // The account has new seats and no new row: the list may lack the row of this request.
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

/// Two requests brought no row. A person must check that, with the outcomes of the requests.
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
pub(super) fn heard(intent: &Intent, step: &KeyStep) -> Vec<String> {
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

/// Several rows may be the key's, or one that the list lacks: only a person can decide. The review ends once the row is
/// listed that the account named, the spec names the row, the key is not wanted any more, or a person says that none of
/// them is the key's.
pub(super) fn review(s: &Situation<'_>, intent: &Intent, step: &KeyStep, records: &mut KeyRecords<'_>) -> Open {
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

/// Rows that are new and belong to no other key.
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

/// This object did not make a row that the account answered with and that was present before.
pub(super) fn origin(step: &KeyStep, row: &Row) -> KeyOrigin {
    if step.present.contains(&row.id) { KeyOrigin::Found } else { KeyOrigin::Added }
}

/// The key has this row, and the addition is no longer open.
fn has_row(s: &Situation<'_>, intent: &Intent, step: &KeyStep, row: &Row, records: &KeyRecords<'_>) -> Open {
    Open { applied: change(intent, step, row, records.ring.seats, s.now), ..Open::free() }
}

/// The change, with its row. A row that was present before belongs to no change.
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
