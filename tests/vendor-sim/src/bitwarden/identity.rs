//! `POST /identity/connect/token` (docs/vendors/bitwarden.md, "The token endpoint") for organization and user keys. Who
//! passes gets a token that stays good until it expires, whatever happens to its key ("How long a token counts").

use std::time::Duration;

use axum::http::{StatusCode, header};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Bitwarden, context::Context, lock, switches::Switches, token::TokenKind};
use crate::http::{Answer, Request};

/// A client record as it was when read.
#[derive(Clone, Debug)]
pub(crate) struct Cached {
    at: Duration,
    secret: String,
    enabled: bool,
    kind: TokenKind,
}

/// The four standard fields, and more for users.
#[derive(Debug, Serialize)]
struct Success {
    access_token: String,
    expires_in: u64,
    token_type: &'static str,
    scope: &'static str,
    #[serde(flatten)]
    vault: Option<Vault>,
}

/// What a user's token answer carries besides; all of it secret or useless to an operator ("The personal key").
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Vault {
    key: String,
    private_key: String,
    account_keys: Option<()>,
    master_password_policy: Value,
    force_password_reset: bool,
    kdf: u8,
    kdf_iterations: u32,
    kdf_memory: Option<u32>,
    kdf_parallelism: Option<u32>,
    user_decryption_options: Value,
}

impl Vault {
    fn new(secret: &str) -> Self {
        Self {
            key: format!("2.{secret}"),
            private_key: format!("2.{secret}"),
            account_keys: None,
            master_password_policy: json!({ "Object": "masterPasswordPolicy" }),
            force_password_reset: false,
            kdf: 0,
            kdf_iterations: 600_000,
            kdf_memory: None,
            kdf_parallelism: None,
            user_decryption_options: json!({ "HasMasterPassword": true, "Object": "userDecryptionOptions" }),
        }
    }
}

/// What a refused token request is told ("Refusals of the token endpoint"). Members that are None are left out.
#[derive(Debug, Serialize)]
pub(crate) struct Failure {
    error: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_description: Option<&'static str>,
    #[serde(rename = "ErrorModel", skip_serializing_if = "Option::is_none")]
    model: Option<ErrorModel>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ErrorModel {
    object: &'static str,
    message: &'static str,
}

impl Failure {
    pub(crate) fn plain(error: &'static str) -> Self {
        Self { error, error_description: None, model: None }
    }

    /// A failure after the secret check.
    pub(crate) fn described(error: &'static str, description: Option<&'static str>, message: &'static str) -> Self {
        let model = Some(ErrorModel { object: "error", message });
        Self { error, error_description: description, model }
    }
}

/// The form's fields; blank ones count as missing.
#[derive(Debug, Default)]
pub(crate) struct Form {
    client_id: Option<String>,
    client_secret: Option<String>,
    grant_type: Option<String>,
    scope: Option<String>,
    pub(crate) device_type: Option<String>,
    pub(crate) device_identifier: Option<String>,
    pub(crate) device_name: Option<String>,
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
                "devicetype" => form.device_type = value,
                "deviceidentifier" => form.device_identifier = value,
                "devicename" => form.device_name = value,
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

/// Who asks for a token.
#[derive(Clone, Copy, Debug)]
enum ClientId {
    Organization(Uuid),
    User(Uuid),
}

impl ClientId {
    fn parse(text: &str) -> Option<Self> {
        let (kind, id) = text.split_once('.')?;
        let id = Uuid::parse_str(id).ok()?;
        match kind {
            "organization" => Some(Self::Organization(id)),
            "user" => Some(Self::User(id)),
            _ => None,
        }
    }

    /// The one scope such a client may ask for.
    fn scope(self) -> &'static str {
        match self {
            Self::Organization(_) => "api.organization",
            Self::User(_) => "api",
        }
    }
}

/// The organization whose key asks for a token.
pub(crate) fn organization_asking(request: &Request) -> Option<Uuid> {
    match ClientId::parse(&Form::read(request).client_id?)? {
        ClientId::Organization(org) => Some(org),
        ClientId::User(_) => None,
    }
}

/// The token endpoint.
pub(crate) async fn token(context: &Context, request: &Request, switches: &Switches) -> Answer {
    let answer = match grant(&context.sim, request, switches) {
        Ok(body) => Answer::json(StatusCode::OK, &body),
        Err(failure) => {
            // Failures after the secret check are slow on purpose; only they have a model.
            if failure.model.is_some() {
                context.sim.idle(Duration::from_millis(switches.token_failure_delay_ms)).await;
            }
            Answer::json(StatusCode::BAD_REQUEST, &failure)
        }
    };
    answer.with(header::CACHE_CONTROL, "no-store, no-cache, max-age=0").with(header::PRAGMA, "no-cache")
}

/// In the vendor's order: the request, the client, the grant, the scope; then the user's own checks
/// ("Refusals of the token endpoint").
fn grant(sim: &Bitwarden, request: &Request, switches: &Switches) -> Result<Success, Failure> {
    let refuse = |error| Err(Failure::plain(error));
    if request.method != axum::http::Method::POST || request.media_type() != "application/x-www-form-urlencoded" {
        return refuse("invalid_request");
    }
    let form = Form::read(request);
    let Some(id) = &form.client_id else {
        return refuse("invalid_request");
    };
    // Both are too long ("Refusals of the token endpoint").
    if id.len() > 100 || form.client_secret.as_ref().is_some_and(|s| s.len() > 100) {
        return refuse("invalid_request");
    }
    let Some((id, client)) = ClientId::parse(id).and_then(|id| Some((id, sim.client(id, switches)?))) else {
        return refuse("invalid_client");
    };
    if !client.enabled || form.client_secret.as_deref() != Some(client.secret.as_str()) {
        return refuse("invalid_client");
    }
    match form.grant_type.as_deref() {
        None => return refuse("unsupported_grant_type"),
        Some("client_credentials") => {}
        Some(_) => return refuse("unauthorized_client"),
    }
    if form.scope.as_ref().is_some_and(|scope| scope.split_whitespace().any(|s| s != id.scope())) {
        return refuse("invalid_scope");
    }
    let vault = match id {
        ClientId::Organization(_) => None,
        ClientId::User(user) => Some(Vault::new(&sim.log_in(user, request, &form)?)),
    };
    let access_token = sim.issue(client.kind, switches);
    let expires_in = switches.token_lifetime_seconds;
    Ok(Success { access_token, expires_in, token_type: "Bearer", scope: id.scope(), vault })
}

impl Bitwarden {
    /// Secret, enabled flag and roles, as they were at most so long ago as the switch says ("How long a token counts").
    fn client(&self, id: ClientId, switches: &Switches) -> Option<Cached> {
        let at = self.shared.clock.elapsed();
        let key = format!("{id:?}");
        if let Some(cached) = lock(&self.shared.key_cache).get(&key)
            && at < cached.at + Duration::from_secs(switches.key_cache_seconds)
        {
            return Some(cached.clone());
        }
        let client = match id {
            ClientId::Organization(org) => self.with_org(org, |o| Cached {
                at,
                secret: o.secret.clone(),
                enabled: o.row.enabled && o.row.use_api,
                kind: TokenKind::Organization(org),
            })?,
            ClientId::User(user) => {
                let secret = lock(&self.shared.users).get(&user)?.secret.clone();
                Cached { at, secret, enabled: true, kind: TokenKind::User(self.claims(user)) }
            }
        };
        lock(&self.shared.key_cache).insert(key, client.clone());
        Some(client)
    }

    /// Waits so long on the simulator's clock, so that a test can end it by advancing the clock.
    async fn idle(&self, length: Duration) {
        let end = self.shared.clock.elapsed() + length;
        let mut changed = self.shared.changed.subscribe();
        loop {
            let left = end.saturating_sub(self.shared.clock.elapsed());
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                _ = changed.changed() => {}
            }
        }
    }
}
