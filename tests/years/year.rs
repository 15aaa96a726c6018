//! One object in a year of virtual time: its wish is edited, the vendor fails, the operator is away, its clock is set. The
//! operator decides with its own code; what it sends is handed to the judge.

use std::time::Duration;

use jiff::Timestamp;
use pure::api::{Intent, LicenseSeatsSpec, LicenseSeatsStatus, PlanBlock, Product, RecordOf, Trigger};
use pure::domain::{
    self, Desired, DoubtClock, Finding, Learned, Opening, Outcome, Peer, Situation, Snapshot, Stuck, Verdict,
};
use serde_json::{Value, json};

use crate::account::{Account, PoolState};
use crate::judge::{Request, Rule};
use crate::situation::{self, Object, Schedules, openings, schedules, situation};
use crate::table::{Window, stretch_at};

/// How often the vendor is read at least: the longest `interval` of a spec. Whatever happens wakes an object, so most of these
/// readings show what the one before did.
const INTERVAL: i64 = 24 * 3600;

/// How the world treats a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Made,
    NotSent,
    LostAndMade,
    LostAndNotMade,
}

/// What is written in a spec.
#[derive(Clone)]
pub struct Wish<'a> {
    pub seats: i32,
    pub suspended: bool,
    pub rule: Rule<'a>,
}

/// An object, and what the operator remembers of it.
pub struct Life<'a> {
    /// Its pool: 0 or 1.
    pub pool: usize,
    pub wish: Wish<'a>,
    pub status: LicenseSeatsStatus,
    pub requests: Vec<Request<'a>>,
    /// When it is looked at again.
    pub next: i64,
    /// The open stretch in which the other pool alone kept its change.
    pub kept_by_other: Option<(i64, i64)>,
    /// When the spec was edited last: by the world's clock, and by the operator's as it was then.
    edited: (i64, i64),
    generation: i64,
    schedules: Schedules,
    /// From when to when the openings that were asked for last stay the same.
    openings: (i64, i64, Vec<Opening>),
    clock: DoubtClock<Duration>,
    desired: Desired,
}

const PRODUCTS: [Product; 2] = [Product::PasswordManager, Product::SecretsManager];

/// The pool of a product.
pub fn pool(product: usize, seats: i32, used: i32) -> PoolState {
    PoolState { name: situation::pool(PRODUCTS[product]).name, seats, limit: Some(seats), used }
}

impl<'a> Life<'a> {
    pub fn begin(account: &Account, pool: usize, rule: Rule<'a>) -> Self {
        let wish = Wish { seats: account.pools[pool].seats, suspended: false, rule };
        let desired = desired(pool, &wish);
        Self {
            pool,
            status: LicenseSeatsStatus::default(),
            requests: Vec::new(),
            next: account.now,
            kept_by_other: None,
            edited: (account.now, account.now),
            generation: 1,
            schedules: schedules(&desired.adjustment),
            openings: (0, 0, Vec::new()),
            clock: DoubtClock::default(),
            desired,
            wish,
        }
    }

    /// The spec is edited, which is seen at once.
    pub fn edit(&mut self, account: &Account, change: impl FnOnce(&mut Wish<'a>)) {
        change(&mut self.wish);
        self.generation += 1;
        self.edited = (account.now, account.shown());
        self.desired = desired(self.pool, &self.wish);
        self.next = account.now + 1;
    }

    /// Its windows are edited.
    pub fn edit_rule(&mut self, account: &Account, rule: Rule<'a>) {
        self.edit(account, |wish| wish.rule = rule);
        self.schedules = schedules(&self.desired.adjustment);
        self.openings = (0, 0, Vec::new());
    }

    /// Another process takes over: what only the old one remembered is gone.
    pub fn restart(&mut self, account: &Account) {
        self.clock = DoubtClock::default();
        self.next = account.now + 1;
    }

    /// What is said of it to the other object, where nothing goes on of its change.
    pub fn stuck(&self, name: &'static str) -> Option<Stuck> {
        let still = domain::stands_still(&self.status)?;
        Some(Stuck { pool: name, peer: Peer::Here("other".into()), still })
    }

    /// Whether a window alone keeps its change.
    pub fn waits_for_window(&self) -> bool {
        self.status.plan.as_ref().is_some_and(|plan| plan.blocked_by == [PlanBlock::Window])
    }

    /// Whether a window is open in which a request left.
    pub fn has_used_an_open_window(&self, account: &Account) -> bool {
        let open = stretch_at(&self.wish.rule.windows, account.shown());
        open.is_some_and(|(opens, closes)| self.requests.iter().any(|one| (opens..closes).contains(&one.at)))
    }

    fn snapshot(&self, account: &Account) -> Snapshot {
        situation::snapshot(account.pools[self.pool].used, account.numbers(self.pool), account.rules(self.pool))
    }

    /// A pass, and those that follow it at once.
    pub fn pass(&mut self, account: &mut Account, stuck: &[Stuck], fate: Fate) {
        for _ in 0..4 {
            // Also of a suspended object, as the operator does.
            account.note(self.pool, Some(self.wish.seats), self.status.intent.as_ref(), &self.status.history);
            if !account.reachable {
                self.next = account.now + INTERVAL;
                return;
            }
            let wait = self.one_pass(account, stuck, fate);
            if wait >= Duration::from_secs(6) {
                let seconds = i64::try_from(wait.as_secs()).unwrap_or(INTERVAL).saturating_add(1);
                self.next = account.now + seconds.min(INTERVAL);
                return;
            }
            account.now += 2;
        }
        self.next = account.now + 6;
    }

    fn one_pass(&mut self, account: &mut Account, stuck: &[Stuck], fate: Fate) -> Duration {
        let now = Timestamp::from_second(account.shown()).expect("a time");
        let seen = self.snapshot(account);
        self.look_at_openings(now);
        let decision = self.decide(account, stuck, &seen, now);
        let Learned { status, .. } = domain::after_decision(self.status.clone(), &decision);
        if let Verdict::Change(intent) = &decision.verdict {
            account.reserve(self.pool, intent);
            return self.request(account, &domain::before_request(status, intent), intent, fate);
        }
        account.set_open(self.pool, decision.intent.as_ref());
        self.clock.follow(decision.doubt.as_ref(), seen.numbers(), elapsed(account));
        let finding = Finding::Decided { desired: &self.desired, seen: &seen, decision: &decision };
        self.status = domain::report(&status, self.generation, &finding, now).status;
        let blocks = self.status.plan.as_ref().map_or(&[][..], |plan| &plan.blocked_by);
        if blocks == [PlanBlock::OtherPool] {
            let open = stretch_at(&self.wish.rule.windows, account.shown());
            self.kept_by_other = self.kept_by_other.or(open);
        }
        let wait = decision.wake.unwrap_or(Duration::MAX);
        if blocks.contains(&PlanBlock::OtherPool) && wait > Duration::from_secs(6) {
            // The other object wakes it. That it looks itself every few seconds, for months, is not played.
            let opens = self.openings.1.saturating_sub(account.shown());
            return Duration::from_secs(u64::try_from(opens).unwrap_or_default());
        }
        wait
    }

    /// Until a window opens the same openings are near: they are asked for once.
    fn look_at_openings(&mut self, now: Timestamp) {
        let (from, to, _) = self.openings;
        if (from..to).contains(&now.as_second()) {
            return;
        }
        let near = openings(&self.schedules, now);
        let next = near.iter().filter(|opening| opening.opens > now).map(|opening| opening.opens.as_second()).min();
        self.openings = (now.as_second(), next.unwrap_or(i64::MAX), near);
    }

    fn decide(&self, account: &mut Account, stuck: &[Stuck], seen: &Snapshot, now: Timestamp) -> domain::Decision {
        let known = RecordOf { uid: "uid".into(), account: seen.account_key(), first_wish: None };
        let obstacle = account.obstacle(self.pool);
        let object = Object { desired: &self.desired, generation: self.generation, status: &self.status };
        domain::decide(&Situation {
            elapsed: self.clock.elapsed(elapsed(account)).as_ref(),
            record: Some(&known),
            obstacle: obstacle.as_ref(),
            others: &account.wanted_beside(self.pool),
            stuck,
            ..situation(object, seen, &self.openings.2, now)
        })
    }

    /// A request under its recorded intent, and what the operator learns of it.
    fn request(
        &mut self,
        account: &mut Account,
        recorded: &LicenseSeatsStatus,
        intent: &Intent,
        fate: Fate,
    ) -> Duration {
        let (base, target, shown) = (intent.base(), intent.target(), account.shown());
        let (edited, as_shown) = self.edited;
        let free = base.seats - account.pools[self.pool].used;
        let mut refused = false;
        if matches!(fate, Fate::Made | Fate::LostAndMade) {
            refused = account.set(self.pool, target);
        }
        if fate != Fate::NotSent {
            self.requests.push(Request {
                at: shown,
                rule: self.wish.rule.clone(),
                raises: target.seats > base.seats || target.limit > base.limit,
                lowers: target.seats < base.seats,
                attempt: intent.attempt,
                generation: self.generation,
                lost: matches!(fate, Fate::LostAndMade | Fate::LostAndNotMade),
                urgent: intent.reason == Trigger::Urgent,
                free,
                suspended: self.wish.suspended,
                edited: (edited + account.shift).min(as_shown),
                refused,
            });
        }
        let outcome = match fate {
            Fate::Made => Outcome::Accepted,
            Fate::NotSent => Outcome::NotSent("the operator is shutting down"),
            Fate::LostAndMade | Fate::LostAndNotMade => Outcome::Unanswered,
        };
        let now = Timestamp::from_second(shown).expect("a time");
        let read = (fate == Fate::Made).then(|| self.snapshot(account));
        self.clock.restart(domain::WaitFor::Request(intent.id.clone()), elapsed(account));
        self.status = domain::after_request(recorded.clone(), intent, &outcome, read.as_ref(), now).status;
        account.ended(self.pool);
        account.set_open(self.pool, self.status.intent.as_ref());
        if fate == Fate::NotSent { Duration::from_secs(60) } else { Duration::from_secs(2) }
    }
}

fn elapsed(account: &Account) -> Duration {
    Duration::from_secs(u64::try_from(account.now).expect("after 1970"))
}

fn name(renamed: u32, i: usize) -> String {
    format!("window-{renamed}-{i}")
}

fn spec(product: usize, wish: &Wish<'_>) -> LicenseSeatsSpec {
    let Rule { windows, renamed, most, deadline, urgent_below } = &wish.rule;
    let windows = windows.iter().enumerate().map(|(i, Window { row, length })| {
        let duration = format!("{}h", length / 3600);
        json!({ "name": name(*renamed, i), "cron": { "schedule": row.schedule, "timeZone": row.zone, "duration": duration } })
    });
    let mut increase = json!({ "mode": "InWindow" });
    if let Some(below) = urgent_below {
        increase["urgentBelowFreeSeats"] = json!(below);
    }
    let product = PRODUCTS[product];
    serde_json::from_value(json!({
        "vendor": { "bitwarden": { "product": product, "credentialsSecretRef": { "name": "key" } } },
        "seats": wish.seats,
        "limit": { "mode": "Pinned" },
        "suspend": wish.suspended,
        "adjustment": {
            "increase": increase,
            "decrease": { "mode": "InWindow" },
            "windows": windows.collect::<Vec<Value>>(),
            "maxChangesPerWindow": most,
            "startingDeadline": format!("{}h", deadline / 3600),
        },
    }))
    .expect("a spec")
}

fn desired(product: usize, wish: &Wish<'_>) -> Desired {
    situation::desired(&spec(product, wish))
}
