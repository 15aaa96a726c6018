//! License keys as stories: what the account lists, what is recorded, and what follows.

use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

mod answers;
mod approvals;
mod awaited;
mod ends;
mod in_windows;
mod properties;
mod records;
mod standby;
mod stories;

const UID: &str = "uid";

fn reference(name: &str) -> SecretKeyRef {
    SecretKeyRef { name: name.into(), key: "licenseKey".into() }
}

fn print(name: &str) -> String {
    fingerprint(UID, name.as_bytes())
}

pub(super) fn row(id: i64, seats: i32) -> Row {
    Row {
        id,
        uuid: format!("u{id}"),
        seats: Some(seats),
        expires: None,
        hard: None,
        invalidated: false,
        odd: None,
        features: Some(vec![]),
    }
}

fn wanted(name: &str) -> WantedKey {
    WantedKey { reference: reference(name), adopt: None, fingerprint: Ok(print(name)) }
}

fn record(name: &str, row: &Row, origin: KeyOrigin) -> KeyRecord {
    KeyRecord {
        secret_key_ref: Some(reference(name)),
        fingerprint: Some(print(name)),
        id: Some(row.id),
        uuid: Some(row.uuid.clone()),
        origin: Some(origin),
        state: KeyState::Active,
        seats: row.seats,
        expires_at: row.expires.map(Time),
        hard_expiration: None,
        features: row.features.clone().unwrap_or_default(),
        asked: None,
    }
}

/// An account with its records. Nothing is listed, nothing recorded; 10 users; the sum of the rows are its seats.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    desired: Desired,
    ring: KeyRing,
    seats: Option<i32>,
    used: i32,
    license: License,
    pub(super) intent: Option<Intent>,
    pub(super) history: Vec<Change>,
    published: bool,
    elapsed: Option<Elapsed>,
    confirmed: Option<String>,
    /// The object has no record of the account.
    unrecorded: bool,
    uid: &'static str,
    /// Windows in which a change may be made.
    openings: Vec<Opening>,
    /// SeatApprovals of the object, and the plan that was shown last.
    given: Vec<Approval>,
    shown: Option<ShownPlan>,
}

pub(super) fn keys() -> Keys {
    let pool = pool(Goal::Keys { keys: vec![], prune: false });
    let own = KeysOf { object_uid: UID.into(), account: "keys.test/keys.test".into() };
    Keys {
        desired: Desired { pool, seats: None, limit: LimitGoal::Keep, ..story().desired },
        ring: KeyRing { can_add_user: Some(true), ..KeyRing::default() },
        seats: None,
        used: 10,
        license: License { keys_of: Some(own), ..License::of(LicenseState::Active) },
        intent: None,
        history: vec![],
        published: true,
        elapsed: None,
        confirmed: None,
        unrecorded: false,
        uid: UID,
        openings: vec![],
        given: vec![],
        shown: None,
    }
}

impl Keys {
    pub(super) fn lists(mut self, names: &[&str]) -> Self {
        self.ring.wanted = names.iter().map(|name| wanted(name)).collect();
        self
    }
    pub(super) fn shows(mut self, rows: &[Row]) -> Self {
        self.ring.rows = rows.to_vec();
        self
    }
    fn knows(mut self, records: &[KeyRecord]) -> Self {
        self.license.keys = records.to_vec();
        self
    }
    fn prunes(mut self) -> Self {
        self.desired.pool = pool(Goal::Keys { keys: vec![], prune: true });
        self
    }
    pub(super) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
    /// An addition of this key is open since this long, begun while these rows were there.
    fn adding(mut self, name: &str, present: &[i64], phase: IntentPhase, clock: (WaitFor, Duration)) -> Self {
        let step = KeyStep {
            from: 40,
            to: 40,
            secret_key_ref: Some(reference(name)),
            fingerprint: Some(print(name)),
            present: present.to_vec(),
            id: None,
            uuid: None,
            unexplained: None,
            heard: vec![],
        };
        self.intent = Some(open(Step::AddKey(step), phase));
        self.elapsed = Some(Elapsed { wait: clock.0, since: clock.1, settled: None });
        self
    }
    fn removing(mut self, row: &Row, phase: IntentPhase, clock: (WaitFor, Duration)) -> Self {
        let step = KeyStep {
            from: 40,
            to: 40,
            secret_key_ref: None,
            fingerprint: None,
            present: vec![],
            id: Some(row.id),
            uuid: Some(row.uuid.clone()),
            unexplained: None,
            heard: vec![],
        };
        self.intent = Some(open(Step::RemoveKey(step), phase));
        self.elapsed = Some(Elapsed { wait: clock.0, since: clock.1, settled: None });
        self
    }
    /// Both readings after the settle time have agreed.
    fn agreed(mut self) -> Self {
        let decision = self.decide();
        let doubt = decision.doubt.expect("something to wait for");
        self.elapsed = Some(Elapsed { wait: doubt.wait, since: SETTLED, settled: None });
        self
    }
    fn seen(&self) -> Snapshot {
        let seats = self.ring.rows.iter().filter_map(|row| row.seats).sum();
        let host = Some("keys.test".to_owned());
        Snapshot {
            account: Account { vendor: "acme".into(), host: host.clone(), id: host },
            usage: Usage::Exact(self.used),
            model: Model::Keys(KeyRing { seats: self.seats.unwrap_or(seats), ..self.ring.clone() }),
            ..story().seen
        }
    }
    pub(super) fn decide(&self) -> Decision {
        let first = self.decide_under(None);
        match &first.plan {
            Some(plan) if self.published => self.decide_under(plan.basis.as_deref()),
            _ => first,
        }
    }
    /// Decides while this plan is published.
    fn decide_under(&self, published: Option<&str>) -> Decision {
        let seen = self.seen();
        let known = RecordOf { uid: self.uid.into(), account: seen.account_key(), first_wish: None };
        let known = Some(known).filter(|_| !self.unrecorded);
        decide(&Situation {
            uid: self.uid,
            generation: 3,
            confirmed: self.confirmed.as_deref(),
            look: None,
            rotated: false,
            may_bill: None,
            desired: &self.desired,
            seen: &seen,
            intent: self.intent.as_ref(),
            history: &self.history,
            license: Some(&self.license),
            published,
            elapsed: self.elapsed.as_ref(),
            satisfied: false,
            obstacle: None,
            record: known.as_ref(),
            others: &[],
            stuck: &[],
            calendar: Calendar { openings: &self.openings, ..Calendar::default() },
            approvals: Approvals { given: &self.given, shown: self.shown.as_ref(), ..Approvals::default() },
            activity: ActivePast::default(),
            timing: TIMING,
            writer: "writer",
            now: now(),
        })
    }
    fn sends(&self) -> Option<Step> {
        match self.decide().verdict {
            Verdict::Change(intent) => Some(intent.step),
            _ => None,
        }
    }
    fn adds(&self) -> Option<KeyStep> {
        self.sends().and_then(|step| if let Step::AddKey(key) = step { Some(key) } else { None })
    }
    fn removes(&self) -> Option<KeyStep> {
        self.sends().and_then(|step| if let Step::RemoveKey(key) = step { Some(key) } else { None })
    }
    fn status(&self) -> LicenseSeatsStatus {
        let (decision, seen) = (self.decide(), self.seen());
        let finding = Finding::Decided { desired: &self.desired, seen: &seen, decision: &decision };
        report(&LicenseSeatsStatus::default(), 3, &finding, now()).status
    }
    /// The reason and the message of `Ready`.
    fn ready(&self) -> (String, String) {
        let status = self.status();
        let ready = status.conditions.iter().find(|c| c.type_ == kind::READY).expect("Ready");
        (ready.reason.clone(), ready.message.clone())
    }
    fn record(&self, name: &str) -> Option<KeyRecord> {
        let license = self.decide().license.expect("a license");
        license.keys.into_iter().find(|key| key.fingerprint.as_deref() == Some(&print(name)))
    }
}

fn open(step: Step, phase: IntentPhase) -> Intent {
    Intent {
        id: "i1".into(),
        object_uid: UID.into(),
        generation: 3,
        wish: None,
        account: "keys.test/keys.test".into(),
        step,
        used: Some(10),
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
    }
}
