//! One change at a time per account, whatever becomes of its object.

use super::*;

#[test]
fn account_has_one_open_change() {
    let mut told = Told::new();
    told.wants("a", "acme", "seats");
    told.wants("b", "acme", "machines");
    told.wants("c", "other", "seats");
    assert_eq!(told.reserve("a"), Ok(()));
    assert_eq!(told.reserve("b"), Err(BlockedBy::InFlightElsewhere(Some(key("a")))));
    assert_eq!(told.reserve_of("c", "other"), Ok(()));
    told.over("a");
    assert_eq!(told.reserve("b"), Ok(()));
}

#[test]
fn open_change_of_deleted_object_blocks_account_for_settle_time() {
    let mut told = Told::new();
    told.note("a", "a", opened("acme", "seats", "a"));
    told.wants("b", "acme", "seats");
    told.forget("a");
    told.now += SETTLE - MINUTE;
    assert_eq!(told.reserve("b"), Err(BlockedBy::InFlightElsewhere(None)));
    told.now += MINUTE;
    assert_eq!(told.reserve("b"), Ok(()));
}

#[test]
fn open_change_with_lost_record_blocks_account_for_settle_time() {
    let closed = || ownership("acme", "seats", "a");
    for (uid, lost) in [("a", closed()), ("a", Found::Nothing), ("b", ownership("acme", "seats", "b"))] {
        let mut told = Told::new();
        told.note("a", "a", opened("acme", "seats", "a"));
        told.note("a", uid, lost.clone());
        told.wants("c", "acme", "machines");
        assert_eq!(told.reserve("c"), Err(BlockedBy::InFlightElsewhere(None)), "{lost:?}");
    }
    let mut told = Told::new();
    told.note("a", "a", opened("acme", "seats", "a"));
    told.note("a", "a", opened("acme", "seats", "a"));
    told.over("a");
    told.note("a", "a", closed());
    assert_eq!(told.reserve("a"), Ok(()), "it was said to be over");
}

#[test]
fn open_change_outlasts_the_term_even_if_its_record_does_not() {
    let mut told = Told::new();
    told.note("a", "a", opened("acme", "seats", "a"));
    told.begin_term(1, &["a", "c"]);
    told.wants("c", "acme", "machines");
    assert_eq!(told.reserve("c"), Err(BlockedBy::NotKnownYet));
    told.wants("a", "acme", "seats");
    for name in ["a", "c"] {
        assert_eq!(told.reserve(name), Err(BlockedBy::InFlightElsewhere(None)), "{name}");
    }
    let mut told = Told::new();
    told.note("a", "a", opened("acme", "seats", "a"));
    told.begin_term(1, &["a"]);
    told.note("a", "a", opened("acme", "seats", "a"));
    told.over("a");
    assert_eq!(told.reserve("a"), Ok(()), "the record was there all the time");
}

#[test]
fn open_change_blocks_account_it_was_sent_to_not_current_one_of_object() {
    let mut told = Told::new();
    let moved = Found::Wants(Noted { open: Some(change("a", "acme")), ..noted("other", "seats", "a") });
    told.note("a", "a", moved);
    told.wants("b", "acme", "machines");
    told.wants("c", "other", "machines");
    assert_eq!(told.reserve("b"), Err(BlockedBy::InFlightElsewhere(Some(key("a")))));
    assert_eq!(told.reserve_of("c", "other"), Ok(()));
}

#[test]
fn unjudged_open_change_blocks_account_for_settle_time_from_first_sight() {
    let mut told = Told::new();
    told.note("a", "a", opened("acme", "seats", "a"));
    told.wants("b", "acme", "machines");
    told.now += SETTLE - MINUTE;
    // Neither looking at it again nor a new term begins the wait anew.
    told.begin_term(1, &["a", "b"]);
    told.note("a", "a", opened("acme", "seats", "a"));
    told.set_open("a", Some(change("a", "acme")));
    told.wants("b", "acme", "machines");
    assert_eq!(told.reserve("b"), Err(BlockedBy::InFlightElsewhere(Some(key("a")))));
    told.now += MINUTE;
    assert_eq!(told.reserve("b"), Ok(()));
    told.over("b");
    told.forget("a");
    assert_eq!(told.reserve("b"), Ok(()), "what is over leaves nothing open");
}

#[test]
fn settle_time_counts_from_end_of_request_and_anew_for_its_repeat() {
    let again: [fn(&mut Told); 2] = [
        |told| told.registry.request_ended(&key("a"), told.now),
        |told| told.set_open("a", Some(change("another", "acme"))),
    ];
    for again in again {
        let mut told = Told::new();
        told.note("a", "a", opened("acme", "seats", "a"));
        told.wants("b", "acme", "machines");
        told.now += SETTLE / 2;
        again(&mut told);
        told.now += SETTLE - MINUTE;
        assert_eq!(told.reserve("b"), Err(BlockedBy::InFlightElsewhere(Some(key("a")))));
        told.now += MINUTE;
        assert_eq!(told.reserve("b"), Ok(()));
    }
}

#[test]
fn change_of_an_object_that_was_not_read_in_this_term_holds_no_account() {
    let mut told = Told::new();
    told.wants("b", "acme", "machines");
    told.set_open("a", Some(change("a", "acme")));
    assert_eq!(told.reserve("b"), Ok(()));
}

#[test]
fn each_account_of_which_an_object_has_made_a_change_is_held() {
    let mut told = Told::new();
    told.wants("a", "acme", "seats");
    told.wants("b", "former", "seats");
    let both = || [change("a", "acme"), InFlight { id: "former".into(), account: Realm::of("former") }];
    told.registry.made(&key("a"), both().map(|made| (made, 5 * MINUTE)), told.now);
    told.now += 2 * MINUTE;
    told.registry.made(&key("a"), [], told.now);
    let twice = both().into_iter().chain(both());
    told.registry.made(&key("a"), twice.map(|made| (made, 5 * MINUTE)), told.now);
    told.registry.made(&key("a"), both().map(|made| (made, 5 * MINUTE)), told.now);
    assert_eq!(told.reserve("a"), Err(BlockedBy::Late(3 * MINUTE)));
    assert_eq!(told.reserve_of("b", "former"), Err(BlockedBy::Late(3 * MINUTE)));
}

#[test]
fn made_change_holds_account_for_all_objects_while_late_effects_may_come() {
    let made = || {
        let mut told = Told::new();
        told.wants("a", "acme", "seats");
        told.wants("b", "acme", "machines");
        told.wants("c", "other", "seats");
        told.registry.made(&key("a"), [(change("a", "acme"), 5 * MINUTE)], told.now);
        told
    };
    let mut told = made();
    told.now += 2 * MINUTE;
    // Read again from the record, the same change counts once.
    told.registry.made(&key("a"), [(change("a", "acme"), 5 * MINUTE)], told.now);
    for name in ["a", "b"] {
        assert_eq!(told.reserve(name), Err(BlockedBy::Late(3 * MINUTE)), "{name}");
    }
    assert_eq!(told.reserve_of("c", "other"), Ok(()));
    told.now += 3 * MINUTE;
    assert_eq!(told.reserve("b"), Ok(()));

    let mut recreated = made();
    recreated.forget("a");
    recreated.note("a", "a2", ownership("acme", "seats", "a2"));
    assert_eq!(recreated.reserve("a"), Err(BlockedBy::Late(5 * MINUTE)), "whatever becomes of the object");
    recreated.begin_term(1, &[]);
    recreated.wants("b", "acme", "machines");
    assert_eq!(recreated.reserve("b"), Err(BlockedBy::Late(5 * MINUTE)), "and of the term");
}

#[test]
fn change_shown_again_by_record_after_its_time_holds_account_anew() {
    let mut told = Told::new();
    told.wants("a", "acme", "seats");
    let made = |told: &mut Told, changes: Vec<InFlight>| {
        told.registry.made(&key("a"), changes.into_iter().map(|made| (made, 5 * MINUTE)), told.now);
    };
    made(&mut told, vec![change("a", "acme")]);
    told.now += 5 * MINUTE;
    made(&mut told, vec![]);
    made(&mut told, vec![change("a", "acme")]);
    assert_eq!(told.reserve("a"), Err(BlockedBy::Late(5 * MINUTE)), "nothing is known of it any more");
}
