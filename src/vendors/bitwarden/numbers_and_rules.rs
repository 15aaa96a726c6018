//! Merges the views of the keys: the pool's numbers, and every rule that Bitwarden would enforce without an explanation
//! (docs/vendors/bitwarden.md, "Rules of a change"). Pure.

use super::license::{billed, license};
use super::number_ranges::{OrganizationRow, PoolNumbers};
use super::owner::{OwnerView, Standing};
use super::{MAX_SEATS, NamedSecret};
use crate::api::{Account, Capability, KeyCapabilities, KeyKind, LicenseState, Product};
use crate::domain::{Bound, Differences, Fault, Model, Rules, Snapshot, Support, Usage};

/// The reading.
pub(super) struct Seen {
    pub(super) account: Account,
    pub(super) product: Product,
    /// There is an organization key.
    pub(super) organization_key: bool,
    /// The server is self-hosted.
    pub(super) self_hosted: bool,
    /// `None`: these credentials may not see the numbers.
    pub(super) row: Option<OrganizationRow>,
    /// Members as counted with the organization key.
    pub(super) members: Option<i32>,
    pub(super) owner: Option<OwnerView>,
    /// The personal key fails.
    pub(super) concern: Option<Fault>,
    /// What the person's key adds is missing: the Secret of the key.
    pub(super) fails: Option<NamedSecret>,
}

pub(super) const SELF_HOSTED: &str = "the server is self-hosted, where seats come from the license file: change the seats of the cloud \
                                      organization, then update the license on the server";

const UNCOUNTED: &str = "this plan has no seat count, so there is nothing to change";

const PROVIDER: &str = "a provider manages this organization: its seats are changed through the provider alone";

const RESELLER: &str = "a reseller manages this organization, so a personal key changes nothing: add the organization key as \
                        credentialsSecretRef, or ask the reseller";

impl Seen {
    pub(super) fn snapshot(self) -> Snapshot {
        let owner = self.owner.as_ref();
        let numbers = self.row.and_then(|row| row.numbers(self.product).ok().flatten());
        let (at_least, at_most) = self.bounds();
        let read_only = self.read_only();
        let unchangeable = read_only.is_some();
        let model = match numbers {
            Some(numbers) => Model::Quantity(numbers),
            None => self.uncounted(read_only.clone()),
        };
        let billed = owner
            .and_then(|owner| owner.details.as_deref())
            .filter(|_| self.product == Product::PasswordManager)
            .and_then(billed);
        Snapshot {
            model,
            usage: self.usage(),
            rules: Rules {
                support: Support {
                    read_only,
                    seats_fixed: self.seats_fixed().filter(|_| !unchangeable),
                    cannot_clear_limit: self.cannot_clear_limit(),
                    cannot_lower: self.cannot_lower(),
                    differences: if self.organization_key { Differences::WithoutLimit } else { Differences::Always },
                },
                at_least,
                at_most,
            },
            billed,
            billed_is_old: owner.is_some_and(|owner| owner.is_old),
            capabilities: self.capabilities(),
            license: owner.and_then(license),
            account: self.account,
            concern: self.concern,
        }
    }

    /// A pool without numbers. A self-hosted server shows them to owners alone, and may have none to show.
    fn uncounted(&self, read_only: Option<String>) -> Model {
        let why = read_only.unwrap_or_else(|| "the vendor does not count this pool".to_owned());
        match self.row {
            Some(_) => Model::Uncounted(why),
            None if self.self_hosted => Model::Unshown(why),
            None => Model::Hidden(why),
        }
    }

    /// Sponsored families take seats too; only a person's key shows them ("Who occupies a seat").
    fn usage(&self) -> Usage {
        let exact = self.owner.as_ref().filter(|owner| !owner.self_hosted).and_then(|owner| owner.used);
        let counted = self.members.or_else(|| self.owner.as_ref().and_then(|owner| owner.used));
        match (self.product, exact, counted) {
            (Product::PasswordManager, Some(used), _) => Usage::Exact(used),
            (Product::PasswordManager, None, Some(members)) => Usage::AtLeast(members),
            // Members with access are all who take a seat of Secrets Manager ("Who occupies a seat").
            (Product::SecretsManager, _, Some(members)) => Usage::Exact(members),
            // Machine accounts are not listed.
            _ => Usage::NotReported,
        }
    }

    fn read_only(&self) -> Option<String> {
        if self.self_hosted {
            return Some(SELF_HOSTED.into());
        }
        if let Some(owner) = &self.owner {
            // An organization key may change what its owner may not ("Organizations under a provider").
            match owner.standing {
                Standing::Managed if !self.organization_key => return Some(PROVIDER.into()),
                Standing::Resold if !self.organization_key => return Some(RESELLER.into()),
                _ => {}
            }
            if let Some(why) = self.plan(owner) {
                return Some(why.into());
            }
            // Of the others, the limit is no part of the subscription.
            if self.product != Product::PasswordManager
                && let Some(why) = Self::no_subscription(owner)
            {
                return Some(why.into());
            }
        }
        if self.row.is_none() {
            return Some(
                "the personal key belongs to a member who is not an owner, and so shows no seats: use the key of an owner, or add \
                 the organization key as credentialsSecretRef"
                    .into(),
            );
        }
        let seats = self.pool(self.product).and_then(|pool| pool.seats);
        if seats == Some(0) {
            return Some(format!(
                "Bitwarden shows 0 for {}, and its API cannot change that number: add some in the admin console first",
                self.product.name()
            ));
        }
        if seats.is_none() {
            return Some(self.why_uncounted().into());
        }
        if !self.organization_key && self.drags_password_manager() {
            return Some(
                "the subscription has the Secrets Manager discount. With it, a personal key also changes Password Manager's seats \
                 and removes their limit: add the organization key as credentialsSecretRef"
                    .into(),
            );
        }
        None
    }

    /// Why this pool has no seats to count. Without Secrets Manager, both of its pools have none
    /// ("The subscription GET").
    fn why_uncounted(&self) -> &'static str {
        let counted = |product| self.pool(product).is_some_and(|pool| pool.seats.is_some());
        match self.product {
            Product::SecretsManager if counted(Product::MachineAccounts) => UNCOUNTED,
            Product::MachineAccounts if counted(Product::SecretsManager) => UNCOUNTED,
            Product::PasswordManager => UNCOUNTED,
            Product::SecretsManager | Product::MachineAccounts => {
                "the organization has no Secrets Manager: add it to the plan in the admin console first"
            }
        }
    }

    /// Rules A4 and A5, a plan without Secrets Manager (S0), and an organization that is off: neither seats nor limit
    /// can be changed ("Rules of a change").
    fn plan(&self, owner: &OwnerView) -> Option<&'static str> {
        if !owner.enabled {
            return Some("the organization is switched off: ask Bitwarden, or renew its subscription");
        }
        if owner.custom_plan {
            return Some("Bitwarden's API cannot change this plan, which may be a custom one: ask Bitwarden");
        }
        let plan = owner.details.as_deref()?.organization.plan.as_ref();
        let pool = plan.and_then(|plan| match self.product {
            Product::PasswordManager => plan.password_manager.as_ref(),
            Product::SecretsManager | Product::MachineAccounts => plan.secrets_manager.as_ref(),
        });
        if pool.is_none() && plan.is_some_and(|plan| plan.password_manager.is_some()) {
            return Some("this plan has no Secrets Manager: change the plan first");
        }
        pool.is_some_and(|pool| pool.has_additional_seats_option == Some(false)).then_some(
            "this plan has a fixed number of seats (Free, Families and Teams Starter have): change the plan first",
        )
    }

    /// Rules A2 and A3, and the customers of a provider, which have none of their own; those of a reseller may. Password
    /// Manager's limit needs none (block B), the others' does (S2): "Rules of a change" and
    /// "Organizations under a provider".
    fn no_subscription(owner: &OwnerView) -> Option<&'static str> {
        if owner.standing == Standing::Managed {
            return Some(PROVIDER);
        }
        owner
            .details
            .as_deref()?
            .subscription
            .is_none()
            .then_some("the organization has no subscription, so seats cannot be bought: choose a plan first")
    }

    /// What changes seats and not limits: the subscription, which must be in force ("Two billing paths").
    fn seats_fixed(&self) -> Option<String> {
        let owner = self.owner.as_ref()?;
        if let Some(why) = Self::no_subscription(owner) {
            return Some(why.into());
        }
        let state = license(owner)?.state;
        matches!(state, LicenseState::Canceled | LicenseState::Unpaid | LicenseState::Expired)
            .then(|| "the subscription is canceled or unpaid: reinstate it in the admin console first".into())
    }

    fn cannot_lower(&self) -> Option<String> {
        if let Some(secret) = &self.fails {
            return Some(format!(
                "the key in {secret} fails. Only this key shows exact use and what is billed, so nothing is lowered: mend the \
                 key, or remove {} from the spec",
                secret.field
            ));
        }
        let unread = self.product == Product::PasswordManager
            && self.row.is_some_and(|row| row.pool(Product::SecretsManager).is_err());
        unread.then(|| {
            "the seats of Secrets Manager cannot be read, and Password Manager needs as many: nothing is lowered until they \
             can"
                .into()
        })
    }

    /// The numbers of a pool, where they are known and can be read.
    fn pool(&self, product: Product) -> Option<PoolNumbers> {
        self.row.and_then(|row| row.pool(product).ok())
    }

    fn drags_password_manager(&self) -> bool {
        self.owner.as_ref().is_some_and(|owner| owner.drags_password_manager(self.product))
    }

    fn cannot_clear_limit(&self) -> Option<String> {
        if self.drags_password_manager() {
            return Some(
                "the subscription has the Secrets Manager discount. With it, removing a limit by personal key also changes Password \
                 Manager's seats and removes their limit: use mode Pinned or UpTo, or remove the limit in the admin console"
                    .into(),
            );
        }
        let owns = self.owner.as_ref().is_some_and(|owner| owner.standing == Standing::Owner);
        (!owns).then(|| {
            "an organization key can set a limit but never remove one (Bitwarden keeps the old limit when none is sent): use \
             mode Pinned or UpTo, remove the limit in the admin console, or add an owner's key as ownerCredentialsSecretRef"
                .into()
        })
    }

    fn bounds(&self) -> (Vec<Bound>, Vec<Bound>) {
        let because = format!("totals above {MAX_SEATS} wrap around in its database");
        let mut at_most = vec![Bound { seats: MAX_SEATS, because, pool: None }];
        let mut at_least = Vec::new();
        let seats = |product| self.pool(product).and_then(|pool| pool.seats);
        match self.product {
            Product::PasswordManager => at_least.extend(seats(Product::SecretsManager).map(|seats| Bound {
                seats,
                because: format!(
                    "Secrets Manager has {seats} seats and cannot have more than Password Manager: lower those first"
                ),
                pool: Some(Product::SecretsManager.name()),
            })),
            Product::SecretsManager => at_most.extend(seats(Product::PasswordManager).map(|seats| Bound {
                seats,
                because: format!(
                    "Password Manager has {seats} and Secrets Manager cannot have more: raise those first"
                ),
                pool: Some(Product::PasswordManager.name()),
            })),
            Product::MachineAccounts => {}
        }
        let details = self.owner.as_ref().and_then(|owner| owner.details.as_deref());
        let plan = details.and_then(|details| details.organization.plan.as_ref());
        let included = plan.and_then(|plan| plan.password_manager.as_ref()).and_then(|pool| pool.base_seats);
        if let Some(seats) = included.and_then(|seats| i32::try_from(seats).ok()).filter(|seats| *seats > 0)
            && self.product == Product::PasswordManager
        {
            at_least.push(Bound { seats, because: format!("the plan already includes {seats}"), pool: None });
        }
        (at_least, at_most)
    }

    fn capabilities(&self) -> Vec<KeyCapabilities> {
        use Capability::*;
        let mut all = Vec::new();
        if self.organization_key {
            let allows = if self.self_hosted { vec![] } else { vec![ReadSeats, WriteSeats] };
            all.push(KeyCapabilities { key: KeyKind::Organization, allows });
        }
        if let Some(owner) = &self.owner {
            let allows = match owner.standing {
                Standing::Owner | Standing::Resold if owner.self_hosted => vec![ReadSeats, ReadSubscription],
                Standing::Owner if self.drags_password_manager() => {
                    vec![ReadSeats, ReadExactUsage, ReadRefusals, ReadSubscription]
                }
                Standing::Owner => {
                    vec![ReadSeats, ReadExactUsage, WriteSeats, ClearLimit, ReadRefusals, ReadSubscription]
                }
                Standing::Resold => vec![ReadSeats, ReadExactUsage, ReadSubscription],
                Standing::Managed if !owner.self_hosted => vec![ReadSeats, ReadExactUsage],
                Standing::Member if !owner.self_hosted => vec![ReadExactUsage],
                Standing::Managed | Standing::Member => vec![],
            };
            all.push(KeyCapabilities { key: KeyKind::Owner, allows });
        }
        if self.row.is_some() && self.pool(self.product).is_some_and(|pool| pool.seats.is_none()) {
            // No key reads or writes a number that is not there.
            for key in &mut all {
                key.allows.retain(|allows| !matches!(allows, ReadSeats | WriteSeats));
            }
        }
        all
    }
}

#[cfg(test)]
mod tests;
