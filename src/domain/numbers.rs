//! The numbers of a pool, as read from the vendor, in one shape for every vendor.

use super::{Fault, KeyRing};
use crate::api::{Account, Change, Intent, IntentPhase, KeyCapabilities, KeyStep, License, SeatsStep, Step};

/// Purchased seats and limit of a pool. The two are always changed in one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// Purchased seats.
    pub seats: i32,
    /// Up to how many seats the vendor may buy by itself; `None`: any number.
    pub limit: Option<i32>,
}

impl Numbers {
    /// Whether each of the two numbers has its old or its new value: only a change from `base` to
    /// `target` is needed to explain what is seen.
    pub fn is_between(self, base: Self, target: Self) -> bool {
        (self.seats == base.seats || self.seats == target.seats)
            && (self.limit == base.limit || self.limit == target.limit)
    }
}

impl Account {
    /// The account as one word, `host/id`; `None` until both are known.
    pub fn key(&self) -> Option<String> {
        Some(format!("{}/{}", self.host.as_deref()?, self.id.as_deref()?))
    }
}

impl Step {
    /// What the vendor showed before the change.
    pub fn base(&self) -> Numbers {
        match self {
            Self::Seats(SeatsStep { from, limit_from, .. }) => Numbers { seats: *from, limit: *limit_from },
            Self::AddKey(key) | Self::RemoveKey(key) => Numbers { seats: key.from, limit: None },
        }
    }

    /// The numbers after the change, as far as they are known before it.
    pub fn target(&self) -> Numbers {
        match self {
            Self::Seats(SeatsStep { to, limit_to, .. }) => Numbers { seats: *to, limit: *limit_to },
            Self::AddKey(key) | Self::RemoveKey(key) => Numbers { seats: key.to, limit: None },
        }
    }

    /// The license key that is added or whose row is removed.
    pub fn key(&self) -> Option<&KeyStep> {
        match self {
            Self::Seats(_) => None,
            Self::AddKey(key) | Self::RemoveKey(key) => Some(key),
        }
    }
}

impl Intent {
    /// Whether its request may still be running, or may yet be judged.
    pub fn is_open(&self) -> bool {
        !matches!(
            self.phase,
            IntentPhase::WithoutEffect | IntentPhase::Rejected | IntentPhase::NeedsReview | IntentPhase::MadeElsewhere
        )
    }

    /// What the vendor showed before the change.
    pub fn base(&self) -> Numbers {
        self.step.base()
    }

    /// What the vendor shows once the change is made.
    pub fn target(&self) -> Numbers {
        self.step.target()
    }
}

impl Change {
    /// What the vendor showed before the change.
    pub fn base(&self) -> Numbers {
        self.step.base()
    }

    /// What the vendor showed after the change.
    pub fn target(&self) -> Numbers {
        self.step.target()
    }
}

/// How many seats are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// Exactly this many.
    Exact(i32),
    /// This many or more: the credentials do not see every use.
    AtLeast(i32),
    /// These credentials do not show it.
    NotReported,
}

impl Usage {
    /// The number for comparisons, if there is one.
    pub fn count(self) -> Option<i32> {
        match self {
            Self::Exact(n) | Self::AtLeast(n) => Some(n),
            Self::NotReported => None,
        }
    }
}

/// A bound on seats that the vendor enforces, with the words that explain it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The smallest or largest allowed number.
    pub seats: i32,
    /// Why, as the end of a sentence: "because ...".
    pub because: String,
    /// The pool of the same account that sets this bound, if one does: once it moves, the bound moves.
    pub pool: Option<&'static str>,
}

/// Whether these credentials can write, and what they cannot change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Support {
    /// `Some(why)`: the numbers of this pool cannot be changed, with a sentence that says why and what to do.
    pub read_only: Option<String>,
    /// `Some(why)`: the seats cannot be changed, the limit alone can; with a sentence that says why and what to do.
    pub seats_fixed: Option<String>,
    /// `Some(why)`: a limit cannot be removed, with a sentence that says why and what to do.
    pub cannot_clear_limit: Option<String>,
    /// `Some(why)`: seats must not be lowered for now, with a sentence that says why and what to do.
    pub cannot_lower: Option<String>,
    /// Which changes of the seats are differences, and not totals.
    pub differences: Differences,
}

/// Which changes of the seats are sent as a difference, which adds to the number at its arrival.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Differences {
    /// None: each change has a total.
    #[default]
    Never,
    /// Changes that also remove the limit.
    WithoutLimit,
    /// All.
    Always,
}

impl Support {
    /// Whether a change is sent as a difference.
    pub fn adds(&self, from: Numbers, to: Numbers) -> bool {
        let clears = to.limit.is_none() && from.limit.is_some();
        from.seats != to.seats
            && match self.differences {
                Differences::Never => false,
                Differences::WithoutLimit => clears,
                Differences::Always => true,
            }
    }
}

/// What a pool consists of at the vendor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Model {
    /// Seats as a number that is set, together with its limit.
    Quantity(Numbers),
    /// Seats that license keys bring.
    Keys(KeyRing),
    /// The vendor does not count this pool. The sentence says why and what to do.
    Uncounted(String),
    /// The vendor shows these credentials no seats of this pool. The sentence says why and what to do.
    Unshown(String),
    /// The role of the credentials is too low to see the seats. The sentence says what to do.
    Hidden(String),
}

/// What the vendor allows, with these credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// What these credentials can do.
    pub support: Support,
    /// The vendor refuses fewer seats than the largest of these.
    pub at_least: Vec<Bound>,
    /// The vendor refuses more seats than the smallest of these.
    pub at_most: Vec<Bound>,
}

/// One reading of a vendor account: everything a decision rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The account of these numbers.
    pub account: Account,
    /// How many seats are taken.
    pub usage: Usage,
    /// What the pool consists of.
    pub model: Model,
    /// What the vendor allows.
    pub rules: Rules,
    /// Seats that are billed, where these credentials show it.
    pub billed: Option<i32>,
    /// The billed number comes from an earlier reading. No change rests on it.
    pub billed_is_old: bool,
    /// What each key allows.
    pub capabilities: Vec<KeyCapabilities>,
    /// The license behind the seats, where these credentials show it.
    pub license: Option<License>,
    /// One of the keys fails; the others were enough to read everything else.
    pub concern: Option<Fault>,
}

impl Snapshot {
    /// The account as one word, to check whether an intent is about it.
    pub fn account_key(&self) -> String {
        self.account.key().unwrap_or_default()
    }

    /// The pool's numbers, if the vendor counts it.
    pub fn numbers(&self) -> Option<Numbers> {
        match &self.model {
            Model::Quantity(numbers) => Some(*numbers),
            Model::Keys(ring) => Some(Numbers { seats: ring.seats, limit: None }),
            Model::Uncounted(_) | Model::Unshown(_) | Model::Hidden(_) => None,
        }
    }

    /// Whether the vendor is known to bill as many seats as it shows, by this very reading.
    pub fn bills_what_it_shows(&self) -> bool {
        self.billed.is_some() && !self.billed_is_old && self.billed == self.numbers().map(|numbers| numbers.seats)
    }

    /// The license keys, if they decide the number of seats.
    pub fn keys(&self) -> Option<&KeyRing> {
        match &self.model {
            Model::Keys(ring) => Some(ring),
            Model::Quantity(_) | Model::Uncounted(_) | Model::Unshown(_) | Model::Hidden(_) => None,
        }
    }
}
