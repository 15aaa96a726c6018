//! `POST /identity/connect/token` (section 3) for organization keys, and the tokens themselves.
//! A token stays good until it expires, whatever happens to its key (section 3.4).

use std::time::Duration;

use axum::http::{StatusCode, header};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Serialize;
use uuid::Uuid;

use super::{Bitwarden, context::Context, lock, state::random_text, switches::Switches};
use crate::http::{Answer, Request};

/// How long the vendor's (deduced) client cache lives.
const CACHE: Duration = Duration::from_secs(300);

/// Who a token speaks for. User tokens are not issued over HTTP yet; tests make one to see the 403.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Organization(Uuid),
    User,
}

#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    expires: Duration,
    pub(crate) killed: bool,
}

impl Token {
    pub(crate) fn alive(&self, now: Duration, skew: u64) -> bool {
        !self.killed && now < self.expires + Duration::from_secs(skew)
    }
}

/// A client record as it was when read.
#[derive(Clone, Debug)]
pub(crate) struct Cached {
    at: Duration,
    secret: String,
    enabled: bool,
}

#[derive(Serialize)]
struct Success<'a> {
    access_token: &'a str,
    expires_in: u64,
    token_type: &'static str,
    scope: &'static str,
}

#[derive(Serialize)]
struct Failure {
    error: &'static str,
}

#[derive(Debug, Default)]
struct Form {
    client_id: Option<String>,
    client_secret: Option<String>,
    grant_type: Option<String>,
    scope: Option<String>,
}

impl Form {
    /// Field names are case-insensitive. Client id and secret may come by HTTP Basic instead.
    fn read(request: &Request) -> Self {
        let mut form = Self::default();
        for (name, value) in form_urlencoded::parse(&request.body) {
            let value = Some(value.into_owned()).filter(|v| !v.trim().is_empty());
            match name.to_ascii_lowercase().as_str() {
                "client_id" => form.client_id = value,
                "client_secret" => form.client_secret = value,
                "grant_type" => form.grant_type = value,
                "scope" => form.scope = value,
                _ => {}
            }
        }
        let basic = request.header(header::AUTHORIZATION).and_then(|v| v.split_once(' '));
        if let Some((scheme, encoded)) = basic
            && scheme.eq_ignore_ascii_case("basic")
            && let Ok(plain) = BASE64_STANDARD.decode(encoded.trim())
            && let Ok(plain) = String::from_utf8(plain)
            && let Some((id, secret)) = plain.split_once(':')
        {
            let decode =
                |text: &str| form_urlencoded::parse(format!("v={text}").as_bytes()).next().map(|(_, v)| v.into_owned());
            form.client_id = decode(id);
            form.client_secret = decode(secret);
        }
        form
    }
}

fn organization_id(client_id: &str) -> Option<Uuid> {
    Uuid::parse_str(client_id.strip_prefix("organization.")?).ok()
}

/// The token endpoint.
pub(crate) fn token(context: &Context, request: &Request, switches: &Switches) -> Answer {
    let answer = match grant(&context.sim, request, switches) {
        Ok(token) => {
            let (access_token, expires_in) = (token.as_str(), switches.token_lifetime_seconds);
            let success = Success { access_token, expires_in, token_type: "Bearer", scope: "api.organization" };
            Answer::json(StatusCode::OK, &success)
        }
        Err(error) => Answer::json(StatusCode::BAD_REQUEST, &Failure { error }),
    };
    answer.with(header::CACHE_CONTROL, "no-store, no-cache, max-age=0").with(header::PRAGMA, "no-cache")
}

/// Section 3.5, in the vendor's order: the request, the client, the grant, the scope.
fn grant(sim: &Bitwarden, request: &Request, switches: &Switches) -> Result<String, &'static str> {
    if request.method != axum::http::Method::POST || request.media_type() != "application/x-www-form-urlencoded" {
        return Err("invalid_request");
    }
    let form = Form::read(request);
    let id = form.client_id.ok_or("invalid_request")?;
    // Section 22.5.
    if id.len() > 100 || form.client_secret.as_ref().is_some_and(|s| s.len() > 100) {
        return Err("invalid_request");
    }
    let org = organization_id(&id).ok_or("invalid_client")?;
    let client = sim.client(org, switches).ok_or("invalid_client")?;
    if !client.enabled || form.client_secret.as_deref() != Some(client.secret.as_str()) {
        return Err("invalid_client");
    }
    match form.grant_type.as_deref() {
        None => return Err("unsupported_grant_type"),
        Some("client_credentials") => {}
        Some(_) => return Err("unauthorized_client"),
    }
    if form.scope.is_some_and(|scope| scope.split_whitespace().any(|s| s != "api.organization")) {
        return Err("invalid_scope");
    }
    Ok(sim.issue(TokenKind::Organization(org), switches))
}

impl Bitwarden {
    /// Section 3.4: read anew for every token, or cached five minutes if the switch says so.
    fn client(&self, org: Uuid, switches: &Switches) -> Option<Cached> {
        let at = self.shared.clock.elapsed();
        let key = org.to_string();
        if switches.key_cache
            && let Some(cached) = lock(&self.shared.key_cache).get(&key)
            && at < cached.at + CACHE
        {
            return Some(cached.clone());
        }
        let read = |o: &mut super::state::Org| Cached {
            at,
            secret: o.secret.clone(),
            enabled: o.row.enabled && o.row.use_api,
        };
        let client = self.with_org(org, read)?;
        lock(&self.shared.key_cache).insert(key, client.clone());
        Some(client)
    }

    pub(crate) fn issue(&self, kind: TokenKind, switches: &Switches) -> String {
        let token = format!("eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCJ9.{}.{}", random_text(240), random_text(86));
        let expires = self.shared.clock.elapsed() + Duration::from_secs(switches.token_lifetime_seconds);
        lock(&self.shared.tokens).insert(token.clone(), Token { kind, expires, killed: false });
        token
    }

    /// Whom a request is about, even if it will be refused.
    pub(crate) fn organization_of(&self, request: &Request) -> Option<String> {
        if let Some(bearer) = request.bearer() {
            return match lock(&self.shared.tokens).get(bearer)?.kind {
                TokenKind::Organization(org) => Some(org.to_string()),
                TokenKind::User => None,
            };
        }
        organization_id(&Form::read(request).client_id?).map(|id| id.to_string())
    }
}
