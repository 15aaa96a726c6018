//! The endpoints that add, list and delete license keys (docs/vendors/immuta.md, "Endpoints").

use axum::http::StatusCode;
use serde_json::{Map, Value};

use super::{
    problem::Problem,
    row::Row,
    state::{By, State, Verdict},
    switches::Switches,
};
use crate::{
    bitwarden::context::Context,
    faults::FaultKind,
    http::{Answer, Request},
    immuta::ledger::Actor,
};

/// The actor of a request, now.
fn by(context: &Context) -> By {
    let who = if context.client_gone_or_late() { Actor::LateFinisher } else { Actor::Request };
    By { who, request: Some(context.number), at: context.sim.now() }
}

/// A success; 204 has no body.
pub(super) fn success(status: u16, body: &Value) -> Answer {
    match StatusCode::from_u16(status) {
        Ok(StatusCode::NO_CONTENT) => Answer::empty(StatusCode::NO_CONTENT),
        Ok(status) => Answer::json(status, body),
        Err(_) => Answer::json(StatusCode::OK, body),
    }
}

/// `POST /admin/license`. Between the check and the row another request can get in, if a fault holds this one there.
pub(crate) async fn add(context: &Context, request: &Request) -> Answer {
    let verdict = match judged(&mut context.sim.immuta(), request, by(context)) {
        Ok(verdict) => verdict,
        Err(refusal) => return *refusal,
    };
    context.pause(|kind| if let FaultKind::PauseBeforeRow { ms } = kind { Some(*ms) } else { None }).await;
    let effect = !context.hit(&FaultKind::NoEffect);
    carried_out(&mut context.sim.immuta(), verdict, by(context), effect)
}

/// What the key in the body comes to, or the refusal.
pub(super) fn judged(state: &mut State, request: &Request, by: By) -> Result<Verdict, Box<Answer>> {
    let body = object(request).map_err(|problem| Box::new(problem.answer(&state.switches, None)))?;
    let submitted = body.values().find_map(Value::as_str);
    let text = key_text(&body, &state.switches);
    let verdict = text.and_then(|text| state.judge(text, by));
    verdict.map_err(|problem| Box::new(problem.answer(&state.switches, submitted)))
}

/// The row, and the answer with it.
pub(super) fn carried_out(state: &mut State, verdict: Verdict, by: By, effect: bool) -> Answer {
    let row = state.add(verdict, by, effect);
    let status = state.switches.add_status;
    shown(state, &row, |key| success(status, &row.added(key, &state.switches, by.at)))
}

/// The answer about a row, from its key.
fn shown(state: &State, row: &Row, answer: impl FnOnce(&super::key::Issued) -> Answer) -> Answer {
    match state.key_of(row) {
        Some(key) => answer(key),
        None => Problem::new(500, "An internal server error occurred").answer(&state.switches, None),
    }
}

/// The body, which must be a JSON object.
fn object(request: &Request) -> Result<Map<String, Value>, Problem> {
    if request.media_type() != "application/json" {
        return Err(Problem::new(415, "Unsupported Media Type"));
    }
    match serde_json::from_slice(&request.body) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) => Err(Problem::new(400, "\"value\" must be of type object")),
        Err(_) => Err(Problem::new(400, "Invalid request payload JSON format")),
    }
}

/// The key in the body: a strict schema ("The name of the key's field").
fn key_text<'a>(body: &'a Map<String, Value>, switches: &Switches) -> Result<&'a str, Problem> {
    let names = switches.post_field.names();
    let wrong = |code, name: &str, text| Err(Problem::field(switches, code, name, text));
    let Some((name, value)) = names.iter().find_map(|name| body.get(*name).map(|value| (*name, value))) else {
        return wrong("any.required", names[0], "is required");
    };
    if let Some(other) = body.keys().find(|k| *k != name) {
        return wrong("object.allowUnknown", other, "is not allowed");
    }
    match value.as_str() {
        None => wrong("string.base", name, "must be a string"),
        Some("") => wrong("any.empty", name, "is not allowed to be empty"),
        Some(text) => Ok(text),
    }
}

/// `GET /admin/license`: short records, all of them.
pub(crate) fn list(state: &State, now: jiff::Timestamp) -> Value {
    let switches = &state.switches;
    let visible = |row: &&Row| {
        (switches.list_shows_deleted || !row.deleted)
            && (switches.list_shows_invalidated || !row.invalidated)
            && (switches.list_shows_expired || !state.key_of(row).is_some_and(|key| key.expired(now)))
    };
    let mut rows: Vec<&Row> = state.rows.iter().filter(visible).collect();
    rows.sort_by_key(|row| row.id);
    if switches.list_newest_first {
        rows.reverse();
    }
    rows.into_iter().filter_map(|row| Some(row.short(state.key_of(row)?, switches))).collect()
}

/// `DELETE /admin/license/{licenseId}`.
pub(crate) fn delete(context: &Context, id: &str) -> Answer {
    let effect = !context.hit(&FaultKind::NoEffect);
    deleted(&mut context.sim.immuta(), id, by(context), effect)
}

/// The row is deleted, and the answer about it.
pub(super) fn deleted(state: &mut State, id: &str, by: By, effect: bool) -> Answer {
    let Ok(id) = id.parse() else {
        return Problem::new(400, "\"licenseId\" must be a number").answer(&state.switches, None);
    };
    match state.delete(id, by, effect) {
        Err(problem) => problem.answer(&state.switches, None),
        Ok((row, hard)) => {
            let status = state.switches.delete_status;
            shown(state, &row, |key| success(status, &row.removed(hard, key, &state.switches, by.at)))
        }
    }
}
