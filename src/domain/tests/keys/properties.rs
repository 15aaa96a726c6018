//! What holds of every decision about license keys, whatever is listed, shown and recorded.

use super::*;

const NAMES: [&str; 3] = ["a", "b", "c"];

prop_compose! {
    fn rows()(
        ids in proptest::collection::btree_set(1i64..6, 0..5), seats in of(0i32..60),
        hours in proptest::collection::vec(of(-50i64..50), 6), invalidated in proptest::collection::vec(prop::bool::weighted(0.1), 6),
    ) -> Vec<Row> {
        ids.into_iter().map(|id| {
            let i = usize::try_from(id).unwrap();
            let expires = hours[i].map(|hours| now() + SignedDuration::from_hours(hours));
            Row { seats, expires, invalidated: invalidated[i], ..row(id, 0) }
        }).collect()
    }
}

prop_compose! {
    fn records()(
        known in proptest::collection::vec((select(NAMES.to_vec()), 1i64..6, select(vec![
            KeyOrigin::Added, KeyOrigin::Adopted, KeyOrigin::Found, KeyOrigin::Foreign,
        ]), select(vec![KeyState::Active, KeyState::Removed, KeyState::Rejected, KeyState::Unproven, KeyState::GivenUp, KeyState::AlreadyPresent, KeyState::Missing])), 0..4),
    ) -> Vec<KeyRecord> {
        known.into_iter().map(|(name, id, origin, state)| {
            let asked = (state == KeyState::Unproven).then(|| KeyAsked { id: "i1".into(), heard: vec![] });
            KeyRecord { state, asked, ..record(name, &row(id, 10), origin) }
        }).collect()
    }
}

prop_compose! {
    fn stories()(
        listed in proptest::sample::subsequence(NAMES.to_vec(), 0..=3), rows in rows(), records in records(),
        used in 0i32..80, seats in of(0i32..150), wanted in of(1i32..100), prunes in any::<bool>(),
        can_add in of(prop::bool::weighted(0.9)), unreadable in of(0usize..3), adopt in of((0usize..3, 1i64..6)),
        open in of((select(NAMES.to_vec()), proptest::collection::vec(1i64..6, 0..4), select(vec![
            IntentPhase::Open, IntentPhase::Answered, IntentPhase::Unanswered, IntentPhase::Settling,
            IntentPhase::NeedsReview, IntentPhase::Rejected,
        ]), 1i32..3, any::<bool>())),
        clock in select(vec![request("i1"), WaitFor::LateEffects("i1".into()), request("another")]), since in select(vec![0u64, 299, 1800]), agreed in any::<bool>(),
        suspended in prop::bool::weighted(0.1), uid in select(vec![UID, UID, UID, "another"]),
        confirmed in of(select(vec!["i1", "i2"])),
    ) -> Keys {
        let clock = (clock, Duration::from_secs(since));
        let mut story = keys().lists(&listed).shows(&rows).knows(&records).with(|s| {
            (s.used, s.seats, s.desired.seats, s.desired.suspended) = (used, seats, wanted, suspended);
            s.ring.can_add_user = can_add;
            s.confirmed = confirmed.map(str::to_owned);
            s.uid = uid;
        });
        for wanted in &mut story.ring.wanted {
            wanted.fingerprint = Ok(fingerprint(uid, wanted.reference.name.as_bytes()));
        }
        if let Some((i, id)) = adopt && let Some(wanted) = story.ring.wanted.get_mut(i) {
            wanted.adopt = Some(KeyRow { id, uuid: format!("u{id}") });
        }
        if let Some(wanted) = unreadable.and_then(|i| story.ring.wanted.get_mut(i)) {
            wanted.fingerprint = Err(Fault::spec("gone".into()));
        }
        if prunes {
            story = story.prunes();
        }
        if let Some((name, present, phase, attempt, removal)) = open {
            story = if removal {
                story.removing(&row(present.first().copied().unwrap_or(1), 0), phase, clock)
            } else {
                story.adding(name, &present, phase, clock)
            };
            story.intent.as_mut().unwrap().attempt = attempt;
        }
        if agreed && story.decide().doubt.is_some() { story.agreed() } else { story }
    }
}

/// Whether what may still be running was waited out: every further key of a clock begins after that.
fn waited_out(story: &Keys, intent: &Intent) -> bool {
    let Some(elapsed) = &story.elapsed else { return false };
    let settle = if intent.phase == IntentPhase::Answered { TIMING.answered } else { TIMING.unanswered };
    let own = protocol::wait_of(intent);
    match &elapsed.wait {
        WaitFor::SecondReading { of, .. } => **of == own,
        wait => *wait == own && elapsed.since >= settle,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn report_on_keys_has_each_condition_once_and_only_of_table(story in stories()) {
        let (decision, seen) = (story.decide(), story.seen());
        let finding = Finding::Decided { desired: &story.desired, seen: &seen, decision: &decision };
        super::super::properties::said(&report(&LicenseSeatsStatus::default(), 3, &finding, now()).status);
    }

    #[test]
    fn key_is_added_only_if_no_row_is_known_to_have_it(story in stories()) {
        let Some(step) = story.adds() else { return Ok(()) };
        let entry = story.ring.wanted.iter().find(|entry| entry.fingerprint.clone().ok() == step.fingerprint);
        prop_assert!(entry.is_some_and(|entry| Some(&entry.reference) == step.secret_key_ref.as_ref()));
        let present: Vec<i64> = story.ring.rows.iter().map(|row| row.id).collect();
        prop_assert_eq!(&step.present, &present);
        let known = story.decide().license.unwrap().keys;
        let listed = known.iter().any(|key| key.fingerprint == step.fingerprint && key.state != KeyState::Removed
            && key.uuid.as_ref().is_some_and(|uuid| story.ring.rows.iter().any(|row| row.uuid == *uuid && Some(row.id) == key.id)));
        prop_assert!(!listed, "{:?}", known);
    }

    #[test]
    fn key_request_is_sent_only_while_none_may_be_in_flight(story in stories()) {
        let Some(open) = story.intent.as_ref().filter(|intent| intent.is_open()) else { return Ok(()) };
        prop_assert!(story.sends().is_none() || waited_out(&story, open), "{:?}", story);
    }

    #[test]
    fn key_with_missing_row_that_may_be_counted_is_not_added(story in stories()) {
        let Some(step) = story.adds() else { return Ok(()) };
        let live = story.ring.rows.iter().filter(|row| !row.invalidated && row.expires.is_none_or(|at| at > now()));
        let unexplained = story.seen().numbers().unwrap().seats - live.filter_map(|row| row.seats).sum::<i32>();
        let known = story.license.keys.iter().find(|key| key.fingerprint == step.fingerprint
            && matches!(key.state, KeyState::Active | KeyState::Missing) && key.origin != Some(KeyOrigin::Foreign));
        let listed = |key: &KeyRecord| story.ring.rows.iter().any(|row| Some(row.id) == key.id && Some(&row.uuid) == key.uuid.as_ref());
        if let Some(key) = known && story.uid == UID && story.intent.is_none() && !listed(key) {
            let marked = story.license.keys.iter().any(|key| key.state == KeyState::Removed);
            prop_assert!(marked || unexplained < key.seats.unwrap_or(1).max(1), "{:?}", story);
        }
    }

    #[test]
    fn only_own_rows_are_removed_and_never_below_the_need_or_the_last(story in stories()) {
        let Some(step) = story.removes() else { return Ok(()) };
        let prunes = matches!(story.desired.pool.goal, Goal::Keys { prune: true, .. });
        prop_assert!(prunes && !story.ring.wanted.is_empty());
        let row = story.ring.rows.iter().find(|row| Some(row.id) == step.id && Some(&row.uuid) == step.uuid.as_ref());
        let row = row.expect("a listed row");
        let own = story.license.keys.iter().find(|key| key.id == step.id && key.uuid == step.uuid
            && matches!(key.origin, Some(KeyOrigin::Added | KeyOrigin::Adopted)));
        prop_assert!(own.is_some() && story.uid == UID, "{:?}", story);
        // A list that does not show them leaves the seats that the addition's answer told.
        let of_row = row.seats.or(own.and_then(|own| own.seats)).unwrap_or_default();
        let need = story.used.max(story.desired.seats.unwrap_or_default());
        let seats = story.seen().numbers().unwrap().seats;
        let in_force = |row: &Row| !row.invalidated && row.expires.is_none_or(|at| at > now());
        let explained: i32 = story.ring.rows.iter().filter(|row| in_force(row)).filter_map(|row| row.seats).sum();
        let spent = !in_force(row) && seats - explained < of_row.max(1);
        prop_assert!(spent || (seats - of_row >= need && story.ring.can_add_user == Some(true)));
        prop_assert!(story.ring.rows.iter().any(|other| other.id != row.id && in_force(other)));
        prop_assert!(story.ring.wanted.iter().all(|entry| entry.fingerprint.is_ok()));
    }

    #[test]
    fn every_key_decision_is_reportable_and_its_record_reads_back(story in stories()) {
        let (decision, seen) = (story.decide(), story.seen());
        let finding = Finding::Decided { desired: &story.desired, seen: &seen, decision: &decision };
        let status = report(&LicenseSeatsStatus::default(), 3, &finding, now()).status;
        let ready = status.conditions.iter().find(|c| c.type_ == kind::READY);
        prop_assert!(ready.is_some_and(|ready| !ready.message.is_empty()));
        prop_assert!(status.summary.is_some_and(|summary| !summary.is_empty()));
        // At rest the same is decided again, and nothing need be written.
        let again = Keys { license: decision.license.clone().unwrap(), intent: decision.intent.clone(), published: false, ..story };
        if decision.intent.is_none() && decision.applied.is_none() {
            let second = again.decide().license;
            let third = Keys { license: second.clone().unwrap(), ..again }.decide().license;
            prop_assert_eq!(&third, &second);
            // A row that a first reading lacks is forgotten by the second.
            let keys = |license: &Option<License>, missing: bool| -> Vec<KeyRecord> {
                let keys = license.as_ref().unwrap().keys.iter();
                keys.filter(|key| missing || key.state != KeyState::Missing).cloned().collect()
            };
            let is_first = decision.license.as_ref().unwrap().keys.iter().any(|key| key.state == KeyState::Missing);
            prop_assert_eq!(keys(&second, !is_first), keys(&decision.license, !is_first));
        }
    }
}
