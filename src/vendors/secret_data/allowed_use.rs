//! For which use the owner of a Secret has allowed it: as a credential of one vendor, or for license keys. Its type says so, and what
//! it holds. Nothing of a Secret leaves for another use.

use k8s_openapi::api::core::v1::Secret;

use super::{SecretData, name};
use crate::api::{LICENSE_KEY_TYPE, SECRET_TYPE};
use crate::domain::{Fault, reason};
use crate::vendors::CREDENTIALS;

/// What one vendor's credentials are made of, beside `server` and `ca.crt`, which all vendors share. A Secret that holds any
/// of these keys is read by no other vendor, and it lends no license key.
pub(in crate::vendors) struct CredentialKeys {
    /// The vendor's name in sentences.
    pub vendor: &'static str,
    /// The keys that no other vendor's credentials have.
    pub names: &'static [&'static str],
}

/// What credentials are made of, whichever vendor or program they are for. Nothing sends these keys, and a Secret that holds one
/// of them lends no license key.
const OF_ANY_CREDENTIAL: [&str; 2] = ["password", "token"];

/// Whose credential a key of a Secret belongs to, for a sentence. `None`: it belongs to none, as a license key does.
pub(in crate::vendors) fn credential_of(key: &str) -> Option<String> {
    let vendor = CREDENTIALS.iter().find(|keys| keys.names.contains(&key)).map(|keys| keys.vendor);
    let any = || OF_ANY_CREDENTIAL.contains(&key).then(|| "a credential".to_owned());
    vendor.map(|vendor| format!("a credential of {vendor}")).or_else(any)
}

impl<'a> SecretData<'a> {
    /// A credential of the vendor with these keys, and of no other.
    pub(in crate::vendors) fn credentials(secret: &'a Secret, own: &CredentialKeys) -> Result<Self, Fault> {
        let (data, name, vendor) = (Self(secret), name(secret), own.vendor);
        if kind(secret) == LICENSE_KEY_TYPE {
            let message = format!(
                "Secret {name} has type {LICENSE_KEY_TYPE}: it is for license keys. Nothing of it is sent as a credential. Name \
                 a Secret of type {SECRET_TYPE} with a credential of {vendor}"
            );
            return Err(not_permitted("Secret is for license keys", message));
        }
        if kind(secret) != SECRET_TYPE {
            let message = format!(
                "Secret {name} has type {}, not {SECRET_TYPE}, with which the owner of a Secret allows its use. A type cannot be \
                 changed: delete the Secret and create it again with type: {SECRET_TYPE}",
                shown_kind(secret)
            );
            return Err(not_permitted("Secret has another type", message));
        }
        match data.credential_but(own.vendor) {
            None => Ok(data),
            Some((other, held)) => {
                let message = format!(
                    "Secret {name} holds {held}, which belongs to a credential of {other}, and this object is for {vendor}. Nothing \
                     of the Secret is sent. Name a Secret with a credential of {vendor}, and keep the credentials of each vendor \
                     in a Secret of their own"
                );
                Err(not_permitted("Secret is of another vendor", message))
            }
        }
    }

    /// License keys, and no credential. `other_type`: what to say of a Secret of another type.
    pub(in crate::vendors) fn license_keys(
        secret: &'a Secret,
        other_type: impl FnOnce() -> Fault,
    ) -> Result<Self, Fault> {
        let data = Self(secret);
        if kind(secret) != LICENSE_KEY_TYPE {
            return Err(other_type());
        }
        let Some((held, credential)) = data.credential() else { return Ok(data) };
        let name = name(secret);
        let message = format!(
            "Secret {name} holds {held}, which belongs to {credential}. A credential is never sent as a license key, so nothing of \
             the Secret is sent. Remove {held} from it: license keys have a Secret of their own"
        );
        Err(not_permitted("license key beside a credential", message))
    }

    /// Whether a Secret holds a credential. One whose type allows nothing is not read.
    pub(in crate::vendors) fn is_credential(secret: &Secret) -> bool {
        kind(secret) == SECRET_TYPE && SecretData(secret).credential().is_some()
    }

    /// A key that belongs to a credential, with whose.
    fn credential(&self) -> Option<(&'a str, String)> {
        let mut held = self.keys().filter(|key| self.bytes(key).is_some());
        held.find_map(|key| Some((key, credential_of(key)?)))
    }

    /// A key that belongs to a credential of another vendor than this one, with its vendor.
    fn credential_but(&self, own: &str) -> Option<(&'static str, &'static str)> {
        let others = CREDENTIALS.iter().filter(|keys| keys.vendor != own);
        let mut each = others.flat_map(|keys| keys.names.iter().map(|name| (keys.vendor, *name)));
        each.find(|(_, name)| self.bytes(name).is_some())
    }
}

/// The type of a Secret; without one it is Opaque, as the apiserver has it.
pub(in crate::vendors) fn kind(secret: &Secret) -> &str {
    secret.type_.as_deref().unwrap_or("Opaque")
}

/// The type of a Secret, for a message. The author of the Secret sets it: it is shown only as far as it can be a type.
pub(in crate::vendors) fn shown_kind(secret: &Secret) -> String {
    kind(secret).chars().filter(|c| c.is_ascii_alphanumeric() || "./-_".contains(*c)).take(60).collect()
}

/// A use that the owner of a Secret has not allowed.
pub(in crate::vendors) fn not_permitted(summary: &str, message: String) -> Fault {
    Fault::credentials(reason::SECRET_NOT_PERMITTED, summary, message)
}
