//! Bitwarden's rate limits (docs/vendors/bitwarden.md, "Rate limits"), as data. The cloud counts by address, verb and
//! exact path, so all organizations share the paths of the organization API. A self-hosted server whose
//! answers lack the limiter's headers is treated as unlimited until it answers 429.

use std::time::Duration;

use crate::vendors::rate_limit::RateLimit;
use crate::vendors::rate_limit_rules::{Rates, Rule};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// POST `/connect/token`: 10 a minute, and 5 a second for any request to Identity.
pub const TOKENS: &[RateLimit] = &[RateLimit { count: 5, per: SECOND }, RateLimit { count: 10, per: MINUTE }];

/// POST, PUT and DELETE: 5 a second and 60 a minute.
pub const WRITES: &[RateLimit] = &[RateLimit { count: 5, per: SECOND }, RateLimit { count: 60, per: MINUTE }];

/// GET: 200 a minute.
pub const READS: &[RateLimit] = &[RateLimit { count: 200, per: MINUTE }];

/// The limits by verb and path, and the clouds where they are known to be in force.
pub(super) fn rates() -> Rates {
    let rule = |verb: Option<&str>, path_ends: &str, limits: &[RateLimit]| Rule {
        verb: verb.map(str::to_owned),
        path_ends: path_ends.to_owned(),
        limits: limits.to_vec(),
    };
    Rates {
        rules: vec![rule(Some("GET"), "", READS), rule(None, "/connect/token", TOKENS)],
        others: WRITES.to_vec(),
        domains: ["bitwarden.com", "bitwarden.eu", "bitwarden-gov.com"].map(str::to_owned).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cloud_limits_apply_to_cloud_hosts_alone() {
        for (host, is) in [
            ("api.bitwarden.com", true),
            ("identity.bitwarden.eu", true),
            ("bitwarden-gov.com", true),
            ("notbitwarden.com", false),
            ("bitwarden.com.example.org", false),
            ("localhost:8443", false),
        ] {
            assert_eq!(rates().are_in_force_on(host), is, "{host}");
        }
    }

    #[test]
    fn token_reading_and_change_have_separate_limits() {
        assert_eq!(rates().limits("POST", "/identity/connect/token"), TOKENS);
        assert_eq!(rates().limits("GET", "/api/public/members"), READS);
        assert_eq!(rates().limits("PUT", "/api/public/organization/subscription"), WRITES);
    }
}
