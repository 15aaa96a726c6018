//! A life in which all is well, and the same with one thing wrong.

use jiff::{SignedDuration, Timestamp};
use vendor_sim::{Billed, Shown, Step};

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second)
}

/// So many seats are asked for; the request took a second.
fn asked(seats: i32, second: i64, open: Option<&str>) -> Asked {
    Asked { seats, begun: at(second), stored: at(second + 1), open: open.map(Into::into) }
}

/// A change for a spec that asks for so many seats, on record and open from one second to another.
fn recorded((from, to): (i32, i32), asked: i32, (since, until): (i64, i64)) -> Recorded {
    let (name, id) = ("life".into(), format!("{from} to {to}"));
    let (since, until) = (at(since), Some(at(until)));
    Recorded { name, uid: None, id, from, to, asked: Some(asked), still: false, since, until }
}

/// A commit that brings row and bill from a pair to another.
fn commit(who: Actor, second: i64, before: (i32, i32), after: (i32, i32)) -> LedgerEntry {
    let shown = |seats| Shown { seats: Some(seats), ..Shown::default() };
    let billed = |seats| Billed { seats: Some(seats), ..Billed::default() };
    LedgerEntry {
        sequence: 1,
        at: at(second),
        who,
        step: Step::Both,
        request: None,
        before: shown(before.0),
        after: shown(after.0),
        billed_before: billed(before.1),
        billed_after: billed(after.1),
    }
}

fn bought(second: i64, from: i32, to: i32) -> LedgerEntry {
    commit(Actor::OrganizationPut, second, (from, from), (to, to))
}

/// 150 are asked for and bought; then 120 are asked for, and in the end 130.
fn life() -> Changes {
    Changes {
        asked: vec![asked(150, 10, None), asked(120, 20, None), asked(130, 30, None)],
        recorded: vec![
            recorded((100, 150), 150, (13, 18)),
            recorded((150, 120), 120, (23, 28)),
            recorded((120, 130), 130, (33, 38)),
        ],
        ledger: vec![bought(15, 100, 150), bought(25, 150, 120), bought(35, 120, 130)],
        writes: 3,
        at_first: 100,
    }
}

/// The judge must find this wrong, in these words.
fn broken(life: &Changes, why: &str) {
    let said = changes(life).expect_err(why);
    assert!(said.starts_with(why), "{said}");
}

#[test]
fn life_in_which_each_change_is_that_of_its_wish_is_in_order() {
    assert_eq!(changes(&life()), Ok(()));
    let nothing = Changes { recorded: Vec::new(), ledger: Vec::new(), writes: 0, ..life() };
    assert_eq!(changes(&nothing), Ok(()));
}

#[test]
fn request_without_a_record_is_found() {
    broken(&Changes { recorded: Vec::new(), ..life() }, "3 requests, of which 0 are recorded");
    broken(&Changes { writes: 4, ..life() }, "4 requests, of which 3 are recorded");
}

#[test]
fn judge_finds_record_one_seat_off_from_its_version_of_spec() {
    let with = |change| {
        let mut life = life();
        life.recorded[2] = change;
        life
    };
    broken(&with(recorded((120, 131), 130, (33, 38))), "recorded above the wish of that moment");
    broken(&with(recorded((130, 119), 120, (33, 38))), "recorded below the wish of that moment");
}

#[test]
fn record_of_older_spec_is_found() {
    let mut life = life();
    life.recorded[2] = recorded((120, 150), 130, (33, 38));
    broken(&life, "recorded above the wish of that moment");
}

#[test]
fn record_in_a_version_of_the_spec_that_lets_nothing_be_sent_is_found() {
    let mut life = life();
    life.recorded[2].still = true;
    broken(&life, "recorded while the spec lets nothing be sent");
}

#[test]
fn judge_finds_seat_no_person_asked_for_shown_or_billed_by_any_actor() {
    for who in [Actor::OrganizationPut, Actor::OwnerWrite, Actor::LateFinisher, Actor::Webhook] {
        for after in [(151, 150), (150, 151)] {
            let mut life = life();
            life.ledger[0] = commit(who, 15, (100, 100), after);
            broken(&life, "above what was ever asked");
        }
    }
}

#[test]
fn seats_count_as_asked_for_once_person_begins_to_write_them() {
    let mut life = life();
    (life.ledger[0].at, life.recorded[0].since) = (at(9), at(9));
    broken(&life, "above what was ever asked");
    life.ledger[0].at = at(10);
    assert_eq!(changes(&life), Ok(()));
}

#[test]
fn judge_finds_seats_that_no_recorded_change_open_at_that_moment_brings() {
    for who in [Actor::OrganizationPut, Actor::OwnerWrite, Actor::LateFinisher] {
        for (after, second) in
            [((131, 120), 35), ((120, 131), 35), ((119, 120), 35), ((130, 130), 32), ((130, 130), 39)]
        {
            let mut life = life();
            life.ledger[2] = commit(who, second, (120, 120), after);
            broken(&life, "beyond the changes on record");
        }
        for (after, second) in [((130, 120), 33), ((120, 130), 38), ((125, 125), 35)] {
            let mut life = life();
            life.ledger[2] = commit(who, second, (120, 120), after);
            assert_eq!(changes(&life), Ok(()));
        }
    }
}

#[test]
fn change_that_is_never_seen_to_be_closed_may_be_carried_out_however_late() {
    let mut life = life();
    life.ledger[2].at = at(100);
    broken(&life, "beyond the changes on record");
    life.recorded[2].until = None;
    assert_eq!(changes(&life), Ok(()));
}

#[test]
fn bill_may_follow_shown_seats() {
    let mut life = life();
    life.ledger[2] = commit(Actor::OrganizationPut, 35, (140, 120), (130, 140));
    assert_eq!(changes(&life), Ok(()));
    life.ledger[2] = commit(Actor::OrganizationPut, 35, (140, 120), (130, 141));
    broken(&life, "beyond the changes on record");
}

/// The same life, in the end of which a record is there for 150 seats once more, as if its version of the spec asked for them.
fn life_with_seats_of_an_older_wish(who: Actor, second: i64) -> Changes {
    let mut life = life();
    life.recorded[2] = recorded((120, 150), 150, (second - 1, second + 20));
    life.ledger[2] = commit(who, second, (120, 120), (150, 150));
    life
}

#[test]
fn purchase_by_others_breaks_no_bound_and_allows_no_request() {
    for who in [Actor::ThirdParty, Actor::Autoscale, Actor::BillingJob] {
        let mut life = life_with_seats_of_an_older_wish(who, 40);
        assert_eq!(changes(&life), Ok(()));
        life.ledger.push(commit(Actor::OrganizationPut, 41, (120, 120), (150, 150)));
        broken(&life, "above Some(130), the wish in force");
    }
}

#[test]
fn seats_of_an_older_wish_are_found_once_the_next_one_is_stored() {
    for who in [Actor::OrganizationPut, Actor::OwnerWrite, Actor::LateFinisher] {
        let stored = life_with_seats_of_an_older_wish(who, 21);
        assert_eq!(changes(&stored), Ok(()), "in the moment in which the next one is stored");
        broken(&life_with_seats_of_an_older_wish(who, 22), "above Some(120), the wish in force");
    }
}

#[test]
fn seats_of_an_older_wish_may_come_as_long_as_its_change_is_open() {
    let mut life = life_with_seats_of_an_older_wish(Actor::OrganizationPut, 31);
    life.asked[1].open = Some("100 to 150".into());
    assert_eq!(changes(&life), Ok(()), "open until the next wish finds it closed");
    life.ledger[2].at = at(32);
    broken(&life, "above Some(130), the wish in force");
    life.asked[2].open = Some("100 to 150".into());
    assert_eq!(changes(&life), Ok(()), "still open");
    life.asked[2].open = Some("150 to 120".into());
    broken(&life, "above Some(130), the wish in force");
}

#[test]
fn bill_above_wish_in_force_is_found() {
    let mut life = life_with_seats_of_an_older_wish(Actor::OrganizationPut, 35);
    life.ledger[2] = commit(Actor::OrganizationPut, 35, (120, 120), (120, 140));
    broken(&life, "billed above Some(130), the wish in force");
}

#[test]
fn request_for_which_there_was_no_cause_since_the_last_rest_is_found() {
    let before = Account { writes: 3, causes: 7, fired: 1 };
    let now = |writes, causes, fired| requests(before, Account { writes, causes, fired });
    assert_eq!(now(3, 7, 1), Ok(()));
    assert_eq!(now(4, 8, 1), Ok(()));
    assert_eq!(now(5, 8, 2), Ok(()), "the one that met a fault is repeated");
    assert_eq!(now(4, 7, 1), Err("1 requests for 0 causes and 0 faults".into()), "earlier causes are used up");
    assert_eq!(now(5, 8, 1), Err("2 requests for 1 causes and 0 faults".into()));
}

#[test]
fn request_or_bill_at_rest_is_found() {
    let before = (3, Some(130));
    assert_eq!(silence(before, before), Ok(()));
    for after in [(4, Some(130)), (3, Some(131)), (3, Some(129)), (3, None)] {
        assert!(silence(before, after).is_err(), "{after:?}");
    }
}

fn at_the_end(ready: &str) -> End {
    End {
        wish: Wish { seats: 130, limit: Some(None), observe: false, suspend: false },
        ready: ready.into(),
        said: (Some(130), Some(130)),
        shown: (Some(130), Some(130)),
        billed: Some(130),
        used: Some(80),
        refused: None,
        by_owner: false,
        faults: 0,
        others: 0,
    }
}

/// An end that shows so many seats, and says so.
fn showing(ready: &str, seats: i32, limit: i32) -> End {
    let numbers = (Some(seats), Some(limit));
    End { said: numbers, shown: numbers, billed: Some(seats), ..at_the_end(ready) }
}

#[test]
fn end_that_differs_from_last_spec_is_found() {
    assert_eq!(end(&at_the_end("True/InSync")), Ok(()));
    for (seats, limit) in [(131, 131), (129, 129), (130, 131), (130, 129)] {
        assert!(end(&showing("True/InSync", seats, limit)).is_err(), "{seats} with limit {limit}");
    }
    for unfair in
        ["True/Observed", "True/Suspended", "False/GuardrailViolated", "False/FirstSight", "False/VendorRejected"]
    {
        assert!(end(&at_the_end(unfair)).is_err(), "{unfair}");
    }
    for unfair in ["False/NeedsReview", "False/Conflict", "Unknown/ChangePending", ""] {
        assert!(end(&at_the_end(unfair)).is_err(), "{unfair}");
    }
}

#[test]
fn status_that_differs_from_vendor_numbers_is_found() {
    for said in [(Some(131), Some(130)), (Some(130), None), (None, Some(130))] {
        assert!(end(&End { said, ..at_the_end("True/InSync") }).is_err(), "{said:?}");
    }
}

#[test]
fn request_for_fewer_seats_than_are_in_use_is_found() {
    let refused = |rule| end(&End { refused: Some(rule), ..at_the_end("True/InSync") });
    assert_eq!(refused("A9"), Err("below the seats in use was asked for".into()));
    assert_eq!(refused("A1"), Ok(()));
}

#[test]
fn end_short_of_wish_needs_its_own_reason() {
    let needs = |without: &End, with: &End| {
        assert!(end(without).is_err(), "{without:?}");
        assert_eq!(end(with), Ok(()));
    };
    let held = showing("False/GuardrailViolated", 150, 150);
    needs(&held, &End { used: Some(131), ..held.clone() });
    let doubted = showing("False/NumbersInDoubt", 150, 150);
    needs(&doubted, &End { by_owner: true, billed: Some(140), ..doubted.clone() });
    let first = showing("False/FirstSight", 120, 120);
    needs(&first, &showing("False/FirstSight", 150, 150));
    let asks = showing("False/NeedsReview", 120, 120);
    needs(&asks, &End { faults: 1, ..asks.clone() });
    needs(&End { others: 1, ..asks.clone() }, &End { others: 1, by_owner: true, ..asks });
    let undone = End { others: 2, ..showing("False/Conflict", 120, 120) };
    needs(&undone, &End { others: 3, ..undone.clone() });
    let refused = showing("False/VendorRejected", 120, 120);
    needs(&refused, &End { faults: 1, ..refused.clone() });
    let suspended = showing("True/Suspended", 120, 120);
    needs(&suspended, &End { wish: Wish { suspend: true, ..suspended.wish.clone() }, ..suspended.clone() });
}
