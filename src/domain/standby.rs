//! `spec.activeCluster`: which cluster's Seatkeeper changes the account, the record of that, the wait of an object that becomes
//! active, its gates, and its messages.
//!
//! Two installations cannot see each other's requests. So an object that becomes active waits as long as a request without an answer
//! may run, and then two readings must agree. The wait is measured on the caller's monotonic clock: a restart waits anew.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::condition::reason;
use super::gates::{Hold, HoldKind, WaitedFor, Wake, Wanted};
use super::protocol::{Wait, WaitFor, digest, wait};
use super::two_readings::second_reading;
use super::{Decision, Desired, Doubt, Model, Numbers, Situation, Snapshot, SpecFault, status_column};
use crate::api::{Activity, ActivityState, Intent, LicenseSeatsStatus, NO_CLUSTER, UNOBSERVED};

/// A reported time may differ this much from the true one, or a tenth of the wait if that is less, so that a wait causes no writes.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(1);

/// Which cluster's Seatkeeper changes the account, as seen from this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Every cluster that has the object.
    Everywhere,
    /// This cluster, which has this name.
    Here(String),
    /// The cluster with this name, and not this one; or none.
    Elsewhere(String),
}

/// The record of the active cluster.
#[derive(Clone, Copy, Debug, Default)]
pub struct ActivePast<'a> {
    /// The record.
    pub record: Option<&'a Activity>,
    /// The spec may have named another cluster meanwhile, without a pass that saw it: see [`edits_unseen`].
    pub edits_unseen: bool,
}

/// What an object in standby reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standby {
    /// The cluster that is active, or `none`.
    pub active: String,
    /// The numbers that the spec asks for, if they differ.
    pub wanted: Option<Numbers>,
    /// A change of this side may still be running, or has late effects.
    pub settles: bool,
}

/// Whether a text can be the name of a cluster, or `none`: a DNS label, as in the rule for `spec.activeCluster`.
pub fn is_cluster_name(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let dashed = text.starts_with('-') || text.ends_with('-');
    (1..=63).contains(&text.len()) && text.bytes().all(inner) && !dashed
}

impl Standing {
    /// The activity from the spec alone. Until [`Desired::seen_from`] names this cluster, the active cluster counts as another one.
    pub(super) fn parse(active: Option<&str>) -> Result<Self, SpecFault> {
        match active {
            None => Ok(Self::Everywhere),
            Some(name) if is_cluster_name(name) => Ok(Self::Elsewhere(name.to_owned())),
            Some(_) => Err(SpecFault(
                "spec.activeCluster must be the --cluster-name of an operator, or none: 1 to 63 lower-case letters, digits and dashes, \
                 with a letter or a digit at each end, such as prod-eu"
                    .into(),
            )),
        }
    }
}

impl Desired {
    /// The spec as seen from the cluster with this name; `None`: the operator was started without one.
    ///
    /// # Errors
    /// The spec names the active cluster, and this operator has no name to compare.
    pub fn seen_from(mut self, cluster: Option<&str>) -> Result<Self, SpecFault> {
        let Standing::Elsewhere(active) = &self.standing else { return Ok(self) };
        let Some(cluster) = cluster else {
            return Err(SpecFault(format!(
                "spec.activeCluster is {active}, and this operator has no cluster name to compare. Nothing is sent. \
                 Start it with --cluster-name (chart value clusterName), or remove spec.activeCluster"
            )));
        };
        if cluster == active && cluster != NO_CLUSTER {
            self.standing = Standing::Here(active.clone());
        }
        Ok(self)
    }

    /// The cluster that is active instead of this one, or `none`.
    pub fn stands_by(&self) -> Option<&str> {
        if let Standing::Elsewhere(active) = &self.standing { Some(active) } else { None }
    }

    fn names(&self) -> Option<&str> {
        match &self.standing {
            Standing::Everywhere => None,
            Standing::Here(name) | Standing::Elsewhere(name) => Some(name),
        }
    }
}

/// Whether a spec was edited more than once since a pass has seen it. One edit cannot name another cluster and this one again.
/// `watched`: this process has seen each edit that lasted.
pub fn edits_unseen(status: &LicenseSeatsStatus, generation: i64, watched: bool) -> bool {
    let seen = status.observed_generation;
    !watched && seen != UNOBSERVED && generation.saturating_sub(seen) > 1
}

/// Whether the object may make changes: it is active everywhere, or its wait has ended.
fn is_active(s: &Situation<'_>) -> bool {
    let ActivePast { record, edits_unseen } = s.activity;
    let waited = |record: &Activity| record.state == ActivityState::Active && record.uid == s.uid;
    match &s.desired.standing {
        Standing::Everywhere => record.is_none_or(waited),
        Standing::Here(name) => {
            !edits_unseen && record.is_some_and(|record| waited(record) && record.cluster.as_deref() == Some(name))
        }
        Standing::Elsewhere(_) => false,
    }
}

/// The rest of the wait of an object that became active here, before its first change.
pub(super) fn activation(s: &Situation<'_>) -> Option<Wait> {
    if s.desired.stands_by().is_some() || is_active(s) {
        return None;
    }
    let what = clock(s);
    let settling = wait(s, what.clone(), s.timing.unanswered);
    match &s.seen.model {
        Model::Quantity(seen) => settling.or_else(|| second_reading(s, what, *seen)),
        Model::Keys(ring) => {
            let begun = s.elapsed.is_some_and(|e| matches!(&e.wait, WaitFor::SecondReading { of, .. } if **of == what));
            let agree = WaitFor::SecondReading { of: Box::new(what), sight: ring.sight() };
            settling.filter(|_| !begun).or_else(|| wait(s, agree, s.timing.pause))
        }
        // Without numbers no two readings can agree. The time still runs.
        Model::Uncounted(_) | Model::Unshown(_) | Model::Hidden(_) => {
            Some(settling.unwrap_or(Wait { what, left: Duration::MAX, settled: false, visible: false }))
        }
    }
}

/// Whether a clock is that of a wait before the first change.
fn is_activation(wait: &WaitFor) -> bool {
    match wait {
        WaitFor::Activation(_) => true,
        WaitFor::SecondReading { of, .. } => is_activation(of),
        _ => false,
    }
}

/// Another cluster, another object or another account waits anew.
fn clock(s: &Situation<'_>) -> WaitFor {
    WaitFor::Activation(digest(&[s.uid, s.desired.names().unwrap_or_default(), &s.seen.account_key()]))
}

/// The reported end of the wait. It stays as first reported, because each pass would compute a slightly different time.
pub(super) fn until(s: &Situation<'_>, left: Duration) -> Option<Timestamp> {
    let left = SignedDuration::try_from(left).ok()?;
    let at = s.now.checked_add(left).ok()?;
    // The time of a record about another object or cluster counts too: it is as near to the true time.
    let told = s.activity.record.and_then(|record| Some(record.until.as_ref()?.0));
    let tolerance = SignedDuration::try_from(s.timing.unanswered / 10).unwrap_or_default().min(TOLERANCE);
    Some(told.filter(|told| told.duration_since(at).abs() <= tolerance).unwrap_or(at))
}

/// The record from now on. `waits`: the rest of the object's wait; `doubt`: the running clock.
pub(super) fn recorded(s: &Situation<'_>, waits: Option<&Wait>, doubt: Option<&Doubt>) -> Option<Activity> {
    let state = match (&s.desired.standing, waits) {
        (Standing::Elsewhere(_), _) => ActivityState::Standby,
        (_, Some(_)) => ActivityState::Activating,
        (Standing::Here(_), None) => ActivityState::Active,
        (Standing::Everywhere, None) => return None,
    };
    let runs = doubt.is_some_and(|doubt| is_activation(&doubt.wait));
    let until = waits.filter(|_| runs).and_then(|wait| until(s, wait.left)).map(Time);
    Some(Activity { until, ..activity(s.activity.record, s.desired, state, s.uid, s.now) })
}

fn activity(before: Option<&Activity>, desired: &Desired, state: ActivityState, uid: &str, now: Timestamp) -> Activity {
    let new = Activity {
        state,
        cluster: desired.names().map(str::to_owned),
        uid: uid.to_owned(),
        since: Time(now),
        until: None,
    };
    let same = |before: &&Activity| (before.state, &before.cluster, &before.uid) == (state, &new.cluster, &new.uid);
    match before.filter(same) {
        Some(before) => Activity { since: before.since.clone(), ..new },
        None => new,
    }
}

/// The record of an object whose account was not read: standby, if it is in standby. An object that becomes active later then waits.
pub(super) fn unread(status: &LicenseSeatsStatus, desired: Option<&Desired>, now: Timestamp) -> Option<Activity> {
    let before = status.activity.as_ref();
    // The former owner of the record does not matter: the record says that nothing may be sent.
    let uid = before.map_or("", |before| before.uid.as_str());
    let desired = desired.filter(|desired| desired.stands_by().is_some());
    let standby = desired.map(|desired| activity(before, desired, ActivityState::Standby, uid, now));
    standby.or_else(|| before.cloned())
}

/// The record of an object whose spec could not be checked: standby, if the spec names another cluster than the record. That cluster
/// may be active meanwhile, because another operator may be able to use the same spec. `active`:
/// `spec.activeCluster` as it is stored.
#[must_use]
pub fn unchecked(status: LicenseSeatsStatus, active: Option<&str>, now: Timestamp) -> LicenseSeatsStatus {
    let before = status.activity.as_ref();
    if before.and_then(|before| before.cluster.as_deref()) == active {
        return status;
    }
    let uid = before.map_or("", |before| before.uid.as_str()).to_owned();
    let (state, cluster) = (ActivityState::Standby, active.map(str::to_owned));
    LicenseSeatsStatus { activity: Some(Activity { state, cluster, uid, since: Time(now), until: None }), ..status }
}

/// What an object in standby reports; `None`: it is not in standby.
pub(super) fn standby(s: &Situation<'_>, wanted: Option<Numbers>) -> Option<Standby> {
    s.desired.stands_by().map(|active| Standby { active: active.to_owned(), wanted, settles: false })
}

/// How long a change of this side may still have effects by the wall clock, once its outcome is known.
pub(super) fn settles(s: &Situation<'_>, intent: Option<&Intent>, applied: bool) -> Option<Duration> {
    if intent.is_some_and(Intent::is_open) {
        // The protocol decides when it is judged.
        return Some(Duration::MAX);
    }
    let last = s.history.first();
    let late = last.and_then(|last| s.timing.late_effects(last, s.now));
    if applied {
        return Some(late.unwrap_or(s.timing.answered));
    }
    let age = Duration::try_from(s.now.duration_since(last?.time.0)).ok()?;
    let left = late?.saturating_sub(age);
    (!left.is_zero()).then_some(left)
}

/// An object in standby changes nothing.
pub(super) fn gate(s: &Situation<'_>, _: &Wanted<'_>) -> Vec<Hold> {
    s.desired.stands_by().map(|_| Hold::of(HoldKind::Standby, String::new())).into_iter().collect()
}

/// An object that became active waits before its first change. This gate comes before every gate with another wait: the end of this
/// wait is recorded, and two clocks would end each other.
pub(super) fn activating(s: &Situation<'_>, _: &Wanted<'_>) -> Vec<Hold> {
    let Some(wait) = activation(s) else { return vec![] };
    let (left, until) = (wait.left, until(s, wait.left));
    let when = until.map_or_else(String::new, |at| format!(" at {}", at.strftime("%Y-%m-%d %H:%M:%SZ")));
    let message = format!(
        "the object became active in this cluster, and another one may have sent a change just before. Seatkeeper makes its first \
         change{when} at the earliest, once two readings agree. If the operator is restarted, it waits anew"
    );
    vec![Hold { kind: HoldKind::Activating(WaitedFor(wait), until), message, wake: Wake::After(left) }]
}

/// The message of an object in standby: its numbers, and what to do.
pub(super) fn standing_by(vendor: &str, seen: &Snapshot, decision: &Decision, standby: &Standby) -> String {
    let shows = match (seen.numbers(), seen.keys()) {
        (None, _) => format!("{vendor} shows no number of seats"),
        (Some(numbers), None) => format!("{vendor} shows {}", status_column::numbers(numbers)),
        (Some(numbers), Some(_)) => format!("{vendor} shows {} seats", numbers.seats),
    };
    let open = match (standby.settles, &decision.intent) {
        (false, _) => {
            return format!("{shows}; spec.activeCluster is {}: nothing is sent from this cluster", standby.active);
        }
        (true, Some(intent)) => {
            let change = status_column::step(&intent.step);
            format!("the outcome of {change} from this cluster is not known yet")
        }
        (true, None) => "the last change of this cluster was made, and its late effects may still come".to_owned(),
    };
    format!(
        "{shows}; spec.activeCluster is {}: nothing more is sent from this cluster. But {open}: make no other cluster active until Ready \
         has the reason {}",
        standby.active,
        reason::STANDBY
    )
}

/// When an object that became active makes its first change, if one is wanted then.
pub(super) fn activates(decision: &Decision) -> String {
    let until = decision.activity.as_ref().and_then(|activity| activity.until.as_ref());
    until.map_or_else(String::new, |until| {
        format!(
            "; the object became active in this cluster, and makes its first change at {} at the earliest",
            until.0.strftime("%Y-%m-%d %H:%M:%SZ")
        )
    })
}
