//! The license list of an account, and the wanted keys.

use jiff::Timestamp;

use crate::api::{KeyRow, SecretKeyRef};
use crate::domain::Fault;
use crate::domain::protocol::digest;

/// One row of the account's list of licenses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The account's number of the row; a rebuilt account assigns it again.
    pub id: i64,
    /// The license's identifier, opaque.
    pub uuid: String,
    /// User seats.
    pub seats: Option<i32>,
    /// When it expires; `None`: never, or not shown.
    pub expires: Option<Timestamp>,
    /// Whether its end blocks; only the answer to an addition shows it.
    pub hard: Option<bool>,
    /// The vendor shows that it does not honor the license.
    pub invalidated: bool,
    /// Name of a field that cannot be read, so that its value is not known.
    pub odd: Option<&'static str>,
    /// Names of its features beside seats, in order; `None`: shown in an unknown form.
    pub features: Option<Vec<String>>,
}

impl Row {
    /// A row is the same only if both number and identifier are.
    pub(super) fn is(&self, id: Option<i64>, uuid: Option<&str>) -> bool {
        Some(self.id) == id && Some(self.uuid.as_str()) == uuid
    }
}

/// A license key that the spec lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedKey {
    /// The Secret and the key within it.
    pub reference: SecretKeyRef,
    /// The row that the spec names for it.
    pub adopt: Option<KeyRow>,
    /// Its fingerprint, or why it cannot be read.
    pub fingerprint: Result<String, Fault>,
}

/// One reading of an account whose seats come from license keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyRing {
    /// Licensed seats, as the vendor counts them.
    pub seats: i32,
    /// The list of licenses.
    pub rows: Vec<Row>,
    /// The keys that the spec lists, in its order.
    pub wanted: Vec<WantedKey>,
    /// Whether the account would accept one more user.
    pub can_add_user: Option<bool>,
    /// Seats without soft ones, as the account counts them.
    pub hard_seats: Option<i32>,
    /// Users as the usage report counts them.
    pub reported_users: Option<i32>,
}

impl KeyRing {
    pub(super) fn row(&self, id: Option<i64>, uuid: Option<&str>) -> Option<&Row> {
        self.rows.iter().find(|row| row.is(id, uuid))
    }

    /// The message about the first row with a field that cannot be read.
    pub(in crate::domain) fn odd(&self, account: &str) -> Option<String> {
        let (row, field) = self.rows.iter().find_map(|row| row.odd.map(|field| (row, field)))?;
        let Row { id, uuid, .. } = row;
        Some(format!(
            "the {account} lists row {id} ({uuid}) with an unreadable value of {field}, which counts as unknown, so no license key is \
             removed: correct the row, or replace its license key"
        ))
    }

    /// Two readings agree if this is the same.
    pub(in crate::domain) fn sight(&self) -> String {
        let word = |row: &Row| {
            let Row { id, uuid, seats, expires, hard: _, invalidated, odd, features } = row;
            format!("{id} {uuid} {seats:?} {expires:?} {invalidated} {odd:?} {features:?}")
        };
        let mut words: Vec<String> = self.rows.iter().map(word).collect();
        words.sort_unstable();
        words.push(self.seats.to_string());
        digest(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }
}
