//! Nothing is sent before every object was looked at that may have a say.

use super::*;

#[test]
fn younger_object_created_in_this_term_holds_up_no_other() {
    let mut told = Told::new();
    told.wants("b", "acme", "seats");
    assert_eq!(told.reserve("b"), Ok(()));
    told.over("b");
    told.appear("c");
    assert_eq!(told.reserve("b"), Ok(()), "c is new and younger");
    told.over("b");
    told.appear("a");
    assert_eq!(told.reserve("b"), Err(BlockedBy::NotKnownYet), "a is new and older");
    told.disappear("a");
    assert_eq!(told.reserve("b"), Ok(()), "a is gone");
    told.over("b");
    told.begin_term(1, &["b", "c"]);
    told.wants("b", "acme", "seats");
    assert_eq!(told.reserve("b"), Err(BlockedBy::NotKnownYet), "c was there before the term");
    told.note("c", "c", Found::Nothing);
    assert_eq!(told.reserve("b"), Ok(()));
}

#[test]
fn request_waits_until_every_older_object_was_scanned() {
    let mut told = Told::new();
    told.appear("a");
    told.wants("b", "acme", "seats");
    assert_eq!(told.reserve("b"), Err(BlockedBy::NotKnownYet));
    told.note("a", "former", Found::Nothing);
    assert_eq!(told.reserve("b"), Err(BlockedBy::NotKnownYet));
    told.note("a", "a", Found::Nothing);
    assert_eq!(told.reserve("b"), Ok(()));
    told.appear("a");
    assert_eq!(told.reserve("b"), Ok(()), "the watch tells of it again");
    told.registry.appeared(&key("a"), age("Recreated"));
    assert_eq!(told.reserve("b"), Err(BlockedBy::NotKnownYet), "another object by the same name");
    told.forget("a");
    told.gone("a", "a");
    assert_eq!(told.reserve("b"), Err(BlockedBy::NotKnownYet), "only the former object is gone");
    told.gone("a", "Recreated");
    assert_eq!(told.reserve("b"), Ok(()), "that one is gone, which the watch does not know yet");
}

/// A term in which the watch knows b alone, and c is there too.
fn with_an_unknown_object() -> Told {
    let mut told = Told::unborn();
    told.registry.begin_term(1, [(key("b"), age("b"))]);
    told.wants("b", "acme", "seats");
    assert_eq!(told.reserve("b"), Err(BlockedBy::NotKnownYet), "not counted yet");
    told.registry.inherit(0, uids(&[]));
    assert_eq!(told.reserve("b"), Err(BlockedBy::NotKnownYet), "counted for another term");
    told.registry.inherit(1, uids(&["b", "c"]));
    assert_eq!(told.reserve("b"), Err(BlockedBy::NotKnownYet), "a change of c may be open");
    assert_eq!(told.registry.waits_for_unknown(), Some(1));
    told
}

#[test]
fn object_unknown_to_watch_is_waited_for_until_it_is_read_or_gone() {
    let seen_or_gone: [fn(&mut Told); 3] = [
        |told| drop(told.note("c", "c", Found::Nothing)),
        |told| told.gone("c", "c"),
        |told| drop(told.registry.keep(1, &uids(&["b"]))),
    ];
    for seen_or_gone in seen_or_gone {
        let mut told = with_an_unknown_object();
        told.registry.keep(1, &uids(&["b", "c"]));
        assert_eq!(told.reserve("b"), Err(BlockedBy::NotKnownYet), "c is still there");
        told.registry.keep(0, &uids(&["b"]));
        assert_eq!(told.reserve("b"), Err(BlockedBy::NotKnownYet), "counted for another term");
        seen_or_gone(&mut told);
        assert_eq!(told.reserve("b"), Ok(()));
        assert_eq!(told.registry.waits_for_unknown(), None);
    }
    let mut told = with_an_unknown_object();
    told.appear("c");
    assert_eq!(told.registry.waits_for_unknown(), None, "the watch knows it now");
    assert_eq!(told.reserve("b"), Err(BlockedBy::NotKnownYet));
}

#[test]
fn request_waits_until_registry_knows_the_term() {
    let mut told = Told::new();
    told.wants("b", "acme", "seats");
    assert_eq!(told.reserve_in(2, "b", "acme"), Err(BlockedBy::NotKnownYet), "another may have led meanwhile");
    told.begin_term(2, &["b"]);
    assert_eq!(told.reserve_in(2, "b", "acme"), Err(BlockedBy::NotKnownYet), "looked at in the former term");
    told.wants("b", "acme", "seats");
    assert_eq!(told.reserve_in(2, "b", "acme"), Ok(()));
}

#[test]
fn object_read_in_former_term_is_read_again() {
    let mut told = Told::new();
    told.begin_term(2, &["a", "b"]);
    told.wants("b", "acme", "seats");
    told.note_in(1, "a", "a", Found::Nothing);
    told.appear("a");
    assert_eq!(told.reserve_in(2, "b", "acme"), Err(BlockedBy::NotKnownYet));
    told.note_in(2, "a", "a", Found::Nothing);
    assert_eq!(told.reserve_in(2, "b", "acme"), Ok(()));
}

#[test]
fn new_term_scans_anew_and_reads_every_older_object_again() {
    let mut told = Told::new();
    told.registry.begin_term(2, [(key("a"), age("a")), (key("b"), age("b"))]);
    told.note_in(2, "b", "b", ownership("acme", "seats", "b"));
    assert_eq!(told.reserve_in(2, "b", "acme"), Err(BlockedBy::NotKnownYet), "not counted yet");
    told.registry.inherit(2, uids(&[]));
    assert_eq!(told.reserve_in(2, "b", "acme"), Err(BlockedBy::NotKnownYet), "the watch knows a");
    told.note_in(2, "a", "a", Found::Nothing);
    assert_eq!(told.reserve_in(2, "b", "acme"), Ok(()));
}

#[test]
fn vendor_request_of_former_term_holds_up_no_object() {
    let mut told = Told::new();
    told.note("a", "a", Found::Unplaced { vendor: "acme", age: age("a") });
    told.begin_term(2, &["b"]);
    told.note_in(2, "b", "b", ownership("acme", "seats", "b"));
    assert_eq!(told.reserve_in(2, "b", "acme"), Ok(()), "a is gone since");
}
