//! The vendor's rate limiter (docs/vendors/bitwarden.md, "Rate limits"): fixed windows per client address, period, verb
//! and path.

use std::{collections::HashMap, net::IpAddr, time::Duration};

use axum::http::{HeaderName, StatusCode, header};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::owner_api::error;
use crate::{
    clock::Clock,
    http::{Answer, Request},
};

/// Which of the two services a rule belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Service {
    /// Below `/identity`.
    Identity,
    /// Below `/api`.
    Api,
}

/// So many requests per period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RateRule {
    /// Service.
    pub service: Service,
    /// Only this verb.
    #[serde(default)]
    pub verb: Option<String>,
    /// Only this path (below the service's base); a part that is `*` stands for any one.
    #[serde(default)]
    pub path: Option<String>,
    /// How many.
    pub limit: u64,
    /// Per so many seconds.
    pub period_seconds: u64,
}

/// So many times the vendor's numbers are the default: a client sees the cloud's limiter in each answer, as at the vendor, and
/// is refused only where a test asks for it. Many processes of one test share one address, which no client at the vendor does.
const ROOMY: u64 = 100;

/// The limiter's switch and numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct RateLimits {
    /// On by default, as in the cloud. A self-hosted server has none, whatever this says ("Self-hosted servers").
    pub enabled: bool,
    /// 100 times the vendor's numbers by default. Of several rules with the same period the strictest counts.
    pub rules: Vec<RateRule>,
}

impl Default for RateLimits {
    fn default() -> Self {
        let mut roomy = Self::vendor();
        roomy.rules.iter_mut().for_each(|rule| rule.limit *= ROOMY);
        roomy
    }
}

impl RateLimits {
    /// The vendor's own numbers, on.
    pub fn vendor() -> Self {
        let rule = |service, verb: Option<&str>, path: Option<&str>, limit, period_seconds| RateRule {
            service,
            verb: verb.map(Into::into),
            path: path.map(Into::into),
            limit,
            period_seconds,
        };
        let mut rules = vec![
            rule(Service::Identity, None, None, 5, 1),
            rule(Service::Identity, None, None, 60, 60),
            rule(Service::Identity, Some("POST"), Some("/connect/token"), 10, 60),
            rule(Service::Api, Some("GET"), None, 200, 60),
            rule(Service::Api, Some("GET"), Some("/alive"), 5, 60),
        ];
        for verb in ["POST", "PUT", "DELETE"] {
            rules.push(rule(Service::Api, Some(verb), None, 5, 1));
            rules.push(rule(Service::Api, Some(verb), None, 60, 60));
        }
        for path in ["/organizations/*/users/invite", "/organizations/*/users/reinvite"] {
            rules.push(rule(Service::Api, Some("POST"), Some(path), 5, 60));
            rules.push(rule(Service::Api, Some("POST"), Some(path), 300, 86_400));
        }
        Self { enabled: true, rules }
    }

    /// No limiter, and no headers of one: a cloud never answers so.
    pub fn none() -> Self {
        Self { enabled: false, rules: Vec::new() }
    }

    /// On, with one rule for one verb and path of the API.
    pub fn only(verb: &str, path: &str, limit: u64, period_seconds: u64) -> Self {
        let (verb, path) = (Some(verb.into()), Some(path.into()));
        Self { enabled: true, rules: vec![RateRule { service: Service::Api, verb, path, limit, period_seconds }] }
    }
}

type Key = (IpAddr, u64, String, String);

/// What the limiter sees of a request.
pub(crate) struct Asked<'a> {
    pub(crate) peer: IpAddr,
    pub(crate) verb: &'a str,
    /// Whole, below `/identity` or `/api`.
    pub(crate) path: &'a str,
}

impl Asked<'_> {
    fn key(&self, rule: &RateRule) -> Key {
        (self.peer, rule.period_seconds, self.verb.to_owned(), self.path.to_owned())
    }
}

impl RateLimits {
    /// The rules of a request, the shortest period first; of each period the strictest. None elsewhere.
    fn of(&self, request: &Asked<'_>) -> Vec<&RateRule> {
        let (service, path) = match (request.path.strip_prefix("/identity"), request.path.strip_prefix("/api")) {
            (Some(path), _) => (Service::Identity, path),
            (_, Some(path)) => (Service::Api, path),
            _ => return Vec::new(),
        };
        let fits = |rule: &&RateRule| {
            rule.service == service
                && rule.period_seconds > 0
                && rule.verb.as_deref().is_none_or(|verb| verb.eq_ignore_ascii_case(request.verb))
                && rule.path.as_deref().is_none_or(|of| covers(of, path))
        };
        let mut rules: Vec<&RateRule> = self.rules.iter().filter(fits).collect();
        rules.sort_by_key(|rule| (rule.period_seconds, rule.limit));
        rules.dedup_by_key(|rule| rule.period_seconds);
        rules
    }
}

/// All open windows: when they began and what they counted.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    windows: HashMap<Key, (Duration, u64)>,
}

/// The `X-Rate-Limit-*` headers of an answer that passed.
#[derive(Debug)]
pub(crate) struct Stamp {
    period: String,
    remaining: u64,
    reset: Timestamp,
}

impl Stamp {
    pub(crate) fn onto(&self, answer: Answer) -> Answer {
        answer
            .with(HeaderName::from_static("x-rate-limit-limit"), &self.period)
            .with(HeaderName::from_static("x-rate-limit-remaining"), &self.remaining.to_string())
            .with(
                HeaderName::from_static("x-rate-limit-reset"),
                &self.reset.strftime("%Y-%m-%dT%H:%M:%S%.7fZ").to_string(),
            )
    }
}

/// Part by part; counters stay separate for each path covered.
fn covers(rule: &str, path: &str) -> bool {
    let (mut rule, mut path) = (rule.split('/'), path.split('/'));
    loop {
        match (rule.next(), path.next()) {
            (None, None) => return true,
            (Some(rule), Some(path)) if rule == "*" || rule.eq_ignore_ascii_case(path) => {}
            _ => return false,
        }
    }
}

fn period_text(seconds: u64) -> String {
    match seconds {
        s if s % 86_400 == 0 => format!("{}d", s / 86_400),
        s if s % 3600 == 0 => format!("{}h", s / 3600),
        s if s % 60 == 0 => format!("{}m", s / 60),
        s => format!("{s}s"),
    }
}

impl Limiter {
    /// Begins the longest window of a request anew, with so many requests left in it.
    pub(crate) fn leave_over(&mut self, limits: &RateLimits, request: &Asked, left: u64, clock: &Clock) {
        let now = clock.elapsed();
        if let Some(rule) = limits.of(request).last() {
            self.windows.insert(request.key(rule), (now, rule.limit.saturating_sub(left)));
        }
    }

    pub(crate) fn check(
        &mut self,
        limits: &RateLimits,
        request: &Request,
        clock: &Clock,
    ) -> Result<Option<Stamp>, Box<Answer>> {
        let asked = Asked { peer: request.peer, verb: request.method.as_str(), path: &request.path };
        let now = clock.elapsed();
        let mut stamp = None;
        for rule in limits.of(&asked) {
            let period = Duration::from_secs(rule.period_seconds);
            let window = self.windows.entry(asked.key(rule)).or_insert((now, 0));
            if now >= window.0 + period {
                *window = (now, 0);
            }
            window.1 += 1;
            let end = window.0 + period;
            if window.1 > rule.limit {
                return Err(Box::new(throttled(rule.period_seconds, end.saturating_sub(now))));
            }
            stamp = Some(Stamp {
                period: period_text(rule.period_seconds),
                remaining: rule.limit - window.1,
                reset: clock.at(end),
            });
        }
        Ok(stamp)
    }
}

fn throttled(period: u64, left: Duration) -> Answer {
    let text = format!("Slow down! Too many requests. Try again in {}.", period_text(period));
    let seconds = left.as_millis().div_ceil(1000).max(1);
    // The error object of the owner API, everywhere.
    error::answer(StatusCode::TOO_MANY_REQUESTS, &text).with(header::RETRY_AFTER, &seconds.to_string())
}
