//! Whose turn is next, in simulated time.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::tests::{MINUTE, TOKENS, bucket, of_cloud, refused};
use super::super::{RateLimiter, Urgency, Wait};
use super::*;

/// An object that asks until it gets its turn.
#[derive(Clone, Debug)]
struct Asks {
    object: Key,
    owner: u64,
    urgency: Urgency,
    failed: bool,
}

impl Asks {
    fn ask(&self) -> Ask<'_> {
        Ask { object: &self.object, owner: self.owner, urgency: self.urgency, failed: self.failed }
    }
}

/// A new one, whose owner is named like the object.
fn new(namespace: &str, number: u64) -> Asks {
    let object = (namespace.to_owned(), format!("{namespace} {number}"));
    let owner = number + 1000 * u64::from(namespace.as_bytes()[0]);
    Asks { object, owner, urgency: Urgency::First, failed: false }
}

fn urgent(asks: Asks, urgency: Urgency) -> Asks {
    Asks { urgency, ..asks }
}

fn failed(asks: Asks) -> Asks {
    Asks { failed: true, ..asks }
}

/// The token requests of one host, and when each who waits comes again.
#[derive(Default)]
struct World {
    rate_limiter: RateLimiter,
    now: Duration,
    /// By object: when it comes again, and the number of its first asking.
    waiting: BTreeMap<Key, (Duration, usize, Asks)>,
    asked: usize,
    /// Who left, in order, and when.
    left: Vec<(Duration, Key)>,
}

impl World {
    /// In which the present minute is spent by others.
    fn spent() -> Self {
        let mut world = Self::default();
        for number in 0..9 {
            world.asks(urgent(new("others", number), Urgency::Urgent));
        }
        world.play(Duration::from_secs(4));
        world.left.clear();
        world
    }

    /// Asks now, and until the turn comes.
    fn asks(&mut self, asks: Asks) {
        self.asked += 1;
        self.asks_again(self.asked, asks);
    }

    fn asks_again(&mut self, number: usize, asks: Asks) {
        let bucket = of_cloud(bucket(), TOKENS);
        let turn = self.rate_limiter.turn(&bucket, &asks.ask(), self.now);
        self.waiting.remove(&asks.object);
        match turn {
            Ok(()) => {
                self.rate_limiter.leave(&bucket, self.now).unwrap();
                self.left.push((self.now, asks.object));
            }
            Err(Wait::Turn(after)) => {
                self.waiting.insert(asks.object.clone(), (self.now + after, number, asks));
            }
            Err(other) => unreachable!("no vendor answers here: {other:?}"),
        }
        self.call();
    }

    /// An object that is called comes at once.
    fn call(&mut self) {
        for object in self.rate_limiter.called() {
            if let Some((at, ..)) = self.waiting.get_mut(&object) {
                *at = self.now;
            }
        }
    }

    fn is_gone(&mut self, object: &Key) {
        self.waiting.remove(object);
        self.rate_limiter.leave_queues(object, self.now);
        self.call();
    }

    /// Lets each object come at its promised time, for so long.
    fn play(&mut self, how_long: Duration) {
        let end = self.now + how_long;
        let next = |waiting: &BTreeMap<_, (Duration, usize, Asks)>| {
            waiting.values().min_by_key(|(at, number, _)| (*at, *number)).filter(|(at, ..)| *at <= end).cloned()
        };
        while let Some((at, number, asks)) = next(&self.waiting) {
            self.now = self.now.max(at);
            self.asks_again(number, asks);
        }
        self.now = end;
    }

    fn names(&self) -> Vec<&str> {
        self.left.iter().map(|(_, (_, name))| name.as_str()).collect()
    }

    fn place_of(&self, name: &str) -> usize {
        self.names().iter().position(|other| *other == name).unwrap_or_else(|| panic!("{name}: {:?}", self.names()))
    }
}

#[test]
fn namespace_with_eighty_waits_does_not_put_off_the_first_of_another() {
    let mut world = World::spent();
    (0..80).for_each(|number| world.asks(new("many", number)));
    world.asks(new("one", 0));
    world.play(MINUTE * 2);
    // Four leave within a second, in any order.
    assert!(world.place_of("one 0") < 4, "{:?}", world.names());
}

#[test]
fn two_namespaces_take_turns_and_each_serves_in_order_of_arrival() {
    let mut world = World::spent();
    (0..40).for_each(|number| world.asks(new("many", number)));
    world.play(MINUTE);
    let before = world.left.len();
    (0..10).for_each(|number| world.asks(new("few", number)));
    world.play(MINUTE * 10);
    assert_eq!(world.left.len(), 50, "none is left behind");
    for namespace in ["many", "few"] {
        let order: Vec<u64> =
            world.names().iter().filter_map(|name| name.strip_prefix(namespace)?.trim().parse().ok()).collect();
        assert!(order.is_sorted(), "{namespace}: {order:?}");
    }
    let shared = &world.names()[before..before + 20];
    // Four leave within a second, in any order.
    for some in shared.windows(8) {
        let few = some.iter().filter(|name| name.starts_with("few")).count();
        assert!((3..=5).contains(&few), "half of them each: {shared:?}");
    }
}

#[test]
fn namespace_asking_for_one_turn_after_another_gets_only_its_share() {
    let mut world = World::spent();
    (0..40).for_each(|number| world.asks(urgent(new("many", number), Urgency::Poll)));
    world.asks(urgent(new("single", 0), Urgency::Poll));
    // One object at a time, a new one as soon as the last has had its turn.
    let mut number = 0;
    while !world.names().contains(&"many 39") && world.now < MINUTE * 60 {
        world.play(Duration::from_millis(100));
        if world.waiting.keys().all(|(namespace, _)| namespace != "single") {
            number += 1;
            world.asks(urgent(new("single", number), Urgency::Poll));
        }
    }
    let singles = world.names().iter().filter(|name| name.starts_with("single")).count();
    assert!((38..=42).contains(&singles), "{:?}", world.names());
}

#[test]
fn place_of_deleted_object_is_free_at_once_and_next_in_line_is_called() {
    let mut world = World::spent();
    (0..80).for_each(|number| world.asks(new("many", number)));
    let last = new("many", 80);
    world.asks(last.clone());
    let told = world.waiting[&last.object].0;
    assert!(told > MINUTE * 9, "{told:?}");
    (0..80).for_each(|number| world.is_gone(&new("many", number).object));
    assert_eq!(world.waiting[&last.object].0, world.now, "it is called");
    world.play(MINUTE * 2);
    assert_eq!(world.names(), ["many 80"]);
    assert!(world.left[0].0 <= MINUTE + Duration::from_secs(1), "{:?}", world.left);
    let others = &world.rate_limiter.buckets[&bucket()].budget;
    assert!(!format!("{others:?}").contains("owner:"), "{others:?}");
}

#[test]
fn objects_behind_deleted_ones_are_called_in_turn_until_places_are_taken() {
    let mut world = World::spent();
    (0..80).for_each(|number| world.asks(new("many", number)));
    (0..60).for_each(|number| world.is_gone(&new("many", number).object));
    world.play(MINUTE * 4);
    assert_eq!(world.names(), (60..80).map(|number| format!("many {number}")).collect::<Vec<_>>());
}

#[test]
fn object_that_asks_otherwise_or_more_urgently_loses_its_queue_place() {
    let mut world = World::spent();
    let (mended, edited) = (new("it", 0), new("it", 20));
    (0..=20).for_each(|number| world.asks(new("it", number)));
    world.asks(urgent(edited, Urgency::Asked));
    world.asks(Asks { owner: 77, ..mended });
    world.play(MINUTE * 4);
    assert!(world.place_of("it 20") < 5, "{:?}", world.names());
    assert_eq!(world.names().last(), Some(&"it 0"));
    assert_eq!(world.left.len(), 21);
}

#[test]
fn place_that_two_objects_share_stays_until_the_second_is_gone() {
    let mut world = World::spent();
    let (first, second) = (new("it", 0), Asks { owner: new("it", 0).owner, ..new("it", 1) });
    [first.clone(), second, new("it", 2)].into_iter().for_each(|asks| world.asks(asks));
    world.is_gone(&first.object);
    world.play(MINUTE * 2);
    assert_eq!(world.names(), ["it 1", "it 2"]);
}

#[test]
fn recently_failed_key_waits_behind_others_and_takes_turns_by_namespace() {
    let mut world = World::spent();
    (0..10).for_each(|number| world.asks(failed(new("bad", number))));
    world.asks(failed(new("also bad", 0)));
    (0..3).for_each(|number| world.asks(new("good", number)));
    world.play(MINUTE * 3);
    let names = world.names();
    assert_eq!(names[..3], ["good 0", "good 1", "good 2"]);
    assert!(world.place_of("also bad 0") < 8, "{names:?}");
    assert_eq!(world.left.len(), 14, "and in the end they are tried");
}

#[test]
fn key_that_is_found_bad_while_it_waits_moves_behind_the_others() {
    let mut world = World::spent();
    [new("it", 0), new("it", 1)].into_iter().for_each(|asks| world.asks(asks));
    world.asks(failed(new("it", 0)));
    world.play(MINUTE * 2);
    assert_eq!(world.names(), ["it 1", "it 0"]);
}

#[test]
fn edited_object_goes_before_new_and_polled_ones_behind_change_in_flight() {
    for urgency in [Urgency::Changed, Urgency::Asked] {
        let mut world = World::spent();
        (0..30).for_each(|number| world.asks(urgent(new("polls", number), Urgency::Poll)));
        (0..30).for_each(|number| world.asks(new("new", number)));
        (0..4).for_each(|number| world.asks(urgent(new("edited", number), urgency)));
        (0..4).for_each(|number| world.asks(urgent(new("zz change", number), Urgency::Urgent)));
        world.play(MINUTE * 20);
        let changes = (0..4).map(|number| world.place_of(&format!("zz change {number}"))).max().unwrap();
        let edits: Vec<usize> = (0..4).map(|number| world.place_of(&format!("edited {number}"))).collect();
        assert!(edits.iter().all(|edit| *edit > changes), "{:?}", world.names());
        // Though sixty others wait since before.
        assert!(edits.iter().all(|edit| *edit < 20), "{:?}", world.names());
        let last_new = (0..30).map(|number| world.place_of(&format!("new {number}"))).max().unwrap();
        let polls = (0..30).filter(|number| world.place_of(&format!("polls {number}")) < last_new).count();
        assert!(polls < 8, "{:?}", world.names());
        assert_eq!(world.left.len(), 68);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn queue_refuses_none_serves_all_that_stay_and_forgets_leavers(
        steps in proptest::collection::vec((0_u64..4_000, 0_u64..30, 0_u64..4, any::<bool>(), 0_usize..5, 0_u8..4), 1..200),
    ) {
        let mut world = World::spent();
        let urgencies = [Urgency::Poll, Urgency::First, Urgency::Changed, Urgency::Asked, Urgency::Urgent];
        for (pause, number, namespace, failed, urgency, what) in steps {
            world.play(Duration::from_millis(pause));
            let asks = new(["a", "b", "c", "d"][usize::try_from(namespace).unwrap()], number);
            match what {
                0 => world.is_gone(&asks.object),
                // Two share a key.
                1 => world.asks(Asks { owner: number, failed, urgency: urgencies[urgency], ..asks }),
                _ => world.asks(Asks { failed, urgency: urgencies[urgency], ..asks }),
            }
        }
        world.play(MINUTE * 120);
        prop_assert!(world.waiting.is_empty(), "{:?}", world.waiting);
        let arrivals: Vec<Duration> = world.left.iter().map(|(at, _)| *at).collect();
        prop_assert_eq!(refused(&arrivals, TOKENS, None), 0);
        let kept = format!("{:?}", world.rate_limiter.buckets[&bucket()].budget);
        prop_assert!(!kept.contains("owner:"), "{}", kept);
    }
}
