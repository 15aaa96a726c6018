//! The pause of a host that answered 429: as long as its `Retry-After` asks, or longer with each refusal that does not say how long.

use std::time::Duration;

/// First pause after a 429 that does not say how long (docs/vendors/bitwarden.md, "Pauses after a 429").
pub(super) const EDGE_PAUSE: Duration = Duration::from_secs(60);

/// The longest such pause.
pub(super) const LONGEST_EDGE_PAUSE: Duration = Duration::from_secs(3600);

/// This long after the end of such a pause the next one is a first one again.
pub(super) const EDGE_FORGOTTEN: Duration = Duration::from_secs(600);

/// A host that refused a request with 429.
#[derive(Clone, Copy, Debug)]
pub(super) struct Closed {
    pub until: Duration,
    /// The host did not say how long.
    pub guessed: bool,
    /// Refusals without a time in a row.
    consecutive_429s: u32,
}

impl Closed {
    /// What a 429 makes of the pause before it. `retry_after`: what it asked for.
    pub fn after(before: Option<Self>, retry_after: Option<Duration>, now: Duration) -> Self {
        let (until, guessed, consecutive_429s) = match retry_after {
            // What was cut down to the longest pause is hardly meant: a person may try.
            Some(after) => (now + after, after >= LONGEST_EDGE_PAUSE, 0),
            None => {
                let recent = before.filter(|closed| closed.until + EDGE_FORGOTTEN > now);
                // Requests that were under way together are refused together, and count as one.
                let consecutive_429s = match recent {
                    Some(closed) if closed.until > now => closed.consecutive_429s.max(1),
                    Some(closed) => closed.consecutive_429s + 1,
                    None => 1,
                };
                let pause = EDGE_PAUSE.saturating_mul(1 << (consecutive_429s - 1).min(10)).min(LONGEST_EDGE_PAUSE);
                (now + pause, true, consecutive_429s)
            }
        };
        before.filter(|before| before.until > until).unwrap_or(Self { until, guessed, consecutive_429s })
    }
}
