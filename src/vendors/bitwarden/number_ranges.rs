//! All numbers of an organization, as both APIs show them. Each pool is believed or not for itself: a number that cannot be
//! hides no other pool.

use std::ops::RangeInclusive;

use super::MAX_SEATS;
use crate::api::Product;
use crate::domain::Numbers;
use crate::vendors::error::VendorError;

/// One pool. `seats: None`: the plan does not count it, or the organization has no access to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct PoolNumbers {
    pub(super) seats: Option<i32>,
    pub(super) limit: Option<i32>,
}

/// Why the numbers of a pool are not believed.
pub(super) const OUT_OF_RANGE: VendorError = VendorError::Unreadable("a number is out of range");

/// The organization's row. `None`: a number of this pool is out of range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OrganizationRow {
    password_manager: Option<PoolNumbers>,
    secrets_manager: Option<PoolNumbers>,
    machine_accounts: Option<PoolNumbers>,
}

impl OrganizationRow {
    /// Seats and limit of Password Manager, Secrets Manager and machine accounts. A plan that counts seats has one at
    /// least (A7), and its total is kept in 16 bits (A12): docs/vendors/bitwarden.md, "Rules of Password Manager". A
    /// limit has no upper end; it was at least as large as the seats when it was set, and may be smaller since
    /// (docs/vendors/bitwarden.md, "The seat POST").
    pub(super) fn of(pools: [(Option<i64>, Option<i64>); 3]) -> Self {
        let [password_manager, secrets_manager, machine_accounts] = pools;
        Self {
            password_manager: pool(password_manager, 1),
            secrets_manager: pool(secrets_manager, 0),
            machine_accounts: pool(machine_accounts, 0),
        }
    }

    /// One pool.
    ///
    /// # Errors
    /// A number of it is out of range.
    pub(super) fn pool(&self, product: Product) -> Result<PoolNumbers, VendorError> {
        let pool = match product {
            Product::PasswordManager => self.password_manager,
            Product::SecretsManager => self.secrets_manager,
            Product::MachineAccounts => self.machine_accounts,
        };
        pool.ok_or(OUT_OF_RANGE)
    }

    /// The numbers of one pool, where they are counted.
    ///
    /// # Errors
    /// One of them is out of range.
    pub(super) fn numbers(&self, product: Product) -> Result<Option<Numbers>, VendorError> {
        let PoolNumbers { seats, limit } = self.pool(product)?;
        Ok(seats.map(|seats| Numbers { seats, limit }))
    }

    /// Self-hosted servers have no limits that mean anything (docs/vendors/bitwarden.md, "Self-hosted servers").
    pub(super) fn without_limits(mut self) -> Self {
        for pool in [&mut self.password_manager, &mut self.secrets_manager, &mut self.machine_accounts] {
            *pool = pool.map(|pool| PoolNumbers { limit: None, ..pool });
        }
        self
    }
}

/// `least`: what the vendor sells at least; 0 Secrets Manager seats or machine accounts are seen, and mean none.
fn pool((seats, limit): (Option<i64>, Option<i64>), least: i32) -> Option<PoolNumbers> {
    Some(PoolNumbers { seats: within(seats, least..=MAX_SEATS)?, limit: within(limit, least..=i32::MAX)? })
}

/// `None`: out of range.
fn within(n: Option<i64>, range: RangeInclusive<i32>) -> Option<Option<i32>> {
    n.map_or(Some(None), |n| i32::try_from(n).ok().filter(|n| range.contains(n)).map(Some))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRODUCTS: [Product; 3] = [Product::PasswordManager, Product::SecretsManager, Product::MachineAccounts];

    #[test]
    fn number_out_of_range_blinds_its_own_pool_and_no_other() {
        let good = (Some(100), Some(120));
        for (place, product) in PRODUCTS.into_iter().enumerate() {
            for bad in [-1, 32_768, 2_147_483_647, i64::MAX, i64::MIN] {
                let mut pools = [good; 3];
                pools[place] = (Some(bad), Some(bad));
                let row = OrganizationRow::of(pools);
                for other in PRODUCTS {
                    let numbers = row.numbers(other);
                    assert_eq!(numbers.is_err(), other == product, "{bad} of {product:?}: {other:?} is {numbers:?}");
                }
            }
        }
    }

    #[test]
    fn zero_seats_are_unreadable_for_password_manager_and_none_for_others() {
        let row = OrganizationRow::of([(Some(0), Some(0)); 3]);
        let none = Ok(Some(Numbers { seats: 0, limit: Some(0) }));
        assert_eq!(PRODUCTS.map(|product| row.numbers(product)), [Err(OUT_OF_RANGE), none.clone(), none]);
        let limit = OrganizationRow::of([(Some(100), Some(0)); 3]);
        assert!(limit.numbers(Product::PasswordManager).is_err());
    }

    #[test]
    fn row_of_a_self_hosted_server_keeps_its_seats_and_has_no_limits() {
        let row = OrganizationRow::of([(Some(100), Some(120)), (Some(20), Some(30)), (Some(50), Some(60))]);
        let seats = PRODUCTS.map(|product| row.without_limits().numbers(product));
        assert_eq!(seats, [100, 20, 50].map(|seats| Ok(Some(Numbers { seats, limit: None }))));
    }

    #[test]
    fn limit_below_the_seats_or_without_an_upper_end_is_believed() {
        for limit in [1, 99, 2_147_483_647] {
            let row = OrganizationRow::of([(Some(100), Some(limit)); 3]);
            assert_eq!(row.pool(Product::PasswordManager).unwrap().limit.map(i64::from), Some(limit));
        }
        assert_eq!(
            OrganizationRow::of([(None, None); 3]).numbers(Product::PasswordManager),
            Ok(None),
            "the plan counts no seats"
        );
    }
}
