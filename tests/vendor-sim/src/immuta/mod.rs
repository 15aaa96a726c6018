//! The Immuta tenant behind the same port: addresses under `/admin/` and `/bim/`. Built from what
//! docs/vendors/immuta.md says, whose headings are quoted in this folder. Faults, clock and request log are those of
//! the simulator.
//!
//! [`route`] says who may call what, [`license`] adds, lists and deletes, [`seats`] counts, [`state`] is what changes,
//! [`switches`] is everything that the page leaves open, and [`ledger`] remembers every addition and deletion.

pub mod choices;
pub mod control;
pub mod handle;
pub mod key;
pub mod ledger;
pub mod observe;
pub mod problem;
pub mod route;
pub mod row;
pub mod switches;
pub mod tenant;

pub(crate) mod auth;
pub(crate) mod effects;
pub(crate) mod faults;
pub(crate) mod license;
pub(crate) mod seats;
pub(crate) mod state;

use std::sync::MutexGuard;

pub use choices::{
    CanAddUser, CreatedAt, Dates, Duplicate, Exchange, ExpiredSeats, FieldNamed, Needs, Permission, PostField, ReAdd,
    SecondDelete, UuidFrom,
};
pub use handle::TenantView;
pub use key::LicenseKey;
pub use ledger::{Action, Actor, LedgerEntry};
pub use problem::Problem;
pub use route::Endpoint;
pub use row::RowView;
pub use switches::Switches;
pub use tenant::{Tenant, TenantKey};

use crate::bitwarden::Bitwarden;

/// The simulated tenant. Clones are handles to the same one.
#[derive(Clone, Debug)]
pub struct Immuta {
    /// Has the state of both vendors.
    front: Bitwarden,
}

impl Immuta {
    pub(crate) fn new(front: Bitwarden) -> Self {
        Self { front }
    }

    fn state(&self) -> MutexGuard<'_, state::State> {
        self.front.immuta()
    }
}
