//! `GET` and `PUT /organizations/{id}` (docs/vendors/bitwarden.md, "The organization GET" and
//! "Other endpoints of the owner API"): seats, caps and plan, without a question to Stripe; and the name and the billing
//! address, never seats.

use axum::http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Call, access, error, plan};
use crate::{
    bitwarden::{body, state::Org},
    http::Answer,
};

/// The fields that both organization reads share.
pub(crate) fn model(o: &Org, self_hosted: bool) -> Value {
    let (row, shown) = (&o.row, o.row.shown);
    json!({
        "object": "organization", "id": o.id.to_string(), "name": row.name, "billingEmail": row.billing_email,
        "businessName": row.name, "businessAddress1": null, "businessCountry": null, "businessTaxNumber": null,
        "planType": row.plan.number(), "plan": plan::model(row.plan, self_hosted), "secretsManagerPlan": null,
        "seats": shown.seats, "maxAutoscaleSeats": shown.limit, "maxStorageGb": shown.storage_gb,
        "maxCollections": null, "useApi": row.use_api, "usePasswordManager": true, "useSecretsManager": row.use_sm,
        "smSeats": shown.sm_seats, "smServiceAccounts": shown.service_accounts, "maxAutoscaleSmSeats": shown.sm_limit,
        "maxAutoscaleSmServiceAccounts": shown.service_account_limit,
        "useAdminSponsoredFamilies": row.use_sponsored, "selfHost": row.plan.tier() == 3,
    })
}

/// Owners by claim, also when a provider manages.
pub(crate) fn get(call: Call<'_>, org: Uuid) -> Answer {
    if !call.claims.owns(org) {
        return error::not_found();
    }
    if call.switches.pricing_down && !call.switches.self_hosted {
        return error::went_wrong();
    }
    let found = call.context.sim.with_org(org, |o| model(o, call.switches.self_hosted));
    found.map_or_else(error::not_found, |model| Answer::json(StatusCode::OK, &model))
}

/// Another role is told 401 with an empty body ("A wrong role").
pub(crate) fn put(call: Call<'_>, org: Uuid) -> Answer {
    let value = match body::parse(&call.request.body) {
        Ok(value) => value,
        Err(error) => return error::model(&error),
    };
    let fields = match body::Object::root(&value) {
        Ok(fields) => fields,
        Err(error) => return error::model(&error),
    };
    let (name, billing) = (fields.text("name"), fields.text("billingEmail"));
    let allowed = if billing.is_some() { access::may_edit(call, org) } else { call.claims.owns(org) };
    if !allowed {
        return Answer::empty(StatusCode::UNAUTHORIZED);
    }
    let changed = call.context.sim.with_org(org, |o| {
        if let Some(name) = name {
            o.row.name = name.into();
        }
        if let Some(billing) = billing {
            o.row.billing_email = Some(billing.into());
        }
        model(o, call.switches.self_hosted)
    });
    changed.map_or_else(error::not_found, |model| Answer::json(StatusCode::OK, &model))
}
