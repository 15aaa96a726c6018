//! All numbers of an organization, as both APIs show them.

use crate::api::Product;
use crate::plan::Numbers;
use crate::vendors::error::VendorError;

/// One pool. `seats: None`: the plan does not count it, or the organization has no access to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pool {
    pub(super) seats: Option<i32>,
    pub(super) limit: Option<i32>,
}

/// The organization's row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    password_manager: Pool,
    secrets_manager: Pool,
    machine_accounts: Pool,
}

impl Row {
    /// Seats and limit of Password Manager, Secrets Manager and machine accounts, if all of them can be such numbers.
    pub(super) fn checked(pools: [(Option<i64>, Option<i64>); 3]) -> Result<Self, VendorError> {
        let pool = |(seats, limit)| Ok::<_, VendorError>(Pool { seats: number(seats)?, limit: number(limit)? });
        let [password_manager, secrets_manager, machine_accounts] = pools;
        Ok(Self {
            password_manager: pool(password_manager)?,
            secrets_manager: pool(secrets_manager)?,
            machine_accounts: pool(machine_accounts)?,
        })
    }

    pub(super) fn pool(&self, product: Product) -> Pool {
        match product {
            Product::PasswordManager => self.password_manager,
            Product::SecretsManager => self.secrets_manager,
            Product::MachineAccounts => self.machine_accounts,
        }
    }

    pub(super) fn numbers(&self, product: Product) -> Option<Numbers> {
        let Pool { seats, limit } = self.pool(product);
        seats.map(|seats| Numbers { seats, limit })
    }

    /// Self-hosted servers have no limits that mean anything (section 11).
    pub(super) fn without_limits(mut self) -> Self {
        for pool in [&mut self.password_manager, &mut self.secrets_manager, &mut self.machine_accounts] {
            pool.limit = None;
        }
        self
    }
}

fn number(n: Option<i64>) -> Result<Option<i32>, VendorError> {
    let checked = |n: i64| i32::try_from(n).ok().filter(|n| *n >= 0);
    n.map(|n| checked(n).ok_or(VendorError::Unreadable("a number is out of range"))).transpose()
}
