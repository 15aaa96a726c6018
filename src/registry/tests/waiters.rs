//! Who must wait is woken when what it waits for is over.

use super::*;

#[test]
fn object_waiting_for_initial_scan_is_woken_once_scan_reaches_its_age() {
    let mut told = Told::new();
    for name in ["a", "b", "d"] {
        told.appear(name);
    }
    for name in ["c", "e"] {
        told.wants(name, name, "seats");
        assert!(told.registry.waits_for_scan(&key(name)));
        assert_eq!(told.reserve_of(name, name), Err(BlockedBy::NotKnownYet));
    }
    told.note("b", "b", Found::Nothing);
    assert_eq!(told.woken(), [""; 0], "a was not read yet");
    told.note("a", "a", Found::Nothing);
    assert_eq!(told.woken(), ["c"]);
    assert!(!told.registry.waits_for_scan(&key("c")));
    assert_eq!(told.reserve_of("c", "c"), Ok(()));
    told.disappear("d");
    assert_eq!(told.woken(), ["e"]);
}

#[test]
fn younger_object_is_woken_when_pool_owner_goes_or_takes_another_pool() {
    let ends: [fn(&mut Told); 4] = [
        |told| told.forget("a"),
        |told| drop(told.note("a", "a", Found::Nothing)),
        |told| drop(told.wants("a", "other", "seats")),
        |told| drop(told.note("a", "recreated", ownership("acme", "seats", "c"))),
    ];
    for end in ends {
        let mut told = Told::new();
        told.wants("a", "acme", "seats");
        assert_eq!(told.wants("b", "acme", "seats"), Some(key("a")));
        told.wants("a", "acme", "seats");
        assert_eq!(told.woken(), [""; 0], "it still owns the pool");
        end(&mut told);
        assert_eq!(told.woken(), ["b"]);
        assert_eq!(told.wants("b", "acme", "seats"), None);
    }
}

#[test]
fn object_is_woken_when_change_before_it_ends() {
    let mut told = Told::new();
    for (name, pool) in [("a", "seats"), ("b", "machines"), ("c", "secrets")] {
        told.wants(name, "acme", pool);
    }
    assert_eq!(told.reserve("a"), Ok(()));
    assert_eq!(told.reserve("b"), Err(BlockedBy::InFlightElsewhere(Some(key("a")))));
    told.registry.wait_for_account(&key("c"));
    told.set_open("a", Some(change("a", "acme")));
    assert_eq!(told.woken(), [""; 0], "it is still the same change");
    told.over("a");
    assert_eq!(told.woken(), ["b", "c"]);
    assert_eq!(told.reserve("b"), Ok(()));
}

#[test]
fn object_is_woken_when_the_record_does_not_know_of_the_change_before_it() {
    let mut told = Told::new();
    told.note("a", "a", opened("acme", "seats", "a"));
    told.wants("b", "acme", "machines");
    assert_eq!(told.reserve("b"), Err(BlockedBy::InFlightElsewhere(Some(key("a")))));
    told.wants("a", "acme", "seats");
    assert_eq!(told.woken(), ["b"], "it is to say that the record is gone");
}
