//! Reads about use and payment: exact occupied seats (docs/vendors/bitwarden.md, "Exact use"), the members with their
//! status, and the billing summary ("Other endpoints of the owner API"). Each refuses another role in its own way
//! ("A wrong role").

use axum::http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Call, access, error, only_in_the_cloud};
use crate::http::Answer;

fn occupied(standalone: bool, seats: i32) -> Answer {
    let body = json!({ "isOnSecretsManagerStandalone": standalone, "organizationOccupiedSeats": seats });
    Answer::json(StatusCode::OK, &body)
}

/// Any confirmed member may ask. The role is a policy, so it is checked before the hosting. Stripe's errors do not show.
pub(crate) fn metadata(call: Call<'_>, org: Uuid) -> Answer {
    if !access::belongs(call, org) {
        return Answer::empty(StatusCode::FORBIDDEN);
    }
    if let Err(answer) = only_in_the_cloud(call) {
        return *answer;
    }
    let numbers = call
        .context
        .sim
        .with_org(org, |o| (o.stripe.is_some() && o.terms.secrets_manager_standalone, o.usage().occupied()));
    numbers.map_or_else(
        || error::answer(StatusCode::NOT_FOUND, "Organization not found."),
        |(standalone, seats)| occupied(standalone, seats),
    )
}

/// Always zeros. What it says in the cloud is not known.
pub(crate) fn self_host_metadata(call: Call<'_>, org: Uuid) -> Answer {
    if !access::belongs(call, org) {
        return Answer::empty(StatusCode::FORBIDDEN);
    }
    if !call.switches.self_hosted {
        return error::answer(StatusCode::BAD_REQUEST, "Only allowed when self hosted.");
    }
    occupied(false, 0)
}

/// Unpaged, like the list of the organization API.
pub(crate) fn members(call: Call<'_>, org: Uuid) -> Answer {
    if !access::manages_users(call, org) {
        return error::not_found();
    }
    let data = call.context.sim.with_org(org, |o| {
        let model = |m: &crate::bitwarden::member::Member| {
            json!({
                "object": "organizationUserUserDetails", "id": m.id.to_string(), "userId": m.joined().then(|| m.user_id.to_string()),
                "name": m.joined().then_some(&m.name), "email": m.email, "status": m.status.number(),
                "type": m.kind, "externalId": m.external_id, "accessSecretsManager": m.sm,
            })
        };
        o.members.iter().map(model).collect::<Vec<Value>>()
    });
    let list =
        |data| Answer::json(StatusCode::OK, &json!({ "object": "list", "data": data, "continuationToken": null }));
    data.map_or_else(error::not_found, list)
}

/// Another role is told 401, with words.
pub(crate) fn billing(call: Call<'_>, org: Uuid) -> Answer {
    if let Err(answer) = only_in_the_cloud(call) {
        return *answer;
    }
    if !access::may_edit(call, org) {
        return error::answer(StatusCode::UNAUTHORIZED, "Unauthorized.");
    }
    let body = call.context.sim.with_org(org, |o| {
        let card = json!({ "type": 0, "cardBrand": "visa", "description": "Visa, *4242", "needsVerification": false });
        json!({ "object": "billing", "balance": 0, "paymentSource": o.row.customer.then_some(card) })
    });
    body.map_or_else(error::not_found, |body| Answer::json(StatusCode::OK, &body))
}
