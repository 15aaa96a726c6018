//! People with an API key of their own (`user.<guid>`; docs/vendors/bitwarden.md, "The personal key"): the account, its
//! devices, and what tests see of it. Their memberships are entries in the organizations' member lists; a token freezes
//! them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::member::MemberStatus;

/// What somebody is in an organization ("The personal key", "Members" and "Organizations under a provider").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// 0: the only members with rights on billing.
    Owner,
    /// 1.
    Admin,
    /// 2.
    User,
    /// 4, without any permission.
    Custom,
    /// Not a member: works for the provider that manages the organization.
    ProviderUser,
}

impl Role {
    /// The vendor's number; None for people who are no members.
    pub(crate) fn number(self) -> Option<u8> {
        match self {
            Self::Owner => Some(0),
            Self::Admin => Some(1),
            Self::User => Some(2),
            Self::Custom => Some(4),
            Self::ProviderUser => None,
        }
    }

    pub(crate) fn of_number(number: u8) -> Self {
        match number {
            0 => Self::Owner,
            1 => Self::Admin,
            4 => Self::Custom,
            _ => Self::User,
        }
    }
}

/// A personal API key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserKey {
    /// GUID of the user.
    pub user_id: String,
    /// E-mail address.
    pub email: String,
    /// `user.<guid>`.
    pub client_id: String,
    /// 30 characters.
    pub client_secret: String,
}

/// What the token endpoint asks of an account ("The personal key" and "Refusals of the token endpoint").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Account {
    /// Legacy encryption without a user key: no login.
    pub legacy_encryption: bool,
    /// V2 encryption: clients before 2025.11.0 get no login.
    pub v2_encryption: bool,
    /// An account younger than ten minutes gets no mail about its devices.
    pub created: Timestamp,
}

/// A device row; the first login with its identifier makes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// `deviceIdentifier`.
    pub identifier: String,
    /// `deviceName`.
    pub name: String,
    /// `deviceType` as a number.
    pub kind: u8,
}

/// One membership or provider job of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Membership {
    /// GUID of the organization.
    pub organization: String,
    /// Role.
    pub role: Role,
    /// Status of the member; None for a provider's user.
    pub status: Option<MemberStatus>,
}

/// Everything about a user, now.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserView {
    /// GUID.
    pub user_id: String,
    /// E-mail address.
    pub email: String,
    /// `user.<guid>`.
    pub client_id: String,
    /// The account.
    pub account: Account,
    /// Its devices, oldest first.
    pub devices: Vec<Device>,
    /// Mails about a new device sent to the user.
    pub device_mails: usize,
    /// Successful logins.
    pub logins: usize,
    /// In which organizations, and as what.
    pub memberships: Vec<Membership>,
}

#[derive(Debug)]
pub(crate) struct User {
    pub(crate) id: Uuid,
    pub(crate) email: String,
    pub(crate) secret: String,
    /// Stands for the encrypted keys in token answers: secret material a client must not show.
    pub(crate) vault_key: String,
    pub(crate) account: Account,
    pub(crate) devices: Vec<Device>,
    pub(crate) mails: usize,
    pub(crate) logins: usize,
}

impl User {
    pub(crate) fn key(&self) -> UserKey {
        UserKey {
            user_id: self.id.to_string(),
            email: self.email.clone(),
            client_id: format!("user.{}", self.id),
            client_secret: self.secret.clone(),
        }
    }

    /// An unknown identifier makes a device and, unless the account is younger than ten minutes, a mail
    /// ("The personal key").
    pub(crate) fn seen_on(&mut self, device: Device, now: Timestamp) {
        if self.devices.iter().any(|known| known.identifier == device.identifier) {
            return;
        }
        self.devices.push(device);
        if now.as_second() - self.account.created.as_second() >= 600 {
            self.mails += 1;
        }
    }
}
