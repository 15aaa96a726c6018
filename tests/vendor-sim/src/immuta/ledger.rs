//! The append-only ledger: every addition and deletion of a license key that was asked for, with who asked and whether
//! it took effect. Keys are named by their number, never by their text.

use jiff::Timestamp;
use serde::Serialize;

/// Who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Actor {
    /// An HTTPS request whose client is still waiting.
    Request,
    /// An HTTPS request whose client is gone, or which was applied late.
    LateFinisher,
    /// Somebody in the admin UI.
    Person,
    /// Vendor staff: a rebuild of the tenant.
    Vendor,
}

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// A key was to be added; in effect: a row was made.
    Add,
    /// A key was to be added; in effect: a soft-deleted row lives again.
    Revive,
    /// A row was to be deleted; in effect: it is soft-deleted.
    Delete,
    /// A row was to be deleted; in effect: it is gone.
    Purge,
    /// A key is no longer honored.
    Invalidate,
    /// The tenant was rebuilt: the row is gone.
    Lose,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LedgerEntry {
    /// 1, 2, 3 ...
    pub sequence: u64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub who: Actor,
    /// What.
    pub action: Action,
    /// Number of the HTTPS request, if one caused it.
    pub request: Option<u64>,
    /// Number of the key; None: a text that was never issued, or an unknown row.
    pub key: Option<u64>,
    /// Row made, changed, or met instead.
    pub id: Option<i64>,
    /// Its uuid.
    pub uuid: Option<String>,
    /// Seats of the key.
    pub seats: Option<i64>,
    /// Whether anything changed.
    pub effect: bool,
}

impl LedgerEntry {
    /// Whether a row came alive by this.
    pub fn made_a_row(&self) -> bool {
        self.effect && matches!(self.action, Action::Add | Action::Revive)
    }
}
