//! What is taken for the object and its status, and what of it is written.

use super::*;
use crate::api::{SeatsStep, Step};
use crate::fuzz_inputs::each_of;

#[test]
fn apiserver_answer_of_other_object_is_error_and_never_taken_as_deletion() {
    let answer = |metadata: Value| serde_json::from_value(json!({ "metadata": metadata })).unwrap();
    assert!(whole(answer(json!({ "name": "acme", "uid": "u", "resourceVersion": "7" })), "acme").is_ok());
    for foreign in [
        json!({}),
        json!({ "name": "acme", "uid": "u" }),
        json!({ "name": "acme", "resourceVersion": "7" }),
        json!({ "name": "other", "uid": "u", "resourceVersion": "7" }),
    ] {
        assert!(matches!(whole(answer(foreign.clone()), "acme"), Err(Error::Foreign)), "{foreign}");
    }
}

#[test]
fn equal_values_need_no_patch() {
    let value = json!({ "a": 1, "b": { "c": [1, 2] } });
    assert_eq!(difference(&value, &value), None);
}

#[test]
fn patch_carries_changed_fields_and_nulls_removed_ones() {
    let old = json!({ "same": 1, "gone": 2, "deep": { "same": 1, "gone": 2 }, "list": [1] });
    let new = json!({ "same": 1, "deep": { "same": 1, "new": 3 }, "list": [1, 2] });
    let patch = json!({ "gone": null, "deep": { "gone": null, "new": 3 }, "list": [1, 2] });
    assert_eq!(difference(&old, &new), Some(patch));
}

#[test]
fn unreadable_field_is_named() {
    let error = parse::<LicenseSeatsStatus>("status", &json!({ "seats": "many" })).unwrap_err();
    assert!(error.starts_with("status.seats cannot be read"), "{error}");
}

#[test]
fn unreadable_object_is_reported_in_one_line_of_clean_text() {
    let status = json!({ "plan": { "id": "p", "from": 1, "to": 2, "reason": "Spec\u{1b}[31m\nDiffers" } });
    let error = parse::<LicenseSeatsStatus>("status", &status).unwrap_err();
    assert!(error.starts_with("status.plan.reason cannot be read"), "{error}");
    assert!(!error.contains(char::is_control), "{error:?}");
}

use proptest::prelude::*;

/// RFC 7396.
fn merged(mut target: Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else { return patch.clone() };
    let mut into = target.as_object_mut().map(std::mem::take).unwrap_or_default();
    for (key, value) in patch {
        let before = into.remove(key);
        if !value.is_null() {
            into.insert(key.clone(), merged(before.unwrap_or_default(), value));
        }
    }
    Value::Object(into)
}

/// What is stored once a status is written over another, if a newer CRD keeps what it has besides: in items of lists as well.
fn laid_over(below: Value, above: &Value) -> Value {
    match (below, above) {
        (Value::Array(below), Value::Array(above)) if below.len() == above.len() => {
            below.into_iter().zip(above).map(|(below, above)| laid_over(below, above)).collect()
        }
        (Value::Object(mut below), Value::Object(above)) => {
            for (key, above) in above {
                let before = below.remove(key).unwrap_or_default();
                below.insert(key.clone(), laid_over(before, above));
            }
            Value::Object(below)
        }
        (_, above) => above.clone(),
    }
}

/// What a status can be: an object without nulls, for the apiserver keeps none.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<i32>().prop_map(Value::from),
        "[a-c]{0,2}".prop_map(Value::from),
        any::<bool>().prop_map(Value::from)
    ];
    let any = leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::btree_map("[a-d]", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    proptest::collection::btree_map("[a-d]", any, 0..4).prop_map(|map| Value::Object(map.into_iter().collect()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn patch_turns_old_status_into_new_one(old in json(), new in json()) {
        match difference(&old, &new) {
            None => prop_assert_eq!(old, new),
            Some(patch) => prop_assert_eq!(merged(old, &patch), new),
        }
    }

}

/// A status with everything that can be in one.
fn full() -> Value {
    let (now, account) = ("2026-10-01T08:00:00Z", "api.test/acme");
    let step = json!({
        "from": 80, "to": 100, "secretKeyRef": { "name": "keys", "key": "a" }, "fingerprint": "0123456789abcdef", "present": [1, 2],
        "id": 7, "uuid": "u-7",
    });
    let change = json!({
        "id": "c1", "account": account, "step": { "addKey": step },
        "generation": 2, "attempt": 1, "reason": "SpecDiffers", "time": now,
    });
    let seats = json!({ "seats": { "from": 100, "to": 150, "limitFrom": 100, "limitTo": 150 } });
    let mut intent = change.clone();
    intent["step"] = seats.clone();
    intent.as_object_mut().unwrap().extend([
        ("objectUid".into(), json!("uid")),
        ("used".into(), json!(80)),
        ("phase".into(), json!("Answered")),
        ("refused".into(), json!("the plan has no seat count")),
    ]);
    let record = json!({
        "secretKeyRef": { "name": "keys", "key": "a" }, "fingerprint": "0123456789abcdef", "id": 7, "uuid": "u-7",
        "origin": "Added", "state": "Active", "seats": 50, "expiresAt": now, "hardExpiration": true,
    });
    json!({
        "observedGeneration": 3, "summary": "in sync", "account": { "vendor": "bitwarden", "host": "api.test", "id": "acme" },
        "desired": 150, "seats": 100, "used": 80, "usedIsLowerBound": true, "free": 20, "limit": 100, "limited": true,
        "billed": 95, "capabilities": [{ "key": "Owner", "allows": ["ReadSeats", "ClearLimit"] }],
        "license": {
            "state": "PastDue", "expiresAt": now, "periodEnd": now, "hardSeats": 40, "canAddUser": true, "reportedUsers": 28,
            "keys": [record], "keysOf": { "objectUid": "uid", "account": account },
        },
        "plan": {
            "id": "p", "step": seats, "reason": "ExternalChange",
            "blockedBy": ["Guardrail", "OtherPool"],
        },
        "intent": intent, "history": [change], "effective": { "interval": "10m", "product": "PasswordManager" },
        "selector": "seatkeeper.dev/pods=none", "lastHandledReconcileAt": "now",
        "conditions": [{
            "type": "Ready", "status": "True", "reason": "InSync", "message": "-", "observedGeneration": 3,
            "lastTransitionTime": now,
        }],
    })
}

#[test]
fn status_of_any_shape_is_read_without_further_loss_or_refused_by_field() {
    assert_eq!(serde_json::to_value(parse::<LicenseSeatsStatus>("status", &full()).unwrap()).unwrap(), full());
    each_of(&[full()], |bytes| {
        let Ok(stored) = serde_json::from_slice::<Value>(bytes) else { return false };
        let conditions = stored.get("conditions").unwrap_or(&Value::Null);
        if let Err(error) = parse::<Vec<Condition>>("status.conditions", conditions) {
            assert!(error.starts_with("status.conditions"), "{error}");
        }
        match parse::<LicenseSeatsStatus>("status", &stored) {
            Ok(status) => {
                let written = serde_json::to_value(&status).unwrap();
                match parse::<LicenseSeatsStatus>("status", &written) {
                    Ok(again) => assert_eq!(serde_json::to_value(again).unwrap(), written),
                    // Admission lets no time into a status that is not one of RFC 3339.
                    Err(error) => assert!(error.contains("as year"), "{error}"),
                }
                true
            }
            Err(error) => {
                assert!(error.starts_with("status") && error.contains(" cannot be read: "), "{error}");
                assert!(error.len() < 1000 && !error.contains(char::is_control), "{error:?}");
                false
            }
        }
    });
}

#[test]
fn answer_with_other_object_is_not_treated_as_requested_one() {
    let object = json!({
        "apiVersion": "seatkeeper.dev/v1alpha1", "kind": "LicenseSeats",
        "metadata": { "name": "acme", "namespace": "it", "uid": "u", "resourceVersion": "7" }, "status": { "seats": 1 },
    });
    each_of(&[object], |bytes| {
        let Ok(object) = serde_json::from_slice::<Object>(bytes) else { return false };
        match whole(object.clone(), "acme") {
            Ok(taken) => {
                let metadata = &taken.metadata;
                assert_eq!(metadata.name.as_deref(), Some("acme"));
                assert!(metadata.uid.is_some() && metadata.resource_version.is_some(), "{metadata:?}");
                assert_eq!((&taken.spec, &taken.status), (&object.spec, &object.status));
            }
            Err(error) => assert!(matches!(error, Error::Foreign), "{error}"),
        }
        true
    });
}

/// Every path of a value, with the value without it.
fn without_each(value: &Value, path: &str) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for (key, child) in value.as_object().into_iter().flatten() {
        let path = format!("{path}.{key}");
        let put = |changed: Option<Value>| {
            let mut fields = value.as_object().unwrap().clone();
            match changed {
                Some(changed) => drop(fields.insert(key.clone(), changed)),
                None => drop(fields.remove(key)),
            }
            Value::Object(fields)
        };
        all.push((path.clone(), put(None)));
        let within = match child {
            Value::Array(items) if items.first().is_some_and(Value::is_object) => {
                let one = without_each(&items[0], &format!("{path}[]")).into_iter();
                one.map(|(path, item)| (path, json!([item]))).collect()
            }
            child => without_each(child, &path),
        };
        all.extend(within.into_iter().map(|(path, changed)| (path, put(Some(changed)))));
    }
    all
}

#[test]
fn each_field_that_the_answer_does_not_have_is_named_and_no_other() {
    assert_eq!(lost(&full(), &full()), Vec::<String>::new());
    let all = without_each(&full(), "status");
    assert!(all.iter().any(|(path, _)| path == "status.license.keys[].secretKeyRef.name"), "{}", all.len());
    for (path, answer) in all {
        assert_eq!(lost(&full(), &answer), [path]);
    }
}

#[test]
fn changed_value_shorter_list_or_nothing_is_loss_and_extra_content_is_not() {
    let mut answer = full();
    (answer["seats"], answer["history"], answer["plan"]["step"]["seats"]["from"]) =
        (json!("100"), json!([]), json!(100.5));
    assert_eq!(lost(&full(), &answer), ["status.history", "status.plan.step.seats.from", "status.seats"]);
    assert_eq!(lost(&full(), &Value::Null), ["status"]);
    let mut newer = full();
    (newer["more"], newer["intent"]["more"], newer["history"][0]["more"]) = (json!({}), json!(1), json!([1]));
    assert_eq!(lost(&full(), &newer), Vec::<String>::new());
    assert_eq!(
        lost(&json!({ "plan": null, "seats": 1 }), &json!({ "seats": 1 })),
        Vec::<String>::new(),
        "a null is a removal"
    );
}

#[test]
fn write_answer_is_whole_or_names_the_loss() {
    each_of(&[full()], |bytes| {
        let Ok(answer) = serde_json::from_slice::<Value>(bytes) else { return false };
        let lost = lost(&full(), &answer);
        assert!(lost.iter().all(|path| path.starts_with("status")), "{lost:?}");
        assert_eq!(lost.is_empty(), laid_over(answer.clone(), &full()) == answer, "{answer}");
        true
    });
}

#[test]
fn intent_is_recorded_only_with_every_field_and_nothing_of_older_intent() {
    let intent: Intent = serde_json::from_value(full()["intent"].clone()).unwrap();
    assert!(has_intent(&full(), Some(&intent)));
    for (path, record) in without_each(&json!({ "intent": full()["intent"] }), "status") {
        assert!(!has_intent(&record, Some(&intent)), "{path}");
    }
    let step = Step::Seats(SeatsStep { from: 100, to: 150, limit_from: Some(100), limit_to: None });
    let shorter = Intent { step, ..intent.clone() };
    assert!(!has_intent(&full(), Some(&shorter)), "what an older intent left behind");
    let mut newer = full();
    newer["intent"]["more"] = json!({});
    assert!(has_intent(&newer, Some(&intent)), "what a newer CRD adds");
    assert!(!has_intent(&Value::Null, Some(&intent)));
}

#[test]
fn status_refused_by_schema_is_not_stored_and_its_fields_are_named() {
    let refusal = |causes: Value| {
        let status = json!({ "status": "Failure", "reason": "Invalid", "code": 422, "message": "-", "details": { "causes": causes } });
        refused(Error::Apiserver(kube::Error::Api(serde_json::from_value(status).unwrap())))
    };
    let fields = |error| match error {
        Error::NotStored(fields) => fields,
        error => panic!("{error}"),
    };
    let causes = json!([{ "field": "status.intent.phase" }, { "field": "<nil>" }, { "field": "status.intent.phase" }]);
    assert_eq!(fields(refusal(causes)), ["status.intent.phase"]);
    assert_eq!(fields(refusal(json!([]))), ["status"]);
    assert!(matches!(refused(Error::Conflict), Error::Conflict));
}
