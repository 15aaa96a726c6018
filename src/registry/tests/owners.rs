//! Which object owns a pool.

use super::*;

#[test]
fn older_object_owns_a_pool_until_it_goes() {
    let mut told = Told::new();
    assert_eq!(told.wants("b", "acme", "seats"), None);
    assert_eq!(told.wants("a", "acme", "seats"), None);
    assert_eq!(told.wants("b", "acme", "seats"), Some(key("a")));
    assert_eq!((told.registry.owner(&key("b")), told.registry.owner(&key("a"))), (Some(&key("a")), None));
    assert_eq!(told.reserve("b"), Err(BlockedBy::OwnedBy(key("a"))));
    told.forget("a");
    assert_eq!(told.registry.owner(&key("b")), None);
    assert_eq!(told.reserve("b"), Ok(()));
}

#[test]
fn pool_owner_is_per_account_and_pool() {
    let mut told = Told::new();
    told.wants("a", "acme", "seats");
    for (account, pool) in [("acme", "machines"), ("other", "seats")] {
        assert_eq!(told.wants("b", account, pool), None, "{pool} of {account}");
    }
}

#[test]
fn wish_beside_object_is_that_of_other_pools_of_its_account() {
    let mut told = Told::new();
    let wants = |account: &str, pool, wanted| {
        let noted = noted(account, pool, "x");
        Found::Wants(Noted { ownership: Ownership { wanted, ..noted.ownership.clone() }, ..noted })
    };
    told.note("a", "a", wants("acme", "seats", Some(1)));
    for (name, account, pool, wanted) in [
        ("b", "acme", "machines", Some(2)),
        ("c", "acme", "seats", Some(3)),
        ("d", "other", "machines", Some(4)),
        ("e", "acme", "secrets", None),
    ] {
        told.note(name, name, wants(account, pool, wanted));
    }
    assert_eq!(told.registry.wanted_beside(&key("a")), [("machines", 2)]);
    assert_eq!(told.registry.wanted_beside(&key("unknown")), []);
    assert_eq!(told.registry.owners_beside(&key("a")), [(key("b"), "machines")]);
}

#[test]
fn wish_of_an_object_whose_pool_an_older_one_owns_is_none_beside_others() {
    let mut told = Told::new();
    let wants = |name: &str, pool, wanted| {
        let noted = noted("acme", pool, name);
        Found::Wants(Noted { ownership: Ownership { wanted: Some(wanted), ..noted.ownership.clone() }, ..noted })
    };
    told.note("a", "a", wants("a", "seats", 1));
    told.note("b", "b", wants("b", "machines", 2));
    told.note("c", "c", wants("c", "machines", 3));
    assert_eq!(told.registry.wanted_beside(&key("a")), [("machines", 2)], "c changes nothing");
    told.forget("b");
    assert_eq!(told.registry.wanted_beside(&key("a")), [("machines", 3)], "it owns the pool now");
}

const GUID: &str = "6f1c8a52-0d0e-4a5f-9c2b-3b7f5f0a1c11";

#[test]
fn organization_at_two_hosts_is_one_account_but_host_ids_differ_per_host() {
    let at = |host: &str| format!("{host}/{GUID}");
    let mut told = Told::new();
    told.wants("a", &at("api.acme.test"), "seats");
    assert_eq!(told.wants("b", &at("vault.acme.test:8443"), "seats"), Some(key("a")));
    assert_eq!(told.wants("c", &at("vault.acme.test:8443").to_uppercase(), "machines"), None);
    assert_eq!(told.reserve_of("a", &at("api.acme.test")), Ok(()));
    assert_eq!(told.reserve_of("c", &at("vault.acme.test")), Err(BlockedBy::InFlightElsewhere(Some(key("a")))));
    told.forget("a");
    assert_eq!(
        told.reserve_of("c", &at("vault.acme.test")),
        Err(BlockedBy::InFlightElsewhere(None)),
        "its change may still run"
    );
    for (name, account) in [("d", "api.acme.test//"), ("e", "vault.acme.test//"), ("f", "api.acme.test/x")] {
        assert_eq!(told.wants(name, account, "keys"), None, "{account}");
    }
}

#[test]
fn ownership_unconfirmed_by_vendor_precedes_no_other_and_changes_nothing() {
    let mut told = Told::new();
    told.note("a", "a", asserted("acme", "seats", "a"));
    assert_eq!(told.wants("b", "acme", "seats"), None);
    assert_eq!(told.reserve("a"), Err(BlockedBy::NotKnownYet));
    assert_eq!(told.reserve("b"), Err(BlockedBy::NotKnownYet), "a may be confirmed at this moment");
    told.answered("a");
    assert_eq!(told.woken(), ["a", "b"]);
    assert_eq!(told.reserve("b"), Ok(()), "a was refused");
    told.over("b");
    told.wants("a", "acme", "seats");
    assert_eq!(told.reserve("b"), Err(BlockedBy::OwnedBy(key("a"))), "a is confirmed, and older");
}

#[test]
fn object_awaiting_its_account_delays_only_younger_objects_of_its_vendor() {
    let ends: [fn(&mut Told); 4] = [
        |told| told.answered("b"),
        |told| told.forget("b"),
        |told| drop(told.note("b", "b", Found::Nothing)),
        |told| drop(told.wants("b", "other", "seats")),
    ];
    for (nth, end) in ends.into_iter().enumerate() {
        let mut told = Told::new();
        told.note("b", "b", Found::Unplaced { vendor: "acme", age: age("b") });
        let of_acme = noted("elsewhere", "seats", "d");
        told.note(
            "d",
            "d",
            Found::Wants(Noted { ownership: Ownership { vendor: "other", ..of_acme.ownership.clone() }, ..of_acme }),
        );
        told.wants("a", "older", "seats");
        told.wants("c", "acme", "seats");
        assert_eq!(told.reserve("c"), Err(BlockedBy::NotKnownYet), "b may have its account");
        assert!(told.registry.waits_for_scan(&key("c")));
        assert_eq!(told.reserve_of("a", "older"), Ok(()), "a is older");
        assert_eq!(told.reserve_of("d", "elsewhere"), Ok(()), "d is of another vendor");
        assert_eq!(told.woken(), [""; 0]);
        end(&mut told);
        assert_eq!(told.woken(), ["c"], "{nth}");
        assert_eq!(told.reserve("c"), Ok(()), "{nth}");
    }
}

impl Told {
    /// An object of a tenant at this address is read, which lists these rows.
    fn lists(&mut self, name: &str, address: &str, rows: &[&str]) {
        self.wants(name, address, "keys");
        self.registry.shows(&key(name), uids(rows));
    }

    /// A person says that these accounts differ from the one of the object.
    fn differs(&mut self, name: &str, address: &str, ids: &[&str]) {
        let rows = Rows { differ: uids(ids), ..Rows::default() };
        self.note(name, name, Found::Wants(Noted { rows, ..noted(address, "keys", name) }));
    }
}

#[test]
fn accounts_sharing_row_are_held_until_both_are_confirmed() {
    let mut told = Told::new();
    told.lists("a", "one/", &["1/u", "2/v"]);
    told.lists("b", "two/", &["2/v", "3/w"]);
    told.lists("c", "three/", &["1/other", "3/u"]);
    let Err(BlockedBy::SameRows(other, id)) = told.reserve_of("a", "one/") else { panic!("b may be the same") };
    assert_eq!((other, told.reserve_of("b", "two/")), (key("b"), Err(BlockedBy::SameRows(key("a"), id.clone()))));
    assert_eq!(told.reserve_of("c", "three/"), Ok(()), "number and identifier tell a row together");
    told.differs("a", "one/", &["another", &id]);
    assert_eq!(told.reserve_of("a", "one/"), Ok(()));
    told.over("a");
    assert_eq!(told.reserve_of("b", "two/"), Err(BlockedBy::SameRows(key("a"), id)), "b was not said to differ");
    told.differs("a", "one/", &[]);
    assert!(matches!(told.reserve_of("a", "one/"), Err(BlockedBy::SameRows(..))), "the annotation was removed");
    told.forget("a");
    told.lists("b", "two/", &["2/v", "3/w"]);
    assert_eq!(told.reserve_of("b", "two/"), Ok(()));
}

#[test]
fn accounts_with_empty_lists_take_turns_and_new_rows_count_at_once() {
    let mut told = Told::new();
    told.lists("a", "one/", &[]);
    told.lists("b", "two/", &[]);
    assert_eq!(told.reserve_of("a", "one/"), Ok(()));
    assert_eq!(told.reserve_of("b", "two/"), Err(BlockedBy::InFlightElsewhere(Some(key("a")))));
    told.registry.shows(&key("a"), uids(&["1/u"]));
    told.over("a");
    told.wants("a", "one/", "keys");
    told.lists("b", "two/", &["1/u"]);
    assert!(matches!(told.reserve_of("b", "two/"), Err(BlockedBy::SameRows(..))), "it is the same tenant");
    told.lists("b", "two/", &[]);
    assert_eq!(told.reserve_of("b", "two/"), Ok(()), "it is another one");
}

#[test]
fn address_listing_nothing_is_held_by_change_at_possibly_same_address() {
    let mut told = Told::new();
    told.lists("a", "one/", &[]);
    told.lists("b", "two/", &["1/of-a-colleague"]);
    told.lists("c", "three/", &["2/v"]);
    assert_eq!(told.reserve_of("a", "one/"), Ok(()));
    assert_eq!(
        told.reserve_of("b", "two/"),
        Err(BlockedBy::InFlightElsewhere(Some(key("a")))),
        "the colleague may have been there first"
    );
    told.registry.shows(&key("a"), uids(&["3/w"]));
    assert_eq!(told.reserve_of("c", "three/"), Ok(()), "each lists what the other one does not");
    told.over("c");
    told.wants("b", "two/", "keys");
    told.registry.forget(&key("a"), told.now);
    assert_eq!(
        told.reserve_of("b", "two/"),
        Err(BlockedBy::InFlightElsewhere(None)),
        "its object is gone, and it may be running"
    );
    told.now += SETTLE;
    told.wants("b", "two/", "keys");
    assert_eq!(told.reserve_of("b", "two/"), Ok(()));
}

#[test]
fn list_from_before_change_of_possibly_same_account_ended_is_read_anew() {
    let mut told = Told::new();
    told.lists("a", "one/", &[]);
    told.wants("b", "two/", "keys");
    assert_eq!(told.reserve_of("a", "one/"), Ok(()));
    told.registry.shows(&key("a"), uids(&["1/u"]));
    told.over("a");
    // The vendor was asked before, and answers now.
    let rows = Rows { listed: Some(uids(&[])), read: true, ..Rows::default() };
    told.note("b", "b", Found::Wants(Noted { rows, ..noted("two/", "keys", "b") }));
    assert_eq!(told.reserve_of("b", "two/"), Err(BlockedBy::InFlightElsewhere(Some(key("a")))));
    told.lists("b", "two/", &[]);
    assert_eq!(told.reserve_of("b", "two/"), Ok(()));
}

#[test]
fn list_from_before_lost_change_elsewhere_is_reread_even_past_settle_time() {
    let mut told = Told::new();
    told.lists("a", "one/", &[]);
    told.wants("b", "two/", "keys");
    assert_eq!(told.reserve_of("a", "one/"), Ok(()));
    let read = |rows: &[&str]| Rows { listed: Some(uids(rows)), read: true, ..Rows::default() };
    let reads = |told: &mut Told| {
        drop(told.note("b", "b", Found::Wants(Noted { rows: read(&[]), ..noted("two/", "keys", "b") })))
    };
    // While the change is open, a pass over its object ends nothing.
    told.note("a", "a", Found::Wants(Noted { open: Some(change("a", "one/")), ..noted("one/", "keys", "a") }));
    told.lists("b", "two/", &[]);
    told.note("a", "a", ownership("one/", "keys", "a"));
    told.now += SETTLE;
    // The vendor was asked before, and answers now.
    reads(&mut told);
    assert_eq!(told.reserve_of("b", "two/"), Err(BlockedBy::InFlightElsewhere(Some(key("a")))), "its record is lost");
    reads(&mut told);
    assert!(told.reserve_of("b", "two/").is_err(), "also in the pass that reads it");
    told.lists("b", "two/", &[]);
    assert_eq!(told.reserve_of("b", "two/"), Ok(()));
}

#[test]
fn rows_read_replace_known_ones_and_recorded_rows_only_at_other_account() {
    let story = |address: &str, rows: Rows| {
        let mut told = Told::new();
        told.lists("a", "one/", &["1/u"]);
        told.lists("b", "two/", &["2/v"]);
        told.note("b", "b", Found::Wants(Noted { rows, ..noted(address, "keys", "b") }));
        matches!(told.reserve_of("b", address), Err(BlockedBy::SameRows(..)))
    };
    let shared = |read| Rows { listed: Some(uids(&["1/u"])), read, ..Rows::default() };
    assert!(story("two/", shared(true)), "read in this pass");
    assert!(!story("two/", shared(false)), "what was read in this process is newer than the record");
    assert!(story("three/", shared(false)), "what was read is of another account");
}

#[test]
fn age_of_an_object_is_the_time_of_its_creation_and_then_its_uid() {
    let created = |time: &str, uid: &str| {
        let time = Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(time.parse().unwrap()));
        age_of(&kube::api::ObjectMeta {
            creation_timestamp: time,
            uid: Some(uid.into()),
            ..kube::api::ObjectMeta::default()
        })
    };
    let (first, second) = ("2026-11-22T12:00:00Z", "2026-11-22T12:00:01Z");
    assert!(created(first, "b") < created(second, "a"));
    assert!(created(first, "a") < created(first, "b"));
}

#[test]
fn id_of_account_pair_is_same_from_either_side_and_stable_for_annotation() {
    let [one, two, three] = ["one/", "two/", "three/"].map(Realm::of);
    assert_eq!(one.beside(&two), two.beside(&one));
    assert_ne!(one.beside(&two), one.beside(&three));
    assert_eq!(one.beside(&two), "d7906daef583");
}
