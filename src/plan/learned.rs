//! What a decision or an answer adds to the record. The record goes one way: it is read, it is added to here, it is written.

use jiff::Timestamp;

use super::keys::after_key_write;
use super::notice::{Notice, adoptions, remember};
use super::outcome::after_write;
use super::{Decision, Outcome, Snapshot};
use crate::api::{Change, Intent, License, LicenseSeatsStatus};

/// A record with what was added to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Learned {
    /// The record.
    pub status: LicenseSeatsStatus,
    /// What to tell of it once it is written, oldest first.
    pub notices: Vec<Notice>,
}

impl Learned {
    fn of(mut status: LicenseSeatsStatus, applied: Option<Change>, license: Option<&License>) -> Self {
        if applied.is_some() {
            // A change that is made sets what is billed.
            status.may_bill = None;
        }
        let mut notices: Vec<Notice> = remember(&mut status, applied).into_iter().collect();
        if let Some(license) = license {
            notices.extend(adoptions(status.license.as_ref(), license));
            status.license = Some(license.clone());
        }
        Self { status, notices }
    }
}

/// Adds what a decision has found out: a change that is now seen to be made, and what is known of license keys.
pub fn after_decision(status: LicenseSeatsStatus, decision: &Decision) -> Learned {
    let status = LicenseSeatsStatus { may_bill: decision.may_bill.clone(), ..status };
    Learned::of(status, decision.applied.clone(), decision.license.as_ref())
}

/// Adds what the answer to the request of an intent proves. `status` has this intent; `read_back`: what was read after the
/// request, and `None` where that failed.
pub fn after_request(
    status: LicenseSeatsStatus,
    intent: &Intent,
    outcome: &Outcome,
    read_back: Option<&Snapshot>,
    now: Timestamp,
) -> Learned {
    let read_back = read_back.filter(|seen| seen.account_key() == intent.account);
    if let Some(after) = after_key_write(intent, outcome, status.license.as_ref(), read_back, now) {
        let status = LicenseSeatsStatus { intent: after.intent, ..status };
        Learned::of(status, after.applied, Some(&after.license))
    } else {
        let after = after_write(intent, outcome, read_back.and_then(Snapshot::numbers), now);
        let status = LicenseSeatsStatus { intent: after.intent, ..status };
        Learned::of(status, after.applied, None)
    }
}
