//! The answers to choose from where docs/vendors/immuta.md says that it is open: one enum per question, the default
//! first. [`super::switches`] holds the choices made.

use serde::{Deserialize, Serialize};

/// What an API key's owner may do ("Permissions").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Permission {
    /// `APPLICATION_ADMIN`.
    ApplicationAdmin,
    /// `USER_ADMIN`.
    UserAdmin,
}

/// Which permission a call needs ("Permissions").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Needs {
    /// `APPLICATION_ADMIN`: documented for POST.
    #[default]
    ApplicationAdmin,
    /// `USER_ADMIN`: releases 2.8 and 2020.3.
    UserAdmin,
    /// Both.
    Both,
    /// Any valid credential.
    Nothing,
}

impl Needs {
    pub(crate) fn met_by(self, has: &[Permission]) -> bool {
        let (application, user) = (has.contains(&Permission::ApplicationAdmin), has.contains(&Permission::UserAdmin));
        match self {
            Self::ApplicationAdmin => application,
            Self::UserAdmin => user,
            Self::Both => application && user,
            Self::Nothing => true,
        }
    }
}

/// How `POST /bim/apikey/authenticate` takes the key ("Authentication").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Exchange {
    /// In the body, or without a body in the `Authorization` header.
    #[default]
    Any,
    /// Only in the body: the older page and all public clients.
    BodyOnly,
    /// Only in the header: the current SaaS page.
    HeaderOnly,
    /// 404.
    Unsupported,
    /// 200 with the HTML of a login page.
    LoginPage,
    /// 302 to `/login`.
    RedirectToLogin,
}

/// Spelling of the field that carries the key in `POST /admin/license` ("The name of the key's field").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PostField {
    /// `licenseKey`, as the parameter table.
    #[default]
    LicenseKey,
    /// `licensekey`, as the payload example.
    Licensekey,
    /// Either, but not both at once.
    Either,
}

impl PostField {
    /// The accepted names, the one that messages use first.
    pub(crate) fn names(self) -> &'static [&'static str] {
        match self {
            Self::LicenseKey => &["licenseKey"],
            Self::Licensekey => &["licensekey"],
            Self::Either => &["licenseKey", "licensekey"],
        }
    }
}

/// Where a 400 or 422 about the body names the field ("The name of the key's field").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FieldNamed {
    /// In `message` and in `validation`.
    #[default]
    Both,
    /// In `message`; there is no `validation`.
    Message,
    /// In `validation`; the message says no more than `Invalid request payload input`.
    Validation,
}

/// What adding a key does that a live row already has ("Adding a key").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Duplicate {
    /// 422 with `validation[0].code == "unique"`, as V1 global policies.
    #[default]
    Unique,
    /// 409, as the integrations API.
    Conflict,
    /// 400 with a telling message.
    BadRequest,
    /// Success with the row that is there.
    SameRow,
    /// Success with one more row.
    SecondRow,
}

/// What adding a key does of which only soft-deleted rows are left ("Adding a key").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ReAdd {
    /// One more row.
    #[default]
    NewRow,
    /// The newest of them lives again, with its id and uuid.
    Revives,
    /// Refused as [`Duplicate`] says (409 where that would be a success).
    Refused,
}

/// What a DELETE of a soft-deleted row does ("Deleting a row").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SecondDelete {
    /// 404.
    #[default]
    NotFound,
    /// Removes the row for good, `hardDelete: true`, as V1 data sources.
    Purges,
    /// Success, nothing changes.
    Again,
}

/// Where a `uuid` comes from ("Telling a row from a key").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UuidFrom {
    /// It is inside the key: the same whenever the key is added.
    #[default]
    Key,
    /// Made when the row is.
    Insert,
}

/// Which moment `createdAt` tells: the table and the old UI page disagree ("The license record").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CreatedAt {
    /// When the row was made.
    #[default]
    Added,
    /// When the key was issued.
    Generated,
}

/// How dates are written ("The license record").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Dates {
    /// `2031-06-30T00:00:00.000Z`, as the examples.
    #[default]
    Milliseconds,
    /// `2031-06-30T00:00:00Z`.
    Seconds,
    /// `2031-06-30T00:00:00.000`.
    NoZone,
    /// `2031-06-30T00:00:00.000+00:00`.
    Offset,
}

/// Whether expired keys still count as seats ("Several keys").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ExpiredSeats {
    /// Unless their `hardExpiration` is true: what the name of that field suggests.
    #[default]
    CountUnlessHard,
    /// They do.
    Count,
    /// They do not.
    Gone,
}

/// When an account may be added, and what `canAddUser` says ("The license status").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CanAddUser {
    /// While fewer are active than there are seats, soft seats included.
    #[default]
    WithinSoftSeats,
    /// While fewer are active than there are seats, without soft seats.
    WithinSeats,
    /// Always, even over the limit.
    Always,
    /// Never.
    Never,
}
