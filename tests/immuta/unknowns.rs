//! Everything that docs/vendors/immuta.md leaves open, both ways: whichever way the tenant behaves, a key is added
//! once, the old one is removed after it, and the status says what is so. Each row proves that its switch decided
//! something.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use futures::future::join_all;
use seatkeeper::api::LicenseSeatsStatus;
use seatkeeper_support::{needs_control_plane, workspace_root};
use serde_json::json;
use vendor_sim::immuta::{
    Action, CreatedAt, Dates, Duplicate, Exchange, ExpiredSeats, FieldNamed, LicenseKey, Needs, Permission, PostField,
    ReAdd, SecondDelete, Switches, UuidFrom,
};

use vendor_sim::{Fault, FaultKind};

use super::{Acme, keys_of, tenant};
use crate::world::said;

type Switch = (&'static str, fn(&mut Switches));

/// Each switch off its default; the defaults are what all other tests run with.
const SWITCHES: &[Switch] = &[
    ("no raw key", |s| s.raw_key = false),
    ("exchange in the header", |s| (s.raw_key, s.exchange) = (false, Exchange::HeaderOnly)),
    ("exchange in the header, refused with 401", |s| {
        (s.raw_key, s.exchange, s.exchange_form_status) = (false, Exchange::HeaderOnly, 401);
    }),
    ("exchange without an end", |s| (s.raw_key, s.exchange_shows_expiration) = (false, false)),
    ("tokens of five seconds", |s| (s.raw_key, s.token_lifetime_seconds) = (false, 5)),
    ("tokens die after three calls", |s| (s.raw_key, s.token_calls) = (false, Some(3))),
    ("tokens die after two calls", |s| (s.raw_key, s.token_calls) = (false, Some(2))),
    ("licensekey", |s| s.post_field = PostField::Licensekey),
    ("licensekey, 422", |s| (s.post_field, s.wrong_field_status) = (PostField::Licensekey, 422)),
    ("licensekey, named in the message", |s| {
        (s.post_field, s.field_named) = (PostField::Licensekey, FieldNamed::Message);
    }),
    ("licensekey, named in the validation", |s| {
        (s.post_field, s.field_named) = (PostField::Licensekey, FieldNamed::Validation);
    }),
    ("uuid at insert", |s| s.uuid_from = UuidFrom::Insert),
    ("odd uuids", |s| s.odd_uuids = true),
    ("201 for an addition", |s| s.add_status = 201),
    ("202 for a removal", |s| s.delete_status = 202),
    ("204 for a removal", |s| s.delete_status = 204),
    ("203 for a reading", |s| s.read_status = 203),
    ("the first delete purges", |s| s.first_delete_purges = true),
    ("refusals repeat the key", |s| (s.post_field, s.errors_echo_key) = (PostField::Licensekey, true)),
    ("refusals are a message alone", |s| (s.raw_key, s.errors_message_only) = (false, true)),
    ("deleted rows are listed", |s| s.list_shows_deleted = true),
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
    ("deleted seats count", |s| s.deleted_seats_count = true),
    ("inactive users count", |s| s.inactive_users_count = true),
    ("consumers as an array", |s| s.data_consumers_as_array = true),
    ("usage does not add up", |s| s.usage_does_not_add_up = true),
    ("usage pages of none", |s| s.usage_max_size = Some(0)),
    ("usage moves while it is read", |s| s.usage_moves = true),
];

/// The same, beside rows of somebody else that have expired or were invalidated.
const BESIDE_OTHERS: &[Switch] = &[
    ("expired rows are hidden", |s| s.list_shows_expired = false),
    ("invalidated rows are hidden", |s| s.list_shows_invalidated = false),
    ("expired seats count", |s| s.expired_seats = ExpiredSeats::Count),
    ("expired seats are gone", |s| s.expired_seats = ExpiredSeats::Gone),
    ("invalidated seats count", |s| s.invalidated_seats_count = true),
];

/// The same, where the owner of the API key has other rights.
const RIGHTS: &[(Switch, &[Permission])] = &[
    (
        ("a user admin does all", |s| {
            (s.read_needs, s.add_needs, s.delete_needs) = (Needs::UserAdmin, Needs::UserAdmin, Needs::UserAdmin);
        }),
        &[Permission::UserAdmin],
    ),
    (
        ("nobody needs a right", |s| {
            (s.read_needs, s.add_needs, s.delete_needs) = (Needs::Nothing, Needs::Nothing, Needs::Nothing);
        }),
        &[],
    ),
];

/// Switches that this client never meets, each with the reason.
const UNMET: &[(Switch, &str)] = &[
    (("bearer key", |s| s.bearer_key = true), "an API key is sent as it is"),
    (("no raw token", |s| s.raw_token = false), "a token is sent as a bearer alone"),
    (("either spelling", |s| s.post_field = PostField::Either), "the documented spelling comes first"),
    (("usage pages of one", |s| s.usage_max_size = Some(1)), "no larger page is asked for"),
    (("exchange in the body", |s| s.exchange = Exchange::BodyOnly), "the body comes first"),
    (("no exchange", |s| s.exchange = Exchange::Unsupported), "a raw key that works is not exchanged"),
];

/// What differs between two renewals, besides the switch.
struct Ground {
    rights: &'static [Permission],
    others: bool,
}

const USUAL: Ground = Ground { rights: &[Permission::ApplicationAdmin, Permission::UserAdmin], others: false };

#[tokio::test(flavor = "multi_thread")]
async fn renewal_adds_once_and_removes_once_under_every_unknown() {
    needs_control_plane!();
    // As many at a time as two cores bear.
    for some in SWITCHES.chunks(4) {
        join_all(some.iter().map(|switch| proven(switch, &USUAL))).await;
    }
    let others = Ground { others: true, ..USUAL };
    for some in BESIDE_OTHERS.chunks(4) {
        join_all(some.iter().map(|switch| proven(switch, &others))).await;
    }
    for (switch, rights) in RIGHTS {
        proven(switch, &Ground { rights, ..USUAL }).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn switches_declared_unmet_do_not_affect_renewal() {
    needs_control_plane!();
    for some in UNMET.chunks(4) {
        join_all(some.iter().map(async |(switch, _)| {
            let effects = renewal(switch, &USUAL).await.tenant.effects();
            assert!(effects.is_empty(), "{}: it is met, so give it a row of its own: {effects:?}", switch.0);
        }))
        .await;
    }
}

/// A renewal in which each of the switches decides something.
async fn proven(switch: &Switch, ground: &Ground) {
    let a = renewal(switch, ground).await;
    assert_eq!(a.tenant.effects(), a.tenant.switches().changed(), "{}: switches that decided something", switch.0);
}

/// A key that expired softly, one that expired hard, and one that was invalidated.
fn rows_of_others(a: &Acme) {
    let brief = |seats| LicenseKey::seats(seats).expires_in(Duration::from_secs(60));
    for terms in [brief(7), brief(9).hard_expiration(), LicenseKey::seats(11)] {
        let key = a.tenant.issue(terms);
        let row = a.tenant.add_by_hand(&key).expect("added by hand");
        if row.seats == 11 {
            a.tenant.invalidate(row.id);
        }
    }
    a.tenant.advance(Duration::from_secs(120));
}

async fn renewal((what, switch): &Switch, ground: &Ground) -> Acme {
    let a = Acme::with("immuta-unknown", tenant().inactive_users(3).permissions(ground.rights), switch).await;
    if ground.others {
        rows_of_others(&a);
    }
    let ours = |status: &LicenseSeatsStatus| {
        let all = keys_of(status).into_iter();
        all.filter(|key| !key.starts_with("Foreign/")).collect::<Vec<_>>()
    };
    let terms = LicenseKey::seats(40).soft_seats(5).feature("FPE");
    let old = a.issued("old", terms.clone().perpetual()).await;
    a.declare(&["old"], json!({ "seats": 40 })).await;
    let status = a.until(format!("{what}: the old key"), |status| said(status, "Ready") == "True/InSync").await;
    assert_eq!(ours(&status), ["Added/Active"], "{what}");
    let new = a.issued("new", terms).await;
    a.prune().await;
    a.list(&["new"]).await;
    let renewed = |status: &LicenseSeatsStatus| {
        a.tenant.live_rows_of(&old).is_empty()
            && said(status, "Ready") == "True/InSync"
            && ours(status).iter().all(|key| key.ends_with("/Active") || key.ends_with("/Removed"))
    };
    a.until(format!("{what}: the new key"), renewed).await;
    a.until_polled(2).await;
    let removed = a.tenant.ledger().iter().filter(|entry| entry.effect && entry.action == Action::Delete).count();
    let purged = a.tenant.ledger().iter().filter(|entry| entry.effect && entry.action == Action::Purge).count();
    let spent = (a.tenant.additions_of(&old), a.tenant.additions_of(&new), removed + purged);
    assert_eq!(spent, (1, 1, 1), "{what}");
    assert_eq!(a.tenant.live_rows_of(&new).len(), 1, "{what}");
    assert_eq!(a.tenant.secrets_in_urls(), 0, "{what}");
    a
}

/// The names that [`Acme::proves`] is asked for in the tests of Immuta.
fn proven_elsewhere() -> BTreeSet<String> {
    let folder = workspace_root().join("tests/immuta");
    let files = fs::read_dir(folder).expect("the tests").map(|entry| entry.expect("a file").path());
    let text: String = files.map(|path| fs::read_to_string(path).expect("a text")).collect();
    let asks = [".proves(", "&["].concat();
    let lists = text.split(&asks).skip(1).filter_map(|rest| rest.split("])").next());
    lists.flat_map(|list| list.split('"').skip(1).step_by(2)).map(str::to_owned).collect()
}

#[test]
fn each_switch_of_the_simulated_tenant_is_proven_by_a_row_or_by_a_test() {
    let rows = SWITCHES.iter().chain(BESIDE_OTHERS).chain(RIGHTS.iter().map(|(switch, _)| switch));
    let rows = rows.chain(UNMET.iter().map(|(switch, _)| switch));
    let changed = rows.flat_map(|(_, switch)| {
        let mut switches = Switches::default();
        switch(&mut switches);
        switches.changed()
    });
    let named: BTreeSet<String> = changed.chain(proven_elsewhere()).collect();
    let all = serde_json::to_value(Switches::default()).expect("JSON");
    let all: BTreeSet<String> = all.as_object().expect("fields").keys().cloned().collect();
    assert!(all.len() > 40, "only {} switches", all.len());
    assert_eq!(all.difference(&named).collect::<Vec<_>>(), Vec::<&String>::new(), "switches that no test proves");
    assert_eq!(named.difference(&all).collect::<Vec<_>>(), Vec::<&String>::new(), "names of no switch");
    assert!(UNMET.iter().all(|(_, why)| why.contains(' ')), "a reason is a sentence");
}

#[tokio::test(flavor = "multi_thread")]
async fn row_deleted_by_person_during_removal_is_gone() {
    needs_control_plane!();
    for (name, second) in [
        ("immuta-second-404", SecondDelete::NotFound),
        ("immuta-second-purge", SecondDelete::Purges),
        ("immuta-second-again", SecondDelete::Again),
    ] {
        let a = Acme::with(name, tenant(), |switches| switches.second_delete = second).await;
        let old = a.key("old", 40).await;
        a.declare(&["old"], json!({})).await;
        a.until_ready("True/InSync").await;
        let new = a.key("new", 40).await;
        let held = Fault::on_license_delete(FaultKind::Delay { before_ms: 3_600_000, after_ms: 0 });
        let held = a.tenant.inject(held);
        a.prune().await;
        a.list(&["new"]).await;
        assert!(a.tenant.wait_fired(held, 1).await, "{name}");
        a.tenant.delete_by_hand(a.tenant.live_rows_of(&old)[0].id).expect("deleted by hand");
        a.tenant.release(held);
        a.until(format!("{name}: the new key alone"), |status| {
            keys_of(status) == ["Added/Active"] && said(status, "Ready") == "True/InSync" && status.intent.is_none()
        })
        .await;
        assert_eq!((a.tenant.live_rows_of(&new).len(), a.tenant.live_rows().len()), (1, 1), "{name}");
        if second != SecondDelete::NotFound {
            a.proves(&["secondDelete"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn key_of_other_tenant_is_reported_refused_with_either_status() {
    needs_control_plane!();
    for (name, status) in [("immuta-invalid-422", 422), ("immuta-invalid-400", 400)] {
        let a = Acme::with(name, tenant(), |switches| switches.invalid_key_status = status).await;
        a.issued("one", LicenseKey::seats(40).tenant("another")).await;
        a.declare(&["one"], json!({})).await;
        a.until_ready("False/LicenseKeyRejected").await;
        assert_eq!((a.tenant.posts(), a.tenant.rows().len()), (2, 0), "{name}");
        if status != 422 {
            a.proves(&["invalidKeyStatus"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tenant_refusing_key_with_any_status_is_reported_as_refused_key() {
    needs_control_plane!();
    let a = Acme::with("immuta-no-form", tenant(), |s| (s.raw_key, s.bearer_token) = (false, false)).await;
    a.key("one", 40).await;
    a.declare(&["one"], json!({})).await;
    a.until_ready("False/CredentialsInvalid").await;
    a.proves(&["rawKey", "bearerToken"]);

    let a = Acme::with("immuta-no-200", tenant(), |s| {
        (s.raw_key, s.exchange_refuses_with_200) = (false, true);
    })
    .await;
    a.w.secret("admin", a.admin("key-of-another-tenant")).await;
    a.key("one", 40).await;
    a.declare(&["one"], json!({})).await;
    a.until_ready("False/CredentialsInvalid").await;
    a.proves(&["exchangeRefusesWith200"]);
    assert_eq!(a.tenant.posts(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn token_that_outlives_its_key_is_used_until_it_is_refused() {
    needs_control_plane!();
    let a = Acme::with("immuta-outlives", tenant(), |s| (s.raw_key, s.tokens_outlive_keys) = (false, true)).await;
    let api_key = a.tenant.add_api_key(&[Permission::ApplicationAdmin]);
    a.w.secret("admin", a.admin(&api_key)).await;
    a.key("one", 40).await;
    a.declare(&["one"], json!({})).await;
    a.until_ready("True/InSync").await;
    assert!(a.tenant.revoke_api_key(&api_key));
    a.until_polled(3).await;
    assert_eq!(said(&a.w.status("acme").await, "Ready"), "True/InSync");
    a.proves(&["tokensOutliveKeys"]);
    a.tenant.expire_tokens();
    a.until_ready("False/CredentialsInvalid").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tenant_answering_addition_without_record_gets_key_once_and_no_removal() {
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
    a.proves(&["addStatus"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn key_added_by_another_person_gets_no_second_row_if_vendor_reports_it() {
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
        if duplicate != Duplicate::Unique {
            a.proves(&["duplicate"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_row_is_added_again_once_for_each_vendor_behavior() {
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
        if re_add != ReAdd::NewRow {
            a.proves(&["reAdd"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn row_removed_by_hand_counts_as_there_if_still_listed_unmarked() {
    needs_control_plane!();
    let a = Acme::with("immuta-unmarked", tenant(), |switches| switches.list_shows_deleted = true).await;
    let other = a.key("other", 15).await;
    let key = a.key("one", 40).await;
    a.declare(&["other", "one"], json!({})).await;
    a.until_ready("True/InSync").await;
    a.tenant.delete_by_hand(a.tenant.live_rows_of(&key)[0].id).expect("deleted by hand");
    // The fewer seats are noticed, and the row is not.
    a.until("fewer seats", |status| status.seats == Some(15)).await;
    a.until_polled(4).await;
    let status = a.w.status("acme").await;
    assert_eq!((keys_of(&status), said(&status, "Drifted")), (vec!["Added/Active".to_owned(); 2], String::new()));
    assert_eq!((a.tenant.additions_of(&other), a.tenant.posts(), a.tenant.deletes()), (1, 2, 0));
    a.proves(&["listShowsDeleted"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn row_of_a_rebuilt_tenant_with_our_number_is_not_ours() {
    needs_control_plane!();
    let a = Acme::with("immuta-rebuilt", tenant(), |switches| switches.uuid_from = UuidFrom::Insert).await;
    let key = a.key("one", 40).await;
    a.declare(&["one"], json!({})).await;
    a.until_ready("True/InSync").await;
    a.tenant.rebuild();
    let theirs = a.tenant.issue(LicenseKey::seats(15));
    a.tenant.add_by_hand(&theirs).expect("added by hand");
    let again = |status: &LicenseSeatsStatus| keys_of(status) == ["Added/Active", "Foreign/Active"];
    a.until("our key again beside theirs", again).await;
    assert_eq!((a.tenant.live_rows_of(&key).len(), a.tenant.deletes()), (1, 0));
}
