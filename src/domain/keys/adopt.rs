//! `licenseKeys[].adopt`: takes the rows that the spec names for their keys.

use super::key_states::{KeyRecords, is_of_key, same_key};
use crate::api::{KeyOrigin, KeyRecord, KeyState};

impl KeyRecords<'_> {
    /// Takes the rows that the spec names for their keys.
    pub(super) fn adopt(&mut self) {
        let ring = self.ring;
        for (i, entry) in ring.wanted.iter().enumerate() {
            let (Some(adopt), Ok(fingerprint)) = (&entry.adopt, &entry.fingerprint) else { continue };
            let Some(row) = ring.row(Some(adopt.id), Some(&adopt.uuid)) else { continue };
            let proven =
                |record: &KeyRecord| record.origin == Some(KeyOrigin::Added) && record.state != KeyState::Removed;
            let mine = self.list.iter().find(|record| is_of_key(record, entry));
            let mine_is_listed = mine.is_some_and(|record| ring.row(record.id, record.uuid.as_deref()).is_some());
            let elsewhere = self.list.iter().any(|record| {
                let of_another = ring.wanted.iter().any(|other| !same_key(other, entry) && is_of_key(record, other));
                row.is(record.id, record.uuid.as_deref()) && of_another
            });
            if self.is_twin(i) || elsewhere || (mine_is_listed && mine.is_some_and(proven)) {
                continue;
            }
            let record = self.record(entry.reference.clone(), fingerprint, row, KeyOrigin::Adopted);
            self.put(record);
        }
    }
}
