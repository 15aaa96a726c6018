//! The part of the control API about users with keys of their own, and about what only they can read or change:
//! subscriptions, providers, Secrets Manager. Called by the control API's router.

use axum::{
    Json, Router,
    extract::{Path, State, rejection::JsonRejection},
    http::StatusCode,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Answer, Failure, Sim, bad, exists, field, merge, show};
use crate::bitwarden::{
    Bitwarden,
    member::MemberStatus,
    terms::{License, Terms},
    users::Account,
};

/// Routes of users.
pub(super) fn router() -> Router<Bitwarden> {
    Router::new()
        .route("/sim/users", get(|State(sim): Sim| async move { show(&sim.users()) }).post(create))
        .route("/sim/users/{id}", get(user).delete(remove))
        .route("/sim/users/{id}/key", get(key))
        .route("/sim/users/{id}/{action}", post(act))
}

fn known(sim: &Bitwarden, user: &str) -> Result<(), Failure> {
    sim.find_user(user).map(|_| ()).ok_or_else(|| Failure(StatusCode::NOT_FOUND, format!("no user {user}")))
}

async fn create(State(sim): Sim) -> Answer {
    show(&sim.add_user())
}

async fn user(State(sim): Sim, Path(id): Path<String>) -> Answer {
    known(&sim, &id)?;
    show(&sim.find_user(&id))
}

async fn remove(State(sim): Sim, Path(id): Path<String>) -> Answer {
    known(&sim, &id)?;
    sim.remove_user(&id);
    show(&json!({}))
}

async fn key(State(sim): Sim, Path(id): Path<String>) -> Answer {
    known(&sim, &id)?;
    show(&sim.user_key(&id))
}

/// What is stored, with some of its fields changed.
fn changed<T: Serialize + for<'a> Deserialize<'a>>(now: &T, changes: &Value) -> Result<T, Failure> {
    let Json(mut value) = show(now)?;
    merge(&mut value, changes.clone());
    serde_json::from_value(value).map_err(|e| bad(e.to_string()))
}

async fn act(
    State(sim): Sim,
    Path((id, action)): Path<(String, String)>,
    body: Result<Json<Value>, JsonRejection>,
) -> Answer {
    known(&sim, &id)?;
    let organization = |body: &Value| -> Result<String, Failure> {
        let organization: String = field(body, "organization")?;
        exists(&sim, &organization)?;
        Ok(organization)
    };
    if action == "rotate-key" {
        return show(&sim.rotate_user_key(&id));
    }
    let Json(body) = body?;
    match action.as_str() {
        "role" => sim.set_role(&id, &organization(&body)?, field(&body, "role")?),
        "status" => sim.set_member_status(&id, &organization(&body)?, field::<MemberStatus>(&body, "status")?),
        "remove" => sim.remove_from_organization(&id, &organization(&body)?),
        "account" => {
            let now = sim.find_user(&id).map(|u| u.account);
            if let Some(account) = now.map(|now| changed::<Account>(&now, &body)).transpose()? {
                sim.change_account(&id, |a| *a = account);
            }
        }
        _ => return Err(Failure(StatusCode::NOT_FOUND, format!("no action {action:?}; see GET /sim"))),
    }
    show(&sim.find_user(&id))
}

/// Actions on an organization.
pub(super) fn on_organization(sim: &Bitwarden, id: &str, action: &str, body: &Value) -> Answer {
    match action {
        "user-key" => return show(&sim.add_user_key(id, field(body, "role")?)),
        "machine-accounts" => return show(&json!({ "accepted": sim.add_machine_accounts(id, field(body, "n")?) })),
        "machine-accounts-gone" => {
            return show(&json!({ "gone": sim.remove_machine_accounts(id, field(body, "n")?) }));
        }
        "secrets-manager-access" => {
            return show(&json!({ "accepted": sim.grant_secrets_manager(id, field(body, "n")?) }));
        }
        "status" => sim.set_subscription_status(id, field(body, "status")?),
        "terms" => {
            let terms: Terms = changed(&sim.organization(id).terms, body)?;
            sim.change_terms(id, |t| *t = terms);
        }
        "provider" => sim.set_provider(id, field(body, "provider")?),
        "plan" => sim.set_plan(id, field(body, "plan")?),
        "license" => sim.set_license(id, field::<License>(body, "license")?, field(body, "seats")?),
        _ => return Err(Failure(StatusCode::NOT_FOUND, format!("no action {action:?}; see GET /sim"))),
    }
    show(&sim.find(id))
}
