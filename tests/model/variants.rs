//! What is checked: the protocol as it is, and the same protocol in worlds that take one of its parts away. Production
//! code is never weakened; the world lies to it.

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::sync::RwLock;

use crate::case::Case;
use crate::passes::Passes;

/// One configuration of the model.
#[derive(Clone, Copy, Debug)]
pub struct Variant<C: Case> {
    pub replicas: usize,
    /// The vendor's endpoint takes a difference instead of a total.
    pub relative: bool,
    /// The wanted number follows the use: it changes without an edit.
    pub sized: bool,
    pub fault_switch: Option<FaultSwitch>,
    pub faults: Faults,
    pub case: PhantomData<C>,
    /// Where each kind of action that is taken is noted.
    pub taken: Option<&'static Taken>,
    /// Where each pass is noted.
    pub passes: Option<&'static Passes>,
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
    /// Edits that change the wish.
    pub wishes: u8,
    /// How often `spec.suspend` is set or taken away.
    pub suspends: u8,
    /// How often the window of the change opens or closes.
    pub windows: u8,
    /// How often a person gives the approval that the change needs, or takes it back.
    pub approvals: u8,
    /// Rows that a colleague adds or removes.
    pub colleagues: u8,
    /// Readings of a list that lack a row.
    pub gaps: u8,
    /// Additions that are refused because the key is there, or is said to be.
    pub duplicates: u8,
    /// Looks that a person asks for.
    pub looks: u8,
    /// How often another number of seats is in use, or none is reported any more.
    pub uses: u8,
    /// How often a person confirms an open question.
    pub confirmations: u8,
    /// Readings that show another number than there is, or one that cannot be.
    pub misreads: u8,
    /// How often the operator is lost, and the object becomes active in a cluster that has no record of it.
    pub hand_overs: u8,
    /// They may come between repeats too, where the manual asks for a longer wait.
    pub rash: bool,
}

/// The part that is taken away, or the assumption that is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultSwitch {
    /// The clock of an open intent always says that the settle time has passed.
    NoWaitBeforeJudging,
    /// The clock of a change that was taken back always says so.
    NoWaitBeforeRepeating,
    /// Each attempt is waited for as long as the first.
    ConstantSettleTime,
    /// A change follows another one whose late effects may still come.
    NoWaitForLateEffects,
    /// A repeat that was taken back counts as a first request, and so is repeated too.
    RepeatsRepeats,
    /// The first reading after the settle time counts as two.
    NoSecondReading,
    /// A reading counts as one of the moment of its decision, though the pass may have been stopped in between.
    NoAgeOfReadings,
    /// A plan that was published for other numbers counts as one for these.
    AnyBase,
    /// An object that becomes active in another cluster does not wait.
    NoWaitBeforeActive,
    /// A row that is new right after a request counts as the answer to it.
    NewRowIsProof,
    /// The record of a first request without effect is dropped where its repeat is held.
    ForgetsFirst,
    /// A refused change that is requested again counts as a first request.
    ForgetsRefused,
    /// The send deadline never takes effect.
    NoDeadline,
    /// The apiserver ignores `resourceVersion`.
    NoCompareAndSwap,
    /// Whatever is not a success is taken for proof that nothing happened.
    ErrorCloses,
    /// A refusal that may come after an effect is taken for proof that nothing happened.
    RefusalIsProof,
    /// A row that a list lacks counts as gone, whatever the seats say.
    MissingIsGone,
    /// The intent is read from a cache that lags.
    StaleIntent,
    /// Not the protocol but its assumption: a webhook handler outlives the settle time.
    SlowHandler,
    /// Not the protocol but its assumption: a request outlives the settle time.
    SlowRequest,
}

impl FaultSwitch {
    fn name(self) -> &'static str {
        match self {
            Self::NoWaitBeforeJudging => "no wait before an open intent is judged",
            Self::NoWaitBeforeRepeating => "no wait before a reverted change is repeated",
            Self::ConstantSettleTime => "each attempt has the settle time of the first",
            Self::NoWaitForLateEffects => "no wait for the late effects of the last change",
            Self::RepeatsRepeats => "a repeat that was taken back is repeated too",
            Self::NoSecondReading => "no second reading",
            Self::NoAgeOfReadings => "a reading is of the moment of its decision",
            Self::AnyBase => "a plan fits any numbers",
            Self::NoWaitBeforeActive => "no wait of an object that becomes active",
            Self::NewRowIsProof => "a new row is proof at once",
            Self::ForgetsFirst => "a first request without effect is forgotten",
            Self::ForgetsRefused => "a refused request is forgotten",
            Self::NoDeadline => "no send deadline",
            Self::NoCompareAndSwap => "no compare-and-swap",
            Self::ErrorCloses => "an error closes the intent",
            Self::RefusalIsProof => "an uncertain refusal closes the intent",
            Self::MissingIsGone => "a missing row is gone whatever the seats say",
            Self::StaleIntent => "the intent is read from a stale cache",
            Self::SlowHandler => "a webhook handler outlives the settle time",
            Self::SlowRequest => "a request outlives the settle time",
        }
    }
}

impl<C: Case> Variant<C> {
    /// One crash, one loss and one failure, and no more than three requests.
    pub fn of(replicas: usize) -> Self {
        Self {
            replicas,
            relative: false,
            sized: false,
            fault_switch: None,
            faults: Faults { crashes: 1, losses: 1, failures: 1, sends: 3, ..Faults::default() },
            case: PhantomData,
            taken: None,
            passes: None,
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

    /// One reading is wrong, at any time.
    pub fn misreading(self) -> Self {
        self.with(|left| left.misreads = 1)
    }

    pub fn with(mut self, change: impl FnOnce(&mut Faults)) -> Self {
        change(&mut self.faults);
        self
    }

    pub fn noting(self, taken: &'static Taken) -> Self {
        Self { taken: Some(taken), ..self }
    }

    pub fn relative(self) -> Self {
        Self { relative: true, ..self }
    }

    pub fn sized(self) -> Self {
        Self { sized: true, ..self }
    }

    pub fn weakened(self, fault_switch: FaultSwitch) -> Self {
        Self { fault_switch: Some(fault_switch), ..self }
    }

    pub fn name(&self) -> String {
        let fault_switch = self.fault_switch.map_or("the protocol", FaultSwitch::name);
        let faults = [
            (self.faults.crashes, "crash"),
            (self.faults.losses, "loss"),
            (self.faults.failures, "failure"),
            (self.faults.bounds, "bounds and edits"),
            (self.faults.wishes, "other wishes"),
            (self.faults.suspends, "suspend"),
            (self.faults.windows, "a window"),
            (self.faults.approvals, "an approval"),
            (self.faults.looks, "looks"),
            (self.faults.uses, "use"),
            (self.faults.confirmations, "confirmations"),
            (self.faults.colleagues, "colleague"),
            (self.faults.gaps, "a list with a gap"),
            (self.faults.duplicates, "duplicates"),
            (self.faults.misreads, "a wrong reading"),
            (self.faults.hand_overs, "a hand-over"),
            (u8::from(self.faults.rash), "between repeats too"),
        ];
        let faults: Vec<&str> = faults.iter().filter(|(n, _)| *n > 0).map(|(_, name)| *name).collect();
        let sized = if self.sized { ", sized" } else { "" };
        format!("{fault_switch} ({}{sized}; {})", C::name(self), faults.join(", "))
    }
}

/// Names of the actions that were taken.
#[derive(Debug, Default)]
pub struct Taken(RwLock<BTreeSet<&'static str>>);

impl Taken {
    pub const fn new() -> Self {
        Self(RwLock::new(BTreeSet::new()))
    }

    pub fn note(&self, name: &'static str) {
        if !self.0.read().unwrap().contains(name) {
            self.0.write().unwrap().insert(name);
        }
    }

    pub fn names(&self) -> BTreeSet<&'static str> {
        self.0.read().unwrap().clone()
    }
}
