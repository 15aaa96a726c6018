//! One record of a license key: how it is made from a row, and how a list of them takes it in. Used by `key_states` and `write_result`.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::expiry::state_of;
use super::fingerprint::same;
use super::license_list::Row;
use crate::api::{KeyAsked, KeyOrigin, KeyRecord, KeyState, KeyStep};

/// The record of a key whose row is known.
pub(super) fn bound(
    reference: Option<crate::api::SecretKeyRef>,
    fingerprint: &str,
    row: &Row,
    origin: KeyOrigin,
    now: Timestamp,
) -> KeyRecord {
    KeyRecord {
        secret_key_ref: reference,
        fingerprint: Some(fingerprint.to_owned()),
        id: Some(row.id),
        uuid: Some(row.uuid.clone()),
        origin: Some(origin),
        state: state_of(row, now),
        seats: row.seats,
        expires_at: row.expires.map(Time),
        hard_expiration: row.hard,
        features: row.features.clone().unwrap_or_default(),
        asked: None,
    }
}

/// Replaces all other records of its key or its row.
pub(super) fn put(records: &mut Vec<KeyRecord>, record: KeyRecord) {
    let of_key = |other: &KeyRecord| match (&other.fingerprint, &record.fingerprint) {
        (Some(one), Some(other)) => same(one, other),
        _ => false,
    };
    let of_row = |other: &KeyRecord| other.id.is_some() && (other.id, &other.uuid) == (record.id, &record.uuid);
    records.retain(|other| !of_key(other) && !of_row(other));
    records.push(record);
}

/// Records that the account has no new row for a key, and the requests that a person must check. The known facts about its row stay,
/// because the list may show the row again.
pub(super) fn refuse(records: &mut Vec<KeyRecord>, step: &KeyStep, state: KeyState, asked: Option<KeyAsked>) {
    let of_step = |record: &&mut KeyRecord| match (&record.fingerprint, &step.fingerprint) {
        (Some(one), Some(other)) => record.id.is_some() && record.state != KeyState::Removed && same(one, other),
        _ => false,
    };
    match records.iter_mut().find(of_step) {
        Some(known) => (known.state, known.asked) = (state, asked),
        None => put(records, KeyRecord { asked, ..rowless(step, state) }),
    }
}

/// The record of a key without a row.
pub(super) fn rowless(step: &KeyStep, state: KeyState) -> KeyRecord {
    KeyRecord {
        secret_key_ref: step.secret_key_ref.clone(),
        fingerprint: step.fingerprint.clone(),
        id: None,
        uuid: None,
        origin: None,
        state,
        seats: None,
        expires_at: None,
        hard_expiration: None,
        features: Vec::new(),
        asked: None,
    }
}
