//! Faults aimed at one Immuta endpoint each. Kinds and registry are those of [`crate::faults`].

use crate::faults::{Fault, FaultKind};

impl Fault {
    /// Hits one `POST /admin/license`: the request that spends a key.
    pub fn on_license_add(kind: FaultKind) -> Self {
        Self::once(kind).method("POST").whole_path("/admin/license")
    }

    /// Hits one `GET /admin/license`.
    pub fn on_license_list(kind: FaultKind) -> Self {
        Self::once(kind).method("GET").whole_path("/admin/license")
    }

    /// Hits one `GET /admin/license/licenseStatus`.
    pub fn on_license_status(kind: FaultKind) -> Self {
        Self::once(kind).method("GET").whole_path("/admin/license/licenseStatus")
    }

    /// Hits one `GET /admin/license/usage`.
    pub fn on_license_usage(kind: FaultKind) -> Self {
        Self::once(kind).method("GET").whole_path("/admin/license/usage")
    }

    /// Hits one `DELETE /admin/license/{licenseId}`.
    pub fn on_license_delete(kind: FaultKind) -> Self {
        Self::once(kind).method("DELETE").path("/admin/license/")
    }

    /// Hits one `POST /bim/apikey/authenticate`.
    pub fn on_exchange(kind: FaultKind) -> Self {
        Self::once(kind).method("POST").whole_path("/bim/apikey/authenticate")
    }
}
