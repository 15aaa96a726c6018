//! Decisions as stories: a situation is built, something is said about what follows.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::*;
use crate::api::*;

mod approval;
mod decision;
mod desired;
mod drift_report;
mod first_sight;
mod former;
mod guardrails;
mod intent;
mod keys;
mod late_turn;
mod outage;
mod outcome;
mod pages;
mod properties;
mod readings;
mod report;
pub(super) mod samples;
mod satisfied;
mod sizing;
mod standby;
mod states;
mod windows;
mod wish;
mod words;

const SETTLED: Duration = Duration::from_secs(3600);
const TIMING: Timing = Timing {
    answered: Duration::from_secs(300),
    unanswered: Duration::from_secs(1800),
    pause: Duration::from_secs(10),
    secret_recheck: Duration::from_secs(30),
};

/// A situation: 100 seats with limit 100 and 80 used at the vendor, 150 pinned seats wanted, plan published.
#[derive(Debug)]
struct Story {
    desired: Desired,
    seen: Snapshot,
    generation: i64,
    confirmed: Option<String>,
    look: Option<String>,
    rotated: bool,
    may_bill: Option<MayBill>,
    intent: Option<Intent>,
    history: Vec<Change>,
    published: bool,
    elapsed: Option<Elapsed>,
    /// Unless `elapsed` says otherwise, the late effects of the newest change are over, and the same was read since.
    late_over: bool,
    obstacle: Option<Obstacle>,
    record: Option<RecordOf>,
    others: Vec<(&'static str, i32)>,
    stuck: Vec<Stuck>,
    satisfied: bool,
}

fn n(seats: i32, limit: Option<i32>) -> Numbers {
    Numbers { seats, limit }
}

fn seats_step(from: Numbers, to: Numbers) -> Step {
    Step::Seats(SeatsStep { from: from.seats, to: to.seats, limit_from: from.limit, limit_to: to.limit })
}

fn request(id: &str) -> WaitFor {
    WaitFor::Request(id.into())
}

/// A status but for when the vendor was read, which is recorded once in a while.
fn untimed(status: &LicenseSeatsStatus) -> LicenseSeatsStatus {
    LicenseSeatsStatus { last_observed_at: None, ..status.clone() }
}

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

/// A vendor that does not exist.
const ACME: VendorWords = VendorWords {
    key: "acme",
    name: "Acme",
    account: "team",
    keys_field: "spec.vendor.acme.keys",
    full: "takes no more users",
};

/// The most seats that it can keep.
const MAX_SEATS: i32 = 30_000;

fn pool(goal: Goal) -> Pool {
    Pool {
        vendor: &ACME,
        name: "Seats",
        secrets: vec!["key".into()],
        most_seats: MAX_SEATS,
        frees: ("remove or revoke", "members"),
        every_use: Some("a key of the chief"),
        goal,
    }
}

/// That of an object that has seen the account in sync.
fn record() -> RecordOf {
    RecordOf { uid: "uid".into(), account: "api.test/one".into(), first_wish: None }
}

/// The report of a story whose plan is published, over a status that has its records.
fn reported(story: &Story) -> Report {
    let decision = story.follow();
    let finding = Finding::Decided { desired: &story.desired, seen: &story.seen, decision: &decision };
    let old = LicenseSeatsStatus { history: story.history.clone(), ..LicenseSeatsStatus::default() };
    report(&old, 3, &finding, now())
}

/// A condition as `Status/Reason`, with its message; empty where it is not there.
fn said(status: &LicenseSeatsStatus, kind: &str) -> (String, String) {
    let condition = status.conditions.iter().find(|condition| condition.type_ == kind);
    condition.map_or_else(Default::default, |c| (format!("{}/{}", c.status, c.reason), c.message.clone()))
}

fn rules() -> Rules {
    Rules {
        support: Support { cannot_clear_limit: Some("cannot clear".into()), ..Support::default() },
        at_least: vec![],
        at_most: vec![Bound { seats: MAX_SEATS, because: "it wraps".into(), pool: None }],
    }
}

fn story() -> Story {
    let account = Account { vendor: "acme".into(), host: Some("api.test".into()), id: Some("one".into()) };
    Story {
        desired: Desired {
            pool: pool(Goal::Quantity),
            seats: Some(150),
            approval: ApprovalPolicy::default(),
            asked: String::new(),
            sizing: None,
            size: None,
            limit: LimitGoal::Pinned,
            guardrails: Guardrails::default(),
            ceilings: Ceilings::default(),
            policy: ManagementPolicy::Manage,
            adjustment: ChangeTimes::default(),
            drift: DriftPolicy::Correct,
            standing: Standing::Everywhere,
            suspended: false,
            thresholds: Thresholds::default(),
            expiry: vec![],
            interval: Duration::from_secs(600),
        },
        seen: Snapshot {
            account,
            usage: Usage::AtLeast(80),
            model: Model::Quantity(n(100, Some(100))),
            rules: rules(),
            billed: None,
            billed_is_old: false,
            capabilities: vec![],
            license: None,
            concern: None,
        },
        generation: 3,
        confirmed: None,
        look: None,
        rotated: false,
        may_bill: None,
        intent: None,
        history: vec![],
        published: true,
        elapsed: None,
        late_over: false,
        obstacle: None,
        record: Some(record()),
        others: vec![],
        stuck: vec![],
        satisfied: false,
    }
}

impl Story {
    fn wants(mut self, seats: i32, limit: LimitGoal) -> Self {
        (self.desired.seats, self.desired.limit) = (Some(seats), limit);
        self
    }
    fn shows(mut self, seats: i32, limit: Option<i32>) -> Self {
        self.seen.model = Model::Quantity(n(seats, limit));
        self
    }
    fn uses(mut self, usage: Usage) -> Self {
        self.seen.usage = usage;
        self
    }
    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
    /// The vendor allows 150 seats only once another pool of the account has grown, and nothing goes on of that as the status of its
    /// object says.
    fn behind(mut self, other: &LicenseSeatsStatus) -> Self {
        self.seen.rules.at_most.push(Bound { seats: 120, because: "of People".into(), pool: Some("People") });
        self.others.push(("People", 150));
        let still = stands_still(other).unwrap();
        self.stuck.push(Stuck { pool: "People", peer: Peer::Here("people".into()), still });
        self
    }
    /// An intent of 100 to 150 is recorded in this phase, first seen this long ago.
    fn open(mut self, phase: IntentPhase, since: Duration) -> Self {
        self.intent = Some(Intent {
            id: "i1".into(),
            object_uid: "uid".into(),
            generation: 3,
            wish: None,
            account: "api.test/one".into(),
            step: seats_step(n(100, Some(100)), n(150, Some(150))),
            used: Some(80),
            attempt: 1,
            reason: Trigger::SpecDiffers,
            phase,
            refused: None,
            answered: 0,
            next_try: None,
            look: None,
            window: None,
            approval: None,
            time: Time(now()),
        });
        let wait = match phase {
            IntentPhase::Answered => WaitFor::LateEffects("i1".into()),
            _ => WaitFor::Request("i1".into()),
        };
        self.elapsed = Some(Elapsed { wait, since, settled: None });
        self
    }
    fn attempt(mut self, attempt: i32) -> Self {
        self.intent.as_mut().unwrap().attempt = attempt;
        self
    }
    /// After the settle time these numbers were read already, longer ago than the pause.
    fn read_before(mut self, numbers: Numbers) -> Self {
        self.elapsed.as_mut().unwrap().settled = Some((numbers, TIMING.pause));
        self
    }
    /// Seatkeeper made this change this many hours ago. The late effects of the newest one, which is the first, are over.
    #[expect(clippy::too_many_arguments, reason = "one line for each change of a test's history")]
    fn made(mut self, from: i32, to: i32, hours: i64, attempt: i32, reason: Trigger) -> Self {
        self.late_over = true;
        self.history.push(Change {
            id: format!("c{}", self.history.len()),
            account: "api.test/one".into(),
            step: seats_step(n(from, Some(from)), n(to, Some(to))),
            generation: 3,
            wish: None,
            attempt,
            reason,
            window: None,
            approval: None,
            time: Time(now() - SignedDuration::from_hours(hours)),
        });
        self
    }
    fn decided(&self) -> Decision {
        self.decided_at(None, now())
    }
    fn decided_at(&self, published: Option<&str>, now: Timestamp) -> Decision {
        let late = self.late_over.then(|| Elapsed {
            wait: WaitFor::LateEffects("c0".into()),
            since: SETTLED,
            settled: self.seen.numbers().map(|numbers| (numbers, TIMING.pause)),
        });
        let elapsed = self.elapsed.as_ref().or(late.as_ref());
        decide(&Situation { elapsed, ..self.situation(published, now) })
    }
    fn situation<'a>(&'a self, published: Option<&'a str>, now: Timestamp) -> Situation<'a> {
        Situation {
            uid: "uid",
            generation: self.generation,
            confirmed: self.confirmed.as_deref(),
            look: self.look.as_deref(),
            rotated: self.rotated,
            may_bill: self.may_bill.as_ref(),
            desired: &self.desired,
            seen: &self.seen,
            intent: self.intent.as_ref(),
            history: &self.history,
            license: None,
            published,
            elapsed: self.elapsed.as_ref(),
            obstacle: self.obstacle.as_ref(),
            record: self.record.as_ref(),
            others: &self.others,
            stuck: &self.stuck,
            satisfied: self.satisfied,
            calendar: Calendar::default(),
            approvals: Approvals::default(),
            activity: ActivePast::default(),
            timing: TIMING,
            writer: "me",
            now,
        }
    }
    /// Decides as after the plan was published, if there is one.
    fn verdict(&self) -> Verdict {
        self.follow().verdict
    }
    fn follow(&self) -> Decision {
        self.follow_at(now())
    }
    fn follow_at(&self, now: Timestamp) -> Decision {
        let first = self.decided_at(None, now);
        match (&first.verdict, &first.plan) {
            (Verdict::Publish, Some(plan)) if self.published => self.decided_at(plan.basis.as_deref(), now),
            _ => first,
        }
    }
    /// The request that would be sent.
    fn sends(&self) -> Option<(Numbers, Numbers, i32)> {
        match self.verdict() {
            Verdict::Change(intent) => Some((intent.base(), intent.target(), intent.attempt)),
            _ => None,
        }
    }
    fn holds(&self) -> Vec<Hold> {
        match self.verdict() {
            Verdict::Held(holds) => holds,
            other => panic!("not held but {other:?}"),
        }
    }
}
