//! Licence keys as desired state: from the keys that are listed, the rows that the tenant shows and what is recorded of
//! both, the one thing to do next. Called by `decision`; facts are from the Immuta reference, sections 4 to 7.
//!
//! A key is added once: the intent with the rows that are there comes first, a new row is recognised after it, and what
//! cannot be told is asked. A row is removed only if this object added it, or was told that it is its own.

mod after;
mod book;
mod end;
mod judge;
mod prune;
mod record;
mod say;
mod tenant;

pub use after::{AfterKeyWrite, after_key_write};
pub(super) use end::{ends_hard, used_differs};
pub(super) use say::{ready, step_done, step_words};
pub use tenant::{Row, Tenant, WantedKey, fingerprint};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::decision::{MAX_CORRECTIONS_A_DAY, corrections_today, in_sync};
use super::guardrails::Block;
use super::intent::{Gate, digest, intent_id, wait};
use super::{Decision, Doubt, Numbers, Situation, Verdict};
use crate::api::{
    Intent, IntentPhase, KeyAction, KeyRecord, KeyState, KeyStep, KeysOf, ManagementPolicy, Plan, PlanBlock, Trigger,
};
use book::{Book, Standing};
use prune::Retirement;
use say::Trouble;

/// What keeps the keys from being as listed, or the seats from being enough, and a person must mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    /// A condition reason.
    pub reason: &'static str,
    /// A few words for the STATUS column.
    pub summary: String,
    /// Sentences, the most important first.
    pub message: String,
    /// A change of a Secret may mend it.
    pub secret_may_help: bool,
}

/// What comes next.
enum Next {
    /// This key is to be added.
    Add(KeyStep, Trigger),
    /// This row is to be removed.
    Remove(KeyStep, i32),
    /// Rows of ours are gone: the list is read once more before that is believed.
    LookAgain(Gate),
    /// Nothing, but perhaps something lacks.
    Rest(Option<Lack>),
}

/// Decides for a tenant. Pure, as [`decide`](super::decide).
pub(super) fn decide(s: &Situation<'_>, tenant: &Tenant, numbers: Numbers) -> Decision {
    let own = KeysOf { object_uid: s.uid.to_owned(), account: s.seen.account_key() };
    let mut book = Book::of(tenant, s.license, &own, s.now);
    let judged = judge::judge(s, numbers, &mut book);
    let decision = match judged.gate {
        Gate::Free { attempt } => {
            let repeat = judged.repeat.as_ref().filter(|_| attempt > 1);
            carry_out(s, numbers, next(s, tenant, numbers, &book, repeat), repeat)
        }
        Gate::Wait { key, left, settled, .. } => Decision::waiting(key, left, settled),
        Gate::Rejected => {
            let trouble = Trouble::removal_refused(judged.intent.as_ref());
            Decision::plain(Verdict::Lacking(say::lack(vec![trouble])))
        }
        Gate::Review => Decision::plain(Verdict::NeedsReview),
    };
    let lost = say::lost(&book);
    let license = Some(end::license(s, tenant, numbers, &book, own));
    Decision { intent: decision.intent.or(judged.intent), applied: judged.applied, license, lost, ..decision }
}

/// The next step: keys that are to be added first, a removal last (section 7.4).
fn next(s: &Situation<'_>, tenant: &Tenant, numbers: Numbers, book: &Book<'_>, repeat: Option<&KeyStep>) -> Next {
    let standings: Vec<Standing<'_>> = (0..tenant.wanted.len()).map(|i| book.standing(i)).collect();
    let add = |i: usize| KeyStep {
        action: KeyAction::Add,
        secret_key_ref: Some(tenant.wanted[i].reference.clone()),
        fingerprint: tenant.wanted[i].fingerprint.clone().ok(),
        present: tenant.rows.iter().map(|row| row.id).collect(),
        id: None,
        uuid: None,
    };
    let new = |i: &usize| standings[*i] == Standing::New;
    let repeated = |i: &usize| repeat.is_some_and(|step| step.fingerprint == add(*i).fingerprint);
    let mut open = (0..standings.len()).filter(new);
    if let Some(i) = open.clone().find(repeated).or_else(|| open.next()) {
        return Next::Add(add(i), Trigger::SpecDiffers);
    }
    if let Some(i) = standings.iter().position(|standing| matches!(standing, Standing::Lost(_))) {
        let sight = format!("gone-{}", tenant.sight(numbers.seats));
        // A list that is short for once must not add a key again.
        return match wait(s, &sight, s.timing.pause, false).filter(|_| repeat.is_none()) {
            Some(gate) => Next::LookAgain(gate),
            None => Next::Add(add(i), Trigger::ExternalChange),
        };
    }
    let mut troubles = say::troubles(tenant, &standings);
    match prune::retirement(s, tenant, numbers, book, &standings) {
        Retirement::Of(record) => return Next::Remove(remove(record), record.seats.unwrap_or_default()),
        Retirement::Blocked(why) => troubles.push(Trouble::prune_blocked(&why)),
        Retirement::None => {}
    }
    troubles.extend(say::short(s.desired.seats, numbers.seats));
    Next::Rest((!troubles.is_empty()).then(|| say::lack(troubles)))
}

fn remove(record: &KeyRecord) -> KeyStep {
    KeyStep {
        action: KeyAction::Remove,
        secret_key_ref: record.secret_key_ref.clone(),
        fingerprint: record.fingerprint.clone(),
        present: Vec::new(),
        id: record.id,
        uuid: record.uuid.clone(),
    }
}

/// Says, publishes or makes the next step, as policy and protocol allow.
fn carry_out(s: &Situation<'_>, now: Numbers, next: Next, repeat: Option<&KeyStep>) -> Decision {
    let observed = s.desired.policy == ManagementPolicy::Observe;
    let (step, seats, reason) = match next {
        Next::Rest(Some(lack)) if !observed => return Decision::plain(Verdict::Lacking(lack)),
        Next::Rest(None) => return Decision::plain(in_sync(s)),
        _ if observed => {
            let wanted = s.desired.seats.filter(|seats| *seats != now.seats);
            return Decision::plain(Verdict::Observed(wanted.map(|seats| Numbers { seats, ..now })));
        }
        Next::LookAgain(Gate::Wait { key, left, settled, .. }) if !s.desired.suspended => {
            return Decision::waiting(key, left, settled);
        }
        Next::Rest(Some(_)) | Next::LookAgain(_) => return Decision::plain(in_sync(s)),
        Next::Add(step, reason) => (step, now.seats, reason),
        Next::Remove(step, seats) => (step, now.seats.saturating_sub(seats), Trigger::SpecDiffers),
    };
    let plan = plan(s, now, seats, &step, reason);
    let held = |kind, message: String| {
        let plan = Some(Plan { blocked_by: vec![kind], ..plan.clone() });
        let blocks = vec![Block { kind, unsupported: false, message }];
        Decision { plan, ..Decision::plain(Verdict::Held(blocks)) }
    };
    if s.desired.suspended {
        return held(PlanBlock::Suspended, "spec.suspend is true: nothing is sent until it is false".into());
    }
    // What was learned must outlast a wait for others and the publishing, or it would have to be learned anew.
    let doubt = s.elapsed.map(|e| Doubt { key: e.key.clone(), left: std::time::Duration::ZERO, settled: true });
    if let Some(other) = s.behind {
        return Decision { doubt, ..held(PlanBlock::OutcomeUnknown, other.to_owned()) };
    }
    if reason == Trigger::ExternalChange && corrections_today(s) >= MAX_CORRECTIONS_A_DAY {
        return Decision::plain(Verdict::Conflict);
    }
    let same = |repeat: &&KeyStep| match step.action {
        KeyAction::Add => repeat.action == KeyAction::Add && repeat.fingerprint == step.fingerprint,
        KeyAction::Remove => repeat.action == KeyAction::Remove && repeat.id == step.id && repeat.uuid == step.uuid,
    };
    let attempt = if repeat.filter(same).is_some() { 2 } else { 1 };
    let verdict = if attempt > 1 || s.published == Some(plan.id.as_str()) {
        Verdict::Change(Box::new(intent(s, &plan, step, attempt)))
    } else {
        Verdict::Publish
    };
    Decision { plan: Some(plan), doubt, ..Decision::plain(verdict) }
}

fn plan(s: &Situation<'_>, now: Numbers, to: i32, step: &KeyStep, reason: Trigger) -> Plan {
    let present: Vec<String> = step.present.iter().map(ToString::to_string).collect();
    let id = digest(&[
        s.uid,
        &s.generation.to_string(),
        &s.seen.account_key(),
        if step.action == KeyAction::Add { "add" } else { "remove" },
        step.fingerprint.as_deref().unwrap_or_default(),
        &step.id.unwrap_or_default().to_string(),
        step.uuid.as_deref().unwrap_or_default(),
        &present.join(" "),
    ]);
    Plan {
        id,
        from: now.seats,
        to,
        limit_from: None,
        limit_to: None,
        license_key: Some(KeyStep { present: Vec::new(), ..step.clone() }),
        reason,
        blocked_by: Vec::new(),
    }
}

fn intent(s: &Situation<'_>, plan: &Plan, step: KeyStep, attempt: i32) -> Intent {
    Intent {
        id: intent_id(&plan.id, attempt, s.writer, s.now),
        object_uid: s.uid.to_owned(),
        generation: s.generation,
        wish: Some(s.desired.wish()),
        account: s.seen.account_key(),
        from: plan.from,
        to: plan.to,
        limit_from: None,
        limit_to: None,
        license_key: Some(step),
        used: s.seen.usage.count(),
        attempt,
        reason: plan.reason,
        phase: IntentPhase::Open,
        refused: None,
        time: Time(s.now),
    }
}

/// Rows whose keys no longer count for anything: not the last one is ever taken away because of these.
fn is_live(row: &Row, book: &Book<'_>, now: jiff::Timestamp) -> bool {
    let removed = book
        .records
        .iter()
        .any(|record| record.state == KeyState::Removed && row.is(record.id, record.uuid.as_deref()));
    !removed && record::state_of(row, now) == KeyState::Active
}
