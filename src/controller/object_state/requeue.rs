//! The wait before another try.

use std::time::Duration;

/// An exponential wait, from one second to `most`.
pub(in crate::controller) fn backoff(failures: u32, most: Duration) -> Duration {
    Duration::from_secs(1).saturating_mul(1 << failures.saturating_sub(1).min(12)).min(most)
}

/// Spreads a wait by up to a tenth, so that objects created together do not stay together.
pub(in crate::controller) fn jitter(wait: Duration) -> Duration {
    wait.mul_f64(fastrand::f64().mul_add(0.1, 0.95))
}
