//! The license as a whole, made from its keys: whether it is in force, and when its end is noticed.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::is_removed;
use super::key_record::bound;
use super::key_states::{KeyRecords, Standing};
use super::license_list::{KeyRing, Row};
use crate::api::{KeyOrigin, KeyRecord, KeyState, KeysOf, License, LicenseState};
use crate::domain::Situation;
use crate::domain::license_validity::last_moment;

/// How many keys a status shows at most. Those of the spec come first, and there are fewer.
const MOST_SHOWN: usize = 100;

/// The license for the status.
pub(super) fn license(s: &Situation<'_>, ring: &KeyRing, records: &KeyRecords<'_>, own: KeysOf) -> License {
    let in_force = |row: &&Row| !is_removed(row, records) && state_of(row, s.now) == KeyState::Active;
    let live: Vec<&Row> = ring.rows.iter().filter(in_force).collect();
    // An account that accepts users honors a license that is expired by this clock.
    let takes_users = ring.can_add_user == Some(true) && ring.seats > 0;
    let state = match live[..] {
        // The list may not show that a key is not honored. The seats show it.
        [_, ..] if ring.seats == 0 && live.iter().any(|row| row.seats != Some(0)) => LicenseState::Invalidated,
        [_, ..] => LicenseState::Active,
        [] => {
            let expired = ring.rows.iter().any(|row| state_of(row, s.now) == KeyState::Expired);
            match () {
                () if expired && takes_users => LicenseState::Active,
                () if expired || records.list.iter().any(|r| r.state == KeyState::Expired) => LicenseState::Expired,
                () if ring.rows.is_empty() => LicenseState::Absent,
                () => LicenseState::Invalidated,
            }
        }
    };
    let need = s.seen.usage.count().max(s.desired.seats).unwrap_or_default();
    let last = ring.rows.iter().filter_map(|row| row.expires).max();
    // An unknown value of a row leaves nothing.
    let sure: Vec<&Row> = live.iter().copied().filter(|row| row.odd.is_none()).collect();
    let expires_at = if live.is_empty() { last } else { noticed_end(&sure, ring.seats, need) };
    License {
        expires_at: expires_at.filter(|_| state != LicenseState::Absent).map(Time),
        hard_seats: ring.hard_seats,
        can_add_user: ring.can_add_user,
        reported_users: ring.reported_users,
        keys: keys(ring, records, s.now),
        keys_of: Some(own),
        ..License::of(state)
    }
}

/// The first end of a key after which fewer seats would be left than are used or wanted, or fewer features, or no key. If another
/// key replaces a key that ends, there is no reason to warn.
fn noticed_end(live: &[&Row], seats: i32, need: i32) -> Option<Timestamp> {
    let mut ends: Vec<Timestamp> = live.iter().filter_map(|row| row.expires).collect();
    ends.sort_unstable();
    let for_ever = live.iter().any(|row| row.expires.is_none());
    let last = ends.last().copied().filter(|_| !for_ever);
    let ended = |end: Timestamp| move |row: &Row| row.expires.is_some_and(|expires| expires <= end);
    let short = |end: &Timestamp| {
        let gone: Vec<&Row> = live.iter().copied().filter(|row| ended(*end)(row)).collect();
        left_without(live, seats, ended(*end)) < need || !lost_features(live, &gone).is_none()
    };
    ends.into_iter().find(short).or(last)
}

/// The features that end with rows.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Lost<'a> {
    /// Nothing.
    None,
    /// These features, which no row in force that stays has.
    Features(Vec<&'a str>),
    /// The features of a row are not known.
    Unknown,
}

impl Lost<'_> {
    pub(super) fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// The features that would be lost with some of the rows in force. A row that does not show its features proves none.
pub(super) fn lost_features<'a>(live: &[&Row], gone: &[&'a Row]) -> Lost<'a> {
    let goes = |row: &Row| gone.iter().any(|other| other.is(Some(row.id), Some(&row.uuid)));
    let stay: Vec<&String> =
        live.iter().filter(|row| !goes(row)).flat_map(|row| row.features.iter().flatten()).collect();
    if gone.iter().any(|row| row.features.is_none()) {
        return Lost::Unknown;
    }
    let all = gone.iter().flat_map(|row| row.features.iter().flatten());
    let mut lost: Vec<&str> = all.filter(|feature| !stay.contains(feature)).map(String::as_str).collect();
    lost.sort_unstable();
    lost.dedup();
    if lost.is_empty() { Lost::None } else { Lost::Features(lost) }
}

/// How many seats certainly stay without some of the rows in force. The vendor does not document how keys add up, so the smaller number
/// counts: the account's total without their seats, or the sum of the other rows. A row without shown seats adds none.
pub(super) fn left_without(live: &[&Row], seats: i32, goes: impl Fn(&Row) -> bool) -> i32 {
    let (gone, stay): (Vec<&Row>, Vec<&Row>) = live.iter().copied().partition(|row| goes(row));
    let sum = |rows: &[&Row], unknown: i32| {
        rows.iter().fold(0_i32, |sum, row| sum.saturating_add(row.seats.unwrap_or(unknown)))
    };
    seats.saturating_sub(sum(&gone, i32::MAX)).min(sum(&stay, 0))
}

/// Whether seats would be short at a moment with the rows that are there: of what is used, or of what the spec asks.
pub(in crate::domain) fn is_short_at(s: &Situation<'_>, ring: &KeyRing, at: Timestamp) -> bool {
    let need = s.seen.usage.count().max(s.desired.seats).unwrap_or_default();
    let live: Vec<&Row> = ring.rows.iter().filter(|row| state_of(row, s.now) == KeyState::Active).collect();
    left_without(&live, ring.seats, |row| row.expires.is_some_and(|expires| expires <= at)) < need
}

/// Keys of the spec in its order, then those that this object knows besides, then those of other objects and people.
fn keys(ring: &KeyRing, records: &KeyRecords<'_>, now: Timestamp) -> Vec<KeyRecord> {
    let mut keys: Vec<KeyRecord> = Vec::new();
    for (i, entry) in ring.wanted.iter().enumerate() {
        let known = records.list.iter().find(|record| record.secret_key_ref.as_ref() == Some(&entry.reference));
        let state = match records.standing(i) {
            Standing::Unreadable(_) if known.is_none() => KeyState::Unreadable,
            Standing::New | Standing::NoSuchRow => KeyState::Pending,
            _ => continue,
        };
        keys.push(KeyRecord {
            secret_key_ref: Some(entry.reference.clone()),
            fingerprint: entry.fingerprint.clone().ok(),
            id: None,
            uuid: None,
            origin: None,
            state,
            seats: None,
            expires_at: None,
            hard_expiration: None,
            features: Vec::new(),
            asked: None,
        });
    }
    let place = |record: &KeyRecord| {
        let of = |entry: &super::WantedKey| record.secret_key_ref.as_ref() == Some(&entry.reference);
        (!records.is_wanted(record), ring.wanted.iter().position(of).unwrap_or(usize::MAX), records.rank(record))
    };
    keys.extend(records.list.iter().cloned());
    keys.sort_by_key(place);
    let foreign = ring.rows.iter().filter(|row| !records.owns(row));
    let foreign = foreign.map(|row| KeyRecord { fingerprint: None, ..bound(None, "", row, KeyOrigin::Foreign, now) });
    keys.extend(foreign);
    keys.truncate(MOST_SHOWN);
    keys
}

/// Whether the reported end of a license blocks (`Some(true)`) or only warns.
pub(in crate::domain) fn ends_hard(license: &License) -> Option<bool> {
    let ends = license.expires_at.as_ref()?;
    let of_end = license.keys.iter().filter(|key| key.expires_at.as_ref() == Some(ends));
    let known: Option<Vec<bool>> = of_end.map(|key| key.hard_expiration).collect();
    // One end that blocks is enough.
    known.filter(|known| !known.is_empty()).map(|known| known.contains(&true))
}

/// A sentence where the two counts of users differ.
pub(in crate::domain) fn used_differs(license: Option<&License>, used: Option<i32>) -> Option<String> {
    let (reported, used) = license.and_then(|license| license.reported_users).zip(used)?;
    (reported != used)
        .then(|| format!("the license counts {used} active users; the usage report has {reported} users in all"))
}

/// The state of a listed row, from what it shows and the clock: the list does not say `expired`.
pub(super) fn state_of(row: &Row, now: Timestamp) -> KeyState {
    if row.invalidated {
        KeyState::Invalidated
    } else if row.expires.is_some_and(|expires| last_moment(expires) <= now) {
        KeyState::Expired
    } else {
        KeyState::Active
    }
}

/// Whether a row certainly counts: a possible last day is not enough.
pub(super) fn surely_counts(row: &Row, now: Timestamp) -> bool {
    !row.invalidated && row.expires.is_none_or(|expires| expires > now)
}
