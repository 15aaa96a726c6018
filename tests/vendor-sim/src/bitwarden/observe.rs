//! The rest of the handle: time, requests, tokens, switches, faults, and waiting without polling.
//!
//! Quoted headings are those of docs/vendors/bitwarden.md.

use std::{net::Ipv4Addr, sync::atomic::Ordering, time::Duration};

use jiff::Timestamp;

use super::{
    Bitwarden, lock, owner_api,
    rate_limit::Asked,
    requests::RequestRecord,
    state::random_id,
    switches::Switches,
    token::{Claims, TokenKind},
};
use crate::faults::{Fault, FaultView};

/// How long something that must happen is waited for. Generous: only a failure waits that long.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The two ports of the cloud's form: an API and an Identity with base URLs of their own ("Addresses of a deployment").
#[derive(Debug)]
pub(crate) struct Apart {
    api_port: u16,
    identity_port: u16,
}

impl Bitwarden {
    /// Names the ports that serve the API and Identity alone, so that `GET /config` can tell.
    pub(crate) fn apart(&self, api_port: u16, identity_port: u16) {
        self.shared.apart.get_or_init(|| Apart { api_port, identity_port });
    }

    /// Base URLs of the API and of Identity for a client that used this Host.
    pub(crate) fn urls_seen_from(&self, host: &str) -> (String, String) {
        let (name, port) = host.rsplit_once(':').unwrap_or((host, ""));
        match self.shared.apart.get() {
            Some(apart) if port == apart.api_port.to_string() => {
                (format!("https://{host}"), format!("https://{name}:{}", apart.identity_port))
            }
            _ => (format!("https://{host}/api"), format!("https://{host}/identity")),
        }
    }

    /// The simulator's time.
    pub fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// Moves the simulator's clock: token expiry, rate-limit windows, key cache.
    pub fn advance(&self, by: Duration) {
        self.shared.clock.advance(by);
        self.touch();
    }

    /// Every HTTPS request so far.
    pub fn requests(&self) -> Vec<RequestRecord> {
        lock(&self.shared.requests).clone()
    }

    /// How many of them match.
    pub fn count(&self, f: impl Fn(&RequestRecord) -> bool) -> usize {
        lock(&self.shared.requests).iter().filter(|r| f(r)).count()
    }

    /// Requests to the token endpoint.
    pub fn token_requests(&self) -> usize {
        self.count(|r| r.path == "/identity/connect/token")
    }

    /// PUTs of the organization API, of one organization: attempts to buy.
    pub fn puts(&self, id: &str) -> usize {
        let bought = |r: &RequestRecord| r.method == "PUT" && r.path == "/api/public/organization/subscription";
        self.count(|r| bought(r) && r.organization.as_deref() == Some(id))
    }

    /// Requests of either API that change what an organization pays for: PUTs of the organization API, and POSTs of the owner API of seats,
    /// storage, subscription and Secrets Manager. Attempts, whatever became of them.
    pub fn writes(&self, id: &str) -> usize {
        self.puts(id) + self.count(|r| owner_api::buys(&r.method, &r.path) && r.organization.as_deref() == Some(id))
    }

    /// All tokens issued so far are refused from now on.
    pub fn expire_tokens(&self) {
        lock(&self.shared.tokens).values_mut().for_each(|t| t.killed = true);
        self.touch();
    }

    /// A token of a user who belongs nowhere, to see the 403 of a wrong kind of key ("Refused tokens").
    pub fn user_token(&self) -> String {
        let switches = self.switches();
        self.issue(TokenKind::User(Claims { user: random_id(), roles: Default::default() }), &switches)
    }

    /// The switches now.
    pub fn switches(&self) -> Switches {
        lock(&self.shared.switches).clone()
    }

    /// Changes switches.
    pub fn switch(&self, f: impl FnOnce(&mut Switches)) {
        f(&mut lock(&self.shared.switches));
        self.touch();
    }

    /// What is cached of keys is read anew, as if its five minutes were over ("How long a token counts").
    pub fn forget_keys(&self) {
        lock(&self.shared.key_cache).clear();
    }

    /// Other clients behind the address 127.0.0.1 have used up all but `left` requests of this verb and path (with
    /// `/api` or `/identity`) in the longest of the limiter's windows for it, which begins now ("Rate limits").
    pub fn leave_over(&self, verb: &str, path: &str, left: u64) {
        let (limits, path) = (self.switches().rate_limits, path.to_ascii_lowercase());
        let asked = Asked { peer: Ipv4Addr::LOCALHOST.into(), verb, path: &path };
        lock(&self.shared.limiter).leave_over(&limits, &asked, left, &self.shared.clock);
    }

    /// Adds a fault; returns its number.
    pub fn inject(&self, fault: Fault) -> u64 {
        self.shared.faults.add(fault)
    }

    /// All faults with their counts.
    pub fn faults(&self) -> Vec<FaultView> {
        self.shared.faults.views()
    }

    /// How often a fault fired (0 for an unknown one).
    pub fn fired(&self, fault: u64) -> u64 {
        self.shared.faults.get(fault).map_or(0, |f| f.fired())
    }

    /// Ends the pauses of a fault. False if there is no such fault.
    pub fn release(&self, fault: u64) -> bool {
        self.shared.faults.release(fault)
    }

    /// Removes one fault.
    pub fn clear_fault(&self, fault: u64) {
        self.shared.faults.remove(Some(fault));
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.shared.faults.remove(None);
    }

    /// Lets all webhook writes held now go on.
    pub fn release_webhooks(&self) {
        self.shared.webhooks.send_modify(|n| *n += 1);
    }

    /// Requests and webhooks under way, clients waiting or not.
    pub fn under_way(&self) -> usize {
        self.shared.busy.load(Ordering::SeqCst)
    }

    /// Waits until something is true of the vendor; false after `limit`. Woken by changes, not by polling.
    pub async fn wait_for(&self, limit: Duration, f: impl Fn(&Self) -> bool) -> bool {
        let mut changed = self.shared.changed.subscribe();
        let wait = async {
            while !f(self) {
                if changed.changed().await.is_err() {
                    return;
                }
            }
        };
        tokio::time::timeout(limit, wait).await.is_ok()
    }

    /// Waits until a fault has fired `times`: for a pause that means a request is inside it now.
    pub async fn wait_fired(&self, fault: u64, times: u64) -> bool {
        self.wait_for(LONGEST_WAIT, |b| b.fired(fault) >= times).await
    }

    /// Waits until nothing is under way: late requests and webhooks have landed.
    pub async fn settle(&self) -> bool {
        self.wait_for(LONGEST_WAIT, |b| b.under_way() == 0).await
    }
}
