//! Which address leads where, and who may go there (docs/vendors/immuta.md, "Permissions" and "Endpoints"). Method and
//! path together name an endpoint; anything else is a 404, also before there is a tenant.

use axum::http::header;
use serde_json::Value;

use super::{license, problem::Problem, state::State};
use crate::{
    bitwarden::context::Context,
    http::{Answer, Request},
};

/// A known endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `POST /bim/apikey/authenticate`.
    Exchange,
    /// `POST /admin/license`.
    Add,
    /// `GET /admin/license`.
    List,
    /// `GET /admin/license/licenseStatus`.
    Status,
    /// `GET /admin/license/usage`.
    Usage,
    /// `DELETE /admin/license/{licenseId}`.
    Delete,
}

const LICENSE: &str = "/admin/license";

impl Endpoint {
    /// As the vendor does: paths are compared as they are. `fold` ignores their case, for request records.
    pub(crate) fn of(method: &str, path: &str, fold: bool) -> Option<Self> {
        let same = |known: &str| if fold { known.eq_ignore_ascii_case(path) } else { known == path };
        match method {
            "POST" if same("/bim/apikey/authenticate") => Some(Self::Exchange),
            "POST" if same(LICENSE) => Some(Self::Add),
            "GET" if same(LICENSE) => Some(Self::List),
            "GET" if same("/admin/license/licenseStatus") => Some(Self::Status),
            "GET" if same("/admin/license/usage") => Some(Self::Usage),
            "DELETE" => id(path).map(|_| Self::Delete),
            _ => None,
        }
    }
}

/// The `licenseId` of a path.
pub(super) fn id(path: &str) -> Option<&str> {
    path.strip_prefix(LICENSE)?.strip_prefix('/').filter(|id| !id.is_empty() && !id.contains('/'))
}

/// Whether a path (lower case) is Immuta's.
pub(crate) fn owns(path: &str) -> bool {
    path.starts_with("/admin/") || path.starts_with("/bim/")
}

impl State {
    /// URLs end up in access logs ("The name of the key's field"): counts those with a secret in them.
    fn look_for_secrets(&mut self, url: &str) {
        let keys = self.keys.iter().map(|k| &k.text);
        let credentials = self.api_keys.iter().map(|k| &k.text).chain(self.tokens.keys());
        if keys.chain(credentials).any(|secret| url.contains(secret.as_str())) {
            self.secrets_in_urls += 1;
        }
    }

    /// The endpoint, if the caller may use it. Permissions come before the body.
    pub(super) fn admit(&mut self, request: &Request, now: jiff::Timestamp) -> Result<Endpoint, Problem> {
        let known = Endpoint::of(request.method.as_str(), request.uri.path(), false);
        let endpoint = known.filter(|_| self.tenant.is_some()).ok_or_else(|| Problem::not_found("Not Found"))?;
        let needs = match endpoint {
            Endpoint::Exchange => return Ok(endpoint),
            Endpoint::Add => self.switches.add_needs,
            Endpoint::Delete => self.switches.delete_needs,
            Endpoint::List | Endpoint::Status | Endpoint::Usage => self.switches.read_needs,
        };
        let permissions = self.caller(request, now)?;
        if needs.met_by(&permissions) { Ok(endpoint) } else { Err(Problem::new(403, "Insufficient permissions")) }
    }
}

/// The way of a request through the vendor.
pub(crate) async fn answer(context: &Context, request: &Request) -> Answer {
    let now = context.sim.now();
    let admitted = {
        let mut state = context.sim.immuta();
        state.look_for_secrets(&request.uri.to_string());
        state.note_effects(request, now);
        state.admit(request, now).map_err(|problem| problem.answer(&state.switches, None))
    };
    let read_status = context.sim.immuta().switches.read_status;
    let ok = |body: &Value| license::success(read_status, body);
    let answer = match admitted {
        Err(answer) => answer,
        Ok(Endpoint::Add) => license::add(context, request).await,
        Ok(Endpoint::Delete) => license::delete(context, id(request.uri.path()).unwrap_or_default()),
        Ok(Endpoint::List) => ok(&license::list(&context.sim.immuta(), now)),
        Ok(Endpoint::Status) => ok(&context.sim.immuta().status(now)),
        Ok(Endpoint::Usage) => {
            let mut state = context.sim.immuta();
            let usage = state.usage(request.uri.query().unwrap_or_default());
            usage.map_or_else(|problem| problem.answer(&state.switches, None), |usage| ok(&usage))
        }
        Ok(Endpoint::Exchange) => {
            let mut state = context.sim.immuta();
            state.exchange(request, now).unwrap_or_else(|problem| problem.answer(&state.switches, None))
        }
    };
    answer.with(header::CACHE_CONTROL, "no-cache")
}
