//! The ownership that an object wants, from its spec and its record. It reads the JSON of the record and not its type, because a
//! record of another version blocks an account too. Called by `gather`, which notes it in `shared_registry`.

use std::collections::BTreeSet;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;

use super::stored_object::StoredObject;
use crate::api::{Account, Capability, Change, DIFFERS, IntentPhase, KeyCapabilities, ManagementPolicy};
use crate::domain::{Desired, Snapshot};
use crate::registry::{Found, InFlight, Noted, Ownership, Realm, Rows, age_of};

/// How an object's account is known.
#[derive(Clone, Copy)]
pub(super) enum Sight<'a> {
    /// By the record alone, because its Secret cannot be read.
    Record,
    /// By its Secrets, if they name an account.
    Secrets(&'a Account),
    /// By the vendor, which has accepted the credentials and shown the account.
    Reading(&'a Snapshot),
}

/// The ownership of an object. While its Secret cannot be read, it keeps the account it had; one that only observes, is
/// in standby, or is being deleted, or whose credentials can change nothing there (a server whose seats come from a
/// file), wants to own nothing, unless a change from before is still open.
pub(super) fn ownership(stored: &StoredObject, desired: Option<&Desired>, sight: Sight<'_>) -> Found {
    let (record, metadata) = (stored.record(), stored.metadata());
    let leaving = metadata.deletion_timestamp.is_some();
    let recorded = record.get("account").and_then(account_in);
    let account = account(sight, recorded.as_ref());
    let open = open_in(record, account.as_deref());
    // Only a reading records the id of an account.
    let as_recorded = account.is_some() && account == recorded.as_ref().and_then(Account::key);
    let changes = match sight {
        Sight::Reading(seen) => can_change(&seen.capabilities),
        _ => !as_recorded || can_change(&capabilities_in(record)),
    };
    let observes =
        desired.is_some_and(|desired| desired.policy == ManagementPolicy::Observe || desired.stands_by().is_some());
    if open.is_none() && (leaving || observes || !changes) {
        return Found::Nothing;
    }
    let (vendor, age) = (desired.map_or("", |desired| desired.pool.vendor.key), age_of(metadata));
    let is_confirmed = as_recorded || account.is_none() || matches!(sight, Sight::Reading(_));
    let owned = account.as_deref().map(Realm::of).or_else(|| Some(open.as_ref()?.account.clone()));
    match (owned, sight) {
        (Some(account), _) => {
            let ownership = Ownership {
                vendor,
                account,
                // An account that was not read has no open change on record.
                confirmed: is_confirmed,
                pool: desired.filter(|_| !leaving).map_or("", |desired| desired.pool.name),
                age,
                // A suspended object counts too: the other objects of its account name it as the object that they wait for.
                wanted: desired.filter(|_| !leaving).and_then(|desired| wanted(desired, record)),
            };
            let read = matches!(sight, Sight::Reading(_));
            let rows = Rows { listed: listed(sight, record, as_recorded), read, differ: differ(metadata) };
            Found::Wants(Noted { ownership, open, rows })
        }
        (None, Sight::Secrets(_)) => Found::Unplaced { vendor, age },
        (None, _) => Found::Nothing,
    }
}

/// The seats that an object asks for: with sizing, those that the last pass computed.
fn wanted(desired: &Desired, record: &Value) -> Option<i32> {
    let recorded = || i32::try_from(record.get("desired")?.as_i64()?).ok();
    desired.seats.or_else(|| desired.sizing.as_ref().and_then(|_| recorded()))
}

/// Key of the account, `host/id`. Parts that the Secrets lack come from the record, at the same host.
fn account(sight: Sight<'_>, recorded: Option<&Account>) -> Option<String> {
    match sight {
        Sight::Record => recorded.and_then(Account::key),
        Sight::Secrets(named) => {
            let same = |recorded: &&Account| recorded.host == named.host;
            named.key().or_else(|| recorded.filter(same).and_then(Account::key))
        }
        Sight::Reading(seen) => seen.account.key(),
    }
}

/// The rows that a reading shows, where license keys decide.
pub(super) fn rows_of(seen: &Snapshot) -> Option<BTreeSet<String>> {
    Some(seen.keys()?.rows.iter().map(|row| row_word(row.id, &row.uuid)).collect())
}

/// The rows of the account: as read, or as the record of the last reading has them.
fn listed(sight: Sight<'_>, record: &Value, as_recorded: bool) -> Option<BTreeSet<String>> {
    if let Sight::Reading(seen) = sight {
        return rows_of(seen);
    }
    let keys = record.get("license")?.get("keys")?.as_array().filter(|_| as_recorded)?;
    let there = |key: &&Value| !matches!(key.get("state").and_then(Value::as_str), Some("Missing" | "Removed"));
    let row = |key: &Value| Some(row_word(key.get("id")?.as_i64()?, key.get("uuid")?.as_str()?));
    let rows: BTreeSet<String> = keys.iter().filter(there).filter_map(row).collect();
    // A list that may have been empty, or left out, proves nothing.
    (!rows.is_empty()).then_some(rows)
}

/// A rebuilt tenant assigns a number again, so a number names a row only together with the identifier.
fn row_word(id: i64, uuid: &str) -> String {
    format!("{id}/{uuid}")
}

/// The accounts that a person declares different from this one.
fn differ(metadata: &ObjectMeta) -> BTreeSet<String> {
    let said = metadata.annotations.as_ref().and_then(|annotations| annotations.get(DIFFERS));
    said.map_or("", String::as_str).split(',').map(|id| id.trim().to_owned()).collect()
}

/// Whether any of these keys can change the account. Without keys that is not known.
fn can_change(keys: &[KeyCapabilities]) -> bool {
    let writes = |key: &KeyCapabilities| {
        key.allows.iter().any(|allows| matches!(allows, Capability::WriteSeats | Capability::ClearLimit))
    };
    keys.is_empty() || keys.iter().any(writes)
}

fn capabilities_in(record: &Value) -> Vec<KeyCapabilities> {
    let recorded = record.get("capabilities").cloned().and_then(|recorded| serde_json::from_value(recorded).ok());
    recorded.unwrap_or_default()
}

/// The recorded change that may still be running. Its account is the one that got the request, even if the object has another one now.
fn open_in(record: &Value, otherwise: Option<&str>) -> Option<InFlight> {
    let intent = record.get("intent").filter(|intent| !intent.is_null())?;
    let phase = intent.get("phase").and_then(|phase| serde_json::from_value(phase.clone()).ok());
    // A phase that this version does not know may be an open one.
    if matches!(
        phase,
        Some(
            IntentPhase::WithoutEffect | IntentPhase::Rejected | IntentPhase::NeedsReview | IntentPhase::MadeElsewhere
        )
    ) {
        return None;
    }
    let word = |key: &str| intent.get(key).and_then(Value::as_str);
    let account = Realm::of(word("account").or(otherwise)?);
    Some(InFlight { id: word("id").unwrap_or_default().to_owned(), account })
}

/// The recorded changes that can be read, newest first.
pub(super) fn changes_in(record: &Value) -> Vec<Change> {
    let history = record.get("history").and_then(Value::as_array).into_iter().flatten();
    history.filter_map(|change| serde_json::from_value(change.clone()).ok()).collect()
}

fn account_in(recorded: &Value) -> Option<Account> {
    let word = |key: &str| recorded.get(key).and_then(Value::as_str).map(str::to_owned);
    let account = Account { vendor: word("vendor").unwrap_or_default(), host: word("host"), id: word("id") };
    account.key().is_some().then_some(account)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn open(record: &Value) -> Option<(String, Realm)> {
        open_in(record, Some("host/now")).map(|open| (open.id, open.account))
    }

    #[test]
    fn open_change_blocks_its_account_even_if_unreadable() {
        for phase in [json!("Open"), json!("Settling"), json!("Future"), json!(7), json!(null)] {
            let record = json!({ "intent": { "id": "i", "account": "host/then", "phase": phase, "from": "many" } });
            assert_eq!(open(&record), Some(("i".into(), Realm::of("host/then"))), "{phase}");
        }
        assert_eq!(open(&json!({ "intent": { "account": {} } })), Some((String::new(), Realm::of("host/now"))));
        for phase in ["WithoutEffect", "Rejected", "NeedsReview"] {
            assert_eq!(open(&json!({ "intent": { "id": "i", "account": "host/then", "phase": phase } })), None);
        }
        assert_eq!(open(&json!({ "intent": null })), None);
        assert_eq!(open(&Value::Null), None);
    }

    #[test]
    fn changes_of_record_are_read_one_by_one_even_if_its_rest_is_unreadable() {
        let change = json!({
            "id": "i", "account": "host/then", "generation": 1, "from": 1, "to": 2, "attempt": 1, "reason": "SpecDiffers",
            "time": "2026-10-01T08:00:00Z",
        });
        let record = json!({ "seats": "many", "history": [change, { "id": 7 }, change] });
        assert_eq!(changes_in(&record).iter().map(|change| change.id.as_str()).collect::<Vec<_>>(), ["i", "i"]);
        assert!(changes_in(&json!({ "history": "none" })).is_empty() && changes_in(&Value::Null).is_empty());
    }

    #[test]
    fn account_needs_a_host_and_an_id() {
        let key = |recorded: &Value| account_in(recorded).and_then(|account| account.key());
        assert_eq!(key(&json!({ "host": "h", "id": "i", "more": 1 })), Some("h/i".into()));
        assert_eq!(account_in(&json!({ "host": "h" })), None);
        assert_eq!(account_in(&json!("h/i")), None);
    }
}
