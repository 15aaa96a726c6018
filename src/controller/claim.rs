//! What an object lays claim to, from its spec and its record. Of the record the JSON is asked and not its type: what
//! another version wrote there bars an account all the same. Called by `gather`, which notes it in `pools`.

use serde_json::Value;

use super::store::Stored;
use crate::api::{Account, IntentPhase, ManagementPolicy};
use crate::plan::Desired;
use crate::registry::{Claim, Noted, Open, age_of};

/// The claim of an object. While its Secret cannot be read, it keeps the account it had; one that only observes, or that
/// is on its way out, lays claim to nothing, unless a change from before is still open.
pub(super) fn claim(stored: &Stored, desired: Option<&Desired>, account: Option<&Account>) -> Option<Noted> {
    let metadata = stored.metadata();
    let leaving = metadata.deletion_timestamp.is_some();
    let account = account.and_then(Account::key).or_else(|| account_in(stored.record().get("account")?));
    let open = open_in(stored.record(), account.as_deref());
    if open.is_none() && (leaving || desired.is_some_and(|desired| desired.policy == ManagementPolicy::Observe)) {
        return None;
    }
    let claim = Claim {
        account: account.or_else(|| Some(open.as_ref()?.account.clone()))?,
        pool: desired.filter(|_| !leaving).map_or("", |desired| desired.pool.name),
        age: age_of(metadata),
        wanted: desired.filter(|desired| !leaving && !desired.suspended).and_then(|desired| desired.seats),
    };
    Some(Noted { claim, open })
}

/// The recorded change that may still be running. The account is the one it was sent to, whichever the object has now.
fn open_in(record: &Value, otherwise: Option<&str>) -> Option<Open> {
    let intent = record.get("intent").filter(|intent| !intent.is_null())?;
    let phase = intent.get("phase").and_then(|phase| serde_json::from_value(phase.clone()).ok());
    // A phase that this version does not know may be an open one.
    if matches!(phase, Some(IntentPhase::WithoutEffect | IntentPhase::Rejected | IntentPhase::NeedsReview)) {
        return None;
    }
    let word = |key: &str| intent.get(key).and_then(Value::as_str);
    Some(Open { id: word("id").unwrap_or_default().to_owned(), account: word("account").or(otherwise)?.to_owned() })
}

fn account_in(recorded: &Value) -> Option<String> {
    let word = |key: &str| recorded.get(key).and_then(Value::as_str).map(str::to_owned);
    Account { vendor: String::new(), host: word("host"), id: word("id") }.key()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn open(record: &Value) -> Option<(String, String)> {
        open_in(record, Some("host/now")).map(|open| (open.id, open.account))
    }

    #[test]
    fn an_open_change_bars_the_account_it_was_sent_to_also_if_it_cannot_be_read() {
        for phase in [json!("Open"), json!("Settling"), json!("Future"), json!(7), json!(null)] {
            let record = json!({ "intent": { "id": "i", "account": "host/then", "phase": phase, "from": "many" } });
            assert_eq!(open(&record), Some(("i".into(), "host/then".into())), "{phase}");
        }
        assert_eq!(open(&json!({ "intent": { "account": {} } })), Some((String::new(), "host/now".into())));
        for phase in ["WithoutEffect", "Rejected", "NeedsReview"] {
            assert_eq!(open(&json!({ "intent": { "id": "i", "account": "host/then", "phase": phase } })), None);
        }
        assert_eq!(open(&json!({ "intent": null })), None);
        assert_eq!(open(&Value::Null), None);
    }

    #[test]
    fn an_account_needs_a_host_and_an_id() {
        assert_eq!(account_in(&json!({ "host": "h", "id": "i", "more": 1 })), Some("h/i".into()));
        assert_eq!(account_in(&json!({ "host": "h" })), None);
        assert_eq!(account_in(&json!("h/i")), None);
    }
}
