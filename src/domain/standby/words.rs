//! The messages about an object in standby, or that became active.

use super::Standby;
use crate::domain::condition::reason;
use crate::domain::{Decision, Snapshot, status_column};

/// An object in standby: what it sees, and what to do.
pub(in crate::domain) fn standing_by(vendor: &str, seen: &Snapshot, decision: &Decision, standby: &Standby) -> String {
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

/// When an object that became active makes its first change, should one be wanted by then.
pub(in crate::domain) fn activates(decision: &Decision) -> String {
    let until = decision.activity.as_ref().and_then(|activity| activity.until.as_ref());
    until.map_or_else(String::new, |until| {
        format!(
            "; the object became active in this cluster, and makes its first change at {} at the earliest",
            until.0.strftime("%Y-%m-%d %H:%M:%SZ")
        )
    })
}
