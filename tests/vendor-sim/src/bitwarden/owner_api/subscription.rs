//! `GET /organizations/{id}/subscription` (docs/vendors/bitwarden.md, "The subscription GET of the owner API"): the
//! organization, and what Stripe says about its subscription. The quantities are the billed ones, so they can differ
//! from the seats shown ("A failure that was billed").

use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Call, access, error, organization};
use crate::{
    bitwarden::{
        organization::SubscriptionStatus,
        plans::PlanType,
        state::{Org, Stripe},
        stripe,
        terms::Terms,
    },
    http::Answer,
};

fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A line of the subscription.
struct Line {
    name: String,
    amount: f64,
    quantity: i32,
    addon: bool,
}

impl Line {
    fn model(&self, plan: PlanType) -> Value {
        json!({
            "productId": format!("prod_{}", self.name), "name": self.name, "amount": self.amount,
            "quantity": self.quantity, "interval": if plan.annual() { "year" } else { "month" },
            "sponsoredSubscriptionItem": false, "addonSubscriptionItem": self.addon,
        })
    }

    fn total(&self) -> f64 {
        self.amount * f64::from(self.quantity)
    }
}

/// Billed lines: the package of packaged plans, then what is bought beyond what the plan includes. An attached schedule
/// shows its future line instead of the seats.
fn lines(plan: PlanType, stripe: &Stripe, terms: &Terms) -> Vec<Line> {
    let interval = if plan.annual() { "annually" } else { "monthly" };
    let line = |name: String, amount, quantity, addon| Line { name, amount, quantity, addon };
    let mut lines = Vec::new();
    if let Some(package) = plan.package_item() {
        lines.push(line(package.into(), plan.package_price(), 1, false));
    }
    match &terms.price_migration {
        Some(future) => lines.push(line(future.name.clone(), future.amount, future.quantity, false)),
        None if stripe.seats > 0 => {
            lines.push(line(plan.seat_item().into(), plan.seat_price(), stripe.seats, false));
        }
        None => {}
    }
    for (name, amount, quantity, addon) in [
        ("storage-gb", 4.0, stripe.storage, true),
        ("secrets-manager-seat", 144.0, stripe.sm_seats, false),
        ("secrets-manager-service-account", 12.0, stripe.accounts, true),
    ] {
        if quantity > 0 {
            lines.push(line(format!("{name}-{interval}"), amount, quantity, addon));
        }
    }
    lines
}

/// What a period costs with these quantities.
pub(super) fn total(plan: PlanType, stripe: &Stripe, terms: &Terms) -> f64 {
    lines(plan, stripe, terms).iter().map(Line::total).sum()
}

fn subscription(o: &Org, stripe: &Stripe, lines: Option<&[Line]>) -> Value {
    let (terms, plan) = (&o.terms, o.row.plan);
    let items = lines.map(|lines| lines.iter().map(|l| l.model(plan)).collect::<Vec<_>>());
    json!({
        "status": stripe.status, "trialStartDate": terms.trial_start.map(time), "trialEndDate": terms.trial_end.map(time),
        "periodStartDate": time(terms.period_start), "periodEndDate": time(terms.period_end),
        "cancelledDate": terms.cancelled_at.map(time), "cancelAtEndDate": terms.cancel_at_period_end,
        "cancelled": stripe::cancelled(stripe.status), "items": items,
        "collectionMethod": if terms.send_invoice { "send_invoice" } else { "charge_automatically" },
        "suspensionDate": terms.suspension.map(time), "unpaidPeriodEndDate": terms.unpaid_period_end.map(time),
        "gracePeriod": terms.grace_days,
    })
}

/// Also null when canceled, or when the preview fails.
fn upcoming(o: &Org, stripe: &Stripe, lines: Option<&[Line]>) -> Value {
    let ended = stripe::cancelled(stripe.status) || stripe.status == SubscriptionStatus::Incomplete;
    if ended || o.terms.cancel_at_period_end || o.terms.preview_fails {
        return Value::Null;
    }
    json!({ "amount": lines.map(|lines| lines.iter().map(Line::total).sum::<f64>()), "date": time(o.terms.period_end) })
}

fn discount(terms: &Terms) -> Option<Value> {
    terms.secrets_manager_standalone.then(
        || json!({ "id": "sm-standalone", "active": true, "percentOff": 100.0, "amountOff": null, "appliesTo": [] }),
    )
}

/// None if the row names a subscription that Stripe does not know: its library throws ("Two billing paths").
fn model(call: Call<'_>, o: &Org, less: bool) -> Option<Value> {
    let mut model = organization::model(o, call.switches.self_hosted);
    let mut more = json!({
        "object": "organizationSubscription",
        "storageName": format!("{} GB", o.storage_used), "storageGb": f64::from(o.storage_used),
        "customerDiscount": null, "subscription": null, "upcomingInvoice": null, "pendingAnnualUpgrade": null,
        "smServiceAccountsGrace": null, "expirationWithoutGracePeriod": null, "expiration": null,
        "exemptFromBillingAutomation": false,
    });
    if call.switches.self_hosted {
        more["expiration"] = json!(o.license.as_ref().map(|l| time(l.expires)));
        more["expirationWithoutGracePeriod"] = json!(o.license.as_ref().map(|l| time(l.expires_without_grace_period)));
    } else if o.row.subscription {
        let stripe = o.stripe.as_ref()?;
        let all = lines(o.row.plan, stripe, &o.terms);
        let lines = (!less).then_some(all.as_slice());
        let now = call.context.sim.now();
        more["customerDiscount"] = json!(discount(&o.terms));
        more["subscription"] = subscription(o, stripe, lines);
        more["upcomingInvoice"] = upcoming(o, stripe, lines);
        more["smServiceAccountsGrace"] = json!(0);
        // A placeholder that means nothing.
        more["expiration"] = json!(time(now.checked_add(SignedDuration::from_hours(365 * 24)).unwrap_or(now)));
    }
    if less {
        more["billingEmail"] = Value::Null;
    }
    if let (Some(model), Value::Object(more)) = (model.as_object_mut(), more) {
        model.extend(more);
    }
    Some(model)
}

pub(crate) fn get(call: Call<'_>, org: Uuid) -> Answer {
    if !access::may_view(call, org) {
        return error::not_found();
    }
    if call.switches.pricing_down && !call.switches.self_hosted {
        return error::went_wrong();
    }
    let less = access::sees_less(call, org);
    let found = call.context.sim.with_org(org, |o| {
        // The pricing service must know the plan.
        let known = o.row.plan.limits().is_some() || call.switches.self_hosted;
        known.then(|| model(call, o, less))
    });
    match found.flatten() {
        None => error::not_found(),
        Some(None) => error::went_wrong(),
        Some(Some(model)) => Answer::json(StatusCode::OK, &model),
    }
}
