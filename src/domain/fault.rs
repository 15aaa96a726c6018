//! Why no decision could be made, by remedy. Sentences are ours alone: vendor text and secrets never get here.

use std::time::Duration;

/// An obstacle before any decision: spec, Secret or vendor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// The remedy.
    pub remedy: Remedy,
    /// A condition reason.
    pub reason: &'static str,
    /// A few words for the STATUS column.
    pub summary: String,
    /// A sentence that says what to do.
    pub message: String,
}

/// The remedy of a fault, which sets the operator's wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// An edit of the spec. Nothing is tried until then.
    Spec,
    /// A change of the Secret or the spec. The Secret is read every few seconds, the vendor rarely.
    Credentials,
    /// The older object that has the same pool: it goes, or one of the two is pointed elsewhere.
    Owner,
    /// The administrator of the cluster: the CRD, or what changes a status on its way into the store. Tried again with
    /// back-off.
    Cluster,
    /// Nothing here: the vendor cannot do this for this account.
    Unsupported,
    /// Another server, or an update of it: it accepts the key and lacks a path. Tried again with back-off, and the
    /// Secret is read every few seconds.
    Server {
        /// It has been so for a few tries, and so a person must act. Until then, something in front of the server may be
        /// starting.
        lasts: bool,
    },
    /// Time. `after`: not before this long; `secret_may_help`: a change of the Secret may mend it sooner.
    Time {
        /// What the vendor asked for, if it did.
        after: Option<Duration>,
        /// Also read the Secret every few seconds (a wrong CA, a wrong host).
        secret_may_help: bool,
    },
}

impl Remedy {
    /// Whether the fault may pass without a person.
    pub(super) fn may_pass(&self) -> bool {
        matches!(self, Self::Time { .. } | Self::Server { lasts: false })
    }
}

impl Fault {
    /// A fault that an edit of the spec mends.
    pub fn spec(message: String) -> Self {
        let reason = super::reason::SPEC_INVALID;
        Self { remedy: Remedy::Spec, reason, summary: "spec cannot be used".into(), message }
    }

    /// A fault that a change of the Secret mends.
    pub fn credentials(reason: &'static str, summary: &str, message: String) -> Self {
        Self { remedy: Remedy::Credentials, reason, summary: summary.to_owned(), message }
    }
}
