//! Whatever bytes an Immuta tenant, or a proxy before it, answers with: every value that is believed is possible, every
//! other one becomes an error of ours that repeats none of the bytes, and only a proof counts as one.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use proptest::prelude::*;
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::answer::{added, removed};
use super::license_api_fields::{Hint, LicenseRecord, LicenseStatus, TokenAnswer, Usage as Report};
use super::*;
use crate::domain::{Refusal, Row, Uncertain};
use crate::fuzz_inputs::{MARKER, each_of};
use crate::vendors::http::tests::{answer, assert_ours};

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    answer(200, bytes).json("no object").ok()
}

/// What the same bytes are to a reader that knows nothing of their shape. `None`: a part that is not read is odd.
fn told(bytes: &[u8]) -> Option<Value> {
    serde_json::from_slice(bytes).ok()
}

/// Whether a result was worth checking; an error is checked to be one of ours.
fn believed<T>(result: Result<T, impl Into<ImmutaError>>) -> Option<T> {
    result.map_err(Into::into).inspect_err(assert_ours::<ImmutaError>).ok()
}

fn assert_row(row: &Row, answered: Option<&Value>) {
    assert!((1..=100).contains(&row.uuid.len()) && row.uuid.bytes().all(|b| b.is_ascii_graphic()), "{row:?}");
    assert!(row.seats.is_none_or(|seats| seats >= 0), "{row:?}");
    if let Some(answered) = answered {
        let told = (answered["id"].as_i64(), answered["uuid"].as_str(), answered["seats"].as_i64());
        assert_eq!((Some(row.id), Some(row.uuid.as_str())), (told.0, told.1));
        assert!(row.odd.is_some() || row.seats.map(i64::from) == told.2, "{row:?}");
        // An end that is shown is never treated as none.
        assert!(row.odd.is_some() || row.expires.is_some() != answered["expires"].is_null(), "{row:?}");
    }
    if let Some(expires) = row.expires {
        let stored = serde_json::to_value(Time(expires)).unwrap();
        assert_eq!(stored.as_str().map(str::len), Some("2031-06-30T00:00:00Z".len()), "{stored}");
    }
}

fn record(id: i64) -> Value {
    json!({
        "id": id, "uuid": format!("5b8c1f3e-{id}"), "licenseKey": MARKER, "seats": 50, "expires": "2031-06-30T00:00:00.000Z",
        "hardExpiration": true, "invalidated": false, "deleted": false, "customer": MARKER, "features": { "a": true },
    })
}

#[test]
fn token_fits_a_header_and_its_end_is_a_time() {
    let token = json!({ "token": "eyJhbGciOi.zz-zz", "tokenExpiration": "2031-06-30T00:00:00.000Z", "user": MARKER });
    each_of(&[token], |bytes| {
        let Some(answer) = read::<TokenAnswer>(bytes) else { return false };
        let _ = answer.expiration();
        if let Some(token) = believed(answer.token()) {
            let token = token.expose_secret();
            assert!(!token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic()), "{token:?}");
        }
        true
    });
}

#[test]
fn rows_equal_the_list_with_its_seats_and_ends() {
    each_of(&[json!([record(7), record(8)])], |bytes| {
        let Ok(records) = answer(200, bytes).json_list::<LicenseRecord>("no list") else { return false };
        let listed = told(bytes);
        let listed = listed.as_ref().and_then(Value::as_array);
        assert!(listed.is_none_or(|listed| listed.len() == records.len()));
        for (i, record) in records.into_iter().enumerate() {
            let answered = listed.map(|listed| &listed[i]);
            match record.row().ok() {
                Some(Some(row)) => assert_row(&row, answered),
                Some(None) => assert!(answered.is_none_or(|answered| answered["deleted"] == true)),
                None => {}
            }
        }
        true
    });
}

#[test]
fn seats_and_users_are_as_answered_or_error_and_missing_is_never_none() {
    let status =
        json!({ "activeUserCount": 30, "licenseSeats": 50, "canAddUser": true, "hardSeats": 40, "message": MARKER });
    each_of(&[status], |bytes| {
        let Some(status) = read::<LicenseStatus>(bytes) else { return false };
        let told = told(bytes);
        let assert_told = |field: &str, read: Option<i32>| {
            assert!(read.is_none_or(|n| n >= 0), "{field}: {read:?}");
            assert!(told.as_ref().is_none_or(|told| told[field].as_i64() == read.map(i64::from)), "{field}: {read:?}");
        };
        believed(status.used()).into_iter().for_each(|used| assert_told("activeUserCount", used));
        believed(status.seats(false)).into_iter().for_each(|seats| assert_told("licenseSeats", Some(seats)));
        believed(status.hard_seats()).into_iter().for_each(|hard| assert_told("hardSeats", hard));
        true
    });
}

#[test]
fn reported_users_are_the_sum_of_reports_or_unknown() {
    let counts = |total: i64| json!({ "totalCount": total, "activeCount": 10, "inactiveCount": 2 });
    let object = json!({ "summary": { "dataConsumers": counts(25), "policyOwners": counts(3) }, "users": [MARKER] });
    let list = json!({ "summary": { "dataConsumers": [counts(25)], "policyOwners": [counts(3)] }, "users": [] });
    each_of(&[object, list], |bytes| {
        let Some(report) = read::<Report>(bytes) else { return false };
        let Some(users) = report.users() else { return true };
        assert!(users >= 0);
        let Some(told) = told(bytes) else { return true };
        let total = |kind: &str| {
            let counts = &told["summary"][kind];
            counts.get(0).unwrap_or(counts)["totalCount"].as_i64().unwrap()
        };
        assert_eq!(i64::from(users), total("dataConsumers") + total("policyOwners"));
        true
    });
}

const STATUSES: [u16; 22] =
    [200, 201, 202, 204, 301, 302, 307, 400, 401, 402, 403, 404, 405, 409, 413, 415, 422, 429, 500, 502, 503, 504];

/// The list of proofs (docs/vendors/immuta.md, "Refusals"), written down a second time.
fn assert_outcome(outcome: &Outcome, status: u16, ours: bool) {
    let throttled = matches!(outcome, Outcome::Refused(Refusal::Throttled(_)));
    assert_eq!(throttled, status == 429, "whatever the shape: {outcome:?}");
    match outcome {
        Outcome::Refused(Refusal::Throttled(_)) => {}
        Outcome::Refused(refusal) => {
            assert!([401, 403].contains(&status) && ours, "{status} proves nothing: {refusal:?}");
            assert!(!format!("{refusal:?}").contains(MARKER), "{refusal:?}");
        }
        Outcome::Uncertain(refusal) => {
            let listed = [400, 404, 409, 422].contains(&status) && ours;
            assert_eq!(refusal.is_refusal(), listed, "{status}: {refusal:?}");
            assert!(refusal.is_refusal() || refusal.words() == format!("status {status}"), "{refusal:?}");
        }
        Outcome::Accepted | Outcome::Added(_) => assert!(status < 300, "{status}: {outcome:?}"),
        Outcome::Answered | Outcome::Unanswered => panic!("there is an answer, and it has a status: {outcome:?}"),
        Outcome::NotSent(_) => panic!("it was sent"),
    }
}

#[test]
fn key_change_is_refused_only_by_listed_answers_and_done_only_by_record() {
    let refusal = |code: &str| json!({ "statusCode": 422, "message": format!("{MARKER} is not valid"), "validation": [{ "code": code, "path": ["licenseKey"] }] });
    let exists = json!({ "statusCode": 409, "message": format!("The license {MARKER} already exists") });
    let deleted = json!({ "id": 7, "uuid": "5b8c1f3e-7", "licenseKey": MARKER, "deleted": true, "hardDelete": false });
    each_of(&[record(7), deleted, refusal("unique"), refusal("any.required"), exists], |bytes| {
        let body = read::<Value>(bytes);
        let message = body.as_ref().is_some_and(|body| body["message"].is_string());
        let hint = body.as_ref().map(|body| Hint::of(body, MARKER));
        for status in STATUSES {
            let given = answer(status, bytes);
            let gone = removed(&given, (7, "5b8c1f3e-7"), "tenant.test");
            let outcome = added(&given, MARKER, "tenant.test");
            for outcome in [&gone, &outcome] {
                assert_outcome(outcome, status, message);
                let silent = if status < 300 { body.is_none() } else { !message || !(400..=500).contains(&status) };
                // A record is read past what is too deep for a reader of everything.
                let done = matches!(outcome, Outcome::Accepted | Outcome::Added(_));
                let between = matches!(outcome, Outcome::Uncertain(said) if said.may_run());
                assert!(done || status == 429 || between == silent, "{status}: {outcome:?}");
            }
            if let (Outcome::Accepted, Some(told)) = (&gone, told(bytes)) {
                assert_eq!((told["id"].as_i64(), told["uuid"].as_str()), (Some(7), Some("5b8c1f3e-7")));
                assert!(told["deleted"] == true || told["hardDelete"] == true, "{told}");
            }
            match &outcome {
                Outcome::Added(row) => assert_row(row, told(bytes).as_ref()),
                Outcome::Accepted => panic!("an addition is proven by a record alone"),
                Outcome::Uncertain(refusal) if refusal.is_refusal() => {
                    let duplicate = hint.is_some_and(|hint| hint.duplicate);
                    assert_eq!(*refusal == Uncertain::Present, duplicate);
                    assert!(*refusal != Uncertain::PerhapsPresent || status == 409, "{status}");
                    assert!(*refusal != Uncertain::Field || hint.is_some_and(|hint| hint.names_field), "{hint:?}");
                }
                _ => {}
            }
        }
        hint.is_some()
    });
}

#[test]
fn uncertain_refusal_of_key_reports_hint_of_status_and_words() {
    let (plain, field) = (json!({ "message": "no" }), json!({ "message": "\"licenseKey\" is not allowed" }));
    let there = json!({ "message": "The license already exists" });
    for (status, body, hint) in [
        (400, &plain, Uncertain::Status(400)),
        (422, &plain, Uncertain::Status(422)),
        (409, &plain, Uncertain::PerhapsPresent),
        (400, &field, Uncertain::Field),
        (422, &field, Uncertain::Field),
        (404, &field, Uncertain::Status(404)),
        (409, &field, Uncertain::PerhapsPresent),
        (400, &there, Uncertain::Present),
        (409, &there, Uncertain::Present),
    ] {
        let given = answer(status, body.to_string().as_bytes());
        assert_eq!(added(&given, "key", "tenant.test"), Outcome::Uncertain(hint), "{status} {body}");
    }
}

#[test]
fn record_with_a_field_that_cannot_be_read_proves_no_addition() {
    let told = |expires: Value| {
        let record = json!({ "id": 7, "uuid": "u7", "seats": 40, "expires": expires });
        added(&answer(200, record.to_string().as_bytes()), "key", "tenant.test")
    };
    assert!(matches!(told(json!(null)), Outcome::Added(_)));
    assert!(matches!(told(json!("soon")), Outcome::Uncertain(_)));
}

#[test]
fn list_in_the_place_of_an_object_is_refused() {
    for list in [json!([7, "u7", 40]), json!(["7"]), json!([true, "t"]), json!([{ "id": 7, "uuid": "u" }]), json!([])] {
        let given = answer(200, list.to_string().as_bytes());
        assert!(given.json::<LicenseRecord>("no record").is_err(), "{list}");
        assert!(given.json::<LicenseStatus>("no status").is_err(), "{list}");
        assert!(given.json::<TokenAnswer>("no token").is_err(), "{list}");
        assert!(given.json::<Report>("no usage").is_err(), "{list}");
        let between = Outcome::Uncertain(Uncertain::Between(200));
        assert_eq!(added(&given, "key", "tenant.test"), between, "{list}");
        assert_eq!(removed(&given, (7, "u"), "tenant.test"), between, "{list}");
    }
    let rows = json!([[7, "u7", 40, null, null, null, null]]);
    assert!(answer(200, rows.to_string().as_bytes()).json_list::<LicenseRecord>("no list").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn key_repeated_in_refusal_gives_no_hint(
        key in "[a-zA-Z0-9+/=\n]{0,8}(duplicate|licenseKey|licensekey|already exists|already added|x)[a-zA-Z0-9+/=\n]{0,8}",
        before in "[^a-z]{0,5}", after in "[^a-z]{0,5}",
    ) {
        let body = json!({ "message": format!("{before}{key}{after}"), "validation": { "code": key, "path": [key] } });
        let hint = Hint::of(&body, &key);
        prop_assert!(!hint.duplicate, "{}", body);
        prop_assert_eq!(hint.names_field, key.eq_ignore_ascii_case("licensekey"));
    }
}
