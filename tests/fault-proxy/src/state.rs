//! Numbers the requests, remembers them, and gives one of them its action.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hyper::Response;
use hyper::body::Bytes;
use serde_json::Value;
use tokio::sync::{Notify, watch};

use crate::weaker::OldNumbers;
use crate::{Action, Hand, Leases, Outage, Part, Target};

/// Which way a request went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hop {
    /// To kube-apiserver.
    Apiserver,
    /// To the vendor.
    Vendor,
}

/// A numbered request.
#[derive(Clone, Debug)]
pub struct Record {
    /// 1, 2, 3 ... from [`arm`](crate::Proxy::arm) on.
    pub number: usize,
    /// Which way.
    pub hop: Hop,
    /// Method.
    pub method: String,
    /// Path without query.
    pub path: String,
    /// It writes an intent: opens one, or changes its phase.
    pub intent: bool,
    /// It opens an intent.
    pub opens: bool,
    /// What it writes to the apiserver, if it is a PATCH.
    pub patch: String,
    /// When, from `arm` on.
    pub at: Duration,
    /// The server's own status, if it was carried out.
    pub executed: Option<u16>,
    /// When it had been carried out, from `arm` on.
    pub over: Option<Duration>,
    /// The status the operator got; `None`: nothing, or not all of it.
    pub answered: Option<u16>,
}

pub(crate) fn buys(hop: Hop, method: &str, path: &str) -> bool {
    let adjusts = || method == "POST" && path.contains("/organizations/") && path.ends_with("subscription");
    // A license key that is added or removed counts too.
    let keys = || ["POST", "DELETE"].contains(&method) && path.contains("/admin/license");
    // A preview of a bill changes nothing.
    let sets_totals = || method == "PUT" && !path.contains("/billing/preview-invoice/");
    hop == Hop::Vendor && (sets_totals() || adjusts() || keys())
}

impl Record {
    /// A request that buys: by totals through the organization API, by a difference through the owner API, or by a license key.
    pub fn is_purchase(&self) -> bool {
        buys(self.hop, &self.method, &self.path)
    }

    /// As another clock shows it, that began so much earlier.
    #[must_use]
    pub fn later(self, by: Duration) -> Self {
        Self { at: self.at + by, over: self.over.map(|over| over + by), ..self }
    }

    /// A write of a status.
    pub fn is_record(&self) -> bool {
        self.hop == Hop::Apiserver && self.method == "PATCH"
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = self.path.rsplit('/').take(2).collect::<Vec<_>>();
        let status = |status: Option<u16>| status.map_or_else(|| "-".to_owned(), |status| status.to_string());
        let intent = if self.intent { " (intent)" } else { "" };
        write!(
            f,
            "{:>3} {:>6} ms {:?} {} {}{intent}: executed {}, answered {}",
            self.number,
            self.at.as_millis(),
            self.hop,
            self.method,
            short.into_iter().rev().collect::<Vec<_>>().join("/"),
            status(self.executed),
            status(self.answered)
        )
    }
}

/// What watches do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watches {
    Pass,
    /// Those that run end; the next is answered with 410.
    Gone,
    /// Those that run say nothing more.
    Frozen,
}

struct Inner {
    started: Instant,
    armed: bool,
    /// What is still to happen.
    actions: Vec<(Target, Action)>,
    /// Since when purchases are refused, and how many were.
    outage: Option<(Instant, usize, Outage)>,
    /// Number of the request that got it.
    hit: Option<usize>,
    records: Vec<Record>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Barrier {
    Open,
    Wanted,
    Held,
}

pub(crate) struct State {
    inner: Mutex<Inner>,
    barrier: watch::Sender<Barrier>,
    pub(crate) watches: watch::Sender<Watches>,
    pub(crate) leases: watch::Sender<Leases>,
    pub(crate) leases_lost: AtomicUsize,
    /// Vendor connections end, and the operator is stopped during the next handshake, for so long at most.
    pub(crate) handshake: watch::Sender<Option<Duration>>,
    /// How many purchases have arrived.
    pub(crate) purchases: watch::Sender<usize>,
    /// What is held back may go.
    pub(crate) let_go: watch::Sender<bool>,
    /// Watches that were answered with 410, and events that a frozen watch did not tell.
    pub(crate) watches_broken: AtomicUsize,
    /// The operator was killed while the vendor paused within a request.
    pub(crate) killed_in_pause: AtomicBool,
    /// The part of the protocol that is taken away.
    pub(crate) taken: Mutex<Option<Part>>,
    /// What the vendor showed before an intent was stored.
    numbers: Mutex<OldNumbers>,
    /// The object that lists and watches leave out.
    pub(crate) hidden: Mutex<Option<String>>,
    /// How often they have.
    pub(crate) left_out: AtomicUsize,
    /// Wakes who waits for the barrier to be reached.
    reached: Notify,
    pub(crate) hand: Hand,
}

impl State {
    pub(crate) fn new(hand: Hand) -> Self {
        let inner = Inner {
            started: Instant::now(),
            armed: false,
            actions: Vec::new(),
            outage: None,
            hit: None,
            records: Vec::new(),
        };
        Self {
            inner: Mutex::new(inner),
            barrier: watch::Sender::new(Barrier::Open),
            watches: watch::Sender::new(Watches::Pass),
            leases: watch::Sender::new(Leases::Pass),
            leases_lost: AtomicUsize::new(0),
            handshake: watch::Sender::new(None),
            purchases: watch::Sender::new(0),
            let_go: watch::Sender::new(false),
            watches_broken: AtomicUsize::new(0),
            killed_in_pause: AtomicBool::new(false),
            taken: Mutex::default(),
            numbers: Mutex::default(),
            hidden: Mutex::default(),
            left_out: AtomicUsize::new(0),
            reached: Notify::new(),
            hand,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn arm(&self, actions: Vec<(Target, Action)>) {
        let mut inner = self.lock();
        *inner = Inner { started: Instant::now(), armed: true, actions, outage: None, hit: None, records: Vec::new() };
    }

    pub(crate) fn hit_next(&self) {
        let Inner { actions, records, .. } = &mut *self.lock();
        actions.iter_mut().for_each(|(target, _)| target.plan(records.len()));
    }

    /// Since when requests are numbered.
    pub(crate) fn armed(&self) -> Option<Instant> {
        let inner = self.lock();
        inner.armed.then_some(inner.started)
    }

    /// How much of what was planned has not happened.
    pub(crate) fn unspent(&self) -> usize {
        self.lock().actions.len()
    }

    pub(crate) fn lacks(&self, part: Part) -> bool {
        *self.taken.lock().unwrap_or_else(PoisonError::into_inner) == Some(part)
    }

    /// A reading of the vendor, with the numbers of the last one before an intent was stored if one is.
    pub(crate) fn old_numbers_instead(&self, path: &str, answer: Response<Bytes>) -> Response<Bytes> {
        let intent = self.lock().records.iter().any(|record| record.opens && record.executed == Some(200));
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner).instead(path, intent, answer)
    }

    pub(crate) fn hit(&self) -> Option<usize> {
        self.lock().hit
    }

    pub(crate) fn begin_outage(&self, outage: Outage) {
        self.lock().outage = Some((Instant::now(), 1, outage));
    }

    /// The outage that refuses this purchase.
    pub(crate) fn outage(&self) -> Option<Outage> {
        let mut inner = self.lock();
        let (since, refused, outage) = inner.outage.as_mut()?;
        let lasts = since.elapsed() < outage.long || *refused < outage.least;
        *refused += usize::from(lasts);
        lasts.then_some(*outage)
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        self.lock().records.clone()
    }

    pub(crate) async fn hold(&self) {
        self.barrier.send_replace(Barrier::Wanted);
        self.reached.notified().await;
    }

    pub(crate) fn release(&self) {
        self.barrier.send_replace(Barrier::Open);
    }

    /// Where a pass begins: waits while it is held.
    pub(crate) async fn pass_begins(&self) {
        let reached = self.barrier.send_if_modified(|barrier| {
            let wanted = *barrier == Barrier::Wanted;
            if wanted {
                *barrier = Barrier::Held;
            }
            wanted
        });
        if reached {
            self.reached.notify_one();
        }
        let mut barrier = self.barrier.subscribe();
        let _ = barrier.wait_for(|barrier| *barrier != Barrier::Held).await;
    }

    /// Numbers a request, and says what happens to it. `None`: not armed.
    pub(crate) fn number(&self, hop: Hop, method: &str, path: &str, body: &[u8]) -> Option<(usize, Option<Action>)> {
        let mut inner = self.lock();
        if !inner.armed {
            return None;
        }
        let number = inner.records.len() + 1;
        let at = inner.started.elapsed();
        // A merge patch that opens an intent or changes its phase; one that closes it says null.
        let patch = if method == "PATCH" { String::from_utf8_lossy(body).into_owned() } else { String::new() };
        let status = serde_json::from_str(&patch).map_or(Value::Null, |mut patch: Value| patch["status"].take());
        let written = status["intent"].as_object();
        let intent = written.is_some();
        let opens = written.is_some_and(|intent| intent.contains_key("id"));
        let (method, path) = (method.to_owned(), path.to_owned());
        inner.records.push(Record {
            number,
            hop,
            method,
            path,
            intent,
            opens,
            patch,
            at,
            executed: None,
            over: None,
            answered: None,
        });
        let Inner { actions, records, hit, .. } = &mut *inner;
        let reached = actions.iter().position(|(target, _)| target.is_reached(records));
        let action = reached.map(|nth| actions.remove(nth).1);
        if action.is_some() {
            *hit = Some(number);
        }
        Some((number, action))
    }

    pub(crate) fn executed(&self, number: usize, status: u16) {
        let mut inner = self.lock();
        let over = inner.started.elapsed();
        if let Some(record) = inner.records.get_mut(number - 1) {
            (record.executed, record.over) = (Some(status), Some(over));
        }
    }

    pub(crate) fn answered(&self, number: usize, status: u16) {
        if let Some(record) = self.lock().records.get_mut(number - 1) {
            record.answered = Some(status);
        }
    }
}
