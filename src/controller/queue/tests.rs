//! The order in which objects are taken.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

fn key(name: &str) -> Key {
    ("it".into(), name.into())
}

const SECOND: Duration = Duration::from_secs(1);

/// Takes all that is ready now and ends each pass at once.
fn drained(state: &mut State, now: Instant) -> Vec<String> {
    let keys: Vec<Key> = std::iter::from_fn(|| state.take(now)).collect();
    for key in &keys {
        state.done(key, Next::Idle, now);
    }
    keys.into_iter().map(|(_, name)| name).collect()
}

#[test]
fn objects_of_one_class_go_in_order_of_arrival_and_urgent_classes_first() {
    let (mut state, now) = (State::default(), Instant::now());
    for (name, class) in
        [("p", Class::Poll), ("n", Class::New), ("b", Class::Urgent), ("m", Class::New), ("a", Class::Urgent)]
    {
        state.push(&key(name), class, now);
    }
    assert_eq!(drained(&mut state, now), ["b", "a", "n", "m", "p"]);
}

#[test]
fn thousand_objects_are_taken_in_order_of_arrival() {
    let (mut state, now) = (State::default(), Instant::now());
    let names: Vec<String> = (0..1000).map(|n| format!("o{}", (n * 7919) % 1000)).collect();
    for name in &names {
        state.push(&key(name), Class::New, now);
    }
    assert_eq!(drained(&mut state, now), names);
}

#[test]
fn object_queued_twice_keeps_its_place_and_is_taken_once() {
    let (mut state, now) = (State::default(), Instant::now());
    for name in ["a", "b", "a", "c", "b"] {
        state.push(&key(name), Class::Poll, now);
    }
    assert_eq!(drained(&mut state, now), ["a", "b", "c"]);
}

#[test]
fn object_that_becomes_urgent_precedes_later_urgent_ones() {
    let (mut state, now) = (State::default(), Instant::now());
    state.push(&key("edited"), Class::Poll, now);
    state.push(&key("other"), Class::Urgent, now);
    state.push(&key("edited"), Class::Urgent, now);
    state.push(&key("edited"), Class::Poll, now);
    assert_eq!(drained(&mut state, now), ["edited", "other"]);
}

#[test]
fn object_that_has_waited_gets_each_fourth_turn_and_no_more() {
    let (mut state, start) = (State::default(), Instant::now());
    for name in ["p1", "p2"] {
        state.push(&key(name), Class::Poll, start);
    }
    for n in 0..8 {
        state.push(&key(&format!("u{n}")), Class::Urgent, start + SECOND);
    }
    state.push(&key("n"), Class::New, start + SECOND);
    let order = drained(&mut state, start + SECOND);
    assert_eq!(order, ["u0", "u1", "u2", "p1", "u3", "u4", "u5", "p2", "u6", "u7", "n"]);
}

#[test]
fn object_asked_for_during_its_pass_is_taken_once_more_after_it() {
    let (mut state, now) = (State::default(), Instant::now());
    state.push(&key("a"), Class::Poll, now);
    assert_eq!(state.take(now), Some(key("a")));
    state.push(&key("a"), Class::Poll, now);
    state.push(&key("a"), Class::Urgent, now);
    assert_eq!(state.take(now), None, "never two passes");
    state.done(&key("a"), Next::After(600 * SECOND, Class::Poll), now);
    assert_eq!(state.items[&key("a")].class, Class::Urgent);
    assert_eq!(drained(&mut state, now), ["a"]);
    assert_eq!(state.take(now), None);
}

#[test]
fn object_due_later_is_taken_then_or_at_once_when_asked_for() {
    let (mut state, now) = (State::default(), Instant::now());
    for (name, wait) in [("b", 2), ("a", 1), ("c", 3)] {
        state.push(&key(name), Class::New, now);
        state.take(now);
        state.done(&key(name), Next::After(wait * SECOND, Class::Poll), now);
    }
    assert_eq!(state.next_timer(), Some(now + SECOND));
    assert_eq!(state.take(now), None);
    state.push(&key("c"), Class::Urgent, now);
    assert_eq!(drained(&mut state, now), ["c"]);
    assert_eq!(drained(&mut state, now + 2 * SECOND), ["a", "b"], "as they became due");
    assert_eq!(drained(&mut state, now + 9 * SECOND), [""; 0]);
    assert_eq!(state.next_timer(), None);
}

#[test]
fn object_waiting_for_permit_keeps_its_place_and_returns_in_time_without() {
    let (mut state, now) = (State::default(), Instant::now());
    for name in ["a", "b", "other"] {
        state.push(&key(name), Class::Poll, now);
    }
    for name in ["a", "b"] {
        assert_eq!(state.take(now), Some(key(name)));
        state.done(&key(name), Next::Permit("host".into(), 30 * SECOND, Class::Poll), now);
    }
    assert!(!state.release(|_| false));
    assert!(state.release(|host| host == "host"));
    assert_eq!(drained(&mut state, now), ["a", "other"], "a was there before");
    assert_eq!(drained(&mut state, now + 30 * SECOND), ["b"]);
    assert!(!state.release(|_| true));
    assert!(state.parked.is_empty() && state.timers.is_empty());
}

#[test]
fn edit_of_an_object_that_waits_for_a_permit_takes_it_at_once() {
    let (mut state, now) = (State::default(), Instant::now());
    state.push(&key("a"), Class::Poll, now);
    state.take(now);
    state.done(&key("a"), Next::Permit("host".into(), 30 * SECOND, Class::Poll), now);
    state.push(&key("a"), Class::Urgent, now);
    assert_eq!(drained(&mut state, now), ["a"]);
    assert!(state.parked.is_empty() && state.timers.is_empty());
}

#[test]
fn removed_object_is_not_taken_until_it_is_asked_for_again() {
    let (mut state, now) = (State::default(), Instant::now());
    state.push(&key("a"), Class::Poll, now);
    assert!(!state.remove(&key("a")));
    assert_eq!(state.take(now), None);
    state.push(&key("a"), Class::Poll, now);
    state.take(now);
    assert!(state.remove(&key("a")), "it is in a pass");
    state.done(&key("a"), Next::After(SECOND, Class::Poll), now);
    assert_eq!(drained(&mut state, now + SECOND), [""; 0]);
    state.push(&key("a"), Class::Poll, now);
    state.take(now);
    state.remove(&key("a"));
    state.push(&key("a"), Class::New, now);
    state.done(&key("a"), Next::Idle, now);
    assert_eq!(drained(&mut state, now), ["a"], "created again during the pass");
    assert!(state.items.is_empty());
}

#[tokio::test]
async fn waiting_consumer_gets_object_when_pushed_and_when_due() {
    let queue = Queue::default();
    let (taken, ()) = tokio::join!(queue.next(), async { queue.push(&key("a"), Class::New) });
    assert_eq!(taken, key("a"));
    queue.done(&taken, Next::After(Duration::from_millis(20), Class::Poll));
    assert_eq!(queue.next().await, key("a"));
}

/// What happens to a queue.
#[derive(Clone, Debug)]
enum Op {
    Push(u8, Class),
    Take,
    Done(u8, u8),
    Remove(u8),
    Release,
    Pass(u64),
}

fn op() -> impl Strategy<Value = Op> {
    let class = prop_oneof![Just(Class::Urgent), Just(Class::New), Just(Class::Poll)];
    prop_oneof![
        4 => (0u8..6, class).prop_map(|(name, class)| Op::Push(name, class)),
        4 => Just(Op::Take),
        4 => (any::<u8>(), 0u8..4).prop_map(|(which, how)| Op::Done(which, how)),
        1 => (0u8..6).prop_map(Op::Remove),
        2 => Just(Op::Release),
        2 => (0u64..1500).prop_map(Op::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn object_is_never_in_two_passes_and_each_requested_one_is_taken(
        ops in proptest::collection::vec(op(), 1..120),
    ) {
        let (mut state, mut now) = (State::default(), Instant::now());
        let (mut running, mut wanted): (Vec<Key>, HashSet<Key>) = (Vec::new(), HashSet::new());
        for op in ops {
            match op {
                Op::Push(name, class) => {
                    let key = key(&name.to_string());
                    state.push(&key, class, now);
                    wanted.insert(key);
                }
                Op::Take => if let Some(key) = state.take(now) {
                    prop_assert!(!running.contains(&key), "{:?} is in two passes", key);
                    wanted.remove(&key);
                    running.push(key);
                },
                Op::Done(which, how) if !running.is_empty() => {
                    let key = running.swap_remove(usize::from(which) % running.len());
                    let wait = Duration::from_millis(500);
                    let next = match how {
                        0 => Next::Idle,
                        1 => Next::After(Duration::ZERO, Class::Urgent),
                        2 => Next::After(wait, Class::Poll),
                        _ => Next::Permit("host".into(), wait, Class::New),
                    };
                    state.done(&key, next, now);
                }
                Op::Done(..) => {}
                Op::Remove(name) => {
                    let key = key(&name.to_string());
                    prop_assert_eq!(state.remove(&key), running.contains(&key));
                    wanted.remove(&key);
                }
                Op::Release => drop(state.release(|_| true)),
                Op::Pass(millis) => now += Duration::from_millis(millis),
            }
        }
        for key in running.drain(..) {
            state.done(&key, Next::Idle, now);
        }
        while let Some(key) = state.take(now) {
            wanted.remove(&key);
            state.done(&key, Next::Idle, now);
        }
        prop_assert!(wanted.is_empty(), "never taken: {:?}", wanted);
        now += Duration::from_secs(1);
        while let Some(key) = state.take(now) {
            state.done(&key, Next::Idle, now);
        }
        prop_assert!(state.items.is_empty() && state.timers.is_empty() && state.parked.is_empty());
        prop_assert!(state.ready.iter().all(BTreeMap::is_empty));
    }
}
