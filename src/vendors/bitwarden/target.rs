//! The Bitwarden part of a spec, checked.

use std::fmt;

use crate::api::{Bitwarden, Product, Region, SecretRef};
use crate::domain::{Goal, Pool, SpecFault, VendorWords};
use crate::vendors::target::secret;

use super::{MAX_SEATS, NAME, VENDOR};

/// What Bitwarden's things are called.
const WORDS: VendorWords = VendorWords { key: VENDOR, name: NAME, account: "organization", keys_field: "", full: "" };

/// A Secret that the spec names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::vendors) struct NamedSecret {
    pub(in crate::vendors) name: String,
    /// The field that names it.
    pub(in crate::vendors) field: &'static str,
}

impl fmt::Display for NamedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret {} ({})", self.name, self.field)
    }
}

/// Which pool of which organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub(in crate::vendors) product: Product,
    /// Which cloud, unless the Secret names a server.
    pub(in crate::vendors) region: Option<Region>,
    /// The organization's id, where the spec names it.
    pub(in crate::vendors) organization: Option<String>,
    /// One or two, in the order of [`Pool::secrets`].
    pub(in crate::vendors) secrets: Vec<NamedSecret>,
}

pub(in crate::vendors) fn target(bitwarden: &Bitwarden) -> Result<(Pool, Target), SpecFault> {
    let named = |field, reference: &Option<SecretRef>| {
        let name = reference.as_ref().map(|reference| secret(&format!("spec.vendor.bitwarden.{field}"), reference));
        name.transpose().map(|name| name.map(|name| NamedSecret { name, field }))
    };
    let organization_key = named("credentialsSecretRef", &bitwarden.credentials_secret_ref)?;
    let owner_key = named("ownerCredentialsSecretRef", &bitwarden.owner_credentials_secret_ref)?;
    if organization_key.is_none() && owner_key.is_none() {
        return Err(SpecFault(
            "spec.vendor.bitwarden needs a key: credentialsSecretRef, ownerCredentialsSecretRef, or both".into(),
        ));
    }
    let product = bitwarden.product.unwrap_or_default();
    let named: Vec<_> = organization_key.into_iter().chain(owner_key).collect();
    let secrets = named.iter().map(|secret| secret.name.clone()).collect();
    let target = Target {
        product,
        region: bitwarden.region,
        organization: bitwarden.organization_id.as_deref().map(organization).transpose()?,
        secrets: named,
    };
    let (name, frees, every_use) = (product.name(), product.frees(), product.every_use());
    let (vendor, goal) = (&WORDS, Goal::Quantity);
    Ok((Pool { vendor, name, secrets, most_seats: MAX_SEATS, frees, every_use, goal }, target))
}

impl Product {
    /// The name in the spec.
    pub fn name(self) -> &'static str {
        match self {
            Self::PasswordManager => "PasswordManager",
            Self::SecretsManager => "SecretsManager",
            Self::MachineAccounts => "MachineAccounts",
        }
    }

    /// How seats of it are freed, and which users (docs/vendors/bitwarden.md, "Who occupies a seat").
    fn frees(self) -> (&'static str, &'static str) {
        match self {
            Self::PasswordManager => ("remove or revoke", "members"),
            Self::SecretsManager => ("take access to Secrets Manager away from", "members"),
            Self::MachineAccounts => ("delete", "machine accounts"),
        }
    }

    /// Which key shows all of its use. No key shows how many machine accounts there are.
    fn every_use(self) -> Option<&'static str> {
        match self {
            Self::PasswordManager | Self::SecretsManager => Some("an owner's key (ownerCredentialsSecretRef)"),
            Self::MachineAccounts => None,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn admission_and_the_check_of_a_stored_spec_have_the_same_bound() {
        let crd = serde_json::to_value(crate::api::crd()).unwrap();
        let rules = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
        let rules = rules["x-kubernetes-validations"].as_array().unwrap();
        let texts = |member: &'static str| rules.iter().filter_map(move |rule| rule[member].as_str());
        for field in ["seats", "limit.seats"] {
            let rule = format!("self.{field} <= {MAX_SEATS}");
            assert!(texts("rule").any(|text| text.contains(&rule) && text.contains("vendor.bitwarden")), "{rule}");
            let message = format!("spec.{field} is above {MAX_SEATS}");
            assert!(texts("message").any(|text| text.starts_with(&message)), "{message}");
        }
    }
}
