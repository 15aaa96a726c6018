//! Puts what the keys show together: the pool's numbers, and every rule that Bitwarden would enforce with an answer that
//! explains nothing (sections 7 and 16.4). Pure.

use super::license::{billed, license};
use super::owner::{OwnerView, Standing};
use super::row::Row;
use crate::api::{Account, Capability, KeyCapabilities, KeyKind, LicenseState, MAX_SEATS, Product};
use crate::plan::{Bound, Fault, Model, Rules, Snapshot, Support, Usage};

/// What was read.
pub(super) struct Seen {
    pub(super) account: Account,
    pub(super) product: Product,
    /// There is an organization key.
    pub(super) organization_key: bool,
    /// The server is self-hosted.
    pub(super) self_hosted: bool,
    /// `None`: nobody may see the numbers.
    pub(super) row: Option<Row>,
    /// Members as counted with the organization key.
    pub(super) members: Option<i32>,
    pub(super) owner: Option<OwnerView>,
    /// The person's key does not do what it is there for.
    pub(super) concern: Option<Fault>,
}

pub(super) const SELF_HOSTED: &str = "the server is self-hosted, where seats come from the licence file: change the seats of the cloud \
                                      organization, then update the licence on the server";

impl Seen {
    pub(super) fn snapshot(self) -> Snapshot {
        let owner = self.owner.as_ref();
        let numbers = self.row.and_then(|row| row.numbers(self.product));
        let (at_least, at_most) = self.bounds();
        let read_only = self.read_only();
        let model = match numbers {
            Some(numbers) => Model::Quantity(numbers),
            None => {
                Model::Uncounted(read_only.clone().unwrap_or_else(|| "the vendor does not count this pool".to_owned()))
            }
        };
        let billed = owner
            .and_then(|owner| owner.details.as_deref())
            .filter(|_| self.product == Product::PasswordManager)
            .and_then(billed);
        Snapshot {
            model,
            usage: self.usage(),
            rules: Rules {
                support: Support { read_only, cannot_clear_limit: self.cannot_clear_limit(), ..Support::default() },
                at_least,
                at_most,
            },
            billed,
            capabilities: self.capabilities(),
            license: owner.and_then(license),
            account: self.account,
            concern: self.concern,
        }
    }

    /// Sponsored families take seats too; only a person's key shows them (section 8).
    fn usage(&self) -> Usage {
        let exact = self.owner.as_ref().filter(|owner| !owner.self_hosted).and_then(|owner| owner.used);
        let counted = self.members.or_else(|| self.owner.as_ref().and_then(|owner| owner.used));
        match (self.product, exact, counted) {
            (Product::PasswordManager, Some(used), _) => Usage::Exact(used),
            (Product::PasswordManager, None, Some(members)) => Usage::AtLeast(members),
            // Members with access are all who take a seat of Secrets Manager (section 8).
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
            if matches!(owner.standing, Standing::Managed | Standing::Resold) {
                return Some(
                    "a provider manages this organization: its seats are changed through the provider alone".into(),
                );
            }
            if let Some(why) = self.plan_or_subscription(owner) {
                return Some(why);
            }
        }
        if self.row.is_none() {
            return Some(
                "the personal key belongs to a member who is not an owner, and so shows no seats: use the key of an owner, or add \
                 the organization key as credentialsSecretRef"
                    .into(),
            );
        }
        let counted = self.row.is_some_and(|row| row.pool(self.product).seats.is_some());
        if !counted {
            return Some(
                match self.product {
                    Product::PasswordManager => "this plan has no seat count, so there is nothing to change",
                    Product::SecretsManager | Product::MachineAccounts => {
                        "the organization has no Secrets Manager: add it to the plan in the admin console first"
                    }
                }
                .into(),
            );
        }
        if !self.organization_key && self.drags_password_manager() {
            return Some(
                "the subscription has the Secrets Manager discount, under which a personal key would also change Password \
                 Manager's seats and remove their limit: add the organization key as credentialsSecretRef"
                    .into(),
            );
        }
        None
    }

    /// Rules A2, A3 and A5 of section 7, and the cancelled subscription of 7.3.
    fn plan_or_subscription(&self, owner: &OwnerView) -> Option<String> {
        if !owner.enabled {
            return Some("the organization is switched off: ask Bitwarden, or renew its subscription".into());
        }
        let details = owner.details.as_deref()?;
        let plan = details.organization.plan.as_ref();
        let pool = plan.and_then(|plan| match self.product {
            Product::PasswordManager => plan.password_manager.as_ref(),
            Product::SecretsManager | Product::MachineAccounts => plan.secrets_manager.as_ref(),
        });
        if pool.is_some_and(|pool| pool.has_additional_seats_option == Some(false)) {
            return Some(
                "this plan has a fixed number of seats (Free, Families and Teams Starter have): change the plan first"
                    .into(),
            );
        }
        if details.subscription.is_none() {
            return Some("the organization has no subscription, so seats cannot be bought: choose a plan first".into());
        }
        let state = license(owner)?.state;
        matches!(state, LicenseState::Cancelled | LicenseState::Unpaid | LicenseState::Expired)
            .then(|| "the subscription is cancelled or unpaid: reinstate it in the admin console first".into())
    }

    fn drags_password_manager(&self) -> bool {
        self.owner.as_ref().is_some_and(|owner| owner.drags_password_manager(self.product))
    }

    fn cannot_clear_limit(&self) -> Option<String> {
        if self.drags_password_manager() {
            return Some(
                "the subscription has the Secrets Manager discount, under which the personal key that removes a limit would \
                 also change Password Manager's seats and remove their limit: use mode Pinned or UpTo, or remove the limit in \
                 the admin console"
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
        let because = "larger totals wrap around in its database".to_owned();
        let mut at_most = vec![Bound { seats: MAX_SEATS, because, pool: None }];
        let mut at_least = Vec::new();
        let seats = |product| self.row.and_then(|row: Row| row.pool(product).seats);
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
            at_least.push(Bound { seats, because: "the plan includes so many".into(), pool: None });
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
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_pool_is_ever_brought_above_what_the_servers_numbers_can_hold() {
        for product in [Product::PasswordManager, Product::SecretsManager, Product::MachineAccounts] {
            let account = Account { vendor: "bitwarden".into(), host: None, id: None };
            let seen = Seen {
                account,
                product,
                organization_key: true,
                self_hosted: false,
                row: None,
                members: None,
                owner: None,
                concern: None,
            };
            let bounds = seen.snapshot().rules.at_most;
            let most = bounds.iter().map(|bound| bound.seats).min();
            assert_eq!(most, Some(32_767), "{product:?}: {bounds:?}");
        }
    }
}
