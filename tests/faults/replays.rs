//! What a run plays once more, and how often it may. Knows nothing of the stage; `tests/verdicts.rs` compiles it once more, to
//! test it.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::flaw::Flaw;

/// So many cases that did not come to rest, or missed their fault, are played once more in a run, and so many passes of the model.
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
    cases: Allowance,
    passes: Allowance,
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
        let replays = || Allowance::of(MOST_REPLAYS * times);
        Self { cases: replays(), passes: replays(), tries: Allowance::of(MOST_TRIES * times) }
    }

    /// Whether a case may be played once more, alone. Beside so many others what does not come to rest in time, or whose fault never
    /// takes effect, may be late for reasons of the machine; nothing else may.
    pub fn allow(&self, flaw: &Flaw) -> bool {
        is_late(flaw) && self.cases.take()
    }

    /// The same of a pass of the model.
    pub fn allow_pass(&self, flaw: &Flaw) -> bool {
        is_late(flaw) && self.passes.take()
    }

    /// Whether an operator without a part may be tried again, that was to be seen to buy too much. Which of two replicas is faster is
    /// chance: it may have done no harm, may not have met its fault, or may not have come to rest.
    pub fn allow_try(&self, flaw: Option<&Flaw>) -> bool {
        matches!(flaw, None | Some(Flaw::Missed(_) | Flaw::Restless(_))) && self.tries.take()
    }
}

fn is_late(flaw: &Flaw) -> bool {
    matches!(flaw, Flaw::Restless(_) | Flaw::Missed(_))
}

impl fmt::Display for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "(of at most {})", self.most)
    }
}

impl fmt::Display for Replays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cases, passes, tries } = self;
        let [again, passes_again, tried] =
            [cases, passes, tries].map(|Allowance { used, .. }| used.load(Ordering::SeqCst));
        write!(
            f,
            "{again} played once more {cases}, {passes_again} passes of the model played once more {passes}, {tried} tried again \
             {tries}"
        )
    }
}
