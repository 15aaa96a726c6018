//! The tenant as tests and people describe it, and its users: data consumers, some without activity, and policy owners.

use serde::{Deserialize, Serialize};

use super::choices::Permission;

/// A new tenant. Missing JSON fields mean the default: no users, and a first API key of an application admin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Tenant {
    /// Name.
    pub name: String,
    /// Data consumers with activity in the last year.
    pub users: u32,
    /// Data consumers without.
    pub inactive_users: u32,
    /// Policy owners; they count as active users.
    pub policy_owners: u32,
    /// Rights of the first API key's owner.
    pub permissions: Vec<Permission>,
    /// The first API key; random if None.
    pub api_key: Option<String>,
}

impl Default for Tenant {
    fn default() -> Self {
        Self {
            name: "Example Corp".into(),
            users: 0,
            inactive_users: 0,
            policy_owners: 0,
            permissions: vec![Permission::ApplicationAdmin],
            api_key: None,
        }
    }
}

impl Tenant {
    /// A tenant without users.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Active data consumers.
    #[must_use]
    pub fn users(mut self, n: u32) -> Self {
        self.users = n;
        self
    }

    /// Data consumers without activity in the last year.
    #[must_use]
    pub fn inactive_users(mut self, n: u32) -> Self {
        self.inactive_users = n;
        self
    }

    /// Policy owners.
    #[must_use]
    pub fn policy_owners(mut self, n: u32) -> Self {
        self.policy_owners = n;
        self
    }

    /// Rights of the first API key's owner.
    #[must_use]
    pub fn permissions(mut self, permissions: &[Permission]) -> Self {
        self.permissions = permissions.to_vec();
        self
    }

    /// The first API key.
    #[must_use]
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(key.into());
        self
    }
}

/// How to get in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantKey {
    /// Name of the tenant.
    pub tenant: String,
    /// An API key.
    pub api_key: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UserType {
    DataConsumer,
    PolicyOwner,
}

#[derive(Clone, Debug)]
pub(crate) struct User {
    /// Unique for ever; makes the name and the addresses.
    pub(crate) number: u64,
    pub(crate) kind: UserType,
    /// Activity in the last year.
    pub(crate) active: bool,
}
