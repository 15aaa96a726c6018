//! What the answer to a write proves.

use super::*;

#[test]
fn proof_of_write_decides_open_intent() {
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
        (Outcome::Uncertain(Uncertain::Status(400)), base, Some(IntentPhase::Answered), false),
        (Outcome::Uncertain(Uncertain::Status(400)), target, None, true),
        (Outcome::Uncertain(Uncertain::Between(404)), base, Some(IntentPhase::Unanswered), false),
        (Outcome::Uncertain(Uncertain::Between(404)), target, Some(IntentPhase::Settling), true),
        // Nothing was sent, so whatever is read is not of this request.
        (Outcome::NotSent("late"), target, None, false),
    ] {
        let after = after_write(&intent, &outcome, read, now());
        assert_eq!(after.intent.map(|i| i.phase), phase, "{outcome:?} {read:?}");
        assert_eq!(after.applied.is_some(), made, "{outcome:?} {read:?}");
    }
}

#[test]
fn refusal_of_the_request_keeps_its_reason() {
    let intent = story().open(IntentPhase::Open, Duration::ZERO).intent.unwrap();
    let refused = Outcome::Refused(Refusal::Request("of a rule".into()));
    assert_eq!(after_write(&intent, &refused, None, now()).intent.unwrap().refused.as_deref(), Some("of a rule"));
}

#[test]
fn outcome_has_label_and_states_whether_vendor_may_have_acted() {
    let uncertain = |said: Uncertain| Outcome::Uncertain(said);
    for (outcome, label, sent, runs) in [
        (Outcome::NotSent("late"), "not_sent", false, false),
        (Outcome::Refused(Refusal::Throttled(None)), "refused", false, false),
        (Outcome::Accepted, "ok", true, false),
        (Outcome::Answered, "answered", true, false),
        (Outcome::Unanswered, "unanswered", true, true),
        (uncertain(Uncertain::Present), "answered", true, false),
        (uncertain(Uncertain::Status(400)), "answered", true, false),
        (uncertain(Uncertain::Other(200)), "answered", true, false),
        (uncertain(Uncertain::Between(404)), "unanswered", true, true),
    ] {
        let seen = (outcome.label(), outcome.is_of_something_sent(), outcome.may_run());
        assert_eq!(seen, (label, sent, runs), "{outcome:?}");
        assert!(Outcome::LABELS.contains(&label), "{label} is counted from 0 on");
    }
    let words = [Uncertain::Present, Uncertain::PerhapsPresent, Uncertain::Field, Uncertain::LowerField];
    assert!(words.into_iter().chain([Uncertain::Status(409)]).all(Uncertain::is_refusal));
    assert!(![Uncertain::Other(200), Uncertain::Between(404)].into_iter().any(Uncertain::is_refusal));
}

#[test]
fn unsent_repeat_stays_a_repeat() {
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
