//! The view of a personal key of one organization, within the role of its owner.
//!
//! Quoted headings are those of docs/vendors/bitwarden.md.

use std::sync::Arc;
use std::time::Duration;

use super::error::BitwardenError;
use super::license;
use super::number_ranges::OrganizationRow;
use super::owner_api::LIST;
use super::owner_api_fields::{Details, Membership};
use super::session::BitwardenSession;
use crate::api::Product;
use crate::vendors::error::VendorError;

/// The person's role in the organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Owner, and neither provider nor reseller manages the organization: may see and do everything.
    Owner,
    /// Owner of an organization that a reseller manages: may see the subscription, not change it
    /// ("Who may see and change billing").
    Resold,
    /// Owner of an organization that a provider manages: sees neither ("Who may see and change billing").
    Managed,
    /// Member without being an owner: sees exact use alone ("Exact use").
    Member,
}

/// Number of the role ("Members").
const OWNER: i64 = 0;
/// Number of the membership's status ("Members").
const CONFIRMED: i64 = 2;
/// Number of the provider's type ("Organizations under a provider").
const RESELLER: i64 = 1;

impl Standing {
    pub(super) fn of(membership: &Membership) -> Self {
        let managed = membership.provider_id.is_some() || membership.provider_type.is_some();
        match (membership.role, managed) {
            (OWNER, false) => Self::Owner,
            (OWNER, true) if membership.provider_type == Some(RESELLER) => Self::Resold,
            (OWNER, true) => Self::Managed,
            _ => Self::Member,
        }
    }
}

/// What was seen.
pub(super) struct OwnerView {
    pub(super) standing: Standing,
    /// The organization as a whole is switched on.
    pub(super) enabled: bool,
    /// All numbers, if they were asked for and this person may see them.
    pub(super) row: Option<OrganizationRow>,
    /// Seats taken: exact in the cloud, members alone on a self-hosted server; of Secrets Manager, members with access.
    pub(super) used: Option<i32>,
    pub(super) standalone_secrets_manager: bool,
    pub(super) details: Option<Arc<Details>>,
    /// The details were read before, and what they say of the bill may be out of date.
    pub(super) is_old: bool,
    /// Bitwarden does not know the organization's plan, and so shows its owner no subscription
    /// ("The subscription GET of the owner API").
    pub(super) custom_plan: bool,
    /// Why the subscription is not shown, though this person may see it.
    pub(super) lacks: Option<BitwardenError>,
    pub(super) self_hosted: bool,
}

impl OwnerView {
    /// Under the discount of a standalone Secrets Manager the owner API first changes Password Manager's seats by the same
    /// difference and removes their limit ("The Secrets Manager POST").
    pub(super) fn drags_password_manager(&self, product: Product) -> bool {
        product == Product::SecretsManager && self.standalone_secrets_manager
    }

    /// Whether changes of this pool may be sent with this key.
    pub(super) fn may_adjust(&self, product: Product) -> bool {
        self.standing == Standing::Owner && !self.self_hosted && !self.drags_password_manager(product)
    }
}

/// The organization of a person who names none.
pub(super) async fn only_organization(session: &BitwardenSession, age: Duration) -> Result<String, BitwardenError> {
    owned(&session.memberships(age).await?)
}

/// The id of the only organization that is owned, in the form for a path.
pub(super) fn owned(list: &[Membership]) -> Result<String, BitwardenError> {
    let mut owned: Vec<&str> = list.iter().filter(|m| m.role == OWNER).map(|m| m.id.as_str()).collect();
    owned.sort_unstable();
    // One with sponsored families is listed once for each ("Endpoints").
    owned.dedup();
    match owned[..] {
        [id] => uuid::Uuid::try_parse(id)
            .map(|id| id.hyphenated().to_string())
            .map_err(|_| VendorError::Unreadable("an organization without an id").into()),
        [] => Err(BitwardenError::NoOrganization),
        _ => Err(BitwardenError::SeveralOrganizations),
    }
}

/// How old what is read may be.
#[derive(Clone, Copy)]
pub(super) struct Ages {
    /// Organizations of the person.
    pub(super) memberships: Duration,
    /// The details of the subscription.
    pub(super) details: Duration,
}

/// Looks at the organization. `row`: its numbers as read with another key; without, they are asked for here.
pub(super) async fn look(
    session: &BitwardenSession,
    id: &str,
    product: Product,
    row: Option<OrganizationRow>,
    ages: Ages,
) -> Result<OwnerView, BitwardenError> {
    let token = session.tokens.number().await;
    match look_once(session, id, product, row, ages).await {
        // Roles in a token are as old as the token, and what is known of them may be as old as `ages` say: once more, afresh.
        Err(error) if is_of_role(&error) => {
            let again = match (session.look_anew(token).await, error) {
                (true, _) => look_once(session, id, product, row, ages).await,
                // The token is as new as can be, and the list may be older.
                (false, BitwardenError::NoPath { .. }) => {
                    look_once(session, id, product, row, Ages { memberships: Duration::ZERO, ..ages }).await
                }
                (false, error) => Err(error),
            };
            match again {
                Err(BitwardenError::Forbidden) => Err(BitwardenError::NotOwner),
                Err(error @ BitwardenError::NoPath { .. })
                    if is_of_role(&error) && !is_listed_as_owner(session, id).await =>
                {
                    Err(BitwardenError::NotOwner)
                }
                again => again,
            }
        }
        result => result,
    }
}

/// Whether the list, as it was read last, has the person as an owner who may see what Bitwarden has of the organization: then a
/// 404 says nothing of the role.
async fn is_listed_as_owner(session: &BitwardenSession, id: &str) -> bool {
    session.memberships(Duration::MAX).await.is_ok_and(|list| {
        let own = list.iter().find(|membership| membership.id.eq_ignore_ascii_case(id)).map(Standing::of);
        matches!(own, Some(Standing::Owner | Standing::Resold))
    })
}

/// Bitwarden refuses something for a role that the person does not have.
fn is_of_role(error: &BitwardenError) -> bool {
    match error {
        // To whom the list itself is missing, no role is known.
        BitwardenError::NoPath { path, own } => *own && *path != LIST,
        BitwardenError::NotOwner | BitwardenError::Forbidden | BitwardenError::Unauthorized => true,
        _ => false,
    }
}

async fn look_once(
    session: &BitwardenSession,
    id: &str,
    product: Product,
    row: Option<OrganizationRow>,
    ages: Ages,
) -> Result<OwnerView, BitwardenError> {
    let memberships = session.memberships(ages.memberships).await?;
    let same = |membership: &&Membership| membership.id.eq_ignore_ascii_case(id);
    let membership = memberships.iter().find(same).filter(|membership| membership.status == CONFIRMED);
    let membership = membership.ok_or(BitwardenError::NotMember)?;
    let standing = Standing::of(membership);
    let metadata = match session.metadata(id).await {
        Ok(metadata) => Some(metadata),
        Err(BitwardenError::SelfHosted) => None,
        Err(error) => return Err(error),
    };
    let self_hosted = metadata.is_none();
    let owns = standing != Standing::Member;
    let seen = match row {
        Some(row) => Some(row),
        None if owns => Some(session.organization(id).await?.row()),
        None => None,
    };
    let may_view = matches!(standing, Standing::Owner | Standing::Resold);
    let subscription = if may_view {
        let still = |details: &Details, age: Duration| {
            let shown = details.organization.row().numbers(product);
            seen.is_none_or(|row| row.numbers(product) == shown) && !license::turned(details, age)
        };
        let details = session.details(id, ages.details, still).await;
        Subscription::of(details, session, id, row.is_some()).await?
    } else {
        Subscription::default()
    };
    let used = match (&metadata, product) {
        (Some(metadata), Product::PasswordManager) => Some(metadata.occupied()?),
        (None, Product::PasswordManager) if owns => Some(session.count_users(id).await?.seats),
        (_, Product::SecretsManager) if owns => session.count_users(id).await?.secrets_manager,
        _ => None,
    };
    Ok(OwnerView {
        standing,
        enabled: membership.enabled != Some(false),
        row: seen.map(|row| if self_hosted { row.without_limits() } else { row }),
        used,
        standalone_secrets_manager: metadata.is_some_and(|metadata| metadata.is_on_secrets_manager_standalone),
        details: subscription.details,
        is_old: subscription.is_old,
        custom_plan: subscription.custom_plan,
        lacks: subscription.lacks,
        self_hosted,
    })
}

/// The result of reading the subscription.
#[derive(Default)]
struct Subscription {
    details: Option<Arc<Details>>,
    is_old: bool,
    custom_plan: bool,
    lacks: Option<BitwardenError>,
}

impl Subscription {
    /// `shown`: another key shows the numbers, so that not all is lost where the subscription cannot be read.
    async fn of(
        details: Result<(Arc<Details>, bool), BitwardenError>,
        session: &BitwardenSession,
        id: &str,
        shown: bool,
    ) -> Result<Self, BitwardenError> {
        match details {
            Ok((details, is_old)) => Ok(Self { details: Some(details), is_old, ..Self::default() }),
            Err(BitwardenError::NoPath { own: true, .. }) if has_custom_plan(session, id).await => {
                Ok(Self { custom_plan: true, ..Self::default() })
            }
            Err(error) if shown && !is_of_role(&error) => Ok(Self { lacks: Some(of_stripe(error)), ..Self::default() }),
            Err(error) => Err(of_stripe(error)),
        }
    }
}

/// Whether Bitwarden lacks the plan, so that 404 proves nothing about the role: an owner still sees the organization, with
/// a plan without details ("The subscription GET of the owner API" and "Plans").
async fn has_custom_plan(session: &BitwardenSession, id: &str) -> bool {
    session.organization(id).await.is_ok_and(|organization| {
        organization.plan.is_some_and(|plan| plan.password_manager.is_none() && plan.secrets_manager.is_none())
    })
}

/// The organization is shown and its subscription is not: Stripe may not know it ("Two billing paths").
fn of_stripe(error: BitwardenError) -> BitwardenError {
    match error {
        BitwardenError::Shared(VendorError::Status(status)) if status >= 500 => BitwardenError::NoSubscription(status),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owner_key_under_standalone_discount_changes_all_but_secrets_manager() {
        let view = |standalone_secrets_manager| OwnerView {
            standing: Standing::Owner,
            enabled: true,
            row: None,
            used: None,
            standalone_secrets_manager,
            details: None,
            is_old: false,
            custom_plan: false,
            lacks: None,
            self_hosted: false,
        };
        for product in [Product::PasswordManager, Product::SecretsManager, Product::MachineAccounts] {
            assert!(view(false).may_adjust(product));
            assert_eq!(view(true).may_adjust(product), product != Product::SecretsManager, "{product:?}");
        }
    }
}
