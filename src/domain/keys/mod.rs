//! License keys as desired state: computes the next step from the listed keys, the rows of the account, and the records of both.
//! Called by `decision`.
//!
//! A key is added once. The intent records the present rows first, and a new row is recognized afterwards. If no row can be
//! identified, a person is asked. A row is removed only if this object added it, or if the spec adopts it.

mod adopt;
mod expiry;
mod fingerprint;
mod key_record;
mod key_states;
mod license_list;
mod messages;
mod new_row;
mod prune;
mod removed_row;
mod write_result;

pub(super) use expiry::{ends_hard, is_short_at, used_differs};
pub use fingerprint::fingerprint;
pub use license_list::{KeyRing, Row, WantedKey};
pub(super) use messages::{object_of, ready, refusal, step_done, step_words};
pub use write_result::{AfterKeyWrite, after_key_write};

use super::protocol::Wait;
use super::protocol::{Open, State, WaitFor, settling, wait, wait_of};
use super::wanted_change::{Look, Move, Next, Rest, Settle};
use super::{Numbers, Situation};
use crate::api::{Intent, IntentPhase, KeyRecord, KeyState, KeyStep, KeysOf, Step, Trigger};
use key_states::{KeyRecords, Standing};
use messages::Trouble;
use prune::Retirement;

/// Why the keys are not as listed, or the seats not enough, if a person must act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    /// A condition reason.
    pub reason: &'static str,
    /// A few words for the STATUS column.
    pub summary: String,
    /// Sentences, the most important first.
    pub message: String,
    /// A change of a Secret may help.
    pub secret_may_help: bool,
    /// The only fault is missing or incomplete Secrets, as at the start of a GitOps tool.
    pub arrives: bool,
}

/// Judges the open change of a license key and returns what is next, if nothing blocks it.
pub(super) fn look(s: &Situation<'_>, ring: &KeyRing) -> Look {
    let own = KeysOf { object_uid: s.uid.to_owned(), account: s.seen.account_key() };
    let mut records = KeyRecords::of(ring, s.license, &own, s.now);
    records.take_answers(|question| s.confirms(question));
    let mut open = judge(s, &mut records);
    if let State::Wait(wait) = &mut open.state {
        // The loss of a row says nothing about the other listed keys.
        wait.visible = false;
    }
    let next = match &open.state {
        State::Free { .. } => next(s, ring, &records, open.repeat.as_ref()),
        State::Wait(_) | State::Rejected | State::Review => Next::Rest(Rest::InSync),
    };
    let seats = s.desired.seats.filter(|seats| *seats != ring.seats);
    let wanted = seats.map(|seats| Numbers { seats, limit: None });
    let lost = messages::lost(&records);
    let license = Some(expiry::license(s, ring, &records, own));
    Look { open, next, meanwhile: None, wanted, license, lost }
}

/// Judges the recorded intent by the account's list, and records the findings.
fn judge(s: &Situation<'_>, records: &mut KeyRecords<'_>) -> Open {
    let Some(intent) = &s.recorded() else { return Open::free() };
    let step = match &intent.step {
        Step::AddKey(step) | Step::RemoveKey(step) if intent.account == s.seen.account_key() => {
            translated(s, intent, step, records)
        }
        // The intent is about another account, or about no key. Once no request can be in flight there, it does not matter.
        _ if !intent.is_open() => return Open::keep(intent, State::Free { attempt: 1 }),
        _ => return settling(s, intent).map_or_else(Open::free, |left| Open::wait(intent, left)),
    };
    let adds = matches!(intent.step, Step::AddKey(_));
    match intent.phase {
        IntentPhase::WithoutEffect if s.edited_since(intent) => Open::free(),
        IntentPhase::NeedsReview => new_row::review(s, intent, &step, records),
        IntentPhase::Rejected => {
            let listed = records.ring.row(step.id, step.uuid.as_deref()).is_some();
            let gone = !listed && !removed_row::may_be_hidden(records, &step);
            let confirmed = s.confirms(&intent.id);
            if s.edited_since(intent) || confirmed || gone {
                Open::free()
            } else {
                removed_row::refused(s, Open::keep(intent, State::Rejected))
            }
        }
        IntentPhase::Settling => wait(s, WaitFor::Request(intent.id.clone()), s.timing.unanswered)
            .map_or_else(Open::free, |left| Open::wait(intent, left)),
        _ if adds => new_row::added(s, intent, &step, records),
        _ => removed_row::removed(s, intent, &step, records),
    }
}

/// The next step: additions come first, a removal last.
fn next(s: &Situation<'_>, ring: &KeyRing, records: &KeyRecords<'_>, repeat: Option<&Step>) -> Next {
    let standings: Vec<Standing<'_>> = (0..ring.wanted.len()).map(|i| records.standing(i)).collect();
    let adds = |i: usize, reason, settle| Next::Move(Box::new(change(add(records, i, repeat), reason, repeat, settle)));
    let is_new = |i: &usize| matches!(standings[*i], Standing::New | Standing::GivenUp);
    let is_lost = |i: &usize| matches!(standings[*i], Standing::Lost(_));
    let is_repeated = |i: &usize| match repeat {
        Some(Step::AddKey(step)) => step.fingerprint == ring.wanted[*i].fingerprint.clone().ok(),
        _ => false,
    };
    // A repeat comes first: after another addition its decision would be forgotten, and get a third request.
    let each = || 0..standings.len();
    let mut repeated = each().filter(|i| is_repeated(i) && (is_new(i) || is_lost(i)));
    match repeated.next().or_else(|| each().find(is_new)).or_else(|| each().find(is_lost)) {
        Some(i) if is_lost(&i) => {
            // One short list must not add a key again.
            let again = wait(s, WaitFor::Missing(ring.sight()), s.timing.pause).filter(|_| repeat.is_none());
            return adds(i, Trigger::ExternalChange, again.map_or(Settle::Done, Settle::Wait));
        }
        Some(i) => return adds(i, Trigger::SpecDiffers, Settle::Done),
        None => {}
    }
    let mut troubles = messages::troubles(s.desired.pool.vendor, records, &standings);
    match prune::retirement(s, ring, records, &standings) {
        Retirement::Of(record) => {
            return Next::Move(Box::new(change(remove(records, record), Trigger::SpecDiffers, repeat, Settle::Done)));
        }
        Retirement::Blocked(why) => troubles.push(Trouble::prune_blocked(&why)),
        Retirement::None => {}
    }
    troubles.extend(messages::short(s.desired.pool.vendor, s.desired.seats, ring.seats));
    Next::Rest(if troubles.is_empty() { Rest::InSync } else { Rest::Lacking(messages::lack(troubles)) })
}

fn change(step: Step, reason: Trigger, repeat: Option<&Step>, settle: Settle) -> Move {
    let again = match (&step, repeat) {
        (Step::AddKey(one), Some(Step::AddKey(other))) => one.fingerprint == other.fingerprint,
        (Step::RemoveKey(one), Some(Step::RemoveKey(other))) => (one.id, &one.uuid) == (other.id, &other.uuid),
        _ => false,
    };
    Move {
        step,
        reason,
        attempt: if again { 2 } else { 1 },
        answered: 0,
        not_before: None,
        drifted: None,
        settle,
        keeps_clock: true,
    }
}

fn add(records: &KeyRecords<'_>, i: usize, repeat: Option<&Step>) -> Step {
    let ring = records.ring;
    let fingerprint = ring.wanted[i].fingerprint.clone().ok();
    let first = match repeat {
        Some(Step::AddKey(first)) if first.fingerprint == fingerprint => first.heard.clone(),
        _ => Vec::new(),
    };
    Step::AddKey(KeyStep {
        from: ring.seats,
        // Its seats are known only after it is added.
        to: ring.seats,
        secret_key_ref: Some(ring.wanted[i].reference.clone()),
        fingerprint,
        present: ring.rows.iter().map(|row| row.id).collect(),
        id: None,
        uuid: None,
        unexplained: Some(records.unexplained()),
        heard: first,
    })
}

fn remove(records: &KeyRecords<'_>, record: &KeyRecord) -> Step {
    let row = records.ring.row(record.id, record.uuid.as_deref());
    let gives = row.and_then(|row| records.gives(row)).or(record.seats).unwrap_or_default();
    Step::RemoveKey(KeyStep {
        from: records.ring.seats,
        to: records.ring.seats.saturating_sub(gives),
        secret_key_ref: record.secret_key_ref.clone(),
        fingerprint: record.fingerprint.clone(),
        present: Vec::new(),
        id: record.id,
        uuid: record.uuid.clone(),
        unexplained: None,
        heard: Vec::new(),
    })
}

/// Whether the key of a row still counts. Other rows never justify the removal of the last one that does.
fn is_live(row: &Row, records: &KeyRecords<'_>, now: jiff::Timestamp) -> bool {
    !is_removed(row, records) && expiry::surely_counts(row, now)
}

fn is_removed(row: &Row, records: &KeyRecords<'_>) -> bool {
    let of_row = |record: &KeyRecord| row.is(record.id, record.uuid.as_deref());
    records.list.iter().any(|record| record.state == KeyState::Removed && of_row(record))
}

/// The request had no effect. The record keeps its own words, and the repeat is of the step in this object's words.
fn again(intent: &Intent, step: &KeyStep) -> Open {
    let kept = Open::repeat(intent, intent.step.clone());
    let step = KeyStep { heard: new_row::heard(intent, step), ..step.clone() };
    Open { repeat: Some(with(intent, step).step), ..kept }
}

/// The key of an intent as it is recorded, in whatever words.
fn recorded(intent: &Intent, step: &KeyStep) -> KeyStep {
    intent.step.key().unwrap_or(step).clone()
}

/// The intent with another key step of the same kind.
fn with(intent: &Intent, step: KeyStep) -> Intent {
    let step = match intent.step {
        Step::RemoveKey(_) => Step::RemoveKey(step),
        Step::AddKey(_) | Step::Seats(_) => Step::AddKey(step),
    };
    Intent { step, ..intent.clone() }
}

/// The step in this object's words: a fingerprint of another object, in a restored record, says nothing here.
fn translated(s: &Situation<'_>, intent: &Intent, step: &KeyStep, records: &KeyRecords<'_>) -> KeyStep {
    if intent.object_uid == s.uid {
        return step.clone();
    }
    let entry = records.ring.wanted.iter().find(|entry| step.secret_key_ref.as_ref() == Some(&entry.reference));
    KeyStep { fingerprint: entry.and_then(|entry| entry.fingerprint.clone().ok()), ..step.clone() }
}

/// The wait before the list proves anything: the settle time, and then two readings that agree.
fn settled(s: &Situation<'_>, intent: &Intent, records: &KeyRecords<'_>) -> Option<Wait> {
    if intent.phase == IntentPhase::WithoutEffect {
        return None;
    }
    let begun = |of: &WaitFor| *of == wait_of(intent);
    let begun = s.elapsed.is_some_and(|e| matches!(&e.wait, WaitFor::SecondReading { of, .. } if begun(of)));
    let agree = WaitFor::SecondReading { of: Box::new(wait_of(intent)), sight: records.ring.sight() };
    settling(s, intent).filter(|_| !begun).or_else(|| wait(s, agree, s.timing.pause))
}
