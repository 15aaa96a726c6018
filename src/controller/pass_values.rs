//! The shared state of the four steps of a pass, and the values between them.

use std::time::{Duration, Instant};

use super::Context;
use super::approvals::ReadApprovals;
use super::host_permits::HostPermit;
use super::object_metadata::ObjectMetadata;
use super::object_state::{Key, ObjectState, PassRequest};
use super::stored_object::StoredObject;
use crate::api::{Account, Change, LicenseSeatsStatus};
use crate::domain::{Decision, Desired, Fault, Notice, Snapshot};
use crate::vendors::VendorAccount;

/// One pass over one object.
pub(super) struct Pass<'a> {
    pub context: &'a Context,
    /// The object as the watch knows it.
    pub object: &'a ObjectMetadata,
    pub key: &'a Key,
    /// The object as it was read or last written.
    pub stored: StoredObject,
    /// The trigger of the pass, from the object as read.
    pub requested: PassRequest,
    /// Per-object state between passes.
    pub state: &'a mut ObjectState,
    /// The approvals of the object, as they were read for its decision.
    pub approvals: ReadApprovals,
    /// Events to publish once the status is written.
    pub notices: Vec<Notice>,
}

impl<'a> Pass<'a> {
    pub fn over(
        context: &'a Context,
        object: &'a ObjectMetadata,
        key: &'a Key,
        stored: StoredObject,
        state: &'a mut ObjectState,
    ) -> Self {
        let requested = PassRequest::of(stored.metadata());
        let (approvals, notices) = (ReadApprovals::default(), Vec::new());
        Self { context, object, key, stored, requested, state, approvals, notices }
    }
}

impl Pass<'_> {
    /// Notes in the registry that the vendor may write an account's row once more because of a change on record. The object may have
    /// changed another account since. A change that was only read counts for the settle time at most: a status that was edited by
    /// hand must not hold an account for days.
    pub fn note_last_changes(&self, history: &[Change], most: Duration) {
        let (timing, now) = (self.context.settings.timing, Context::now());
        let late = |change| Some((change, timing.late_effects(change, now)?.min(most)));
        self.context.pools.made(self.key, history.iter().filter_map(late));
    }
}

/// The result of reading.
pub(super) enum Gathered {
    /// The vendor's numbers were read.
    Seen(Box<Seen>),
    /// There is nothing to decide.
    End(End),
}

/// The inputs of a decision, and the means to carry it out.
pub(super) struct Seen {
    /// The record, as it was read.
    pub status: LicenseSeatsStatus,
    pub desired: Desired,
    pub reading: Reading,
    pub opened: Opened,
}

/// The reading of the vendor.
pub(super) struct Reading {
    pub snapshot: Snapshot,
    /// Time of the request. A process may be paused between a reading and its decision; the reading ages meanwhile.
    pub asked: Instant,
}

/// The account at the vendor.
pub(super) struct Opened {
    pub account: Box<dyn VendorAccount>,
    /// Versions of the Secrets that opened it.
    pub secret_version: Option<String>,
    /// Its permit for this host.
    pub permit: HostPermit,
}

/// The result of a pass, for its last step.
pub(super) enum End {
    /// The object is being deleted, and a finalizer keeps it. Seatkeeper does nothing for it any more.
    Leaving,
    /// The pass has no new finding and reports nothing. The next one comes after this long.
    Quiet(Duration),
    /// This version cannot read or keep the record: only words are written, and nothing is sent.
    NoRecord(Fault),
    /// It reached no decision, or the change could not be sent.
    Failed(Box<Failed>),
    /// The rate limit delayed its reading. Nothing was sent.
    RateLimited(Box<RateLimited>),
    /// The vendor was read and a decision was made.
    Decided(Box<Decided>),
}

/// A pass that met a fault.
pub(super) struct Failed {
    pub status: LicenseSeatsStatus,
    /// `None`: the spec could not be checked.
    pub desired: Option<Desired>,
    /// The account, if it is known.
    pub account: Option<Account>,
    pub fault: Fault,
    /// Requests to the host are paused for this long; none was sent.
    pub back: Option<Duration>,
}

/// A pass that the rate limit delays.
pub(super) struct RateLimited {
    pub status: LicenseSeatsStatus,
    pub desired: Desired,
    /// How long.
    pub after: Duration,
    pub why: Queue,
}

/// A decision with its inputs.
pub(super) struct Decided {
    /// The record with the decision's findings.
    pub status: LicenseSeatsStatus,
    pub desired: Desired,
    pub snapshot: Snapshot,
    pub decision: Decision,
}

/// The queue that delays an object.
pub(super) enum Queue {
    /// The vendor limits requests.
    RateLimiter,
    /// The host has its maximum of passes at a time.
    Host,
}
