//! Who calls: API keys, the tokens they are exchanged for, and what a request without either gets
//! (docs/vendors/immuta.md, "Authentication").

use axum::{
    body::Bytes,
    http::{StatusCode, header},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    choices::{Exchange, Permission},
    problem::Problem,
    row::date,
    state::State,
};
use crate::{
    bitwarden::state::random_text,
    http::{Answer, Request},
};

#[derive(Clone, Debug)]
pub(crate) struct ApiKey {
    pub(crate) text: String,
    pub(crate) permissions: Vec<Permission>,
    pub(crate) revoked: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Token {
    /// Index of its API key.
    key: usize,
    expires: Timestamp,
    pub(crate) killed: bool,
    calls: u32,
}

fn unauthorized(message: &str) -> Problem {
    Problem::new(401, message)
}

impl State {
    fn api_key(&self, text: &str) -> Option<usize> {
        self.api_keys.iter().position(|k| k.text == text && !k.revoked)
    }

    /// The API key behind a token that is still good; counts the call.
    fn token(&mut self, text: &str, now: Timestamp) -> Option<usize> {
        let token = self.tokens.get_mut(text)?;
        let spent = self.switches.token_calls.is_some_and(|calls| token.calls >= calls);
        let orphan = self.api_keys[token.key].revoked && !self.switches.tokens_outlive_keys;
        if token.killed || spent || orphan || token.expires <= now {
            return None;
        }
        token.calls += 1;
        Some(token.key)
    }

    /// The caller's permissions, or the refusal.
    pub(crate) fn caller(&mut self, request: &Request, now: Timestamp) -> Result<Vec<Permission>, Problem> {
        let given = request.header(header::AUTHORIZATION).unwrap_or_default().trim();
        // A tenant that takes a bearer alone sees no credentials in anything else.
        let unseen = request.bearer().is_none() && !self.switches.raw_key && !self.switches.raw_token;
        if given.is_empty() || unseen {
            return Err(Problem::new(self.switches.missing_credentials_status, "Missing authentication"));
        }
        let (takes_key, takes_token, text) = match request.bearer() {
            Some(text) => (self.switches.bearer_key, self.switches.bearer_token, text),
            None => (self.switches.raw_key, self.switches.raw_token, given),
        };
        let key = self.api_key(text).filter(|_| takes_key);
        let key = key.or_else(|| if takes_token { self.token(text, now) } else { None });
        let status = if self.tokens.contains_key(text) { self.switches.dead_token_status } else { 401 };
        let refused = || Problem::new(status, "Invalid or expired token");
        key.map(|key| self.api_keys[key].permissions.clone()).ok_or_else(refused)
    }

    /// `POST /bim/apikey/authenticate`.
    pub(crate) fn exchange(&mut self, request: &Request, now: Timestamp) -> Result<Answer, Problem> {
        match self.switches.exchange {
            Exchange::Unsupported => return Err(Problem::not_found("Not Found")),
            Exchange::LoginPage => return Ok(login_page()),
            Exchange::RedirectToLogin => return Ok(Answer::empty(StatusCode::FOUND).with(header::LOCATION, "/login")),
            Exchange::Any | Exchange::BodyOnly | Exchange::HeaderOnly => {}
        }
        let given = match self.switches.exchange {
            Exchange::BodyOnly => from_body(request),
            Exchange::HeaderOnly => from_header(request),
            _ => from_body(request).or_else(|| from_header(request)),
        };
        let Some(given) = given else {
            return Err(Problem::new(self.switches.exchange_form_status, "\"apikey\" is required"));
        };
        let Some(key) = self.api_key(&given) else {
            if self.switches.exchange_refuses_with_200 {
                return Ok(Answer::json(StatusCode::OK, &json!({ "authenticated": false })));
            }
            return Err(unauthorized("Invalid API key"));
        };
        let token = random_text(180);
        let life = i64::try_from(self.switches.token_lifetime_seconds).unwrap_or(i64::MAX);
        let expires = now.checked_add(SignedDuration::from_secs(life)).unwrap_or(Timestamp::MAX);
        self.tokens.insert(token.clone(), Token { key, expires, killed: false, calls: 0 });
        let mut body = json!({ "token": token });
        if self.switches.exchange_shows_expiration {
            body["authenticated"] = json!(true);
            body["tokenExpiration"] = date(self.switches.dates, expires);
        }
        Ok(Answer::json(StatusCode::OK, &body))
    }
}

fn from_header(request: &Request) -> Option<String> {
    request.header(header::AUTHORIZATION).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty())
}

/// `apikey`, all lower case, in JSON or in a form.
fn from_body(request: &Request) -> Option<String> {
    if request.media_type() == "application/x-www-form-urlencoded" {
        return form_urlencoded::parse(&request.body).find(|(name, _)| name == "apikey").map(|(_, v)| v.into_owned());
    }
    let body: Value = serde_json::from_slice(&request.body).ok()?;
    body.get("apikey")?.as_str().map(str::to_owned)
}

/// What a host answers that sends everybody to its login first.
fn login_page() -> Answer {
    let mut page = Answer::empty(StatusCode::OK).with(header::CONTENT_TYPE, "text/html; charset=utf-8");
    page.body = Bytes::from_static(b"<!doctype html><title>Log in</title><form><input name=username></form>");
    page
}
