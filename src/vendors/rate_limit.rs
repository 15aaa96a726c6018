//! Decides when a request may leave, so that the vendor's own limiter never has to refuse one: one budget per host, verb
//! and path over all objects of the process. Asked by `dispatch`; pure, so that the benchmark runs it in simulated time.
//!
//! A vendor counts in fixed windows that begin at a moment we do not know, so a budget holds for every interval as long
//! as a window. Readings that are merely due leave evenly spread: with more of them than fit, intervals stretch and
//! none starves. What a person waits for overtakes them out of a part of the budget that they never touch. The places
//! of one urgency go round the namespaces, and within a namespace they go in order of arrival. Nothing here waits: an
//! object that finds no room learns when to come back, and keeps its place until it asks no more. An object that may
//! come sooner after all is called.

mod ask;
mod budget;
mod namespace_turns;
mod retry_after;
mod vendor_outage;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::time::Duration;

pub use ask::{Ask, Urgency};
use budget::Budget;
use retry_after::{Closed, EDGE_FORGOTTEN};
use vendor_outage::Outages;
pub use vendor_outage::{Ending, Outage, Probes, Trouble};

use crate::registry::Key;

/// This many requests per period, as the vendor documents it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// How many; at least 2, or nothing would be left after the margin.
    pub count: usize,
    /// Per this long.
    pub per: Duration,
}

/// What the vendor counts by, beside our address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bucket {
    /// Host and port.
    pub host: String,
    /// The verb, in capitals.
    pub verb: String,
    /// The exact path.
    pub path: String,
}

/// A bucket, and what is known of its limiter before it is asked.
#[derive(Clone, Debug)]
pub struct LimitedBucket<'a> {
    /// What is counted together.
    pub bucket: Bucket,
    /// The limits of its verb and path; all of them hold, and there is one at least.
    pub limits: &'a [RateLimit],
    /// The vendor documents a limiter on this host. Elsewhere its answers say whether there is one.
    pub trusted: bool,
}

/// Whether the vendor runs a limiter on a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum VendorLimiter {
    /// Its answers show it, or it is a cloud of which it is documented.
    There,
    /// A private server that has not answered yet. One request a second finds out.
    Unknown,
    /// Its answers lack the limiter's headers, so it is treated as unlimited until it answers 429
    /// (docs/vendors/bitwarden.md, "Rate limits").
    Absent,
}

/// For this long no other request asks where it is not known whether there is a limiter.
const FINDING_OUT: Duration = Duration::from_secs(1);

/// A bucket that was not used for this long is forgotten: longer than any pause, after which its queue goes on. Its path may hold
/// an id from a spec, so there may be any number.
const UNUSED: Duration = Duration::from_secs(2 * 3600);

#[derive(Debug)]
struct BucketState {
    limiter: VendorLimiter,
    /// It has answered 429.
    refused: bool,
    budget: Budget,
    /// When a request last went to find out whether there is a limiter.
    found_out: Option<Duration>,
    /// When an object last asked.
    used: Duration,
}

/// Budgets of all buckets, and pauses and outages of all hosts. All times are since one common start.
#[derive(Debug, Default)]
pub struct RateLimiter {
    buckets: HashMap<Bucket, BucketState>,
    /// Unused buckets are looked for when there are this many.
    sweep: usize,
    closed: HashMap<String, Closed>,
    /// Buckets of private servers that refused a request with 429 and did not say for how long.
    closed_paths: HashMap<Bucket, Closed>,
    outages: Outages,
    /// Objects that may come sooner than they were promised.
    called: Vec<Key>,
}

/// No request may leave yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// No room for it: come back after this long, the place is kept.
    Turn(Duration),
    /// The host asked for a pause that lasts this long.
    Closed(Duration),
    /// The host answered 429 and did not say how long: our own pause lasts this long.
    Guessed(Duration),
    /// The host is in an outage.
    Down {
        /// The time until the next attempt.
        after: Duration,
        /// What was seen of it.
        outage: Outage,
        /// Its pause has ended, and another request finds out.
        probing: bool,
    },
}

impl Wait {
    /// The time until the next attempt.
    pub fn after(self) -> Duration {
        let (Self::Turn(after) | Self::Closed(after) | Self::Guessed(after) | Self::Down { after, .. }) = self;
        after
    }
}

/// What an answer shows of the vendor's limiter.
#[derive(Clone, Copy, Debug)]
pub struct Signal {
    /// Status of the answer.
    pub status: u16,
    /// What it asked for with `Retry-After`.
    pub retry_after: Option<Duration>,
    /// It carries the limiter's headers.
    pub limited: bool,
}

impl RateLimiter {
    /// Takes a turn on a bucket, and with it the room for one request that leaves now.
    ///
    /// # Errors
    /// The time until the next attempt. Coming earlier changes nothing, coming later loses no place in the order.
    pub fn turn(&mut self, at: &LimitedBucket<'_>, ask: &Ask<'_>, now: Duration) -> Result<(), Wait> {
        let asked = ask.urgency == Urgency::Asked;
        if asked {
            let paths = self.closed_paths.iter_mut().filter(|(bucket, _)| bucket.host == at.bucket.host);
            let closed = self.closed.get_mut(&at.bucket.host).into_iter().chain(paths.map(|(_, closed)| closed));
            for closed in closed.filter(|closed| closed.guessed) {
                closed.until = closed.until.min(now);
            }
        }
        self.open(&at.bucket, now)?;
        self.outages.open(&at.bucket, asked, now)?;
        let state = self.state(at, now);
        match state.limiter {
            VendorLimiter::Absent => Ok(()),
            VendorLimiter::Unknown => match state.found_out.map(|at| (at + FINDING_OUT).saturating_sub(now)) {
                Some(left) if !left.is_zero() => Err(Wait::Turn(left)),
                _ => {
                    state.found_out = Some(now);
                    state.budget.promise(now);
                    Ok(())
                }
            },
            VendorLimiter::There => {
                let turn = state.budget.turn(ask, now).map_err(Wait::Turn);
                let sooner = if turn.is_ok() { state.budget.sooner(now) } else { Vec::new() };
                self.called.extend(sooner);
                turn
            }
        }
    }

    /// An object is gone, or asks for nothing more: its places are free at once.
    pub fn leave_queues(&mut self, object: &Key, now: Duration) {
        for state in self.buckets.values_mut() {
            if state.budget.leave_queue(object) {
                self.called.extend(state.budget.sooner(now));
            }
        }
    }

    /// The objects that may come sooner than they were promised, each once. The caller gives them a pass.
    pub fn called(&mut self) -> Vec<Key> {
        std::mem::take(&mut self.called)
    }

    /// Counts a request that leaves now: in the room that its turn took, or else in the room that is there for what is
    /// urgent, for a pass that has begun is to be finished. [`RateLimiter::ended`] takes its end.
    ///
    /// # Errors
    /// Then it must not leave.
    pub fn leave(&mut self, at: &LimitedBucket<'_>, now: Duration) -> Result<Probes, Wait> {
        self.open(&at.bucket, now)?;
        self.outages.open(&at.bucket, false, now)?;
        let state = self.state(at, now);
        if state.limiter != VendorLimiter::Absent {
            state.budget.leave(now).map_err(Wait::Turn)?;
        }
        self.outages.leave(&at.bucket, now)
    }

    /// Learns how a request ended that had left.
    pub fn ended(&mut self, at: &LimitedBucket<'_>, probes: Probes, ending: Ending, now: Duration) {
        self.outages.ended(&at.bucket, probes, ending, now);
    }

    /// Learns from an answer. A 429 closes the whole host for all objects: the limiter counts by verb and path, but edge
    /// protection looks for a client that goes on asking elsewhere (docs/vendors/bitwarden.md, "The edge in front of
    /// the cloud"). With the budgets above it is rare. A private server that does not say how long may have a limit on
    /// one path, as Vaultwarden has on logins (the same page, "Vaultwarden"): it closes that path, and the host once
    /// another path is refused meanwhile.
    pub fn signal(&mut self, at: &LimitedBucket<'_>, signal: Signal, now: Duration) {
        let state = self.state(at, now);
        if !at.trusted {
            state.refused |= signal.status == 429;
            state.limiter = match (signal.status, signal.limited) {
                (_, true) => VendorLimiter::There,
                // It has a limit, whatever its answers say of it.
                _ if state.refused => VendorLimiter::There,
                // The edge, a gateway or a crash say nothing about the application.
                (403 | 500.., _) => state.limiter,
                _ => VendorLimiter::Absent,
            };
        }
        if signal.status != 429 {
            return;
        }
        let elsewhere = |(bucket, closed): (&Bucket, &Closed)| {
            bucket.host == at.bucket.host && *bucket != at.bucket && closed.until > now
        };
        if at.trusted || signal.retry_after.is_some() || self.closed_paths.iter().any(elsewhere) {
            let closed = Closed::after(self.closed.get(&at.bucket.host).copied(), signal.retry_after, now);
            self.closed.insert(at.bucket.host.clone(), closed);
        } else {
            let closed = Closed::after(self.closed_paths.get(&at.bucket).copied(), None, now);
            self.closed_paths.retain(|_, closed| closed.until + EDGE_FORGOTTEN > now);
            self.closed_paths.insert(at.bucket.clone(), closed);
        }
    }

    fn open(&self, bucket: &Bucket, now: Duration) -> Result<(), Wait> {
        let closed = self.closed.get(&bucket.host).into_iter().chain(self.closed_paths.get(bucket));
        match closed.max_by_key(|closed| closed.until).filter(|closed| closed.until > now) {
            None => Ok(()),
            Some(Closed { until, guessed: true, .. }) => Err(Wait::Guessed(*until - now)),
            Some(Closed { until, .. }) => Err(Wait::Closed(*until - now)),
        }
    }

    fn state(&mut self, at: &LimitedBucket<'_>, now: Duration) -> &mut BucketState {
        if self.buckets.len() > self.sweep {
            self.buckets.retain(|_, state| state.used + UNUSED > now);
            self.outages.sweep(now);
            self.sweep = 64 + 2 * self.buckets.len();
        }
        let limiter = if at.trusted { VendorLimiter::There } else { VendorLimiter::Unknown };
        let state =
            || BucketState { limiter, refused: false, budget: Budget::of(at.limits), found_out: None, used: now };
        let state = self.buckets.entry(at.bucket.clone()).or_insert_with(state);
        state.used = now;
        state
    }
}
