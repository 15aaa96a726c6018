//! A member of an organization: status, role, and whether a seat is taken (docs/vendors/bitwarden.md, "Members" and
//! "Who occupies a seat"). The organization's state holds them; the member lists, the rules and the keys of users read
//! them.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Status of a member ("Members").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MemberStatus {
    /// -1.
    Revoked,
    /// 0.
    Invited,
    /// 1.
    Accepted,
    /// 2.
    Confirmed,
    /// 3.
    Staged,
}

impl MemberStatus {
    /// The vendor's number.
    pub fn number(self) -> i8 {
        match self {
            Self::Revoked => -1,
            Self::Invited => 0,
            Self::Accepted => 1,
            Self::Confirmed => 2,
            Self::Staged => 3,
        }
    }

    /// Whether such a member takes a seat ("Who occupies a seat").
    pub fn occupies(self) -> bool {
        matches!(self, Self::Invited | Self::Accepted | Self::Confirmed)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) id: Uuid,
    pub(crate) user_id: Uuid,
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) status: MemberStatus,
    /// What a revoked member goes back to.
    pub(crate) before_revoke: MemberStatus,
    pub(crate) kind: u8,
    pub(crate) external_id: Option<String>,
    pub(crate) sm: bool,
}

impl Member {
    /// Pure invitations have neither user nor name.
    pub(crate) fn joined(&self) -> bool {
        !matches!(self.status, MemberStatus::Invited | MemberStatus::Staged)
    }

    pub(crate) fn revoke(&mut self) {
        self.before_revoke = self.status;
        self.status = MemberStatus::Revoked;
    }
}
