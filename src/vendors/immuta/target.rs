//! The Immuta part of a spec, checked.

use crate::api::Immuta;
use crate::domain::{Goal, Pool, SpecFault, VendorWords};
use crate::vendors::target::{license_key, secret};

use super::{NAME, VENDOR};

/// What Immuta's things are called.
const WORDS: VendorWords = VendorWords {
    key: VENDOR,
    name: NAME,
    account: "tenant",
    keys_field: "spec.vendor.immuta.licenseKeys",
    full: "takes no more users (canAddUser)",
};

pub(in crate::vendors) fn pool(immuta: &Immuta) -> Result<Pool, SpecFault> {
    let field = "spec.vendor.immuta.credentialsSecretRef";
    let keys = immuta.license_keys.clone().unwrap_or_default();
    for (i, entry) in keys.iter().enumerate() {
        let field = format!("spec.vendor.immuta.licenseKeys[{i}].secretKeyRef");
        license_key(&field, &entry.secret_key_ref)?;
        if keys[..i].iter().any(|earlier| earlier.secret_key_ref == entry.secret_key_ref) {
            return Err(SpecFault(format!("{field} names a key that an earlier entry names: remove one of the two")));
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
    let secrets = vec![secret(field, &immuta.credentials_secret_ref)?];
    // The keys decide, and no bound of them is known.
    let (frees, goal) = (("deactivate", "users"), Goal::Keys { keys, prune });
    Ok(Pool { vendor: &WORDS, name: "LicenseKeys", secrets, most_seats: i32::MAX, frees, every_use: None, goal })
}
