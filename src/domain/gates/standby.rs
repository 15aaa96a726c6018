//! `spec.activeCluster`: an object in standby changes nothing, and one that became active waits before its first change.

use super::{Hold, HoldKind, WaitedFor, Wake, Wanted};
use crate::domain::Situation;
use crate::domain::standby::{activation, until};

pub(super) fn gate(s: &Situation<'_>, _: &Wanted<'_>) -> Vec<Hold> {
    s.desired.stands_by().map(|_| Hold::of(HoldKind::Standby, String::new())).into_iter().collect()
}

/// Before every gate that waits for something else: this wait is recorded when it has ended, and two clocks would end
/// each other.
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
