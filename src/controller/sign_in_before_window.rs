//! Signs in before a window opens. Many objects may wait for the same window, and a vendor limits the sign-ins a minute.

use std::time::Duration;

use super::Context;
use super::pass_values::Decided;
use crate::domain::BEFORE_OPENING;
use crate::vendors::VendorAccount;

/// Signs in for a change shortly before its window opens, or reports when the rate limit allows it.
pub(super) async fn get_ready(decided: &mut Decided, account: &dyn VendorAccount) {
    let opens = decided.decision.plan.as_ref().and_then(|plan| plan.not_before.as_ref());
    let left = opens.and_then(|opens| Duration::try_from(opens.0.duration_since(Context::now())).ok());
    let Some(left) = left.filter(|left| *left <= BEFORE_OPENING) else { return };
    if let Some(turn) = account.sign_in_for(left + BEFORE_OPENING).await {
        let wake = &mut decided.decision.wake;
        *wake = Some(wake.map_or(turn, |wake| wake.min(turn)));
    }
}
