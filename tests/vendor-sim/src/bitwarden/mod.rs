//! The vendor: one shared state behind a cheap handle, and the way of a request through it.
//! Identity (docs/vendors/bitwarden.md, "The token endpoint"), the organization API ("The organization API") and the owner API
//! ("The owner API") share its state and its rules.

pub mod handle;
pub mod ledger;
pub mod member;
pub mod observe;
pub mod organization;
pub mod plans;
pub mod rate_limit;
pub mod refusal;
pub mod remake;
pub mod requests;
pub mod state;
pub mod subscription_handle;
pub mod switches;
pub mod terms;
pub mod user_handle;
pub mod users;
pub mod view;

pub(crate) mod autoscale;
pub(crate) mod body;
pub(crate) mod broken;
pub(crate) mod client_headers;
pub(crate) mod context;
pub(crate) mod identity;
pub(crate) mod lookout;
pub(crate) mod members;
pub(crate) mod organization_api;
pub(crate) mod owner_api;
pub(crate) mod plan_names;
pub(crate) mod route;
pub(crate) mod rules;
#[cfg(test)]
mod rules_tests;
pub(crate) mod stripe;
pub(crate) mod subscription;
pub(crate) mod token;
pub(crate) mod user_login;
pub(crate) mod webhook;

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    body::{Body, to_bytes},
    http::header,
};
use tokio::sync::watch;
use uuid::Uuid;

use crate::{
    clock::Clock,
    faults::registry::Registry,
    http::{Answer, Request},
    immuta,
    wire::Reply,
};
use context::{Client, Context};
use observe::Apart;
use requests::RequestRecord;
use state::Org;
use switches::Switches;

/// The simulated vendor. Clones are handles to the same one.
#[derive(Clone, Debug)]
pub struct Bitwarden {
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    clock: Clock,
    switches: Mutex<Switches>,
    orgs: Mutex<BTreeMap<Uuid, Org>>,
    users: Mutex<BTreeMap<Uuid, users::User>>,
    tokens: Mutex<HashMap<String, token::Token>>,
    key_cache: Mutex<HashMap<String, identity::Cached>>,
    limiter: Mutex<rate_limit::Limiter>,
    requests: Mutex<Vec<RequestRecord>>,
    faults: Registry,
    /// The ports that serve the API and Identity alone.
    apart: OnceLock<Apart>,
    /// Counts changes, so that waiting needs no polling.
    changed: watch::Sender<u64>,
    /// Requests and webhooks under way.
    busy: AtomicUsize,
    /// Counts releases of held webhook writes.
    webhooks: watch::Sender<u64>,
    /// The other vendor behind this port.
    immuta: Mutex<immuta::state::State>,
    /// Texts that must not arrive here, or of which a test wants to know that they did.
    lookout: Mutex<lookout::Lookout>,
}

/// Something under way, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Busy(Bitwarden);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.shared.busy.fetch_sub(1, Ordering::SeqCst);
        self.0.touch();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Bitwarden {
    pub(crate) fn new(switches: Switches) -> Self {
        Self {
            shared: Arc::new(Shared {
                clock: Clock::default(),
                switches: Mutex::new(switches),
                orgs: Mutex::default(),
                users: Mutex::default(),
                tokens: Mutex::default(),
                key_cache: Mutex::default(),
                limiter: Mutex::default(),
                requests: Mutex::default(),
                faults: Registry::default(),
                apart: OnceLock::new(),
                changed: watch::Sender::new(0),
                busy: AtomicUsize::new(0),
                webhooks: watch::Sender::new(0),
                immuta: Mutex::default(),
                lookout: Mutex::default(),
            }),
        }
    }

    pub(crate) fn busy(&self) -> Busy {
        self.shared.busy.fetch_add(1, Ordering::SeqCst);
        Busy(self.clone())
    }

    pub(crate) fn touch(&self) {
        self.shared.changed.send_modify(|n| *n += 1);
    }

    pub(crate) fn immuta(&self) -> MutexGuard<'_, immuta::state::State> {
        lock(&self.shared.immuta)
    }

    pub(crate) fn with_org<T>(&self, id: Uuid, f: impl FnOnce(&mut Org) -> T) -> Option<T> {
        let result = lock(&self.shared.orgs).get_mut(&id).map(f);
        self.touch();
        result
    }

    /// One request from its arrival to its reply.
    pub(crate) async fn exchange(self, peer: IpAddr, request: axum::http::Request<Body>, client: Arc<Client>) -> Reply {
        let _busy = self.busy();
        let (parts, body) = request.into_parts();
        let Ok(body) = to_bytes(body, 30 << 20).await else {
            return Reply::Dropped;
        };
        let path = parts.uri.path().trim_end_matches('/').to_ascii_lowercase();
        let request = Request { method: parts.method, uri: parts.uri, path, headers: parts.headers, body, peer };
        lock(&self.shared.lookout).see(&request);
        let organization = self.organization_of(&request);
        let selected = self.shared.faults.select(
            request.method.as_str(),
            &request.path,
            organization.as_deref(),
            request.header(header::USER_AGENT).unwrap_or_default(),
        );
        let number = self.remember(&request, organization);
        let by_owner = owner_api::organization_in(&request.path).is_some();
        client.numbered(number);
        let context = Context::new(self.clone(), number, by_owner, selected.inner, Arc::clone(&client));
        let reply = match selected.wire {
            None => Reply::Whole(self.execute(&context, &request).await),
            Some(fault) => {
                fault.fire();
                self.record(number, |r| r.faults.push(fault.id));
                self.broken(context, request, &fault).await
            }
        };
        let gone = client.gone();
        self.record(number, |r| {
            r.client_gone |= gone;
            r.status = reply.status().filter(|_| !gone);
        });
        reply
    }

    /// The vendor proper: limiter, routing, the action, the headers every answer has.
    pub(crate) async fn execute(&self, context: &Context, request: &Request) -> Answer {
        let switches = lock(&self.shared.switches).clone();
        if immuta::route::owns(&request.path) {
            let answer = immuta::route::answer(context, request).await;
            self.record(context.number, |r| r.executed = Some(answer.status.as_u16()));
            return answer;
        }
        // Self-hosted servers have neither an edge in front nor a limiter ("Self-hosted servers").
        let edge = switches.client_headers && !switches.self_hosted;
        if let Some(answer) = edge.then(|| client_headers::turned_away(request)).flatten() {
            self.record(context.number, |r| r.executed = Some(answer.status.as_u16()));
            return answer;
        }
        let limits = Some(&switches.rate_limits).filter(|l| l.enabled && !switches.self_hosted);
        let passed = limits.map(|limits| lock(&self.shared.limiter).check(limits, request, &self.shared.clock));
        let answer = match passed {
            Some(Err(throttled)) => *throttled,
            Some(Ok(Some(stamp))) => stamp.onto(route::route(context, request, &switches).await),
            _ => route::route(context, request, &switches).await,
        }
        .secured();
        self.record(context.number, |r| r.executed = Some(answer.status.as_u16()));
        answer
    }

    fn remember(&self, request: &Request, organization: Option<String>) -> u64 {
        let hidden = [header::AUTHORIZATION, header::COOKIE];
        let visible = request.headers.iter().filter(|(name, _)| !hidden.contains(name));
        let headers =
            visible.map(|(n, v)| (n.to_string(), String::from_utf8_lossy(v.as_bytes()).into_owned())).collect();
        let body = request.path.starts_with("/api/").then(|| String::from_utf8_lossy(&request.body).into_owned());
        let asked_for = lock(&self.shared.switches).client_headers;
        let lacks = if asked_for { client_headers::lacking(request) } else { Vec::new() };
        let mut list = lock(&self.shared.requests);
        let number = list.len() as u64 + 1;
        list.push(RequestRecord {
            number,
            at: self.shared.clock.now(),
            method: request.method.to_string(),
            path: request.path.clone(),
            organization,
            status: None,
            executed: None,
            lacks,
            client_gone: false,
            faults: Vec::new(),
            headers,
            body: body.filter(|b| !b.is_empty()),
        });
        drop(list);
        self.touch();
        number
    }

    pub(crate) fn record(&self, number: u64, f: impl FnOnce(&mut RequestRecord)) {
        // Number 0: not numbered yet.
        let Some(index) = number.checked_sub(1).and_then(|n| usize::try_from(n).ok()) else {
            return;
        };
        if let Some(record) = lock(&self.shared.requests).get_mut(index) {
            f(record);
        }
        self.touch();
    }
}
