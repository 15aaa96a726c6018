//! What vendors are asked for, and what may come of it, as metric labels have it. Each vendor lists its own, so that every counter is
//! there at 0 before the first request: a first refusal that makes its counter is no increase.

use super::error::VendorError;
use crate::domain::Outcome;

/// The label of a request that went well.
pub(super) const OK: &str = "ok";

/// A kind of request. [`operations`] makes and lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Operation {
    /// Its name, as in metric labels.
    pub(super) label: &'static str,
    /// It costs money, or takes something away.
    changes: bool,
}

impl Operation {
    /// It changes nothing.
    pub(super) const fn reads(label: &'static str) -> Self {
        Self { label, changes: false }
    }

    /// It changes something.
    pub(super) const fn writes(label: &'static str) -> Self {
        Self { label, changes: true }
    }
}

/// Names the operations of one vendor: each is a constant, and `ALL` has them all.
macro_rules! operations {
    ($($name:ident: $kind:ident($label:literal)),+ $(,)?) => {
        $(pub(super) const $name: Operation = Operation::$kind($label);)+
        pub(super) const ALL: &[Operation] = &[$($name),+];
    };
}
pub(super) use operations;

/// All that one vendor may be asked for, and all that may come of it.
pub(super) struct Operations {
    /// The kind of vendor, as in metric labels.
    pub vendor: &'static str,
    /// Each operation.
    pub all: &'static [Operation],
    /// What a reading may come to beside what it may come to with any vendor.
    pub failures: &'static [&'static str],
}

impl Operations {
    /// The labels of each operation with each of its outcomes.
    pub(super) fn labels(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let of_reading = || [OK].iter().chain(VendorError::LABELS).chain(self.failures);
        self.all.iter().flat_map(move |operation| {
            let outcomes: Vec<&'static str> =
                if operation.changes { Outcome::LABELS.to_vec() } else { of_reading().copied().collect() };
            outcomes.into_iter().map(|outcome| (operation.label, outcome))
        })
    }
}
