//! Reads a license key from its Secret, if it may be sent to the place that the object's credential names. The owner of the
//! Secret allows the use by its type, and names the one server that the key is for. Called by each vendor that has license
//! keys, before anything is known of the key: of one that may not be sent there is no fingerprint either.

mod other_type;

use k8s_openapi::api::core::v1::Secret;
use reqwest::Url;
use secrecy::SecretString;

use super::allowed_hosts::{host, same_place, server};
use super::secret_data::{SecretData, invalid, kubectl, name, not_permitted};
use crate::domain::{Fault, reason};

/// Where a license key would be sent: the server of the credential that the object uses, and the CA that vouches for it.
pub(super) struct Place<'a> {
    pub server: &'a Url,
    pub ca: Option<&'a [u8]>,
}

/// The license key under `key`, which may be sent to this place.
///
/// # Errors
/// A [`Fault`] that says what keeps it from being sent, and repeats nothing of the Secret's values.
pub(super) fn license_key(secret: &Secret, key: &str, to: &Place<'_>) -> Result<SecretString, Fault> {
    let data = SecretData::license_keys(secret, || other_type::fault(secret, key, to))?;
    is_for(secret, &data, to)?;
    text(&data, key)
}

/// Whether the owner of the Secret names this place.
fn is_for(secret: &Secret, data: &SecretData<'_>, to: &Place<'_>) -> Result<(), Fault> {
    let (name, here) = (name(secret), host(to.server));
    let Some(named) = data.text("server")? else {
        let message = format!(
            "key server of Secret {name} is missing: it names the tenant of the license keys. Nothing of the Secret is sent without it. \
             Add it: {} patch secret {name} -p \
             '{{\"stringData\":{{\"server\":\"https://<host of the tenant>\"}}}}'",
            kubectl(secret)
        );
        return Err(Fault::credentials(reason::KEY_MISSING, "Secret: server is missing", message));
    };
    if !same_place(&server("server", named)?, to.server) {
        let message = format!(
            "Secret {name} names another server than {here}{}, which the credential of this object names. Nothing of the Secret \
             is sent. If its license keys are for that tenant, correct server in the Secret; otherwise list them in the \
             LicenseSeats of their own tenant",
            to.server.path().trim_end_matches('/')
        );
        return Err(not_permitted("license key for another server", message));
    }
    let pem = |bytes: &[u8]| bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect::<Vec<u8>>();
    match data.bytes("ca.crt") {
        Some(own) if to.ca.map(pem) != Some(pem(own)) => {
            let message = format!(
                "ca.crt of Secret {name} is not the ca.crt of the credential of this object, so another CA vouches for {here}. \
                 Nothing of the Secret is sent. Put the same ca.crt into both Secrets, or remove it from {name} to trust the \
                 one of the credential"
            );
            Err(not_permitted("license key with another CA", message))
        }
        _ => Ok(()),
    }
}

/// The text of a license key. It may span lines, so it is not held to be one line of text.
fn text(data: &SecretData<'_>, key: &str) -> Result<SecretString, Fault> {
    let text = data.bytes(key).map(str::from_utf8).transpose();
    let text = text.map_err(|_| invalid(key, "is not UTF-8 text: store the license key itself, not a binary file"))?;
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return data.secret(key) };
    if text.chars().any(|c| (c.is_control() && !"\r\n\t".contains(c)) || c == '\u{feff}') {
        return Err(invalid(key, "contains control characters: store the license key again as plain text"));
    }
    Ok(SecretString::from(text))
}

#[cfg(test)]
mod tests;
