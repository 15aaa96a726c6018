//! With which key a change is sent: as totals with the organization's, or as a difference with the owner's.

use super::organization_api_fields::SubscriptionChange;
use super::owner_api_fields::RelativeChange;
use super::{Organization, Shown};
use crate::api::Intent;
use crate::domain::{Numbers, Outcome, Refusal};
use crate::vendors::SendGuard;

impl Organization {
    /// Changes by totals with the organization's key wherever that can carry the change, and by differences with the
    /// owner's.
    pub(super) async fn change(&self, intent: &Intent, send_guard: SendGuard<'_>) -> Outcome {
        let (from, to): (Numbers, Numbers) = (intent.base(), intent.target());
        let total = SubscriptionChange::of(self.product, from, to);
        if let Some((session, change)) = self.organization.as_ref().zip(total) {
            return session.set_totals(&change, send_guard).await;
        }
        let shown = self.shown().clone().filter(|shown| shown.may_adjust);
        let Some((session, Shown { id, .. })) = self.owner.as_ref().zip(shown) else {
            return Outcome::Refused(Refusal::Request("the keys that are there cannot make this change".into()));
        };
        // A difference adds to whatever is there when it arrives: it is made from what is there now, or not at all.
        let Ok(row) = session.organization(&id).await.map(|organization| organization.row()) else {
            return Outcome::NotSent("the numbers could not be read again");
        };
        match RelativeChange::of(self.product, from, to, &row) {
            Some(change) => session.adjust(&id, &change, from.seats != to.seats, send_guard).await,
            None => Outcome::NotSent("the numbers have changed meanwhile"),
        }
    }
}
