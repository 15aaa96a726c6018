//! Immuta's part of the control API, under `/sim/immuta`. Faults, clock, requests and waiting are the simulator's, in
//! [`crate::control`].

use axum::{
    Json, Router,
    extract::{Path, State, rejection::JsonRejection},
    http::StatusCode,
    routing::{delete, get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Immuta, choices::Permission, key::LicenseKey, problem::Problem, switches::Switches, tenant::Tenant};
use crate::control::{Answer, Failure, bad, merge, show};

/// The rest of what `GET /sim` answers and `--help` ends with.
pub const HELP: &str = "\
Immuta, in the same way (faults, clock, requests and settle above serve both; of the faults inside the vendor it knows
noEffect, and pauseBeforeRow between the check of a key and its row):
  GET    /sim/immuta                            everything: licenseStatus, users, rows (never the text of a key)
  POST   /sim/immuta/tenant                     make it anew: {\"name\":..,\"users\":31,\"inactiveUsers\":0,\"policyOwners\":0}; answers its API key
  POST   /sim/immuta/api-keys                   one more: {\"permissions\":[\"APPLICATION_ADMIN\",\"USER_ADMIN\"]}
  POST   /sim/immuta/api-keys/revoke            {\"apiKey\":..}
  POST   /sim/immuta/keys                       issue a license key: {\"seats\":40,\"softSeats\":5,\"expires\":\"2031-06-30T00:00:00Z\",\"features\":[\"FPE\"],..};
                                                answers its text; add it by POST /admin/license, or by the next line
  POST   /sim/immuta/rows                       somebody adds a key in the UI: {\"licenseKey\":..}
  DELETE /sim/immuta/rows/ID                    somebody deletes a row in the UI
  POST   /sim/immuta/rows/ID/invalidate         the key is no longer honored
  POST   /sim/immuta/users/add                  {\"n\":5}  whatever the seats
  POST   /sim/immuta/users/join                 {\"n\":5}  one by one, while canAddUser; {\"joined\":3}
  POST   /sim/immuta/users/remove               {\"n\":5}
  GET    /sim/immuta/ledger                     append-only: who asked to add or delete which key, and whether it took effect
  POST   /sim/immuta/tokens/expire              all issued tokens are refused from now on
  POST   /sim/immuta/rebuild                    no rows, ids from 1
  POST   /sim/immuta/reset-ids                  free ids are handed out again
  GET    /sim/immuta/switches                   what the documentation leaves open, as it is now
  PATCH  /sim/immuta/switches                   some of it: {\"duplicate\":\"secondRow\",\"reAdd\":\"revives\",\"errorsEchoKey\":true}
";

type Sim = State<Immuta>;
type Sent<T> = Result<Json<T>, JsonRejection>;

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        let status = if problem.status == 404 { StatusCode::NOT_FOUND } else { StatusCode::CONFLICT };
        Self(status, problem.message)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Count {
    n: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ApiKeyText {
    api_key: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct KeyText {
    license_key: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Permissions {
    permissions: Vec<Permission>,
}

/// All routes.
pub fn router(sim: Immuta) -> Router {
    Router::new()
        .route("/sim/immuta", get(|State(sim): Sim| async move { show(&sim.view()) }))
        .route("/sim/immuta/tenant", post(tenant))
        .route("/sim/immuta/api-keys", post(api_key))
        .route("/sim/immuta/api-keys/revoke", post(revoke))
        .route("/sim/immuta/keys", post(issue))
        .route("/sim/immuta/rows", post(add))
        .route("/sim/immuta/rows/{id}", delete(remove))
        .route("/sim/immuta/rows/{id}/invalidate", post(invalidate))
        .route("/sim/immuta/users/{action}", post(users))
        .route("/sim/immuta/ledger", get(|State(sim): Sim| async move { show(&sim.ledger()) }))
        .route("/sim/immuta/tokens/expire", post(expire))
        .route("/sim/immuta/rebuild", post(rebuild))
        .route("/sim/immuta/reset-ids", post(reset_ids))
        .route("/sim/immuta/switches", get(|State(sim): Sim| async move { show(&sim.switches()) }).patch(switch))
        .with_state(sim)
}

async fn tenant(State(sim): Sim, body: Sent<Tenant>) -> Answer {
    show(&sim.add_tenant(body?.0))
}

async fn api_key(State(sim): Sim, body: Sent<Permissions>) -> Answer {
    show(&json!({ "apiKey": sim.add_api_key(&body?.0.permissions) }))
}

async fn revoke(State(sim): Sim, body: Sent<ApiKeyText>) -> Answer {
    show(&json!({ "revoked": sim.revoke_api_key(&body?.0.api_key) }))
}

async fn issue(State(sim): Sim, body: Sent<LicenseKey>) -> Answer {
    let text = sim.issue(body?.0);
    show(&json!({ "number": sim.number_of(&text), "licenseKey": text }))
}

async fn add(State(sim): Sim, body: Sent<KeyText>) -> Answer {
    show(&sim.add_by_hand(&body?.0.license_key)?)
}

async fn remove(State(sim): Sim, Path(id): Path<i64>) -> Answer {
    sim.delete_by_hand(id)?;
    show(&sim.view())
}

async fn invalidate(State(sim): Sim, Path(id): Path<i64>) -> Answer {
    if !sim.invalidate(id) {
        return Err(Failure(StatusCode::NOT_FOUND, format!("no row {id}")));
    }
    show(&sim.view())
}

async fn users(State(sim): Sim, Path(action): Path<String>, body: Sent<Count>) -> Answer {
    let Json(Count { n }) = body?;
    match action.as_str() {
        "add" => sim.add_users(n),
        "join" => return show(&json!({ "joined": (0..n).take_while(|_| sim.user_joins()).count() })),
        "remove" => return show(&json!({ "removed": sim.remove_users(n) })),
        _ => return Err(Failure(StatusCode::NOT_FOUND, format!("no action {action:?}; see GET /sim"))),
    }
    show(&sim.view())
}

async fn expire(State(sim): Sim) -> Answer {
    sim.expire_tokens();
    show(&json!({}))
}

async fn rebuild(State(sim): Sim) -> Answer {
    sim.rebuild();
    show(&sim.view())
}

async fn reset_ids(State(sim): Sim) -> Answer {
    sim.reset_ids();
    show(&json!({}))
}

async fn switch(State(sim): Sim, body: Sent<Value>) -> Answer {
    let Json(mut now) = show(&sim.switches())?;
    merge(&mut now, body?.0);
    let switches: Switches = serde_json::from_value(now).map_err(|e| bad(e.to_string()))?;
    sim.switch(|s| s.clone_from(&switches));
    show(&switches)
}
