//! The branches of the oracles. Each must have decided something in a whole run, or the run would be no proof of it. What excuses a
//! case is a branch too; of one that a run does not surely come to, no more than a few cases may be excused.

use std::collections::BTreeMap;

use fault_proxy::Action;

use crate::case::{Case, End};
use crate::happenings::{APPROVAL_DELETED, BY_SOMEBODY, ETCD_RESTORED, JOINED, RIGHTS_TAKEN};
use crate::judge::{Doubt, base, lowers_without_a_record};
use crate::noticed::is_undone_by_etcd;
use crate::rig::Rig;

/// What an oracle had to decide by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Branch {
    /// Somebody else changed the seats while a change was open that then was not made: a review.
    ThirdPartyWhileOpen,
    /// Somebody else changed the seats before a change was read back: a review.
    ThirdPartyUnseen,
    /// What somebody else changed was undone, and nobody was asked.
    ThirdPartyUndone,
    /// Somebody else changed the seats beside a reading: whether a person is asked is left open.
    ThirdPartyBesideReading,
    /// The webhook of somebody else's change wrote back a change that was made: a review all the same.
    HiddenByAnother,
    /// The vendor took back the repeat: a review.
    TakenBack,
    /// Nobody could tell, and a person's deed answered it.
    Answered,
    /// A record was gone with etcd's last moments.
    EtcdRestored,
    /// The apiserver denied something.
    RightsTaken,
    /// The one process that wrote had a wrong clock.
    OneClock,
    /// Both replicas had wrong clocks.
    TwoClocks,
    BothLed,
    /// A change was made after an outage.
    OutageOutlasted,
    /// The object lost its record, and declares fewer seats than there are.
    HeldAtFirstSight,
    /// The vendor took a change back and bills it all the same.
    HeldByAnotherBill,
    /// Others undo it again and again, and it is left alone.
    Contested,
    Refused,
    /// A refusal, and the vendor may bill what it does not show.
    RefusedAndBilled,
    /// The window was closed before anything was sent, or had seen its change; or the approval was gone.
    Deferred,
    /// The change was made although the approval was deleted, for it had left before.
    MadeBefore,
    /// A person joined, and has a seat.
    Joined,
    /// Both installations sent the same total.
    TwoTotals,
    /// Both installations sent the same total, and the vendor carried out both at one moment.
    TwoTotalsAtOneMoment,
    /// Both installations sent the same difference.
    TwoDifferences,
    /// The second of two installations sent its difference while that of the first was under way.
    TwoDifferencesOneAfterTheOther,
    /// The second one found that change made, and sent nothing.
    SecondSentNothing,
    /// Shown and billed differ, for a webhook of one of two purchases wrote over the other; both installations tell the bill.
    HiddenAndTold,
    /// What two installations bought, one of them takes for the vendor's growth.
    TakenForGrowth,
    /// An installation was about to send what the other had made, and has a question on record.
    AsksBesideAnother,
    /// The row of an old key is there, but an answer that nobody gave said that it is gone.
    BelievedALie,
}

/// So many cases of a whole run each branch must decide.
const LEAST: [(Branch, usize); 22] = [
    (Branch::ThirdPartyWhileOpen, 1),
    (Branch::ThirdPartyUnseen, 1),
    (Branch::ThirdPartyUndone, 1),
    (Branch::TakenBack, 1),
    (Branch::EtcdRestored, 2),
    (Branch::RightsTaken, 2),
    (Branch::OneClock, 2),
    (Branch::TwoClocks, 2),
    (Branch::BothLed, 20),
    (Branch::OutageOutlasted, 2),
    (Branch::HeldAtFirstSight, 1),
    (Branch::HeldByAnotherBill, 1),
    (Branch::Refused, 1),
    (Branch::RefusedAndBilled, 1),
    (Branch::Deferred, 10),
    (Branch::MadeBefore, 3),
    (Branch::Joined, 10),
    (Branch::TwoTotals, 1),
    (Branch::TwoTotalsAtOneMoment, 1),
    (Branch::TwoDifferences, 1),
    (Branch::SecondSentNothing, 3),
    (Branch::AsksBesideAnother, 2),
];

/// So many cases of a whole run each of these may decide: what excuses a case and hangs on chance, or switches an oracle off.
const MOST: [(Branch, usize); 7] = [
    (Branch::ThirdPartyBesideReading, 0),
    (Branch::BelievedALie, 0),
    (Branch::HiddenByAnother, 3),
    (Branch::Contested, 3),
    (Branch::HiddenAndTold, 3),
    (Branch::TakenForGrowth, 3),
    (Branch::TwoDifferencesOneAfterTheOther, 3),
];

/// How many cases each branch decided.
#[derive(Default)]
pub struct Branches(BTreeMap<Branch, usize>);

impl Branches {
    pub fn note<'a>(&mut self, decided: impl IntoIterator<Item = &'a Branch>) {
        for branch in decided {
            *self.0.entry(*branch).or_default() += 1;
        }
    }

    pub fn add(&mut self, other: Self) {
        for (branch, cases) in other.0 {
            *self.0.entry(branch).or_default() += cases;
        }
    }

    /// Those that decided fewer cases than they must, or more than they may.
    pub fn out_of_bounds(&self) -> Vec<String> {
        let decided = |branch: Branch| self.0.get(&branch).copied().unwrap_or_default();
        let says = |branch: Branch, than: &str| format!("{branch:?} decided {} cases, {than}", decided(branch));
        let idle = LEAST.iter().filter(|(branch, least)| decided(*branch) < *least);
        let idle = idle.map(|(branch, least)| says(*branch, &format!("fewer than {least}")));
        let excessive = MOST.iter().filter(|(branch, most)| decided(*branch) > *most);
        idle.chain(excessive.map(|(branch, most)| says(*branch, &format!("more than {most}")))).collect()
    }
}

impl std::fmt::Display for Branches {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "decided by {:?}", self.0)
    }
}

/// The branches that decided a case.
pub fn decided(rig: &Rig, case: &Case, end: End, doubt: &Doubt) -> Vec<Branch> {
    let undone = || is_undone_by_etcd(rig, &rig.proxy.records());
    let review = end == End::NeedsReview;
    let happened = |what| case.happening() == Some(what);
    let wrong = case.crew.clocks.iter().filter(|shift| *shift != "0").count();
    let outage = matches!(case.fault, Some((_, Action::Outage(_))));
    let organization = rig.bitwarden().organization(&rig.key().id);
    let base = Some(base(&case.scenario));
    let billed = (organization.seats, organization.billed.seats) != (base, base);
    let all = [
        (Branch::ThirdPartyWhileOpen, review && doubt.open),
        (Branch::ThirdPartyUnseen, review && doubt.unseen == Some(true)),
        (Branch::ThirdPartyUndone, happened(BY_SOMEBODY) && !doubt.is_ambiguous() && end == End::InSync),
        (Branch::ThirdPartyBesideReading, doubt.unseen.is_none()),
        (Branch::HiddenByAnother, review && doubt.hidden && !doubt.is_ambiguous()),
        (Branch::TakenBack, review && doubt.taken_back),
        (Branch::Answered, doubt.is_ambiguous() && !review),
        (Branch::EtcdRestored, happened(ETCD_RESTORED) && undone()),
        (Branch::RightsTaken, happened(RIGHTS_TAKEN)),
        (Branch::OneClock, wrong == 1),
        (Branch::TwoClocks, wrong > 1),
        (Branch::BothLed, case.crew.replicas.len() > 1),
        (Branch::OutageOutlasted, outage && end == End::InSync),
        (Branch::HeldAtFirstSight, end == End::Held && lowers_without_a_record(case)),
        (Branch::HeldByAnotherBill, end == End::Held && !lowers_without_a_record(case)),
        (Branch::Contested, end == End::Contested),
        (Branch::Deferred, end == End::Deferred),
        (Branch::MadeBefore, happened(APPROVAL_DELETED) && end == End::InSync),
        (Branch::Joined, happened(JOINED) && end == End::InSync),
        (Branch::Refused, end == End::Rejected),
        (Branch::RefusedAndBilled, end == End::Rejected && billed),
    ];
    all.into_iter().filter(|(_, decided)| *decided).map(|(branch, _)| branch).collect()
}
