//! Outages as requests meet them: which pause each begins, and who ends it.

use super::super::tests::by;
use super::super::{LimitedBucket, RateLimiter, Urgency};
use super::*;

const LIMITS: &[super::super::RateLimit] = &[super::super::RateLimit { count: 10_000, per: Duration::from_secs(60) }];
const MINUTE: Duration = Duration::from_secs(60);

fn at(host: &str, path: &str) -> LimitedBucket<'static> {
    let bucket = Bucket { host: host.into(), verb: "GET".into(), path: path.into() };
    LimitedBucket { bucket, limits: LIMITS, trusted: true }
}

fn here() -> LimitedBucket<'static> {
    at("api.test", "/seats")
}

fn beside() -> LimitedBucket<'static> {
    at("api.test", "/members")
}

fn elsewhere() -> LimitedBucket<'static> {
    at("identity.test", "/seats")
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn status(status: u16, asked: Option<u64>) -> Ending {
    Outage::of_answer(status, asked.map(seconds)).map_or(Ending::Answered, Ending::Failed)
}

const UNREACHABLE: Ending = Ending::Failed(Outage { trouble: Trouble::NoConnection("no connection"), asked: None });

/// One request from its turn to its end.
fn ask(rate_limiter: &mut RateLimiter, bucket: &LimitedBucket<'_>, ending: Ending, now: Duration) -> Result<(), Wait> {
    rate_limiter.turn(bucket, &by(1, Urgency::Urgent), now)?;
    let probes = rate_limiter.leave(bucket, now)?;
    rate_limiter.ended(bucket, probes, ending, now);
    Ok(())
}

/// How long the bucket is closed; `None`: it is open.
fn closed(rate_limiter: &mut RateLimiter, bucket: &LimitedBucket<'_>, now: Duration) -> Option<Duration> {
    match (
        rate_limiter.turn(bucket, &by(2, Urgency::Urgent), now),
        rate_limiter.outages.open(&bucket.bucket, false, now),
    ) {
        (Ok(()), Ok(())) => None,
        (Err(Wait::Down { after, .. }), Err(of_request)) => {
            assert_eq!(of_request.after(), after, "who has had his turn is held back as well");
            Some(after)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn host_asking_for_pause_is_spared_on_every_path_until_one_probe_succeeds() {
    let mut rate_limiter = RateLimiter::default();
    ask(&mut rate_limiter, &here(), status(503, Some(600)), Duration::ZERO).unwrap();
    for bucket in [here(), beside()] {
        assert_eq!(closed(&mut rate_limiter, &bucket, seconds(1)), Some(seconds(599)));
        assert!(matches!(ask(&mut rate_limiter, &bucket, Ending::Answered, seconds(599)), Err(Wait::Down { .. })));
    }
    assert_eq!(closed(&mut rate_limiter, &elsewhere(), seconds(1)), None);
    let probes = rate_limiter.leave(&here(), seconds(600)).unwrap();
    for bucket in [here(), beside()] {
        assert_eq!(closed(&mut rate_limiter, &bucket, seconds(601)), Some(MINUTE), "one is enough");
    }
    rate_limiter.ended(&here(), probes, Ending::Answered, seconds(602));
    for bucket in [here(), beside()] {
        assert_eq!(closed(&mut rate_limiter, &bucket, seconds(602)), None);
    }
}

#[test]
fn each_failed_probe_starts_longer_pause_even_if_host_asks_for_short_one() {
    for asked in [None, Some(1)] {
        let (mut rate_limiter, mut now) = (RateLimiter::default(), Duration::ZERO);
        for _ in 1..FAILURES {
            if asked.is_none() {
                ask(&mut rate_limiter, &here(), status(503, asked), now).unwrap();
                assert_eq!(closed(&mut rate_limiter, &here(), now), None, "a failure alone is no outage");
            }
        }
        for pause in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            ask(&mut rate_limiter, &here(), status(503, asked), now).unwrap();
            assert_eq!(closed(&mut rate_limiter, &here(), now), Some(seconds(pause)), "{asked:?}");
            now += seconds(pause);
        }
        ask(&mut rate_limiter, &here(), Ending::Answered, now).unwrap();
        assert_eq!(closed(&mut rate_limiter, &here(), now), None);
        if asked.is_some() {
            ask(&mut rate_limiter, &here(), status(503, asked), now).unwrap();
            assert_eq!(closed(&mut rate_limiter, &here(), now), Some(FIRST_PAUSE), "the old ones are forgotten");
        }
    }
}

#[test]
fn failures_in_row_close_their_path_and_application_answers_close_nothing() {
    let mut rate_limiter = RateLimiter::default();
    for ending in [status(502, None), status(502, None), Ending::Answered, status(504, None), status(520, None)] {
        ask(&mut rate_limiter, &here(), ending, Duration::ZERO).unwrap();
        assert_eq!(closed(&mut rate_limiter, &here(), Duration::ZERO), None, "{ending:?}");
    }
    ask(&mut rate_limiter, &here(), status(503, None), Duration::ZERO).unwrap();
    assert_eq!(closed(&mut rate_limiter, &here(), Duration::ZERO), Some(FIRST_PAUSE));
    for ending in [status(500, None), status(404, None), Ending::Silent, Ending::Dropped].repeat(5) {
        ask(&mut rate_limiter, &beside(), ending, Duration::ZERO).unwrap();
        assert_eq!(closed(&mut rate_limiter, &beside(), Duration::ZERO), None, "{ending:?}");
    }
    ask(&mut rate_limiter, &beside(), status(500, Some(7)), Duration::ZERO).unwrap();
    assert_eq!(closed(&mut rate_limiter, &beside(), Duration::ZERO), Some(seconds(7)), "it asks for a pause");
}

#[test]
fn unreachable_host_is_spared_on_every_path_and_any_answer_resets_count() {
    let mut rate_limiter = RateLimiter::default();
    for (bucket, ending) in [(here(), UNREACHABLE), (beside(), UNREACHABLE), (beside(), status(502, None))] {
        ask(&mut rate_limiter, &bucket, ending, Duration::ZERO).unwrap();
    }
    for bucket in [here(), beside(), here()] {
        assert_eq!(closed(&mut rate_limiter, &beside(), Duration::ZERO), None);
        ask(&mut rate_limiter, &bucket, UNREACHABLE, Duration::ZERO).unwrap();
    }
    for bucket in [here(), beside()] {
        assert_eq!(closed(&mut rate_limiter, &bucket, Duration::ZERO), Some(FIRST_PAUSE));
    }
    assert_eq!(closed(&mut rate_limiter, &elsewhere(), Duration::ZERO), None);
}

#[test]
fn abandoned_probe_frees_its_place_and_unanswered_one_begins_pause() {
    let mut rate_limiter = RateLimiter::default();
    ask(&mut rate_limiter, &here(), status(503, Some(10)), Duration::ZERO).unwrap();
    ask(&mut rate_limiter, &here(), Ending::Dropped, seconds(10)).unwrap();
    ask(&mut rate_limiter, &beside(), Ending::Silent, seconds(11)).unwrap();
    assert_eq!(closed(&mut rate_limiter, &here(), seconds(11)), Some(FIRST_PAUSE * 2));
}

#[test]
fn request_sent_before_pause_neither_ends_it_nor_counts_as_new_failure() {
    let mut rate_limiter = RateLimiter::default();
    let early = [(); 4].map(|()| rate_limiter.leave(&here(), Duration::ZERO).unwrap());
    ask(&mut rate_limiter, &here(), status(503, Some(10)), Duration::ZERO).unwrap();
    let late = [Ending::Answered, status(503, None), status(503, Some(5)), status(503, Some(20))];
    for (probes, (ending, left)) in early.into_iter().zip(late.into_iter().zip([9, 9, 9, 20])) {
        rate_limiter.ended(&here(), probes, ending, seconds(1));
        assert_eq!(closed(&mut rate_limiter, &here(), seconds(1)), Some(seconds(left)), "{ending:?}");
    }
    ask(&mut rate_limiter, &here(), status(503, Some(1)), seconds(21)).unwrap();
    assert_eq!(closed(&mut rate_limiter, &here(), seconds(21)), Some(FIRST_PAUSE * 2), "the second pause");
}

#[test]
fn request_by_person_ends_guessed_pause_with_one_probe() {
    for (ending, ends) in [(UNREACHABLE, true), (status(503, Some(3600)), true), (status(503, Some(600)), false)] {
        let mut rate_limiter = RateLimiter::default();
        for _ in 0..FAILURES {
            ask(&mut rate_limiter, &here(), ending, Duration::ZERO).ok();
        }
        let now = Duration::from_millis(10);
        assert_eq!(rate_limiter.turn(&here(), &by(3, Urgency::Asked), now).is_ok(), ends, "{ending:?}");
        if ends {
            let _probe = rate_limiter.leave(&here(), now).unwrap();
            assert!(matches!(
                rate_limiter.turn(&here(), &by(4, Urgency::Asked), now),
                Err(Wait::Down { probing: true, .. })
            ));
        }
    }
}

#[test]
fn outage_that_no_person_has_asked_about_in_hours_is_forgotten() {
    let mut rate_limiter = RateLimiter::default();
    for hour in 0..100 {
        let bucket = at("api.test", &format!("/{hour}"));
        ask(&mut rate_limiter, &bucket, status(502, None), MINUTE * 60 * hour).unwrap();
        rate_limiter.outages.sweep(MINUTE * 60 * hour);
        assert!(rate_limiter.outages.0.len() <= 2, "{hour}: {}", rate_limiter.outages.0.len());
    }
}
