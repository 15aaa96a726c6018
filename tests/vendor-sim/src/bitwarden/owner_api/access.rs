//! Who may do what (docs/vendors/bitwarden.md, "Who may see and change billing"): owners by their token's claims, and
//! the provider's users where a provider manages. Who works for a provider is read anew with each request; roles are as
//! old as the token.

use uuid::Uuid;

use super::Call;
use crate::bitwarden::{organization::Provider, users::Role};

/// Who manages the organization, and whether the caller works for him. Nobody manages what is gone.
fn provider(call: Call<'_>, org: Uuid) -> Option<(Provider, bool)> {
    let user = call.claims.user;
    let found = call.context.sim.with_org(org, |o| o.provider.map(|p| (p, o.provider_users.contains(&user))));
    found.flatten()
}

/// Owners, unless an MSP or a Business Unit manages.
pub(crate) fn may_view(call: Call<'_>, org: Uuid) -> bool {
    match provider(call, org) {
        None => call.claims.owns(org),
        Some((Provider::Reseller, works)) => works || call.claims.owns(org),
        Some((Provider::Msp | Provider::BusinessUnit, works)) => works,
    }
}

/// Owners, unless anybody manages.
pub(crate) fn may_edit(call: Call<'_>, org: Uuid) -> bool {
    provider(call, org).map_or_else(|| call.claims.owns(org), |(_, works)| works)
}

/// Any confirmed member, and the provider's users.
pub(crate) fn belongs(call: Call<'_>, org: Uuid) -> bool {
    call.claims.roles.contains_key(&org) || provider(call, org).is_some_and(|(_, works)| works)
}

/// Owners and admins; custom roles have no permissions here.
pub(crate) fn manages_users(call: Call<'_>, org: Uuid) -> bool {
    matches!(call.claims.roles.get(&org), Some(Role::Owner | Role::Admin))
}

/// An owner whose reseller manages the organization sees no sensitive numbers ("The subscription GET of the owner API").
pub(crate) fn sees_less(call: Call<'_>, org: Uuid) -> bool {
    matches!(provider(call, org), Some((Provider::Reseller, false)))
}
