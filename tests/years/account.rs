//! An account at the vendor with the pools of one or two products, and what the operator knows of who may change it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use pure::api::{Change, Intent};
use pure::domain::{Bound, Numbers, Obstacle, Rules};
use pure::registry::{Age, Found, InFlight, Key, Noted, Ownership, Realm, Registry, Rows};

use crate::situation::TIMING;

/// The account, as objects name it.
pub const ACCOUNT: &str = "host/id";

/// One product's seats.
#[derive(Clone, Copy)]
pub struct PoolState {
    pub name: &'static str,
    pub seats: i32,
    pub limit: Option<i32>,
    pub used: i32,
}

/// An account in the world's time, and the operator that keeps it.
pub struct Account {
    pub now: i64,
    /// How far the operator's clock is from the time of the world.
    pub shift: i64,
    pub reachable: bool,
    /// Password Manager; with two products, Secrets Manager too, which never has more seats.
    pub pools: Vec<PoolState>,
    registry: Registry,
    /// An instant of this process that stands for the year's begin.
    since: (Instant, i64),
}

impl Account {
    pub fn begin(now: i64, pools: Vec<PoolState>) -> Self {
        let since = (Instant::now(), now);
        let mut account = Self { now, shift: 0, reachable: true, pools, registry: fresh(), since };
        account.restart();
        account
    }

    /// Another process takes over, which has looked at no object yet.
    pub fn restart(&mut self) {
        let all: Vec<usize> = (0..self.pools.len()).collect();
        self.registry = fresh();
        self.registry.begin_term(1, all.iter().map(|pool| (key(*pool), age(*pool))));
        self.registry.inherit(1, all.iter().map(|pool| age(*pool).1).collect::<BTreeSet<_>>());
    }

    /// What the operator's clock says.
    pub fn shown(&self) -> i64 {
        self.now + self.shift
    }

    fn instant(&self) -> Instant {
        let (begin, second) = self.since;
        begin + Duration::from_secs(u64::try_from(self.now - second).expect("no earlier than the begin"))
    }

    pub fn numbers(&self, pool: usize) -> Numbers {
        let PoolState { seats, limit, .. } = self.pools[pool];
        Numbers { seats, limit }
    }

    /// The pool of the other product.
    pub fn beside(&self, pool: usize) -> Option<&PoolState> {
        self.pools.get(1 - pool)
    }

    /// What the vendor allows.
    pub fn rules(&self, pool: usize) -> Rules {
        let bound = |other: &PoolState| Bound {
            seats: other.seats,
            because: "Secrets Manager cannot have more than Password Manager".into(),
            pool: Some(other.name),
        };
        let bounds: Vec<Bound> = self.beside(pool).map(bound).into_iter().collect();
        let (at_least, at_most) = if pool == 0 { (bounds, Vec::new()) } else { (Vec::new(), bounds) };
        Rules { at_least, at_most, ..Rules::default() }
    }

    /// A request is carried out, or refused for the other product. Returns whether it was refused.
    pub fn set(&mut self, pool: usize, to: Numbers) -> bool {
        let beside = self.beside(pool).map(|other| other.seats);
        let crosses = beside.is_some_and(|other| if pool == 0 { to.seats < other } else { to.seats > other });
        if !crosses {
            (self.pools[pool].seats, self.pools[pool].limit) = (to.seats, to.limit);
        }
        crosses
    }

    /// What a pass finds of an object, before the vendor is asked.
    pub fn note(&mut self, pool: usize, wanted: Option<i32>, open: Option<&Intent>, history: &[Change]) {
        let ownership = Ownership {
            vendor: "bitwarden",
            account: Realm::of(ACCOUNT),
            confirmed: true,
            pool: self.pools[pool].name,
            age: age(pool),
            wanted,
        };
        let open = open.filter(|intent| intent.is_open()).map(InFlight::of);
        let (key, now) = (key(pool), self.instant());
        let shown = jiff::Timestamp::from_second(self.shown()).expect("a time");
        let found = Found::Wants(Noted { ownership, open, rows: Rows::default() });
        let _ = self.registry.note((&key, &age(pool).1), found, 1, now);
        let late =
            |change: &Change| Some((in_flight(change), TIMING.late_effects(change, shown)?.min(TIMING.unanswered)));
        self.registry.made(&key, history.iter().filter_map(late), now);
    }

    /// What the other object has against a change at this moment.
    pub fn obstacle(&mut self, pool: usize) -> Option<Obstacle> {
        let (key, now) = (key(pool), self.instant());
        self.registry.blocked_by(&key, &Realm::of(ACCOUNT), 1, now).map(|blocked| blocked.obstacle(&key))
    }

    /// What the other object wants of its pool.
    pub fn wanted_beside(&self, pool: usize) -> Vec<(&'static str, i32)> {
        self.registry.wanted_beside(&key(pool))
    }

    /// A request is about to leave.
    pub fn reserve(&mut self, pool: usize, intent: &Intent) {
        let (key, now) = (key(pool), self.instant());
        self.registry.reserve(&key, InFlight::of(intent), 1, now).expect("the decision has asked before");
    }

    /// What is open of an object from now on.
    pub fn set_open(&mut self, pool: usize, open: Option<&Intent>) {
        let (key, now) = (key(pool), self.instant());
        let _ = self.registry.set_open(&key, open.filter(|intent| intent.is_open()).map(InFlight::of), now);
    }

    /// A request has ended.
    pub fn ended(&mut self, pool: usize) {
        let (key, now) = (key(pool), self.instant());
        self.registry.request_ended(&key, now);
    }
}

fn fresh() -> Registry {
    Registry::new(TIMING.unanswered)
}

fn key(pool: usize) -> Key {
    ("it".into(), format!("object-{pool}"))
}

fn age(pool: usize) -> Age {
    (None, format!("uid-{pool}"))
}

fn in_flight(change: &Change) -> InFlight {
    InFlight { id: change.id.clone(), account: Realm::of(&change.account) }
}
