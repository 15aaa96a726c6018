//! What an object remembers, told as stories.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::*;
use crate::domain::WaitFor;

#[test]
fn edit_counts_as_seen_only_while_passes_of_term_are_recorded() {
    let mut state = ObjectState { term: 2, ..ObjectState::default() };
    assert!(!state.was_recorded(), "this process has recorded nothing");
    state.recorded_in = Some(2);
    assert!(state.was_recorded());
    state.records_nothing();
    assert!(!state.was_recorded(), "an edit may have come and gone");
    state.recorded_in = Some(1);
    assert!(!state.was_recorded(), "another replica led meanwhile");
}

#[test]
fn change_that_does_not_leave_is_tried_with_back_off_until_it_has_left() {
    let mut state = ObjectState { failures: 3, unkept: 2, changing: true, ..ObjectState::default() };
    state.decided();
    assert_eq!((state.failures, state.unkept), (3, 0));
    state.changing = false;
    state.decided();
    assert_eq!(state.failures, 0);
}

#[test]
fn change_that_does_not_leave_says_why_after_a_few_tries() {
    let mut state = ObjectState { changing: true, ..ObjectState::default() };
    let fault = Fault::spec("the send deadline has passed".into());
    for tries in 1..=6 {
        state.failed(&fault);
        state.not_sent(&fault.message);
        state.decided();
        let said = state.keeps_from_leaving();
        assert_eq!(said.as_deref(), (tries > 4).then_some("the send deadline has passed"), "{tries}");
    }
    state.changing = false;
    assert_eq!(state.keeps_from_leaving(), None, "nothing is about to be made");
    state.decided();
    state.changing = true;
    (0..6).for_each(|_| state.failed(&fault));
    assert_eq!(state.keeps_from_leaving(), None, "another change was not tried yet");
}

#[test]
fn server_lacks_a_path_only_after_tries_in_a_row_that_say_so() {
    let fault = |remedy| Fault { remedy, ..Fault::spec("no".into()) };
    let lacks = || fault(Remedy::Server { lasts: false });
    let mut state = ObjectState { changing: true, ..ObjectState::default() };
    for _ in 0..9 {
        // A change that does not leave, pass after pass.
        state.failed(&fault(Remedy::Time { after: None, secret_may_help: false }));
        state.decided();
    }
    state.failed(&lacks());
    assert_eq!((state.failures, state.lacks_a_path()), (10, false), "a gateway may only be starting");
    for _ in 0..4 {
        state.failed(&lacks());
    }
    assert!(state.lacks_a_path());
    state.changing = false;
    state.decided();
    assert_eq!((state.failures, state.lacks_a_path()), (0, false));
}

#[test]
fn next_pass_is_urgent_with_change_in_flight_and_new_until_first_turn() {
    let now = Instant::now();
    let class = |change: fn(&mut ObjectState, Instant)| {
        let mut state = ObjectState::default();
        change(&mut state, now);
        state.class()
    };
    assert_eq!(class(|state, now| state.read(now, Timestamp::UNIX_EPOCH)), Class::Poll);
    assert_eq!(class(|_, _| ()), Class::Poll, "it failed, and is tried again");
    assert_eq!(class(|state, now| state.rate_limit(Duration::ZERO, now)), Class::New);
    assert_eq!(class(|state, now| state.turned_away = Some(("host".into(), now))), Class::New);
    assert_eq!(
        class(|state, now| (state.read(now, Timestamp::UNIX_EPOCH), state.rate_limit(Duration::ZERO, now)).1),
        Class::Poll
    );
    assert_eq!(class(|state, now| (state.asked = true, state.rate_limit(Duration::ZERO, now)).1), Class::Urgent);
    assert_eq!(class(|state, now| (state.read(now, Timestamp::UNIX_EPOCH), state.changing = true).1), Class::Urgent);
    assert_eq!(class(|state, now| state.doubt.restart(WaitFor::Request("0123".into()), now)), Class::Urgent);
}

#[test]
fn awaited_secret_is_read_often_then_each_minute_and_often_after_edit() {
    let (start, often) = (Instant::now(), Duration::from_secs(5));
    let mut state = ObjectState::default();
    for (seconds, next) in [(0, 5), (59, 5), (60, 60), (3600, 60)] {
        let wait = state.secret_recheck(often, start + Duration::from_secs(seconds));
        assert_eq!(wait, Duration::from_secs(next), "{seconds}");
    }
    let requested = |generation| {
        let (uid, generation) = (Some("u".into()), Some(generation));
        PassRequest::of(&ObjectMeta { uid, generation, ..ObjectMeta::default() })
    };
    state.begin(&requested(1), start);
    let later = start + Duration::from_secs(7200);
    let mut edited = state.begin(&requested(2), later);
    assert_eq!(edited.secret_recheck(often, later), often);
}

#[test]
fn turn_is_late_once_a_due_reading_is_delayed_by_more_than_a_minute() {
    let (start, hour) = (Instant::now(), Duration::from_secs(3600));
    let seconds = Duration::from_secs;
    let at = |after| (start + seconds(after), Timestamp::UNIX_EPOCH + seconds(after));
    let waits = |state: &mut ObjectState, now, after, grace| {
        state.rate_limit(seconds(after), at(now).0);
        state.late_turn(seconds(after), grace, at(now)).map(|turn| turn.as_second())
    };
    let read = || {
        let mut state = ObjectState::default();
        state.read(start, Timestamp::UNIX_EPOCH);
        state
    };
    let mut state = read();
    assert_eq!(waits(&mut state, 10, 60, hour), None, "a minute");
    assert_eq!(waits(&mut state, 70, 0, hour), None, "it has come");
    assert_eq!(waits(&mut state, 71, 1, hour), Some(72), "put off again");
    assert_eq!(waits(&mut state, 72, 20, hour), Some(72), "it is not reported again");
    assert_eq!(state.waited(at(92).0), Some(seconds(82)));
    assert_eq!(waits(&mut state, 200, 60, hour), None, "the next wait begins anew");
    assert_eq!(waits(&mut read(), 10, 61, hour), Some(71));
    let mut restarted = ObjectState { last_read: Some(start), ..ObjectState::default() };
    assert_eq!(waits(&mut restarted.clone(), 0, 61, Duration::ZERO), Some(61), "never read by any process");
    assert_eq!(waits(&mut restarted, 0, 3660, hour), None, "another process may have read it at the start");
    assert_eq!(waits(&mut restarted, 1, 3660, hour), Some(3661));
    let mut asked = ObjectState { asked: true, last_read: Some(start), ..ObjectState::default() };
    assert_eq!(waits(&mut asked, 5, 61, hour), Some(66), "a person waits for it");
    assert_eq!(read().late_turn(hour, hour, at(0)), None, "it does not wait for the rate limit");
}

#[test]
fn waits_for_turns_stretch_interval_and_outage_between_does_not() {
    let (start, interval) = (Instant::now(), Duration::from_secs(10));
    let at = |seconds| start + Duration::from_secs(seconds);
    let mut state = ObjectState::default();
    state.read(start, Timestamp::UNIX_EPOCH);
    state.rate_limit(Duration::from_secs(20), at(10));
    assert_eq!(state.stale_in(interval, at(10)), Duration::from_secs(80), "three times 30 s, of which 10 are over");
    for turn in (30..300).step_by(30) {
        state.not_read(at(turn));
        state.rate_limit(Duration::from_secs(20), at(turn + 10));
    }
    assert_eq!(state.stale_in(interval, at(89)), Duration::from_secs(1));
    assert_eq!(state.stale_in(interval, at(300)), Duration::ZERO);
}
