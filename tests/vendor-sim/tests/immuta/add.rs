//! `POST /admin/license` (docs/vendors/immuta.md, "Adding a key", "Refusals", "Telling a row from a key" and
//! "The name of the key's field").

use serde_json::{Value, json};

use crate::{Bench, LICENSE, answer, fields};
use vendor_sim::immuta::{Action, Actor, Duplicate, FieldNamed, LicenseKey, PostField, ReAdd, UuidFrom};

#[tokio::test]
async fn answer_is_the_long_record_with_the_key_and_its_secrets() {
    let bench = Bench::new().await;
    let terms = LicenseKey::seats(25).soft_seats(5).feature("FPE").tokens("renewal-secret", "classify-secret");
    let key = bench.immuta.issue(terms);
    let (status, row) = bench.add(&key).await;
    assert_eq!(status, 200);
    assert_eq!(
        fields(&row),
        [
            "classifyToken",
            "classifyUsername",
            "createdAt",
            "deleted",
            "expired",
            "expires",
            "features",
            "handlers",
            "hardExpiration",
            "id",
            "invalidated",
            "licenseKey",
            "notice",
            "noticeOnExpire",
            "renewalToken",
            "seats",
            "softSeats",
            "updatedAt",
            "uuid",
        ]
    );
    let shown = ["id", "licenseKey", "seats", "softSeats", "expired", "deleted", "features", "renewalToken"]
        .map(|name| row[name].clone());
    let features = json!({ "FPE": { "enabled": true } });
    assert_eq!(Value::from(shown.to_vec()), json!([1, key, 25, 5, false, false, features, "renewal-secret"]));
    assert_eq!((row["uuid"].as_str().unwrap().len(), &row["classifyToken"]), (36, &json!("classify-secret")));

    let entry = &bench.immuta.ledger()[0];
    assert_eq!((entry.who, entry.action, entry.effect), (Actor::Request, Action::Add, true));
    assert_eq!((entry.key, entry.id, entry.seats, entry.request), (Some(1), Some(1), Some(25), Some(1)));
    let told = serde_json::to_string(&(bench.immuta.ledger(), bench.immuta.rows(), bench.immuta.requests())).unwrap();
    assert!(!told.contains(&key) && !told.contains(&bench.api_key), "neither ledger nor requests keep secrets");
}

#[tokio::test]
async fn only_the_spelling_of_the_switch_is_taken() {
    for (switch, spelled, expected) in [
        (PostField::LicenseKey, "licenseKey", 200),
        (PostField::LicenseKey, "licensekey", 400),
        (PostField::Licensekey, "licensekey", 200),
        (PostField::Licensekey, "licenseKey", 400),
        (PostField::Either, "licenseKey", 200),
        (PostField::Either, "licensekey", 200),
        (PostField::Either, "license_key", 400),
    ] {
        let bench = Bench::with(|s| s.post_field = switch).await;
        let key = bench.immuta.issue(LicenseKey::seats(40));
        assert_eq!(bench.post(&json!({ spelled: key })).await.0, expected, "{switch:?} {spelled}");
        let rows = usize::from(expected == 200);
        assert_eq!((bench.immuta.additions_of(&key), bench.immuta.posts()), (rows, 1));
    }
    for switch in [PostField::LicenseKey, PostField::Licensekey, PostField::Either] {
        let bench = Bench::with(|s| s.post_field = switch).await;
        let key = bench.immuta.issue(LicenseKey::seats(40));
        assert_eq!(bench.post(&json!({ "licenseKey": key, "licensekey": key })).await.0, 400, "never both");
    }
}

#[tokio::test]
async fn wrong_body_gets_400_or_422_and_names_field_per_switch() {
    let bench = Bench::new().await;
    let body = json!({ "licensekey": "x" });
    let named = r#""licenseKey" is required"#;
    let detail = json!([{ "code": "any.required", "path": ["licenseKey"] }]);
    let whole = |message: &str| json!({ "statusCode": 400, "error": "Bad Request", "message": message });
    let mut both = whole(named);
    both["validation"] = detail.clone();
    assert_eq!(bench.post(&body).await, (400, both));
    bench.immuta.switch(|s| s.field_named = FieldNamed::Message);
    assert_eq!(bench.post(&body).await, (400, whole(named)));
    bench.immuta.switch(|s| s.field_named = FieldNamed::Validation);
    let mut validation = whole("Invalid request payload input");
    validation["validation"] = detail;
    assert_eq!(bench.post(&body).await, (400, validation));
    bench.immuta.switch(|s| s.wrong_field_status = 422);
    assert_eq!(bench.post(&body).await.0, 422);
    bench.immuta.switch(|s| s.errors_message_only = true);
    assert_eq!(bench.post(&body).await, (422, json!({ "message": "Invalid request payload input" })));

    bench.immuta.switch(|s| s.wrong_field_status = 400);
    for wrong in [json!([]), json!({ "licenseKey": 1 }), json!({ "licenseKey": "" }), json!("text"), json!({})] {
        assert_eq!(bench.post(&wrong).await.0, 400, "{wrong}");
    }
    let raw = |media: &'static str, body: &'static str| {
        answer(bench.request("POST", LICENSE).header("content-type", media).body(body))
    };
    assert_eq!(raw("application/json", "{").await.0, 400);
    assert_eq!(raw("text/plain", r#"{"licenseKey":"x"}"#).await.0, 415);
    assert!(bench.immuta.rows().is_empty() && bench.immuta.ledger().is_empty());
}

#[tokio::test]
async fn unknown_foreign_and_expired_keys_are_refused() {
    for status in [422, 400] {
        let bench = Bench::with(|s| s.invalid_key_status = status).await;
        let foreign = bench.immuta.issue(LicenseKey::seats(40).tenant("Other Corp"));
        let expired = bench.immuta.issue(LicenseKey::seats(40).expired());
        let real = bench.immuta.issue(LicenseKey::seats(40).tenant("Acme"));
        for key in ["nonsense", &foreign, &expired, &format!("{real}\n"), &real[1..]] {
            assert_eq!(bench.add(key).await.0, status);
        }
        assert!(bench.immuta.rows().is_empty());
        let refused: Vec<_> = bench.immuta.ledger().iter().map(|e| (e.key, e.effect)).collect();
        assert_eq!(refused, [(None, false), (Some(1), false), (Some(2), false), (None, false), (None, false)]);
        bench.immuta.switch(|s| s.expired_key_accepted = true);
        assert_eq!(bench.add(&expired).await.1["expired"], true);
        assert_eq!(bench.add(&real).await.0, 200);
    }
}

#[tokio::test]
async fn key_text_is_meaningless_unless_given() {
    let bench = Bench::new().await;
    let [one, other] = [40, 40].map(|seats| bench.immuta.issue(LicenseKey::seats(seats)));
    assert!(one != other && one.len() == other.len());
    let given = bench.immuta.issue(LicenseKey::seats(7).text("EXAMPLE-KEY-A"));
    bench.immuta.issue(LicenseKey::seats(9).text("EXAMPLE-KEY-A"));
    assert_eq!((given.as_str(), bench.immuta.number_of(&given)), ("EXAMPLE-KEY-A", 3));
    assert_eq!(bench.add(&given).await.1["seats"], 7, "the first terms stay");
}

#[tokio::test]
async fn adding_key_again_follows_switch() {
    for (switch, status, rows) in [
        (Duplicate::Unique, 422, 1),
        (Duplicate::Conflict, 409, 1),
        (Duplicate::BadRequest, 400, 1),
        (Duplicate::SameRow, 200, 1),
        (Duplicate::SecondRow, 200, 2),
    ] {
        let bench = Bench::with(|s| s.duplicate = switch).await;
        let (key, id) = bench.added(LicenseKey::seats(40)).await;
        let (again, body) = bench.add(&key).await;
        assert_eq!((again, bench.ids().await.len()), (status, rows), "{switch:?}");
        assert_eq!((bench.immuta.additions_of(&key), bench.immuta.live_rows_of(&key).len()), (rows, rows));
        assert_eq!(bench.license_seats().await, 40 * i64::try_from(rows).unwrap());
        assert_eq!(bench.immuta.ledger().len(), 2, "attempts are entered too");
        match switch {
            Duplicate::Unique => assert_eq!(body["validation"][0]["code"], "unique"),
            Duplicate::SameRow => assert_eq!(body["id"], id),
            Duplicate::SecondRow => assert_ne!(body["id"], id),
            Duplicate::Conflict | Duplicate::BadRequest => assert_eq!(body.get("validation"), None),
        }
    }
}

#[tokio::test]
async fn adding_soft_deleted_key_follows_switch() {
    for (switch, status, live, all) in
        [(ReAdd::NewRow, 200, vec![2], 2), (ReAdd::Revives, 200, vec![1], 1), (ReAdd::Refused, 422, vec![], 1)]
    {
        let bench = Bench::with(|s| (s.re_add, s.uuid_from) = (switch, UuidFrom::Insert)).await;
        let (key, id) = bench.added(LicenseKey::seats(40)).await;
        let before = bench.immuta.rows()[0].uuid.clone();
        assert_eq!(bench.delete(&id).await.0, 200);
        assert_eq!(bench.add(&key).await.0, status, "{switch:?}");
        assert_eq!((bench.ids().await, bench.immuta.rows().len()), (live.clone(), all));
        assert_eq!(bench.immuta.additions_of(&key), 1 + live.len());
        if let Some(row) = bench.immuta.live_rows().first() {
            assert_eq!(row.uuid == before, switch == ReAdd::Revives);
        }
    }
    let bench = Bench::with(|s| (s.re_add, s.duplicate) = (ReAdd::Refused, Duplicate::SecondRow)).await;
    let (key, id) = bench.added(LicenseKey::seats(40)).await;
    bench.delete(&id).await;
    assert_eq!(bench.add(&key).await.0, 409);
}

#[tokio::test]
async fn uuid_is_inside_key_or_made_at_insert_and_may_be_odd() {
    for (from, same) in [(UuidFrom::Key, true), (UuidFrom::Insert, false)] {
        let bench = Bench::with(|s| (s.uuid_from, s.duplicate) = (from, Duplicate::SecondRow)).await;
        let (key, _) = bench.added(LicenseKey::seats(40)).await;
        bench.add(&key).await;
        let rows = bench.immuta.rows();
        assert_eq!(rows[0].uuid == rows[1].uuid, same);
        assert_ne!(rows[0].id, rows[1].id);
        bench.immuta.switch(|s| s.odd_uuids = true);
        assert!(bench.add(&key).await.1["uuid"].as_str().unwrap().starts_with("lic~"));
    }
}

#[tokio::test]
async fn success_may_have_another_status_and_no_body() {
    for status in [200, 201, 202, 204] {
        let bench = Bench::with(|s| (s.add_status, s.delete_status) = (status, status)).await;
        let key = bench.immuta.issue(LicenseKey::seats(40));
        let added = bench.add(&key).await;
        let removed = bench.delete(&json!(1)).await;
        assert_eq!((added.0, removed.0), (status, status));
        assert_eq!((added.1.is_null(), removed.1.is_null()), (status == 204, status == 204));
        assert_eq!(bench.immuta.additions_of(&key), 1);
        assert!(bench.immuta.live_rows().is_empty());
    }
}

#[tokio::test]
async fn refusals_repeat_the_key_only_by_the_switch() {
    let bench = Bench::new().await;
    let (key, _) = bench.added(LicenseKey::seats(40)).await;
    for body in [json!({ "licenseKey": key }), json!({ "licensekey": key })] {
        assert!(!bench.post(&body).await.1.to_string().contains(&key));
    }
    bench.immuta.switch(|s| s.errors_echo_key = true);
    for body in [json!({ "licenseKey": key }), json!({ "licensekey": key })] {
        let (_, refusal) = bench.post(&body).await;
        assert!(refusal["message"].as_str().unwrap().contains(&key));
        assert_eq!(refusal["validation"][0]["value"], key);
    }
}

#[tokio::test]
async fn secret_in_a_url_is_noticed() {
    let bench = Bench::new().await;
    let key = bench.immuta.issue(LicenseKey::seats(40));
    bench.add(&key).await;
    assert_eq!(bench.immuta.secrets_in_urls(), 0);
    answer(bench.request("POST", &format!("{LICENSE}?licenseKey={key}"))).await;
    answer(bench.request("GET", &format!("{LICENSE}?key={}", bench.api_key))).await;
    assert_eq!(bench.immuta.secrets_in_urls(), 2);
}
