//! The vendor's part of a spec, checked: names and ids become parts of paths. Each vendor reads its own member.

use crate::api::{PLACE_KEYS, SecretKeyRef, SecretRef, Vendor};
use crate::domain::{Pool, SpecFault};

use super::{bitwarden, immuta};

/// What a vendor's client needs to know of the spec to open the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A pool of a Bitwarden organization.
    Bitwarden(bitwarden::Target),
    /// The license keys of an Immuta tenant.
    Immuta,
}

/// Reads which pool of which vendor the spec means.
///
/// # Errors
/// [`SpecFault`] names the field and the fix.
pub fn target(vendor: &Vendor) -> Result<(Pool, Target), SpecFault> {
    match (&vendor.bitwarden, &vendor.immuta) {
        (Some(bitwarden), None) => bitwarden::target(bitwarden).map(|(pool, target)| (pool, Target::Bitwarden(target))),
        (None, Some(immuta)) => immuta::pool(immuta).map(|pool| (pool, Target::Immuta)),
        _ => Err(SpecFault("spec.vendor must name exactly one vendor: bitwarden or immuta".into())),
    }
}

/// The key becomes part of a command that a message prints. `server` and `ca.crt` say where a license key may go.
pub(super) fn license_key(field: &str, reference: &SecretKeyRef) -> Result<(), SpecFault> {
    secret(field, &SecretRef { name: reference.name.clone() })?;
    let key = reference.key.as_str();
    let part_of_a_key = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    if !(1..=253).contains(&key.len()) || !key.bytes().all(part_of_a_key) {
        return Err(SpecFault(format!(
            "{field}.key must be a key of a Secret's data: letters, digits, -, _ and ., such as licenseKey"
        )));
    }
    if PLACE_KEYS.contains(&key) {
        return Err(SpecFault(format!(
            "{field}.key must not be {key}: it says where the license key may go. Name the key of the Secret that holds \
             the license key, such as licenseKey"
        )));
    }
    Ok(())
}

/// The name becomes part of a path at the apiserver, unescaped: it must not lead anywhere else.
pub(super) fn secret(field: &str, reference: &SecretRef) -> Result<String, SpecFault> {
    let name = &reference.name;
    let part_of_a_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b);
    if name.bytes().all(part_of_a_name) && name.bytes().any(|b| b.is_ascii_alphanumeric()) {
        return Ok(name.clone());
    }
    Err(SpecFault(format!(
        "{field}.name must be the name of a Secret: lower-case letters, digits, - and ., such as bitwarden-org"
    )))
}

#[cfg(test)]
mod tests;
