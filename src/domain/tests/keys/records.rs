//! What the records of keys in a status prove: of another object or account, edited by a person, or beside a row that the spec
//! names.

use super::*;

/// Records in the order of these, and in the opposite order.
fn either_way(records: &[KeyRecord]) -> [Vec<KeyRecord>; 2] {
    [records.to_vec(), records.iter().rev().cloned().collect()]
}

fn in_state(state: KeyState, name: &str, row: &Row) -> KeyRecord {
    KeyRecord { state, ..record(name, row, KeyOrigin::Added) }
}

/// A key without a row, of which this is recorded.
fn rowless(state: KeyState) -> KeyRecord {
    KeyRecord { id: None, uuid: None, origin: None, ..in_state(state, "a", &row(7, 40)) }
}

#[test]
fn key_that_a_former_pass_showed_as_pending_is_added() {
    let story = keys().lists(&["a"]).shows(&[row(7, 40)]);
    let again = story.clone().with(|s| s.license = story.decide_under(None).license.unwrap());
    assert_eq!(again.license.keys[0].state, KeyState::Pending);
    assert!(again.adds().is_some());
}

#[test]
fn refusal_received_by_other_object_stops_no_key() {
    let refused = keys().lists(&["a"]).shows(&[row(7, 40)]).knows(&[rowless(KeyState::Rejected)]);
    assert_eq!((refused.sends(), refused.ready().0.as_str()), (None, reason::LICENSE_KEY_REJECTED));
    for other in [
        refused.clone().with(|s| s.license.keys_of.as_mut().unwrap().object_uid = "another".into()),
        refused.with(|s| s.license.keys_of.as_mut().unwrap().account = "keys.test/other".into()),
    ] {
        assert!(other.adds().is_some(), "{:?}", other.license.keys_of);
    }
}

#[test]
fn unlisted_row_is_known_from_record_of_former_object_not_other_account() {
    let story = keys().lists(&["a"]).knows(&[record("a", &row(7, 20), KeyOrigin::Added)]).with(|s| s.seats = Some(20));
    let restored = story.clone().with(|s| s.license.keys_of.as_mut().unwrap().object_uid = "another".into());
    assert_eq!((restored.sends(), restored.ready().0.as_str()), (None, reason::NEEDS_REVIEW), "it is still counted");
    let elsewhere = story.with(|s| s.license.keys_of.as_mut().unwrap().account = "keys.test/other".into());
    assert!(elsewhere.adds().is_some(), "row 7 was one of another account");
}

#[test]
fn record_with_row_counts_alone_among_several_of_a_key() {
    let (there, gone) = (row(7, 40), row(6, 20));
    for state in [KeyState::Missing, KeyState::GivenUp] {
        for records in either_way(&[in_state(state, "a", &gone), in_state(KeyState::Active, "a", &there)]) {
            let story = keys().lists(&["a"]).shows(std::slice::from_ref(&there)).knows(&records);
            let decision = story.decide();
            assert_eq!((decision.verdict, decision.lost), (Verdict::InSync, None), "{records:?}");
            let known: Vec<_> = decision.license.unwrap().keys.into_iter().map(|key| key.id).collect();
            assert_eq!(known, [Some(7)], "{records:?}");
        }
    }
}

#[test]
fn key_with_row_is_not_added_again_despite_other_removal_record() {
    let rows = [row(7, 40), row(8, 25)];
    for records in either_way(&[in_state(KeyState::Removed, "a", &rows[0]), in_state(KeyState::Active, "a", &rows[1])])
    {
        let story = keys().lists(&["a"]).shows(&rows).knows(&records);
        assert_eq!((story.sends(), story.record("a").and_then(|key| key.id)), (None, Some(8)), "{records:?}");
    }
}

#[test]
fn record_that_lets_a_key_be_added_counts_last() {
    let rows = [row(6, 20), row(7, 20)];
    for records in either_way(&[in_state(KeyState::GivenUp, "a", &rows[0]), in_state(KeyState::Missing, "a", &rows[1])])
    {
        let story = keys().lists(&["a"]).knows(&records).with(|s| s.seats = Some(20));
        assert_eq!((story.sends(), story.ready().0.as_str()), (None, reason::NEEDS_REVIEW), "{records:?}");
    }
}

#[test]
fn key_listed_again_while_removal_is_judged_is_added_without_drift_report() {
    let old = record("a", &row(7, 40), KeyOrigin::Added);
    let story = keys().lists(&["a"]).shows(&[row(8, 60)]).prunes().knows(&[old]);
    let gone = story.removing(&row(7, 40), IntentPhase::Unanswered, (request("i1"), SETTLED)).agreed();
    let decision = gone.decide();
    let reason = match decision.verdict {
        Verdict::Change(intent) => intent.reason,
        other => panic!("{other:?}"),
    };
    assert_eq!((reason, decision.lost), (Trigger::SpecDiffers, None));
}

/// Key `a` has row 7 by this record, and the spec names row 9 for it. Key `b` has row 8.
fn adopts(known: KeyRecord) -> Keys {
    let rows = [row(7, 40), row(8, 25), row(9, 60)];
    let records = [known, record("b", &rows[1], KeyOrigin::Added)];
    let story = keys().lists(&["a", "b"]).shows(&rows).knows(&records);
    story.with(|s| s.ring.wanted[0].adopt = Some(KeyRow { id: 9, uuid: "u9".into() }))
}

fn row_and_origin(story: &Keys, name: &str) -> Option<(Option<i64>, Option<KeyOrigin>)> {
    story.record(name).map(|key| (key.id, key.origin))
}

#[test]
fn row_named_by_spec_is_taken_unless_object_added_present_row_of_key() {
    let seven = row(7, 40);
    let adopted = Some((Some(9), Some(KeyOrigin::Adopted)));
    let added = record("a", &seven, KeyOrigin::Added);
    assert_eq!(row_and_origin(&adopts(added.clone()), "a"), Some((Some(7), Some(KeyOrigin::Added))));
    for origin in [KeyOrigin::Found, KeyOrigin::Adopted] {
        assert_eq!(row_and_origin(&adopts(record("a", &seven, origin)), "a"), adopted, "{origin:?}");
    }
    let removed = adopts(in_state(KeyState::Removed, "a", &seven));
    assert_eq!(row_and_origin(&removed, "a"), adopted, "this object removed row 7, which is still listed");
    let gone = adopts(added).with(|s| s.ring.rows.retain(|row| row.id != 7));
    assert_eq!(row_and_origin(&gone, "a"), adopted, "row 7 is gone");
}

#[test]
fn key_takes_own_row_or_that_of_unlisted_key_but_not_of_other_listed_key() {
    let named =
        |story: Keys, id: i64| story.with(|s| s.ring.wanted[0].adopt = Some(KeyRow { id, uuid: format!("u{id}") }));
    let found = || adopts(record("a", &row(7, 40), KeyOrigin::Found));
    let adopted = |id| Some((Some(id), Some(KeyOrigin::Adopted)));
    let others = named(found(), 8);
    assert_eq!(row_and_origin(&others, "a"), Some((Some(7), Some(KeyOrigin::Found))));
    assert_eq!(row_and_origin(&others, "b"), Some((Some(8), Some(KeyOrigin::Added))));
    assert_eq!(row_and_origin(&named(found(), 7), "a"), adopted(7), "its own");
    let unlisted = named(found(), 8).with(|s| s.ring.wanted.truncate(1));
    assert_eq!(row_and_origin(&unlisted, "a"), adopted(8), "b is not listed any more");
}

#[test]
fn copy_of_a_listed_key_takes_no_row() {
    let story = adopts(record("a", &row(7, 40), KeyOrigin::Found)).with(|s| {
        let adopt = s.ring.wanted[0].adopt.take();
        s.ring.wanted[1] = WantedKey { reference: reference("copy"), adopt, ..wanted("a") };
    });
    assert_eq!(row_and_origin(&story, "a"), Some((Some(7), Some(KeyOrigin::Found))));
}

#[test]
fn key_with_absent_or_foreign_named_row_is_reported_not_added() {
    let named = |id: i64| {
        let story = keys().lists(&["a", "b"]).shows(&[row(8, 25)]).knows(&[record("b", &row(8, 25), KeyOrigin::Added)]);
        story.with(|s| s.ring.wanted[0].adopt = Some(KeyRow { id, uuid: format!("u{id}") }))
    };
    for id in [9, 8] {
        let (why, message) = named(id).ready();
        assert_eq!((named(id).sends(), why.as_str()), (None, reason::NEEDS_REVIEW));
        assert!(message.contains("the row that adopt names for license key a/licenseKey is not at the"), "{message}");
        assert_eq!(named(id).decide().license.unwrap().keys[0].state, KeyState::Pending);
    }
}

#[test]
fn addition_by_former_object_gives_its_row_to_key_of_same_reference() {
    let story = keys().lists(&["b", "a"]).shows(&[row(7, 40), row(8, 25)]);
    let story = story.knows(&[record("b", &row(7, 40), KeyOrigin::Added)]);
    let story = story.adding("a", &[7], IntentPhase::Unanswered, (request("i1"), SETTLED)).with(|s| {
        let intent = s.intent.as_mut().unwrap();
        let theirs = Some(fingerprint("another", b"a"));
        intent.step = Step::AddKey(KeyStep { fingerprint: theirs, ..intent.step.key().unwrap().clone() });
        intent.object_uid = "another".into();
    });
    let settled = story.agreed();
    assert_eq!(settled.decide().verdict, Verdict::InSync);
    assert_eq!(settled.record("a").and_then(|key| key.id), Some(8));
    assert_eq!(settled.record("b").and_then(|key| key.id), Some(7));
}

#[test]
fn row_of_an_addition_is_not_given_to_the_key_that_its_secret_holds_since() {
    let story = keys().lists(&["a"]).shows(&[row(7, 40), row(8, 25)]);
    let story = story.adding("a", &[7], IntentPhase::Unanswered, (request("i1"), SETTLED));
    let rotated = story.with(|s| s.ring.wanted[0].fingerprint = Ok(print("rotated"))).agreed();
    assert_eq!(rotated.record("a").and_then(|key| key.id), Some(8));
    assert_eq!(rotated.adds().and_then(|step| step.fingerprint), Some(print("rotated")));
}

#[test]
fn unreadable_secret_keeps_its_own_key_on_record_and_no_other_key() {
    let gone = in_state(KeyState::Missing, "a", &row(7, 40));
    let unreadable = |name: &str| {
        let story = keys().lists(&[name]).knows(std::slice::from_ref(&gone));
        story.with(|s| s.ring.wanted[0].fingerprint = Err(Fault::spec("gone".into()))).record("a").map(|key| key.state)
    };
    assert_eq!(unreadable("a"), Some(KeyState::Missing), "it may be listed");
    assert_eq!(unreadable("b"), None);
}

#[test]
fn review_of_key_without_fingerprint_stays_while_spec_lists_reference() {
    let review = |listed: &str| {
        let story = keys().lists(&[listed]).shows(&[row(7, 40)]);
        let story = story.adding("a", &[7], IntentPhase::NeedsReview, (request("i1"), SETTLED)).with(|s| {
            let intent = s.intent.as_mut().unwrap();
            intent.step = Step::AddKey(KeyStep { fingerprint: None, ..intent.step.key().unwrap().clone() });
        });
        story.decide().verdict
    };
    assert_eq!(review("a"), Verdict::NeedsReview);
    assert!(matches!(review("b"), Verdict::Change(_)), "{:?}", review("b"));
}

#[test]
fn status_lists_keys_in_spec_order_then_own_ones_then_those_of_others() {
    let rows = [row(6, 5), row(7, 40), row(8, 25), row(9, 60)];
    let records = [("x", 0), ("b", 2), ("a", 1)].map(|(name, i)| record(name, &rows[i], KeyOrigin::Added));
    let license = keys().lists(&["a", "c", "b"]).shows(&rows).knows(&records).decide_under(None).license.unwrap();
    let shown: Vec<_> = license.keys.iter().map(|key| (key.id, key.state)).collect();
    let active = |id| (Some(id), KeyState::Active);
    assert_eq!(shown, [active(7), (None, KeyState::Pending), active(8), active(6), active(9)]);
    assert_eq!((license.keys[4].origin, license.keys[4].fingerprint.clone()), (Some(KeyOrigin::Foreign), None));
}

#[test]
fn key_that_cannot_be_read_is_shown_once_by_its_record_or_as_unreadable() {
    let shown = |records: &[KeyRecord]| {
        let story = keys().lists(&["a", "b"]).shows(&[row(7, 40), row(8, 25)]).knows(records);
        let story = story.with(|s| s.ring.wanted[0].fingerprint = Err(Fault::spec("gone".into())));
        let keys = story.decide().license.unwrap().keys.into_iter();
        keys.filter(|key| key.secret_key_ref == Some(reference("a"))).map(|key| key.state).collect::<Vec<_>>()
    };
    let (a, b) = (record("a", &row(7, 40), KeyOrigin::Added), record("b", &row(8, 25), KeyOrigin::Added));
    assert_eq!(shown(std::slice::from_ref(&b)), [KeyState::Unreadable]);
    assert_eq!(shown(&[a, b]), [KeyState::Active]);
}
