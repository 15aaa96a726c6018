//! Proof of what was done at the vendor, kept if the apiserver did not store it: the changes that were made, and the records of
//! license keys. A later pass records it, and nothing more is sent before. `record` keeps it, and `gather` adds it to the status
//! that it reads.

use super::Error;
use crate::api::{Change, License, LicenseSeatsStatus};

/// The proof of one object, from one term of leadership: another leader may have done more since.
#[derive(Clone, Debug)]
pub(super) struct Proof {
    term: u64,
    history: Vec<Change>,
    license: Option<License>,
}

impl Proof {
    /// The proof that is unrecorded after this attempt. `None` if the attempt succeeded, or if no proof was unrecorded before and
    /// the attempt failed for another reason than a status that is not stored whole.
    pub fn after<T>(
        before: Option<&Self>,
        written: &Result<T, Error>,
        status: &LicenseSeatsStatus,
        term: u64,
    ) -> Option<Self> {
        match written {
            Ok(_) => None,
            Err(error) if before.is_some() || matches!(error, Error::NotStored(_)) => {
                Some(Self { term, history: status.history.clone(), license: status.license.clone() })
            }
            Err(_) => None,
        }
    }

    /// Adds the proof to a status that was read without it.
    pub fn restore(&self, read: LicenseSeatsStatus, term: u64) -> LicenseSeatsStatus {
        if self.term == term {
            LicenseSeatsStatus { history: self.history.clone(), license: self.license.clone(), ..read }
        } else {
            read
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn made() -> LicenseSeatsStatus {
        let change = json!({
            "id": "c", "account": "h/i", "from": 100, "to": 150, "generation": 1, "attempt": 1, "reason": "SpecDiffers",
            "time": "2026-10-01T08:00:00Z",
        });
        serde_json::from_value(json!({ "history": [change], "license": { "state": "Active" } })).unwrap()
    }

    fn not_stored() -> Result<(), Error> {
        Err(Error::NotStored(vec!["status.history".into()]))
    }

    #[test]
    fn unrecorded_change_is_known_until_recorded() {
        let proof = Proof::after(None, &not_stored(), &made(), 3);
        let read = proof.clone().unwrap().restore(LicenseSeatsStatus::default(), 3);
        assert_eq!((read.history, read.license), (made().history, made().license));
        assert!(Proof::after(proof.as_ref(), &Err::<(), _>(Error::Conflict), &made(), 3).is_some());
        assert!(Proof::after(proof.as_ref(), &Ok(()), &made(), 3).is_none());
    }

    #[test]
    fn change_stored_without_answer_is_not_removed_from_record_again() {
        let mut both = made();
        let newer = Change { id: "newer".into(), ..both.history[0].clone() };
        both.history.insert(0, newer);
        let first = Proof::after(None, &not_stored(), &made(), 3);
        let second = Proof::after(first.as_ref(), &Err::<(), _>(Error::Conflict), &both, 3).unwrap();
        let read = second.restore(both.clone(), 3);
        assert_eq!(read.history, both.history);
    }

    #[test]
    fn change_unrecorded_in_former_term_does_not_overwrite_other_leaders_work() {
        let proof = Proof::after(None, &not_stored(), &made(), 3).unwrap();
        let read = proof.restore(LicenseSeatsStatus::default(), 4);
        assert_eq!(read, LicenseSeatsStatus::default());
    }
}
