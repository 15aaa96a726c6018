//! The owner API (docs/vendors/bitwarden.md, "The owner API"): what a user's key reaches. Which address leads
//! where, and what comes before any action: the kind of token was checked by the router, so the model error, the
//! hosting and the role are left ("Order of checks").

pub(crate) mod access;
pub(crate) mod error;
mod organization;
mod plan;
mod preview;
mod profile;
mod subscription;
mod usage;
mod writes;

use axum::http::{Method, StatusCode};
use uuid::Uuid;

use super::{context::Context, switches::Switches, token::Claims};
use crate::http::{Answer, Request};

pub(crate) use plan::catalog;

const PREFIX: &str = "/api/organizations/";
const PREVIEW: &str = "/api/billing/preview-invoice/organizations/";
const SELF_HOSTED: &str = "Only allowed when not self hosted.";

/// An id that not every route insists on: None if it is no GUID ("A wrong role").
type LooseId = Option<Uuid>;

/// A known address.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    Profiles,
    Organization(LooseId),
    Subscription(Uuid),
    Seat(Uuid),
    Storage(LooseId),
    SecretsManager(LooseId),
    Users(Uuid),
    Billing(Uuid),
    Metadata(Uuid),
    SelfHostMetadata(Uuid),
    Preview(Uuid),
}

impl Target {
    pub(crate) fn of(path: &str) -> Option<(Self, &'static [Method])> {
        const GET: &[Method] = &[Method::GET];
        const POST: &[Method] = &[Method::POST];
        if path == "/api/organizations" {
            return Some((Self::Profiles, GET));
        }
        if let Some(rest) = path.strip_prefix(PREVIEW) {
            let id = Uuid::parse_str(rest.strip_suffix("/subscription/update")?).ok()?;
            return Some((Self::Preview(id), &[Method::PUT]));
        }
        let rest = path.strip_prefix(PREFIX)?;
        let (id, action) = rest.split_once('/').unwrap_or((rest, ""));
        let id = Uuid::parse_str(id).ok();
        Some(match action {
            "" => (Self::Organization(id), &[Method::GET, Method::PUT]),
            "storage" => (Self::Storage(id), POST),
            "sm-subscription" => (Self::SecretsManager(id), POST),
            "subscription" => (Self::Subscription(id?), &[Method::GET, Method::POST]),
            "seat" => (Self::Seat(id?), POST),
            "users" => (Self::Users(id?), GET),
            "billing" => (Self::Billing(id?), GET),
            "billing/vnext/metadata" => (Self::Metadata(id?), GET),
            "billing/vnext/self-host/metadata" => (Self::SelfHostMetadata(id?), GET),
            _ => return None,
        })
    }
}

/// The organization that a path of the owner API names.
pub(crate) fn organization_in(path: &str) -> Option<Uuid> {
    let rest = path.strip_prefix(PREFIX).or_else(|| path.strip_prefix(PREVIEW))?;
    Uuid::parse_str(rest.split('/').next()?).ok()
}

/// Whether such a request changes what is paid for.
pub(crate) fn buys(method: &str, path: &str) -> bool {
    let target = Target::of(path).map(|(target, _)| target);
    let buying = matches!(
        target,
        Some(Target::Subscription(_) | Target::Seat(_) | Target::Storage(_) | Target::SecretsManager(_))
    );
    method == "POST" && buying
}

/// One call of a user.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) context: &'a Context,
    pub(crate) request: &'a Request,
    pub(crate) claims: &'a Claims,
    pub(crate) switches: &'a Switches,
}

pub(crate) async fn answer(call: Call<'_>, target: Target) -> Answer {
    match (target, &call.request.method) {
        (Target::Profiles, _) => profile::list(call),
        (Target::Organization(None), _) => error::unhandled(),
        (Target::Organization(Some(org)), &Method::GET) => organization::get(call, org),
        (Target::Organization(Some(org)), _) => organization::put(call, org),
        (Target::Subscription(org), &Method::GET) => subscription::get(call, org),
        (Target::Subscription(org), _) => writes::subscription(call, org).await,
        (Target::Seat(org), _) => writes::seat(call, org).await,
        (Target::Storage(org), _) => writes::storage(call, org).await,
        (Target::SecretsManager(org), _) => writes::secrets_manager(call, org).await,
        (Target::Users(org), _) => usage::members(call, org),
        (Target::Billing(org), _) => usage::billing(call, org),
        (Target::Metadata(org), _) => usage::metadata(call, org),
        (Target::SelfHostMetadata(org), _) => usage::self_host_metadata(call, org),
        (Target::Preview(org), _) => preview::update(call, org),
    }
}

/// Most reads and all writes of billing exist in the cloud only.
fn only_in_the_cloud(call: Call<'_>) -> Result<(), Box<Answer>> {
    if call.switches.self_hosted {
        return Err(Box::new(error::answer(StatusCode::BAD_REQUEST, SELF_HOSTED)));
    }
    Ok(())
}
