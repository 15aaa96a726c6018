//! When a license ends, and what stays without a key.

use super::super::windows::{in_window, opening};
use super::*;

#[test]
fn license_end_is_the_one_after_which_seats_are_short() {
    let until = |id, seats, hours| Row { expires: Some(now() + SignedDuration::from_hours(hours)), ..row(id, seats) };
    let ends = |rows: &[Row], used| {
        let license = keys().shows(rows).with(|s| s.used = used).decide().license.unwrap();
        license.expires_at.map(|time| time.0.duration_since(now()).as_hours())
    };
    assert_eq!(ends(&[until(1, 40, 100), until(2, 60, 900)], 50), Some(900), "the other is enough");
    assert_eq!(ends(&[until(1, 40, 100), until(2, 60, 900)], 60), Some(900), "the other is just enough");
    assert_eq!(ends(&[until(1, 40, 100), until(2, 60, 900)], 61), Some(100));
    assert_eq!(ends(&[until(1, 40, 100), row(2, 60)], 50), None, "for ever");
    assert_eq!(ends(&[until(1, 40, -5)], 50), Some(-5));
    assert_eq!(ends(&[], 50), None);
}

#[test]
fn account_without_seats_has_no_license_in_force() {
    let state = |rows: &[Row], seats: i32| {
        keys().shows(rows).with(|s| s.seats = Some(seats)).decide().license.expect("a license").state
    };
    let unknown = Row { seats: None, ..row(7, 40) };
    assert_eq!(state(&[row(7, 40)], 0), LicenseState::Invalidated);
    assert_eq!(state(&[unknown], 0), LicenseState::Invalidated);
    assert_eq!(state(&[row(7, 0)], 0), LicenseState::Active, "a key for features alone");
    assert_eq!(state(&[row(7, 40)], 40), LicenseState::Active);
    let seen = keys().lists(&["a"]).shows(&[row(7, 40)]).knows(&[record("a", &row(7, 40), KeyOrigin::Added)]);
    let (why, message) = seen.with(|s| s.seats = Some(0)).ready();
    assert_eq!(why, reason::EXPIRED);
    assert!(message.contains("licenses 0 seats and lists license keys that look in force (1)"), "{message}");
}

#[test]
fn account_refusing_users_is_short_and_silent_one_is_not() {
    let told = |can_add_user| {
        let story = keys().shows(&[row(7, 40)]).with(|s| s.ring.can_add_user = can_add_user);
        let (decision, seen) = (story.decide(), story.seen());
        let finding = Finding::Decided { desired: &story.desired, seen: &seen, decision: &decision };
        let status = report(&LicenseSeatsStatus::default(), 3, &finding, now()).status;
        let shortage = status.conditions.into_iter().find(|c| c.type_ == kind::SEAT_SHORTAGE).unwrap();
        (shortage.reason, shortage.message)
    };
    assert_eq!(told(Some(false)), ("Exhausted".into(), "Acme takes no more users, though 30 seats are free".into()));
    for can_add_user in [Some(true), None] {
        assert_eq!(told(can_add_user), ("Sufficient".into(), "30 of 40 seats free".into()), "{can_add_user:?}");
    }
}

#[test]
fn removing_expired_row_takes_no_seats_and_unknown_row_takes_all() {
    let expired = Row { expires: Some(now() - SignedDuration::from_hours(1)), ..row(7, 40) };
    let invalidated = Row { invalidated: true, ..row(7, 40) };
    let (old, new) = (record("a", &row(7, 40), KeyOrigin::Added), record("b", &row(8, 60), KeyOrigin::Added));
    for gone in [expired, invalidated] {
        let story = keys().lists(&["b"]).shows(&[gone.clone(), row(8, 60)]).knows(&[old.clone(), new.clone()]).prunes();
        let story = story.with(|s| (s.used, s.seats, s.desired.seats) = (55, Some(60), Some(60)));
        let step = story.removes().expect("a removal");
        assert_eq!((step.id, step.from, step.to), (Some(7), 60, 60), "it takes nothing");
        let full = story.clone().with(|s| (s.used, s.ring.can_add_user) = (70, Some(false)));
        assert!(full.removes().is_some(), "nothing is spared by keeping it");
        let soft = story.clone().with(|s| s.seats = Some(65));
        assert!(soft.removes().is_some(), "soft seats of the other row");
        let unknown = Row { seats: None, ..gone };
        let nothing_left = story.clone().shows(&[unknown.clone(), row(8, 60)]);
        assert!(nothing_left.removes().is_some(), "the other row explains every seat");
        for (what, rows, seats, words) in [
            (
                "it is counted",
                [story.ring.rows[0].clone(), row(8, 60)],
                100,
                "without its 40 seats 60 would be left, and 61",
            ),
            ("how many it gives is not shown", [unknown, row(8, 60)], 65, "does not show how many seats"),
            (
                "what the other gives is not shown",
                [story.ring.rows[0].clone(), Row { seats: None, ..row(8, 60) }],
                60,
                "61 are needed",
            ),
        ] {
            let story = story.clone().shows(&rows).with(|s| (s.seats, s.used) = (Some(seats), 61));
            let story = story.with(|s| s.license.keys[0].seats = rows[0].seats);
            assert_eq!(story.removes(), None, "{what}");
            assert!(story.ready().1.contains(words), "{what}: {}", story.ready().1);
        }
    }
}

fn featuring(row: Row, names: &[&str]) -> Row {
    Row { features: Some(names.iter().map(|name| (*name).to_owned()).collect()), ..row }
}

#[test]
fn key_with_feature_no_other_valid_key_has_stays_and_message_names_it() {
    let expired = |row: Row| Row { expires: Some(now() - SignedDuration::from_hours(1)), ..row };
    let story = |old: Row, new: Row, more: &[Row]| {
        let records = [record("a", &old, KeyOrigin::Added), record("b", &new, KeyOrigin::Added)];
        keys().lists(&["b"]).shows(&[&[old, new][..], more].concat()).knows(&records).prunes()
    };
    let told = |story: Keys, words: &str| {
        assert_eq!(story.sends(), None, "{words}");
        let (why, message) = story.ready();
        assert_eq!(why, reason::PRUNE_BLOCKED);
        assert!(message.contains(words), "{message}");
    };
    let (fpe, both) = (|seats| featuring(row(7, seats), &["FPE"]), || featuring(row(7, 40), &["FPE", "QM"]));
    let new = |names: &[&str]| featuring(row(8, 60), names);
    for seats in [0, 40] {
        told(
            story(fpe(seats), new(&[]), &[]),
            "row 7 (u7) is not listed any more and stays: the feature FPE is in no other valid key",
        );
        assert!(story(fpe(seats), new(&["FPE", "QM"]), &[]).removes().is_some(), "the other gives it");
    }
    told(story(both(), new(&["X"]), &[]), "the features FPE, QM are in no other valid key");
    told(
        story(both(), new(&["QM"]), &[expired(featuring(row(9, 1), &["FPE"]))]),
        "the feature FPE is in no other valid key",
    );
    assert!(story(both(), new(&["QM"]), &[featuring(row(9, 1), &["FPE"])]).removes().is_some(), "a third row gives it");
    told(story(Row { features: None, ..row(7, 40) }, new(&["FPE"]), &[]), "in an unknown form");
    told(story(fpe(40), Row { features: None, ..row(8, 60) }, &[]), "the feature FPE");
    // Of a key whose seats have ended its features have too; of one without seats it is not known.
    let spent = story(expired(fpe(40)), new(&[]), &[]).with(|s| s.seats = Some(60));
    assert!(spent.removes().is_some());
    told(story(expired(fpe(0)), new(&[]), &[]).with(|s| s.seats = Some(60)), "the feature FPE");
    let shown = story(fpe(40), new(&[]), &[]).record("a").expect("a record");
    assert_eq!(shown.features, ["FPE"]);
}

#[test]
fn end_that_counts_is_the_first_after_which_a_feature_is_gone() {
    let until = |row: Row, hours| Row { expires: Some(now() + SignedDuration::from_hours(hours)), ..row };
    let ends = |rows: &[Row]| {
        let license = keys().shows(rows).decide().license.unwrap();
        license.expires_at.map(|time| time.0.duration_since(now()).as_hours())
    };
    let (soon, later) = (|names: &[&str]| until(featuring(row(1, 0), names), 100), until(row(2, 60), 900));
    assert_eq!(ends(&[soon(&[]), later.clone()]), Some(900));
    assert_eq!(ends(&[soon(&["FPE"]), later.clone()]), Some(100));
    assert_eq!(ends(&[soon(&["FPE"]), featuring(later.clone(), &["FPE"])]), Some(900));
    assert_eq!(ends(&[Row { features: None, ..soon(&[]) }, later]), Some(100), "what is not known is not enough");
}

#[test]
fn lost_removal_of_seatless_row_ends_once_row_is_gone_beside_soft_seats() {
    let new = record("b", &row(8, 60), KeyOrigin::Added);
    let story = keys().lists(&["b"]).shows(&[row(8, 60)]).knows(&[new]).prunes().with(|s| s.seats = Some(65));
    let story = story.removing(&row(7, 40), IntentPhase::Unanswered, (request("i1"), SETTLED)).with(|s| {
        let intent = s.intent.as_mut().unwrap();
        intent.step = Step::RemoveKey(KeyStep { from: 65, to: 65, ..intent.step.key().unwrap().clone() });
    });
    assert!(story.agreed().decide().applied.is_some(), "five soft seats are not those of the row");
}

#[test]
fn seats_left_after_end_or_removal_are_smaller_total_and_unknown_is_short() {
    let until = |id, seats, hours| Row { expires: Some(now() + SignedDuration::from_hours(hours)), ..row(id, seats) };
    let unknown = || Row { seats: None, ..row(2, 60) };
    let ends = |rows: &[Row], seats| {
        let license = keys().shows(rows).with(|s| (s.used, s.seats) = (50, seats)).decide().license.unwrap();
        license.expires_at.map(|time| time.0.duration_since(now()).as_hours())
    };
    assert_eq!(ends(&[until(1, 40, 100), row(2, 60)], None), None);
    assert_eq!(ends(&[until(1, 40, 100), row(2, 60)], Some(60)), Some(100), "the account counts 60 in all");
    assert_eq!(ends(&[until(1, 40, 100), unknown()], Some(100)), Some(100), "what the other brings is not known");
    assert_eq!(ends(&[until(1, 40, 100), row(2, 45)], Some(140)), Some(100), "the other brings 45 and 50 are needed");

    let (old, new) = (record("a", &row(7, 40), KeyOrigin::Added), record("b", &row(8, 60), KeyOrigin::Added));
    let story = keys().lists(&["b"]).shows(&[row(7, 40), row(8, 60)]).knows(&[old, new]).prunes();
    let story = story.with(|s| s.used = 50);
    for (seats, other) in [(100, 60), (90, 60), (140, 50)] {
        let enough = story.clone().with(|s| (s.seats, s.ring.rows[1].seats) = (Some(seats), Some(other)));
        assert!(enough.removes().is_some(), "{seats} {other}");
    }
    for (what, seats, other) in [("total", 89, Some(60)), ("row", 140, Some(49)), ("unknown", 140, None)] {
        let less = story.clone().with(|s| (s.seats, s.ring.rows[1].seats) = (Some(seats), other));
        assert_eq!(less.sends(), None, "{what}");
    }
}

#[test]
fn key_ending_today_is_in_force_all_day_and_lets_no_other_key_be_pruned() {
    // It is noon.
    let today = |id, seats| Row { expires: Some("2026-11-22T00:00:00Z".parse().unwrap()), ..row(id, seats) };
    let told = |rows: &[Row], takes_users| {
        let story = keys().lists(&["a"]).shows(rows).knows(&[record("a", &rows[0], KeyOrigin::Added)]);
        let license = story.with(|s| s.ring.can_add_user = takes_users).decide().license.unwrap();
        (license.state, license.keys[0].state)
    };
    for takes_users in [Some(true), Some(false), None] {
        assert_eq!(told(&[today(7, 40)], takes_users), (LicenseState::Active, KeyState::Active), "{takes_users:?}");
    }
    let story = keys().lists(&["b"]).shows(&[row(7, 40), today(8, 60)]).prunes();
    let story =
        story.knows(&[record("a", &row(7, 40), KeyOrigin::Added), record("b", &today(8, 60), KeyOrigin::Added)]);
    assert_eq!(story.sends(), None, "what ends today replaces nothing");
    let lasting = story.with(|s| s.ring.rows[1].expires = None);
    assert!(lasting.removes().is_some());
}

#[test]
fn license_past_its_end_is_active_while_account_takes_users_else_expired() {
    let ended = Row { expires: Some(now() - SignedDuration::from_hours(5)), ..row(7, 40) };
    let told = |takes_users, seats| {
        let story =
            keys().lists(&["a"]).shows(std::slice::from_ref(&ended)).knows(&[record("a", &ended, KeyOrigin::Added)]);
        let license =
            story.with(|s| (s.ring.can_add_user, s.seats) = (takes_users, Some(seats))).decide().license.unwrap();
        (license.state, license.keys[0].state)
    };
    assert_eq!(told(Some(true), 40), (LicenseState::Active, KeyState::Expired));
    for (takes_users, seats) in [(Some(true), 0), (Some(false), 40), (None, 40)] {
        assert_eq!(told(takes_users, seats).0, LicenseState::Expired, "{takes_users:?} {seats}");
    }
}

#[test]
fn row_with_unreadable_field_is_named_counts_nothing_and_blocks_removal() {
    let odd = Row { odd: Some("expires"), ..row(9, 60) };
    let records = [record("a", &row(7, 40), KeyOrigin::Added), record("b", &row(8, 60), KeyOrigin::Added)];
    let story = keys().lists(&["b"]).shows(&[row(7, 40), row(8, 60), odd]).knows(&records).prunes();
    assert_eq!(story.sends(), None);
    let (why, message) = story.ready();
    assert_eq!(why, reason::PRUNE_BLOCKED);
    assert!(message.contains("row 9 (u9) with an unreadable value of expires"), "{message}");
    let plain = story.with(|s| s.ring.rows[2].odd = None);
    assert!(plain.removes().is_some(), "the same row, read");
}

#[test]
fn unreadable_end_keeps_known_one_in_record_and_makes_two_readings_differ() {
    let known = Row { expires: Some(now() + SignedDuration::from_hours(500)), ..row(7, 40) };
    let shown = |odd| Row { odd, ..row(7, 40) };
    let story = |row: Row| keys().lists(&["a"]).shows(&[row]).knows(&[record("a", &known, KeyOrigin::Added)]);
    let end = |row: Row| story(row).record("a").expect("a record").expires_at.map(|time| time.0);
    assert_eq!((end(shown(Some("expires"))), end(shown(None))), (known.expires, None));
    let sight = |row: Row| story(row).ring.sight();
    assert_ne!(sight(shown(Some("expires"))), sight(shown(None)));
}

#[test]
fn end_is_reported_where_only_unreadable_row_would_cover_need() {
    let ends = Row { expires: Some(now() + SignedDuration::from_hours(5)), ..row(7, 40) };
    let odd = Row { odd: Some("expires"), ..row(9, 60) };
    let license = |rows: &[Row]| {
        let known = record("a", &rows[0], KeyOrigin::Added);
        keys().lists(&["a"]).shows(rows).knows(&[known]).decide().license.expect("a license")
    };
    assert_eq!(license(&[ends.clone(), odd]).expires_at.map(|time| time.0), ends.expires);
    assert_eq!(license(&[ends, row(9, 60)]).expires_at, None, "a row without end covers it");
}

#[test]
fn account_without_valid_row_has_license_expired_invalidated_or_absent() {
    let state = |rows: &[Row], records: &[KeyRecord]| {
        let story = keys().lists(&["a", "b"]).shows(rows).knows(records);
        story.with(|s| s.ring.can_add_user = Some(false)).decide().license.unwrap().state
    };
    let expired = Row { expires: Some(now() - SignedDuration::from_hours(1)), ..row(7, 40) };
    let invalidated = Row { invalidated: true, ..row(8, 40) };
    let hidden = [record("a", &expired, KeyOrigin::Added)];
    assert_eq!(state(&[], &[]), LicenseState::Absent);
    assert_eq!(state(std::slice::from_ref(&invalidated), &[]), LicenseState::Invalidated);
    assert_eq!(state(&[], &hidden), LicenseState::Expired, "an account may hide expired rows");
    assert_eq!(state(std::slice::from_ref(&invalidated), &hidden), LicenseState::Expired);
    assert_eq!(state(&[expired, invalidated], &[]), LicenseState::Expired);
}

#[test]
fn license_shows_reported_seats_and_users_of_account() {
    let license = keys().shows(&[row(7, 40)]).with(|s| {
        (s.ring.hard_seats, s.ring.can_add_user, s.ring.reported_users) = (Some(39), Some(false), Some(12));
    });
    let license = license.decide().license.unwrap();
    assert_eq!((license.hard_seats, license.can_add_user, license.reported_users), (Some(39), Some(false), Some(12)));
}

#[test]
fn differing_user_counts_are_reported_with_ready() {
    let told = |reported| keys().shows(&[row(7, 40)]).with(|s| s.ring.reported_users = reported).ready().1;
    assert!(told(Some(12)).contains("the license counts 10 active users; the usage report has 12 users"));
    for same in [Some(10), None] {
        assert!(!told(same).contains("usage report"), "{same:?}");
    }
}

#[test]
fn end_is_reported_as_blocking_if_any_key_blocks_and_neither_if_unknown() {
    let end = now() + SignedDuration::from_hours(5);
    let told = |hard: &[(Timestamp, Option<bool>)]| {
        let rows: Vec<Row> =
            hard.iter().zip(1..).map(|((end, _), id)| Row { expires: Some(*end), ..row(id, 40) }).collect();
        let mut story = keys().shows(&rows);
        for ((row, (_, hard)), name) in rows.iter().zip(hard).zip(["a", "b"]) {
            story.ring.wanted.push(wanted(name));
            story.license.keys.push(KeyRecord { hard_expiration: *hard, ..record(name, row, KeyOrigin::Added) });
        }
        let week = Duration::from_secs(168 * 3600);
        let status = story.with(|s| (s.used, s.desired.expiry) = (50, vec![week])).status();
        let valid = status.conditions.iter().find(|c| c.type_ == kind::LICENSE_VALID).unwrap();
        let kinds =
            ["(hard expiration: it blocks)", "(soft expiration: it warns"].map(|kind| valid.message.contains(kind));
        (kinds[0], kinds[1])
    };
    let (hard, soft, unknown) = ((true, false), (false, true), (false, false));
    let later = end + SignedDuration::from_hours(900);
    assert_eq!(told(&[(end, Some(true))]), hard);
    assert_eq!(told(&[(end, Some(false))]), soft);
    assert_eq!(told(&[(end, None)]), unknown);
    assert_eq!(told(&[(end, Some(false)), (end, Some(true))]), hard);
    assert_eq!(told(&[(end, Some(false)), (end, Some(false))]), soft);
    assert_eq!(told(&[(end, Some(true)), (end, None)]), unknown);
    assert_eq!(told(&[(end, Some(false)), (later, Some(true))]), soft, "the other ends later");
}

#[test]
fn key_that_ends_at_this_very_moment_is_not_in_force() {
    let ends = Row { expires: Some(now()), ..row(8, 60) };
    let known = [record("a", &row(7, 40), KeyOrigin::Added), record("b", &ends, KeyOrigin::Added)];
    let story = keys().lists(&["b"]).shows(&[row(7, 40), ends, row(9, 60)]).knows(&known).prunes();
    assert_eq!(story.sends(), None);
    assert!(story.with(|s| s.ring.rows[1].expires = None).removes().is_some());
}

#[test]
fn key_step_is_covered_only_by_earlier_one_of_same_key_or_row() {
    let [add, other] = ["a", "b"].map(|name| keys().lists(&[name]).sends().unwrap());
    let removal = |id| keys().removing(&row(id, 10), IntentPhase::Open, (request("i1"), SETTLED)).intent.unwrap().step;
    let (remove, another) = (removal(7), removal(8));
    for (earlier, change, covered) in [
        (&add, &add, true),
        (&add, &other, false),
        (&add, &remove, false),
        (&remove, &remove, true),
        (&remove, &another, false),
        (&remove, &add, false),
    ] {
        assert_eq!(change_direction::covers(earlier, change), covered, "{earlier:?} {change:?}");
    }
}

#[test]
fn key_waits_for_its_window_unless_seats_would_be_short_when_it_opens() {
    let adds = |rows: &[Row], used| {
        let story = keys().lists(&["a"]).shows(rows).with(|s| {
            s.used = used;
            s.desired.adjustment = in_window("");
            s.openings = vec![opening("month-start", "2026-12-01T06:00:00Z", "2026-12-01T10:00:00Z")];
        });
        story.adds().is_some()
    };
    let until = |end: &str| Row { expires: Some(end.parse().unwrap()), ..row(7, 40) };
    assert!(!adds(&[row(7, 40)], 40), "just enough");
    assert!(adds(&[row(7, 40)], 41));
    assert!(!adds(&[until("2026-12-01T06:00:01Z")], 40), "it ends after the opening");
    assert!(adds(&[until("2026-12-01T06:00:00Z")], 10), "it ends with the opening");
    assert!(!adds(&[until("2026-12-01T06:00:00Z"), row(8, 40)], 40), "the other is enough");
}
