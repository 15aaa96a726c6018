//! Bitwarden's rate limits (section 12), as data. The cloud counts by address, verb and exact path, so the public paths
//! are shared by all organizations. Self-hosted servers have no limiter.

use std::time::Duration;

use crate::vendors::gate::Rates;
use crate::vendors::pace::{Limit, Limits};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// POST `/connect/token`: 10 a minute, and 5 a second for any request to Identity.
pub const TOKENS: Limits = &[Limit { count: 5, per: SECOND }, Limit { count: 10, per: MINUTE }];

/// POST, PUT and DELETE: 5 a second and 60 a minute.
pub const WRITES: Limits = &[Limit { count: 5, per: SECOND }, Limit { count: 60, per: MINUTE }];

/// GET: 200 a minute.
pub const READS: Limits = &[Limit { count: 200, per: MINUTE }];

/// The limits by verb and path, and where they are known to be in force.
pub(in crate::vendors) const RATES: Rates = Rates { limits, cloud };

fn limits(verb: &str, path: &str) -> Limits {
    match verb {
        "GET" => READS,
        _ if path.ends_with("/connect/token") => TOKENS,
        _ => WRITES,
    }
}

fn cloud(host: &str) -> bool {
    ["bitwarden.com", "bitwarden.eu", "bitwarden-gov.com"]
        .iter()
        .any(|domain| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clouds_limits_are_in_force_on_its_own_hosts_alone() {
        for (host, is) in [
            ("api.bitwarden.com", true),
            ("identity.bitwarden.eu", true),
            ("bitwarden-gov.com", true),
            ("notbitwarden.com", false),
            ("bitwarden.com.example.org", false),
            ("localhost:8443", false),
        ] {
            assert_eq!(cloud(host), is, "{host}");
        }
    }

    #[test]
    fn a_token_a_reading_and_a_change_have_limits_of_their_own() {
        assert_eq!(limits("POST", "/identity/connect/token"), TOKENS);
        assert_eq!(limits("GET", "/api/public/members"), READS);
        assert_eq!(limits("PUT", "/api/public/organization/subscription"), WRITES);
    }
}
