//! A vendor's rate limits, as data: what it documents of them, by verb and path, and where its limiter is known to run.

use super::rate_limit::RateLimit;

/// The limits of one vendor.
#[derive(Clone, Debug)]
pub(super) struct Rates {
    /// Of these, the first that fits a request gives its limits.
    pub rules: Vec<Rule>,
    /// Limits of all other requests; not empty.
    pub others: Vec<RateLimit>,
    /// Domains where the vendor's own limiter is known to run, on each host in them. Elsewhere answers show whether there is
    /// one.
    pub domains: Vec<String>,
}

/// Limits of some requests.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    /// In capitals; `None`: any.
    pub verb: Option<String>,
    /// How the path ends; empty: in any way.
    pub path_ends: String,
    /// All of them hold; not empty.
    pub limits: Vec<RateLimit>,
}

impl Rates {
    /// Limits of a verb and path.
    pub fn limits(&self, verb: &str, path: &str) -> &[RateLimit] {
        let fits = |rule: &&Rule| {
            rule.verb.as_ref().is_none_or(|only| only == verb) && path.ends_with(rule.path_ends.as_str())
        };
        self.rules.iter().find(fits).map_or(&self.others, |rule| &rule.limits)
    }

    /// Whether the vendor's own limiter is known to run on a host.
    pub fn are_in_force_on(&self, host: &str) -> bool {
        let inside = |domain: &String| {
            host.strip_suffix(domain.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        self.domains.iter().any(inside)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn a_second(count: usize) -> Vec<RateLimit> {
        vec![RateLimit { count, per: Duration::from_secs(1) }]
    }

    fn rates() -> Rates {
        let rule = |verb: Option<&str>, path_ends: &str, count| Rule {
            verb: verb.map(str::to_owned),
            path_ends: path_ends.into(),
            limits: a_second(count),
        };
        Rates {
            rules: vec![rule(Some("GET"), "/slow", 2), rule(Some("GET"), "", 3), rule(None, "/token", 4)],
            others: a_second(5),
            domains: vec!["acme.test".into()],
        }
    }

    #[test]
    fn first_matching_rule_gives_rate_limits_and_others_hold_without_one() {
        for (verb, path, count) in [
            ("GET", "/v1/slow", 2),
            ("GET", "/v1/slow/more", 3),
            ("GET", "/v1/token", 3),
            ("POST", "/v1/token", 4),
            ("POST", "/v1/slow", 5),
            ("DELETE", "/", 5),
        ] {
            assert_eq!(rates().limits(verb, path), a_second(count), "{verb} {path}");
        }
    }

    #[test]
    fn limits_are_in_force_on_the_hosts_of_a_domain_alone() {
        for (host, are) in [
            ("acme.test", true),
            ("api.acme.test", true),
            ("notacme.test", false),
            ("acme.test.example.org", false),
            ("api.acme.test:8443", false),
        ] {
            assert_eq!(rates().are_in_force_on(host), are, "{host}");
        }
    }
}
