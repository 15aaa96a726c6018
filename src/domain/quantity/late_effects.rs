//! The late effects of the last change: the next change leaves once they have ended.

use std::time::Duration;

use crate::api::Change;
use crate::domain::gates::{Hold, HoldKind, WaitedFor, Wake, Wanted};
use crate::domain::protocol::{Wait, WaitFor, wait};
use crate::domain::two_readings::second_reading;
use crate::domain::wanted_change::Settle;
use crate::domain::{Doubt, Numbers, Situation};

/// The wait for the late effects of the last change. The next change, of any kind, leaves when no handler of the vendor can hold
/// another row than the shown one.
pub(super) fn late_effects(s: &Situation<'_>, last: &Change, seen: Numbers) -> Option<Wait> {
    let (what, length) = late_wait(s, last)?;
    wait(s, what.clone(), length).or_else(|| second_reading(s, what, seen))
}

/// The clock of the last change's late effects goes on while no other wait runs, so that the next change does not wait anew. The
/// first reading after their end is the first of two.
pub(super) fn late_clock(s: &Situation<'_>, last: &Change) -> Option<Doubt> {
    let (what, length) = late_wait(s, last)?;
    let settled = wait(s, what.clone(), length).is_none();
    Some(Doubt { wait: what, left: Duration::ZERO, settled })
}

/// The clock of the last change's late effects, and their longest duration; `None`: the change is long ago, or of another account.
/// The clock of its request began anew when the request ended.
fn late_wait(s: &Situation<'_>, last: &Change) -> Option<(WaitFor, Duration)> {
    let length = s.timing.late_effects(last, s.now).filter(|_| last.account == s.seen.account_key())?;
    let running = s.elapsed.map(|elapsed| &elapsed.wait);
    let id = || last.id.clone();
    let same = [WaitFor::Request(id()), WaitFor::TakenBack(id())].into_iter().find(|wait| Some(wait) == running);
    Some((same.unwrap_or_else(|| WaitFor::LateEffects(id())), length))
}

/// The late effects of the last change may still come.
pub(in crate::domain) fn gate(s: &Situation<'_>, wanted: &Wanted<'_>) -> Vec<Hold> {
    let Settle::Late(wait @ Wait { left, .. }) = &wanted.change.settle else { return vec![] };
    let message = format!(
        "{} may still write late effects of the last change: the next change follows after them",
        s.desired.pool.vendor.name
    );
    vec![Hold { kind: HoldKind::LateEffects(WaitedFor(wait.clone())), message, wake: Wake::After(*left) }]
}
