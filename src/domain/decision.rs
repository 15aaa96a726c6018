//! Decides the next step from the wish and the reading. The decision is a value. Other code carries it out, logs it, and turns it
//! into status, events and metrics, and never derives it again.

use std::time::Duration;

use jiff::Timestamp;

use super::gates::{self, Hold, HoldKind, Wake};
use super::keys::{self, Lack};
use super::license_validity::{OVER, turns_in};
use super::may_bill::may_bill;
use super::plan::{intent, last_plan, plan, review_of, shown};
use super::protocol::{self, Elapsed, Open, State, Wait, WaitFor};
use super::ready_reason::says;
use super::seat_limit::keeps_bought;
use super::send_delay::spread;
use super::settle_time::Timing;
use super::standby::{self, Standby};
use super::wanted_change::{Look, Move, Next, Rest};
use super::{
    ActivePast, Approvals, Calendar, Desired, Model, Numbers, Obstacle, Snapshot, Stuck, approval, quantity,
    two_readings, windows,
};
use crate::api::{
    Activity, Change, Intent, License, ManagementPolicy, MayBill, NextWindow, Plan, PlanBlock, RecordOf, ShownPlan,
    WindowUse,
};

/// Everything a decision rests on.
#[derive(Clone, Debug)]
pub struct Situation<'a> {
    /// uid of the object.
    pub uid: &'a str,
    /// Generation of its spec.
    pub generation: i64,
    /// Value of the confirming annotation; see [`Situation::confirms`].
    pub confirmed: Option<&'a str>,
    /// Value of the annotation with which a person asks for a reading.
    pub look: Option<&'a str>,
    /// A Secret has changed since the recorded refusal.
    pub rotated: bool,
    /// The checked spec.
    pub desired: &'a Desired,
    /// The reading of the vendor.
    pub seen: &'a Snapshot,
    /// The recorded intent.
    pub intent: Option<&'a Intent>,
    /// The recorded bill that the vendor may not show.
    pub may_bill: Option<&'a MayBill>,
    /// Recorded changes, newest first.
    pub history: &'a [Change],
    /// The recorded license, with its keys.
    pub license: Option<&'a License>,
    /// Basis of the plan that the status already shows.
    pub published: Option<&'a str>,
    /// Per-process state of the open doubt.
    pub elapsed: Option<&'a Elapsed>,
    /// The object and account of the record.
    pub record: Option<&'a RecordOf>,
    /// By the status, this wish was in sync before.
    pub satisfied: bool,
    /// The obstacles of other objects to a change.
    pub obstacle: Option<&'a Obstacle>,
    /// The wishes of the other objects of this account.
    pub others: &'a [(&'static str, i32)],
    /// The other objects that wait for a person to act.
    pub stuck: &'a [Stuck],
    /// Windows and their record.
    pub calendar: Calendar<'a>,
    /// Approvals and their record.
    pub approvals: Approvals<'a>,
    /// The record of the active cluster.
    pub activity: ActivePast<'a>,
    /// Settle times.
    pub timing: Timing,
    /// Name of this process, so that two never make the same intent id.
    pub writer: &'a str,
    /// Wall clock, for records and day-long windows only.
    pub now: Timestamp,
}

/// The next action, and what the record must say meanwhile.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The action or report.
    pub verdict: Verdict,
    /// The wanted change, if there is one.
    pub plan: Option<Plan>,
    /// The plan that is shown last.
    pub last_plan: Option<ShownPlan>,
    /// The window in which the change that waits may be made.
    pub next_window: Option<NextWindow>,
    /// The record of the windows' use, without the request that is made now.
    pub window: Option<WindowUse>,
    /// Whether the object may change its account, if `spec.activeCluster` is or was set.
    pub activity: Option<Activity>,
    /// The intent that stays recorded.
    pub intent: Option<Intent>,
    /// A change that a reading shows as made and that the record lacks.
    pub applied: Option<Change>,
    /// Seats that the vendor may bill and does not show.
    pub may_bill: Option<MayBill>,
    /// A doubt to remember across passes.
    pub doubt: Option<Doubt>,
    /// Time until the next pass, if the regular interval is longer or absent. Changes of a Secret are checked besides.
    pub wake: Option<Duration>,
    /// Why the change cannot leave yet although nothing holds it: the vendor's path for changes is closed.
    pub unsent: Option<String>,
    /// A person or program changed the vendor, away from what Seatkeeper set.
    pub drifted: Option<Numbers>,
    /// The license with its keys, where keys decide: replaces the recorded one.
    pub license: Option<License>,
    /// License keys were removed outside Seatkeeper: the sentence.
    pub lost: Option<String>,
    /// The object and account of the record from now on; an object that only observes has none.
    pub record_of: Option<RecordOf>,
}

/// An outcome that is not known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// The subject of the wait. Its clock runs as long as this stays the same.
    pub wait: WaitFor,
    /// Time until the next pass. Zero: nothing is waited for, and the findings are kept until the change can be made.
    pub left: Duration,
    /// The settle time has passed: this reading is kept for comparison with the next one.
    pub settled: bool,
}

/// The one thing to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The vendor shows the wanted numbers.
    InSync,
    /// Observed only; the wanted numbers, if they differ.
    Observed(Option<Numbers>),
    /// Observed only, because another cluster is active, or none.
    Standby(Standby),
    /// A change is wanted and possible: publish the plan, then come back.
    Publish,
    /// Make the published change, under this intent.
    Change(Box<Intent>),
    /// A change is wanted and these holds block it. The first gives the reason.
    Held(Vec<Hold>),
    /// Wait: the outcome of an earlier change is not known.
    Doubt,
    /// The vendor refused and gave no reason.
    Rejected,
    /// The vendor shows neither old nor new numbers.
    NeedsReview,
    /// Repeated external changes.
    Conflict,
    /// License keys are not as listed, or total fewer seats than are wanted: a person must act.
    Lacking(Lack),
    /// The pool cannot be managed with these credentials; the sentence says why.
    Unsupported(String),
}

/// Decides on the next step. Pure: the same situation gives the same decision.
pub fn decide(s: &Situation<'_>) -> Decision {
    let Look { open, next, meanwhile, wanted, license, lost } = match &s.seen.model {
        Model::Quantity(now) => quantity::look(s, *now),
        Model::Keys(ring) => keys::look(s, ring),
        Model::Uncounted(why) | Model::Unshown(why) => return uncounted(s, observed_without_seats(s), why),
        Model::Hidden(why) => return uncounted(s, None, why),
    };
    let decision = match (&open.state, next) {
        (State::Wait(wait), _) => {
            let known = wait.visible || s.desired.stands_by().is_some();
            let (verdict, window) = if known { (in_sync(s), None) } else { (Verdict::Doubt, windows::kept(s, false)) };
            let doubt = Some(wait.clone().doubt());
            Decision { doubt, wake: Some(wait.left), next_window: window, ..Decision::plain(verdict) }
        }
        (State::Rejected, _) if s.desired.stands_by().is_some() => resting(s, Rest::InSync, wanted),
        (State::Rejected, _) => {
            Decision::for_a_person(s, open.lack.clone().map_or(Verdict::Rejected, Verdict::Lacking))
        }
        (State::Review, _) => Decision::for_a_person(s, Verdict::NeedsReview),
        (State::Free { .. }, Next::Rest(rest)) => resting(s, rest, wanted),
        (State::Free { .. }, Next::Move(change)) => waiting(s, of(s, &change, wanted), meanwhile.as_deref()),
    };
    let shown = license.as_ref().or(s.seen.license.as_ref());
    let turns = shown.and_then(|license| turns_in(license, &s.desired.expiry, s.now));
    let ends = approval::next_end(s).filter(|_| decision.plan.is_some()).and_then(|at| wake(Wake::At(at), s.now));
    let lowers = s.desired.lowers_at().map(Wake::At);
    let lowers = lowers.and_then(|at| wake(at, s.now));
    let Open { intent, applied, .. } = open;
    let activation = standby::activation(s);
    let activates = activation.as_ref().filter(|_| decision.doubt.is_none()).map(|wait| wait.left);
    let times =
        decision.wake.into_iter().chain(late_effects(s)).chain(turns).chain(lowers).chain(ends).chain(activates);
    let (decision, settles) = stand_by(s, decision, intent.as_ref(), applied.is_some());
    let wake = times.chain(settles).min();
    let manages = s.desired.policy == ManagementPolicy::Manage && s.desired.stands_by().is_none();
    let kept = s.desired.holds_seats_back() || s.seen.numbers().is_some_and(|now| keeps_bought(s.desired, now));
    let agreed = decision.verdict == Verdict::InSync && !kept;
    let record_of = manages.then(|| s.record_of(agreed));
    let last_plan = last_plan(s, &decision);
    let doubt = decision.doubt.or_else(|| activation.clone().map(Wait::doubt));
    let doubt = doubt.or_else(|| quantity::late_clock(s, applied.as_ref()));
    let activity = standby::recorded(s, activation.as_ref(), doubt.as_ref());
    // The open intent stays recorded, whatever the decision is.
    let intent = decision.intent.or(intent);
    let window = windows::used(s);
    let decision = Decision { intent, applied, doubt, license, lost, wake, record_of, window, activity, ..decision };
    let decision = Decision { last_plan, ..decision };
    Decision { may_bill: may_bill(s, &decision), ..decision }
}

impl Decision {
    fn plain(verdict: Verdict) -> Self {
        Self {
            verdict,
            plan: None,
            last_plan: None,
            next_window: None,
            window: None,
            activity: None,
            intent: None,
            applied: None,
            may_bill: None,
            doubt: None,
            wake: None,
            unsent: None,
            drifted: None,
            license: None,
            lost: None,
            record_of: None,
        }
    }

    /// The same for a change while the vendor's path for changes is closed, with the reason, and with the time until the next try.
    #[must_use]
    pub fn not_sent_yet(self, why: String, after: Duration) -> Self {
        Self { unsent: Some(why), wake: Some(after), ..self }
    }

    /// A person must act before the change that waits can be made.
    fn for_a_person(s: &Situation<'_>, verdict: Verdict) -> Self {
        Self { next_window: windows::kept(s, true), ..Self::plain(verdict) }
    }
}

/// What an object in standby reports: also that a change of this side may still have effects, and for how long. A
/// hand-over waits for the end of that time.
fn stand_by(
    s: &Situation<'_>,
    mut decision: Decision,
    intent: Option<&Intent>,
    applied: bool,
) -> (Decision, Option<Duration>) {
    let Verdict::Standby(standby) = &mut decision.verdict else { return (decision, None) };
    let settles = standby::settles(s, intent, applied);
    standby.settles = settles.is_some();
    (decision, settles)
}

/// An object that only observes shows what there is; a pool need not have a number of seats for that.
fn observed_without_seats(s: &Situation<'_>) -> Option<Verdict> {
    let wanted = s.desired.seats.map(|seats| Numbers { seats, limit: None });
    let observed = || (s.desired.policy == ManagementPolicy::Observe).then_some(Verdict::Observed(wanted));
    standby::standby(s, wanted).map(Verdict::Standby).or_else(observed)
}

/// Without numbers no intent can be judged: an open one stays open, and its time runs.
fn uncounted(s: &Situation<'_>, verdict: Option<Verdict>, why: &str) -> Decision {
    let activation = standby::activation(s);
    let doubt = protocol::unread(s).or_else(|| activation.clone().map(Wait::doubt));
    let wake = doubt.as_ref().map(|doubt| doubt.left).into_iter().chain(late_effects(s)).min();
    let plain = Decision::plain(verdict.unwrap_or_else(|| Verdict::Unsupported(why.to_owned())));
    let may_bill = s.may_bill.cloned();
    let (next_window, window) = (s.calendar.waits.cloned(), windows::used(s));
    let last_plan = s.approvals.shown.cloned();
    let record_of = s.record.cloned();
    let activity = standby::recorded(s, activation.as_ref(), doubt.as_ref());
    let intent = s.intent.cloned();
    let (plain, _) = stand_by(s, plain, intent.as_ref(), false);
    Decision { intent, may_bill, doubt, wake, record_of, next_window, window, activity, last_plan, ..plain }
}

fn in_sync(s: &Situation<'_>) -> Verdict {
    if let Some(standby) = standby::standby(s, None) {
        return Verdict::Standby(standby);
    }
    match s.desired.policy {
        ManagementPolicy::Observe => Verdict::Observed(None),
        ManagementPolicy::Manage => Verdict::InSync,
    }
}

fn resting(s: &Situation<'_>, rest: Rest, wanted: Option<Numbers>) -> Decision {
    if let Some(standby) = standby::standby(s, wanted) {
        return Decision::plain(Verdict::Standby(standby));
    }
    match rest {
        Rest::Lacking(_) if s.desired.policy == ManagementPolicy::Observe => Decision::plain(Verdict::Observed(wanted)),
        Rest::Lacking(lack) => Decision::plain(Verdict::Lacking(lack)),
        Rest::InSync => Decision::plain(in_sync(s)),
    }
}

/// A vendor may take a change back: read once more when its late effects have ended (docs/never-buys-twice.md,
/// "Heal").
fn late_effects(s: &Situation<'_>) -> Option<Duration> {
    let age = s.now.duration_since(s.history.first()?.time.0);
    let left = s.timing.answered.saturating_sub(Duration::try_from(age).ok()?);
    (!left.is_zero()).then_some(left)
}

/// An increase that waits for its window lets the limit fall meanwhile, unless something blocks that.
fn waiting(s: &Situation<'_>, decision: Decision, meanwhile: Option<&Move>) -> Decision {
    let Verdict::Held(holds) = &decision.verdict else { return decision };
    // While another change of the account runs, the limit would be published and held in turn.
    let may_go = holds.iter().any(Hold::lasts) && s.obstacle.is_none();
    let Some(meanwhile) = meanwhile.filter(|_| may_go) else { return decision };
    let other = of(s, meanwhile, None);
    let goes = matches!(other.verdict, Verdict::Publish | Verdict::Change(_));
    if !goes {
        return decision;
    }
    // The increase still waits under its plan.
    let last_plan = decision.plan.as_ref().and_then(|plan| shown(s, &plan.step));
    Decision { next_window: decision.next_window, last_plan, ..other }
}

/// A change is wanted and nothing is open: publishes it, makes it, or reports what blocks it.
fn of(s: &Situation<'_>, change: &Move, wanted: Option<Numbers>) -> Decision {
    let plan = plan(s, change);
    let drifted = change.drifted;
    let basis = plan.basis.clone().unwrap_or_default();
    let due = two_readings::is_published(s, &basis) || !two_readings::must_be_published(s, change);
    let holds = gates::holds(s, change, due);
    // A change that waits for days does not check other objects meanwhile. It checks them when it may be made.
    let lasts = holds.iter().any(|hold| !hold.is_of_others() && (hold.lasts() || hold.is_of_a_person()));
    let ends = holds.iter().filter(|hold| !lasts || !hold.is_of_others());
    let wake = ends.filter_map(|hold| wake(hold.wake, s.now)).min();
    let next_window = windows::recorded(s, change, holds.iter().any(Hold::is_of_a_person));
    let not_before = next_window.as_ref().map(|window| window.opens_at.clone()).filter(|opens| opens.0 > s.now);
    // The findings must outlast other waits and the publishing. Otherwise they would have to be made anew.
    let kept = s.elapsed.filter(|_| change.keeps_clock).map(|elapsed| Doubt {
        wait: elapsed.wait.clone(),
        left: Duration::ZERO,
        settled: true,
    });
    let waits = holds.iter().find_map(|hold| match &hold.kind {
        HoldKind::Activating(gates::WaitedFor(wait), _)
        | HoldKind::Settle(gates::WaitedFor(wait))
        | HoldKind::LateEffects(gates::WaitedFor(wait)) => Some(wait.clone().doubt()),
        _ => None,
    });
    let doubt = waits.or(kept);
    let plain = |verdict| Decision {
        doubt: doubt.clone(),
        wake,
        drifted,
        next_window: next_window.clone(),
        ..Decision::plain(verdict)
    };
    match holds.first().map(|hold| &hold.kind) {
        None => {
            let verdict = if due { Verdict::Change(Box::new(intent(s, &basis, change))) } else { Verdict::Publish };
            let wake = if due { Duration::ZERO } else { spread(s, &plan) };
            Decision { plan: Some(plan), wake: Some(wake), ..plain(verdict) }
        }
        Some(HoldKind::Standby) => resting(s, Rest::InSync, wanted),
        Some(HoldKind::Observe) => Decision::plain(Verdict::Observed(wanted)),
        Some(HoldKind::Settle(_)) => plain(Verdict::Doubt),
        Some(HoldKind::Review(back)) => {
            // A change that was taken back no longer has an intent. The review needs one, because a person confirms its id.
            Decision { intent: Some(review_of(back)), ..Decision::for_a_person(s, Verdict::NeedsReview) }
        }
        Some(HoldKind::Contest) => plain(Verdict::Conflict),
        Some(_) => {
            let mut blocked_by: Vec<PlanBlock> = holds.iter().filter_map(Hold::block).collect();
            blocked_by.dedup();
            Decision { plan: Some(Plan { blocked_by, not_before, ..plan }), ..plain(Verdict::Held(holds.clone())) }
        }
    }
}

fn wake(wake: Wake, now: Timestamp) -> Option<Duration> {
    match wake {
        Wake::OnEdit => None,
        Wake::After(left) => Some(left),
        Wake::At(time) => Some(Duration::try_from(now.duration_until(time)).unwrap_or_default() + OVER),
    }
}

impl Verdict {
    /// Whether the change that is wanted may wait for days and then be made as it is: for a window, or for a person's yes.
    pub fn may_wait_for_days(&self) -> bool {
        matches!(self, Self::Held(holds) if holds.iter().any(|hold| hold.lasts() || hold.is_for_a_yes()))
    }

    /// Whether the account shows what the spec asks, even if this side only observes: another cluster may have made the change.
    pub(super) fn wants_nothing(&self) -> bool {
        match self {
            Self::InSync | Self::Observed(None) => true,
            Self::Standby(standby) => standby.wanted.is_none() && !standby.settles,
            _ => false,
        }
    }

    /// One word for the metric label of the pass.
    pub fn label(&self) -> &'static str {
        says(self).label
    }
}
