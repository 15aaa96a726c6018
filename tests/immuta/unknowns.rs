//! Everything that the Immuta reference leaves open, both ways: whichever way the tenant behaves, a key is added once,
//! the old one is removed after it, and the status says what is so.

use futures::future::join_all;
use seatkeeper_support::needs_control_plane;
use serde_json::json;
use vendor_sim::immuta::{
    Action, CreatedAt, Dates, Duplicate, Exchange, ExpiredSeats, FieldNamed, LicenseKey, Needs, Permission, PostField,
    ReAdd, SecondDelete, Switches, UuidFrom,
};

use super::{Acme, keys_of, tenant};
use crate::world::said;

type Switch = (&'static str, fn(&mut Switches));

/// Each switch off its default; the defaults are what all other tests run with.
const SWITCHES: &[Switch] = &[
    ("no raw key", |s| s.raw_key = false),
    ("no raw key, nor raw token", |s| (s.raw_key, s.raw_token) = (false, false)),
    ("no bearer token", |s| s.bearer_token = false),
    ("bearer key", |s| s.bearer_key = true),
    ("exchange in the body", |s| (s.raw_key, s.exchange) = (false, Exchange::BodyOnly)),
    ("exchange in the header", |s| (s.raw_key, s.exchange) = (false, Exchange::HeaderOnly)),
    ("exchange in the header, refused with 401", |s| {
        (s.raw_key, s.exchange, s.exchange_form_status) = (false, Exchange::HeaderOnly, 401);
    }),
    ("no exchange", |s| s.exchange = Exchange::Unsupported),
    ("exchange without an end", |s| (s.raw_key, s.exchange_shows_expiration) = (false, false)),
    ("tokens die after three calls", |s| (s.raw_key, s.token_calls) = (false, Some(3))),
    ("tokens die after two calls", |s| (s.raw_key, s.token_calls) = (false, Some(2))),
    ("500 instead of 401", |s| (s.raw_key, s.missing_credentials_status) = (false, 500)),
    ("reading needs no right", |s| s.read_needs = Needs::Nothing),
    ("licensekey", |s| s.post_field = PostField::Licensekey),
    ("either spelling", |s| s.post_field = PostField::Either),
    ("licensekey, 422", |s| (s.post_field, s.wrong_field_status) = (PostField::Licensekey, 422)),
    ("licensekey, named in the message", |s| {
        (s.post_field, s.field_named) = (PostField::Licensekey, FieldNamed::Message);
    }),
    ("licensekey, named in the validation", |s| {
        (s.post_field, s.field_named) = (PostField::Licensekey, FieldNamed::Validation);
    }),
    ("expired keys are taken", |s| s.expired_key_accepted = true),
    ("a duplicate is a conflict", |s| s.duplicate = Duplicate::Conflict),
    ("a duplicate is a bad request", |s| s.duplicate = Duplicate::BadRequest),
    ("a duplicate is the same row", |s| s.duplicate = Duplicate::SameRow),
    ("a duplicate is a second row", |s| s.duplicate = Duplicate::SecondRow),
    ("a deleted key lives again", |s| s.re_add = ReAdd::Revives),
    ("a deleted key is refused", |s| s.re_add = ReAdd::Refused),
    ("uuid at insert", |s| s.uuid_from = UuidFrom::Insert),
    ("odd uuids", |s| s.odd_uuids = true),
    ("201 for an addition", |s| s.add_status = 201),
    ("202 for a removal", |s| s.delete_status = 202),
    ("204 for a removal", |s| s.delete_status = 204),
    ("203 for a reading", |s| s.read_status = 203),
    ("the first delete purges", |s| s.first_delete_purges = true),
    ("a second delete purges", |s| s.second_delete = SecondDelete::Purges),
    ("refusals repeat the key", |s| s.errors_echo_key = true),
    ("refusals are a message alone", |s| s.errors_message_only = true),
    ("deleted rows are listed", |s| s.list_shows_deleted = true),
    ("expired rows are hidden", |s| s.list_shows_expired = false),
    ("invalidated rows are hidden", |s| s.list_shows_invalidated = false),
    ("the newest row first", |s| s.list_newest_first = true),
    ("no field for no end", |s| s.perpetual_expires_absent = true),
    ("createdAt of the key", |s| s.created_at = CreatedAt::Generated),
    ("dates in seconds", |s| s.dates = Dates::Seconds),
    ("dates without zone", |s| s.dates = Dates::NoZone),
    ("dates with offset", |s| s.dates = Dates::Offset),
    ("features as an array", |s| s.features_as_array = true),
    ("fields that nobody documented", |s| s.extra_fields = true),
    ("licenseSeats without soft ones", |s| s.license_seats_include_soft = false),
    ("hardSeats with soft ones", |s| s.hard_seats_include_soft = true),
    ("expired seats count", |s| s.expired_seats = ExpiredSeats::Count),
    ("expired seats are gone", |s| s.expired_seats = ExpiredSeats::Gone),
    ("invalidated seats count", |s| s.invalidated_seats_count = true),
    ("deleted seats count", |s| s.deleted_seats_count = true),
    ("inactive users count", |s| s.inactive_users_count = true),
    ("consumers as an array", |s| s.data_consumers_as_array = true),
    ("usage does not add up", |s| s.usage_does_not_add_up = true),
    ("usage pages of one", |s| s.usage_max_size = Some(1)),
    ("usage pages of none", |s| s.usage_max_size = Some(0)),
    ("usage moves while it is read", |s| s.usage_moves = true),
];

#[tokio::test(flavor = "multi_thread")]
async fn whichever_way_the_unknowns_turn_out_a_renewal_adds_once_and_removes_once() {
    needs_control_plane!();
    // As many at a time as two cores bear.
    for some in SWITCHES.chunks(4) {
        join_all(some.iter().map(|(what, switch)| renewal(what, *switch))).await;
    }
}

async fn renewal(what: &str, switch: fn(&mut Switches)) {
    let rights = [Permission::ApplicationAdmin, Permission::UserAdmin];
    let a = Acme::with("immuta-unknown", tenant().inactive_users(3).permissions(&rights), switch).await;
    let terms = LicenseKey::seats(40).soft_seats(5).feature("FPE");
    let old = a.issued("old", terms.clone().perpetual()).await;
    a.declare(&["old"], json!({ "seats": 40 })).await;
    let status = a.until(format!("{what}: the old key"), |status| said(status, "Ready") == "True/InSync").await;
    assert_eq!(keys_of(&status), ["Added/Active"], "{what}");
    let new = a.issued("new", terms).await;
    a.prune().await;
    a.list(&["new"]).await;
    let renewed = |status: &seatkeeper::api::LicenseSeatsStatus| {
        a.tenant.live_rows_of(&old).is_empty()
            && said(status, "Ready") == "True/InSync"
            && keys_of(status).iter().all(|key| key.ends_with("/Active") || key.ends_with("/Removed"))
    };
    a.until(format!("{what}: the new key"), renewed).await;
    a.until_polled(2).await;
    let removed = a.tenant.ledger().iter().filter(|entry| entry.effect && entry.action == Action::Delete).count();
    let purged = a.tenant.ledger().iter().filter(|entry| entry.effect && entry.action == Action::Purge).count();
    let spent = (a.tenant.additions_of(&old), a.tenant.additions_of(&new), removed + purged);
    assert_eq!(spent, (1, 1, 1), "{what}");
    assert_eq!(a.tenant.live_rows_of(&new).len(), 1, "{what}");
    assert_eq!(a.tenant.secrets_in_urls(), 0, "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tenant_that_answers_an_addition_without_a_record_gets_each_key_once_and_none_is_removed() {
    needs_control_plane!();
    let a = Acme::with("immuta-204", tenant(), |switches| switches.add_status = 204).await;
    let (old, new) = (a.key("old", 40).await, a.key("new", 40).await);
    a.declare(&["old"], json!({ "vendor": { "immuta": { "prune": true } } })).await;
    let status = a.until_ready("True/InSync").await;
    assert_eq!(keys_of(&status), ["Found/Active"], "nothing proves that this object made the row");
    a.list(&["new"]).await;
    a.until_ready("False/PruneBlocked").await;
    a.until_polled(3).await;
    assert_eq!((a.tenant.additions_of(&old), a.tenant.additions_of(&new), a.tenant.deletes()), (1, 1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_somebody_else_is_never_a_second_row_of_ours_where_the_vendor_says_that_it_is_there() {
    needs_control_plane!();
    for (name, duplicate, expected) in [
        // A refusal is asked once more: it may be of another kind than it says.
        ("immuta-unique", Duplicate::Unique, ("Found/Active", 2)),
        ("immuta-conflict", Duplicate::Conflict, ("Found/Active", 2)),
        ("immuta-bad", Duplicate::BadRequest, ("Found/Active", 2)),
        ("immuta-same", Duplicate::SameRow, ("Found/Active", 1)),
        ("immuta-second", Duplicate::SecondRow, ("Added/Active", 1)),
    ] {
        let a = Acme::with(name, tenant(), |switches| switches.duplicate = duplicate).await;
        let key = a.key("one", 40).await;
        a.tenant.add_by_hand(&key).expect("added by hand");
        a.declare(&["one"], json!({ "vendor": { "immuta": { "prune": true } } })).await;
        let status = a.until_ready("True/InSync").await;
        assert_eq!(keys_of(&status)[0], expected.0, "{name}");
        a.until_polled(3).await;
        assert_eq!((a.tenant.posts(), a.tenant.deletes()), (expected.1, 0), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_row_comes_back_once_whatever_the_vendor_does_with_its_key() {
    needs_control_plane!();
    for (name, re_add, ready) in [
        ("immuta-re-new", ReAdd::NewRow, "True/InSync"),
        ("immuta-re-live", ReAdd::Revives, "True/InSync"),
        ("immuta-re-refused", ReAdd::Refused, "False/AlreadyPresent"),
    ] {
        let a = Acme::with(name, tenant(), |switches| switches.re_add = re_add).await;
        let other = a.key("other", 15).await;
        let key = a.key("one", 40).await;
        a.declare(&["other", "one"], json!({})).await;
        a.until_ready("True/InSync").await;
        a.tenant.delete_by_hand(a.tenant.live_rows_of(&key)[0].id).expect("deleted by hand");
        a.w.until_reason("acme", "Drifted", "ExternalChange").await;
        // A refusal is asked once more.
        let posts = if re_add == ReAdd::Refused { 4 } else { 3 };
        a.until(format!("{name} over"), |status| said(status, "Ready") == ready && a.tenant.posts() == posts).await;
        a.until_polled(3).await;
        assert_eq!((a.tenant.posts(), a.tenant.additions_of(&other)), (posts, 1), "{name}");
        assert_eq!(a.tenant.live_rows_of(&key).len(), usize::from(re_add != ReAdd::Refused), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_a_rebuilt_tenant_with_our_number_is_not_ours() {
    needs_control_plane!();
    let a = Acme::with("immuta-rebuilt", tenant(), |switches| switches.uuid_from = UuidFrom::Insert).await;
    let key = a.key("one", 40).await;
    a.declare(&["one"], json!({})).await;
    a.until_ready("True/InSync").await;
    a.tenant.rebuild();
    let theirs = a.tenant.issue(LicenseKey::seats(15));
    a.tenant.add_by_hand(&theirs).expect("added by hand");
    let again = |status: &seatkeeper::api::LicenseSeatsStatus| keys_of(status) == ["Added/Active", "Foreign/Active"];
    a.until("our key again beside theirs", again).await;
    assert_eq!((a.tenant.live_rows_of(&key).len(), a.tenant.deletes()), (1, 0));
}
