//! Plans as the owner API shows them (docs/vendors/bitwarden.md, "The organization GET" and "Plans"): inside
//! organizations, and as the open catalog. Names and prices stand for those of the vendor's closed pricing service.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::error;
use crate::{
    bitwarden::{plans::PlanType, switches::Switches},
    http::Answer,
};

/// The model of one plan. Self-hosted servers, and clouds that do not know the plan, have no details.
pub(crate) fn model(plan: PlanType, self_hosted: bool) -> Value {
    let details = plan.limits().filter(|_| !self_hosted);
    let password_manager = details.map(|l| {
        json!({
            "baseSeats": l.base_seats, "maxSeats": l.max_seats, "hasAdditionalSeatsOption": l.scales,
            "allowSeatAutoscale": l.scales, "maxAdditionalSeats": null, "seatPrice": plan.seat_price(),
            "baseStorageGb": l.base_storage, "hasAdditionalStorageOption": l.storage,
        })
    });
    let secrets_manager = details.and_then(|l| l.sm).map(|sm| {
        json!({
            "baseSeats": sm.base_seats, "maxSeats": sm.max_seats, "hasAdditionalSeatsOption": sm.scales,
            "allowSeatAutoscale": sm.scales, "baseServiceAccount": sm.base_accounts,
            "maxServiceAccounts": sm.max_accounts, "hasAdditionalServiceAccountOption": sm.scales,
            "allowServiceAccountsAutoscale": sm.scales,
        })
    });
    json!({
        "object": "plan", "type": plan.number(), "productTier": plan.tier(), "name": plan.name(),
        "isAnnual": details.is_some() && plan.annual(), "hasApi": false, "canBeUsedByBusiness": false,
        "passwordManager": password_manager, "secretsManager": secrets_manager,
    })
}

/// `GET /plans`: no token needed; empty on self-hosted servers ("Order of checks").
pub(crate) fn catalog(switches: &Switches) -> Answer {
    if switches.pricing_down && !switches.self_hosted {
        return error::went_wrong();
    }
    let known = PlanType::ALL.iter().filter(|p| !switches.self_hosted && p.limits().is_some());
    let data: Vec<Value> = known.map(|plan| model(*plan, false)).collect();
    Answer::json(StatusCode::OK, &json!({ "object": "list", "data": data, "continuationToken": null }))
}
