//! The rate limiter in simulated time: `cargo bench --bench rate limiter`, part of `make bench`.
//!
//! Prints, for 1, 600 and 5 000 organizations that are polled every 10 minutes, how many requests leave, how many of them
//! the vendor's limiter refuses, how old the oldest observation gets, and how long an edit takes to reach the vendor
//! meanwhile. Each organization has a key of its own, as organization keys are: then tokens are what is short. With the
//! tokens at hand (a longer life), readings are.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::Duration;

use seatkeeper::vendors::bitwarden_rates::{READS, TOKENS, WRITES};
use seatkeeper::vendors::rate_limit::{Ask, Bucket, LimitedBucket, RateLimit, RateLimiter, Urgency, Wait};

const INTERVAL: Duration = Duration::from_secs(600);
/// A token lives an hour and is renewed 5 minutes before (docs/vendors/bitwarden.md, "Renewing a token").
const TOKEN: Duration = Duration::from_secs(55 * 60);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Not counted: all organizations are there at once and want their first look.
const WARM_UP: Duration = Duration::from_secs(24 * 3600);

fn main() {
    println!("organizations  tokens live  requests/min  429s  oldest observation  edit to vendor, median (worst)");
    for organizations in [1, 600, 5000] {
        for token in [TOKEN, DAY * 30] {
            let figures = World::new(organizations, token).play();
            let requests = figures.requests as f64 / (DAY.as_secs_f64() / 60.0);
            let (median, worst) = (figures.edits[figures.edits.len() / 2], figures.edits[figures.edits.len() - 1]);
            println!(
                "{organizations:>13}  {:>11}  {requests:>12.1}  {:>4}  {:>14.1} min  {:>21.2} s ({:.2} s)",
                if token == TOKEN { "1 h" } else { "for ever" },
                figures.refused,
                figures.oldest.as_secs_f64() / 60.0,
                median.as_secs_f64(),
                worst.as_secs_f64(),
            );
        }
    }
}

/// What comes next for somebody.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Poll(usize),
    /// Somebody edits this organization's object: published, read again, changed, read back.
    Edit {
        organization: usize,
        began: Duration,
        readings: u8,
    },
}

#[derive(Default)]
struct Figures {
    requests: usize,
    refused: usize,
    oldest: Duration,
    edits: Vec<Duration>,
}

/// The vendor's limiter: fixed windows from the first hit.
#[derive(Default)]
struct Limiter(HashMap<(&'static str, Duration), (Duration, usize)>);

struct World {
    rate_limiter: RateLimiter,
    limiter: Limiter,
    token: Duration,
    /// Until when each organization's token is good, and when it was last read.
    organizations: Vec<(Duration, Option<Duration>)>,
    random: fastrand::Rng,
    figures: Figures,
}

const TOKEN_PATH: &str = "POST /connect/token";
const READ_PATH: &str = "GET /public/organization/subscription";
const MEMBERS_PATH: &str = "GET /public/members";
const WRITE_PATH: &str = "PUT /public/organization/subscription";

impl Limiter {
    fn refuses(&mut self, path: &'static str, limits: &[RateLimit], at: Duration) -> bool {
        let mut refused = false;
        for limit in limits {
            let window = self.0.entry((path, limit.per)).or_insert((at, 0));
            if at >= window.0 + limit.per {
                *window = (at, 0);
            }
            window.1 += 1;
            refused |= window.1 > limit.count;
        }
        refused
    }
}

impl World {
    fn new(organizations: usize, token: Duration) -> Self {
        Self {
            rate_limiter: RateLimiter::default(),
            limiter: Limiter::default(),
            token,
            organizations: vec![(Duration::ZERO, None); organizations],
            random: fastrand::Rng::with_seed(1),
            figures: Figures::default(),
        }
    }

    fn play(mut self) -> Figures {
        let mut due = BinaryHeap::new();
        due.extend((0..self.organizations.len()).map(|i| Reverse((Duration::ZERO, Event::Poll(i)))));
        let mut edit = WARM_UP;
        while edit < WARM_UP + DAY {
            let organization = self.random.usize(0..self.organizations.len());
            due.push(Reverse((edit, Event::Edit { organization, began: edit, readings: 0 })));
            edit += Duration::from_secs(self.random.u64(60..1200));
        }
        while let Some(Reverse((now, event))) = due.pop().filter(|Reverse((now, _))| *now < WARM_UP + DAY) {
            if let Some(next) = self.step(event, now) {
                due.push(Reverse(next));
            }
        }
        self.figures.edits.sort();
        self.figures
    }

    fn step(&mut self, event: Event, now: Duration) -> Option<(Duration, Event)> {
        match event {
            Event::Poll(i) => {
                let urgency = if self.organizations[i].1.is_none() { Urgency::First } else { Urgency::Poll };
                Some(match self.read(i, urgency, now) {
                    Ok(()) => (now + INTERVAL, event),
                    Err(after) => (now + after, event),
                })
            }
            Event::Edit { organization, began, readings } => {
                let again = |after, readings| Some((now + after, Event::Edit { organization, began, readings }));
                // The reading that publishes the plan, and the one before the change.
                if readings < 2 {
                    return match self.read(organization, Urgency::Asked, now) {
                        Ok(()) => again(Duration::from_millis(100), readings + 1),
                        Err(after) => again(after, readings),
                    };
                }
                match self.turn(WRITE_PATH, WRITES, organization, Urgency::Urgent, now) {
                    Err(after) => again(after, readings),
                    Ok(()) => {
                        self.send(WRITE_PATH, WRITES, now);
                        self.figures.edits.push(now - began);
                        None
                    }
                }
            }
        }
    }

    /// A pass: a token if there is none, then the subscription and the members.
    fn read(&mut self, i: usize, urgency: Urgency, now: Duration) -> Result<(), Duration> {
        if self.organizations[i].0 <= now {
            self.turn(TOKEN_PATH, TOKENS, i, urgency, now)?;
            self.send(TOKEN_PATH, TOKENS, now);
            self.organizations[i].0 = now + self.token;
        }
        self.turn(READ_PATH, READS, i, urgency, now)?;
        self.send(READ_PATH, READS, now);
        self.send(MEMBERS_PATH, READS, now);
        if let Some(before) = self.organizations[i].1.replace(now).filter(|_| now > WARM_UP) {
            self.figures.oldest = self.figures.oldest.max(now - before);
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "those of the limiter that is measured")]
    fn turn(
        &mut self,
        path: &'static str,
        limits: &[RateLimit],
        owner: usize,
        urgency: Urgency,
        now: Duration,
    ) -> Result<(), Duration> {
        let object = ("it".to_owned(), owner.to_string());
        let ask = Ask { object: &object, owner: owner as u64, urgency, failed: false };
        self.rate_limiter.turn(&bucket(path, limits), &ask, now).map_err(|wait| match wait {
            Wait::Turn(after) | Wait::Closed(after) | Wait::Guessed(after) | Wait::Down { after, .. } => after,
        })
    }

    fn send(&mut self, path: &'static str, limits: &[RateLimit], now: Duration) {
        self.rate_limiter.leave(&bucket(path, limits), now).expect("a pass that has begun is finished");
        let arrives = now + Duration::from_millis(self.random.u64(20..300));
        let refused = self.limiter.refuses(path, limits, arrives);
        if now > WARM_UP {
            self.figures.requests += 1;
            self.figures.refused += usize::from(refused);
        }
    }
}

fn bucket<'a>(path: &str, limits: &'a [RateLimit]) -> LimitedBucket<'a> {
    let (verb, path) = path.split_once(' ').expect("a verb and a path");
    let bucket = Bucket { host: "api.bitwarden.com".into(), verb: verb.into(), path: path.into() };
    LimitedBucket { bucket, limits, trusted: true }
}
