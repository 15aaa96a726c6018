//! One year of one object in virtual time: people join and leave, the wish is edited, the vendor fails, the operator is away, its
//! clock is set. The operator decides with its own code; what it sends is handed to the judge.

use std::time::Duration;

use jiff::Timestamp;
use seatkeeper::api::{Account, Intent, LicenseSeatsSpec, LicenseSeatsStatus, RecordOf, Trigger};
use seatkeeper::calendar::{self, Schedule};
use seatkeeper::domain::{
    self, Approvals, Calendar, Desired, DoubtClock, Finding, Learned, Model, Numbers, Opening, Outcome, Rules,
    Situation, Snapshot, Timing, Usage, Verdict,
};
use seatkeeper::vendors;
use serde_json::{Value, json};

use crate::judge::{Request, Rule};
use crate::table::Window;

pub const TIMING: Timing = Timing {
    answered: Duration::from_secs(300),
    unanswered: Duration::from_secs(1800),
    pause: Duration::from_secs(10),
    secret_recheck: Duration::from_secs(60),
};

/// How often the vendor is read at least.
const INTERVAL: i64 = 6 * 3600;

/// How the world treats a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Made,
    NotSent,
    LostAndMade,
    LostAndNotMade,
}

/// An object, its operator and its vendor.
pub struct Life<'a> {
    pub now: i64,
    /// How far the operator's clock is from the time of the world.
    pub shift: i64,
    pub reachable: bool,
    pub seats: i32,
    pub limit: Option<i32>,
    pub used: i32,
    pub wish: i32,
    pub suspended: bool,
    pub rule: Rule<'a>,
    pub status: LicenseSeatsStatus,
    pub requests: Vec<Request<'a>>,
    generation: i64,
    schedules: Vec<(String, Schedule)>,
    clock: DoubtClock<Duration>,
    desired: Desired,
}

impl<'a> Life<'a> {
    pub fn begin(now: i64, rule: Rule<'a>) -> Self {
        let (wish, seats) = (100, 100);
        let desired = desired(&rule, wish, false);
        let schedules = schedules(&rule);
        let status = LicenseSeatsStatus::default();
        Self {
            now,
            shift: 0,
            reachable: true,
            seats,
            limit: Some(seats),
            used: 80,
            wish,
            suspended: false,
            rule,
            status,
            requests: Vec::new(),
            generation: 1,
            schedules,
            clock: DoubtClock::default(),
            desired,
        }
    }

    /// The spec is edited.
    pub fn edit(&mut self, change: impl FnOnce(&mut Self)) {
        change(self);
        self.generation += 1;
        self.desired = desired(&self.rule, self.wish, self.suspended);
        self.schedules = schedules(&self.rule);
    }

    /// Another process takes over: what only the old one remembered is gone.
    pub fn restart(&mut self) {
        self.clock = DoubtClock::default();
    }

    /// What the operator's clock says.
    pub fn shown(&self) -> i64 {
        self.now + self.shift
    }

    fn elapsed_time(&self) -> Duration {
        Duration::from_secs(u64::try_from(self.now).expect("after 1970"))
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot {
            account: Account { vendor: "bitwarden".into(), host: Some("host".into()), id: Some("id".into()) },
            usage: Usage::Exact(self.used),
            model: Model::Quantity(Numbers { seats: self.seats, limit: self.limit }),
            rules: Rules::default(),
            billed: None,
            billed_is_old: false,
            capabilities: Vec::new(),
            license: None,
            concern: None,
        }
    }

    /// A pass, and those that follow it at once. Returns when to look again.
    pub fn pass(&mut self, fate: Fate) -> i64 {
        for _ in 0..4 {
            if !self.reachable {
                return self.now + INTERVAL;
            }
            let wait = self.one_pass(fate);
            if wait >= Duration::from_secs(6) {
                let seconds = i64::try_from(wait.as_secs()).unwrap_or(INTERVAL).saturating_add(1);
                return self.now + seconds.min(INTERVAL);
            }
            self.now += 2;
        }
        self.now + 6
    }

    fn one_pass(&mut self, fate: Fate) -> Duration {
        let now = Timestamp::from_second(self.shown()).expect("a time");
        let seen = self.snapshot();
        let decision = self.decide(&seen, now);
        let Learned { status, .. } = domain::after_decision(self.status.clone(), &decision);
        if let Verdict::Change(intent) = &decision.verdict {
            return self.request(&domain::before_request(status, intent), intent, fate, now);
        }
        self.clock.follow(decision.doubt.as_ref(), seen.numbers(), self.elapsed_time());
        let finding = Finding::Decided { desired: &self.desired, seen: &seen, decision: &decision };
        self.status = domain::report(&status, self.generation, &finding, now).status;
        decision.wake.unwrap_or(Duration::MAX)
    }

    fn decide(&self, seen: &Snapshot, now: Timestamp) -> domain::Decision {
        let openings: Vec<Opening> = self.schedules.iter().flat_map(|(name, one)| openings(name, one, now)).collect();
        let known = RecordOf { uid: "uid".into(), account: seen.account_key(), first_wish: None };
        let status = &self.status;
        domain::decide(&Situation {
            uid: "uid",
            generation: self.generation,
            confirmed: None,
            look: None,
            rotated: false,
            desired: &self.desired,
            seen,
            intent: status.intent.as_ref(),
            may_bill: status.may_bill.as_ref(),
            history: &status.history,
            license: None,
            published: status.plan.as_ref().and_then(|plan| plan.basis.as_deref()),
            elapsed: self.clock.elapsed(self.elapsed_time()).as_ref(),
            record: Some(&known),
            satisfied: false,
            obstacle: None,
            others: &[],
            stuck: &[],
            calendar: Calendar {
                openings: &openings,
                used: status.window.as_ref(),
                waits: status.next_window.as_ref(),
                planned: status.plan.as_ref(),
                current: status.observed_generation == self.generation,
            },
            approvals: Approvals::default(),
            timing: TIMING,
            writer: "writer",
            now,
        })
    }

    /// A request under its recorded intent, and what the operator learns of it.
    fn request(&mut self, recorded: &LicenseSeatsStatus, intent: &Intent, fate: Fate, now: Timestamp) -> Duration {
        let (base, target) = (intent.base(), intent.target());
        if fate != Fate::NotSent {
            self.requests.push(Request {
                at: self.shown(),
                rule: self.rule.clone(),
                raises: target.seats > base.seats || target.limit > base.limit,
                lowers: target.seats < base.seats,
                attempt: intent.attempt,
                urgent: intent.reason == Trigger::Urgent,
                free: base.seats - self.used,
            });
        }
        if matches!(fate, Fate::Made | Fate::LostAndMade) {
            (self.seats, self.limit) = (target.seats, target.limit);
        }
        let outcome = match fate {
            Fate::Made => Outcome::Accepted,
            Fate::NotSent => Outcome::NotSent("the operator is shutting down"),
            Fate::LostAndMade | Fate::LostAndNotMade => Outcome::Unanswered,
        };
        let read = (fate == Fate::Made).then(|| self.snapshot());
        self.clock.restart(domain::WaitFor::Request(intent.id.clone()), self.elapsed_time());
        self.status = domain::after_request(recorded.clone(), intent, &outcome, read.as_ref(), now).status;
        if fate == Fate::NotSent { Duration::from_secs(60) } else { Duration::from_secs(2) }
    }
}

fn openings(name: &str, schedule: &Schedule, now: Timestamp) -> Vec<Opening> {
    let begun = schedule.around(now).begun.into_iter().chain(schedule.openings(now).take(4));
    let named = |calendar::Opening { opens, closes }| Opening {
        name: name.to_owned(),
        opens,
        closes,
        local: schedule.local(opens),
    };
    begun.map(named).collect()
}

fn name(i: usize) -> String {
    format!("window-{i}")
}

fn schedules(rule: &Rule<'_>) -> Vec<(String, Schedule)> {
    let parse = |window: &Window<'_>| {
        let length = Duration::from_secs(u64::try_from(window.length).expect("a length"));
        Schedule::parse(window.row.schedule, window.row.zone, length).expect("a window that can be")
    };
    rule.windows.iter().enumerate().map(|(i, window)| (name(i), parse(window))).collect()
}

fn desired(rule: &Rule<'_>, wish: i32, suspended: bool) -> Desired {
    let windows: Vec<Value> = rule
        .windows
        .iter()
        .enumerate()
        .map(|(i, Window { row, length })| {
            let duration = format!("{}h", length / 3600);
            json!({ "name": name(i), "cron": { "schedule": row.schedule, "timeZone": row.zone, "duration": duration } })
        })
        .collect();
    let mut increase = json!({ "mode": "InWindow" });
    if let Some(below) = rule.urgent_below {
        increase["urgentBelowFreeSeats"] = json!(below);
    }
    let spec: LicenseSeatsSpec = serde_json::from_value(json!({
        "vendor": { "bitwarden": { "credentialsSecretRef": { "name": "key" } } },
        "seats": wish,
        "limit": { "mode": "Pinned" },
        "suspend": suspended,
        "adjustment": {
            "increase": increase,
            "decrease": { "mode": "InWindow" },
            "windows": windows,
            "maxChangesPerWindow": rule.most,
            "startingDeadline": format!("{}h", rule.deadline / 3600),
        },
    }))
    .expect("a spec");
    let (pool, _) = vendors::target(&spec.vendor).expect("a vendor");
    Desired::parse(&spec, pool, Duration::ZERO).expect("a spec that can be")
}
