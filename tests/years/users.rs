//! The year of three users, and that of a subscription with its renewal, as docs/policies.md tells them: the specs are those of
//! examples/, and STATUS is what the operator's own code says of them.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use pure::api::{License, LicenseSeatsSpec, LicenseSeatsStatus, LicenseState};
use pure::domain::{
    self, Approval, Approvals, Desired, DoubtClock, Finding, Numbers, Outcome, Rules, Situation, Snapshot, Verdict,
};
use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::situation::{Object, Schedules, desired, openings, schedules, situation, snapshot};

/// The vendor is read this often while something goes on, and once a day at least.
const SOON: Duration = Duration::from_secs(360);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// An object of an example, its organization, and what happened to them.
struct User {
    spec: Value,
    desired: Desired,
    schedules: Schedules,
    seats: i32,
    limit: Option<i32>,
    used: i32,
    /// The end of the period, where the key shows it.
    period_end: Option<Timestamp>,
    approvals: Vec<Approval>,
    status: LicenseSeatsStatus,
    clock: DoubtClock<Duration>,
    now: Timestamp,
    generation: i64,
    purchases: usize,
    rows: Vec<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The LicenseSeats of an example.
fn example(file: &str) -> Value {
    let text = fs::read_to_string(root().join("examples").join(file)).expect("an example");
    let first = serde_yaml::Deserializer::from_str(&text).next().expect("a document");
    Value::deserialize(first).expect("YAML")["spec"].take()
}

fn at(text: &str) -> Timestamp {
    format!("{text}:00Z").replace(' ', "T").parse().expect("a time")
}

impl User {
    /// From the first second of 2026, with so many seats, a pinned limit, and so many in use.
    fn of(file: &str, seats: i32, used: i32) -> Self {
        let spec = example(file);
        let (desired, schedules) = checked(&spec);
        let mut user = Self {
            spec,
            desired,
            schedules,
            seats,
            limit: Some(seats),
            used,
            period_end: None,
            approvals: Vec::new(),
            status: LicenseSeatsStatus::default(),
            clock: DoubtClock::default(),
            now: at("2026-01-01 00:00"),
            generation: 1,
            purchases: 0,
            rows: Vec::new(),
        };
        user.settle();
        user
    }

    /// A merge patch of the spec.
    fn edit(&mut self, field: &str, value: Value) {
        self.spec[field] = value;
        (self.desired, self.schedules) = checked(&self.spec);
        self.generation += 1;
    }

    /// A yes to the plan that is shown, or another SeatApproval.
    fn approve(&mut self, name: &str, more: &Value) {
        let mut spec = json!({ "licenseSeatsRef": { "name": "acme-approval" }, "decision": "Approved" });
        if more.get("upTo").is_none() {
            spec["planId"] = json!(self.status.plan.as_ref().expect("a plan").id);
        }
        spec.as_object_mut().expect("a map").extend(more.as_object().expect("a map").clone());
        self.approvals
            .push(Approval { name: name.to_owned(), spec: serde_json::from_value(spec).expect("an approval") });
    }

    /// What happens at a time, and what STATUS says once the operator has done what it may.
    fn row(&mut self, time: &str, words: &str, happens: impl FnOnce(&mut Self)) {
        let time = at(time);
        while self.now < time {
            let wake = self.pass().clamp(SOON, DAY);
            let left = Duration::try_from(self.now.duration_until(time)).unwrap_or_default();
            self.now += SignedDuration::try_from(wake.min(left)).expect("a duration");
        }
        happens(self);
        self.settle();
        let status = self.status.summary.as_deref().unwrap_or_default();
        let (day, seats, used) = (time.strftime("%-d %b"), self.seats, self.used);
        self.rows.push(format!("| {day} | {words} | {seats} | {used} | `{status}` |\n"));
    }

    fn settle(&mut self) {
        for _ in 0..12 {
            self.pass();
            self.now += SignedDuration::try_from(SOON).expect("a duration");
        }
    }

    fn seen(&self) -> Snapshot {
        let license =
            self.period_end.map(|end| License { period_end: Some(Time(end)), ..License::of(LicenseState::Active) });
        let numbers = Numbers { seats: self.seats, limit: self.limit };
        Snapshot { license, ..snapshot(self.used, numbers, Rules::default()) }
    }

    fn elapsed(&self) -> Duration {
        Duration::try_from(self.now.duration_since(Timestamp::UNIX_EPOCH)).expect("after 1970")
    }

    /// One pass. Returns when the next one is due at the latest.
    fn pass(&mut self) -> Duration {
        let (seen, now) = (self.seen(), self.now);
        let desired = self.desired.clone().sized(&seen, self.status.sizing.as_ref(), now);
        let decision = self.decide(&desired, &seen);
        let learned = domain::after_decision(self.status.clone(), &decision);
        if let Verdict::Change(intent) = &decision.verdict {
            let recorded = domain::before_request(learned.status, intent);
            (self.seats, self.limit) = (intent.target().seats, intent.target().limit);
            self.purchases += usize::from(intent.base().seats != intent.target().seats);
            let read = self.seen();
            self.clock.restart(domain::WaitFor::Request(intent.id.clone()), self.elapsed());
            let after = domain::after_request(recorded, intent, &Outcome::Accepted, Some(&read), now);
            self.status = after.status;
            return SOON;
        }
        self.clock.follow(decision.doubt.as_ref(), seen.numbers(), self.elapsed());
        let finding = Finding::Decided { desired: &desired, seen: &seen, decision: &decision };
        self.status = domain::report(&learned.status, self.generation, &finding, now).status;
        decision.wake.unwrap_or(DAY)
    }

    fn decide(&self, desired: &Desired, seen: &Snapshot) -> domain::Decision {
        let (status, satisfaction) = (&self.status, domain::satisfaction(desired, &seen.account_key()));
        let object = Object { desired, generation: self.generation, status };
        domain::decide(&Situation {
            elapsed: self.clock.elapsed(self.elapsed()).as_ref(),
            record: status.record_of.as_ref(),
            satisfied: domain::in_sync_before(status, self.generation, &satisfaction),
            approvals: Approvals {
                given: &self.approvals,
                unread: None,
                shown: status.last_plan.as_ref(),
                agreed: domain::agreed_for(status, &seen.account_key()),
            },
            ..situation(object, seen, &openings(&self.schedules, self.now), self.now)
        })
    }

    /// The table, and what became of the year.
    fn table(mut self, last: &str) -> String {
        self.row("2026-12-31 12:00", last, |_| {});
        format!("| 2026 | What happens | SEATS | USED | STATUS |\n|---|---|---|---|---|\n{}", self.rows.concat())
    }
}

fn checked(spec: &Value) -> (Desired, Schedules) {
    let spec: LicenseSeatsSpec = serde_json::from_value(spec.clone()).expect("a spec");
    let desired = desired(&spec);
    let schedules = schedules(&desired.adjustment);
    (desired, schedules)
}

/// One change a month: examples/bitwarden-monthly.yaml.
fn accounting() -> String {
    let mut user = User::of("bitwarden-monthly.yaml", 105, 92);
    user.row("2026-01-12 09:00", "Five colleagues are hired: `seats: 110`", |user| user.edit("seats", json!(110)));
    user.row("2026-01-20 09:00", "Five more: `seats: 115`. The two are one change", |user| {
        user.edit("seats", json!(115))
    });
    let opened = "The window has opened at 6:00 in Berlin. Twelve people have joined since January";
    user.row("2026-02-02 07:00", opened, |user| user.used = 104);
    user.row("2026-02-02 08:30", "Another edit in the same window: `seats: 118`", |user| {
        user.edit("seats", json!(118))
    });
    user.row("2026-02-20 09:00", "Eleven more join and take the last seat: the three are bought at once", |user| {
        user.used = 115
    });
    user.row("2026-07-15 09:00", "Fifteen have left: `seats: 108`", |user| {
        user.used = 100;
        user.edit("seats", json!(108));
    });
    user.row("2026-08-03 07:00", "The window has opened", |_| {});
    let made = user.purchases;
    user.table(&format!("The year is over. The seats were changed {} times", word(made)))
}

/// Seats that follow the use: examples/bitwarden-sized.yaml.
fn growing() -> String {
    let mut user = User::of("bitwarden-sized.yaml", 110, 92);
    user.row("2026-02-02 09:00", "Directory sync brings nine people", |user| user.used = 101);
    let joined = "A department of 30 joins on one day. The seats follow in two changes, for `maxIncrease` is 20";
    user.row("2026-04-13 09:00", joined, |user| user.used = 131);
    user.row("2026-07-06 09:00", "20 people are on leave", |user| user.used = 111);
    user.row("2026-07-17 09:00", "They are back", |user| user.used = 131);
    user.row("2026-09-01 09:00", "25 people leave for good", |user| user.used = 106);
    user.row("2026-09-16 09:00", "Two weeks later", |_| {});
    let made = user.purchases;
    user.table(&format!("The year is over. The seats were changed {} times", word(made)))
}

/// One of 40 organizations of a provider, with approvals by a person who may do nothing else: examples/bitwarden-approval.yaml.
fn provider() -> String {
    let mut user = User::of("bitwarden-approval.yaml", 130, 92);
    let within =
        "The customer asks for 140 seats: `seats: 140`. `agreedSeats` is 130, so only more than 140 needs a yes";
    user.row("2026-02-03 09:00", within, |user| user.edit("seats", json!(140)));
    user.row("2026-03-10 09:00", "And for 150, which is 20 above `agreedSeats`", |user| user.edit("seats", json!(150)));
    user.row("2026-03-10 11:00", "The approver creates a SeatApproval with the plan's id", |user| {
        user.approve("march", &json!({}))
    });
    user.row("2026-05-04 09:00", "A script asks for 195", |user| user.edit("seats", json!(195)));
    user.row("2026-05-04 10:00", "It is corrected to 155", |user| user.edit("seats", json!(155)));
    user.row("2026-06-01 09:00", "The budget of the half-year: a SeatApproval with `upTo: 180`", |user| {
        user.approve("half-year", &json!({ "upTo": 180, "validUntil": "2026-12-31T00:00:00Z" }));
    });
    user.row("2026-06-02 09:00", "`seats: 175`", |user| user.edit("seats", json!(175)));
    user.row("2026-11-02 09:00", "The customer gives seats back: `seats: 160`", |user| user.edit("seats", json!(160)));
    user.row("2026-11-02 10:00", "The approver says yes", |user| user.approve("november", &json!({})));
    let made = user.purchases;
    user.table(&format!("The year is over. The seats were changed {} times", word(made)))
}

/// Seats are given back before the subscription renews on 1 September: examples/bitwarden-before-renewal.yaml.
fn renewing() -> String {
    let mut user = User::of("bitwarden-before-renewal.yaml", 90, 80);
    user.period_end = Some(at("2026-09-01 00:00"));
    user.row("2026-03-02 09:00", "Five leave: `seats: 85`", |user| {
        user.used = 75;
        user.edit("seats", json!(85));
    });
    user.row("2026-05-11 09:00", "Ten are hired: `seats: 95`. They do not wait", |user| user.edit("seats", json!(95)));
    user.row("2026-07-06 09:00", "A project is over: `seats: 80`", |user| user.edit("seats", json!(80)));
    user.row("2026-08-30 00:30", "48 hours before the end of the period", |_| {});
    user.row("2026-08-31 23:00", "`seats: 78`. The window has closed two hours before the end", |user| {
        user.edit("seats", json!(78));
    });
    user.row("2026-09-01 09:00", "The subscription has renewed until 1 September 2027", |user| {
        user.period_end = Some(at("2027-09-01 00:00"));
    });
    let made = user.purchases;
    user.table(&format!("The year is over. The seats were changed {} times", word(made)))
}

fn word(number: usize) -> &'static str {
    const WORDS: [&str; 11] = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    WORDS.get(number).expect("a small number")
}

/// What docs/policies.md tells of them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// The years as they are.
    Yes,
    /// Others.
    No,
    /// They were written now.
    Anew,
}

/// Whether docs/policies.md tells the years as they are; `UPDATE_DOCS=1` writes them.
pub fn are_told() -> Told {
    let path = root().join("docs/policies.md");
    let mut page = fs::read_to_string(&path).expect("docs/policies.md");
    let before = page.clone();
    for (name, table) in
        [("accounting", accounting()), ("growing", growing()), ("provider", provider()), ("renewing", renewing())]
    {
        let (begin, end) = (format!("<!-- the year: {name} -->\n"), "<!-- end -->");
        let (from, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("docs/policies.md has no {begin}"));
        let (_, to) = rest.split_once(end).expect("its end");
        page = format!("{from}{begin}\n{table}\n{end}{to}");
    }
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &page).expect("docs/policies.md");
        return Told::Anew;
    }
    if page == before {
        return Told::Yes;
    }
    eprintln!("docs/policies.md tells other years than the code: refresh them with make generate");
    Told::No
}
