//! Decides, from what is wanted and what is seen, the one thing to do next. The decision is a value: it is carried out,
//! logged, turned into status, events and metrics, and nobody derives it again.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::guardrails::{self, Block};
use super::intent::{self, Elapsed, Gate, Timing, digest, intent_id};
use super::keys::{self, Lack};
use super::{Desired, Numbers, Snapshot};
use crate::api::{Change, Intent, IntentPhase, License, ManagementPolicy, Plan, PlanBlock, Trigger};

/// After this many corrections of somebody else's changes within a day, Seatkeeper stops fighting.
pub(super) const MAX_CORRECTIONS_A_DAY: usize = 2;

/// Everything a decision rests on.
#[derive(Clone, Debug)]
pub struct Situation<'a> {
    /// uid of the object.
    pub uid: &'a str,
    /// Generation of its spec.
    pub generation: i64,
    /// Value of the confirming annotation.
    pub confirmed: Option<&'a str>,
    /// The checked spec.
    pub desired: &'a Desired,
    /// What the vendor shows.
    pub seen: &'a Snapshot,
    /// The recorded intent.
    pub intent: Option<&'a Intent>,
    /// Recorded changes, newest first.
    pub history: &'a [Change],
    /// The recorded licence, with what is known of its keys.
    pub license: Option<&'a License>,
    /// Id of the plan that the status already shows.
    pub published: Option<&'a str>,
    /// What this process remembers of the open doubt.
    pub elapsed: Option<&'a Elapsed>,
    /// The status says that what the spec asks was in sync before.
    pub satisfied: bool,
    /// `Some(sentence)`: another change of this account may still be running, so none may be sent.
    pub behind: Option<&'a str>,
    /// What the other objects of this account want of their pools.
    pub others: &'a [(&'static str, i32)],
    /// Settle times.
    pub timing: Timing,
    /// Name of this process, so that two never make the same intent id.
    pub writer: &'a str,
    /// Wall clock, for records and day-long windows only.
    pub now: Timestamp,
}

/// What is to be done, and what the record must say meanwhile.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// What should be done or said.
    pub verdict: Verdict,
    /// The wanted change, if there is one.
    pub plan: Option<Plan>,
    /// The intent that stays recorded.
    pub intent: Option<Intent>,
    /// A change now seen to be made that the record did not know.
    pub applied: Option<Change>,
    /// A doubt to be remembered across passes.
    pub doubt: Option<Doubt>,
    /// Somebody else moved the vendor away from what we set.
    pub drifted: Option<Numbers>,
    /// The licence with its keys, where keys decide: replaces the recorded one.
    pub license: Option<License>,
    /// Somebody else took licence keys away: the sentence.
    pub lost: Option<String>,
}

/// An outcome that is not known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// Names the doubt; its clock runs as long as the name stays.
    pub key: String,
    /// Look again after this long.
    pub left: Duration,
    /// The settle time has passed: remember what was read now, for comparison with the next read.
    pub settled: bool,
}

/// The one thing to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The vendor shows what is wanted.
    InSync,
    /// Only watched; the numbers wanted, where they differ.
    Observed(Option<Numbers>),
    /// A change is wanted and possible: publish the plan, then come back.
    Publish,
    /// Make the published change, under this intent.
    Change(Box<Intent>),
    /// A change is wanted and something stands against it.
    Held(Vec<Block>),
    /// Wait: the outcome of an earlier change is not known.
    Doubt,
    /// The vendor refused and gave no reason.
    Rejected,
    /// The vendor shows neither old nor new numbers.
    NeedsReview,
    /// Somebody else changes the vendor again and again.
    Conflict,
    /// Licence keys are not as listed, or do not come to the seats that are wanted: a person must act.
    Lacking(Lack),
    /// The pool cannot be managed with these credentials; the sentence says why.
    Unsupported(String),
}

/// Decides. Pure: the same situation gives the same decision.
pub fn decide(s: &Situation<'_>) -> Decision {
    let Some(numbers) = s.seen.numbers else {
        let why = s.seen.support.read_only.clone().unwrap_or_else(|| "the vendor does not count this pool".to_owned());
        let doubt = intent::unread(s);
        return Decision { intent: s.intent.cloned(), doubt, ..Decision::plain(Verdict::Unsupported(why)) };
    };
    if let Some(tenant) = &s.seen.tenant {
        return keys::decide(s, tenant, numbers);
    }
    let judged = intent::judge(s, numbers);
    // What the vendor took back looks like what it bought by itself, where that is allowed.
    let grown = intent::taken_back(s, numbers).is_none();
    let made = s.history.first().is_some_and(|last| last.account == s.seen.account_key() && s.asked_for(last));
    let satisfied = grown && (s.satisfied || made);
    let wanted = guardrails::target(s.desired, numbers, s.seen.usage, satisfied);
    let without_effect = judged.intent.as_ref().filter(|intent| intent.phase == IntentPhase::WithoutEffect);
    // What came to nothing is repeated only as it was; and it is over where nothing is left to change.
    let repeats = without_effect.is_some_and(|intent| intent.target() == wanted);
    let over = without_effect.is_some() && wanted == numbers;
    let decision = match judged.gate {
        Gate::Free { attempt } => {
            choose(s, numbers, wanted, if repeats { attempt } else { 1 }, judged.applied.as_ref())
        }
        Gate::Wait { visible: true, ref key, left, .. } if wanted == numbers => {
            let doubt = Some(Doubt { key: key.clone(), left, settled: false });
            Decision { doubt, ..Decision::plain(in_sync(s)) }
        }
        Gate::Wait { ref key, left, settled, .. } => Decision::waiting(key.clone(), left, settled),
        Gate::Rejected => Decision::plain(Verdict::Rejected),
        Gate::Review => Decision::plain(Verdict::NeedsReview),
    };
    let kept = judged.intent.filter(|_| !over);
    Decision { intent: decision.intent.or(kept), applied: judged.applied, ..decision }
}

impl Decision {
    pub(super) fn plain(verdict: Verdict) -> Self {
        Self { verdict, plan: None, intent: None, applied: None, doubt: None, drifted: None, license: None, lost: None }
    }

    pub(super) fn waiting(key: String, left: Duration, settled: bool) -> Self {
        Self { doubt: Some(Doubt { key, left, settled }), ..Self::plain(Verdict::Doubt) }
    }
}

pub(super) fn in_sync(s: &Situation<'_>) -> Verdict {
    match s.desired.policy {
        ManagementPolicy::Observe => Verdict::Observed(None),
        ManagementPolicy::Manage => Verdict::InSync,
    }
}

/// Nothing is open: is a change wanted, allowed and announced?
fn choose(s: &Situation<'_>, now: Numbers, wanted: Numbers, attempt: i32, applied: Option<&Change>) -> Decision {
    if wanted == now {
        return Decision::plain(in_sync(s));
    }
    if s.desired.policy == ManagementPolicy::Observe {
        return Decision::plain(Verdict::Observed(Some(wanted)));
    }
    let taken_back = intent::taken_back(s, now);
    let last = applied.or(s.history.first()).filter(|last| last.account == s.seen.account_key());
    let drifted = last.map(Change::target).filter(|set| *set != now && taken_back.is_none());
    let by_others = drifted.is_some() && last.is_some_and(|last| s.asked_for(last));
    let reason = if by_others { Trigger::ExternalChange } else { Trigger::SpecDiffers };
    let plan = plan(s, now, wanted, reason);
    let held = |blocks: Vec<Block>| {
        let mut blocked_by: Vec<PlanBlock> = blocks.iter().map(|block| block.kind).collect();
        blocked_by.dedup();
        let plan = Some(Plan { blocked_by, ..plan.clone() });
        Decision { plan, drifted, ..Decision::plain(Verdict::Held(blocks)) }
    };

    if s.desired.suspended {
        let message = "spec.suspend is true: nothing is sent until it is false".to_owned();
        return held(vec![Block { kind: PlanBlock::Suspended, unsupported: false, message }]);
    }
    let blocks = guardrails::blocks(s.desired, s.seen, now, wanted, s.others);
    if !blocks.is_empty() {
        return held(blocks);
    }
    if let Some(other) = s.behind {
        let block = Block { kind: PlanBlock::OutcomeUnknown, unsupported: false, message: other.to_owned() };
        // What was learned about a change that was taken back must outlast the wait for the other.
        let doubt = s.elapsed.map(|elapsed| Doubt { key: elapsed.key.clone(), left: Duration::ZERO, settled: true });
        return Decision { doubt, ..held(vec![block]) };
    }
    if by_others && corrections_today(s) >= MAX_CORRECTIONS_A_DAY {
        return Decision { drifted, ..Decision::plain(Verdict::Conflict) };
    }
    let gate = taken_back.map_or(Gate::Free { attempt }, |last| intent::repeat_after(s, last, now, attempt));
    let attempt = match gate {
        Gate::Free { attempt } => attempt,
        Gate::Wait { key, left, settled, .. } => return Decision::waiting(key, left, settled),
        Gate::Rejected | Gate::Review => {
            // A change that was taken back has no intent any more; the review needs one, to be confirmed by its id.
            let intent = taken_back.map(review_of);
            return Decision { intent, ..Decision::plain(Verdict::NeedsReview) };
        }
    };
    // The wait for a change that was taken back must outlast the publishing, or it would begin anew each time.
    let doubt = taken_back.and(s.elapsed).map(|elapsed| Doubt {
        key: elapsed.key.clone(),
        left: Duration::ZERO,
        settled: true,
    });
    // A repeat belongs to a decision that was published before.
    let verdict = if attempt > 1 || s.published == Some(plan.id.as_str()) {
        Verdict::Change(Box::new(new_intent(s, &plan, attempt)))
    } else {
        Verdict::Publish
    };
    Decision { plan: Some(plan), doubt, drifted, ..Decision::plain(verdict) }
}

fn plan(s: &Situation<'_>, now: Numbers, wanted: Numbers, reason: Trigger) -> Plan {
    let number = |n: Option<i32>| n.map_or_else(|| "-".to_owned(), |n| n.to_string());
    let id = digest(&[
        s.uid,
        &s.generation.to_string(),
        &s.seen.account_key(),
        &now.seats.to_string(),
        &wanted.seats.to_string(),
        &number(now.limit),
        &number(wanted.limit),
    ]);
    Plan {
        id,
        from: now.seats,
        to: wanted.seats,
        limit_from: now.limit,
        limit_to: wanted.limit,
        license_key: None,
        reason,
        blocked_by: Vec::new(),
    }
}

fn new_intent(s: &Situation<'_>, plan: &Plan, attempt: i32) -> Intent {
    Intent {
        id: intent_id(&plan.id, attempt, s.writer, s.now),
        object_uid: s.uid.to_owned(),
        generation: s.generation,
        wish: Some(s.desired.wish()),
        account: s.seen.account_key(),
        from: plan.from,
        to: plan.to,
        limit_from: plan.limit_from,
        limit_to: plan.limit_to,
        license_key: None,
        used: s.seen.usage.count(),
        attempt,
        reason: plan.reason,
        phase: IntentPhase::Open,
        refused: None,
        time: Time(s.now),
    }
}

fn review_of(change: &Change) -> Intent {
    Intent {
        id: change.id.clone(),
        object_uid: String::new(),
        generation: change.generation,
        wish: change.wish.clone(),
        account: change.account.clone(),
        from: change.from,
        to: change.to,
        limit_from: change.limit_from,
        limit_to: change.limit_to,
        license_key: None,
        used: None,
        attempt: change.attempt,
        reason: change.reason,
        phase: IntentPhase::NeedsReview,
        refused: None,
        time: change.time.clone(),
    }
}

/// Corrections of somebody else's changes within the last day, for this very wish: another wish starts afresh.
pub(super) fn corrections_today(s: &Situation<'_>) -> usize {
    let day = SignedDuration::from_hours(24);
    s.history
        .iter()
        .filter(|change| change.reason == Trigger::ExternalChange && s.asked_for(change))
        .filter(|change| s.now.duration_since(change.time.0).abs() < day)
        .count()
}
