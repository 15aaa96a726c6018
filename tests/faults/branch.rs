//! The branches of the oracles. Each must have decided something in a whole run, or the run would be no proof of it. What excuses a
//! case is a branch too; of one that a run does not surely come to, no more than a few cases may be excused.

use std::collections::BTreeMap;

use fault_proxy::Action;

use crate::case::{Case, End};
use crate::doubt::Doubt;
use crate::happenings::{APPROVAL_DELETED, BY_SOMEBODY, ETCD_RESTORED, JOINED, RIGHTS_TAKEN};
use crate::judge::{base, lowers_without_a_record};
use crate::noticed::is_undone_by_etcd;
use crate::rig::Rig;

/// How many cases of a whole run a branch decides.
#[derive(Clone, Copy, Debug)]
enum Bound {
    /// So many it must.
    Least(usize),
    /// So many it may: what excuses a case and hangs on chance, or switches an oracle off.
    Most(usize),
}

use Bound::{Least, Most};

/// Each branch has one bound.
macro_rules! branches {
    ($($(#[$doc:meta])* $branch:ident: $bound:expr,)*) => {
        /// What an oracle had to decide by.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Branch { $($(#[$doc])* $branch),* }

        const BOUNDS: &[(Branch, Bound)] = &[$((Branch::$branch, $bound)),*];
    };
}

branches! {
    /// Somebody else changed the seats while a change was open that then was not made: a review.
    ThirdPartyWhileOpen: Least(1),
    /// Somebody else changed the seats before a change was read back: a review.
    ThirdPartyUnseen: Least(1),
    /// What somebody else changed was undone, and nobody was asked.
    ThirdPartyUndone: Least(1),
    /// Somebody else changed the seats beside a reading: whether a person is asked is left open.
    ThirdPartyBesideReading: Most(0),
    /// The webhook of somebody else's change wrote back a change that was made: a review all the same.
    HiddenByAnother: Most(3),
    /// The vendor took back the repeat: a review.
    TakenBack: Least(1),
    /// Nobody could tell, and a person's deed answered it.
    Answered: Least(1),
    /// A record was gone with etcd's last moments.
    EtcdRestored: Least(2),
    /// The apiserver denied something.
    RightsTaken: Least(2),
    /// The one process that wrote had a wrong clock.
    OneClock: Least(2),
    /// Both replicas had wrong clocks.
    TwoClocks: Least(2),
    BothLed: Least(20),
    /// A change was made after an outage.
    OutageOutlasted: Least(2),
    /// The object lost its record, and declares fewer seats than there are.
    HeldAtFirstSight: Least(1),
    /// The vendor took a change back and bills it all the same.
    HeldByAnotherBill: Least(1),
    /// Others undo it again and again, and it is left alone.
    Contested: Least(1),
    Refused: Least(1),
    /// A refusal, and the vendor may bill what it does not show.
    RefusedAndBilled: Least(1),
    /// The window was closed before anything was sent, or had seen its change; or the approval was gone.
    Deferred: Least(10),
    /// The change was made although the approval was deleted, for it had left before.
    MadeBefore: Least(3),
    /// A person joined, and has a seat.
    Joined: Least(10),
    /// Both installations sent the same total.
    TwoTotals: Least(1),
    /// Both installations sent the same total, and the vendor carried out both at one moment.
    TwoTotalsAtOneMoment: Least(1),
    /// Both installations sent the same difference.
    TwoDifferences: Least(1),
    /// The second of two installations sent its difference while that of the first was under way.
    TwoDifferencesOneAfterTheOther: Least(1),
    /// The second one found that change made, and sent nothing.
    SecondSentNothing: Least(3),
    /// Shown and billed differ, for a webhook of one of two purchases wrote over the other; both installations tell the bill.
    HiddenAndTold: Most(3),
    /// What two installations bought, one of them takes for the vendor's growth.
    TakenForGrowth: Most(3),
    /// An installation was about to send what the other had made, and has a question on record.
    AsksBesideAnother: Least(2),
    /// The row of an old key is there, but an answer that nobody gave said that it is gone.
    BelievedALie: Most(0),
}

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
        let each = BOUNDS.iter().filter_map(|(branch, bound)| {
            let decided = self.0.get(branch).copied().unwrap_or_default();
            let than = match bound {
                Least(least) if decided < *least => format!("fewer than {least}"),
                Most(most) if decided > *most => format!("more than {most}"),
                _ => return None,
            };
            Some(format!("{branch:?} decided {decided} cases, {than}"))
        });
        each.collect()
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
        (Branch::HiddenByAnother, doubt.is_excused_by_another(end)),
        (Branch::TakenBack, review && doubt.taken_back),
        (Branch::Answered, doubt.is_answered(end)),
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
