//! The caller's view of his organizations: the list that shows their ids, and the answer to two of the writes
//! (docs/vendors/bitwarden.md, "Endpoints" and "The subscription POST of the owner API"). Without caps, with the encrypted
//! organization key.

use axum::http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Call, error};
use crate::{
    bitwarden::{lock, state::Org},
    http::Answer,
};

/// One row for each sponsored family, so that an owner with two gets the organization twice.
fn rows(o: &Org, user: Uuid) -> Vec<Value> {
    let Some(member) = o.confirmed(user) else {
        return Vec::new();
    };
    let (row, shown) = (&o.row, o.row.shown);
    let model = json!({
        "object": "profileOrganization", "id": o.id.to_string(), "name": row.name, "enabled": row.enabled,
        "seats": shown.seats, "maxCollections": null, "maxStorageGb": shown.storage_gb,
        "productTierType": row.plan.tier(), "planProductType": row.plan.tier(), "useApi": row.use_api,
        "usePasswordManager": true, "useSecretsManager": row.use_sm, "key": format!("4.{}", o.vault_key),
        "status": member.status.number(), "type": member.kind, "userId": user.to_string(), "organizationUserId": member.id.to_string(),
        "providerId": o.provider.map(|_| o.provider_id.to_string()), "providerName": o.provider.map(|_| "Provider"),
        "providerType": o.provider.map(|p| p.number()),
    });
    let families = usize::try_from(o.sponsored).unwrap_or(0);
    vec![model; if member.kind == 0 { families.max(1) } else { 1 }]
}

/// `GET /organizations`: confirmed memberships as they are now.
pub(crate) fn list(call: Call<'_>) -> Answer {
    let orgs = lock(&call.context.sim.shared.orgs);
    let data: Vec<Value> = orgs.values().flat_map(|o| rows(o, call.claims.user)).collect();
    Answer::json(StatusCode::OK, &json!({ "object": "list", "data": data, "continuationToken": null }))
}

/// After a write: exactly one row is expected, and anything else is a failure of the server although the change was
/// made ("The subscription POST of the owner API").
pub(crate) fn after_write(call: Call<'_>, org: Uuid) -> Answer {
    let rows = call.context.sim.with_org(org, |o| rows(o, call.claims.user)).unwrap_or_default();
    match rows.as_slice() {
        [profile] => Answer::json(StatusCode::OK, profile),
        _ => error::unhandled(),
    }
}
