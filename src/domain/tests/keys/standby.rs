//! License keys of an object that several clusters have.

use super::*;

/// One key is listed and not there yet, and this clock runs.
fn listed(standing: Standing, elapsed: Option<(WaitFor, Duration)>) -> Keys {
    let elapsed = elapsed.map(|(wait, since)| Elapsed { wait, since, settled: None });
    keys().lists(&["a"]).with(|keys| (keys.desired.standing, keys.elapsed) = (standing, elapsed))
}

fn here() -> Standing {
    Standing::Here("prod-us".into())
}

#[test]
fn key_of_newly_active_object_is_added_after_wait_and_two_equal_lists() {
    let first = listed(here(), None).decide();
    assert!(matches!(&first.verdict, Verdict::Held(holds) if matches!(holds[0].kind, HoldKind::Activating(..))));
    let wait = first.doubt.unwrap().wait;
    let early = listed(here(), Some((wait.clone(), TIMING.unanswered - Duration::from_secs(1))));
    assert_eq!((early.adds(), early.decide().doubt.unwrap().wait), (None, wait.clone()));
    let once = listed(here(), Some((wait, TIMING.unanswered)));
    assert_eq!(once.adds(), None, "the first of two lists");
    assert!(once.decide().activity.unwrap().until.is_some(), "its time is told all the while");
    let second = once.decide().doubt.unwrap().wait;
    let agreed = || listed(here(), Some((second.clone(), TIMING.pause)));
    assert!(agreed().adds().is_some());
    assert_eq!(agreed().decide().activity.map(|activity| activity.state), Some(ActivityState::Active));
    assert_eq!(agreed().shows(&[row(7, 10)]).adds(), None, "another list is the first of two again");
}

#[test]
fn key_of_standby_object_is_neither_added_nor_reported_missing() {
    for standing in [Standing::Elsewhere("prod-us".into()), Standing::Elsewhere("none".into())] {
        let standby = listed(standing, None);
        assert_eq!((standby.adds(), standby.ready().0), (None, "Standby".to_owned()));
    }
}
