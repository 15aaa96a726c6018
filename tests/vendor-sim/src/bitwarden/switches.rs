//! Behaviour of the whole vendor that a test or a person can change while it runs.

use serde::{Deserialize, Serialize};

use super::rate_limit::RateLimits;

/// All switches. Missing JSON fields mean the default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Switches {
    /// Section 12. On by default, with more room than the vendor gives.
    pub rate_limits: RateLimits,
    /// Section 3.4: client records cached for five minutes. Off by default.
    pub key_cache: bool,
    /// Section 22.1. Off by default.
    pub webhook: Webhook,
    /// Section 7.3.
    pub billing_path: BillingPath,
    /// The pricing service fails: whatever needs the plan is a 500 (sections 7.1 and 22.5).
    pub pricing_down: bool,
    /// Section 11: a self-hosted server instead of the cloud.
    pub self_hosted: bool,
    /// Life of a token: 3600 s at the vendor.
    pub token_lifetime_seconds: u64,
    /// Section 3.5: how long a failure after the secret check takes, on the simulator's clock. 0 by default; 2000 ms
    /// at the vendor.
    pub token_failure_delay_ms: u64,
    /// Section 3.4: the API still takes a token this long after its expiry. 300 s at the vendor.
    pub clock_skew_seconds: u64,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            rate_limits: RateLimits::default(),
            key_cache: false,
            webhook: Webhook::default(),
            billing_path: BillingPath::default(),
            pricing_down: false,
            self_hosted: false,
            token_lifetime_seconds: 3600,
            token_failure_delay_ms: 0,
            clock_skew_seconds: 300,
        }
    }
}

/// Which Stripe code the vendor runs (section 7.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BillingPath {
    /// Skips an equal quantity; exposed to the webhook.
    #[default]
    Legacy,
    /// Behind the vendor's flag.
    New,
}

/// The billing webhook of section 22.1: after each Stripe update it reads the row and writes the whole of it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Webhook {
    /// Whether it runs.
    pub enabled: bool,
    /// Wait between Stripe's update and its read. With 0 it surely reads before the API writes the row.
    pub before_read_ms: u64,
    /// Wait before its write.
    pub before_write_ms: u64,
    /// Start that wait only when the request that caused it has ended (so that the write surely comes after its row).
    pub after_request: bool,
    /// Also hold the write until released by hand.
    pub hold_write: bool,
    /// How many events one Stripe change emits.
    pub events: u32,
}

impl Default for Webhook {
    fn default() -> Self {
        Self {
            enabled: false,
            before_read_ms: 0,
            before_write_ms: 0,
            after_request: true,
            hold_write: false,
            events: 1,
        }
    }
}

impl Webhook {
    /// Reads the old row and puts it back after the request's answer, when released: the loss of section 22.1.
    pub fn restoring() -> Self {
        Self { enabled: true, hold_write: true, ..Self::default() }
    }
}
