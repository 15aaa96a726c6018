//! The writes (docs/vendors/bitwarden.md, from "The seat POST" to "Other endpoints of the owner API"): seats, storage and
//! machine accounts by a delta, caps absolutely, and a missing cap is no cap. They say which rule failed. Model,
//! hosting and role are judged in that order ("Order of checks").

use std::future::Future;

use axum::http::StatusCode;
use serde_json::json;
use uuid::Uuid;

use super::{Call, access, error, only_in_the_cloud, profile};
use crate::{
    bitwarden::{
        body::{self, BodyError, Object},
        refusal::Refusal,
        rules::SmTarget,
    },
    faults::FaultKind,
    http::Answer,
};

/// The answer about seats and storage. Nothing is charged in the request, so there is never a client secret
/// ("The seat POST").
fn payment() -> Answer {
    let body = json!({ "object": "payment", "userProfile": null, "paymentIntentClientSecret": null, "success": true });
    Answer::json(StatusCode::OK, &body)
}

fn read<T>(call: Call<'_>, f: impl FnOnce(&Object<'_>) -> Result<T, BodyError>) -> Result<T, Box<Answer>> {
    let value = body::parse(&call.request.body).map_err(|e| Box::new(error::model(&e)))?;
    Object::root(&value).and_then(|root| f(&root)).map_err(|e| Box::new(error::model(&e)))
}

/// A delta that must be there and must not be zero.
fn delta(root: &Object<'_>, name: &str, property: &str, zero: &str) -> Result<i32, BodyError> {
    let wrong = |text: String| Err(BodyError { key: property.into(), text });
    match root.number(name)? {
        None => wrong(format!("The {property} field is required.")),
        Some(0) => wrong(zero.into()),
        Some(delta) => Ok(delta),
    }
}

/// What comes before the change, the change, and the words for its failure.
async fn carry_out(
    call: Call<'_>,
    org: Uuid,
    change: impl Future<Output = Result<(), Refusal>>,
) -> Result<(), Box<Answer>> {
    only_in_the_cloud(call)?;
    if !access::may_edit(call, org) {
        return Err(Box::new(error::not_found()));
    }
    if call.context.hit(&FaultKind::NoEffect) {
        return Ok(());
    }
    call.context.pause(|kind| if let FaultKind::PauseBetweenReads { ms } = kind { Some(*ms) } else { None }).await;
    change.await.map_err(|refusal| {
        let answer = Box::new(error::refusal(&refusal));
        call.context.refused(org, refusal);
        answer
    })
}

/// The cap is not looked at ("The seat POST").
pub(crate) async fn seat(call: Call<'_>, org: Uuid) -> Answer {
    let body = read(call, |root| delta(root, "seatAdjustment", "SeatAdjustment", "Seat adjustment cannot be 0."));
    let delta = match body {
        Ok(delta) => delta,
        Err(answer) => return *answer,
    };
    let change = async {
        let mut row = call.context.read(org)?;
        call.context.adjust_seats(org, &mut row, delta).await
    };
    carry_out(call, org, change).await.map_or_else(|answer| *answer, |()| payment())
}

/// If the seats are changed and the cap is then refused, the seats stay ("The subscription POST of the owner API").
pub(crate) async fn subscription(call: Call<'_>, org: Uuid) -> Answer {
    let body = read(call, |root| Ok((root.count("seatAdjustment")?, root.number("maxAutoscaleSeats")?)));
    let (delta, limit) = match body {
        Ok(body) => body,
        Err(answer) => return *answer,
    };
    let change = call.context.update(org, delta, limit);
    carry_out(call, org, change).await.map_or_else(|answer| *answer, |()| profile::after_write(call, org))
}

/// A malformed id shows only after model and hosting ("Other endpoints of the owner API" and "A wrong role").
pub(crate) async fn storage(call: Call<'_>, org: Option<Uuid>) -> Answer {
    let zero = "Storage adjustment cannot be 0.";
    let body = read(call, |root| delta(root, "storageGbAdjustment", "StorageGbAdjustment", zero));
    let delta = match (body, only_in_the_cloud(call)) {
        (Ok(delta), Ok(())) => delta,
        (Err(answer), _) | (_, Err(answer)) => return *answer,
    };
    let Some(org) = org else {
        return error::unhandled();
    };
    let change = call.context.adjust_storage(org, delta);
    carry_out(call, org, change).await.map_or_else(|answer| *answer, |()| payment())
}

/// Seats and machine accounts of Secrets Manager ("The Secrets Manager POST").
struct SmUpdate {
    seats: i32,
    limit: Option<i32>,
    accounts: i32,
    account_limit: Option<i32>,
}

pub(crate) async fn secrets_manager(call: Call<'_>, org: Option<Uuid>) -> Answer {
    let Some(org) = org else {
        return error::model(&BodyError { key: "id".into(), text: "The value is not valid.".into() });
    };
    let body = read(call, |root| {
        Ok(SmUpdate {
            seats: root.count("seatAdjustment")?,
            limit: root.number("maxAutoscaleSeats")?,
            accounts: root.count("serviceAccountAdjustment")?,
            account_limit: root.number("maxAutoscaleServiceAccounts")?,
        })
    });
    let update = match body {
        Ok(update) => update,
        Err(answer) => return *answer,
    };
    let change = adjust_secrets_manager(call, org, update);
    carry_out(call, org, change).await.map_or_else(|answer| *answer, |()| profile::after_write(call, org))
}

/// With the standalone discount Password Manager follows first, and loses its cap.
async fn adjust_secrets_manager(call: Call<'_>, org: Uuid, update: SmUpdate) -> Result<(), Refusal> {
    let context = call.context;
    let standalone = |o: &mut crate::bitwarden::state::Org| o.stripe.is_some() && o.terms.secrets_manager_standalone;
    if update.seats != 0 && context.sim.with_org(org, standalone).unwrap_or(false) {
        context.update(org, update.seats, None).await?;
    }
    context.fail(&FaultKind::HalfSecretsManager)?;
    let row = context.read(org)?;
    // Without a limit even an adjustment of 0 is a change, which the rules refuse ("Order of checks").
    let moved = |now: Option<i32>, delta: i32| Some(now.unwrap_or(0).wrapping_add(delta));
    let to = SmTarget {
        seats: moved(row.shown.sm_seats, update.seats),
        limit: update.limit,
        accounts: moved(row.shown.service_accounts, update.accounts),
        account_limit: update.account_limit,
    };
    context.update_sm(org, row, to).await
}
