//! Whatever bytes an Immuta tenant, or what stands before it, answers with: what is believed of them could be so, what is
//! not is an error of ours that repeats none of them, and only a proof counts as one.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use proptest::prelude::*;
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::answer::{Added, added, removed};
use super::wire::{Hint, LicenseRecord, LicenseStatus, TokenAnswer, Usage as Report};
use super::*;
use crate::mutants::{MARKER, each_of};
use crate::plan::{Refusal, Row};
use crate::vendors::http::tests::{answer, assert_ours};

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    serde_json::from_slice(bytes).ok()
}

/// What the same bytes are to a reader that knows nothing of their shape. `None`: what is not looked at is odd.
fn told(bytes: &[u8]) -> Option<Value> {
    read(bytes)
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
        assert_eq!((Some(row.id), Some(row.uuid.as_str()), row.seats.map(i64::from)), told);
        // An end that is told is never taken for none.
        assert_eq!(row.expires.is_some(), !answered["expires"].is_null(), "{row:?}");
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
fn a_token_is_one_that_fits_a_header_and_its_end_a_time() {
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
fn rows_are_those_that_are_listed_with_seats_and_ends_as_they_are_told() {
    each_of(&[json!([record(7), record(8)])], |bytes| {
        let Some(records) = read::<Vec<LicenseRecord>>(bytes) else { return false };
        let listed = told(bytes);
        let listed = listed.as_ref().and_then(Value::as_array);
        assert!(listed.is_none_or(|listed| listed.len() == records.len()));
        for (i, record) in records.into_iter().enumerate() {
            let answered = listed.map(|listed| &listed[i]);
            match believed(record.row()) {
                Some(Some(row)) => assert_row(&row, answered),
                Some(None) => assert!(answered.is_none_or(|answered| answered["deleted"] == true)),
                None => {}
            }
        }
        true
    });
}

#[test]
fn seats_and_users_are_what_is_answered_or_an_error_and_never_missing_for_none() {
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
fn reported_users_are_the_sum_of_what_is_reported_or_unknown() {
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

fn assert_outcome(outcome: &Outcome, status: u16, page: bool) {
    if let Outcome::Refused(refusal) = outcome {
        let proven = [400, 401, 403, 404, 405, 409, 415, 422, 429].contains(&status) || (300..400).contains(&status);
        assert!(proven, "{status} proves nothing: {refusal:?}");
        assert!(!format!("{refusal:?}").contains(MARKER), "{refusal:?}");
    }
    assert!(!matches!(outcome, Outcome::NotSent(_)), "it was sent");
    if status >= 500 {
        assert!(matches!(outcome, Outcome::Answered | Outcome::Unanswered), "{status}: {outcome:?}");
    }
    if page {
        assert!(!matches!(outcome, Outcome::Accepted | Outcome::Added(_)), "{status}: a page for people did nothing");
    }
}

#[test]
fn whatever_answers_an_addition_or_a_removal_only_a_proven_status_counts_as_refused() {
    let refusal = |code: &str| json!({ "statusCode": 422, "message": format!("{MARKER} is not valid"), "validation": [{ "code": code, "path": ["licenseKey"] }] });
    let exists = json!({ "statusCode": 409, "message": format!("The license {MARKER} already exists") });
    each_of(&[record(7), refusal("unique"), refusal("any.required"), exists], |bytes| {
        let page = bytes.trim_ascii_start().starts_with(b"<");
        let hint = read::<Value>(bytes).map(|body| Hint::of(&body, MARKER));
        for status in STATUSES {
            let given = answer(status, bytes);
            let gone = removed(&given, "tenant.test");
            assert_outcome(&gone, status, page);
            assert!(gone != Outcome::Accepted || status < 300 || status == 404, "{status}");
            let outcome = match added(&given, MARKER, "tenant.test") {
                Added::Outcome(outcome) => outcome,
                // It is sent once more then, so nothing may speak for its having been done.
                Added::OtherSpelling => {
                    assert!([400, 422].contains(&status), "{status}");
                    assert!(hint.is_some_and(|hint| hint.names_field && !hint.duplicate), "{hint:?}");
                    continue;
                }
            };
            assert_outcome(&outcome, status, page);
            match &outcome {
                Outcome::Added(row) => {
                    assert!(status < 300, "{status}");
                    assert_row(row, told(bytes).as_ref());
                }
                Outcome::Accepted => assert!(status < 300, "{status}"),
                Outcome::Refused(Refusal::Duplicate { certain }) => {
                    assert_eq!(*certain, hint.is_some_and(|hint| hint.duplicate));
                    assert!(*certain || status == 409, "{status}");
                }
                _ => {}
            }
        }
        hint.is_some()
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_key_that_is_repeated_in_a_refusal_hints_at_nothing_whatever_words_are_in_it(
        key in "[a-zA-Z0-9+/=\n]{0,8}(duplicate|licenseKey|licensekey|already exists|already added|x)[a-zA-Z0-9+/=\n]{0,8}",
        before in "[^a-z]{0,5}", after in "[^a-z]{0,5}",
    ) {
        let body = json!({ "message": format!("{before}{key}{after}"), "validation": { "code": key, "path": [key] } });
        let hint = Hint::of(&body, &key);
        prop_assert!(!hint.duplicate, "{}", body);
        prop_assert_eq!(hint.names_field, key.eq_ignore_ascii_case("licensekey"));
    }
}
