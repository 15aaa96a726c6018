//! What a run plays once more, and how often it may. Knows nothing of the stage; `tests/verdicts.rs` compiles it once more, to
//! test it.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::flaw::Flaw;

/// So many cases and passes of the model that did not come to rest, or missed their fault, are played once more in a run.
pub const MOST_REPLAYS: usize = 10;

/// So many times a run tries again to see the harm where the proxy takes a part away.
pub const MOST_TRIES: usize = 8;

/// So often, and no more.
#[derive(Debug)]
pub struct Allowance {
    most: usize,
    used: AtomicUsize,
}

impl Allowance {
    fn of(most: usize) -> Self {
        Self { most, used: AtomicUsize::new(0) }
    }

    /// Takes one, if there is one left.
    fn take(&self) -> bool {
        let next = |used| (used < self.most).then_some(used + 1);
        self.used.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next).is_ok()
    }
}

/// Those of one run.
#[derive(Debug)]
pub struct Replays {
    late: Allowance,
    tries: Allowance,
}

impl Default for Replays {
    fn default() -> Self {
        Self::of(1)
    }
}

impl Replays {
    /// Of a run that plays everything so often.
    pub fn of(times: usize) -> Self {
        Self { late: Allowance::of(MOST_REPLAYS * times), tries: Allowance::of(MOST_TRIES * times) }
    }

    /// Whether it may be played once more, alone. Beside so many others what does not come to rest in time, or whose fault never
    /// takes effect, may be late for reasons of the machine; nothing else may.
    pub fn allow(&self, flaw: &Flaw) -> bool {
        matches!(flaw, Flaw::Restless(_) | Flaw::Missed(_)) && self.late.take()
    }

    /// Whether an operator without a part may be tried again, that was to be seen to buy too much. Which of two replicas is faster is
    /// chance: it may have done no harm, may not have met its fault, or may not have come to rest.
    pub fn allow_try(&self, flaw: Option<&Flaw>) -> bool {
        matches!(flaw, None | Some(Flaw::Missed(_) | Flaw::Restless(_))) && self.tries.take()
    }
}

impl fmt::Display for Replays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [(again, most), (tries, most_tries)] =
            [&self.late, &self.tries].map(|Allowance { most, used }| (used.load(Ordering::SeqCst), most));
        write!(f, "{again} played once more (of at most {most}), {tries} tried again (of at most {most_tries})")
    }
}
