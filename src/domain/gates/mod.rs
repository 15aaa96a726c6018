//! The gates, which hold changes, in one order for every vendor and every kind of change. The gate of a policy is in the file of the policy,
//! as in `approval`; a gate without one has a file here.
//!
//! `protocol` judges an open intent before the gates: while its outcome is not known, no reading shows the next change.

mod contradicting_numbers;
mod first_sight;
mod guard_rails;
mod observe;
mod order_of_pools;
mod seats_in_use;
mod suspended;
pub(super) mod vendor_rules;

use std::time::Duration;

use jiff::Timestamp;

use super::protocol::Wait;
use super::quantity::late_effects;
use super::wanted_change::Move;
use super::windows::{self, Awaited};
use super::{Numbers, Situation, approval, drift, other_objects, retry_pause, standby, two_readings};
use crate::api::{Change, PlanBlock};

/// When a hold may end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// On an edit of the object, which wakes it at once, or on a regular reading.
    OnEdit,
    /// After this long.
    After(Duration),
    /// At this time.
    At(Timestamp),
}

/// The kind of a hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoldKind {
    /// `spec.activeCluster` names another cluster, or none.
    Standby,
    /// `spec.managementPolicy` is Observe.
    Observe,
    /// The object became active in this cluster, and waits until this time before its first change.
    Activating(WaitedFor, Option<Timestamp>),
    /// A second reading must agree first.
    Settle(WaitedFor),
    /// The late effects of the last change may still come.
    LateEffects(WaitedFor),
    /// The vendor took back a change and its repeat: a person must review that.
    Review(Box<Change>),
    /// Drift, and `spec.driftPolicy` is Report.
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
    /// Numbers of the vendor contradict each other, or a person must mend a key that shows them.
    NumbersInDoubt,
    /// A key that shows them cannot be read for a time.
    KeyUnread,
    /// The object has no record of the account, and the change would lower or remove something.
    FirstSight,
    /// Another object of this account is about to change a number on which the vendor's rule depends.
    OtherPool,
    /// The same at the first reading: no object that declares that pool has been read yet. Objects that were applied together get
    /// some seconds.
    UnreadPool,
    /// The same, and the other object is held until a person acts.
    StuckPool,
    /// The same, and the other object's change is deferred: it waits for a window or a person, or is suspended.
    DeferredPool {
        /// Only a person lets that change go on.
        of_a_person: bool,
    },
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
    /// Earlier requests had no effect, and the back-off has not ended.
    Retry,
    /// The initial scan has not ended.
    NotScanned,
    /// Another change of this account may still be in flight.
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

/// One reason why a change is not made now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Its kind.
    pub kind: HoldKind,
    /// The sentence for people. Empty if the kind is enough.
    pub message: String,
    /// When to decide again: when it may end, or shortly before.
    pub wake: Wake,
}

impl Hold {
    pub(super) fn of(kind: HoldKind, message: String) -> Self {
        Self { kind, message, wake: Wake::OnEdit }
    }

    /// Whether the change waits for a window, for an approval, or until a person switches its direction on. Each may take days.
    pub(super) fn lasts(&self) -> bool {
        let approval = matches!(self.kind, HoldKind::Approval | HoldKind::Denied | HoldKind::ApprovalsUnread);
        approval || matches!(self.kind, HoldKind::Window(_) | HoldKind::NeverMade(_))
    }

    /// Whether a person may let the change pass as it is, without a `SeatApproval`.
    pub(super) fn is_for_a_yes(&self) -> bool {
        matches!(self.kind, HoldKind::Suspended | HoldKind::DriftReported | HoldKind::FirstSight)
    }

    /// Whether a change by another object of the account ends it.
    pub(super) fn is_of_others(&self) -> bool {
        let deferred = matches!(self.kind, HoldKind::DeferredPool { .. });
        deferred || matches!(self.kind, HoldKind::OtherPool | HoldKind::UnreadPool | HoldKind::StuckPool)
    }

    /// Whether it may last for days, whatever ends it.
    pub(super) fn may_take_days(&self) -> bool {
        self.lasts() || self.is_of_a_person() || matches!(self.kind, HoldKind::DeferredPool { .. })
    }

    /// Whether only a person ends it. If a person holds a change through its window, it is not sent after that window.
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
            // A person who holds the other change also holds this one.
            HoldKind::DeferredPool { of_a_person } => of_a_person,
            HoldKind::Activating(..)
            | HoldKind::Settle(_)
            | HoldKind::LateEffects(_)
            | HoldKind::OtherPool
            | HoldKind::UnreadPool
            | HoldKind::KeyUnread
            | HoldKind::Window(_)
            | HoldKind::Retry
            | HoldKind::NotScanned
            | HoldKind::OtherChange
            | HoldKind::OtherLateEffects => false,
        }
    }

    /// Its name in `status.plan.blockedBy`, if it has one there.
    pub fn block(&self) -> Option<PlanBlock> {
        Some(match self.kind {
            HoldKind::Standby | HoldKind::Observe | HoldKind::Settle(_) | HoldKind::Review(_) => return None,
            HoldKind::Activating(..) => PlanBlock::Activation,
            HoldKind::DriftReported => PlanBlock::DriftReportedOnly,
            HoldKind::Suspended => PlanBlock::Suspended,
            HoldKind::Unsupported | HoldKind::VendorRule => PlanBlock::Vendor,
            HoldKind::Contest | HoldKind::SameRows | HoldKind::Owned => PlanBlock::Conflict,
            HoldKind::GuardRail => PlanBlock::Guardrail,
            HoldKind::NumbersInDoubt | HoldKind::KeyUnread => PlanBlock::NumbersInDoubt,
            HoldKind::FirstSight => PlanBlock::FirstSight,
            HoldKind::OtherPool | HoldKind::UnreadPool | HoldKind::StuckPool | HoldKind::DeferredPool { .. } => {
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

/// The gates in their order. All holds are reported, and the first gives the reason. First come holds of every change of the
/// object, then holds that only a person ends, last holds that end by themselves. Late effects of the last change come before
/// the contradicting numbers that they may cause. Changes in flight of other objects are checked last, and only if no gate holds. So
/// a change that is held for days does not wake with each change of another object.
const ALL: [Gate; 19] = [
    standby::gate,
    observe::gate,
    standby::activating,
    drift::reported,
    two_readings::gate,
    suspended::gate,
    vendor_rules::support,
    drift::repeated,
    vendor_rules::rules,
    guard_rails::gate,
    seats_in_use::gate,
    approval::unreadable,
    late_effects::gate,
    contradicting_numbers::gate,
    first_sight::gate,
    approval::gate,
    windows::gate,
    order_of_pools::gate,
    retry_pause::gate,
];

/// The holds of a change; none: it may be made. `due`: it was published and would be sent now.
pub(super) fn holds(s: &Situation<'_>, change: &Move, due: bool) -> Vec<Hold> {
    let wanted = Wanted { change, now: change.step.base(), target: change.step.target() };
    let holds: Vec<Hold> = ALL.iter().flat_map(|gate| gate(s, &wanted)).collect();
    if holds.is_empty() && due { other_objects::obstacle(s).into_iter().collect() } else { holds }
}
