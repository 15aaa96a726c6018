//! Which address leads where, who may go there, and the answers given before any action runs
//! (docs/vendors/bitwarden.md, "Refused tokens", "Endpoints" and "Shapes of JSON"). Organization keys go to the
//! organization API, users' keys to the owner API.

use axum::http::{Method, StatusCode, header};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    context::Context,
    identity, lock, members, organization_api, owner_api,
    switches::{BillingPath, Switches},
    token::TokenKind,
};
use crate::http::{Answer, Request};

/// A known address.
#[derive(Clone, Copy, Debug)]
enum Target {
    Token,
    Alive,
    Config,
    Plans,
    Owner(owner_api::Target),
    Subscription,
    Members,
    Member(Uuid),
    Revoke(Uuid),
    Restore(Uuid),
}

impl Target {
    fn of(path: &str) -> Option<(Self, &'static [Method])> {
        const GET: &[Method] = &[Method::GET];
        const POST: &[Method] = &[Method::POST];
        Some(match path {
            // The token endpoint answers every method itself ("Refusals of the token endpoint").
            "/identity/connect/token" => (Self::Token, &[]),
            "/api/alive" => (Self::Alive, GET),
            "/api/config" => (Self::Config, GET),
            "/api/plans" => (Self::Plans, GET),
            "/api/public/organization/subscription" => (Self::Subscription, &[Method::GET, Method::PUT]),
            "/api/public/members" => (Self::Members, &[Method::GET, Method::POST]),
            _ if path.starts_with("/api/organizations") || path.starts_with("/api/billing/") => {
                let (target, methods) = owner_api::Target::of(path)?;
                (Self::Owner(target), methods)
            }
            _ => {
                let mut parts = path.strip_prefix("/api/public/members/")?.split('/');
                let id = Uuid::parse_str(parts.next()?).ok()?;
                match (parts.next(), parts.next()) {
                    (None, _) => (Self::Member(id), &[Method::DELETE, Method::GET]),
                    (Some("revoke"), None) => (Self::Revoke(id), POST),
                    (Some("restore"), None) => (Self::Restore(id), POST),
                    _ => return None,
                }
            }
        })
    }
}

pub(crate) async fn route(context: &Context, request: &Request, switches: &Switches) -> Answer {
    let Some((target, methods)) = Target::of(&request.path) else {
        return Answer::empty(StatusCode::NOT_FOUND);
    };
    // Before authentication ("Order of checks").
    if !methods.is_empty() && !methods.contains(&request.method) {
        let allowed: Vec<&str> = methods.iter().map(Method::as_str).collect();
        return Answer::empty(StatusCode::METHOD_NOT_ALLOWED).with(header::ALLOW, &allowed.join(", "));
    }
    match target {
        Target::Token => return identity::token(context, request, switches).await,
        Target::Alive => return Answer::json(StatusCode::OK, &context.sim.now()),
        Target::Config => return config(context, request, switches),
        Target::Plans => return owner_api::catalog(switches),
        _ => {}
    }
    let caller = match authenticate(context, request, switches) {
        Ok(caller) => caller,
        Err(answer) => return *answer,
    };
    let takes_json = matches!(target, Target::Members | Target::Owner(_));
    let reads_body = request.method == Method::PUT || (request.method == Method::POST && takes_json);
    let wrong_body = reads_body && !is_json(&request.media_type());
    match (target, caller) {
        // The wrong kind of key ("Refused tokens").
        (Target::Owner(_), TokenKind::Organization(_)) => Answer::empty(StatusCode::FORBIDDEN),
        (Target::Owner(_), _) | (_, TokenKind::Organization(_)) if wrong_body => {
            Answer::empty(StatusCode::UNSUPPORTED_MEDIA_TYPE)
        }
        (Target::Owner(target), TokenKind::User(claims)) => {
            let call = owner_api::Call { context, request, claims: &claims, switches };
            owner_api::answer(call, target).await
        }
        (_, TokenKind::User(_)) => Answer::empty(StatusCode::FORBIDDEN),
        (target, TokenKind::Organization(org)) => of_organization(context, request, switches, target, org).await,
    }
}

/// The organization API, for the organization of the key.
async fn of_organization(
    context: &Context,
    request: &Request,
    switches: &Switches,
    target: Target,
    org: Uuid,
) -> Answer {
    match (target, &request.method) {
        (Target::Subscription, &Method::GET) => organization_api::get(context, org, switches),
        (Target::Subscription, _) => organization_api::put(context, org, &request.body, switches).await,
        (Target::Members, &Method::GET) => members::list(context, org),
        (Target::Members, _) => members::invite(context, org, &request.body, switches),
        (Target::Member(id), &Method::GET) => members::one(context, org, id),
        (Target::Member(id), _) => members::delete(context, org, id),
        (Target::Revoke(id), _) => members::revoke(context, org, id),
        (Target::Restore(id), _) => members::restore(context, org, id, switches),
        _ => Answer::empty(StatusCode::NOT_FOUND),
    }
}

/// Whether the content type is JSON ("Shapes of JSON").
fn is_json(media: &str) -> bool {
    matches!(media, "application/json" | "text/json") || (media.starts_with("application/") && media.ends_with("+json"))
}

/// Only signature and lifetime count: a rotated key or a disabled organization changes nothing here
/// ("How long a token counts").
fn authenticate(context: &Context, request: &Request, switches: &Switches) -> Result<TokenKind, Box<Answer>> {
    let unauthorized =
        |text: &str| Err(Box::new(Answer::empty(StatusCode::UNAUTHORIZED).with(header::WWW_AUTHENTICATE, text)));
    let Some(bearer) = request.bearer() else {
        return unauthorized("Bearer");
    };
    let now = context.sim.shared.clock.elapsed();
    let tokens = lock(&context.sim.shared.tokens);
    match tokens.get(bearer) {
        Some(token) if token.alive(now, switches.clock_skew_seconds) => Ok(token.kind.clone()),
        _ => unauthorized("Bearer error=\"invalid_token\""),
    }
}

/// The anonymous probe ("Addresses of a deployment").
fn config(context: &Context, request: &Request, switches: &Switches) -> Answer {
    let host = request.header(header::HOST).unwrap_or("localhost");
    let (api, identity) = context.sim.urls_seen_from(host);
    let region = if switches.self_hosted { "self-hosted" } else { "US" };
    Answer::json(
        StatusCode::OK,
        &json!({
            "object": "config", "version": "2026.8.0", "gitHash": "ac309aa1", "server": null,
            "environment": {
                "cloudRegion": region, "vault": format!("https://{host}"), "api": api, "identity": identity,
                "notifications": null, "sso": null,
            },
            "featureStates": {
                "pm-32581-use-update-organization-subscription-command": switches.billing_path == Some(BillingPath::New),
            },
        }),
    )
}

/// The error object of the organization API ("Shapes of JSON").
#[derive(Serialize)]
pub(crate) struct OrganizationApiError<'a> {
    object: &'static str,
    message: &'a str,
    errors: Option<serde_json::Value>,
}

pub(crate) fn organization_api_error(message: &str) -> Answer {
    Answer::json(StatusCode::BAD_REQUEST, &OrganizationApiError { object: "error", message, errors: None })
}

/// Errors of the body, by property or JSON path ("The subscription PUT").
pub(crate) fn model_error(key: &str, text: &str) -> Answer {
    let errors = Some(json!({ key: [text] }));
    let message = "The request's model state is invalid.";
    Answer::json(StatusCode::BAD_REQUEST, &OrganizationApiError { object: "error", message, errors })
}
