//! The rate limiter against a simulated fixed-window limiter, in simulated time.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::sync::Mutex;

use proptest::prelude::*;

use super::*;

pub(super) const MINUTE: Duration = Duration::from_secs(60);
const READS: &[RateLimit] = &[RateLimit { count: 200, per: MINUTE }];
pub(super) const TOKENS: &[RateLimit] =
    &[RateLimit { count: 5, per: Duration::from_secs(1) }, RateLimit { count: 10, per: MINUTE }];

pub(super) fn bucket() -> Bucket {
    Bucket { host: "api.test".into(), verb: "GET".into(), path: "/shared".into() }
}

/// One of a cloud, whose limiter is documented.
pub(super) fn of_cloud(bucket: Bucket, limits: &[RateLimit]) -> LimitedBucket<'_> {
    LimitedBucket { bucket, limits, trusted: true }
}

/// One of a private server.
fn of_server(bucket: Bucket) -> LimitedBucket<'static> {
    LimitedBucket { bucket, limits: READS, trusted: false }
}

/// Objects of one namespace, one for each owner.
pub(super) fn by(owner: u64, urgency: Urgency) -> Ask<'static> {
    static OBJECTS: Mutex<BTreeMap<u64, &Key>> = Mutex::new(BTreeMap::new());
    let mut objects = OBJECTS.lock().unwrap();
    let object = objects.entry(owner).or_insert_with(|| Box::leak(Box::new(("it".into(), format!("object {owner}")))));
    Ask { object, owner, urgency, failed: false }
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// The rate limiter with one bucket of a cloud.
struct Host {
    rate_limiter: RateLimiter,
    limits: &'static [RateLimit],
}

impl Host {
    fn new(limits: &'static [RateLimit]) -> Self {
        Self { rate_limiter: RateLimiter::default(), limits }
    }

    /// Takes the turn and lets the request leave.
    fn ask(&mut self, owner: u64, urgency: Urgency, now: Duration) -> Result<(), Wait> {
        let bucket = of_cloud(bucket(), self.limits);
        self.rate_limiter.turn(&bucket, &by(owner, urgency), now)?;
        self.rate_limiter.leave(&bucket, now).map(drop)
    }

    fn answered(&mut self, status: u16, retry_after: Option<u64>, now: Duration) {
        let signal = Signal { status, retry_after: retry_after.map(Duration::from_secs), limited: true };
        self.rate_limiter.signal(&of_cloud(bucket(), self.limits), signal, now);
    }

    /// Plays asks until `end`: who is told to wait comes back then. Answers who left when, in order.
    fn play(
        &mut self,
        asks: impl IntoIterator<Item = (Duration, u64, Urgency)>,
        every: Option<Duration>,
        end: Duration,
    ) -> Vec<(Duration, u64, Urgency)> {
        let mut due: BinaryHeap<_> = asks.into_iter().map(Reverse).collect();
        let mut left = Vec::new();
        while let Some(Reverse((now, owner, urgency))) = due.pop().filter(|Reverse((now, ..))| *now < end) {
            let again = match self.ask(owner, urgency, now) {
                Ok(()) => {
                    left.push((now, owner, urgency));
                    every.filter(|_| urgency != Urgency::Urgent).map(|every| now + every)
                }
                Err(Wait::Turn(after)) => Some(now + after),
                Err(Wait::Closed(_) | Wait::Guessed(_) | Wait::Down { .. }) => unreachable!("no vendor answers here"),
            };
            due.extend(again.map(|again| Reverse((again, owner, urgency))));
        }
        left
    }
}

/// How many the vendor's limiter refuses: fixed windows, from a phase we do not know or from the first hit
/// (docs/vendors/bitwarden.md, "Rate limits").
pub(super) fn refused(arrivals: &[Duration], limits: &[RateLimit], phase: Option<Duration>) -> usize {
    let mut refused = 0;
    for limit in limits {
        let mut window = (phase.unwrap_or_default(), 0);
        for at in arrivals {
            if *at >= window.0 + limit.per {
                let periods = (*at - window.0).div_duration_f64(limit.per).floor();
                let start = phase.map_or(*at, |_| window.0 + limit.per.mul_f64(periods));
                window = (start, 0);
            }
            window.1 += 1;
            refused += usize::from(window.1 > limit.count);
        }
    }
    refused
}

#[test]
fn excess_polls_take_turns_and_intervals_stretch_evenly() {
    let (n, every) = (5000, Duration::from_secs(600));
    let asks = (0..n).map(|owner| (Duration::ZERO, owner, Urgency::Poll));
    let left = Host::new(READS).play(asks, Some(every), Duration::from_secs(4 * 3600));
    let mut times: HashMap<u64, Vec<Duration>> = HashMap::new();
    for (at, owner, _) in &left {
        times.entry(*owner).or_default().push(*at);
    }
    assert_eq!(times.len(), 5000, "no object starves");
    // 95 % of 150 a minute, in windows of 60.5 s.
    let cycle = seconds(5000.0 * 60.5 / 142.5);
    for gap in times.values().flat_map(|times| times.windows(2).map(|two| two[1] - two[0])) {
        assert!(gap <= cycle + seconds(1.0), "{gap:?}");
        assert!(gap >= every, "{gap:?}");
    }
    let spread = left.windows(2).map(|two| two[1].0 - two[0].0).max().unwrap();
    assert!(spread < seconds(0.5), "they leave evenly: {spread:?}");
}

#[test]
fn few_polls_are_hardly_delayed() {
    let asks = (0..5).map(|owner| (Duration::ZERO, owner, Urgency::Poll));
    let left = Host::new(READS).play(asks, None, MINUTE);
    assert_eq!(left.len(), 5);
    assert!(left[4].0 < seconds(2.0), "{left:?}");
}

#[test]
fn request_by_person_leaves_at_once_while_thousands_are_polled() {
    for (limits, at_once) in [(READS, 30), (TOKENS, 2)] {
        let mut host = Host::new(limits);
        let polls = (0..5000).map(|owner| (Duration::ZERO, owner, Urgency::Poll));
        host.play(polls, Some(MINUTE), Duration::from_secs(3600));
        for owner in 0..at_once {
            assert_eq!(host.ask(10_000 + owner, Urgency::Urgent, Duration::from_secs(3600)), Ok(()), "{owner}");
        }
    }
}

#[test]
fn new_objects_come_in_bursts_as_large_as_the_vendor_takes() {
    let new = (0..16).map(|owner| (Duration::ZERO, owner, Urgency::First));
    let left = Host::new(TOKENS).play(new, None, MINUTE * 5);
    let at: Vec<f64> = left.iter().map(|(at, ..)| at.as_secs_f64()).collect();
    assert_eq!(at.iter().filter(|at| **at < 2.0).count(), 8, "{at:?}");
    assert_eq!(at.iter().filter(|at| **at < 63.0).count(), 16, "{at:?}");
}

#[test]
fn many_new_objects_leave_room_for_urgent_requests() {
    let mut host = Host::new(TOKENS);
    let new = (0..1000).map(|owner| (Duration::ZERO, owner, Urgency::First));
    host.play(new, None, MINUTE * 3);
    assert_eq!(host.ask(5000, Urgency::Asked, MINUTE * 3), Ok(()));
}

#[test]
fn early_retry_is_harmless_and_late_retry_keeps_its_slot() {
    let mut host = Host::new(READS);
    host.ask(0, Urgency::Poll, Duration::ZERO).unwrap();
    let told = |host: &mut Host, owner, now| match host.ask(owner, Urgency::Poll, now) {
        Err(Wait::Turn(after)) => now + after,
        other => panic!("{other:?}"),
    };
    let first = told(&mut host, 1, Duration::ZERO);
    let second = told(&mut host, 2, Duration::ZERO);
    assert!(second > first);
    assert_eq!(told(&mut host, 1, first / 2), first);
    assert_eq!(told(&mut host, 2, first), second);
    assert_eq!(host.ask(1, Urgency::Poll, first + MINUTE), Ok(()));
    assert_eq!(host.ask(2, Urgency::Poll, first + MINUTE), Ok(()));
}

#[test]
fn polls_that_yield_to_urgent_requests_all_wait_longer_and_none_starves() {
    let end = Duration::from_secs(24 * 3600);
    let polls = (0..300).map(|owner| (Duration::ZERO, owner, Urgency::Poll));
    // One in 20 s takes a third of the room.
    let urgent = (0..4320).map(|i| (Duration::from_secs(20 * i), 1000 + i, Urgency::Urgent));
    let left = Host::new(TOKENS).play(polls.chain(urgent), Some(MINUTE), end);
    let mut last = [Duration::ZERO; 300];
    let mut longest = Duration::ZERO;
    for (at, owner, _) in left.iter().filter(|(.., urgency)| *urgency == Urgency::Poll) {
        let before = std::mem::replace(&mut last[usize::try_from(*owner).unwrap()], *at);
        longest = longest.max(*at - before);
    }
    longest = last.iter().map(|last| end - *last).max().unwrap().max(longest);
    let fair = MINUTE * 300 / 4;
    assert!(longest < fair * 5 / 4, "{longest:?} where {fair:?} is fair");
}

#[test]
fn host_that_asks_for_pause_gets_no_request_on_any_path() {
    let mut host = Host::new(READS);
    host.answered(429, Some(30), Duration::ZERO);
    let other = of_cloud(Bucket { verb: "PUT".into(), path: "/other".into(), ..bucket() }, TOKENS);
    let at = Duration::from_secs(20);
    for urgency in [Urgency::Poll, Urgency::First, Urgency::Changed, Urgency::Urgent, Urgency::Asked] {
        assert_eq!(host.ask(1, urgency, at), Err(Wait::Closed(Duration::from_secs(10))));
        assert_eq!(host.rate_limiter.turn(&other, &by(1, urgency), at), Err(Wait::Closed(Duration::from_secs(10))));
    }
    assert_eq!(host.rate_limiter.leave(&other, at).err(), Some(Wait::Closed(Duration::from_secs(10))));
    assert_eq!(host.ask(1, Urgency::Poll, Duration::from_secs(30)), Ok(()));
    let elsewhere = of_cloud(Bucket { host: "api.elsewhere.test".into(), ..bucket() }, READS);
    assert_eq!(host.rate_limiter.turn(&elsewhere, &by(1, Urgency::Poll), at), Ok(()));
}

#[test]
fn shorter_pause_does_not_cut_a_longer_one_short() {
    let mut host = Host::new(READS);
    host.answered(429, Some(300), Duration::ZERO);
    host.answered(429, Some(2), Duration::ZERO);
    host.answered(429, None, Duration::ZERO);
    assert_eq!(host.ask(1, Urgency::Asked, MINUTE * 2), Err(Wait::Closed(MINUTE * 3)));
}

#[test]
fn refusal_without_retry_after_backs_off_unless_person_asks() {
    let mut host = Host::new(READS);
    let mut now = Duration::ZERO;
    for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
        host.answered(429, None, now);
        // Requests that were under way together are refused together.
        host.answered(429, None, now);
        assert_eq!(host.ask(1, Urgency::Urgent, now), Err(Wait::Guessed(MINUTE * pause)));
        now += MINUTE * pause;
    }
    host.answered(429, None, now);
    assert_eq!(host.ask(1, Urgency::Asked, now), Ok(()));
    now += Duration::from_secs(3 * 3600);
    host.answered(429, None, now);
    assert_eq!(host.ask(1, Urgency::Urgent, now), Err(Wait::Guessed(MINUTE)), "the old ones are forgotten");
}

#[test]
fn server_without_a_limiter_is_not_limited_once_that_is_known() {
    let mut rate_limiter = RateLimiter::default();
    let ask = |rate_limiter: &mut RateLimiter, now| rate_limiter.turn(&of_server(bucket()), &by(1, Urgency::Poll), now);
    assert_eq!(ask(&mut rate_limiter, Duration::ZERO), Ok(()));
    assert_eq!(ask(&mut rate_limiter, Duration::ZERO), Err(Wait::Turn(FINDING_OUT)), "one finds out");
    for (status, says, limited) in [(502, false, true), (403, false, true), (200, false, false), (200, true, true)] {
        let now = MINUTE * u32::from(status) + seconds(if says { 9.0 } else { 0.0 });
        rate_limiter.signal(&of_server(bucket()), Signal { status, retry_after: None, limited: says }, now);
        let free = (0..50).filter(|_| ask(&mut rate_limiter, now).is_ok()).count();
        assert_eq!(free == 50, !limited, "{status} {says}: {free}");
    }
}

#[test]
fn server_answering_429_without_time_is_limited_and_closed_there_first() {
    let mut rate_limiter = RateLimiter::default();
    let (login, list) = (of_server(Bucket { path: "/login".into(), ..bucket() }), of_server(bucket()));
    let signal = |status| Signal { status, retry_after: None, limited: false };
    for at in [&login, &list] {
        rate_limiter.signal(at, signal(200), Duration::ZERO);
    }
    rate_limiter.signal(&login, signal(429), Duration::ZERO);
    let ask =
        |rate_limiter: &mut RateLimiter, at: &LimitedBucket<'_>, now| rate_limiter.turn(at, &by(1, Urgency::Poll), now);
    assert_eq!(ask(&mut rate_limiter, &login, Duration::ZERO), Err(Wait::Guessed(MINUTE)));
    assert_eq!(rate_limiter.leave(&login, Duration::ZERO).err(), Some(Wait::Guessed(MINUTE)));
    assert_eq!(ask(&mut rate_limiter, &list, Duration::ZERO), Ok(()), "good tokens go on");
    rate_limiter.signal(&login, signal(200), MINUTE);
    let free = (0..50).filter(|_| ask(&mut rate_limiter, &login, MINUTE).is_ok()).count();
    assert!((1..50).contains(&free), "it has a limit, though its answers do not say so: {free}");
    rate_limiter.signal(&login, signal(429), MINUTE);
    assert_eq!(rate_limiter.turn(&list, &by(1, Urgency::Asked), MINUTE), Ok(()));
    assert_eq!(rate_limiter.leave(&login, MINUTE).err(), None, "a person who asks anything of the host opens it");
    rate_limiter.signal(&login, signal(429), MINUTE);
    rate_limiter.signal(&list, signal(429), MINUTE);
    let other = of_server(Bucket { path: "/other".into(), ..bucket() });
    assert_eq!(ask(&mut rate_limiter, &other, MINUTE), Err(Wait::Guessed(MINUTE)), "two paths: it is the host");
}

fn urgency() -> impl Strategy<Value = Urgency> {
    prop_oneof![
        Just(Urgency::Poll),
        Just(Urgency::First),
        Just(Urgency::Changed),
        Just(Urgency::Asked),
        Just(Urgency::Urgent)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn limiter_lets_all_requests_through_unrefused_at_any_window_start(
        asks in proptest::collection::vec((0_u64..120_000, 0_u64..40, urgency()), 1..400),
        delays in proptest::collection::vec(0_u64..400, 1..20),
        phase in proptest::option::of(0_u64..60_000),
        tokens in any::<bool>(),
    ) {
        let limits = if tokens { TOKENS } else { READS };
        let asked = asks.len();
        // Each ask has a place of its own: the same owner with another urgency is another place in another queue.
        let asks = asks.into_iter().enumerate().map(|(i, (at, owner, urgency))| {
            (Duration::from_millis(at), owner + 40 * i as u64, urgency)
        });
        let left = Host::new(limits).play(asks, None, Duration::from_secs(12 * 3600));
        prop_assert_eq!(left.len(), asked, "all get through");
        // No window begins after the first arrival.
        let delay = |i: usize| MINUTE + Duration::from_millis(delays[i % delays.len()]);
        let mut arrivals: Vec<Duration> = left.iter().enumerate().map(|(i, (at, ..))| *at + delay(i)).collect();
        arrivals.sort();
        prop_assert_eq!(refused(&arrivals, limits, phase.map(Duration::from_millis)), 0);
    }
}

#[test]
fn only_buckets_unused_for_two_hours_are_forgotten() {
    let mut rate_limiter = RateLimiter::default();
    let of = |path: String| of_server(Bucket { path, ..bucket() });
    let unlimited = Signal { status: 200, retry_after: None, limited: false };
    // An organization that is declared under another id each second, beside one that stays.
    for second in 0..12 * 3600 {
        let now = Duration::from_secs(second);
        for bucket in [of(format!("/organizations/{second}")), of_server(bucket())] {
            assert_eq!(rate_limiter.turn(&bucket, &by(1, Urgency::Poll), now), Ok(()), "{bucket:?}");
            rate_limiter.leave(&bucket, now).unwrap();
        }
        rate_limiter.signal(&of_server(bucket()), unlimited, now);
        assert!(rate_limiter.buckets.len() < 20_000, "{} buckets", rate_limiter.buckets.len());
    }
    assert_eq!(rate_limiter.buckets[&bucket()].limiter, VendorLimiter::Absent, "what is in use stays known");
}
