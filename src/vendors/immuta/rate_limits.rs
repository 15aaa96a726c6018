//! Immuta's rate limits (docs/vendors/immuta.md, "Rate limits").

use std::time::Duration;

use crate::vendors::rate_limit::RateLimit;
use crate::vendors::rate_limit_rules::Rates;

/// Immuta documents no limit of requests ("Rate limits"): this one is only a start, and a 429 corrects it.
pub(super) fn rates() -> Rates {
    let others = vec![RateLimit { count: 100, per: Duration::from_secs(1) }];
    Rates { rules: Vec::new(), others, domains: Vec::new() }
}
