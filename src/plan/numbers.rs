//! The numbers of a pool, as read from the vendor, in one shape for every vendor.

use super::{Fault, Tenant};
use crate::api::{Account, Change, Intent, IntentPhase, KeyCapabilities, License};

/// Purchased seats and limit of a pool. The two are always changed in one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// Purchased seats.
    pub seats: i32,
    /// Up to how many the vendor may buy by itself; `None` means without end.
    pub limit: Option<i32>,
}

impl Numbers {
    /// Whether each of the two numbers stands at its old or its new value: nobody but one change from `base` to
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

impl Intent {
    /// Whether its request may still be running, or may yet be judged.
    pub fn is_open(&self) -> bool {
        !matches!(self.phase, IntentPhase::WithoutEffect | IntentPhase::Rejected | IntentPhase::NeedsReview)
    }

    /// What the vendor showed before the change.
    pub fn base(&self) -> Numbers {
        Numbers { seats: self.from, limit: self.limit_from }
    }

    /// What the vendor shows once the change is made.
    pub fn target(&self) -> Numbers {
        Numbers { seats: self.to, limit: self.limit_to }
    }
}

impl Change {
    /// What the vendor showed before the change.
    pub fn base(&self) -> Numbers {
        Numbers { seats: self.from, limit: self.limit_from }
    }

    /// What the vendor showed after the change.
    pub fn target(&self) -> Numbers {
        Numbers { seats: self.to, limit: self.limit_to }
    }
}

/// How many seats are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// Exactly so many.
    Exact(i32),
    /// So many or more: the credentials do not see every use.
    AtLeast(i32),
    /// These credentials cannot tell.
    NotReported,
}

impl Usage {
    /// The number to compare with, if there is one.
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

/// Whether these credentials can write at all, and what they cannot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Support {
    /// `Some(why)`: the numbers of this pool cannot be changed, with a sentence that says why and what to do.
    pub read_only: Option<String>,
    /// `Some(why)`: a limit cannot be removed, with a sentence that says why and what to do.
    pub cannot_clear_limit: Option<String>,
}

/// One reading of a vendor account: everything a decision rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Whose numbers these are.
    pub account: Account,
    /// The pool's numbers; `None` when the vendor does not count this pool (then `support.read_only` says why).
    pub numbers: Option<Numbers>,
    /// How many seats are taken.
    pub usage: Usage,
    /// What these credentials can do.
    pub support: Support,
    /// The vendor refuses fewer seats than the largest of these.
    pub at_least: Vec<Bound>,
    /// The vendor refuses more seats than the smallest of these.
    pub at_most: Vec<Bound>,
    /// Seats that are billed, where these credentials show it.
    pub billed: Option<i32>,
    /// What each key allows.
    pub capabilities: Vec<KeyCapabilities>,
    /// The licence behind the seats, where these credentials show it.
    pub license: Option<License>,
    /// One of the keys does not do what it is there for; the others were enough to read everything else.
    pub concern: Option<Fault>,
    /// Licence keys, where they decide over the seats.
    pub tenant: Option<Tenant>,
}

impl Snapshot {
    /// The account as one word, to tell whether an intent speaks about it.
    pub fn account_key(&self) -> String {
        self.account.key().unwrap_or_default()
    }
}
