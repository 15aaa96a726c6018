//! The delay between publishing and sending a plan, so that two installations do not send differences at the same moment.

use std::time::Duration;

use super::Situation;
use crate::api::Plan;

/// The longest time between publishing and sending a difference.
const LONGEST_SPREAD: Duration = Duration::from_secs(5);

/// The delay between publishing and sending a plan. A difference adds to the present number, so two installations that do not know
/// of each other must not send one at the same moment: the second must read the change of the first.
pub(super) fn spread(s: &Situation<'_>, plan: &Plan) -> Duration {
    if plan.step.key().is_some() || !s.seen.rules.support.adds(plan.step.base(), plan.step.target()) {
        return Duration::ZERO;
    }
    let chance = plan
        .basis
        .iter()
        .flat_map(|basis| basis.bytes())
        .fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()))
        % 1000;
    LONGEST_SPREAD.min(s.timing.pause) * chance / 1000
}
