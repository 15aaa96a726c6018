//! Why an organization was not read, where two keys are there: which of them is refused, and what the other shows of that.

use std::time::Duration;

use super::Organization;
use super::error::BitwardenError;
use super::session::BitwardenSession;
use super::target::NamedSecret;
use crate::domain::{Fault, Remedy};
use crate::vendors::error::Failure;
use crate::vendors::{ReadError, Urgency};

impl Organization {
    /// Why nothing was read, in words. Where there are two keys, only the organization's can be refused so that nothing is
    /// read: it is named, and the owner's says more, if it can.
    pub(super) async fn unread(&self, error: BitwardenError, urgency: Urgency) -> ReadError {
        let host = self.host().unwrap_or_default();
        let Some(owner) = self.owner.as_ref().filter(|_| self.organization.is_some()) else {
            return error.unread(&host);
        };
        let error = match error {
            BitwardenError::InvalidClient => self.why_refused(owner, urgency).await.unwrap_or(error),
            error => error,
        };
        match error.unread(&host) {
            ReadError::Failed(fault) if fault.remedy == Remedy::Credentials => {
                let mut others = self.secrets.iter().filter(|secret| **secret != self.owner_secret);
                ReadError::Failed(others.next().map_or(fault.clone(), |secret| of_secret(secret, fault)))
            }
            error => error,
        }
    }

    /// What the owner's key shows of an organization whose own key is refused.
    async fn why_refused(&self, owner: &BitwardenSession, urgency: Urgency) -> Option<BitwardenError> {
        owner.turn_of_token(self.asker(urgency)).await.ok()?;
        let memberships = owner.memberships(Duration::ZERO).await.ok()?;
        let id = self.id.as_deref()?;
        let membership = memberships.iter().find(|membership| membership.id.eq_ignore_ascii_case(id))?;
        match (membership.enabled, membership.use_api) {
            (Some(false), _) => Some(BitwardenError::SwitchedOff),
            (_, Some(false)) => Some(BitwardenError::PlanWithoutApi),
            _ => None,
        }
    }
}

/// A fault of one of two Secrets, which the message names.
pub(super) fn of_secret(secret: &NamedSecret, fault: Fault) -> Fault {
    Fault { message: format!("{secret}: {}", fault.message), ..fault }
}
