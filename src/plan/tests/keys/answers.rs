//! What the answer to an addition proves.

use super::*;

#[test]
fn what_an_answer_proves() {
    let step = keys().adding("a", &[7], IntentPhase::Open, (request("i1"), Duration::ZERO)).intent.unwrap();
    let after = |outcome: &Outcome, rows: Option<&[Row]>| {
        let read_back = rows.map(|rows| keys().shows(rows).seen());
        let after = after_key_write(&step, outcome, Some(&keys().license), read_back.as_ref(), now()).unwrap();
        let known = after.license.keys.first().map(|key| (key.id, key.origin, key.state));
        (after.intent.map(|intent| intent.phase), known)
    };
    let (there, new, newer) = (row(7, 40), row(8, 25), row(9, 25));
    let one = [there.clone(), new.clone()];
    let two = [there.clone(), new.clone(), newer];
    let bound = |id, origin| (None, Some((Some(id), Some(origin), KeyState::Active)));
    let rowless = |state| (None, Some((None, None, state)));
    let duplicate = |certain| Outcome::Refused(Refusal::Duplicate { certain });
    for (outcome, rows, expected) in [
        (Outcome::Added(Box::new(new.clone())), Some(&one[..]), bound(8, KeyOrigin::Added)),
        (Outcome::Added(Box::new(new.clone())), Some(&two[..]), bound(8, KeyOrigin::Added)),
        (Outcome::Added(Box::new(there)), Some(&one[..]), bound(7, KeyOrigin::Found)),
        (Outcome::Added(Box::new(new.clone())), None, (Some(IntentPhase::Answered), None)),
        (Outcome::Added(Box::new(new)), Some(&one[..1]), (Some(IntentPhase::Answered), None)),
        (Outcome::Accepted, Some(&one[..]), bound(8, KeyOrigin::Added)),
        (Outcome::Accepted, Some(&two[..]), (Some(IntentPhase::NeedsReview), None)),
        (Outcome::Accepted, Some(&one[..1]), (Some(IntentPhase::Answered), None)),
        (duplicate(true), Some(&one[..]), bound(8, KeyOrigin::Found)),
        (duplicate(true), Some(&one[..1]), bound(7, KeyOrigin::Found)),
        (duplicate(false), Some(&one[..1]), rowless(KeyState::AlreadyPresent)),
        (duplicate(true), Some(&[]), rowless(KeyState::AlreadyPresent)),
        (duplicate(true), None, (Some(IntentPhase::Answered), None)),
        (Outcome::Refused(Refusal::Request("status 422".into())), None, rowless(KeyState::Rejected)),
        (Outcome::Refused(Refusal::Throttled(None)), None, (None, None)),
        (Outcome::NotSent("late"), None, (None, None)),
        (Outcome::Answered, Some(&one[..]), (Some(IntentPhase::Answered), None)),
        (Outcome::Unanswered, Some(&one[..]), (Some(IntentPhase::Unanswered), None)),
    ] {
        assert_eq!(after(&outcome, rows), expected, "{outcome:?} {rows:?}");
    }
}
