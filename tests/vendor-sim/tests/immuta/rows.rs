//! `GET /admin/license`, `DELETE`, and what people do in the UI (docs/vendors/immuta.md, "The license record",
//! "Several keys", "Telling a row from a key" and "Deleting a row").

use std::time::Duration;

use serde_json::{Value, json};

use crate::{Bench, fields};
use vendor_sim::immuta::{Action, Actor, CreatedAt, Dates, LicenseKey, SecondDelete, UuidFrom};

const DAY: Duration = Duration::from_secs(24 * 3600);

#[tokio::test]
async fn list_has_short_records_without_the_key() {
    let bench = Bench::new().await;
    let (key, _) = bench.added(LicenseKey::seats(40).feature("FPE").tokens("renewal", "classify")).await;
    bench.added(LicenseKey::seats(25)).await;
    let list = bench.list().await;
    let names = ["createdAt", "expires", "features", "handlers", "id", "notice", "noticeOnExpire", "seats", "uuid"];
    assert_eq!(fields(&list[0]), names);
    assert_eq!((list[0]["seats"].as_i64(), list[1]["seats"].as_i64()), (Some(40), Some(25)));
    assert!(!Value::from(list).to_string().contains(&key));
    assert_eq!(bench.ids().await, [1, 2]);
    bench.immuta.switch(|s| s.list_newest_first = true);
    assert_eq!(bench.ids().await, [2, 1]);
}

#[tokio::test]
async fn readings_may_succeed_with_another_status() {
    for status in [200, 203] {
        let bench = Bench::with(|s| s.read_status = status).await;
        for path in [crate::LICENSE, crate::STATUS, "/admin/license/usage"] {
            assert_eq!(bench.get(path).await.0, status, "{path}");
        }
    }
}

#[tokio::test]
async fn delete_is_soft_and_answers_with_the_key() {
    let bench = Bench::new().await;
    let (key, id) = bench.added(LicenseKey::seats(40)).await;
    bench.immuta.advance(DAY);
    let (status, row) = bench.delete(&id).await;
    assert_ne!(row["updatedAt"], row["createdAt"]);
    assert_eq!((status, &row["deleted"], &row["hardDelete"]), (200, &json!(true), &json!(false)));
    assert_eq!((&row["licenseKey"], row.get("renewalToken")), (&json!(key), None));
    assert_eq!(fields(&row).len(), 17);
    assert!(bench.ids().await.is_empty() && bench.immuta.rows()[0].deleted);
    let entry = bench.immuta.ledger().pop().unwrap();
    assert_eq!((entry.who, entry.action, entry.effect), (Actor::Request, Action::Delete, true));
    assert_eq!((entry.key, entry.id, bench.immuta.deletes()), (Some(1), Some(1), 1));

    let missing = bench.delete(&json!(99)).await;
    let text = "License not found";
    assert_eq!(missing, (404, json!({ "statusCode": 404, "error": "Not Found", "message": text })));
    assert_eq!(bench.delete(&json!("x")).await.0, 400);

    bench.immuta.switch(|s| s.first_delete_purges = true);
    let (_, id) = bench.added(LicenseKey::seats(25)).await;
    assert_eq!(bench.delete(&id).await.1["hardDelete"], true);
    assert_eq!((bench.immuta.rows().len(), bench.immuta.ledger().pop().unwrap().action), (1, Action::Purge));
}

#[tokio::test]
async fn second_delete_follows_switch() {
    for (switch, status, left, effect) in [
        (SecondDelete::NotFound, 404, 1, false),
        (SecondDelete::Purges, 200, 0, true),
        (SecondDelete::Again, 200, 1, false),
    ] {
        let bench = Bench::with(|s| s.second_delete = switch).await;
        let (_, id) = bench.added(LicenseKey::seats(40)).await;
        bench.delete(&id).await;
        let (again, body) = bench.delete(&id).await;
        assert_eq!((again, bench.immuta.rows().len()), (status, left), "{switch:?}");
        assert_eq!(body["hardDelete"] == true, switch == SecondDelete::Purges);
        assert_eq!(bench.immuta.ledger().pop().unwrap().effect, effect);
    }
}

#[tokio::test]
async fn deleted_expired_and_invalidated_rows_are_listed_by_their_switches() {
    let bench = Bench::new().await;
    let (_, deleted) = bench.added(LicenseKey::seats(1)).await;
    let (_, invalidated) = bench.added(LicenseKey::seats(2)).await;
    bench.added(LicenseKey::seats(3).expires_in(DAY)).await;
    bench.added(LicenseKey::seats(4)).await;
    bench.delete(&deleted).await;
    assert!(bench.immuta.invalidate(invalidated.as_i64().unwrap()));
    bench.immuta.advance(2 * DAY);
    assert_eq!(bench.ids().await, [2, 3, 4]);
    bench.immuta.switch(|s| s.list_shows_deleted = true);
    assert_eq!(bench.ids().await, [1, 2, 3, 4]);
    bench.immuta.switch(|s| s.list_shows_invalidated = false);
    assert_eq!(bench.ids().await, [1, 3, 4]);
    bench.immuta.switch(|s| s.list_shows_expired = false);
    assert_eq!(bench.ids().await, [1, 4]);
    let states: Vec<_> = bench.immuta.rows().iter().map(|r| (r.deleted, r.invalidated, r.expired)).collect();
    assert_eq!(states, [(true, false, false), (false, true, false), (false, false, true), (false, false, false)]);
}

#[tokio::test]
async fn dates_are_written_per_switch() {
    let bench = Bench::new().await;
    let at = "2031-06-30T00:00:00Z".parse().unwrap();
    let (_, id) = bench.added(LicenseKey::seats(40).expires(at)).await;
    assert_eq!(id, 1);
    for (dates, written) in [
        (Dates::Milliseconds, "2031-06-30T00:00:00.000Z"),
        (Dates::Seconds, "2031-06-30T00:00:00Z"),
        (Dates::NoZone, "2031-06-30T00:00:00.000"),
        (Dates::Offset, "2031-06-30T00:00:00.000+00:00"),
    ] {
        bench.immuta.switch(|s| s.dates = dates);
        assert_eq!(bench.list().await[0]["expires"], written);
    }
    bench.immuta.switch(|s| s.dates = Dates::Milliseconds);
    bench.added(LicenseKey::seats(40).perpetual()).await;
    assert_eq!(bench.list().await[1].get("expires"), Some(&Value::Null));
    bench.immuta.switch(|s| s.perpetual_expires_absent = true);
    assert_eq!(bench.list().await[1].get("expires"), None);
}

#[tokio::test]
async fn created_at_is_time_of_addition_or_issue() {
    for (switch, added) in [(CreatedAt::Added, true), (CreatedAt::Generated, false)] {
        let bench = Bench::with(|s| s.created_at = switch).await;
        let key = bench.immuta.issue(LicenseKey::seats(40));
        bench.immuta.advance(DAY);
        let between = bench.immuta.now();
        bench.immuta.advance(DAY);
        let created: jiff::Timestamp = bench.add(&key).await.1["createdAt"].as_str().unwrap().parse().unwrap();
        assert_eq!(created > between, added);
    }
}

#[tokio::test]
async fn features_may_be_arrays_and_unknown_fields_may_appear_everywhere() {
    let bench = Bench::new().await;
    bench.added(LicenseKey::seats(40).feature("FPE")).await;
    assert_eq!(bench.list().await[0]["features"], json!({ "FPE": { "enabled": true } }));
    bench.immuta.switch(|s| s.features_as_array = true);
    assert_eq!((&bench.list().await[0]["features"], &bench.list().await[0]["handlers"]), (&json!(["FPE"]), &json!([])));
    bench.immuta.switch(|s| s.extra_fields = true);
    let row = bench.list().await[0].clone();
    assert_eq!((&row["features"], row["edition"].is_object()), (&json!(["FPE", "QUANTUM_MASKING"]), true));
    assert!(bench.get(crate::STATUS).await.1["seatPool"].is_object());
    assert!(bench.get("/admin/license/usage").await.1["summary"]["auditors"].is_object());
}

#[tokio::test]
async fn ids_are_used_again_after_a_reset_or_a_rebuild() {
    let bench = Bench::with(|s| (s.second_delete, s.uuid_from) = (SecondDelete::Purges, UuidFrom::Insert)).await;
    let (first, id) = bench.added(LicenseKey::seats(40)).await;
    bench.added(LicenseKey::seats(25)).await;
    bench.delete(&id).await;
    bench.delete(&id).await;
    bench.added(LicenseKey::seats(10)).await;
    assert_eq!(bench.ids().await, [2, 3], "an id is not used twice by itself");
    bench.immuta.reset_ids();
    bench.added(LicenseKey::seats(5)).await;
    bench.added(LicenseKey::seats(5)).await;
    assert_eq!(bench.ids().await, [1, 2, 3, 4]);

    let before = bench.immuta.rows();
    bench.immuta.rebuild();
    assert!(bench.list().await.is_empty());
    let lost = bench.immuta.ledger().into_iter().filter(|e| e.action == Action::Lose && e.who == Actor::Vendor);
    assert_eq!(lost.count(), 4);
    assert_eq!(bench.add(&first).await.1["id"], 1);
    assert_ne!(bench.immuta.rows()[0].uuid, before[0].uuid);
}

#[tokio::test]
async fn people_add_and_delete_by_hand_under_the_same_rules() {
    let bench = Bench::new().await;
    let key = bench.immuta.issue(LicenseKey::seats(40));
    let row = bench.immuta.add_by_hand(&key).unwrap();
    assert_eq!((row.id, row.seats, bench.ids().await), (1, 40, vec![1]));
    assert_eq!(bench.immuta.add_by_hand(&key).unwrap_err().status, 422);
    assert_eq!(bench.immuta.add_by_hand("nonsense").unwrap_err().status, 422);
    bench.immuta.delete_by_hand(1).unwrap();
    assert_eq!(bench.immuta.delete_by_hand(1).unwrap_err().status, 404);
    assert!(!bench.immuta.invalidate(99));
    let ledger = bench.immuta.ledger();
    assert!(ledger.iter().all(|e| e.who == Actor::Person && e.request.is_none()));
    assert_eq!(ledger.iter().map(|e| e.effect).collect::<Vec<_>>(), [true, false, false, true, false]);
    assert_eq!((bench.immuta.posts(), bench.immuta.deletes()), (0, 0));
    assert_eq!(bench.immuta.additions_of(&key), 1);
}
