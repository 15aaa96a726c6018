//! The control API: plain HTTP on a port of its own, so that the operator cannot reach it by mistake.
//! The same as the [`Bitwarden`] and [`Immuta`] handles, in JSON, for people with curl and for tests in other processes.

mod people;

use std::time::Duration;

use axum::{
    Json, Router,
    extract::{Path, State, rejection::JsonRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::bitwarden::{
    Bitwarden,
    organization::{Organization, SubscriptionStatus},
    switches::Switches,
};
use crate::{
    faults::Fault,
    immuta::{self, Immuta},
};

/// What `GET /sim` answers and `--help` ends with, before [`immuta::control::HELP`].
const HELP: &str = "\
Control API (plain HTTP, JSON):
  GET    /sim                                   this text
  GET    /sim/organizations                     all organizations
  POST   /sim/organizations                     create one: {} or {\"name\":..,\"plan\":..,\"seats\":100,\"limit\":120,\"members\":80,..}; answers its key
  GET    /sim/organizations/ID                  everything about it: shown, billed, occupied, lastRefusal
  DELETE /sim/organizations/ID
  GET    /sim/organizations/ID/ledger           append-only: who changed what is shown and what is billed
  GET    /sim/organizations/ID/key              its key
  POST   /sim/organizations/ID/join             {\"n\":5}  through autoscaling; {\"accepted\":true}
  POST   /sim/organizations/ID/leave            {\"n\":5}
  POST   /sim/organizations/ID/revoke           {\"n\":5}
  POST   /sim/organizations/ID/restore          {\"n\":5}
  POST   /sim/organizations/ID/seats            {\"seats\":90}   a third party in the web vault
  POST   /sim/organizations/ID/limit            {\"limit\":120}  or null: no cap
  POST   /sim/organizations/ID/row              {\"seats\":90,\"limit\":null}  vendor staff: no rule, not billed
  POST   /sim/organizations/ID/enabled          {\"enabled\":false}
  POST   /sim/organizations/ID/sponsored        {\"n\":2}
  POST   /sim/organizations/ID/stripe           {\"customer\":true,\"subscription\":true,\"status\":\"canceled\"}
  POST   /sim/organizations/ID/rotate-key       {}
  POST   /sim/organizations/ID/billing-job      {}
  POST   /sim/organizations/ID/user-key         {\"role\":\"owner\"}  a user's own key: owner, admin, user, custom, providerUser
  POST   /sim/organizations/ID/status           {\"status\":\"past_due\"}  trialing, active, canceled, unpaid, incomplete, incomplete_expired
  POST   /sim/organizations/ID/terms            some of them: {\"periodEnd\":\"2027-01-15T00:00:00Z\",\"cancelAtPeriodEnd\":true,\"cancelledAt\":null}
  POST   /sim/organizations/ID/provider         {\"provider\":\"reseller\"}  msp, businessUnit; null: none
  POST   /sim/organizations/ID/plan             {\"plan\":\"teamsAnnually\"}
  POST   /sim/organizations/ID/license          {\"license\":{\"expires\":TIME,\"expiresWithoutGracePeriod\":TIME},\"seats\":100}  self-hosted
  POST   /sim/organizations/ID/machine-accounts {\"n\":5}  more of them, through autoscaling; machine-accounts-gone: fewer
  POST   /sim/organizations/ID/secrets-manager-access {\"n\":5}  for more members, through autoscaling
  GET    /sim/users                             all users with keys: devices, device mails, memberships
  POST   /sim/users                             create one who belongs nowhere; answers his key
  GET    /sim/users/ID                          one of them; /key: his key
  DELETE /sim/users/ID                          the key is unknown from now on
  POST   /sim/users/ID/role                     {\"organization\":ID,\"role\":\"admin\"}  shows in the next token
  POST   /sim/users/ID/status                   {\"organization\":ID,\"status\":\"accepted\"}
  POST   /sim/users/ID/remove                   {\"organization\":ID}
  POST   /sim/users/ID/account                  some of it: {\"v2Encryption\":true,\"legacyEncryption\":false}
  POST   /sim/users/ID/rotate-key               {}
  GET    /sim/requests                          every HTTPS request, without Authorization
  GET    /sim/faults                            all faults, with seen and fired
  POST   /sim/faults                            {\"method\":\"PUT\",\"pathContains\":\"subscription\",\"times\":1,\"kind\":{\"drop\":{\"apply\":true}}}
  DELETE /sim/faults                            remove all
  DELETE /sim/faults/N                          remove one
  POST   /sim/faults/N/release                  end its pauses
  GET    /sim/switches                          rateLimits, keyCacheSeconds, webhook, billingPath, pricingDown, selfHosted, clientHeaders, tokenLifetimeSeconds, clockSkewSeconds, tokenFailureDelayMs
  PATCH  /sim/switches                          some of them: {\"selfHosted\":true}, {\"webhook\":{\"readsAfterRequest\":false,\"holdWrite\":true}}
  POST   /sim/webhooks/release                  let held webhook writes go on
  POST   /sim/tokens/expire                     all issued tokens are refused from now on
  POST   /sim/clock/advance                     {\"seconds\":3600}
  POST   /sim/settle                            wait until nothing is under way

A user's token: curl --cacert ca.crt URL/identity/connect/token -H 'Bitwarden-Client-Version: 2026.8.0' -d grant_type=client_credentials
  -d scope=api -d client_id=user.ID -d client_secret=SECRET -d deviceType=25 -d deviceIdentifier=UUID -d deviceName=me

Fault kinds: {\"answer\":{\"status\":502,\"headers\":{},\"body\":\"\",\"apply\":false}} {\"delay\":{\"beforeMs\":0,\"afterMs\":0}}
  {\"drop\":{\"apply\":true}} {\"applyLate\":{\"afterMs\":1000}} \"truncate\" \"reset\" {\"drip\":{\"bytesPerSecond\":1}}
  {\"hugeBody\":{\"bytes\":1000000}} {\"headerFlood\":{\"count\":1000}} \"html\" {\"body\":{\"text\":\"{}\"}} \"edgeThrottle\"
  \"edgeForbidden\" \"half\" \"halfSecretsManager\" \"failBeforeBilling\" \"failAfterBilling\" \"noEffect\" \"draftInvoiceLost\" \"cardDeclined\"
  {\"pauseBetweenReads\":{\"ms\":1000}} {\"pauseBeforeRow\":{\"ms\":1000}}
";

/// What `GET /sim` answers and `--help` ends with.
pub fn help() -> String {
    format!("{HELP}\n{}", immuta::control::HELP)
}

type Sim = State<Bitwarden>;

/// An error of the control API itself.
pub(crate) struct Failure(pub(crate) StatusCode, pub(crate) String);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

impl From<JsonRejection> for Failure {
    fn from(rejection: JsonRejection) -> Self {
        Self(rejection.status(), rejection.body_text())
    }
}

pub(crate) type Answer = Result<Json<Value>, Failure>;

pub(crate) fn show(value: &impl Serialize) -> Answer {
    serde_json::to_value(value).map(Json).map_err(|e| Failure(StatusCode::INTERNAL_SERVER_ERROR, e.to_string()))
}

fn exists(sim: &Bitwarden, id: &str) -> Result<(), Failure> {
    sim.find(id).map(|_| ()).ok_or_else(|| Failure(StatusCode::NOT_FOUND, format!("no organization {id}")))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Seconds {
    seconds: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StripeState {
    customer: bool,
    subscription: bool,
    status: Option<SubscriptionStatus>,
}

/// All routes.
pub fn router(sim: Bitwarden) -> Router {
    Router::new()
        .route("/", get(|| async { help() }))
        .route("/sim", get(|| async { help() }))
        .route("/sim/organizations", get(organizations).post(create))
        .route("/sim/organizations/{id}", get(organization).delete(remove))
        .route("/sim/organizations/{id}/ledger", get(ledger))
        .route("/sim/organizations/{id}/key", get(key))
        .route("/sim/organizations/{id}/{action}", post(act))
        .route("/sim/requests", get(|State(sim): Sim| async move { show(&sim.requests()) }))
        .route("/sim/faults", get(faults).post(inject).delete(clear))
        .route("/sim/faults/{id}", delete(clear_one))
        .route("/sim/faults/{id}/release", post(release))
        .route("/sim/switches", get(switches).patch(switch))
        .route("/sim/webhooks/release", post(release_webhooks))
        .route("/sim/tokens/expire", post(expire))
        .route("/sim/clock/advance", post(advance))
        .route("/sim/settle", post(|State(sim): Sim| async move { show(&json!({ "settled": sim.settle().await })) }))
        .merge(people::router())
        .with_state(sim.clone())
        .merge(immuta::control::router(Immuta::new(sim)))
}

async fn organizations(State(sim): Sim) -> Answer {
    show(&sim.organizations())
}

async fn create(State(sim): Sim, body: Result<Json<Organization>, JsonRejection>) -> Answer {
    let Json(organization) = body?;
    if !organization.has_usable_id() {
        return Err(bad("id: not a GUID".into()));
    }
    show(&sim.add_organization(organization))
}

async fn organization(State(sim): Sim, Path(id): Path<String>) -> Answer {
    exists(&sim, &id)?;
    show(&sim.find(&id))
}

async fn remove(State(sim): Sim, Path(id): Path<String>) -> Answer {
    exists(&sim, &id)?;
    sim.delete_organization(&id);
    show(&json!({}))
}

async fn ledger(State(sim): Sim, Path(id): Path<String>) -> Answer {
    exists(&sim, &id)?;
    show(&sim.ledger(&id))
}

async fn key(State(sim): Sim, Path(id): Path<String>) -> Answer {
    exists(&sim, &id)?;
    show(&sim.key(&id))
}

/// One value of an action's body.
fn field<T: for<'a> Deserialize<'a>>(body: &Value, name: &str) -> Result<T, Failure> {
    let value = body.get(name).cloned().ok_or_else(|| bad(format!("the body needs {name:?}")))?;
    serde_json::from_value(value).map_err(|e| bad(format!("{name}: {e}")))
}

pub(crate) fn bad(text: String) -> Failure {
    Failure(StatusCode::BAD_REQUEST, text)
}

async fn act(
    State(sim): Sim,
    Path((id, action)): Path<(String, String)>,
    body: Result<Json<Value>, JsonRejection>,
) -> Answer {
    exists(&sim, &id)?;
    // Actions that take nothing may be called without a body.
    let body = match (body, action.as_str()) {
        (Ok(Json(body)), _) => body,
        (Err(_), "rotate-key" | "billing-job") => Value::Null,
        (Err(rejection), _) => return Err(rejection.into()),
    };
    let refused = |outcome: Result<(), crate::Refusal>| {
        outcome.map_err(|r| Failure(StatusCode::CONFLICT, format!("{}: {}", r.rule, r.text)))
    };
    match action.as_str() {
        "join" => return show(&json!({ "accepted": sim.join(&id, field(&body, "n")?) })),
        "restore" => return show(&json!({ "accepted": sim.restore(&id, field(&body, "n")?) })),
        "leave" => return show(&json!({ "left": sim.leave(&id, field(&body, "n")?) })),
        "revoke" => return show(&json!({ "revoked": sim.revoke(&id, field(&body, "n")?) })),
        "seats" => refused(sim.set_seats(&id, field(&body, "seats")?))?,
        "limit" => refused(sim.set_limit(&id, field(&body, "limit")?))?,
        "row" => sim.force_row(&id, field(&body, "seats")?, field(&body, "limit")?),
        "enabled" => sim.set_enabled(&id, field(&body, "enabled")?),
        "sponsored" => sim.set_sponsored_families(&id, field(&body, "n")?),
        "stripe" => {
            let to: StripeState = serde_json::from_value(body).map_err(|e| bad(e.to_string()))?;
            sim.set_stripe(&id, to.customer, to.subscription, to.status);
        }
        "rotate-key" => return show(&sim.rotate_key(&id)),
        "billing-job" => sim.run_billing_job(&id),
        other => return people::on_organization(&sim, &id, other, &body),
    }
    show(&sim.find(&id))
}

async fn faults(State(sim): Sim) -> Answer {
    show(&sim.faults())
}

async fn inject(State(sim): Sim, body: Result<Json<Fault>, JsonRejection>) -> Answer {
    let Json(fault) = body?;
    show(&json!({ "id": sim.inject(fault) }))
}

async fn clear(State(sim): Sim) -> Answer {
    sim.clear_faults();
    show(&json!({}))
}

async fn clear_one(State(sim): Sim, Path(id): Path<u64>) -> Answer {
    sim.clear_fault(id);
    show(&json!({}))
}

async fn release(State(sim): Sim, Path(id): Path<u64>) -> Answer {
    show(&json!({ "released": sim.release(id) }))
}

async fn switches(State(sim): Sim) -> Answer {
    show(&sim.switches())
}

/// Objects are merged, everything else replaced.
pub(crate) fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

async fn switch(State(sim): Sim, body: Result<Json<Value>, JsonRejection>) -> Answer {
    let Json(changes) = body?;
    let Json(mut now) = show(&sim.switches())?;
    merge(&mut now, changes);
    let switches: Switches = serde_json::from_value(now).map_err(|e| bad(e.to_string()))?;
    sim.switch(|s| s.clone_from(&switches));
    show(&switches)
}

async fn release_webhooks(State(sim): Sim) -> Answer {
    sim.release_webhooks();
    show(&json!({}))
}

async fn expire(State(sim): Sim) -> Answer {
    sim.expire_tokens();
    show(&json!({}))
}

async fn advance(State(sim): Sim, body: Result<Json<Seconds>, JsonRejection>) -> Answer {
    let Json(by) = body?;
    sim.advance(Duration::from_secs(by.seconds));
    show(&json!({ "now": sim.now() }))
}
