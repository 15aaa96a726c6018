//! Bitwarden: the organization API with an organization's key, the owner API with an owner's, or both.
//!
//! Facts are in docs/vendors/bitwarden.md; its headings are quoted where one is used. Read the modules in this order:
//! `api_key` (from the Secret), `session` (token), `organization_api` and `owner_api` (the requests), `write` (how a change is sent),
//! `proofs` (what its answer proves), `owner` (what a person may see), `numbers_and_rules` and `license` (what it means).

mod api_key;
mod error;
mod fresh_token_after_403;
mod license;
mod members;
mod number_ranges;
mod numbers_and_rules;
mod open;
mod operation;
mod organization_api;
mod organization_api_fields;
mod owner;
mod owner_api;
mod owner_api_fields;
mod preview;
mod proofs;
pub mod rate_limits;
mod refusals;
mod session;
mod symptoms;
mod target;
mod total_or_difference;
mod unread_organization;
mod write;

pub use target::Target;
pub(super) use target::target;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use error::BitwardenError;
use futures::future::BoxFuture;
use futures::{FutureExt, TryFutureExt};
use number_ranges::OrganizationRow;
use numbers_and_rules::Seen;
use owner::{Ages, OwnerView, Standing, look, only_organization};
use preview::Preview;
use session::BitwardenSession;
use target::NamedSecret;
use unread_organization::of_secret;

pub(super) use api_key::CREDENTIALS;
pub(super) use open::Bitwarden;
pub use open::BitwardenSettings;
pub(super) use operation::OPERATIONS;
pub(super) use proofs::proofs;
pub use refusals::{RefusalText, refusals};
pub use symptoms::{Symptom, symptoms};

use super::error::{Failure, VendorError};
use super::rate_limit::Wait;
use super::secret_data::never_shown;
use super::token_cache::Asker;
use super::{Cost, ReadError, Recorded, SendGuard, Urgency, VendorAccount};
use crate::api::{Account, Product};
use crate::domain::{Fault, Outcome, Remedy, Snapshot};
use crate::registry::Key;

/// Name of the vendor in status and metric labels.
const VENDOR: &str = "bitwarden";
/// Name of the vendor in sentences.
const NAME: &str = "Bitwarden";
/// The largest total of seats, and the highest limit. Bitwarden narrows totals to a signed 16-bit number before it saves
/// them, so more would wrap around, and what is wrapped would be bought ("Rules of Password Manager"). Admission has
/// the same number.
const MAX_SEATS: i32 = 32_767;

/// One pool of one organization, with the keys that are there.
pub(super) struct Organization {
    /// The object that it was opened for.
    object: Key,
    organization: Option<Arc<BitwardenSession>>,
    owner: Option<Arc<BitwardenSession>>,
    /// The Secrets that the spec names.
    secrets: Vec<NamedSecret>,
    /// The one with the person's key: either field may name either kind.
    owner_secret: NamedSecret,
    /// Why there is no other key beside the organization's, though the spec names one.
    lacks: Option<Fault>,
    /// The version of the Secrets that the keys came from.
    secret_version: String,
    /// `None`: the one that the person owns.
    id: Option<String>,
    product: Product,
    /// What the last reading showed, for differences.
    shown: Mutex<Option<Shown>>,
}

never_shown!(Organization);

#[derive(Clone)]
struct Shown {
    id: String,
    row: OrganizationRow,
    /// The person may change the seats of this pool there.
    may_adjust: bool,
}

impl Organization {
    async fn id(&self) -> Result<String, BitwardenError> {
        match (&self.id, &self.owner) {
            (Some(id), _) => Ok(id.clone()),
            (None, Some(owner)) => only_organization(owner, owner.settings.account_recheck).await,
            (None, None) => Err(BitwardenError::NoOrganization),
        }
    }

    fn host(&self) -> Option<String> {
        self.organization.as_ref().or(self.owner.as_ref()).map(|session| session.host())
    }

    fn asker(&self, urgency: Urgency) -> Asker<'_> {
        Asker { object: &self.object, secret: &self.secret_version, urgency, failed: false, lasts: Duration::ZERO }
    }

    fn known_id(&self) -> Option<String> {
        self.id.clone().or_else(|| self.shown().as_ref().map(|shown| shown.id.clone()))
    }

    fn shown(&self) -> MutexGuard<'_, Option<Shown>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the turns of all that is asked, and asks it.
    async fn read_in_turn(&self, urgency: Urgency) -> Result<Snapshot, BitwardenError> {
        let asker = self.asker(urgency);
        if let Some(session) = &self.organization {
            // The members' path has the same limit and never more requests: one turn is enough for both.
            session.turn_to_read(asker, self.product).await?;
        }
        if let Some(session) = &self.owner {
            let alone = self.organization.is_none();
            // Beside an organization key, the path that all organizations share keeps back more than those of this one do.
            if alone {
                session.turn_to_look(self.known_id().as_deref(), self.product, asker).map_err(VendorError::from)?;
            }
            // A refusal of a key is reported like any other answer, below; so is a pause of the other key's host.
            if let Err(error) = session.turn_of_token(asker).await {
                match error.shared() {
                    Some(VendorError::RateLimited { .. }) => return Err(error),
                    Some(VendorError::Closed { .. }) if alone => return Err(error),
                    _ => {}
                }
            }
        }
        self.seen(urgency).await.map(Seen::snapshot)
    }

    /// The personal key beside an organization key may fail. Then only its additions are missing, and that is reported.
    async fn seen(&self, urgency: Urgency) -> Result<Seen, BitwardenError> {
        let id = self.id().await?;
        let counts = self.product == Product::PasswordManager;
        let members = async |wanted: bool| match &self.organization {
            Some(session) if counts && wanted => session.count_members().await.map(Some),
            _ => Ok(None),
        };
        let shown = async || match &self.organization {
            Some(session) => match session.subscription().await {
                Ok(subscription) => Ok(Some(Some(subscription.row()?))),
                Err(BitwardenError::SelfHosted) => Ok(Some(None)),
                Err(error) => Err(error),
            },
            None => Ok(None),
        };
        // With a person's key the members need not be counted, unless it fails.
        let counted = async { Ok(members(self.owner.is_none()).await) };
        let (shown, counted) = tokio::try_join!(shown(), counted)?;
        // Where both fail, always the same one is reported.
        let counted = counted?;
        let known = shown.flatten();
        let viewed = match &self.owner {
            Some(owner) => Some(look(owner, &id, self.product, known, ages(owner, urgency)).await),
            None => None,
        };
        let (view, fails) = kept(viewed, shown, known)?;
        let too_little = view.as_ref().is_some_and(|view| view.standing == Standing::Member && shown.is_some());
        let told = fails.as_ref().or(too_little.then_some(&BitwardenError::NotOwner));
        let told = told.map(|error| error.fault(&self.host().unwrap_or_default())).or_else(|| self.lacks.clone());
        let fails = fails.is_some() || self.lacks.is_some();
        let exact = view.as_ref().is_some_and(|view| !view.self_hosted && view.used.is_some());
        let members = if self.owner.is_some() { members(!exact).await? } else { counted };
        let (host, row) = (self.host(), known.or_else(|| view.as_ref().and_then(|view| view.row)));
        if let Some(row) = &row {
            row.pool(self.product)?;
        }
        let may_adjust = view.as_ref().is_some_and(|view| view.may_adjust(self.product));
        *self.shown() = row.map(|row| Shown { id: id.clone(), row, may_adjust });
        Ok(Seen {
            account: Account { vendor: VENDOR.into(), host, id: Some(id) },
            product: self.product,
            organization_key: self.organization.is_some(),
            self_hosted: matches!(shown, Some(None)) || view.as_ref().is_some_and(|view| view.self_hosted),
            row,
            members,
            owner: view,
            concern: told.map(|fault| of_secret(&self.owner_secret, fault)),
            fails: fails.then(|| self.owner_secret.clone()),
        })
    }
}

/// How old what is asked seldom may be. What a change rests on is read for it, and everything where a person asks for a look.
fn ages(owner: &BitwardenSession, urgency: Urgency) -> Ages {
    let kept = owner.settings.account_recheck;
    let afresh = matches!(urgency, Urgency::Changed | Urgency::Asked | Urgency::Urgent);
    let of = |afresh| if afresh { Duration::ZERO } else { kept };
    Ages { memberships: of(urgency == Urgency::Asked), details: of(afresh) }
}

/// What stays of a person's view, and what fails of it. `shown`: what the organization API shows, where there is one.
fn kept(
    viewed: Option<Result<OwnerView, BitwardenError>>,
    shown: Option<Option<OrganizationRow>>,
    known: Option<OrganizationRow>,
) -> Result<(Option<OwnerView>, Option<BitwardenError>), BitwardenError> {
    match viewed {
        Some(Ok(view)) => {
            let fails = view.lacks.clone();
            Ok((Some(view), fails))
        }
        // Without the numbers of another key, only a key that is refused leaves something to report.
        Some(Err(error)) if known.is_none() && (shown.is_none() || error.remedy() != Remedy::Credentials) => Err(error),
        Some(Err(error)) => Ok((None, Some(error))),
        None => Ok((None, None)),
    }
}

impl VendorAccount for Organization {
    fn name(&self) -> &'static str {
        NAME
    }

    fn account(&self) -> Account {
        Account { vendor: VENDOR.into(), host: self.host(), id: self.known_id() }
    }

    fn read(&self, urgency: Urgency) -> BoxFuture<'_, Result<Snapshot, ReadError>> {
        Box::pin(self.read_in_turn(urgency).or_else(move |error| self.unread(error, urgency).map(Err)))
    }

    fn estimate(&self, seats: i32) -> BoxFuture<'_, Option<Cost>> {
        Box::pin(async move {
            let shown = self.shown().clone().filter(|shown| shown.may_adjust)?;
            let preview = Preview::of(self.product, seats, &shown.row)?;
            self.owner.as_ref()?.preview(&shown.id, &preview).await
        })
    }

    fn sign_in_for(&self, lasts: Duration) -> BoxFuture<'_, Option<Duration>> {
        Box::pin(async move {
            let asker = Asker { lasts, ..self.asker(Urgency::Poll) };
            let mut turn = None;
            for session in self.organization.iter().chain(&self.owner) {
                if let Err(error) = session.turn_of_token(asker).await
                    && let Some(VendorError::RateLimited { after }) = error.shared()
                {
                    turn = turn.max(Some(*after));
                }
            }
            turn
        })
    }

    fn turn_to_write(&self) -> Result<(), Wait> {
        let asker = self.asker(Urgency::Urgent);
        match (&self.organization, &self.owner) {
            (Some(session), _) => session.turn_to_set_totals(asker),
            (None, Some(session)) => session.turn_to_adjust(&self.known_id().unwrap_or_default(), asker),
            (None, None) => Ok(()),
        }
    }

    fn write<'a>(&'a self, recorded: Recorded, send_guard: SendGuard<'a>) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            match recorded.spend(&self.account()) {
                Ok(intent) => self.change(&intent, send_guard).await,
                Err(why) => Outcome::NotSent(why),
            }
        })
    }
}

#[cfg(test)]
mod hostile_answers;
