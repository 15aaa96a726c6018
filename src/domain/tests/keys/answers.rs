//! What the answer to an addition or a removal proves.

use super::*;

/// The phase that stays open, what is recorded of the refusal, and the record of the key.
fn after(intent: &Intent, story: &Keys, outcome: &Outcome, rows: Option<&[Row]>) -> (AfterKeyWrite, Option<KeyRecord>) {
    let read_back = rows.map(|rows| story.clone().shows(rows).seen());
    let after = after_key_write(intent, outcome, Some(&story.license), read_back.as_ref(), now()).unwrap();
    let known = after.license.keys.first().cloned();
    (after, known)
}

#[test]
fn answer_to_addition_proves_its_documented_outcome() {
    let story = keys().adding("a", &[7], IntentPhase::Open, (request("i1"), Duration::ZERO));
    let intent = story.intent.clone().unwrap();
    let (there, new, newer) = (row(7, 40), row(8, 25), row(9, 25));
    let one = [there.clone(), new.clone()];
    let two = [there.clone(), new.clone(), newer];
    let bound = |id, origin| (None, Some((Some(id), Some(origin), KeyState::Active)));
    let open = |phase| (Some(phase), None);
    for (outcome, rows, expected) in [
        (Outcome::Added(Box::new(new.clone())), Some(&one[..]), bound(8, KeyOrigin::Added)),
        (Outcome::Added(Box::new(new.clone())), Some(&two[..]), bound(8, KeyOrigin::Added)),
        (Outcome::Added(Box::new(there)), Some(&one[..]), bound(7, KeyOrigin::Found)),
        (Outcome::Added(Box::new(new.clone())), None, open(IntentPhase::Answered)),
        (Outcome::Added(Box::new(new)), Some(&one[..1]), open(IntentPhase::Answered)),
        (Outcome::Accepted, Some(&one[..]), open(IntentPhase::Answered)),
        (Outcome::Accepted, Some(&two[..]), open(IntentPhase::Answered)),
        (Outcome::Accepted, Some(&one[..1]), open(IntentPhase::Answered)),
        (Outcome::Refused(Refusal::Request("no".into())), None, (None, Some((None, None, KeyState::Rejected)))),
        (Outcome::Refused(Refusal::Throttled(None)), None, (None, None)),
        (Outcome::NotSent("late"), None, (None, None)),
        (Outcome::Answered, Some(&one[..]), open(IntentPhase::Answered)),
        (Outcome::Unanswered, Some(&one[..]), open(IntentPhase::Unanswered)),
    ] {
        let (after, known) = after(&intent, &story, &outcome, rows);
        let known = known.map(|key| (key.id, key.origin, key.state));
        assert_eq!((after.intent.map(|intent| intent.phase), known), expected, "{outcome:?} {rows:?}");
    }
}

#[test]
fn record_has_exactly_the_proof_of_the_answer() {
    let of_seats = story().open(IntentPhase::Open, Duration::ZERO).intent.unwrap();
    let of_a_key = keys().adding("a", &[7], IntentPhase::Open, (request("i1"), Duration::ZERO)).intent.unwrap();
    for intent in [of_seats, of_a_key] {
        for (outcome, phase) in [
            (Outcome::Unanswered, Some(IntentPhase::Unanswered)),
            (Outcome::Answered, Some(IntentPhase::Answered)),
            (Outcome::NotSent("late"), None),
        ] {
            let before = LicenseSeatsStatus { intent: Some(intent.clone()), ..LicenseSeatsStatus::default() };
            let after = after_request(before, &intent, &outcome, None, now()).status.intent;
            assert_eq!(after.map(|intent| intent.phase), phase, "{:?} {outcome:?}", intent.step);
        }
    }
}

#[test]
fn success_without_record_takes_row_only_as_found_after_settle_time() {
    let story = keys().lists(&["a"]).adding("a", &[7], IntentPhase::Open, (request("i1"), Duration::ZERO));
    let rows = [row(7, 40), row(8, 25)];
    let (after, known) = after(&story.intent.clone().unwrap(), &story, &Outcome::Accepted, Some(&rows));
    assert_eq!((known, after.applied), (None, None), "a colleague may have added row 8");
    let settled = story.shows(&rows).with(|s| {
        s.intent = after.intent;
        s.elapsed = Some(Elapsed { wait: WaitFor::LateEffects("i1".into()), since: SETTLED, settled: None });
    });
    let settled = settled.agreed();
    assert_eq!(settled.record("a").map(|key| (key.id, key.origin)), Some((Some(8), Some(KeyOrigin::Found))));
}

#[test]
fn only_row_named_by_answer_is_adopted_once_listed() {
    let story = keys().lists(&["a"]).adding("a", &[7], IntentPhase::Open, (request("i1"), Duration::ZERO));
    let added = Outcome::Added(Box::new(row(8, 25)));
    let (after, _) = after(&story.intent.clone().unwrap(), &story, &added, Some(&[row(7, 40)]));
    let later = |rows: &[Row]| {
        let story = story.clone().shows(rows).with(|s| s.intent.clone_from(&after.intent));
        (story.decide().verdict, story.record("a").and_then(|key| Some((key.id?, key.origin?))))
    };
    let taken = Some((8, KeyOrigin::Added));
    assert_eq!(later(&[row(7, 40), row(8, 25)]), (Verdict::InSync, taken));
    let rebuilt = Row { uuid: "another".into(), ..row(8, 25) };
    for other in [row(9, 25), rebuilt] {
        let (verdict, taken) = later(&[row(7, 40), other]);
        assert_eq!((verdict, taken), (Verdict::Doubt, None));
    }
}

#[test]
fn uncertain_refusal_of_an_addition_is_asked_once_more_and_then_a_person() {
    for (refusal, state, why) in [
        (Uncertain::PerhapsPresent, KeyState::AlreadyPresent, reason::ALREADY_PRESENT),
        (Uncertain::Status(400), KeyState::Rejected, reason::LICENSE_KEY_REJECTED),
        (Uncertain::Field, KeyState::Rejected, reason::LICENSE_KEY_REJECTED),
    ] {
        let story = keys().lists(&["a"]).shows(&[row(7, 40)]);
        let story = story.adding("a", &[7], IntentPhase::Open, (request("i1"), Duration::ZERO));
        let (after, known) =
            after(&story.intent.clone().unwrap(), &story, &Outcome::Uncertain(refusal), Some(&[row(7, 40)]));
        assert_eq!(known, None, "{refusal:?}: nothing is recorded of the key yet");
        let open = story.with(|s| {
            s.intent = after.intent;
            s.elapsed = Some(Elapsed { wait: WaitFor::LateEffects("i1".into()), since: Duration::ZERO, settled: None });
        });
        assert_eq!(open.decide().verdict, Verdict::Doubt, "{refusal:?}");
        let settled = open.with(|s| s.elapsed.as_mut().unwrap().since = SETTLED).agreed();
        let Verdict::Change(again) = settled.decide().verdict else { panic!("{:?}", settled.decide()) };
        assert_eq!(again.attempt, 2);
        let told = settled.with(|s| {
            let step =
                KeyStep { heard: vec![refusal.words(); 2], ..s.intent.as_ref().unwrap().step.key().unwrap().clone() };
            *s.intent.as_mut().unwrap() = Intent { attempt: 2, step: Step::AddKey(step), ..s.intent.clone().unwrap() };
        });
        assert_eq!((told.sends(), told.record("a").map(|key| key.state)), (None, Some(state)), "{refusal:?}");
        let rest = told.clone().with(|s| (s.license, s.intent) = (told.decide().license.unwrap(), None));
        assert_eq!(rest.ready().0, why, "{refusal:?}");
    }
}

#[test]
fn row_present_before_is_adopted_without_reporting_change() {
    let story = keys().lists(&["a"]).shows(&[row(7, 40)]);
    let open = story.clone().adding("a", &[7], IntentPhase::Open, (request("i1"), Duration::ZERO));
    let intent = open.intent.clone().unwrap();
    let (same, known) = after(&intent, &open, &Outcome::Added(Box::new(row(7, 40))), Some(&[row(7, 40)]));
    assert_eq!((same.applied, known.and_then(|key| key.origin)), (None, Some(KeyOrigin::Found)));
    let (new, _) = after(&intent, &open, &Outcome::Added(Box::new(row(8, 25))), Some(&[row(7, 40), row(8, 25)]));
    assert!(new.applied.is_some());
    let named = |id: i64| {
        let step = KeyStep { id: Some(id), uuid: Some(format!("u{id}")), ..intent.step.key().unwrap().clone() };
        let intent = Intent { phase: IntentPhase::Answered, step: Step::AddKey(step), ..intent.clone() };
        story.clone().shows(&[row(7, 40), row(8, 25)]).with(|s| s.intent = Some(intent)).decide()
    };
    assert_eq!((named(7).applied, named(7).intent), (None, None));
    assert!(named(8).applied.is_some());
    let there = refused_twice_as_present(&[row(7, 40)], &[], None).decide();
    assert_eq!((there.applied, there.intent), (None, None));
    assert_eq!(there.license.unwrap().keys[0].origin, Some(KeyOrigin::Found));
    let review = story.adding("a", &[7], IntentPhase::NeedsReview, (request("i1"), SETTLED));
    let adopts = |id: i64| {
        let adopt = Some(KeyRow { id, uuid: format!("u{id}") });
        review.clone().shows(&[row(7, 40), row(8, 25)]).with(|s| s.ring.wanted[0].adopt = adopt).decide().applied
    };
    assert_eq!(adopts(7), None);
    assert!(adopts(8).is_some());
}

/// A key that was sent twice, with these answers, and then read twice without a new row.
fn sent_twice(answers: [&Outcome; 2]) -> Keys {
    let rows = [row(7, 40)];
    let mut story = keys().lists(&["a"]).shows(&rows);
    for (i, outcome) in answers.into_iter().enumerate() {
        let Verdict::Change(intent) = story.decide().verdict else { panic!("{:?}", story.decide()) };
        assert_eq!(usize::try_from(intent.attempt), Ok(i + 1));
        let intent = Intent { id: format!("i{}", i + 1), ..*intent };
        let (after, _) = after(&intent, &story, outcome, Some(&rows));
        let open = after.intent.expect("an open intent");
        let answered = open.phase == IntentPhase::Answered;
        let wait = if answered { WaitFor::LateEffects(open.id.clone()) } else { request(&open.id) };
        story = story.with(|s| {
            s.license = after.license;
            s.intent = Some(open);
            s.elapsed = Some(Elapsed { wait, since: SETTLED, settled: None });
        });
        story = story.agreed();
    }
    story.clone().with(|s| {
        let decision = story.decide();
        (s.license, s.intent, s.elapsed) = (decision.license.unwrap(), decision.intent, None);
    })
}

#[test]
fn two_requests_without_row_need_person_with_known_facts() {
    let (lost, no) = (Outcome::Unanswered, Outcome::Uncertain(Uncertain::Status(422)));
    let between = Outcome::Uncertain(Uncertain::Between(503));
    let other = Outcome::Uncertain(Uncertain::Other(500));
    for (answers, words) in [
        ([&lost, &lost], "was sent twice, and the answer was lost twice. "),
        ([&between, &between], "was sent twice, and Acme answered twice with status 503. "),
        ([&other, &other], "Acme answered twice with status 500. "),
        ([&lost, &between], "the first answer was lost, and Acme answered the second request with status 503. "),
        (
            [&no, &lost],
            "Acme refused the first request, because it answers with status 422, and the second answer was lost. ",
        ),
        (
            [&lost, &no],
            "the first answer was lost, and Acme refused the second request, because it answers with status 422. ",
        ),
    ] {
        let story = sent_twice(answers);
        assert_eq!(
            (story.sends(), story.record("a").map(|key| key.state)),
            (None, Some(KeyState::Unproven)),
            "{words}"
        );
        let (why, message) = story.ready();
        assert_eq!(why, reason::NEEDS_REVIEW, "{message}");
        let id = story.record("a").and_then(|key| key.asked).expect("a question").id;
        assert!(message.contains(words) && message.contains(&format!("confirm={id}")), "{message}");
        assert!(!message.to_lowercase().contains("rejected") && !message.contains("right key"), "{message}");
    }
    assert_eq!(sent_twice([&no, &no]).ready().0, reason::LICENSE_KEY_REJECTED, "in its own words, twice");
}

#[test]
fn refusal_recorded_by_former_version_counts() {
    let story = keys().lists(&["a"]).shows(&[row(7, 40)]);
    let late = || (WaitFor::LateEffects("i1".into()), SETTLED);
    let story = story.adding("a", &[7], IntentPhase::Answered, late());
    let story = story.with(|s| s.intent.as_mut().unwrap().refused = Some(Uncertain::Field.words())).agreed();
    assert_eq!(story.adds().map(|step| step.heard), Some(vec![Uncertain::Field.words()]));
    let last = story.with(|s| s.intent.as_mut().unwrap().attempt = 2);
    let asked = last.record("a").and_then(|key| key.asked).expect("a question");
    assert_eq!(asked.heard, ["no answer".to_owned(), Uncertain::Field.words()]);
}

#[test]
fn key_sent_twice_needs_confirmation_of_last_request_or_row_named_by_spec() {
    let story = sent_twice([&Outcome::Unanswered, &Outcome::Unanswered]);
    let earlier = story.clone().with(|s| s.confirmed = Some("i2".into()));
    assert_eq!(earlier.sends(), None, "a yes that was given before the question");
    let question = story.record("a").and_then(|key| key.asked).expect("a question");
    let yes = story.clone().with(|s| s.confirmed = Some(question.id));
    let Verdict::Change(intent) = yes.decide().verdict else { panic!("{:?}", yes.decide()) };
    assert_eq!((intent.attempt, intent.step.key().unwrap().heard.clone()), (1, vec![]), "a decision of its own");
    let adopted = story.clone().with(|s| s.ring.wanted[0].adopt = Some(KeyRow { id: 7, uuid: "u7".into() }));
    assert_eq!((adopted.decide().verdict, adopted.record("a").and_then(|key| key.id)), (Verdict::InSync, Some(7)));
    assert_eq!(story.lists(&[]).record("a"), None, "a key that is not wanted needs no record");
}

/// A key that was refused twice as already there, before that is recorded.
fn refused_twice_as_present(rows: &[Row], records: &[KeyRecord], seats: Option<i32>) -> Keys {
    let present: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let story = keys().lists(&["a"]).shows(rows).knows(records).with(|s| s.seats = seats);
    let late = WaitFor::LateEffects("i1".into());
    let story = story.adding("a", &present, IntentPhase::Answered, (late, SETTLED)).with(|s| {
        let intent = s.intent.as_mut().unwrap();
        (intent.attempt, intent.refused) = (2, Some(Uncertain::Present.words()));
        let Step::AddKey(step) = &mut intent.step else { panic!() };
        let listed: i32 = rows.iter().filter_map(|row| row.seats).sum();
        step.unexplained = seats.map(|seats| seats - listed);
    });
    story.agreed()
}

/// A key that was refused twice as already there.
fn twice_there(rows: &[Row], records: &[KeyRecord], seats: Option<i32>) -> Keys {
    let story = refused_twice_as_present(rows, records, seats);
    story.clone().with(|s| (s.license, s.intent) = (story.decide().license.unwrap(), None))
}

#[test]
fn key_that_is_there_already_is_taken_only_for_a_row_that_can_be_it() {
    let found = |story: Keys| story.record("a").map(|key| (key.id, key.origin));
    let origin = Some(KeyOrigin::Found);
    assert_eq!(found(twice_there(&[row(7, 40)], &[], None)), Some((Some(7), origin)), "the only row");
    let lost = KeyRecord { state: KeyState::Missing, ..record("a", &row(6, 20), KeyOrigin::Added) };
    for (what, story) in [
        ("another has other seats", twice_there(&[row(7, 40)], std::slice::from_ref(&lost), None)),
        ("either may be it", twice_there(&[row(7, 40), row(8, 25)], &[], None)),
        ("a row that is not listed may be it", twice_there(&[row(7, 40)], &[], Some(60))),
    ] {
        assert_ne!(found(story.clone()), Some((Some(7), origin)), "{what}");
        assert_eq!(story.record("a").map(|key| key.state), Some(KeyState::AlreadyPresent), "{what}");
        assert_eq!(story.ready().0, reason::ALREADY_PRESENT, "{what}");
        assert!(story.ready().1.contains("name that row in licenseKeys[].adopt"), "{}", story.ready().1);
    }
    let same = KeyRecord { seats: Some(40), ..lost };
    assert_eq!(found(twice_there(&[row(7, 40)], &[same], None)), Some((Some(7), origin)));
}

#[test]
fn key_present_in_no_identifiable_row_is_reported() {
    let story = twice_there(&[], &[], None);
    let (why, message) = story.ready();
    assert_eq!(why, reason::ALREADY_PRESENT);
    assert!(message.contains("lists no candidate row") && !message.contains("name that row"), "{message}");
}

#[test]
fn refusal_of_a_key_is_recorded_only_while_the_spec_lists_it() {
    let refused = |listed: &[&str]| {
        let clock = (WaitFor::LateEffects("i1".into()), SETTLED);
        let story = keys().lists(listed).shows(&[row(7, 40)]).adding("a", &[7], IntentPhase::Answered, clock);
        let story = story.with(|s| s.intent.as_mut().unwrap().attempt = 2).agreed();
        assert_eq!(story.decide().intent, None);
        story.record("a").map(|key| key.state)
    };
    assert_eq!(refused(&["a"]), Some(KeyState::Unproven));
    assert_eq!(refused(&[]), None);
}

#[test]
fn removal_is_done_where_answer_names_row_and_list_does_not_contradict() {
    let (old, new) = (row(7, 40), row(8, 60));
    let step = KeyStep {
        from: 100,
        to: 60,
        secret_key_ref: None,
        fingerprint: None,
        present: vec![],
        id: Some(7),
        uuid: Some("u7".into()),
        unexplained: None,
        heard: vec![],
    };
    let intent = Intent {
        step: Step::RemoveKey(step),
        ..keys().removing(&old, IntentPhase::Open, (request("i1"), SETTLED)).intent.unwrap()
    };
    let story = keys().lists(&["b"]).knows(&[record("a", &old, KeyOrigin::Added)]);
    let both = [old, new];
    for (outcome, rows, seats, phase) in [
        (Outcome::Accepted, Some(&both[1..]), 60, None),
        (Outcome::Accepted, Some(&both[..]), 60, None),
        (Outcome::Accepted, Some(&both[..]), 100, Some(IntentPhase::Answered)),
        (Outcome::Accepted, None, 100, Some(IntentPhase::Answered)),
        (Outcome::Answered, Some(&both[1..]), 60, Some(IntentPhase::Answered)),
        (Outcome::Uncertain(Uncertain::Status(404)), Some(&both[1..]), 60, Some(IntentPhase::Answered)),
        (Outcome::Unanswered, Some(&both[1..]), 60, Some(IntentPhase::Unanswered)),
    ] {
        let story = story.clone().with(|s| s.seats = Some(seats));
        let (after, _) = after(&intent, &story, &outcome, rows);
        assert_eq!(after.applied.is_some(), phase.is_none(), "{outcome:?} {rows:?}");
        assert_eq!(after.intent.map(|intent| intent.phase), phase, "{outcome:?} {rows:?}");
    }
}

#[test]
fn addition_reports_its_row_and_seats_read_after_it() {
    let story = keys().adding("a", &[7], IntentPhase::Open, (request("i1"), Duration::ZERO));
    let mut repeat = story.intent.clone().unwrap();
    let step = KeyStep { heard: vec!["no answer".into()], ..repeat.step.key().unwrap().clone() };
    (repeat.attempt, repeat.step) = (2, Step::AddKey(step));
    let added = Outcome::Added(Box::new(row(8, 25)));
    let (done, _) = after(&repeat, &story, &added, Some(&[row(7, 40), row(8, 25)]));
    let change = done.applied.expect("it is listed");
    let key = change.step.key().unwrap();
    assert_eq!((change.base().seats, change.target().seats), (40, 65));
    assert_eq!((key.id, key.uuid.as_deref(), key.present.len(), key.heard.len()), (Some(8), Some("u8"), 0, 0));
}

#[test]
fn removal_reports_seats_read_after_it_and_keeps_reason_of_refusal() {
    let story = keys().removing(&row(7, 40), IntentPhase::Open, (request("i1"), Duration::ZERO));
    let intent = story.intent.clone().unwrap();
    let (done, _) = after(&intent, &story, &Outcome::Accepted, Some(&[row(8, 61)]));
    assert_eq!((done.intent, done.applied.map(|change| change.target().seats)), (None, Some(61)));
    let refused = Outcome::Refused(Refusal::Request("of a rule".into()));
    let (kept, _) = after(&intent, &story, &refused, None);
    let kept = kept.intent.map(|intent| (intent.phase, intent.refused));
    assert_eq!(kept, Some((IntentPhase::Rejected, Some("of a rule".into()))));
}

/// Row 7 is being removed, or was, and row 8 alone is listed and has 60 seats.
fn row_is_gone(phase: IntentPhase, since: Duration) -> Keys {
    let story = keys().lists(&["b"]).shows(&[row(8, 60)]).knows(&[record("b", &row(8, 60), KeyOrigin::Added)]);
    story.prunes().removing(&row(7, 40), phase, (request("i1"), since)).with(|s| {
        let intent = s.intent.as_mut().unwrap();
        intent.step = Step::RemoveKey(KeyStep { from: 100, to: 60, ..intent.step.key().unwrap().clone() });
    })
}

#[test]
fn refused_removal_ends_once_row_is_gone_and_its_seats_are_uncounted() {
    let refused = |seats| row_is_gone(IntentPhase::Rejected, SETTLED).with(|s| s.seats = Some(seats)).decide();
    assert_eq!((refused(60).verdict, refused(60).intent), (Verdict::InSync, None));
    let counted = refused(100);
    assert!(matches!(counted.verdict, Verdict::Lacking(ref lack) if lack.reason == reason::VENDOR_REJECTED));
    assert_eq!(counted.intent.map(|intent| intent.phase), Some(IntentPhase::Rejected));
}

#[test]
fn removal_seen_by_former_version_settles_without_new_report() {
    let settling = |since| row_is_gone(IntentPhase::Settling, since).decide();
    let early = settling(TIMING.unanswered - Duration::from_secs(1));
    assert_eq!((early.verdict, early.wake), (Verdict::Doubt, Some(Duration::from_secs(1))));
    let over = settling(TIMING.unanswered);
    assert_eq!((over.verdict, over.intent, over.applied), (Verdict::InSync, None, None));
}

#[test]
fn lost_removal_is_reported_with_seats_left_once_its_row_is_not_counted() {
    let settled = |seats| row_is_gone(IntentPhase::Unanswered, SETTLED).with(|s| s.seats = Some(seats)).agreed();
    let told = |seats| settled(seats).decide().applied.map(|change| (change.base().seats, change.target().seats));
    assert_eq!(told(99), Some((100, 99)), "soft seats stay");
    assert_eq!(told(100), None, "the list may lack the row");
    assert_eq!(settled(100).decide().intent, None);
}

#[test]
fn listed_row_without_seats_never_counts_as_removed() {
    let removed = |gave: i32| {
        let (old, new) = (row(7, gave), row(8, 60));
        let story = keys().removing(&old, IntentPhase::Open, (request("i1"), Duration::ZERO)).with(|s| {
            let intent = s.intent.as_mut().unwrap();
            let step = intent.step.key().unwrap().clone();
            intent.step = Step::RemoveKey(KeyStep { from: 60 + gave, to: 60, ..step });
            s.seats = Some(60);
        });
        let (after, _) = after(&story.intent.clone().unwrap(), &story, &Outcome::Accepted, Some(&[old, new]));
        after.applied.is_some()
    };
    assert!(removed(1), "listed, and counted no more");
    assert!(!removed(0));
}

#[test]
fn row_found_after_refusal_is_reported_with_refusal_and_not_as_added() {
    let rows = [row(7, 40), row(8, 25)];
    let told = |outcome: &Outcome| {
        let story = keys().lists(&["a"]).shows(&rows[..1]);
        let Verdict::Change(intent) = story.decide().verdict else { panic!("{:?}", story.decide()) };
        let intent = Intent { id: "i1".into(), ..*intent };
        let (after, _) = after(&intent, &story, outcome, Some(&rows));
        let open = after.intent.expect("an open intent");
        let wait = if open.phase == IntentPhase::Answered { WaitFor::LateEffects("i1".into()) } else { request("i1") };
        let story = story.shows(&rows).with(|s| {
            s.intent = Some(open);
            s.elapsed = Some(Elapsed { wait, since: SETTLED, settled: None });
        });
        let learned = after_decision(LicenseSeatsStatus::default(), &story.agreed().decide());
        let heard = learned.status.history[0].step.key().unwrap().heard.clone();
        let notes: Vec<(&str, String)> = learned.notices.into_iter().map(|told| (told.reason, told.note)).collect();
        (heard, notes)
    };
    let (heard, notes) = told(&Outcome::Uncertain(Uncertain::Status(422)));
    assert_eq!(heard, ["it answers with status 422"]);
    assert!(
        notes.iter().all(|(reason, note)| *reason == "LicenseKeyAdopted" && !note.contains("added (")),
        "{notes:?}"
    );
    assert_eq!(
        notes[0].1,
        "license key a/licenseKey was refused, because it answers with status 422. The new row (u8) is treated as that key: 40 -> 65 seats"
    );
    let (heard, notes) = told(&Outcome::Unanswered);
    assert_eq!((heard.is_empty(), notes[0].0), (true, "LicenseKeyAdded"));
}

#[test]
fn key_added_after_transient_refusal_is_reported_as_added() {
    let rows = [row(7, 40)];
    let story = keys().lists(&["a"]).shows(&rows).adding("a", &[7], IntentPhase::Open, (request("i2"), Duration::ZERO));
    let mut intent = Intent { attempt: 2, ..story.intent.clone().unwrap() };
    let heard = vec![Uncertain::Status(422).words()];
    intent.step = Step::AddKey(KeyStep { heard, ..intent.step.key().unwrap().clone() });
    let both = [row(7, 40), row(8, 25)];
    let (after, _) = after(&intent, &story, &Outcome::Added(Box::new(row(8, 25))), Some(&both));
    let mut status = LicenseSeatsStatus::default();
    let told = remember(&mut status, after.applied).expect("an event");
    assert_eq!(told.reason, "LicenseKeyAdded");
}

#[test]
fn answer_for_one_key_is_not_reported_for_another() {
    let late = || (WaitFor::LateEffects("i1".into()), SETTLED);
    let story = keys().lists(&["b"]).shows(&[row(7, 40)]).adding("a", &[7], IntentPhase::Answered, late());
    let story = story.with(|s| s.intent.as_mut().unwrap().refused = Some(Uncertain::Field.words())).agreed();
    let Verdict::Change(intent) = story.decide().verdict else { panic!("{:?}", story.decide().verdict) };
    let step = intent.step.key().unwrap();
    assert_eq!((step.fingerprint.clone(), intent.attempt), (Some(print("b")), 1));
    assert_eq!(step.heard, [""; 0]);
}

#[test]
fn answer_about_key_replaces_records_of_its_key_and_row_and_no_others() {
    let rows = [row(7, 40), row(8, 25)];
    let (other, mine) = (record("b", &rows[0], KeyOrigin::Added), record("a", &row(6, 20), KeyOrigin::Added));
    let of_row = record("c", &rows[1], KeyOrigin::Found);
    let mine = KeyRecord { state: KeyState::Missing, ..mine };
    let story = keys().knows(&[other.clone(), mine.clone(), of_row.clone()]);
    let story = story.adding("a", &[7], IntentPhase::Open, (request("i1"), Duration::ZERO));
    let intent = story.intent.clone().unwrap();
    let records = |outcome: &Outcome| after(&intent, &story, outcome, Some(&rows)).0.license.keys;
    let added = records(&Outcome::Added(Box::new(rows[1].clone())));
    assert_eq!(added, [other.clone(), record("a", &rows[1], KeyOrigin::Added)]);
    let refused = records(&Outcome::Refused(Refusal::Request("no".into())));
    assert_eq!(refused, [other, KeyRecord { state: KeyState::Rejected, ..mine }, of_row], "row 6 may be listed again");
}

#[test]
fn refusal_of_key_with_removed_row_makes_its_own_record() {
    let gone = KeyRecord { state: KeyState::Removed, ..record("a", &row(6, 20), KeyOrigin::Added) };
    let story = keys().knows(&[gone]).adding("a", &[7], IntentPhase::Open, (request("i1"), Duration::ZERO));
    let intent = story.intent.clone().unwrap();
    let (_, known) = after(&intent, &story, &Outcome::Refused(Refusal::Request("no".into())), None);
    assert_eq!(known.map(|key| (key.id, key.state)), Some((None, KeyState::Rejected)));
}
