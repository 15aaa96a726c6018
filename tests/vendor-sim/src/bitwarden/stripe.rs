//! Stripe's side of a change (docs/vendors/bitwarden.md, "Two billing paths"), on the legacy and on the new billing
//! path.

use super::{
    organization::SubscriptionStatus as Status,
    plans::PlanType,
    refusal::{Refusal, WENT_WRONG},
    rules::SmTarget,
    state::Stripe,
    switches::BillingPath,
};

/// New quantities; None leaves a line alone.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Quantities {
    pub(crate) seats: Option<i32>,
    pub(crate) storage: Option<i32>,
    pub(crate) sm_seats: Option<i32>,
    pub(crate) accounts: Option<i32>,
}

impl Quantities {
    /// The Secrets Manager lines for these totals.
    pub(crate) fn of_sm(plan: PlanType, to: SmTarget) -> Self {
        Self {
            sm_seats: to.seats.map(|n| n - plan.base_sm_seats()),
            accounts: to.accounts.map(|n| n - plan.base_accounts()),
            ..Self::default()
        }
    }
}

/// Sets the quantities, absolutely.
pub(crate) fn charge(
    stripe: &mut Option<Stripe>,
    plan: PlanType,
    path: BillingPath,
    to: Quantities,
) -> Result<(), Refusal> {
    let refuse = |status, text: &str| Err(Refusal::with_status("stripe", status, text));
    let Some(stripe) = stripe else {
        return match path {
            BillingPath::Legacy => refuse(500, WENT_WRONG),
            BillingPath::New if to.sm_seats.is_some() => refuse(400, "We couldn't find your subscription."),
            BillingPath::New => refuse(500, "We couldn't find your subscription."),
        };
    };
    match path {
        BillingPath::Legacy if cancelled(stripe.status) => {
            return refuse(400, "You do not have an active subscription. Reinstate your subscription to make changes.");
        }
        BillingPath::New if !matches!(stripe.status, Status::Trialing | Status::Active | Status::PastDue) => {
            return refuse(500, "Your subscription cannot be updated in its current status.");
        }
        _ => {}
    }
    // A quantity of 0 is no line, and only the legacy path makes one ("Order of checks").
    if path == BillingPath::New && stripe.seats == 0 && to.seats.is_some_and(|seats| seats > 0) {
        let price = plan.seat_item();
        return refuse(500, &format!("Subscription does not contain an item with price '{price}'."));
    }
    stripe.seats = to.seats.unwrap_or(stripe.seats);
    stripe.storage = to.storage.unwrap_or(stripe.storage);
    stripe.sm_seats = to.sm_seats.unwrap_or(stripe.sm_seats);
    stripe.accounts = to.accounts.unwrap_or(stripe.accounts);
    Ok(())
}

/// The states that the vendor calls `cancelled` ("The subscription GET of the owner API").
pub(crate) fn cancelled(status: Status) -> bool {
    matches!(status, Status::Canceled | Status::Unpaid | Status::IncompleteExpired)
}
