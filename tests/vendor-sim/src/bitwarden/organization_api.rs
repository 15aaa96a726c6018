//! `GET` and `PUT /public/organization/subscription` (docs/vendors/bitwarden.md, "The subscription GET" and
//! "The subscription PUT"). The PUT hides every refusal behind one 500; the real one is kept as the organization's last
//! refusal.

use axum::http::StatusCode;
use serde::Serialize;
use uuid::Uuid;

use super::{
    body::{self, PasswordManager, SecretsManager, Update},
    context::Context,
    refusal::Refusal,
    route::organization_api_error,
    rules::SmTarget,
    switches::Switches,
};
use crate::{faults::FaultKind, http::Answer};

const SELF_HOSTED: &str = "Only allowed when not self hosted.";
const UPDATED: &str = "Subscription updated successfully.";
const NO_SECRETS_MANAGER: &str = "Organization has no access to Secrets Manager.";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    password_manager: PasswordManagerDetails,
    secrets_manager: SecretsManagerDetails,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PasswordManagerDetails {
    seats: Option<i32>,
    max_auto_scale_seats: Option<i32>,
    storage: Option<i32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SecretsManagerDetails {
    seats: Option<i32>,
    max_auto_scale_seats: Option<i32>,
    service_accounts: Option<i32>,
    max_auto_scale_service_accounts: Option<i32>,
}

/// The two subscription answers have a message and nothing else.
#[derive(Serialize)]
struct Message<'a> {
    message: &'a str,
}

fn message(status: StatusCode, message: &str) -> Answer {
    Answer::json(status, &Message { message })
}

/// Shows the numbers ("The subscription GET").
pub(crate) fn get(context: &Context, org: Uuid, switches: &Switches) -> Answer {
    if switches.self_hosted {
        return organization_api_error(SELF_HOSTED);
    }
    let Ok(row) = context.read(org) else {
        let text = "An error occurred while retrieving the subscription details.";
        return message(StatusCode::INTERNAL_SERVER_ERROR, text);
    };
    let shown = row.shown;
    Answer::json(
        StatusCode::OK,
        &Details {
            password_manager: PasswordManagerDetails {
                seats: shown.seats,
                max_auto_scale_seats: shown.limit,
                storage: shown.storage_gb,
            },
            secrets_manager: SecretsManagerDetails {
                seats: shown.sm_seats,
                max_auto_scale_seats: shown.sm_limit,
                service_accounts: shown.service_accounts,
                max_auto_scale_service_accounts: shown.service_account_limit,
            },
        },
    )
}

/// Sets totals ("The subscription PUT"). The body is judged before the hosting ("Order of checks").
pub(crate) async fn put(context: &Context, org: Uuid, bytes: &[u8], switches: &Switches) -> Answer {
    let update = match body::read(bytes) {
        Ok(update) => update,
        Err(answer) => return *answer,
    };
    if switches.self_hosted {
        return organization_api_error(SELF_HOSTED);
    }
    if context.hit(&FaultKind::NoEffect) {
        return message(StatusCode::OK, UPDATED);
    }
    match apply(context, org, update).await {
        Ok(text) => message(StatusCode::OK, text),
        Err(refusal) => {
            context.refused(org, refusal);
            message(StatusCode::INTERNAL_SERVER_ERROR, "An error occurred while updating the subscription.")
        }
    }
}

/// No transaction: each part commits by itself, Password Manager first.
async fn apply(context: &Context, org: Uuid, update: Update) -> Result<&'static str, Refusal> {
    if let Some(pm) = update.password_manager {
        password_manager(context, org, pm).await?;
    }
    context.fail(&FaultKind::HalfSecretsManager)?;
    match update.secrets_manager {
        Some(sm) => secrets_manager(context, org, sm).await,
        None => Ok(UPDATED),
    }
}

/// Zero and negative targets mean "leave alone", silently.
fn target(value: Option<i32>) -> Option<i32> {
    value.filter(|v| *v > 0)
}

/// Negative caps count as missing; 0 is a cap of 0. A missing cap keeps the stored one: it cannot be cleared here.
fn cap(value: Option<i32>, stored: Option<i32>) -> Option<i32> {
    value.filter(|v| *v >= 0).or(stored)
}

/// The double read: the delta comes from this read, and is applied to the next one ("Changes that overlap").
async fn password_manager(context: &Context, org: Uuid, pm: PasswordManager) -> Result<(), Refusal> {
    let row = context.read(org)?;
    let limit = cap(pm.limit, row.shown.limit);
    let delta = target(pm.seats).map_or(0, |seats| seats.wrapping_sub(row.shown.seats.unwrap_or(0)));
    context.pause(|kind| if let FaultKind::PauseBetweenReads { ms } = kind { Some(*ms) } else { None }).await;
    context.update(org, delta, limit).await?;
    // Even a zero delta runs the storage path.
    if let Some(storage) = target(pm.storage) {
        let wanted = storage.max(row.plan.base_storage());
        context.adjust_storage(org, wanted.wrapping_sub(row.shown.storage_gb.unwrap_or(0))).await?;
    }
    Ok(())
}

async fn secrets_manager(context: &Context, org: Uuid, sm: SecretsManager) -> Result<&'static str, Refusal> {
    let row = context.read(org)?;
    if !row.use_sm {
        return Ok(NO_SECRETS_MANAGER);
    }
    let to = SmTarget {
        seats: target(sm.seats).or(row.shown.sm_seats),
        limit: cap(sm.limit, row.shown.sm_limit),
        accounts: target(sm.accounts).or(row.shown.service_accounts),
        account_limit: cap(sm.account_limit, row.shown.service_account_limit),
    };
    context.update_sm(org, row, to).await?;
    Ok(UPDATED)
}
