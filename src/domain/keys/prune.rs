//! Which row may be removed: every rule that must hold, each with its sentence.

use super::expiry::{Lost, left_without, lost_features, surely_counts};
use super::is_live;
use super::key_states::{KeyRecords, Standing};
use super::license_list::{KeyRing, Row};
use crate::api::{KeyOrigin, KeyRecord, KeyState};
use crate::domain::{Goal, Situation};

/// The next step for keys that are no longer listed.
pub(super) enum Retirement<'a> {
    /// Nothing.
    None,
    /// This one may be removed.
    Of(&'a KeyRecord),
    /// A row should be removed, and may not be.
    Blocked(String),
}

/// The row to remove, if one may be.
pub(super) fn retirement<'a>(
    s: &Situation<'_>,
    ring: &KeyRing,
    records: &'a KeyRecords<'_>,
    standings: &[Standing<'_>],
) -> Retirement<'a> {
    let Goal::Keys { prune: true, .. } = s.desired.pool.goal else { return Retirement::None };
    let unlisted = records.list.iter().filter(|record| {
        let listed_there = ring.row(record.id, record.uuid.as_deref()).is_some();
        listed_there && record.state != KeyState::Removed && !records.is_wanted(record)
    });
    let mut blocked = None;
    for record in unlisted {
        match obstacle(s, ring, records, standings, record) {
            None => return Retirement::Of(record),
            Some(why) => {
                blocked.get_or_insert_with(|| {
                    let (id, uuid) = (record.id.unwrap_or_default(), record.uuid.as_deref().unwrap_or_default());
                    format!("row {id} ({uuid}) is not listed any more and stays: {why}")
                });
            }
        }
    }
    blocked.map_or(Retirement::None, Retirement::Blocked)
}

fn obstacle(
    s: &Situation<'_>,
    ring: &KeyRing,
    records: &KeyRecords<'_>,
    standings: &[Standing<'_>],
    record: &KeyRecord,
) -> Option<String> {
    let words = s.desired.pool.vendor;
    if !matches!(record.origin, Some(KeyOrigin::Added | KeyOrigin::Adopted)) {
        let (id, uuid) = (record.id.unwrap_or_default(), record.uuid.as_deref().unwrap_or_default());
        return Some(format!(
            "it is not proven that this object added it: if it is yours, list its key again and name id {id} and uuid {uuid} in \
             licenseKeys[].adopt of its entry, and remove the entry once Ready is true; or remove the row in {}",
            words.name
        ));
    }
    // A record that was edited by hand may give the row to several keys, one of which may be listed.
    if records.list.iter().filter(|other| (other.id, &other.uuid) == (record.id, &record.uuid)).count() > 1 {
        return Some(format!("several records name it, so its owner is not proven: remove the row in {}", words.name));
    }
    let surely = |r: &KeyRecord| ring.row(r.id, r.uuid.as_deref()).is_some_and(|row| surely_counts(row, s.now));
    let in_force = |standing: &Standing<'_>| matches!(standing, Standing::Listed(r) if surely(r));
    if standings.is_empty() || !standings.iter().all(in_force) {
        return Some(format!("Seatkeeper removes it once every listed key is in force at the {}", words.account));
    }
    if let Some(why) = ring.odd(words.account) {
        return Some(why);
    }
    let this = |row: &&Row| row.is(record.id, record.uuid.as_deref());
    if !ring.rows.iter().any(|row| !this(&row) && is_live(row, records, s.now)) {
        return Some("it is the last valid key".into());
    }
    let row = ring.row(record.id, record.uuid.as_deref())?;
    // Removing a row without seats takes none.
    let spent = !is_live(row, records, s.now) && records.gives(row) == Some(0);
    features(s, records, row, spent).or_else(|| if spent { None } else { needed(s, ring, records, row) })
}

/// What blocks a removal, except for seats. A row that is not honored, or whose seats have ended, enables no feature.
fn features(s: &Situation<'_>, records: &KeyRecords<'_>, row: &Row, spent: bool) -> Option<String> {
    if spent && (row.invalidated || row.seats.is_some_and(|seats| seats > 0)) {
        return None;
    }
    let live: Vec<&Row> = records.ring.rows.iter().filter(|row| is_live(row, records, s.now)).collect();
    match lost_features(&live, &[row]) {
        Lost::None => None,
        Lost::Features(names) => {
            let (what, is) = if names.len() == 1 { ("feature", "is") } else { ("features", "are") };
            Some(format!("the {what} {} {is} in no other valid key", names.join(", ")))
        }
        Lost::Unknown => Some(format!(
            "the {} shows the features of the row in an unknown form, and no other key may have them",
            s.desired.pool.vendor.account
        )),
    }
}

/// Why the seats of a row may not be removed.
fn needed(s: &Situation<'_>, ring: &KeyRing, records: &KeyRecords<'_>, row: &Row) -> Option<String> {
    let words = s.desired.pool.vendor;
    if ring.can_add_user != Some(true) {
        return Some(format!("the {} {}, so it has no seats to spare", words.account, words.full));
    }
    let Some(used) = s.seen.usage.count() else { return Some("the seats in use could not be read".into()) };
    let Some(seats) = row.seats else {
        return Some(format!("the {} does not show how many seats it has", words.account));
    };
    let need = [Some(used), s.desired.seats, s.desired.guardrails.min_seats].into_iter().flatten().max().unwrap_or(0);
    let this = |other: &Row| other.is(Some(row.id), Some(&row.uuid));
    let live: Vec<&Row> = ring.rows.iter().filter(|row| this(row) || is_live(row, records, s.now)).collect();
    let left = left_without(&live, ring.seats, this);
    (left < need).then(|| {
        format!(
            "without its {seats} seats {left} would be left, and {need} are needed (in use, spec.seats or minSeats)"
        )
    })
}
