//! Asks the vendor for the price of a change that waits for days, so that the person who decides about it knows the
//! price. Changes nothing.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::Context;
use super::pass_values::{Decided, Pass};
use crate::api::Estimate;
use crate::vendors::VendorAccount;

/// Adds the estimate to the plan of a decision. Seatkeeper asks once for each plan and its seats, even if the vendor gives no estimate.
pub(super) async fn estimate(pass: &mut Pass<'_>, decided: &mut Decided, account: &dyn VendorAccount) {
    let waits = decided.decision.verdict.may_wait_for_days();
    let Some(plan) = decided.decision.plan.as_mut().filter(|plan| waits && plan.estimate.is_none()) else { return };
    let (base, target) = (plan.step.base(), plan.step.target());
    if plan.step.key().is_some() || base.seats == target.seats {
        return;
    }
    let asked = Some((plan.id.clone(), target.seats));
    if pass.state.estimated == asked {
        return;
    }
    pass.state.estimated = asked;
    let cost = account.estimate(target.seats).await;
    plan.estimate = cost.map(|cost| Estimate { total: cost.total, tax: cost.tax, as_of: Time(Context::now()) });
}
