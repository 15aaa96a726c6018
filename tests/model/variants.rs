//! What is checked: the protocol as it is, and the same protocol in worlds that take one of its parts away. Production
//! code is never weakened; the world lies to it.

/// One configuration of the model.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    pub replicas: usize,
    /// The vendor's endpoint takes a difference instead of a total.
    pub relative: bool,
    pub weakness: Option<Weakness>,
    pub faults: Faults,
}

/// How much may go wrong in one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Faults {
    /// Operator processes that die and start again.
    pub crashes: u8,
    /// Requests or answers that get lost, and requests dropped before they leave.
    pub losses: u8,
    /// Requests the vendor fails or refuses.
    pub failures: u8,
    /// Requests that may leave at all.
    pub sends: u8,
    /// How often a bound comes or goes.
    pub bounds: u8,
    /// Edits of the spec that leave the wish as it is.
    pub edits: u8,
}

/// The part that is taken away, or the assumption that is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Weakness {
    /// The clock of an open intent always says that the settle time has passed.
    NoWaitBeforeJudging,
    /// The clock of a change that was taken back always says so.
    NoWaitBeforeRepeating,
    /// A repeat that was taken back counts as a first request, and so is repeated too.
    RepeatsRepeats,
    /// The record of a first request without effect is dropped where its repeat is held.
    ForgetsFirst,
    /// The send deadline never strikes.
    NoDeadline,
    /// The apiserver ignores `resourceVersion`.
    NoCompareAndSwap,
    /// Whatever is not a success is taken for proof that nothing happened.
    ErrorCloses,
    /// The intent is read from a cache that lags.
    StaleIntent,
    /// Not the protocol but its assumption: a webhook handler outlives the settle time.
    SlowHandler,
    /// Not the protocol but its assumption: a request outlives the settle time.
    SlowRequest,
}

impl Weakness {
    fn name(self) -> &'static str {
        match self {
            Self::NoWaitBeforeJudging => "no wait before an open intent is judged",
            Self::NoWaitBeforeRepeating => "no wait before a reverted change is repeated",
            Self::RepeatsRepeats => "a repeat that was taken back is repeated too",
            Self::ForgetsFirst => "a first request without effect is forgotten",
            Self::NoDeadline => "no send deadline",
            Self::NoCompareAndSwap => "no compare-and-swap",
            Self::ErrorCloses => "an error closes the intent",
            Self::StaleIntent => "the intent is read from a stale cache",
            Self::SlowHandler => "a webhook handler outlives the settle time",
            Self::SlowRequest => "a request outlives the settle time",
        }
    }
}

impl Variant {
    /// One crash, one loss and one failure, and no more than three requests.
    pub fn of(replicas: usize) -> Self {
        Self {
            replicas,
            relative: false,
            weakness: None,
            faults: Faults { crashes: 1, losses: 1, failures: 1, sends: 3, ..Faults::default() },
        }
    }

    pub fn without_crash(mut self) -> Self {
        self.faults.crashes = 0;
        self
    }

    pub fn without_failure(mut self) -> Self {
        self.faults.failures = 0;
        self
    }

    /// A bound comes and goes twice, and the spec is edited twice, at any time.
    pub fn restless(mut self) -> Self {
        (self.faults.bounds, self.faults.edits) = (4, 2);
        self
    }

    pub fn relative(self) -> Self {
        Self { relative: true, ..self }
    }

    pub fn weakened(self, weakness: Weakness) -> Self {
        Self { weakness: Some(weakness), ..self }
    }

    pub fn name(&self) -> String {
        let endpoint = if self.relative { "relative" } else { "absolute" };
        let weakness = self.weakness.map_or("the protocol", Weakness::name);
        let faults = [
            (self.faults.crashes, "crash"),
            (self.faults.losses, "loss"),
            (self.faults.failures, "failure"),
            (self.faults.bounds, "bounds and edits"),
        ];
        let faults: Vec<&str> = faults.iter().filter(|(n, _)| *n > 0).map(|(_, name)| *name).collect();
        format!("{weakness} ({endpoint} endpoint; {})", faults.join(", "))
    }
}
