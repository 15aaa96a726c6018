//! The vendor raising seats by itself for members who join or return (docs/vendors/bitwarden.md,
//! "Seats that Bitwarden adds").

use super::{
    organization::Provider,
    refusal::Refusal,
    state::Org,
    stripe::{self, Quantities},
    subscription::narrow,
    switches::BillingPath,
};

/// Seats needed for `joining` more members: None if there is room. The texts of the refusals are known, and
/// their order is not; this one goes from the hosting inwards to the cap.
pub(crate) fn seats_for(org: &Org, joining: i32, self_hosted: bool) -> Result<Option<i32>, Refusal> {
    let refuse = |text: &str| Err(Refusal::new("autoscale", text));
    let Some(seats) = org.row.shown.seats else {
        return Ok(None);
    };
    let needed = org.usage().occupied() + joining;
    if needed <= seats {
        return Ok(None);
    }
    if self_hosted {
        return refuse("Cannot auto scale self-host.");
    }
    match org.provider {
        Some(Provider::Msp | Provider::BusinessUnit) => {
            return refuse("Seat limit has been reached. Please contact your provider to add more seats.");
        }
        Some(Provider::Reseller) => {
            return refuse("Seat limit has been reached. Contact your provider to purchase additional seats.");
        }
        None => {}
    }
    if !org.row.plan.limits().is_some_and(|l| l.scales) {
        return refuse("Plan does not allow additional seats.");
    }
    if !org.row.customer {
        return refuse("No payment method found.");
    }
    if !org.row.subscription {
        return refuse("No subscription found.");
    }
    if org.stripe.is_none_or(|s| stripe::cancelled(s.status)) {
        return refuse("You do not have an active subscription. Reinstate your subscription to make changes.");
    }
    if org.row.shown.limit.is_some_and(|limit| needed > limit) {
        return refuse("Seat limit has been reached.");
    }
    Ok(Some(needed))
}

/// Raises the row's seats atomically; bills at once if asked: all ways but the invitation through the organization API
/// ("What is billed and when").
pub(crate) fn raise(org: &mut Org, to: i32, path: Option<BillingPath>) {
    org.row.shown.seats = Some(narrow(to));
    if !org.autoscaled {
        org.autoscaled = true;
        org.owner_mails += 1;
    }
    if let Some(path) = path {
        let seats = Some(to - org.row.plan.base_seats());
        // A refusal here leaves billing behind, as at the vendor.
        let _ = stripe::charge(&mut org.stripe, org.row.plan, path, Quantities { seats, ..Quantities::default() });
    }
}
