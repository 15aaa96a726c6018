//! 200 statuses from a real one, each mutilated in a few places: fields dropped and doubled, numbers and times off, ids,
//! uids and accounts of others. The record may say anything; the ledger must not.

use std::collections::BTreeMap;

use futures::StreamExt;
use seatkeeper_support::needs_control_plane;
use serde_json::{Map, Value, json};
use vendor_sim::Organization;

use crate::mirror::{Mirror, patient, seed};
use crate::tenants::Tenant;
use crate::world::{World, organization, said};

pub const CASES: u64 = 200;

const NUMBERS: [i64; 13] = [-1, 0, 1, 2, 79, 80, 100, 120, 150, 151, 32_767, i32::MAX as i64, i32::MIN as i64];
const TIMES: [&str; 6] = [
    "1970-01-01T00:00:00Z",
    "2026-10-01T08:00:00Z",
    "2099-12-31T23:59:59Z",
    "0001-01-01T00:00:00Z",
    "9999-12-30T00:00:00Z",
    "9999-12-30T21:59:30Z",
];
const WORDS: [&str; 14] = [
    "",
    "Open",
    "Answered",
    "Unanswered",
    "Settling",
    "Rejected",
    "NeedsReview",
    "SpecDiffers",
    "ExternalChange",
    "localhost/somebody-else",
    "0123456789ab",
    "\u{fffd}\u{202e}x",
    "True",
    "Unknown",
];

/// A status as a version of the operator could have written it in the midst of a change.
fn whole(account: &str, random: &mut fastrand::Rng) -> Value {
    let now = jiff::Timestamp::now().to_string();
    let phase = WORDS[random.usize(1..7)];
    let change = |id: &str, from: i32, to: i32| {
        json!({
            "id": id, "account": account, "from": from, "to": to, "limitFrom": from, "limitTo": to, "generation": 1,
            "attempt": 1, "reason": "SpecDiffers", "time": now,
        })
    };
    let mut intent = change("c3", 100, 150);
    let more = json!({ "objectUid": "another", "used": 80, "phase": phase });
    crate::world::merge(&mut intent, more);
    let condition = |kind: &str, status: &str, reason: &str| {
        json!({
            "type": kind, "status": status, "reason": reason, "message": "-", "observedGeneration": 1,
            "lastTransitionTime": now,
        })
    };
    json!({
        "observedGeneration": 1, "summary": "in sync", "desired": 150, "seats": 100, "used": 80, "usedIsLowerBound": true,
        "free": 20, "limit": 100, "limited": true, "effective": { "interval": "10s" }, "lastHandledReconcileAt": "before",
        "account": { "vendor": "bitwarden", "host": account.split('/').next(), "id": account.split('/').nth(1) },
        "plan": { "id": "p", "from": 100, "to": 150, "limitFrom": 100, "limitTo": 150, "reason": "SpecDiffers" },
        "intent": intent,
        "history": [change("c2", 90, 100), change("c1", 80, 90)],
        "conditions": [condition("Ready", "True", "InSync"), condition("ChangePending", "True", "OutcomeUnknown")],
    })
}

/// Mutilates one place, somewhere.
fn mutilate(value: &mut Value, random: &mut fastrand::Rng) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let key = fields.keys().nth(random.usize(..fields.len())).cloned().expect("a key");
            match random.u8(..4) {
                0 => drop(fields.insert(key, Value::Null)),
                _ => mutilate(&mut fields[&key], random),
            }
        }
        Value::Array(items) if !items.is_empty() => {
            let item = random.usize(..items.len());
            match random.u8(..4) {
                0 => drop(items.remove(item)),
                1 => items.push(items[item].clone()),
                _ => mutilate(&mut items[item], random),
            }
        }
        Value::Number(_) => *value = json!(NUMBERS[random.usize(..NUMBERS.len())]),
        Value::String(text) if text.parse::<jiff::Timestamp>().is_ok() => {
            *value = json!(TIMES[random.usize(..TIMES.len())])
        }
        Value::String(_) => *value = json!(WORDS[random.usize(..WORDS.len())]),
        Value::Bool(is) => *is = !*is,
        other => *other = [json!({}), json!([]), json!(1), json!("x")][random.usize(..4)].clone(),
    }
}

/// A merge patch that leaves of a fresh status only what `status` says.
fn instead(status: &Value, fresh: &Value) -> Value {
    let gone = fresh.as_object().into_iter().flatten().map(|(key, _)| (key.clone(), Value::Null));
    let mut patch: Map<String, Value> = gone.collect();
    patch.extend(status.as_object().cloned().unwrap_or_default());
    Value::Object(patch)
}

/// Returns how it ended.
async fn case(w: &World, mirror: &Mirror, seed: u64) -> String {
    let mut random = fastrand::Rng::with_seed(seed);
    let shown = [100, 120, 150][random.usize(..3)];
    let organization = Organization::enterprise("Acme").seats(shown).limit(shown).members(80);
    let tenant: Tenant<'_> = w.tenant(&format!("case {seed}"), organization).await;
    tenant.declare(json!({ "suspend": true, "interval": "10s" })).await;
    let fresh = mirror.until_settled(&tenant, "fresh").await;
    let fresh = serde_json::to_value(&fresh).expect("JSON");
    let account = format!("{}/{}", w.vendor.host(), tenant.key.id);
    // What admission refuses cannot be stored this way: another one, then.
    let status = loop {
        let mut status = whole(&account, &mut random);
        for _ in 0..random.u8(1..=4) {
            mutilate(&mut status, &mut random);
        }
        for attempt in ["/intent/attempt", "/history/0/attempt", "/history/1/attempt"] {
            // As many attempts as a record claims are waited for, and nobody waits for so many here.
            if let Some(claimed) = status.pointer_mut(attempt).filter(|claimed| claimed.as_i64() > Some(3)) {
                *claimed = json!(3);
            }
        }
        if tenant.patch_status(&instead(&status, &fresh)).await.is_ok() {
            break status;
        }
    };
    w.edit(&tenant.name, json!({ "suspend": null })).await;
    let after = mirror.until_settled(&tenant, "after").await;
    let ready = said(&after, "Ready");
    let told = ["True/InSync", "False/NeedsReview", "False/VendorRejected", "False/Conflict"];
    assert!(told.contains(&ready.as_str()), "{seed}: {ready}\n{status:#}");
    let (puts, bills) = (tenant.puts(), tenant.organization().billed.seats);
    assert!(puts <= 1, "{seed}: {puts} requests for one decision\n{status:#}");
    if ready == "True/InSync" {
        assert_eq!((after.seats, bills), (Some(150), Some(150)), "{seed}\n{status:#}");
    }
    for word in ["quiet 1", "quiet 2"] {
        mirror.until_settled(&tenant, word).await;
    }
    assert_eq!((tenant.puts(), tenant.organization().billed.seats), (puts, bills), "{seed}: silent\n{status:#}");
    tenant.assert_never_above(150);
    ready
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_record_never_buys_twice_and_ends_in_sync_or_with_reason() {
    needs_control_plane!();
    let seed = seed("mutilated statuses");
    let w = World::with("mutilated", organization(), &patient()).await;
    w.needs_many_tokens();
    let mirror = Mirror::of(&w).await;
    let healthy = w.tenant("healthy", organization()).await;
    healthy.declare(json!({})).await;
    healthy.until_in_sync(150).await;
    let cases = futures::stream::iter(0..CASES).map(|n| case(&w, &mirror, seed + n));
    let mut ends = BTreeMap::new();
    for end in cases.buffer_unordered(16).collect::<Vec<_>>().await {
        *ends.entry(end).or_insert(0) += 1;
    }
    eprintln!("mutilated statuses: {CASES} run, 0 double purchases: {ends:?}");
    assert!(ends.len() > 1, "they do not all end alike, or nothing was mutilated: {ends:?}");
    w.edit(&healthy.name, json!({ "seats": 160 })).await;
    healthy.until_in_sync(160).await;
    assert_eq!(healthy.puts(), 2);
    assert_eq!(w.operator.try_exit(), None);
    assert!(!w.operator.log().contains("panicked"), "{}", w.operator.log_tail(40));
}
