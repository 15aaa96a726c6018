//! Which countable pool of which account, and the Secrets that open it, checked: names and ids become parts of paths.

use super::SpecFault;
use crate::api::{Bitwarden, Immuta, LicenseKeyEntry, PLACE_KEYS, Product, Region, SecretKeyRef, SecretRef, Vendor};

/// Which countable pool of which kind of vendor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pool {
    /// Seats of a Bitwarden organization.
    Bitwarden {
        /// Which of its pools.
        product: Product,
        /// Which cloud, unless the Secret names a server.
        region: Option<Region>,
        /// The organization's id, where the spec names it.
        organization: Option<String>,
        /// Name of the Secret with the organization key.
        secret: Option<String>,
        /// Name of the Secret with an owner's key.
        owner_secret: Option<String>,
    },
    /// Licence keys of an Immuta tenant.
    Immuta {
        /// Name of the Secret with the API key.
        secret: String,
        /// The keys the tenant should have.
        keys: Vec<LicenseKeyEntry>,
        /// Keys of this object that are no longer listed are removed.
        prune: bool,
    },
}

impl Pool {
    /// The kind of vendor as written in `spec.vendor` and in metric labels.
    pub fn vendor(&self) -> &'static str {
        match self {
            Self::Bitwarden { .. } => "bitwarden",
            Self::Immuta { .. } => "immuta",
        }
    }

    /// The vendor's name as people write it.
    pub fn vendor_name(&self) -> &'static str {
        match self {
            Self::Bitwarden { .. } => "Bitwarden",
            Self::Immuta { .. } => "Immuta",
        }
    }

    /// The pool within its account.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Bitwarden { product, .. } => product.name(),
            Self::Immuta { .. } => "LicenseKeys",
        }
    }

    /// Names of the Secrets with the credentials, in the order in which a vendor expects them.
    pub fn secrets(&self) -> Vec<&str> {
        match self {
            Self::Bitwarden { secret, owner_secret, .. } => {
                secret.iter().chain(owner_secret).map(String::as_str).collect()
            }
            Self::Immuta { secret, .. } => vec![secret],
        }
    }

    /// Names of the Secrets with licence keys, each once. One of them that cannot be read does not keep the account from
    /// being looked at.
    pub fn key_secrets(&self) -> Vec<&str> {
        let Self::Immuta { keys, .. } = self else { return Vec::new() };
        let mut names: Vec<&str> = keys.iter().map(|entry| entry.secret_key_ref.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

impl Product {
    /// As written in the spec.
    pub fn name(self) -> &'static str {
        match self {
            Self::PasswordManager => "PasswordManager",
            Self::SecretsManager => "SecretsManager",
            Self::MachineAccounts => "MachineAccounts",
        }
    }
}

/// Checks which pool is meant.
pub(super) fn pool(vendor: &Vendor) -> Result<Pool, SpecFault> {
    match (&vendor.bitwarden, &vendor.immuta) {
        (Some(bitwarden), None) => bitwarden_pool(bitwarden),
        (None, Some(immuta)) => immuta_pool(immuta),
        _ => Err(SpecFault("spec.vendor must name exactly one vendor: bitwarden or immuta".into())),
    }
}

fn immuta_pool(immuta: &Immuta) -> Result<Pool, SpecFault> {
    let field = "spec.vendor.immuta.credentialsSecretRef";
    let keys = immuta.license_keys.clone().unwrap_or_default();
    for (i, entry) in keys.iter().enumerate() {
        let field = format!("spec.vendor.immuta.licenseKeys[{i}].secretKeyRef");
        license_key(&field, &entry.secret_key_ref)?;
        if keys[..i].iter().any(|earlier| earlier.secret_key_ref == entry.secret_key_ref) {
            return Err(SpecFault(format!("{field} names a key that is listed before: remove one of the two")));
        }
    }
    let prune = immuta.prune.unwrap_or_default();
    if prune && keys.is_empty() {
        return Err(SpecFault(
            "spec.vendor.immuta.prune is true and licenseKeys is empty: that would remove every key; list the keys that \
             should stay, or set prune to false"
                .into(),
        ));
    }
    Ok(Pool::Immuta { secret: secret(field, &immuta.credentials_secret_ref)?, keys, prune })
}

fn bitwarden_pool(bitwarden: &Bitwarden) -> Result<Pool, SpecFault> {
    let named = |field: &str, reference: &Option<SecretRef>| {
        reference.as_ref().map(|reference| secret(&format!("spec.vendor.bitwarden.{field}"), reference)).transpose()
    };
    let organization_key = named("credentialsSecretRef", &bitwarden.credentials_secret_ref)?;
    let owner_key = named("ownerCredentialsSecretRef", &bitwarden.owner_credentials_secret_ref)?;
    if organization_key.is_none() && owner_key.is_none() {
        return Err(SpecFault(
            "spec.vendor.bitwarden needs a key: credentialsSecretRef, ownerCredentialsSecretRef, or both".into(),
        ));
    }
    Ok(Pool::Bitwarden {
        product: bitwarden.product.unwrap_or_default(),
        region: bitwarden.region,
        organization: bitwarden.organization_id.as_deref().map(organization).transpose()?,
        secret: organization_key,
        owner_secret: owner_key,
    })
}

/// The id becomes part of a path at the vendor, and of the account's name: it must not lead anywhere else, and there is one
/// way to write it.
fn organization(id: &str) -> Result<String, SpecFault> {
    let canonical = uuid::Uuid::try_parse(id).is_ok_and(|uuid| uuid.hyphenated().to_string() == id);
    canonical.then(|| id.to_owned()).ok_or_else(|| {
        SpecFault(
            "spec.vendor.bitwarden.organizationId must be a GUID in lower case, such as \
             6f1c8a52-0d0e-4a5f-9c2b-3b7f5f0a1c11"
                .into(),
        )
    })
}

/// The key becomes part of a command that a message prints. `server` and `ca.crt` say where a license key may go.
fn license_key(field: &str, reference: &SecretKeyRef) -> Result<(), SpecFault> {
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
fn secret(field: &str, reference: &SecretRef) -> Result<String, SpecFault> {
    let name = &reference.name;
    let part_of_a_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b);
    if name.bytes().all(part_of_a_name) && name.bytes().any(|b| b.is_ascii_alphanumeric()) {
        return Ok(name.clone());
    }
    Err(SpecFault(format!(
        "{field}.name must be the name of a Secret: lower-case letters, digits, - and ., such as bitwarden-org"
    )))
}
