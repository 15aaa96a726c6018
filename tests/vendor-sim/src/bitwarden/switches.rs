//! Behavior of the whole vendor that a test or a person can change while it runs.
//!
//! Quoted headings are those of docs/vendors/bitwarden.md.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::rate_limit::RateLimits;

/// All switches. Missing JSON fields mean the default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Switches {
    /// On by default, with more room than the vendor gives ("Rate limits").
    pub rate_limits: RateLimits,
    /// For so many seconds secret, enabled flag and roles of a key are as they were when last read. 300 by default:
    /// that cache is configured at the vendor, and it is only deduced that another takes its place
    /// ("How long a token counts"). 0: none.
    pub key_cache_seconds: u64,
    /// By default after every change, and harmless ("The billing webhook").
    pub webhook: Webhook,
    /// The path of all organizations ("Two billing paths"); `None`, the default: each has its own
    /// ([`super::organization::Organization`]).
    pub billing_path: Option<BillingPath>,
    /// The pricing service fails: whatever needs the plan is a 500 (A4 of "Rules of Password Manager").
    pub pricing_down: bool,
    /// What a request lacks of the headers that each client sends ("Headers that every client sends") is noted in its
    /// record, the cloud's edge turns away who does not name itself, and a simulator that has seen such a request
    /// panics when it is dropped. On by default.
    pub client_headers: bool,
    /// A self-hosted server instead of the cloud ("Self-hosted servers").
    pub self_hosted: bool,
    /// Life of a token: 3600 s at the vendor.
    pub token_lifetime_seconds: u64,
    /// How long a failure after the secret check takes, on the simulator's clock ("Refusals of the token endpoint").
    /// 2000 ms, as at the vendor.
    pub token_failure_delay_ms: u64,
    /// The API still takes a token this long after its expiry ("How long a token counts"). 300 s at the vendor.
    pub clock_skew_seconds: u64,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            rate_limits: RateLimits::default(),
            key_cache_seconds: 300,
            webhook: Webhook::default(),
            billing_path: None,
            pricing_down: false,
            client_headers: true,
            self_hosted: false,
            token_lifetime_seconds: 3600,
            token_failure_delay_ms: 2000,
            clock_skew_seconds: 300,
        }
    }
}

impl Switches {
    /// The default for an operator that is told to count seconds instead of minutes: so does the key cache.
    pub fn hurried() -> Self {
        Self { key_cache_seconds: 2, ..Self::default() }
    }
}

/// In words, for those who tell what a run was played with.
impl fmt::Display for Switches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key_cache_seconds, token_failure_delay_ms, webhook, .. } = self;
        let limiter = match (self.self_hosted, self.rate_limits.enabled) {
            (true, _) => "self-hosted",
            (false, true) if self.rate_limits == RateLimits::vendor() => "limiter with the vendor's numbers",
            (false, true) => "limiter in every answer with more room than the vendor's",
            (false, false) => "no limiter",
        };
        let webhooks = match (webhook.enabled, webhook.reads_after_request) {
            (true, true) => format!("a harmless webhook of {} ms after every change", webhook.before_write_ms),
            (true, false) => "a webhook that restores the old row".into(),
            (false, _) => "no webhook".into(),
        };
        let path = match self.billing_path {
            None => "both billing paths",
            Some(BillingPath::Legacy) => "the legacy billing path",
            Some(BillingPath::New) => "the new billing path",
        };
        let headers = if self.client_headers { "client headers asked for" } else { "any client" };
        write!(
            f,
            "{limiter}, {webhooks}, {path}, keys cached for {key_cache_seconds} s, failed logins after \
             {token_failure_delay_ms} ms, {headers}"
        )
    }
}

/// Which Stripe code the vendor runs ("Two billing paths").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BillingPath {
    /// Skips an equal quantity; exposed to the webhook.
    Legacy,
    /// Behind the vendor's flag.
    New,
}

impl BillingPath {
    /// Of the organization with this number: the even ones go the legacy path, the odd ones the new one. So a run with many
    /// organizations goes both, and the same one in every run.
    pub fn of_number(number: usize) -> Self {
        if number.is_multiple_of(2) { Self::Legacy } else { Self::New }
    }

    /// Of a test or case with this name, by the sum of its bytes: half of them go each path, and always the same one.
    pub fn of_name(name: &str) -> Self {
        Self::of_number(name.bytes().map(usize::from).sum())
    }
}

/// After each Stripe update of a request the vendor reads the row and writes the whole of it back
/// ("The billing webhook"). By default it reads what the request has written, so that its write changes nothing, unless
/// another request is carried out before it: that one's row is lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Webhook {
    /// Whether it runs.
    pub enabled: bool,
    /// Read only when the request that caused it has ended, and so what that has written.
    pub reads_after_request: bool,
    /// Wait before its read, from Stripe's update or from the end of the request. With 0 from Stripe's update it surely
    /// reads before the API writes the row.
    pub before_read_ms: u64,
    /// Wait before its write.
    pub before_write_ms: u64,
    /// Start that wait only when the request that caused it has ended (so that the write surely comes after its row).
    pub after_request: bool,
    /// Also hold the write until released by hand.
    pub hold_write: bool,
    /// How many events one Stripe change emits.
    pub events: u32,
    /// Whether what bills without a request emits it too: a change in the web vault, members who join, the billing job. It
    /// reads what that has written, and is held only where a harmless one of a request would be.
    pub without_request: bool,
}

/// How long a harmless webhook holds the row: well within the settle times that tests give the operator, and long enough to
/// undo a change that does not wait.
const HELD_MS: u64 = 300;

impl Default for Webhook {
    fn default() -> Self {
        Self {
            enabled: true,
            reads_after_request: true,
            before_read_ms: 0,
            before_write_ms: HELD_MS,
            after_request: true,
            hold_write: false,
            events: 1,
            without_request: true,
        }
    }
}

impl Webhook {
    /// Reads the old row and puts it back after the request's answer, when released: the loss that
    /// "The billing webhook" tells of.
    pub fn restoring() -> Self {
        Self { reads_after_request: false, before_write_ms: 0, hold_write: true, ..Self::default() }
    }

    /// For a test that changes an organization by one request after the other: no webhook, or it would hold the row of the
    /// one and undo the next.
    pub fn silent() -> Self {
        Self { enabled: false, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switch_that_differs_from_default_is_shown() {
        let default = Switches::default().to_string();
        let told = [
            "limiter in every answer with more room than the vendor's",
            "a harmless webhook of 300 ms after every change",
            "both billing paths",
            "keys cached for 300 s",
            "failed logins after 2000 ms",
            "client headers asked for",
        ];
        assert_eq!(default, told.join(", "));
        assert_eq!(Switches::hurried().to_string(), default.replace("300 s", "2 s"));
        let other = Switches {
            rate_limits: RateLimits::none(),
            webhook: Webhook::silent(),
            billing_path: Some(BillingPath::New),
            client_headers: false,
            ..Switches::default()
        };
        let told = "no limiter, no webhook, the new billing path, keys cached for 300 s, failed logins after 2000 ms, any client";
        assert_eq!(other.to_string(), told);
    }

    #[test]
    fn half_of_the_names_go_each_path() {
        let legacy = (0..100).filter(|n| BillingPath::of_name(&format!("case {n}")) == BillingPath::Legacy).count();
        assert_eq!(legacy, 50);
    }
}
