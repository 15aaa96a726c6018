//! Which of several flaws a case is called by (tests/faults/flaw.rs), what is played once more (tests/faults/replays.rs), and what
//! excuses an end (tests/faults/doubt.rs). Part of `shape`, for the program of the faults has no unit tests.

#[allow(dead_code)]
#[path = "faults/doubt.rs"]
mod doubt;
#[allow(dead_code)]
#[path = "faults/flaw.rs"]
mod flaw;
#[allow(dead_code)]
#[path = "faults/replays.rs"]
mod replays;

use doubt::{Doubt, End, are_in_order, hidden_by_another, is_hidden_and_told, is_taken_for_growth};
use flaw::{Flaw, Processes, worst_first};
use jiff::Timestamp;
use replays::{MOST_REPLAYS, MOST_TRIES, Replays};
use vendor_sim::{Actor, Billed, LedgerEntry, Shown, Step};

const WELL: Processes = Processes { panicked: false, ended_alone: 0 };

fn restless() -> Flaw {
    Flaw::Restless("late".into())
}

fn missed() -> Flaw {
    Flaw::Missed("the request never came".into())
}

/// Without harm; whether it came to rest, and whether its fault hit.
fn flaw_of(processes: Processes, rested: bool, hit: bool) -> Option<Flaw> {
    let ended = if rested { Ok(()) } else { Err("late".to_owned()) };
    worst_first(Ok(()), processes, ended, hit).err()
}

#[test]
fn operator_that_panicked_or_ended_is_seen_though_its_fault_never_hit() {
    let panicked = Processes::of("thread 'main' panicked at src/main.rs", 0);
    let ended = Processes::of("", 1);
    for (processes, why) in [(panicked, "an operator panicked"), (ended, "an operator ended by itself")] {
        for (rested, hit) in [(true, true), (true, false), (false, true), (false, false)] {
            assert_eq!(flaw_of(processes, rested, hit), Some(Flaw::Wrong(why.into())), "{rested} {hit}");
        }
        assert_eq!(
            flaw_of(WELL.and(processes), true, false),
            Some(Flaw::Wrong(why.into())),
            "of the other installation"
        );
        assert_eq!(
            flaw_of(processes.and(WELL), true, false),
            Some(Flaw::Wrong(why.into())),
            "of the first installation"
        );
    }
}

#[test]
fn case_that_never_rested_is_restless_though_its_fault_never_hit() {
    assert_eq!(flaw_of(WELL, false, false), Some(restless()));
    assert_eq!(flaw_of(WELL, false, true), Some(restless()));
}

#[test]
fn case_is_missed_only_where_it_rested_and_its_operators_lived() {
    assert_eq!(flaw_of(WELL, true, false), Some(missed()));
    assert_eq!(flaw_of(WELL, true, true), None);
}

#[test]
fn harm_is_seen_before_everything_else() {
    for processes in [WELL, Processes { panicked: true, ended_alone: 1 }] {
        for (ended, hit) in [(Ok(()), true), (Ok(()), false), (Err("late".to_owned()), false)] {
            let harm: Result<(), Flaw> = Err(Flaw::BoughtTwice("200 seats".into()));
            let seen = worst_first(harm, processes, ended, hit);
            assert_eq!(seen, Err(Flaw::BoughtTwice("200 seats".into())));
        }
    }
}

/// None of these is the machine's fault.
fn never_late() -> [Flaw; 4] {
    let why = String::new;
    [Flaw::BoughtTwice(why()), Flaw::SentTooOften(why()), Flaw::Stage(why()), Flaw::Wrong(why())]
}

fn said(cases: usize, passes: usize, tries: usize) -> String {
    format!(
        "{cases} played once more (of at most {MOST_REPLAYS}), {passes} passes of the model played once more (of at most \
         {MOST_REPLAYS}), {tries} tried again (of at most {MOST_TRIES})"
    )
}

#[test]
fn only_case_without_rest_or_fault_is_played_once_more() {
    let replays = Replays::default();
    for flaw in never_late() {
        assert!(!replays.allow(&flaw) && !replays.allow_pass(&flaw), "{flaw:?}");
    }
    let both = [restless(), missed()];
    let late = || both.iter().cycle().take(MOST_REPLAYS + 5);
    assert_eq!(late().filter(|flaw| replays.allow(flaw)).count(), MOST_REPLAYS);
    assert_eq!(replays.to_string(), said(MOST_REPLAYS, 0, 0));
    assert_eq!(late().filter(|flaw| replays.allow_pass(flaw)).count(), MOST_REPLAYS);
    assert_eq!(replays.to_string(), said(MOST_REPLAYS, MOST_REPLAYS, 0));
}

#[test]
fn weakened_operator_is_tried_again_where_it_did_no_harm_and_not_for_ever() {
    let replays = Replays::default();
    for flaw in never_late() {
        assert!(!replays.allow_try(Some(&flaw)), "{flaw:?}");
    }
    let chances = [None, Some(missed()), Some(restless())];
    let allowed = chances.iter().cycle().take(MOST_TRIES + 5).filter(|flaw| replays.allow_try(flaw.as_ref())).count();
    assert_eq!(allowed, MOST_TRIES);
    assert_eq!(replays.to_string(), said(0, 0, MOST_TRIES));
}

/// The last entry of a ledger: so many seats are shown then, and so many billed.
fn last(who: Actor, request: Option<u64>, shown: i32, billed: i32) -> Vec<LedgerEntry> {
    let (after, billed_after) =
        (Shown { seats: Some(shown), ..Shown::default() }, Billed { seats: Some(billed), ..Billed::default() });
    let (before, billed_before, at) = (Shown::default(), Billed::default(), Timestamp::UNIX_EPOCH);
    vec![LedgerEntry { sequence: 1, at, who, step: Step::Row, request, before, after, billed_before, billed_after }]
}

#[test]
fn webhook_of_another_change_excuses_a_review_and_nothing_else() {
    assert!(hidden_by_another(&last(Actor::Webhook, None, 120, 150)));
    assert!(!hidden_by_another(&last(Actor::Webhook, Some(1), 120, 150)), "of a purchase");
    assert!(!hidden_by_another(&last(Actor::Webhook, None, 150, 150)), "nothing is hidden");
    assert!(!hidden_by_another(&last(Actor::ThirdParty, None, 120, 150)), "no webhook");
    assert!(!hidden_by_another(&[]));
    let known = Doubt { open: false, taken_back: false, hidden: false, unseen: Some(false) };
    let hidden = Doubt { hidden: true, ..known };
    assert!(hidden.is_in_order(false, End::NeedsReview) && hidden.is_in_order(false, End::InSync));
    assert!(!known.is_in_order(false, End::NeedsReview) && known.is_in_order(false, End::InSync));
}

#[test]
fn person_is_asked_exactly_when_outcome_is_ambiguous() {
    let known = Doubt { open: false, taken_back: false, hidden: false, unseen: Some(false) };
    for doubt in
        [Doubt { open: true, ..known }, Doubt { taken_back: true, ..known }, Doubt { unseen: Some(true), ..known }]
    {
        assert!(doubt.is_in_order(false, End::NeedsReview), "{doubt:?}");
        assert!(!doubt.is_in_order(false, End::InSync), "{doubt:?}");
        assert!(doubt.is_in_order(true, End::InSync), "{doubt:?} is answered");
    }
    let beside = Doubt { unseen: None, ..known };
    assert!(beside.is_in_order(false, End::NeedsReview) && beside.is_in_order(false, End::InSync));
}

#[test]
fn bill_that_is_not_shown_is_excused_if_both_installations_tell_it() {
    let ledger = last(Actor::Webhook, Some(1), 150, 200);
    assert!(is_hidden_and_told(&ledger, &[Some(200), Some(200)]));
    for told in [[Some(200), None], [None, None], [Some(150), Some(200)]] {
        assert!(!is_hidden_and_told(&ledger, &told), "{told:?}");
    }
    assert!(!is_hidden_and_told(&last(Actor::OwnerWrite, Some(1), 150, 200), &[Some(200), Some(200)]));
}

#[test]
fn growth_excuses_an_installation_only_where_the_vendor_may_grow() {
    let (review, in_sync) = (End::NeedsReview, End::InSync);
    assert!(is_taken_for_growth(review, true, &[review, in_sync]));
    assert!(!is_taken_for_growth(review, true, &[review, review]));
    assert!(!is_taken_for_growth(review, false, &[review, in_sync]));
    assert!(!is_taken_for_growth(in_sync, true, &[in_sync, in_sync]));
    assert!(are_in_order(review, true, &[review, in_sync]) && are_in_order(review, false, &[review, review]));
    assert!(!are_in_order(review, false, &[review, in_sync]));
    assert!(!are_in_order(review, true, &[review, End::Rejected]));
    assert!(!are_in_order(in_sync, true, &[in_sync, review]));
}
