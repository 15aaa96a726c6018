//! What may stand against a change: one gate a file, asked in one order, for every vendor and every kind of change.
//!
//! Before these stands what an open intent still means (`protocol`): while its outcome is not known, no reading can say what the
//! next change is.

mod approval;
mod drift_report;
mod first_sight;
mod guard_rails;
mod observe;
mod others;
mod readings;
mod repeated_drift;
mod retry;
mod seats_in_use;
mod seen_first;
mod standby;
mod suspended;
mod vendor;
mod window;

use std::time::Duration;

use jiff::Timestamp;

use super::ladder::Move;
use super::protocol::Wait;
use super::windows::Awaited;
use super::{Numbers, Situation};
use crate::api::{Change, PlanBlock};

/// When something that holds a change may end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// With an edit of the object, which is seen at once, or with what the regular readings show.
    OnEdit,
    /// After this long.
    After(Duration),
    /// At this time.
    At(Timestamp),
}

/// What holds a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoldKind {
    /// `spec.activeCluster` names another cluster, or none.
    Standby,
    /// `spec.managementPolicy` is Observe.
    Observe,
    /// The object became active in this cluster, and waits until this time before its first change.
    Activating(WaitedFor, Option<Timestamp>),
    /// The vendor must show the same for a while first.
    Settle(WaitedFor),
    /// The late effects of the last change may still come.
    LateEffects(WaitedFor),
    /// The vendor took back a change and its repeat: a person must look.
    Review(Box<Change>),
    /// The vendor was changed from outside, and `spec.driftPolicy` is Report.
    DriftReported,
    /// `spec.suspend` is true.
    Suspended,
    /// These credentials or this vendor cannot do it.
    Unsupported,
    /// Repeated external changes.
    Contest,
    /// The vendor would refuse it.
    VendorRule,
    /// It would cross the object's guard rails, or go below the seats in use.
    GuardRail,
    /// Numbers of the vendor contradict each other, or a key that shows them fails.
    NumbersInDoubt,
    /// The object has no record of the account, and the change would lower or remove something.
    FirstSight,
    /// Another object of this account is about to change what the vendor's rule rests on.
    OtherPool,
    /// The same, at the first look: no object that declares that pool has been read yet. Those that were applied together have
    /// some seconds.
    UnreadPool,
    /// The same, and the other object changes nothing before a person acts.
    StuckPool,
    /// The same, and the other object's change is deferred: it waits for a window or a person, or is suspended.
    DeferredPool,
    /// It waits for a `SeatApproval`.
    Approval,
    /// A `SeatApproval` denies it.
    Denied,
    /// It may need or have a `SeatApproval`, and those of the object cannot be read.
    ApprovalsUnread,
    /// It waits for a window of `spec.adjustment`.
    Window(Box<Awaited>),
    /// `spec.adjustment` switches this direction off: `increase` or `decrease`.
    NeverMade(&'static str),
    /// Earlier requests came to nothing: the next one has its time.
    Retry,
    /// Other objects were not all read yet.
    NotScanned,
    /// Another change of this account may still be running.
    OtherChange,
    /// The late effects of another object's change of this account may still come.
    OtherLateEffects,
    /// An older object owns the pool.
    Owned,
    /// Another object's account lists the same licenses, and may be the same account.
    SameRows,
}

/// A wait before a change may be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitedFor(pub(super) Wait);

#[cfg(test)]
impl WaitedFor {
    pub(super) fn of_tests() -> Self {
        let what = crate::domain::WaitFor::LateEffects("c0".into());
        Self(Wait { what, left: Duration::from_secs(60), settled: false, visible: false })
    }
}

/// One thing that stands against a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// What kind it is of.
    pub kind: HoldKind,
    /// What to do about it: a sentence for people, or empty where the kind says it all.
    pub message: String,
    /// When to look at it again: when it may end, or shortly before.
    pub wake: Wake,
}

impl Hold {
    fn of(kind: HoldKind, message: String) -> Self {
        Self { kind, message, wake: Wake::OnEdit }
    }

    /// Whether the change waits for a window, for its direction to be switched on, or for an approval: that may take days.
    pub(super) fn lasts(&self) -> bool {
        let approval = matches!(self.kind, HoldKind::Approval | HoldKind::Denied | HoldKind::ApprovalsUnread);
        approval || matches!(self.kind, HoldKind::Window(_) | HoldKind::NeverMade(_))
    }

    /// Whether a person may let the change pass as it is, without an approval being asked for.
    pub(super) fn is_for_a_yes(&self) -> bool {
        matches!(self.kind, HoldKind::Suspended | HoldKind::DriftReported | HoldKind::FirstSight)
    }

    /// Whether what other objects of the account do ends it.
    pub(super) fn is_of_others(&self) -> bool {
        matches!(self.kind, HoldKind::OtherPool | HoldKind::UnreadPool | HoldKind::StuckPool | HoldKind::DeferredPool)
    }

    /// Whether only a person ends it. A change that a person keeps from its window has no right to leave after its end.
    pub(super) fn is_of_a_person(&self) -> bool {
        match self.kind {
            HoldKind::Standby
            | HoldKind::Observe
            | HoldKind::Review(_)
            | HoldKind::DriftReported
            | HoldKind::Suspended
            | HoldKind::Unsupported
            | HoldKind::Contest
            | HoldKind::VendorRule
            | HoldKind::GuardRail
            | HoldKind::NumbersInDoubt
            | HoldKind::FirstSight
            | HoldKind::StuckPool
            | HoldKind::Approval
            | HoldKind::Denied
            | HoldKind::ApprovalsUnread
            | HoldKind::NeverMade(_)
            | HoldKind::Owned
            | HoldKind::SameRows => true,
            HoldKind::Activating(..)
            | HoldKind::Settle(_)
            | HoldKind::LateEffects(_)
            | HoldKind::OtherPool
            | HoldKind::UnreadPool
            | HoldKind::DeferredPool
            | HoldKind::Window(_)
            | HoldKind::Retry
            | HoldKind::NotScanned
            | HoldKind::OtherChange
            | HoldKind::OtherLateEffects => false,
        }
    }

    /// How `status.plan.blockedBy` names it, if it does.
    pub fn block(&self) -> Option<PlanBlock> {
        Some(match self.kind {
            HoldKind::Standby | HoldKind::Observe | HoldKind::Settle(_) | HoldKind::Review(_) => return None,
            HoldKind::Activating(..) => PlanBlock::Activation,
            HoldKind::DriftReported => PlanBlock::DriftReportedOnly,
            HoldKind::Suspended => PlanBlock::Suspended,
            HoldKind::Unsupported | HoldKind::VendorRule => PlanBlock::Vendor,
            HoldKind::Contest | HoldKind::SameRows | HoldKind::Owned => PlanBlock::Conflict,
            HoldKind::GuardRail => PlanBlock::Guardrail,
            HoldKind::NumbersInDoubt => PlanBlock::NumbersInDoubt,
            HoldKind::FirstSight => PlanBlock::FirstSight,
            HoldKind::OtherPool | HoldKind::UnreadPool | HoldKind::StuckPool | HoldKind::DeferredPool => {
                PlanBlock::OtherPool
            }
            HoldKind::Window(_) | HoldKind::NeverMade(_) => PlanBlock::Window,
            HoldKind::Approval | HoldKind::Denied | HoldKind::ApprovalsUnread => PlanBlock::Approval,
            HoldKind::Retry => PlanBlock::Retry,
            HoldKind::LateEffects(_) | HoldKind::OtherLateEffects => PlanBlock::LateEffects,
            HoldKind::NotScanned | HoldKind::OtherChange => PlanBlock::OutcomeUnknown,
        })
    }
}

/// A change that is wanted, with its numbers.
pub(super) struct Wanted<'a> {
    pub change: &'a Move,
    pub now: Numbers,
    pub target: Numbers,
}

type Gate = fn(&Situation<'_>, &Wanted<'_>) -> Vec<Hold>;

/// All gates in their order: the first that holds gives the reason, and all that hold are reported. First what keeps an
/// object from changing anything, then what only a person can end, last what ends by itself. Late effects of the last change
/// come before what they may cause, which is numbers that contradict each other. What other objects do at this moment comes
/// after these: it is asked only where nothing else holds, so that a change that is held for days does not
/// follow each of theirs.
const ALL: [Gate; 18] = [
    standby::gate,
    observe::gate,
    standby::activating,
    drift_report::gate,
    seen_first::gate,
    suspended::gate,
    vendor::support,
    repeated_drift::gate,
    vendor::rules,
    guard_rails::gate,
    seats_in_use::gate,
    seen_first::late,
    readings::gate,
    first_sight::gate,
    approval::gate,
    window::gate,
    others::pool,
    retry::gate,
];

/// Everything that stands against a change; empty when nothing does. `due`: it was published and would be sent now.
pub(super) fn holds(s: &Situation<'_>, change: &Move, due: bool) -> Vec<Hold> {
    let wanted = Wanted { change, now: change.step.base(), target: change.step.target() };
    let holds: Vec<Hold> = ALL.iter().flat_map(|gate| gate(s, &wanted)).collect();
    if holds.is_empty() && due { others::obstacle(s).into_iter().collect() } else { holds }
}
