//! What follows from what is listed, shown and recorded.

use super::*;

#[test]
fn listed_key_is_announced_and_then_added_with_present_rows() {
    let story = keys().lists(&["a"]).shows(&[row(7, 40)]);
    assert_eq!(story.clone().with(|s| s.published = false).decide().verdict, Verdict::Publish);
    let step = story.adds().expect("an addition");
    assert_eq!((step.present, step.fingerprint), (vec![7], Some(print("a"))));
}

#[test]
fn key_with_listed_row_is_in_sync_and_row_is_matched_by_id_and_uuid() {
    let story = keys().lists(&["a"]).shows(&[row(7, 40)]).knows(&[record("a", &row(7, 40), KeyOrigin::Added)]);
    assert_eq!(story.decide().verdict, Verdict::InSync);
    let rebuilt = Row { uuid: "another".into(), ..row(7, 40) };
    let decision = story.shows(&[rebuilt]).decide();
    assert_eq!(decision.verdict, Verdict::Doubt);
    assert!(decision.lost.is_some_and(|lost| lost.contains("row 7")));
}

#[test]
fn seats_are_an_assertion() {
    let story = |seats| {
        let story = keys().lists(&["a"]).shows(&[row(7, 40)]).knows(&[record("a", &row(7, 40), KeyOrigin::Added)]);
        story.with(|s| s.desired.seats = Some(seats))
    };
    assert_eq!(story(40).ready().0, reason::IN_SYNC);
    let (why, message) = story(65).ready();
    assert_eq!(why, reason::SEATS_SHORT);
    assert!(message.contains("25 are missing") && message.contains("supply another license key"), "{message}");
}

#[test]
fn lack_that_secret_may_end_is_marked_and_object_only_watched_has_no_lack() {
    let mended = |story: &Keys| match story.decide().verdict {
        Verdict::Lacking(lack) => lack.secret_may_help,
        other => panic!("{other:?}"),
    };
    let short = keys().shows(&[row(7, 20)]).with(|s| s.desired.seats = Some(21));
    assert!(!mended(&short));
    let unreadable = keys().lists(&["a"]).with(|s| s.ring.wanted[0].fingerprint = Err(Fault::spec("gone".into())));
    assert!(mended(&unreadable));
    for (lacking, wanted) in [(short, Some(n(21, None))), (unreadable, None)] {
        let watched = lacking.with(|s| s.desired.policy = ManagementPolicy::Observe).decide();
        assert_eq!((watched.verdict, watched.wake), (Verdict::Observed(wanted), None));
    }
}

#[test]
fn addition_in_flight_sends_nothing_and_believes_no_reading() {
    for phase in [IntentPhase::Open, IntentPhase::Unanswered] {
        let story = keys().lists(&["a", "b"]).shows(&[row(7, 40), row(8, 25)]).adding(
            "a",
            &[7],
            phase,
            (request("i1"), Duration::ZERO),
        );
        let decision = story.decide();
        let kept = decision.intent.map(|intent| Intent { wish: None, ..intent });
        assert_eq!((decision.verdict, &kept), (Verdict::Doubt, &story.intent));
        let once = story.with(|s| s.elapsed = Some(Elapsed { wait: request("i1"), since: SETTLED, settled: None }));
        assert_eq!(once.decide().verdict, Verdict::Doubt, "one reading is not two");
    }
}

#[test]
fn after_the_settle_time_the_only_new_row_is_the_keys_and_is_never_pruned() {
    let story = keys().lists(&["a"]).shows(&[row(7, 40), row(8, 25)]);
    let story = story.adding("a", &[7], IntentPhase::Unanswered, (request("i1"), SETTLED)).agreed();
    let decision = story.decide();
    assert_eq!((decision.verdict, decision.intent), (Verdict::InSync, None));
    assert_eq!(decision.applied.and_then(|change| change.step.key()?.id), Some(8));
    assert_eq!(story.record("a").and_then(|key| key.origin), Some(KeyOrigin::Found));
}

#[test]
fn addition_without_effect_is_repeated_once_and_then_reported() {
    let story = keys().lists(&["b", "a"]).shows(&[row(7, 40)]);
    let story = story.adding("a", &[7], IntentPhase::Unanswered, (request("i1"), SETTLED)).agreed();
    let Verdict::Change(intent) = story.decide().verdict else { panic!("{:?}", story.decide()) };
    assert_eq!(
        (intent.attempt, intent.step.key().unwrap().fingerprint.clone()),
        (2, Some(print("a"))),
        "the same first"
    );
    let last = story.with(|s| s.intent.as_mut().unwrap().attempt = 2);
    assert_eq!(last.record("a").map(|key| key.state), Some(KeyState::Unproven));
    assert_eq!(last.adds().and_then(|step| step.fingerprint), Some(print("b")), "others go on");
}

#[test]
fn row_appearing_while_retry_is_held_is_not_treated_as_key() {
    let kept = |rows: &[Row]| {
        let story =
            keys().lists(&["a"]).shows(rows).adding("a", &[7], IntentPhase::WithoutEffect, (request("i1"), SETTLED));
        story.with(|s| s.elapsed = None)
    };
    let held = kept(&[row(7, 40), row(8, 25)]).with(|s| s.desired.suspended = true).decide();
    assert!(matches!(held.verdict, Verdict::Held(_)), "{:?}", held.verdict);
    assert_eq!(held.intent.map(|intent| intent.phase), Some(IntentPhase::WithoutEffect));
    let story = kept(&[row(7, 40), row(8, 25)]);
    assert_eq!(story.record("a").and_then(|key| key.id), None, "row 8 was added outside");
    let Verdict::Change(intent) = story.decide().verdict else { panic!("{:?}", story.decide()) };
    assert_eq!((intent.attempt, intent.step.key().unwrap().present.clone()), (2, vec![7, 8]));
}

#[test]
fn addition_at_another_account_takes_no_row_of_this_one_and_is_waited_out() {
    let elsewhere = |phase, since| {
        let story = keys().lists(&["a"]).shows(&[row(7, 40), row(8, 25)]);
        let story = story.adding("a", &[7], phase, (request("i1"), since));
        story.with(|s| s.intent.as_mut().unwrap().account = "keys.test/other".into())
    };
    let early = elsewhere(IntentPhase::Unanswered, TIMING.unanswered - Duration::from_secs(1));
    assert_eq!(early.decide().verdict, Verdict::Doubt);
    for phase in [IntentPhase::WithoutEffect, IntentPhase::NeedsReview, IntentPhase::Rejected] {
        let closed = elsewhere(phase, Duration::ZERO).decide_under(None);
        assert_eq!(closed.verdict, Verdict::Publish, "{phase:?} of another account holds up nothing");
        assert_eq!(closed.intent.map(|intent| intent.phase), Some(phase), "back on its account, it counts as before");
    }
    let over = elsewhere(IntentPhase::Unanswered, TIMING.unanswered);
    assert_eq!((over.decide().applied, over.record("a").and_then(|key| key.id)), (None, None));
    let Verdict::Change(first) = over.decide().verdict else { panic!("{:?}", over.decide().verdict) };
    assert_eq!((first.attempt, first.account.as_str()), (1, "keys.test/keys.test"));
}

#[test]
fn of_several_new_rows_none_is_guessed_and_a_person_decides() {
    let story = keys().lists(&["a"]).shows(&[row(7, 40), row(8, 25), row(9, 25)]);
    let story = story.adding("a", &[7], IntentPhase::Unanswered, (request("i1"), SETTLED)).agreed();
    let (why, message) = story.ready();
    assert_eq!(why, reason::NEEDS_REVIEW);
    assert!(message.contains("may be it: 8 (u8), 9 (u9)") && message.contains("confirm=i1"), "{message}");
    let review = story.with(|s| s.intent.as_mut().unwrap().phase = IntentPhase::NeedsReview);
    assert_eq!(review.decide().verdict, Verdict::NeedsReview);
    let adopted = review.clone().with(|s| s.ring.wanted[0].adopt = Some(KeyRow { id: 9, uuid: "u9".into() }));
    assert_eq!((adopted.decide().verdict, adopted.decide().intent), (Verdict::InSync, None));
    assert_eq!(adopted.record("a").and_then(|key| key.id), Some(9));
    let none_of_them = review.clone().with(|s| s.confirmed = Some("i1".into()));
    assert_eq!(none_of_them.adds().map(|step| step.present), Some(vec![7, 8, 9]));
    let given_up = review.lists(&["b"]);
    assert_eq!(given_up.adds().and_then(|step| step.fingerprint), Some(print("b")));
}

#[test]
fn row_named_by_answer_but_not_listed_needs_person_and_key_is_not_resent() {
    let named = |s: &mut Keys| {
        let intent = s.intent.as_mut().unwrap();
        let step = KeyStep { id: Some(8), uuid: Some("u8".into()), ..intent.step.key().unwrap().clone() };
        intent.step = Step::AddKey(step);
    };
    let late = || (WaitFor::LateEffects("i1".into()), SETTLED);
    for rows in [&[row(7, 40)][..], &[row(7, 40), row(9, 25)]] {
        let story = keys().lists(&["a", "b"]).shows(rows).adding("a", &[7], IntentPhase::Answered, late()).with(named);
        let story = story.with(|s| s.seats = Some(40)).agreed();
        let decision = story.decide();
        assert_eq!((story.sends(), &decision.verdict), (None, &Verdict::NeedsReview));
        assert_eq!(story.record("a").and_then(|key| key.id), None, "row 9 is another than the one that was named");
        let review = story.with(|s| s.intent.clone_from(&decision.intent));
        let message = review.ready().1;
        assert!(message.contains("Acme confirmed row 8 (u8) and does not list it"), "{message}");
        let listed = review.clone().shows(&[row(7, 40), row(8, 25)]).with(|s| s.seats = None).lists(&["a"]);
        assert_eq!(listed.decide().verdict, Verdict::InSync, "it ends by itself");
        assert_eq!(listed.record("a").and_then(|key| key.origin), Some(KeyOrigin::Added));
        let yes = review.with(|s| s.confirmed = Some("i1".into()));
        assert_eq!(yes.adds().and_then(|step| step.fingerprint), Some(print("a")));
    }
}

#[test]
fn row_of_another_key_is_no_proof_of_an_addition() {
    let beside = |phase| {
        let story = keys().lists(&["a", "b"]).shows(&[row(7, 40)]).knows(&[record("a", &row(7, 40), KeyOrigin::Added)]);
        story.adding("b", &[7], phase, (request("i1"), SETTLED))
    };
    let lost = beside(IntentPhase::Unanswered).agreed().decide();
    assert!(matches!(lost.verdict, Verdict::Change(ref repeat) if repeat.attempt == 2), "{:?}", lost.verdict);
    let review = beside(IntentPhase::NeedsReview).decide();
    assert_eq!((review.verdict, review.applied), (Verdict::NeedsReview, None));
}

#[test]
fn row_removed_by_person_returns_after_two_readings_at_most_twice_daily() {
    let story = keys().lists(&["a"]).knows(&[record("a", &row(7, 40), KeyOrigin::Added)]);
    assert_eq!(story.decide().verdict, Verdict::Doubt);
    let story = story.agreed();
    assert!(matches!(story.decide().verdict, Verdict::Change(intent) if intent.reason == Trigger::ExternalChange));
    let correction = |id: &str| {
        let intent = Intent {
            reason: Trigger::ExternalChange,
            id: id.into(),
            ..keys().removing(&row(7, 40), IntentPhase::Open, (request("i1"), SETTLED)).intent.unwrap()
        };
        crate::domain::outcome::applied(&intent, now())
    };
    let often = story.with(|s| s.history = vec![correction("c2"), correction("c1")]);
    assert_eq!(often.decide().verdict, Verdict::Conflict);
}

#[test]
fn answered_removal_believes_no_single_reading_without_the_row() {
    let old = record("a", &row(7, 40), KeyOrigin::Added);
    let late = || (WaitFor::LateEffects("i1".into()), SETTLED);
    for phase in [IntentPhase::Answered, IntentPhase::WithoutEffect] {
        let story = keys().lists(&["b"]).shows(&[row(8, 60)]).prunes();
        let story = story.knows(&[old.clone(), record("b", &row(8, 60), KeyOrigin::Added)]);
        let story = story.removing(&row(7, 40), phase, late());
        let once = story.decide();
        assert_eq!((once.verdict, once.applied), (Verdict::Doubt, None), "{phase:?}");
        assert!(story.agreed().decide().applied.is_some(), "{phase:?}");
    }
}

#[test]
fn removal_without_effect_needs_second_reading_that_omits_seats_of_row() {
    let (old, new) = (row(7, 40), row(8, 60));
    let known = [record("a", &old, KeyOrigin::Added), record("b", &new, KeyOrigin::Added)];
    let story = keys().lists(&["b"]).shows(&[old.clone(), new]).knows(&known).prunes().with(|s| s.seats = Some(60));
    let story = story.removing(&old, IntentPhase::WithoutEffect, (request("i1"), SETTLED)).with(|s| {
        let intent = s.intent.as_mut().unwrap();
        intent.step = Step::RemoveKey(KeyStep { from: 100, to: 60, ..intent.step.key().unwrap().clone() });
    });
    let once = story.decide();
    assert_eq!((once.verdict, once.applied), (Verdict::Doubt, None));
    assert_eq!(story.record("a").map(|key| key.state), Some(KeyState::Active));
    let twice = story.agreed();
    assert!(twice.decide().applied.is_some());
    assert_eq!(twice.record("a").map(|key| key.state), Some(KeyState::Removed));
}

#[test]
fn gone_row_still_counted_is_reported_and_not_added_until_person_confirms() {
    let known = record("a", &row(7, 20), KeyOrigin::Added);
    let story = keys().lists(&["a"]).knows(&[known]).with(|s| s.seats = Some(20));
    let (why, message) = story.ready();
    assert_eq!((story.sends(), why.as_str()), (None, reason::NEEDS_REVIEW));
    assert!(message.contains("row 7") && message.contains("still counts its seats (20"), "{message}");
    assert_eq!(story.decide().lost, None, "no removal is reported");
    let id = message.split("confirm=").nth(1).and_then(|rest| rest.split(',').next()).unwrap().to_owned();
    let confirmed = story.clone().with(|s| s.confirmed = Some(id.clone()));
    assert!(confirmed.adds().is_some());
    let later = confirmed.shows(&[row(9, 15)]).with(|s| s.seats = Some(35));
    assert_eq!(later.sends(), None, "a yes to one list is none to another");
    let gone = story.with(|s| s.seats = Some(0)).agreed();
    assert!(gone.adds().is_some(), "the seats are gone as well");
}

#[test]
fn row_person_gave_up_is_known_again_once_listed_after_plan_was_published() {
    let known = record("a", &row(7, 20), KeyOrigin::Added);
    let story = keys().lists(&["a"]).knows(&[known]).with(|s| s.seats = Some(20));
    let message = story.ready().1;
    let id = message.split("confirm=").nth(1).and_then(|rest| rest.split(',').next()).unwrap().to_owned();
    let yes = story.with(|s| (s.confirmed, s.published) = (Some(id), false));
    assert_eq!(yes.decide().verdict, Verdict::Publish);
    let published = yes.clone().with(|s| (s.license, s.published) = (yes.decide().license.unwrap(), true));
    assert_eq!(published.record("a").map(|key| (key.id, key.state)), Some((Some(7), KeyState::GivenUp)));
    assert_eq!(published.decide().license.unwrap().keys.len(), 1);
    let moved = published.clone().with(|s| (s.confirmed, s.seats) = (None, Some(25)));
    assert!(moved.adds().is_some(), "the yes is recorded: it needs neither the annotation nor the same numbers");
    let again = published.shows(&[row(7, 20)]);
    assert_eq!((again.sends(), again.decide().verdict), (None, Verdict::InSync), "the list was short");
    assert_eq!(again.record("a").map(|key| (key.origin, key.state)), Some((Some(KeyOrigin::Added), KeyState::Active)));
}

#[test]
fn single_annotation_answers_several_questions_of_object() {
    let rows = [row(7, 20), row(8, 25)];
    let records = [record("a", &rows[0], KeyOrigin::Added), record("b", &rows[1], KeyOrigin::Added)];
    let story = keys().lists(&["a", "b"]).knows(&records).with(|s| s.seats = Some(45));
    let message = story.ready().1;
    let ids: Vec<_> = message.split("confirm=").skip(1).map(|rest| rest.split(',').next().unwrap()).collect();
    assert_eq!(ids.len(), 2, "{message}");
    let states = |confirmed: &str| {
        let story = story.clone().with(|s| s.confirmed = Some(confirmed.to_owned()));
        ["a", "b"].map(|name| story.record(name).map(|key| key.state))
    };
    let (gone, missing) = (Some(KeyState::GivenUp), Some(KeyState::Missing));
    assert_eq!(states(ids[0]), [gone, missing]);
    assert_eq!(states(ids[1]), [missing, gone]);
    for both in [format!("{},{}", ids[0], ids[1]), format!(" {} , another,{} ", ids[1], ids[0])] {
        assert_eq!(states(&both), [gone, gone], "{both}");
    }
    assert_eq!(states(&ids.concat()), [missing, missing], "two ids in one word are none");
    // The yes to a removal at first sight, and the yes to try it again: both are asked of one object.
    let refused = |confirmed: Option<String>| {
        let (old, new) = (record("a", &row(7, 40), KeyOrigin::Added), record("b", &row(8, 60), KeyOrigin::Added));
        let story = keys().lists(&["b"]).shows(&[row(7, 40), row(8, 60)]).knows(&[old, new]).prunes();
        let story = story.removing(&row(7, 40), IntentPhase::Rejected, (request("i1"), SETTLED));
        story.with(|s| (s.unrecorded, s.confirmed) = (true, confirmed))
    };
    let Verdict::Held(holds) = refused(Some("i1".into())).decide().verdict else { panic!() };
    assert!(holds[0].message.contains("edit spec.vendor.acme.keys to what you want"), "{}", holds[0].message);
    let first_sight = holds[0].message.rsplit_once('=').unwrap().1.to_owned();
    assert!(refused(Some(first_sight.clone())).removes().is_none());
    assert!(refused(Some(format!("i1,{first_sight}"))).removes().is_some());
}

#[test]
fn repeat_of_a_key_that_a_person_took_away_comes_before_a_key_that_is_new() {
    let known = record("a", &row(7, 20), KeyOrigin::Added);
    let story = keys().lists(&["b", "a"]).knows(&[known]);
    let story = story.adding("a", &[], IntentPhase::Unanswered, (request("i1"), SETTLED)).with(|s| s.seats = Some(0));
    let Verdict::Change(intent) = story.agreed().decide().verdict else { panic!() };
    let repeated = (intent.attempt, intent.step.key().unwrap().fingerprint.clone());
    assert_eq!(repeated, (2, Some(print("a"))), "else its decision would get a third request");
}

#[test]
fn unlisted_key_is_kept_on_record_while_list_may_merely_lack_its_row() {
    let known = record("a", &row(7, 20), KeyOrigin::Added);
    let story = keys().lists(&["b"]).shows(&[row(8, 25)]).with(|s| s.seats = Some(45));
    let story = story.knows(&[known, record("b", &row(8, 25), KeyOrigin::Added)]);
    assert!(story.record("a").is_some());
    let removed = story.clone().with(|s| s.license.keys[0].state = KeyState::Removed);
    assert!(removed.record("a").is_none(), "removed by this object: whatever is counted");
    let first = story.with(|s| s.seats = None);
    assert_eq!(
        first.record("a").map(|key| key.state),
        Some(KeyState::Missing),
        "its seats are gone as well, this once"
    );
    assert_eq!((first.decide().verdict, first.decide().lost), (Verdict::InSync, None));
    let second = first.clone().with(|s| s.license = first.decide().license.unwrap());
    assert_eq!(second.record("a"), None, "two readings lack the row and its seats");
    let again = second.shows(&[row(7, 20), row(8, 25)]).lists(&["a", "b"]);
    assert_eq!((again.sends(), again.decide().verdict), (None, Verdict::InSync), "the first reading was wrong");
    assert_eq!(again.record("a").and_then(|key| key.origin), Some(KeyOrigin::Added));
}

#[test]
fn new_row_is_not_taken_where_added_seats_belong_to_another_unlisted_row() {
    // Found by the model: the row of a colleague was taken, and the key's own, which the list lacked, was not known.
    let rows = [row(7, 40), row(8, 25)];
    let story = |present: &[i64], seats| {
        let story = keys().lists(&["a"]).shows(&rows[2 - present.len()..]).with(|s| s.seats = Some(seats));
        story.adding("a", &[7], IntentPhase::Unanswered, (request("i1"), SETTLED)).agreed().decide().verdict
    };
    assert_eq!(story(&[7, 8], 65), Verdict::InSync);
    assert_eq!(story(&[7, 8], 70), Verdict::InSync, "soft seats of the new row");
    assert_eq!(story(&[7, 8], 90), Verdict::NeedsReview);
    // The seats of a row that is gone say nothing of what has come.
    assert_eq!(story(&[8], 25), Verdict::InSync);
    assert_eq!(story(&[8], 50), Verdict::NeedsReview);
}

#[test]
fn row_absent_when_addition_was_decided_is_not_treated_as_key() {
    // Found by the model: a row of a colleague, whose seats were counted all the time.
    let lists = |rows: &[Row], seats| keys().lists(&["a"]).shows(rows).with(|s| s.seats = Some(seats));
    let [one, lacked, new] = [row(7, 40), row(8, 25), row(9, 25)];
    let step = lists(std::slice::from_ref(&one), 65).adds().unwrap();
    assert_eq!((step.present.clone(), step.unexplained), (vec![7], Some(25)));
    let plan = lists(std::slice::from_ref(&one), 65).decide().plan.unwrap();
    assert_eq!(plan.step.key().unwrap().unexplained, None, "a plan stays the same while other rows come and go");
    let sent = |rows: &[Row], seats| {
        let intent = Intent { phase: IntentPhase::Unanswered, ..open(Step::AddKey(step.clone()), IntentPhase::Open) };
        let elapsed = Some(Elapsed { wait: request("i1"), since: SETTLED, settled: None });
        lists(rows, seats).with(|s| (s.intent, s.elapsed) = (Some(intent), elapsed)).agreed()
    };
    let listed_again = sent(&[one.clone(), lacked.clone()], 65);
    assert_eq!((listed_again.decide().verdict, listed_again.sends()), (Verdict::NeedsReview, None));
    assert!(listed_again.ready().1.contains("row 8 (u8) is new and may be it"), "{}", listed_again.ready().1);
    assert_eq!(sent(&[lacked], 25).decide().verdict, Verdict::NeedsReview, "and another row was removed");
    let added = sent(&[one.clone(), new], 90);
    assert_eq!(added.record("a").and_then(|key| key.id), Some(9), "its own row, and soft seats");
    assert_eq!(added.decide().applied.unwrap().step.key().unwrap().unexplained, None, "a change says what was changed");
    let without_effect = sent(&[one], 65);
    assert_eq!(without_effect.adds().map(|step| step.unexplained), Some(Some(25)), "nothing has come");
}

#[test]
fn seats_that_come_without_a_row_keep_an_addition_from_being_repeated() {
    let story = keys().lists(&["a"]).shows(&[row(7, 40)]).with(|s| s.seats = Some(65));
    let story = story.adding("a", &[7], IntentPhase::Unanswered, (request("i1"), SETTLED)).agreed();
    assert_eq!((story.sends(), story.decide().verdict), (None, Verdict::NeedsReview));
    let message = story.ready().1;
    assert!(message.contains("counts 65 seats and lists no new row") && message.contains("confirm=i1"), "{message}");
    let review = story.clone().with(|s| s.intent = story.decide().intent);
    let shown = review.clone().shows(&[row(7, 40), row(8, 25)]);
    assert!(shown.ready().1.contains("row 8 (u8) is new and may be it"), "{}", shown.ready().1);
    let confirmed = review.clone().with(|s| s.confirmed = Some("i1".into()));
    assert!(confirmed.adds().is_some());
    let given_up = review.lists(&[]);
    assert_eq!(given_up.decide().intent, None);
}

#[test]
fn license_key_unlisted_before_its_outcome_bills_no_seats() {
    let review = keys().shows(&[row(7, 41)]).adding("a", &[7], IntentPhase::NeedsReview, (request("i1"), SETTLED));
    let given_up = review.decide();
    assert_eq!((given_up.verdict, given_up.intent, given_up.may_bill), (Verdict::InSync, None, None));
}

#[test]
fn expired_row_that_the_account_hides_is_not_added_again() {
    let gone = Row { expires: Some(now() - SignedDuration::from_hours(1)), ..row(7, 40) };
    let story = keys().lists(&["a"]).knows(&[record("a", &gone, KeyOrigin::Added)]);
    assert_eq!(story.sends(), None);
    assert_eq!(story.decide().doubt, None);
    assert_eq!(story.record("a").map(|key| key.state), Some(KeyState::Expired));
}

#[test]
fn renewed_key_is_added_and_seen_before_old_one_is_removed() {
    let old = record("a", &row(7, 40), KeyOrigin::Added);
    let story = keys().lists(&["b"]).shows(&[row(7, 40)]).knows(std::slice::from_ref(&old)).prunes();
    assert!(story.adds().is_some());
    let story = story.shows(&[row(7, 40), row(8, 60)]).knows(&[old, record("b", &row(8, 60), KeyOrigin::Added)]);
    let step = story.removes().expect("a removal");
    assert_eq!((step.id, step.uuid.as_deref()), (Some(7), Some("u7")));
    let keeps = story.with(|s| s.desired.pool = keys().desired.pool);
    assert_eq!(keeps.decide().verdict, Verdict::InSync, "without prune nothing is removed");
}

#[test]
fn removal_is_sent_only_where_two_readings_agree_about_list_and_seats() {
    let (old, new) = (record("a", &row(7, 40), KeyOrigin::Added), record("b", &row(8, 60), KeyOrigin::Added));
    let story = || keys().lists(&["b"]).shows(&[row(7, 40), row(8, 60)]).knows(&[old.clone(), new.clone()]).prunes();
    let published = story().decide_under(None).plan.expect("a plan").basis.expect("a basis");
    let then = |story: Keys| story.decide_under(Some(&published)).verdict;
    assert!(matches!(then(story()), Verdict::Change(_)));
    for (other, story) in [
        ("seats", story().with(|s| s.seats = Some(101))),
        ("row", story().shows(&[row(7, 40), row(8, 60), row(9, 1)])),
        ("feature", story().with(|s| s.ring.rows[1].features = Some(vec!["FPE".into()]))),
        ("end", story().with(|s| s.ring.rows[1].expires = Some(now() + SignedDuration::from_hours(9)))),
    ] {
        assert_eq!(then(story), Verdict::Publish, "another {other}");
    }
}

#[test]
fn obstacle_to_removal_is_reported() {
    let (old, new) = (record("a", &row(7, 40), KeyOrigin::Added), record("b", &row(8, 60), KeyOrigin::Added));
    let story = keys().lists(&["b"]).shows(&[row(7, 40), row(8, 60)]).knows(&[old, new]).prunes();
    let expired = Row { expires: Some(now() - SignedDuration::from_hours(1)), ..row(8, 60) };
    // It is noon.
    let today = Row { expires: Some("2026-11-22T00:00:00Z".parse().unwrap()), ..row(8, 60) };
    for (story, words) in [
        (story.clone().with(|s| s.used = 61), "60 would be left, and 61 are needed"),
        (story.clone().with(|s| s.desired.seats = Some(70)), "70 are needed"),
        (story.clone().with(|s| s.desired.guardrails.min_seats = Some(80)), "80 are needed"),
        (story.clone().with(|s| s.ring.can_add_user = Some(false)), "takes no more users"),
        (story.clone().with(|s| s.ring.can_add_user = None), "takes no more users"),
        (
            story.clone().with(|s| s.license.keys[0].origin = Some(KeyOrigin::Found)),
            "not proven that this object added it: if it is yours, list its key again and name id 7 and uuid u7 in licenseKeys[].adopt",
        ),
        (story.clone().shows(&[row(7, 40), expired]), "once every listed key is in force"),
        (story.clone().shows(&[row(7, 40), today, row(9, 60)]), "once every listed key is in force"),
        (
            story.clone().with(|s| {
                s.license
                    .keys
                    .push(KeyRecord { state: KeyState::Removed, ..record("c", &row(8, 60), KeyOrigin::Added) })
            }),
            "it is the last valid key",
        ),
        (
            story.clone().with(|s| {
                s.license
                    .keys
                    .push(KeyRecord { state: KeyState::Removed, ..record("c", &row(7, 40), KeyOrigin::Added) })
            }),
            "several records name it, so its owner is not proven",
        ),
        (story.clone().with(|s| s.ring.rows[0].seats = None).with(|s| s.license.keys[0].seats = None), "does not show"),
    ] {
        assert_eq!(story.sends(), None, "{words}");
        let (why, message) = story.ready();
        assert_eq!(why, reason::PRUNE_BLOCKED, "{message}");
        assert!(message.contains(words), "{message}");
    }
    let withdrawn = story.with(|s| s.ring.wanted[0].fingerprint = Err(Fault::spec("gone".into())));
    assert_eq!(withdrawn.sends(), None, "a Secret that cannot be read takes nothing off the list");
}

#[test]
fn removal_with_lost_answer_is_done_once_row_is_gone() {
    let (old, new) = (record("a", &row(7, 40), KeyOrigin::Added), record("b", &row(8, 60), KeyOrigin::Added));
    let story = keys().lists(&["b"]).knows(&[old, new]).prunes().removing(
        &row(7, 40),
        IntentPhase::Unanswered,
        (request("i1"), SETTLED),
    );
    let once = story.clone().shows(&[row(8, 60)]);
    assert_eq!(once.decide().verdict, Verdict::Doubt, "one reading without the row is not two");
    assert_eq!(once.decide().applied, None);
    let gone = once.clone().agreed();
    assert_eq!((gone.decide().verdict, gone.decide().intent), (Verdict::InSync, None));
    assert!(gone.record("a").is_none());
    let soon = once.with(|s| s.elapsed = None);
    assert_eq!(
        soon.decide().intent.map(|intent| intent.phase),
        Some(IntentPhase::Unanswered),
        "it may still be running"
    );
    let there = story.clone().shows(&[row(7, 40), row(8, 60)]).agreed();
    assert!(matches!(there.decide().verdict, Verdict::Change(intent) if intent.attempt == 2));
    let again = there.with(|s| s.intent.as_mut().unwrap().attempt = 2);
    assert_eq!(again.ready().0, reason::VENDOR_REJECTED);
    let marked = story.shows(&[row(7, 40), row(8, 60)]).with(|s| {
        s.seats = Some(60);
        let intent = s.intent.as_mut().unwrap();
        intent.step = Step::RemoveKey(KeyStep { from: 100, ..intent.step.key().unwrap().clone() });
    });
    let marked = marked.agreed();
    assert_eq!(marked.record("a").map(|key| key.state), Some(KeyState::Removed), "shown, but no longer counted");
    assert_eq!(marked.decide().verdict, Verdict::InSync);
}

#[test]
fn key_listed_twice_is_added_once_and_reported() {
    let story = keys().shows(&[row(7, 40)]).knows(&[record("a", &row(7, 40), KeyOrigin::Added)]);
    let story = story.with(|s| {
        s.ring.wanted = vec![wanted("a"), WantedKey { reference: reference("copy"), ..wanted("a") }];
    });
    assert_eq!(story.sends(), None);
    let (why, message) = story.ready();
    assert_eq!(why, reason::SPEC_INVALID);
    assert!(message.contains("copy/licenseKey is the same as"), "{message}");
}

#[test]
fn records_of_former_object_prove_no_addition_but_prevent_second_one() {
    let story = keys().lists(&["a"]).shows(&[row(7, 40)]).knows(&[record("a", &row(7, 40), KeyOrigin::Added)]);
    let mut restored = story.with(|s| s.uid = "another");
    restored.ring.wanted[0].fingerprint = Ok(fingerprint("another", b"a"));
    let decision = restored.decide();
    assert_eq!(decision.verdict, Verdict::InSync);
    let key = &decision.license.unwrap().keys[0];
    assert_eq!((key.origin, key.id), (Some(KeyOrigin::Found), Some(7)));
    assert_eq!(key.fingerprint, restored.ring.wanted[0].fingerprint.clone().ok());
}

#[test]
fn license_key_of_unknown_size_is_held_by_upper_bound_and_no_other_check() {
    let story = keys().lists(&["a"]).shows(&[row(7, 40)]);
    assert!(story.adds().is_some());
    let bounded = story.clone().with(|s| s.desired.guardrails.max_seats = Some(100));
    let Verdict::Held(holds) = bounded.decide().verdict else { panic!("{:?}", bounded.decide()) };
    assert_eq!(holds[0].kind, HoldKind::GuardRail);
    assert!(holds[0].message.contains("spec.guardrails.maxSeats 100"), "{holds:?}");
    for (ceilings, name) in [
        (
            Ceilings { max_seats: Some(100), max_increase: None },
            "the installer's --max-seats 100: ask the installer to remove it",
        ),
        (
            Ceilings { max_seats: None, max_increase: Some(9) },
            "the installer's --max-increase 9: ask the installer to remove it",
        ),
    ] {
        let Verdict::Held(holds) = story.clone().with(|s| s.desired.ceilings = ceilings).decide().verdict else {
            panic!("{name}")
        };
        assert_eq!(holds[0].kind, HoldKind::GuardRail);
        assert!(holds[0].message.contains(name), "{holds:?}");
    }
    let suspended = bounded.with(|s| s.desired.suspended = true);
    let kinds = match suspended.decide().verdict {
        Verdict::Held(holds) => holds.into_iter().map(|hold| hold.kind).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(kinds, [HoldKind::Suspended, HoldKind::GuardRail]);
    let observed = story.with(|s| s.desired.policy = ManagementPolicy::Observe);
    assert!(matches!(observed.decide().verdict, Verdict::Observed(_)));
}

#[test]
fn addition_without_effect_retries_same_wish_and_starts_anew_for_another() {
    let attempt = |wish: Option<&str>| {
        let story = keys().lists(&["a"]).adding("a", &[], IntentPhase::WithoutEffect, (request("i1"), SETTLED));
        let story = story.with(|s| s.intent.as_mut().unwrap().wish = wish.map(str::to_owned));
        let Verdict::Change(intent) = story.decide().verdict else { panic!("{:?}", story.decide().verdict) };
        intent.attempt
    };
    let same = keys().lists(&["a"]).desired.wish();
    assert_eq!((attempt(Some(&same)), attempt(Some("another"))), (2, 1));
}

#[test]
fn removal_without_effect_is_retried_but_starts_anew_if_key_appeared() {
    let (old, new) = (row(7, 40), row(8, 60));
    let known = [record("a", &old, KeyOrigin::Added), record("b", &new, KeyOrigin::Added)];
    let story = |listed: &[&str]| {
        let story = keys().lists(listed).shows(&[old.clone(), new.clone()]).knows(&known).prunes();
        story.removing(&old, IntentPhase::WithoutEffect, (request("i1"), SETTLED)).agreed()
    };
    let Verdict::Change(repeat) = story(&["b"]).decide().verdict else { panic!("a repeat") };
    assert_eq!((repeat.attempt, repeat.step.key().and_then(|step| step.id)), (2, Some(7)));
    // A row is removed only once every listed key is there, so the new key comes first (docs/never-buys-twice.md).
    let Verdict::Change(first) = story(&["b", "c"]).decide().verdict else { panic!("an addition") };
    assert_eq!((first.attempt, first.step.key().and_then(|step| step.fingerprint.clone())), (1, Some(print("c"))));
}

#[test]
fn row_assigned_to_key_without_addition_is_reported_once_with_cause() {
    let license =
        |origin| License { keys: vec![record("a", &row(7, 40), origin)], ..License::of(LicenseState::Active) };
    let [added, adopted, found] = [KeyOrigin::Added, KeyOrigin::Adopted, KeyOrigin::Found].map(license);
    let told = |old: Option<&License>, new: &License| {
        let notices = adoptions(old, new);
        notices.into_iter().map(|notice| (notice.reason, notice.note)).collect::<Vec<_>>()
    };
    let [(reason, note)] = &told(None, &adopted)[..] else { panic!("{:?}", told(None, &adopted)) };
    assert_eq!(
        (*reason, note.as_str()),
        ("LicenseKeyAdopted", "row 7 (u7) is treated as license key a/licenseKey, as the spec says",)
    );
    let [(_, note)] = &told(Some(&adopted), &found)[..] else { panic!("{:?}", told(Some(&adopted), &found)) };
    assert!(note.contains("That is no proof") && note.contains("licenseKeys[].adopt"), "{note}");
    assert_eq!(
        (told(None, &added), told(Some(&adopted), &adopted), told(Some(&found), &found)),
        (vec![], vec![], vec![])
    );
}

#[test]
fn shortage_that_a_key_on_its_way_will_mend_is_no_event() {
    let story = keys().lists(&["a"]).shows(&[row(7, 40)]);
    let planned = story.clone().with(|s| s.published = false).status().plan.expect("a plan");
    assert!(matches!(planned.step, Step::AddKey(_)) && planned.blocked_by.is_empty(), "{planned:?}");
    let sent = story.adding("a", &[7], IntentPhase::Open, (request("i2"), Duration::ZERO)).intent.unwrap();
    let told = |plan: Option<&Plan>, intent: Option<&Intent>| {
        let mut conditions = condition::Conditions::over(&[], 1, now());
        conditions.say(kind::SEAT_SHORTAGE, condition::ConditionStatus::True, reason::EXHAUSTED, "none is free");
        let (plan, intent, conditions) = (plan.cloned(), intent.cloned(), conditions.done());
        let status = LicenseSeatsStatus { plan, intent, conditions, ..LicenseSeatsStatus::default() };
        let mut notices = vec![];
        events::transitions(&LicenseSeatsStatus::default(), &status, &mut notices);
        notices.len()
    };
    assert_eq!((told(Some(&planned), None), told(None, Some(&sent)), told(None, None)), (0, 0, 1));
    let blocked = Plan { blocked_by: vec![PlanBlock::Suspended], ..planned.clone() };
    let refused = Intent { phase: IntentPhase::Rejected, ..sent.clone() };
    assert_eq!((told(Some(&blocked), None), told(None, Some(&refused))), (1, 1));
    let seats = Step::Seats(SeatsStep { from: 5, to: 6, limit_from: None, limit_to: None });
    let (planned, sent) = (Plan { step: seats.clone(), ..planned }, Intent { step: seats, ..sent });
    assert_eq!((told(Some(&planned), None), told(None, Some(&sent))), (1, 1), "of another step");
}

#[test]
fn removal_is_announced_and_reported_with_its_row() {
    let (old, new) = (record("a", &row(7, 40), KeyOrigin::Added), record("b", &row(8, 60), KeyOrigin::Added));
    let story = keys().lists(&["b"]).shows(&[row(7, 40), row(8, 60)]).knows(&[old, new]).prunes();
    let planned = story.clone().with(|s| s.published = false).status().summary.unwrap();
    assert!(planned.contains("remove license row 7"), "{planned}");
    let gone = story.removing(&row(7, 40), IntentPhase::Unanswered, (request("i1"), SETTLED)).shows(&[row(8, 60)]);
    let notices = after_decision(LicenseSeatsStatus::default(), &gone.agreed().decide()).notices;
    assert_eq!((notices.len(), notices[0].reason), (1, "LicenseKeyRemoved"));
    assert_eq!(notices[0].note, "license row 7 removed (u7): 40 -> 60 seats");
}

#[test]
fn addition_is_announced_in_the_words_of_its_key() {
    let planned = keys().lists(&["a"]).with(|s| s.published = false).status().summary.unwrap();
    assert!(planned.contains("add license key a/licenseKey"), "{planned}");
}

#[test]
fn row_of_another_key_is_not_named_as_one_that_may_be_the_key_of_a_review() {
    let story = keys().lists(&["a", "b"]).shows(&[row(7, 40), row(8, 25), row(9, 25)]);
    let story = story.knows(&[record("b", &row(9, 25), KeyOrigin::Added)]);
    let message = story.adding("a", &[7], IntentPhase::NeedsReview, (request("i1"), SETTLED)).ready().1;
    assert!(message.contains("row 8 (u8) is new and may be it"), "{message}");
}
