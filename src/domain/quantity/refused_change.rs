//! When a change that the vendor refused is requested again.

use crate::api::Intent;
use crate::domain::{Numbers, Situation};

/// Whether a refused change is requested again: the vendor has changed since the refusal, or a person or a new Secret asks. A higher
/// use is no improvement, and a reading without the use proves nothing: otherwise a use that comes and goes would send the change
/// each time.
pub(super) fn asks_anew(s: &Situation<'_>, intent: &Intent, seen: Numbers) -> bool {
    let fewer = intent.used.zip(s.seen.usage.count()).is_some_and(|(before, now)| now < before);
    seen != intent.base() || fewer || s.rotated || s.looked_since(intent)
}
