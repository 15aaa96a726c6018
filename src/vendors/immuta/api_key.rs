//! The API key of a tenant and where to use it, and the license keys, as read from Secrets.

use k8s_openapi::api::core::v1::Secret;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use super::NAME;
use crate::api::{LicenseKeyEntry, SecretKeyRef};
use crate::domain::{Fault, WantedKey, fingerprint};
use crate::vendors::AllowedHosts;
use crate::vendors::allowed_hosts::custom_server;
use crate::vendors::client_certificate_and_headers::Access;
use crate::vendors::credential_hash::CredentialHash;
use crate::vendors::license_key::{Place, license_key};
use crate::vendors::secret_data::{CredentialKeys, SecretData, invalid, never_shown};

/// What a Secret with a credential of Immuta holds.
pub(in crate::vendors) const CREDENTIALS: CredentialKeys = CredentialKeys { vendor: NAME, names: &["apiKey"] };

/// An API key with its server. Not `Debug`: it holds the secret.
pub(in crate::vendors) struct ApiKey {
    pub(super) api_key: SecretString,
    pub(super) server: Url,
    pub(super) access: Access,
}

impl ApiKey {
    /// Immuta has no common cloud: the tenant's own host is the base (docs/vendors/immuta.md, "Authentication"), and
    /// the Secret's owner names it.
    pub(in crate::vendors) fn from_secret(secret: &Secret, allowed: &AllowedHosts) -> Result<Self, Fault> {
        let data = SecretData::credentials(secret, &CREDENTIALS)?;
        let api_key = data.required("apiKey")?;
        if !api_key.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(invalid("apiKey", "has characters that no API key has: store it again as it was shown"));
        }
        let server = custom_server("server", data.required("server")?, allowed)?;
        let access = Access::of(&data, true)?;
        Ok(Self { api_key: SecretString::from(api_key), server, access })
    }

    /// Where license keys may go that are added with this key.
    pub(in crate::vendors) fn place(&self) -> Place<'_> {
        Place { server: &self.server, ca: self.access.ca.as_deref() }
    }

    /// Tells this key, at this server, from others.
    pub(super) fn fingerprint(&self) -> CredentialHash {
        CredentialHash::of([
            self.server.as_str().as_bytes(),
            self.api_key.expose_secret().as_bytes(),
            self.access.hash().bytes(),
        ])
    }
}

/// A license key that can be added. Not `Debug`: it holds the key.
pub(in crate::vendors) struct LicenseKey {
    pub(super) fingerprint: String,
    pub(super) text: SecretString,
}

never_shown!(ApiKey, LicenseKey);

/// The keys that the spec lists: what identifies each, and those that may be sent to this place.
pub(in crate::vendors) fn license_keys(
    entries: &[LicenseKeyEntry],
    secrets: &[(String, Result<Secret, Fault>)],
    object_uid: &str,
    place: &Place<'_>,
) -> (Vec<WantedKey>, Vec<LicenseKey>) {
    let mut keys = Vec::new();
    let wanted = entries.iter().map(|entry| {
        let text = read(&entry.secret_key_ref, secrets, place);
        let fingerprint = text.map(|text| {
            let fingerprint = fingerprint(object_uid, text.expose_secret().as_bytes());
            keys.push(LicenseKey { fingerprint: fingerprint.clone(), text });
            fingerprint
        });
        WantedKey { reference: entry.secret_key_ref.clone(), adopt: entry.adopt.clone(), fingerprint }
    });
    (wanted.collect(), keys)
}

fn read(
    reference: &SecretKeyRef,
    secrets: &[(String, Result<Secret, Fault>)],
    place: &Place<'_>,
) -> Result<SecretString, Fault> {
    let found = secrets.iter().find(|(name, _)| *name == reference.name);
    let Some((_, secret)) = found else { return Err(Fault::spec(format!("Secret {} was not read", reference.name))) };
    license_key(secret.as_ref().map_err(Clone::clone)?, &reference.key, place)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use k8s_openapi::ByteString;
    use proptest::prelude::*;

    use super::*;
    use crate::api::{LICENSE_KEY_TYPE, SECRET_TYPE};
    use crate::domain::reason;
    use crate::fuzz_inputs::{FuzzInput, harmed};

    fn secret(kind: &str, data: &[(&str, &[u8])]) -> Secret {
        let data: BTreeMap<_, _> =
            data.iter().map(|(key, value)| ((*key).to_owned(), ByteString(value.to_vec()))).collect();
        Secret { type_: Some(kind.to_owned()), data: Some(data), ..Secret::default() }
    }

    /// Keys for the tenant that [`read`] sends them to.
    fn keys(data: &[(&str, &[u8])]) -> Vec<(String, Result<Secret, Fault>)> {
        let data = [data, &[("server", b"https://tenant.test".as_slice())]].concat();
        vec![("keys".to_owned(), Ok(secret(LICENSE_KEY_TYPE, &data)))]
    }

    fn read(
        entries: &[LicenseKeyEntry],
        secrets: &[(String, Result<Secret, Fault>)],
    ) -> (Vec<WantedKey>, Vec<LicenseKey>) {
        let server = Url::parse("https://tenant.test").unwrap();
        license_keys(entries, secrets, "uid", &Place { server: &server, ca: None })
    }

    fn entry(key: &str) -> LicenseKeyEntry {
        LicenseKeyEntry { secret_key_ref: SecretKeyRef { name: "keys".into(), key: key.into() }, adopt: None }
    }

    #[test]
    fn keys_of_one_secret_differ_and_trailing_newline_is_no_part() {
        let secrets = keys(&[("a", b"KEY-A\n"), ("b", b"KEY-B"), ("c", b"KEY-A")]);
        let (wanted, keys) = read(&[entry("a"), entry("b"), entry("c"), entry("d")], &secrets);
        let prints: Vec<_> = wanted.iter().map(|key| key.fingerprint.clone().ok()).collect();
        assert_eq!(prints[0], prints[2]);
        assert_ne!(prints[0], prints[1]);
        assert_eq!(wanted[3].fingerprint.as_ref().unwrap_err().reason, reason::KEY_MISSING);
        assert_eq!(keys.len(), 3);
    }

    #[test]
    fn blank_license_key_or_one_with_invisible_characters_is_refused() {
        let secrets = keys(&[("a", "\u{a0}\n".as_bytes()), ("b", "\u{feff}KEY".as_bytes()), ("c", b"K\0Y")]);
        let (wanted, keys) = read(&[entry("a"), entry("b"), entry("c")], &secrets);
        let reasons: Vec<_> = wanted.iter().map(|key| key.fingerprint.as_ref().map_err(|fault| fault.reason)).collect();
        assert_eq!(reasons, [Err(reason::KEY_MISSING), Err(reason::KEY_INVALID), Err(reason::KEY_INVALID)]);
        assert!(keys.is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn license_key_of_any_bytes_is_sent_as_stored_or_not_and_never_in_fault(
            FuzzInput(bytes) in prop_oneof![harmed(b"-----BEGIN LICENSE-----\nzz-words\r\n=="), harmed(b"\n"), any::<Vec<u8>>().prop_map(FuzzInput)],
        ) {
            let (wanted, keys) = read(&[entry("a")], &keys(&[("a", &bytes)]));
            match (&wanted[0].fingerprint, &keys[..]) {
                (Ok(print), [key]) => {
                    let text = key.text.expose_secret();
                    prop_assert!(!text.is_empty() && std::str::from_utf8(&bytes).is_ok_and(|whole| whole.trim() == text));
                    let unseen = |c: char| c == '\u{feff}' || (c.is_control() && !c.is_ascii_whitespace());
                    prop_assert!(!text.contains(unseen), "{:?}", text);
                    prop_assert_eq!((print, print), (&key.fingerprint, &fingerprint("uid", text.as_bytes())));
                    prop_assert_ne!(print, &fingerprint("another", text.as_bytes()));
                }
                (Err(fault), []) => {
                    prop_assert!([reason::KEY_MISSING, reason::KEY_INVALID].contains(&fault.reason));
                    prop_assert!(!fault.message.contains("zz-words") && !fault.message.contains(char::is_control));
                }
                _ => prop_assert!(false, "a key without a fingerprint, or the reverse"),
            }
        }

        #[test]
        fn secret_of_any_content_is_never_echoed_and_reaches_no_other_host(
            key in "\\PC{12,30}", server in "(https?://)?[a-z@:/?#.\\[\\]%0-9-]{0,30}",
        ) {
            let secret = secret(SECRET_TYPE, &[("apiKey", key.as_bytes()), ("server", server.as_bytes())]);
            let allowed = AllowedHosts::new(["tenant.test"]).unwrap();
            match ApiKey::from_secret(&secret, &allowed) {
                Ok(read) => prop_assert_eq!((read.server.scheme(), read.server.host_str()), ("https", Some("tenant.test"))),
                Err(fault) => prop_assert!(!fault.message.contains(&key) && !fault.summary.contains(&key)),
            }
        }
    }
}
