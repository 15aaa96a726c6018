//! Which of several flaws a case is called by (tests/faults/flaw.rs), and what is played once more (tests/faults/replays.rs). Part
//! of `shape`, for the program of the faults has no unit tests.

#[allow(dead_code)]
#[path = "faults/flaw.rs"]
mod flaw;
#[allow(dead_code)]
#[path = "faults/replays.rs"]
mod replays;

use flaw::{Flaw, Processes, worst_first};
use replays::{MOST_REPLAYS, MOST_TRIES, Replays};

const WELL: Processes = Processes { panicked: false, ended_alone: 0 };

fn restless() -> Flaw {
    Flaw::Restless("late".into())
}

fn missed() -> Flaw {
    Flaw::Missed("the request never came".into())
}

/// Without harm; whether it came to rest, and whether its fault struck.
fn flaw_of(processes: Processes, rested: bool, struck: bool) -> Option<Flaw> {
    let ended = if rested { Ok(()) } else { Err("late".to_owned()) };
    worst_first(Ok(()), processes, ended, struck).err()
}

#[test]
fn operator_that_panicked_or_ended_is_seen_though_its_fault_never_struck() {
    let panicked = Processes::of("thread 'main' panicked at src/main.rs", 0);
    let ended = Processes::of("", 1);
    for (processes, why) in [(panicked, "an operator panicked"), (ended, "an operator ended by itself")] {
        for (rested, struck) in [(true, true), (true, false), (false, true), (false, false)] {
            assert_eq!(flaw_of(processes, rested, struck), Some(Flaw::Wrong(why.into())), "{rested} {struck}");
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
fn case_that_never_rested_is_restless_though_its_fault_never_struck() {
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
        for (ended, struck) in [(Ok(()), true), (Ok(()), false), (Err("late".to_owned()), false)] {
            let harm: Result<(), Flaw> = Err(Flaw::BoughtTwice("200 seats".into()));
            let seen = worst_first(harm, processes, ended, struck);
            assert_eq!(seen, Err(Flaw::BoughtTwice("200 seats".into())));
        }
    }
}

/// None of these is the machine's fault.
fn never_late() -> [Flaw; 4] {
    let why = String::new;
    [Flaw::BoughtTwice(why()), Flaw::SentTooOften(why()), Flaw::Stage(why()), Flaw::Wrong(why())]
}

#[test]
fn only_case_without_rest_or_fault_is_played_once_more() {
    let replays = Replays::default();
    for flaw in never_late() {
        assert!(!replays.allow(&flaw), "{flaw:?}");
    }
    let late = [restless(), missed()];
    let allowed = late.iter().cycle().take(MOST_REPLAYS + 5).filter(|flaw| replays.allow(flaw)).count();
    assert_eq!(allowed, MOST_REPLAYS);
    let said =
        format!("{MOST_REPLAYS} played once more (of at most {MOST_REPLAYS}), 0 tried again (of at most {MOST_TRIES})");
    assert_eq!(replays.to_string(), said);
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
    let said =
        format!("0 played once more (of at most {MOST_REPLAYS}), {MOST_TRIES} tried again (of at most {MOST_TRIES})");
    assert_eq!(replays.to_string(), said);
}
