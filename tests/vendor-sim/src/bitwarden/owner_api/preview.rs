//! `PUT /billing/preview-invoice/organizations/{id}/subscription/update` (docs/vendors/bitwarden.md, "The preview of a
//! bill"): what a period would cost with the quantities that are given. Nothing is changed, and use is not looked at.

use axum::http::StatusCode;
use serde_json::json;
use uuid::Uuid;

use super::{Call, access, error, subscription};
use crate::{
    bitwarden::{
        body::{self, BodyError, Object},
        state::Stripe,
    },
    http::Answer,
};

/// The totals that are asked about.
struct Totals {
    password_manager: Option<i32>,
    secrets_manager: Option<i32>,
}

fn seats(update: &Object<'_>, pool: &str) -> Result<Option<i32>, BodyError> {
    update.member(pool)?.map_or(Ok(None), |pool| pool.number("seats"))
}

fn totals(body: &[u8]) -> Result<Totals, BodyError> {
    let value = body::parse(body)?;
    let root = Object::root(&value)?;
    let wrong = |key: &str, text: &str| BodyError { key: key.into(), text: text.into() };
    let update = root.member("update")?.ok_or_else(|| wrong("Update", "The Update field is required."))?;
    let totals = Totals {
        password_manager: seats(&update, "passwordManager")?,
        secrets_manager: seats(&update, "secretsManager")?,
    };
    match totals.password_manager {
        Some(seats) if !(1..=100_000).contains(&seats) => {
            let text = "The field Seats must be between 1 and 100000.";
            Err(wrong("Update.PasswordManager.Seats", text))
        }
        _ => Ok(totals),
    }
}

/// The role is a policy: it is checked before the body.
pub(crate) fn update(call: Call<'_>, org: Uuid) -> Answer {
    if !access::may_edit(call, org) {
        return Answer::empty(StatusCode::FORBIDDEN);
    }
    let totals = match totals(&call.request.body) {
        Ok(totals) => totals,
        Err(error) => return error::model(&error),
    };
    let total = call.context.sim.with_org(org, |o| {
        let plan = o.row.plan;
        let stripe = o.stripe.filter(|_| !call.switches.self_hosted)?;
        let beyond = |total: Option<i32>, base: i32| total.map_or(0, |total| (total - base).max(0));
        let asked = Stripe {
            seats: beyond(totals.password_manager, plan.base_seats()),
            sm_seats: beyond(totals.secrets_manager, plan.base_sm_seats()),
            storage: 0,
            accounts: 0,
            ..stripe
        };
        Some((subscription::total(plan, &asked, &o.terms), o.terms.preview_fails))
    });
    match total {
        None => error::not_found(),
        Some(None) => error::answer(StatusCode::BAD_REQUEST, "Organization does not have a subscription."),
        Some(Some((_, true))) => error::went_wrong(),
        Some(Some((total, false))) => Answer::json(StatusCode::OK, &json!({ "tax": 0.0, "total": total })),
    }
}
