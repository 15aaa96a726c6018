//! Why no decision was possible, by remedy. All sentences are Seatkeeper's own: vendor text and secrets never get here.

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
    /// The older object with the same pool: a person deletes it, or gives one of the two another account.
    Owner,
    /// The administrator of the cluster: the CRD, or something else that changes a status before it is stored. Tried again with
    /// back-off.
    Cluster,
    /// No remedy here: the vendor cannot do this for this account.
    Unsupported,
    /// Another server, or an update of this one: it accepts the key and lacks a path. Tried again with back-off, and the Secret is
    /// read every few seconds.
    Server {
        /// A few tries have failed, so a person must act. Before that, a proxy in front of the server may still be starting.
        lasts: bool,
    },
    /// Time. `after`: the shortest wait; `secret_may_help`: a change of the Secret may end the fault sooner.
    Time {
        /// The pause that the vendor asked for, if it did.
        after: Option<Duration>,
        /// Also read the Secret every few seconds (a wrong CA, a wrong host).
        secret_may_help: bool,
    },
}

impl Remedy {
    /// Whether the fault may end without a person.
    pub(super) fn may_pass(&self) -> bool {
        matches!(self, Self::Time { .. } | Self::Server { lasts: false })
    }
}

impl Fault {
    /// A fault that ends with an edit of the spec.
    pub fn spec(message: String) -> Self {
        let reason = super::reason::SPEC_INVALID;
        Self { remedy: Remedy::Spec, reason, summary: "spec cannot be used".into(), message }
    }

    /// A fault that ends with a change of the Secret.
    pub fn credentials(reason: &'static str, summary: &str, message: String) -> Self {
        Self { remedy: Remedy::Credentials, reason, summary: summary.to_owned(), message }
    }
}
