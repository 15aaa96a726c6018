//! What answers to additions and removals prove, and what the list proves against the seats that are counted.

use seatkeeper_support::needs_control_plane;
use serde_json::json;
use vendor_sim::immuta::{Duplicate, LicenseKey, PostField, ReAdd};
use vendor_sim::{Fault, FaultKind};

use super::{Acme, acme, answer, keys_of, tenant};
use crate::world::{FAST, condition, said};

#[tokio::test(flavor = "multi_thread")]
async fn effective_addition_answered_by_proxy_is_not_sent_twice() {
    needs_control_plane!();
    for (name, status, body) in [
        ("immuta-303", 303, ""),
        ("immuta-page", 404, "<html>not here</html>"),
        ("immuta-edge", 403, "error code: 1020"),
        ("immuta-list", 200, "[]"),
    ] {
        let a = Acme::with(name, tenant(), |switches| switches.duplicate = Duplicate::SecondRow).await;
        let key = a.key("one", 40).await;
        a.tenant.inject(Fault::on_license_add(answer(status, body, true)));
        a.declare(&["one"], json!({})).await;
        let status = a.until_ready("Unknown/OutcomeUnknown").await;
        assert_eq!(said(&status, "CredentialsValid"), "True/Authenticated", "{name}");
        let status = a.until_ready("True/InSync").await;
        assert_eq!(keys_of(&status), ["Found/Active"], "{name}");
        assert_eq!((a.tenant.posts(), a.tenant.additions_of(&key)), (1, 1), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn row_of_colleague_is_never_pruned_though_success_came_without_record() {
    needs_control_plane!();
    let a = acme("immuta-bare").await;
    a.key("one", 40).await;
    let theirs = a.tenant.issue(LicenseKey::seats(15));
    a.tenant.inject(Fault::on_license_add(answer(202, "", false)));
    a.declare(&["one"], json!({ "vendor": { "immuta": { "prune": true } } })).await;
    let status = a.until_ready("Unknown/OutcomeUnknown").await;
    assert_eq!(keys_of(&status), ["/Pending"], "nothing is taken at once");
    a.tenant.add_by_hand(&theirs).expect("added by hand");
    let status = a.until_ready("True/InSync").await;
    assert_eq!(keys_of(&status), ["Found/Active"]);
    a.key("two", 60).await;
    a.list(&["two"]).await;
    a.until_ready("False/PruneBlocked").await;
    a.until_polled(3).await;
    assert_eq!((a.tenant.live_rows_of(&theirs).len(), a.tenant.deletes()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn present_key_is_not_assigned_to_impossible_row() {
    needs_control_plane!();
    for (name, theirs, words) in [
        ("immuta-other", Some(50), "name that row in licenseKeys[].adopt"),
        ("immuta-norow", None, "lists no candidate row"),
    ] {
        let a = Acme::with(name, tenant(), |switches| switches.re_add = ReAdd::Refused).await;
        let key = a.key("one", 20).await;
        a.declare(&["one"], json!({})).await;
        a.until_ready("True/InSync").await;
        if let Some(seats) = theirs {
            let theirs = a.tenant.issue(LicenseKey::seats(seats));
            a.tenant.add_by_hand(&theirs).expect("added by hand");
        }
        a.tenant.delete_by_hand(a.tenant.live_rows_of(&key)[0].id).expect("deleted by hand");
        let status = a.until_ready("False/AlreadyPresent").await;
        let message = &condition(&status, "Ready").unwrap().message;
        assert!(message.contains(words), "{message}");
        assert!(!keys_of(&status).contains(&"Found/Active".to_owned()), "{:?}", keys_of(&status));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unlisted_rows_with_counted_seats_are_not_added_again() {
    needs_control_plane!();
    let a = Acme::with("immuta-hidden", tenant(), |switches| switches.duplicate = Duplicate::SecondRow).await;
    let key = a.key("one", 20).await;
    a.declare(&["one"], json!({})).await;
    a.until_ready("True/InSync").await;
    let short = a.tenant.inject(Fault::on_license_list(FaultKind::Body { text: "[]".into() }).for_ever());
    let status = a.until_ready("False/NeedsReview").await;
    let message = condition(&status, "Ready").unwrap().message.clone();
    assert!(message.contains("still counts its seats (20 in all)"), "{message}");
    a.until_polled(4).await;
    assert_eq!((a.tenant.posts(), a.tenant.additions_of(&key)), (1, 1));
    a.tenant.clear_fault(short);
    let status = a.until_ready("True/InSync").await;
    assert_eq!(keys_of(&status), ["Added/Active"], "it is known again");
    // Gone for good, and counted all the same: a person says so.
    a.tenant.switch(|switches| switches.deleted_seats_count = true);
    a.tenant.delete_by_hand(a.tenant.live_rows_of(&key)[0].id).expect("deleted by hand");
    let status = a.until_ready("False/NeedsReview").await;
    let message = condition(&status, "Ready").unwrap().message.clone();
    let id = message.split("confirm=").nth(1).and_then(|rest| rest.split(',').next()).expect("an id").to_owned();
    // What a person has said stays known while something else stands against the addition.
    a.w.edit("acme", json!({ "suspend": true })).await;
    a.w.annotate("acme", "seatkeeper.dev/confirm", &id).await;
    a.until("the answer on record", |status| keys_of(status) == ["Added/GivenUp"]).await;
    a.w.annotate("acme", "seatkeeper.dev/confirm", "another").await;
    a.until_polled(2).await;
    assert_eq!((keys_of(&a.w.status("acme").await), a.tenant.posts()), (vec!["Added/GivenUp".into()], 1));
    a.w.edit("acme", json!({ "suspend": false })).await;
    a.until("the key again", |status| keys_of(status) == ["Added/Active"] && a.tenant.additions_of(&key) == 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusal_that_passes_is_asked_once_more_and_the_key_added() {
    needs_control_plane!();
    for (name, status) in [("immuta-busy", 409), ("immuta-once", 400), ("immuta-gone", 404), ("immuta-odd", 422)] {
        let a = acme(name).await;
        let key = a.key("one", 40).await;
        let body = format!(r#"{{"statusCode":{status},"message":"The instance is busy"}}"#);
        a.tenant.inject(Fault::on_license_add(answer(status, &body, false)));
        a.declare(&["one"], json!({})).await;
        let status = a.until_ready("True/InSync").await;
        assert_eq!(keys_of(&status), ["Added/Active"], "{name}");
        assert_eq!((a.tenant.posts(), a.tenant.additions_of(&key)), (2, 1), "{name}");
        a.w.until_told("LicenseKeyAdded", 1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn row_answered_with_refusal_is_reported_as_refused() {
    needs_control_plane!();
    let a = acme("immuta-422").await;
    let key = a.key("one", 40).await;
    let body = r#"{"statusCode":422,"message":"Unprocessable"}"#;
    a.tenant.inject(Fault::on_license_add(answer(422, body, true)));
    a.declare(&["one"], json!({})).await;
    let status = a.until_ready("True/InSync").await;
    assert_eq!((keys_of(&status), a.tenant.additions_of(&key)), (vec!["Found/Active".into()], 1));
    assert_eq!(status.history[0].step.key().expect("a key").heard, ["it answers with status 422"]);
    let told = a.w.until_told("LicenseKeyAdopted", 2).await;
    assert!(told.iter().any(|(_, note)| note.contains("was refused, because it answers with status 422")), "{told:?}");
    assert!(told.iter().all(|(reason, _)| reason != "LicenseKeyAdded"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn row_tenant_confirmed_but_does_not_list_is_reported_and_key_not_resent() {
    needs_control_plane!();
    let a = Acme::with("immuta-confirmed", tenant(), |switches| switches.duplicate = Duplicate::SecondRow).await;
    let key = a.key("one", 20).await;
    let status = json!({ "activeUserCount": 10, "licenseSeats": 0, "canAddUser": true, "hardSeats": 0 }).to_string();
    let list = a.tenant.inject(Fault::on_license_list(FaultKind::Body { text: "[]".into() }).for_ever());
    let count = a.tenant.inject(Fault::on_license_status(FaultKind::Body { text: status }).for_ever());
    a.declare(&["one"], json!({})).await;
    let status = a.until_ready("False/NeedsReview").await;
    let row = &a.tenant.live_rows_of(&key)[0];
    let words = format!("Immuta confirmed row {} ({}) and does not list it", row.id, row.uuid);
    let message = &condition(&status, "Ready").unwrap().message;
    assert!(message.contains(&words), "{message}");
    a.until_polled(4).await;
    assert_eq!((a.tenant.posts(), a.tenant.additions_of(&key)), (1, 1));
    a.tenant.clear_fault(list);
    a.tenant.clear_fault(count);
    let status = a.until_ready("True/InSync").await;
    assert_eq!((keys_of(&status), a.tenant.posts()), (vec!["Added/Active".into()], 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn other_spelling_of_the_field_outlasts_a_restart_before_the_repeat() {
    needs_control_plane!();
    let mut a = Acme::with("immuta-spelling", tenant(), |switches| switches.post_field = PostField::Licensekey).await;
    let key = a.key("one", 40).await;
    a.declare(&["one"], json!({})).await;
    a.until_ready("Unknown/OutcomeUnknown").await;
    assert_eq!(a.tenant.posts(), 1);
    a.w.operator.stop().await;
    a.w.operator = a.w.another_operator(FAST).await;
    let status = a.until_ready("True/InSync").await;
    assert_eq!(keys_of(&status), ["Added/Active"]);
    assert_eq!((a.tenant.posts(), a.tenant.additions_of(&key)), (2, 1));
    // A tenant that takes the other one from now on: what it refuses is recorded as it was spelled.
    a.tenant.switch(|switches| switches.post_field = PostField::LicenseKey);
    let other = a.key("two", 10).await;
    a.list(&["one", "two"]).await;
    a.until("both", |status| keys_of(status) == ["Added/Active", "Added/Active"]).await;
    assert_eq!((a.tenant.posts(), a.tenant.additions_of(&other)), (4, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn throttled_request_is_none_of_the_two_and_is_sent_after_its_pause() {
    needs_control_plane!();
    let a = acme("immuta-throttled").await;
    let throttled = || FaultKind::Answer {
        status: 429,
        headers: [("retry-after".to_owned(), "1".to_owned())].into(),
        body: "slow down".into(),
        apply: false,
    };
    let old = a.key("old", 40).await;
    a.tenant.inject(Fault::on_license_add(throttled()).times(3));
    a.declare(&["old"], json!({})).await;
    let status = a.until_ready("True/InSync").await;
    assert_eq!(keys_of(&status), ["Added/Active"]);
    assert_eq!((a.tenant.posts(), a.tenant.additions_of(&old)), (4, 1));
    // One that was lost counts, whatever is throttled after it.
    let new = a.key("new", 40).await;
    a.tenant.inject(Fault::on_license_add(FaultKind::Drop { apply: false }));
    a.tenant.inject(Fault::on_license_add(throttled()).skip(1).times(2));
    a.prune().await;
    a.tenant.inject(Fault::on_license_delete(throttled()).times(3));
    a.list(&["new"]).await;
    a.until("the new key alone", |status| {
        keys_of(status) == ["Added/Active"] && said(status, "Ready") == "True/InSync" && a.tenant.deletes() == 4
    })
    .await;
    assert_eq!((a.tenant.posts(), a.tenant.additions_of(&new), a.tenant.live_rows_of(&old).len()), (8, 1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn refusal_after_an_effect_is_recognized_by_the_row() {
    needs_control_plane!();
    let a = Acme::with("immuta-late-no", tenant(), |switches| switches.duplicate = Duplicate::SecondRow).await;
    let key = a.key("one", 40).await;
    let body = r#"{"statusCode":409,"message":"The license already exists"}"#;
    a.tenant.inject(Fault::on_license_add(answer(409, body, true)));
    a.declare(&["one"], json!({})).await;
    let status = a.until_ready("True/InSync").await;
    assert_eq!(keys_of(&status), ["Found/Active"]);
    assert_eq!((a.tenant.posts(), a.tenant.additions_of(&key)), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn removal_that_is_answered_and_not_done_is_seen_and_sent_once_more() {
    needs_control_plane!();
    let other = r#"{"id":99,"uuid":"another","deleted":true,"hardDelete":false}"#;
    for (name, kind) in [
        ("immuta-not-done", FaultKind::NoEffect),
        ("immuta-another", answer(200, other, false)),
        ("immuta-nothing", answer(204, "", false)),
        ("immuta-400", answer(400, r#"{"statusCode":400,"message":"busy"}"#, false)),
        ("immuta-405", answer(405, "", false)),
    ] {
        let a = acme(name).await;
        let old = a.key("old", 40).await;
        a.declare(&["old"], json!({})).await;
        a.until_ready("True/InSync").await;
        a.key("new", 40).await;
        a.tenant.inject(Fault::on_license_delete(kind));
        a.prune().await;
        a.list(&["new"]).await;
        a.until_ready("Unknown/OutcomeUnknown").await;
        assert_eq!(a.tenant.live_rows_of(&old).len(), 1, "{name}");
        a.until(format!("{name}: the new key alone"), |status| {
            keys_of(status) == ["Added/Active"] && said(status, "Ready") == "True/InSync" && status.intent.is_none()
        })
        .await;
        assert_eq!((a.tenant.deletes(), a.tenant.live_rows_of(&old).len()), (2, 0), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn single_reading_without_row_does_not_end_removal() {
    needs_control_plane!();
    let a = acme("immuta-gap").await;
    let old = a.key("old", 40).await;
    a.declare(&["old"], json!({})).await;
    a.until_ready("True/InSync").await;
    let new = a.key("new", 40).await;
    a.list(&["old", "new"]).await;
    a.until("both", |status| keys_of(status) == ["Added/Active", "Added/Active"]).await;
    let row = &a.tenant.live_rows_of(&new)[0];
    let alone = json!([{ "id": row.id, "uuid": row.uuid, "seats": 40, "expires": null }]).to_string();
    a.tenant.inject(Fault::on_license_delete(answer(500, r#"{"statusCode":500,"message":"no"}"#, false)));
    a.prune().await;
    a.list(&["new"]).await;
    a.until_ready("Unknown/OutcomeUnknown").await;
    a.tenant.inject(Fault::on_license_list(FaultKind::Body { text: alone }));
    a.until("the new key alone", |status| {
        keys_of(status) == ["Added/Active"] && said(status, "Ready") == "True/InSync"
    })
    .await;
    assert_eq!((a.tenant.deletes(), a.tenant.live_rows_of(&old).len()), (2, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn list_instead_of_object_counts_as_unreadable() {
    needs_control_plane!();
    let a = acme("immuta-position").await;
    a.key("one", 40).await;
    a.declare(&["one"], json!({})).await;
    a.until_ready("True/InSync").await;
    let fault =
        a.tenant.inject(Fault::on_license_status(FaultKind::Body { text: "[10, 7, true, 7]".into() }).for_ever());
    let status = a.w.until_reason("acme", "CredentialsValid", "VendorUnreachable").await;
    assert_eq!(status.seats, Some(40));
    a.tenant.clear_fault(fault);
    a.w.until_reason("acme", "CredentialsValid", "Authenticated").await;
    a.until_ready("True/InSync").await;
}
