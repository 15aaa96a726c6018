//! Parts of the purchase protocol that can be left out, to show that the enumeration of faults notices. The module, and
//! every place that asks it, exists in debug builds alone: a release build cannot be weakened.

use std::time::Duration;

use super::Settings;
use crate::api::LicenseSeatsStatus;
use crate::domain::{Learned, Outcome, Timing};

/// One part that is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultSwitch {
    /// An open change is judged at once.
    NoWait,
    /// A request leaves however late it is, and with another leader too.
    NoDeadline,
    /// An answer that is no success, or none, counts as a failure without effect.
    ErrorCloses,
}

impl FaultSwitch {
    /// All of them, by the names that the model (tests/model) gives the same.
    pub const ALL: [(&'static str, Self); 3] = [
        ("no wait before an open intent is judged", Self::NoWait),
        ("no send deadline", Self::NoDeadline),
        ("an error closes the intent", Self::ErrorCloses),
    ];

    /// Settings with this fault_switch.
    #[must_use]
    pub fn weaken(self, settings: Settings) -> Settings {
        let none =
            Timing { answered: Duration::ZERO, unanswered: Duration::ZERO, pause: Duration::ZERO, ..settings.timing };
        let timing = if self == Self::NoWait { none } else { settings.timing };
        Settings { timing, fault_switch: Some(self), ..settings }
    }
}

impl Settings {
    pub(super) fn lacks(&self, fault_switch: FaultSwitch) -> bool {
        self.fault_switch == Some(fault_switch)
    }

    /// Takes every answer but a success for a failure without effect.
    pub(super) fn weaken_answer(&self, learned: Learned, outcome: &Outcome) -> Learned {
        let closes = self.lacks(FaultSwitch::ErrorCloses) && *outcome != Outcome::Accepted;
        let intent = learned.status.intent.filter(|_| !closes);
        Learned { status: LicenseSeatsStatus { intent, ..learned.status }, ..learned }
    }
}
