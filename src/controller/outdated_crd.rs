//! The state of the CRD in the cluster, and its consequence for every object. `run` reads the CRD and reports it here;
//! each pass asks. If the CRD is older than the operator, the apiserver silently drops a part of the record. Then nothing is sent.

use tokio::sync::{Notify, watch};

use super::Context;
use crate::domain::{Fault, Remedy, reason};

/// Brings the CRD up to date. Helm or another tool may own its fields, hence the force.
const APPLY: &str = "seatkeeper crd | kubectl apply --server-side --force-conflicts -f -";

/// How many fields a sentence names.
const NAMED: usize = 5;

/// The CRD in the cluster, beside the one of this operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CrdState {
    /// The CRD is missing, or was not seen yet.
    Missing,
    /// It lacks these fields.
    Older(Vec<String>),
    /// It has at least every field of ours.
    Current,
}

impl CrdState {
    /// The sentence for people, if something must be done.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        match self {
            Self::Current => None,
            Self::Missing => Some(
                "waiting for the CRD licenseseats.seatkeeper.dev: install it with `seatkeeper crd | kubectl apply \
                 --server-side -f -`"
                    .into(),
            ),
            Self::Older(lacking) => Some(format!(
                "the CRD licenseseats.seatkeeper.dev is older than the operator: it lacks {}. Seatkeeper sends nothing to \
                 any vendor until the CRD is updated. Apply it with `{APPLY}`",
                named(lacking)
            )),
        }
    }
}

/// The shared state of the CRD.
#[derive(Debug)]
pub(super) struct Crd {
    state: watch::Sender<CrdState>,
    doubt: Notify,
}

impl Default for Crd {
    fn default() -> Self {
        Self { state: watch::Sender::new(CrdState::Missing), doubt: Notify::new() }
    }
}

impl Crd {
    /// Reports a hint that the CRD has changed, so that it is read now.
    pub fn doubt(&self) {
        self.doubt.notify_one();
    }

    pub fn is_missing(&self) -> bool {
        *self.state.borrow() == CrdState::Missing
    }

    /// Why no object can be worked on, where the CRD is too old for a record.
    pub fn outdated(&self) -> Option<Fault> {
        let state = self.state.borrow();
        let message = state.trouble().filter(|_| matches!(*state, CrdState::Older(_)))?;
        Some(fault(reason::CRD_OUTDATED, "the CRD is older than the operator", message))
    }

    /// Why no work is done on an object whose fields were written and are not stored.
    pub fn not_stored(&self, fields: &[String]) -> Fault {
        self.outdated().unwrap_or_else(|| {
            let message = format!(
                "the apiserver does not store the status as Seatkeeper writes it ({}): the CRD licenseseats.seatkeeper.dev is \
                 older than the operator, or an admission webhook or policy changes the status. Seatkeeper makes no further \
                 change at the vendor for this object until the apiserver stores its status whole. Apply the CRD with `{APPLY}`, or exempt \
                 licenseseats/status from the webhook or policy",
                named(fields)
            );
            fault(reason::STATUS_NOT_STORED, "status not stored", message)
        })
    }
}

impl Context {
    /// Takes the findings about the CRD. If the CRD is gone, no object has numbers. The state of each object ends when the watch
    /// reports the object as gone, and not after one discovery.
    pub fn crd_is(&self, found: CrdState) {
        if found == CrdState::Missing {
            self.metrics.forget_all();
        }
        self.crd.state.send_if_modified(|state| {
            let news = *state != found;
            *state = found;
            news
        });
    }

    /// Whether the CRD is missing, by the last finding.
    pub fn crd_is_missing(&self) -> bool {
        self.crd.is_missing()
    }

    /// Waits until the CRD was seen, of whatever version.
    pub async fn crd_seen(&self) {
        // This state owns the sender.
        let _ = self.crd.state.subscribe().wait_for(|state| *state != CrdState::Missing).await;
    }

    /// Waits for a hint that the CRD is not as it was.
    pub async fn crd_doubted(&self) {
        self.crd.doubt.notified().await;
    }
}

/// Gives every object a pass each time the CRD has changed.
pub(super) async fn follow(context: &Context) {
    let mut state = context.crd.state.subscribe();
    while state.changed().await.is_ok() {
        context.look_at_all();
    }
}

fn fault(reason: &'static str, summary: &str, message: String) -> Fault {
    Fault { remedy: Remedy::Cluster, reason, summary: summary.into(), message }
}

fn named(fields: &[String]) -> String {
    let more = fields.len().saturating_sub(NAMED);
    let named = fields.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    if more == 0 { named } else { format!("{named} and {more} more") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn older(fields: &[&str]) -> CrdState {
        CrdState::Older(fields.iter().map(|&field| field.to_owned()).collect())
    }

    #[test]
    fn message_names_five_fields_and_counts_the_rest() {
        let all = ["a", "b", "c", "d", "e", "f", "g"];
        let sentence = |fields| older(fields).trouble().expect("a sentence");
        assert!(sentence(&all[..1]).contains("it lacks a. "), "{}", sentence(&all[..1]));
        assert!(sentence(&all[..5]).contains("it lacks a, b, c, d, e. "));
        assert!(sentence(&all).contains("it lacks a, b, c, d, e and 2 more. "));
    }

    #[test]
    fn unstored_status_is_reported_with_cause_once_known() {
        let crd = Crd::default();
        let fields = ["status.plan".to_owned()];
        crd.state.send_replace(CrdState::Current);
        assert_eq!(crd.outdated(), None);
        let fault = crd.not_stored(&fields);
        assert_eq!(fault.reason, reason::STATUS_NOT_STORED);
        assert!(fault.message.contains("status.plan") && fault.message.contains("policy"), "{fault}");
        crd.state.send_replace(older(&["status.plan"]));
        assert_eq!(crd.not_stored(&fields).reason, reason::CRD_OUTDATED);
        assert_eq!(Some(crd.not_stored(&fields)), crd.outdated());
    }

    #[test]
    fn missing_crd_is_not_reported_as_outdated() {
        let crd = Crd::default();
        assert!(crd.is_missing() && crd.outdated().is_none());
    }
}
