//! Keeps what was done at the vendor after a write by another writer: it is written over the stored status.

use crate::api::LicenseSeatsStatus;

/// The part of a record that is written if another writer wrote since the reading: what was done at the vendor, over the stored
/// status. `ours`: the intent of the record as it was read or written last. Returns `None` if the stored intent is another one: then
/// nothing is written.
pub fn over_another_write(
    stored: LicenseSeatsStatus,
    ours: Option<&str>,
    record: &LicenseSeatsStatus,
) -> Option<LicenseSeatsStatus> {
    let ours = ours.filter(|ours| stored.intent.as_ref().is_some_and(|intent| intent.id == *ours));
    ours.map(|_| LicenseSeatsStatus {
        intent: record.intent.clone(),
        history: record.history.clone(),
        // The records of license keys are proof too: without them a key would be added again.
        license: record.license.clone(),
        // So is the number that may be billed: no other record has an intent that this record drops.
        may_bill: record.may_bill.clone(),
        // So are the count of a window, and the plan that was used up.
        window: record.window.clone(),
        // So are the seats with which the account was in sync, which a change of ours changes.
        sizing: record.sizing.clone(),
        last_plan: record.last_plan.clone(),
        agreed_seats: record.agreed_seats,
        ..stored
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A record with this intent, and with words of its own in each field.
    fn record(intent: Option<&str>, word: &str) -> LicenseSeatsStatus {
        let change = |id: &str| {
            json!({
                "id": id, "account": "h/i", "step": { "seats": { "from": 100, "to": 150 } }, "generation": 1, "attempt": 1,
                "reason": "SpecDiffers", "time": "2026-10-01T08:00:00Z", "objectUid": "uid", "phase": "Open",
            })
        };
        let status = json!({
            "intent": intent.map(change), "history": [change(word)], "license": { "state": "Active", "message": word },
            "mayBill": { "id": word, "account": "h/i", "seats": 150 }, "summary": word,
            "sizing": { "account": "h/i", "used": word.len(), "wanted": 9 },
            "lastPlan": { "number": word.len(), "id": word, "step": { "seats": { "from": 100, "to": 150 } }, "of": word },
            "agreedSeats": word.len(),
            "window": { "openedAt": "2026-12-01T06:00:00Z", "closesAt": "2026-12-01T10:00:00Z", "changes": word.len() },
        });
        serde_json::from_value(status).unwrap()
    }

    #[test]
    fn only_vendor_effects_are_merged_over_another_write() {
        let (stored, ours) = (record(Some("open"), "stored"), record(None, "ours"));
        let written = over_another_write(stored.clone(), Some("open"), &ours).unwrap();
        let LicenseSeatsStatus { intent, history, license, may_bill, window, sizing, last_plan, agreed_seats, .. } =
            ours;
        let expected = LicenseSeatsStatus { intent, history, license, may_bill, window, ..stored };
        assert_eq!(written, LicenseSeatsStatus { sizing, last_plan, agreed_seats, ..expected });
    }

    #[test]
    fn write_of_person_with_other_intent_or_none_is_kept_whole() {
        let ours = record(None, "ours");
        for (stored, known) in
            [(Some("another"), Some("open")), (None, Some("open")), (Some("open"), None), (None, None)]
        {
            assert_eq!(over_another_write(record(stored, "stored"), known, &ours), None, "{stored:?}, {known:?}");
        }
    }
}
