//! Additions and removals of which the answer, the record or the process is lost.

use seatkeeper_support::needs_control_plane;
use serde_json::json;
use vendor_sim::immuta::{Duplicate, LicenseKey};
use vendor_sim::{Fault, FaultKind};

use super::{Acme, acme, entries, keys_of, tenant};
use crate::world::{condition, said};

#[tokio::test(flavor = "multi_thread")]
async fn addition_with_lost_answer_is_recognized_by_its_row() {
    needs_control_plane!();
    let a = acme("immuta-lost").await;
    let key = a.key("one", 40).await;
    a.tenant.inject(Fault::on_license_add(FaultKind::Drop { apply: true }));
    a.declare(&["one"], json!({})).await;
    let status = a.until_ready("Unknown/OutcomeUnknown").await;
    assert!(condition(&status, "Ready").unwrap().message.contains("license key one/licenseKey added, or not"));
    let status = a.until_ready("True/InSync").await;
    assert_eq!(keys_of(&status), ["Found/Active"], "recognized, and not proven");
    assert_eq!((a.tenant.posts(), a.tenant.additions_of(&key)), (1, 1));
    a.w.until_told("LicenseKeyAdopted", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn addition_that_never_arrived_is_sent_once_more() {
    needs_control_plane!();
    let a = acme("immuta-void").await;
    let key = a.key("one", 40).await;
    a.tenant.inject(Fault::on_license_add(FaultKind::Drop { apply: false }));
    a.declare(&["one"], json!({})).await;
    a.until_ready("True/InSync").await;
    assert_eq!((a.tenant.posts(), a.tenant.additions_of(&key)), (2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn addition_that_lands_late_is_not_sent_twice() {
    needs_control_plane!();
    // Servers that would make a second row of it show best that nothing is sent again.
    let a = Acme::with("immuta-late", tenant(), |switches| switches.duplicate = Duplicate::SecondRow).await;
    let key = a.key("one", 40).await;
    a.tenant.inject(Fault::on_license_add(FaultKind::ApplyLate { after_ms: 2500 }));
    a.declare(&["one"], json!({})).await;
    a.until_ready("True/InSync").await;
    assert_eq!((a.tenant.posts(), a.tenant.additions_of(&key)), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn failing_vendor_gets_two_requests_and_then_none() {
    needs_control_plane!();
    let a = acme("immuta-fails").await;
    a.key("one", 40).await;
    let answer = FaultKind::Answer {
        status: 500,
        headers: [].into(),
        body: r#"{"statusCode":500,"message":"An internal server error occurred"}"#.into(),
        apply: false,
    };
    a.tenant.inject(Fault::on_license_add(answer).for_ever());
    a.declare(&["one"], json!({})).await;
    let status = a.until_ready("False/NeedsReview").await;
    let message = &condition(&status, "Ready").unwrap().message;
    assert!(message.contains("Immuta answered twice with status 500"), "{message}");
    a.until_polled(4).await;
    assert_eq!(a.tenant.posts(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn addition_lost_twice_waits_for_person_to_resend_it_or_name_its_row() {
    needs_control_plane!();
    let gateway = || FaultKind::Answer {
        status: 503,
        headers: [].into(),
        body: "<html>no server is available</html>".into(),
        apply: false,
    };
    let drop = || FaultKind::Drop { apply: false };
    for (name, kind, words) in [
        ("immuta-lost-twice", drop(), "the answer was lost twice"),
        ("immuta-503-twice", gateway(), "Immuta answered twice with status 503"),
    ] {
        let a = acme(name).await;
        let key = a.key("one", 40).await;
        let fault = a.tenant.inject(Fault::on_license_add(kind).for_ever());
        a.declare(&["one"], json!({})).await;
        let status = a.until_ready("False/NeedsReview").await;
        assert_eq!((keys_of(&status), said(&status, "Stalled")), (vec!["/Unproven".into()], "True/NeedsReview".into()));
        let message = condition(&status, "Ready").unwrap().message.clone();
        assert!(message.contains(words) && !message.contains("right key"), "{message}");
        a.until_polled(3).await;
        assert_eq!((a.tenant.posts(), a.tenant.additions_of(&key)), (2, 0), "{name}");
        a.tenant.clear_fault(fault);
        if name == "immuta-lost-twice" {
            let id =
                message.split("confirm=").nth(1).and_then(|rest| rest.split(',').next()).expect("an id").to_owned();
            a.w.annotate("acme", "seatkeeper.dev/confirm", &id).await;
            let status = a.until_ready("True/InSync").await;
            assert_eq!((keys_of(&status), a.tenant.posts()), (vec!["Added/Active".into()], 3));
            continue;
        }
        a.tenant.add_by_hand(&key).expect("added by hand");
        let row = &a.tenant.live_rows_of(&key)[0];
        a.adopt("one", row.id, &row.uuid).await;
        let status = a.until_ready("True/InSync").await;
        assert_eq!((keys_of(&status), a.tenant.posts()), (vec!["Adopted/Active".into()], 2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_new_rows_none_is_taken_until_the_spec_names_it() {
    needs_control_plane!();
    let a = acme("immuta-ambiguous").await;
    let key = a.key("one", 40).await;
    let theirs = a.tenant.issue(LicenseKey::seats(15));
    a.tenant.inject(Fault::on_license_add(FaultKind::Drop { apply: true }));
    a.declare(&["one"], json!({})).await;
    a.until_ready("Unknown/OutcomeUnknown").await;
    a.tenant.add_by_hand(&theirs).expect("added by hand");
    let status = a.until_ready("False/NeedsReview").await;
    let rows = a.tenant.live_rows();
    let message = &condition(&status, "Ready").unwrap().message;
    assert!(rows.iter().all(|row| message.contains(&format!("{} ({})", row.id, row.uuid))), "{message}");
    a.until_polled(3).await;
    assert_eq!(a.tenant.posts(), 1);
    let mine = &a.tenant.live_rows_of(&key)[0];
    a.adopt("one", mine.id, &mine.uuid).await;
    let status = a.until_ready("True/InSync").await;
    assert_eq!(keys_of(&status), ["Adopted/Active", "Foreign/Active"]);
    assert_eq!(a.tenant.posts(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn person_can_confirm_that_no_new_row_is_the_key() {
    needs_control_plane!();
    let a = acme("immuta-confirm").await;
    let key = a.key("one", 40).await;
    a.tenant.inject(Fault::on_license_add(FaultKind::Drop { apply: false }));
    a.declare(&["one"], json!({})).await;
    a.until_ready("Unknown/OutcomeUnknown").await;
    for seats in [15, 16] {
        let theirs = a.tenant.issue(LicenseKey::seats(seats));
        a.tenant.add_by_hand(&theirs).expect("added by hand");
    }
    let status = a.until_ready("False/NeedsReview").await;
    a.w.annotate("acme", "seatkeeper.dev/confirm", &status.intent.unwrap().id).await;
    let status = a.until_ready("True/InSync").await;
    assert_eq!(keys_of(&status), ["Added/Active", "Foreign/Active", "Foreign/Active"]);
    assert_eq!(a.tenant.additions_of(&key), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn removal_with_lost_answer_is_done_once_row_is_unlisted() {
    needs_control_plane!();
    let a = acme("immuta-lost-delete").await;
    a.key("old", 40).await;
    a.declare(&["old"], json!({})).await;
    a.until_ready("True/InSync").await;
    let new = a.key("new", 40).await;
    a.tenant.inject(Fault::on_license_delete(FaultKind::Drop { apply: true }));
    a.prune().await;
    a.list(&["new"]).await;
    let gone = |status: &seatkeeper::api::LicenseSeatsStatus| {
        a.tenant.deletes() == 1
            && status.intent.is_none()
            && keys_of(status) == ["Added/Active"]
            && said(status, "Ready") == "True/InSync"
    };
    a.until("the new key alone", gone).await;
    a.until_polled(3).await;
    assert_eq!((a.tenant.deletes(), a.tenant.live_rows_of(&new).len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn listed_and_counted_row_is_not_gone_despite_404() {
    needs_control_plane!();
    let a = acme("immuta-404-delete").await;
    a.key("old", 40).await;
    a.declare(&["old"], json!({})).await;
    a.until_ready("True/InSync").await;
    a.key("new", 40).await;
    let body = r#"{"statusCode":404,"error":"Not Found"}"#.into();
    let answer = FaultKind::Answer { status: 404, headers: [].into(), body, apply: false };
    a.tenant.inject(Fault::on_license_delete(answer));
    a.prune().await;
    a.list(&["new"]).await;
    a.until_ready("Unknown/OutcomeUnknown").await;
    let told = |events: &[(String, String)]| events.iter().filter(|(why, _)| why == "LicenseKeyRemoved").count();
    assert_eq!((a.tenant.live_rows().len(), told(&a.w.events().await)), (2, 0));
    a.until("the new key alone", |status| keys_of(status) == ["Added/Active"] && status.intent.is_none()).await;
    a.until_ready("True/InSync").await;
    a.w.until_told("LicenseKeyRemoved", 1).await;
    assert_eq!((a.tenant.deletes(), a.tenant.live_rows().len()), (2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn restored_status_of_a_former_object_keeps_keys_from_being_added_twice() {
    needs_control_plane!();
    let a = Acme::with("immuta-restore", tenant(), |switches| switches.duplicate = Duplicate::SecondRow).await;
    let key = a.key("one", 40).await;
    a.declare(&["one"], json!({})).await;
    let status = a.until_ready("True/InSync").await;
    a.w.seats().delete("acme", &Default::default()).await.expect("delete");
    // As a restore does it: the object, not yet allowed to act, then its status.
    a.declare(&["one"], json!({ "suspend": true })).await;
    a.until("the new object", |status| said(status, "Ready") == "True/Suspended").await;
    a.restore(&status).await;
    a.w.edit("acme", json!({ "suspend": false })).await;
    let status = a
        .until("the key found again", |status| {
            keys_of(status) == ["Found/Active"] && said(status, "Ready") == "True/InSync"
        })
        .await;
    assert_ne!(status.license.unwrap().keys_of.unwrap().object_uid, "");
    a.until_polled(3).await;
    assert_eq!((a.tenant.posts(), a.tenant.additions_of(&key)), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn object_made_anew_over_its_own_key_takes_the_row_or_asks() {
    needs_control_plane!();
    for (name, rows, expected) in [("immuta-anew", 1, "True/InSync"), ("immuta-anew-two", 2, "False/AlreadyPresent")] {
        let a = acme(name).await;
        let key = a.key("one", 40).await;
        a.tenant.add_by_hand(&key).expect("added by hand");
        for _ in 1..rows {
            let theirs = a.tenant.issue(LicenseKey::seats(15));
            a.tenant.add_by_hand(&theirs).expect("added by hand");
        }
        a.declare(&["one"], json!({})).await;
        let status = a.until_ready(expected).await;
        assert_eq!(a.tenant.additions_of(&key), 1);
        if rows == 1 {
            assert_eq!(keys_of(&status), ["Found/Active"]);
            continue;
        }
        assert!(condition(&status, "Ready").unwrap().message.contains("licenseKeys[].adopt"));
        let mine = &a.tenant.live_rows_of(&key)[0];
        a.adopt("one", mine.id, &mine.uuid).await;
        let status = a.until_ready("True/InSync").await;
        assert_eq!(keys_of(&status), ["Adopted/Active", "Foreign/Active"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn key_of_recreated_object_is_no_addition_and_pruned_only_once_adopted() {
    needs_control_plane!();
    let a = acme("immuta-anew-prune").await;
    let key = a.key("one", 40).await;
    a.tenant.add_by_hand(&key).expect("added by hand");
    a.declare(&["one"], json!({ "vendor": { "immuta": { "prune": true } } })).await;
    let status = a.until_ready("True/InSync").await;
    assert_eq!((keys_of(&status), status.history.len()), (vec!["Found/Active".into()], 0));
    a.w.until_told("LicenseKeyAdopted", 1).await;
    let events = a.w.events().await;
    assert!(events.iter().all(|(why, _)| why != "LicenseKeyAdded"), "{events:?}");
    let (_, adopted) = events.iter().find(|(why, _)| why == "LicenseKeyAdopted").expect("the event");
    assert!(
        adopted
            .contains("To let prune remove it once its key is no longer listed, name the row in licenseKeys[].adopt"),
        "{adopted}"
    );
    a.key("two", 60).await;
    a.list(&["two"]).await;
    let status = a.until_ready("False/PruneBlocked").await;
    let row = &a.tenant.live_rows_of(&key)[0];
    let words = format!("name id {} and uuid {} in licenseKeys[].adopt of its entry", row.id, row.uuid);
    let message = &condition(&status, "Ready").unwrap().message;
    assert!(message.contains(&words), "{message}");
    let mut keys = entries(&["one", "two"]);
    keys[0]["adopt"] = json!({ "id": row.id, "uuid": row.uuid });
    a.w.edit("acme", json!({ "vendor": { "immuta": { "licenseKeys": keys } } })).await;
    let adopted = |status: &seatkeeper::api::LicenseSeatsStatus| keys_of(status) == ["Adopted/Active", "Added/Active"];
    a.until("the row as its own", |status| adopted(status) && said(status, "Ready") == "True/InSync").await;
    a.list(&["two"]).await;
    a.until("the new key alone", |status| {
        keys_of(status) == ["Added/Active"] && said(status, "Ready") == "True/InSync"
    })
    .await;
    assert_eq!((a.tenant.live_rows_of(&key).len(), a.tenant.deletes()), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_row_to_adopt_is_reported_and_key_not_added() {
    needs_control_plane!();
    let a = acme("immuta-adopt").await;
    let key = a.key("one", 40).await;
    let mut keys = entries(&["one"]);
    keys[0]["adopt"] = json!({ "id": 7, "uuid": "no-such-row" });
    a.declare(&[], json!({ "vendor": { "immuta": { "licenseKeys": keys } } })).await;
    a.until_ready("False/NeedsReview").await;
    a.until_polled(3).await;
    assert_eq!((a.tenant.posts(), a.tenant.additions_of(&key)), (0, 0));
}
