//! Whether the row of a removed license key is gone from the account's list.

use super::key_states::KeyRecords;
use super::license_list::KeyRing;
use super::messages::{self, Trouble};
use super::{again, recorded, settled, with};
use crate::api::{Intent, IntentPhase, KeyRecord, KeyState, KeyStep};
use crate::domain::Situation;
use crate::domain::outcome::applied;
use crate::domain::protocol::{Open, State, Wait, WaitFor, wait};

/// The account does not remove a row.
pub(super) fn refused(s: &Situation<'_>, open: Open) -> Open {
    let lack = messages::lack(vec![Trouble::removal_refused(s.desired.pool.vendor, open.intent.as_ref())]);
    Open { lack: Some(lack), ..open }
}

/// Judges an open removal.
pub(super) fn removed(s: &Situation<'_>, intent: &Intent, step: &KeyStep, records: &mut KeyRecords<'_>) -> Open {
    let ring = records.ring;
    // One reading is no proof, whether it has the row or lacks it.
    if let Some(left) = settled(s, intent, records).or_else(|| seen_once(s, intent, step, records)) {
        return Open::wait(intent, left);
    }
    let done = || Open::done(applied(&with(intent, KeyStep { to: ring.seats, ..recorded(intent, step) }), s.now));
    let listed = ring.row(step.id, step.uuid.as_deref()).is_some();
    if !listed && may_be_hidden(records, step) {
        // The list may lack the row. It does not count as removed, and is judged anew if the list shows it again.
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

/// Whether the account may still count the seats of a row that should be removed. A row without seats leaves nothing to count.
pub(super) fn may_be_hidden(records: &KeyRecords<'_>, step: &KeyStep) -> bool {
    let gives = step.from.saturating_sub(step.to);
    gives != 0 && records.counts(Some(gives))
}

/// A row that is gone, or no longer counted, after a removal counted as without effect: two readings must show that too.
fn seen_once(s: &Situation<'_>, intent: &Intent, step: &KeyStep, records: &KeyRecords<'_>) -> Option<Wait> {
    let vanished = intent.phase == IntentPhase::WithoutEffect && is_gone(records.ring, step);
    vanished.then(|| wait(s, WaitFor::Missing(records.ring.sight()), s.timing.pause)).flatten()
}

/// Whether one reading shows that the row of a removal is gone: it is not listed, or its seats are no longer counted.
pub(super) fn is_gone(ring: &KeyRing, step: &KeyStep) -> bool {
    match ring.row(step.id, step.uuid.as_deref()) {
        None => true,
        Some(row) => row.seats.is_some_and(|seats| seats > 0 && ring.seats <= step.from.saturating_sub(seats)),
    }
}

/// Marks the record of a removed row: it is never removed a second time, and gone once it is no longer listed.
pub(super) fn retire(records: &mut [KeyRecord], step: &KeyStep) {
    for record in records.iter_mut().filter(|record| (record.id, &record.uuid) == (step.id, &step.uuid)) {
        record.state = KeyState::Removed;
    }
}
