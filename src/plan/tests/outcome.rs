//! What the answer to a write proves.

use super::*;

#[test]
fn what_a_write_proves_decides_what_stays_open() {
    let intent = story().open(IntentPhase::Open, Duration::ZERO).intent.unwrap();
    let (base, target) = (Some(intent.base()), Some(intent.target()));
    let refused = Outcome::Refused(Refusal::Throttled(None));
    let request = Outcome::Refused(Refusal::Request("status 400".into()));
    for (outcome, read, phase, made) in [
        (Outcome::NotSent("late"), None, None, false),
        (refused, None, None, false),
        (request, None, Some(IntentPhase::Rejected), false),
        (Outcome::Accepted, target, None, true),
        (Outcome::Accepted, base, Some(IntentPhase::Answered), false),
        (Outcome::Accepted, None, Some(IntentPhase::Answered), false),
        (Outcome::Answered, target, None, true),
        (Outcome::Answered, base, Some(IntentPhase::Answered), false),
        (Outcome::Unanswered, target, Some(IntentPhase::Settling), true),
        (Outcome::Unanswered, base, Some(IntentPhase::Unanswered), false),
        (Outcome::Unanswered, None, Some(IntentPhase::Unanswered), false),
    ] {
        let after = after_write(&intent, &outcome, read, now());
        assert_eq!(after.intent.map(|i| i.phase), phase, "{outcome:?} {read:?}");
        assert_eq!(after.applied.is_some(), made, "{outcome:?} {read:?}");
    }
}

#[test]
fn a_repeat_that_was_not_sent_stays_a_repeat() {
    // Found by the model: the next request counted as a first one.
    let repeat = story().open(IntentPhase::Open, Duration::ZERO).attempt(2).with(|s| {
        s.intent.as_mut().unwrap().answered = 1;
    });
    for outcome in [Outcome::NotSent("late"), Outcome::Refused(Refusal::Throttled(None))] {
        let after = after_write(repeat.intent.as_ref().unwrap(), &outcome, None, now());
        let left = after.intent.unwrap();
        assert_eq!((left.attempt, left.phase, left.answered), (1, IntentPhase::WithoutEffect, 1), "{outcome:?}");
        let again = story().with(|s| s.intent = Some(left));
        assert_eq!(again.sends().unwrap().2, 2, "{outcome:?}");
    }
    let settled = story().open(IntentPhase::Answered, SETTLED).read_before(n(100, Some(100)));
    assert_eq!(settled.sends().unwrap().2, 2);
}
