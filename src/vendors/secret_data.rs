//! Reads a Secret for the one use that its owner allowed: as a credential of one vendor, or for license keys. Every failure
//! names the key and the fix, and none of them repeats a value.

mod allowed_use;
mod mistake;

pub(super) use allowed_use::{CredentialKeys, credential_of, kind, not_permitted, shown_kind};
use k8s_openapi::api::core::v1::Secret;
use mistake::mistake;
use secrecy::SecretString;

use crate::domain::{Fault, reason};

/// Holds at compile time that these types cannot be put into text by accident: no log line, message or panic can show
/// what has no `Debug`, no `Display` and no `Serialize`. A type that had one would be `Shows` in two ways, and the
/// compiler could not choose one.
macro_rules! never_shown {
    ($($holder:ty),+ $(,)?) => {
        const _: () = {
            trait Shows<Way: ?Sized> {
                fn way() {}
            }
            impl<T> Shows<()> for T {}
            impl<T: std::fmt::Debug> Shows<dyn std::fmt::Debug> for T {}
            impl<T: std::fmt::Display> Shows<dyn std::fmt::Display> for T {}
            impl<T: serde::Serialize> Shows<[T]> for T {}
            $(let _ = <$holder as Shows<_>>::way;)+
        };
    };
}
pub(super) use never_shown;

/// The data of a Secret that its owner has allowed for this use: by its type, and by what it holds.
pub(super) struct SecretData<'a>(&'a Secret);

never_shown!(SecretData<'static>);

impl<'a> SecretData<'a> {
    /// The bytes of a key, if it is there and not empty, without blanks and newlines around them.
    pub(super) fn bytes(&self, key: &str) -> Option<&'a [u8]> {
        let data = self.0.data.as_ref().and_then(|data| data.get(key));
        data.map(|bytes| bytes.0.trim_ascii()).filter(|bytes| !bytes.is_empty())
    }

    /// The names of its keys.
    pub(super) fn keys(&self) -> impl Iterator<Item = &'a str> {
        self.0.data.iter().flatten().map(|(key, _)| key.as_str())
    }

    /// A key as text, without the newline that editors and `echo` leave behind. Blanks that are not ASCII are nothing too.
    pub(super) fn text(&self, key: &str) -> Result<Option<&'a str>, Fault> {
        let Some(bytes) = self.bytes(key) else { return Ok(None) };
        let text = str::from_utf8(bytes)
            .map_err(|_| invalid(key, "is not UTF-8 text: store the text itself, not a binary file"))?;
        let text = text.trim();
        if text.starts_with('\u{feff}') {
            return Err(invalid(
                key,
                "begins with a byte order mark, as some editors write one: store it again without one",
            ));
        }
        if text.chars().any(|c| c.is_control() || c == '\u{feff}') {
            return Err(invalid(key, "contains control characters: store it again as one line of text"));
        }
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    /// A part of a credential: it must be there, and be none of what people store by mistake.
    pub(super) fn required(&self, key: &str) -> Result<&'a str, Fault> {
        let text = self.text(key)?;
        if let Some(mistake) = text.and_then(mistake) {
            return Err(invalid(key, mistake));
        }
        text.ok_or_else(|| {
            let there = self.0.data.as_ref().is_some_and(|data| data.contains_key(key));
            let how = if there { "is empty" } else { "is missing" };
            let name = name(self.0);
            let message = format!(
                "key {key} of Secret {name} {how}: add it, for example with {} patch secret {name} -p \
                 '{{\"stringData\":{{\"{key}\":\"VALUE\"}}}}'",
                kubectl(self.0)
            );
            Fault::credentials(reason::KEY_MISSING, &format!("Secret: {key} {how}"), message)
        })
    }

    /// A key that must be there and must not be seen.
    pub(super) fn secret(&self, key: &str) -> Result<SecretString, Fault> {
        self.required(key).map(SecretString::from)
    }
}

/// The command line that reaches the namespace of a Secret.
pub(super) fn kubectl(secret: &Secret) -> String {
    format!("kubectl -n {}", secret.metadata.namespace.as_deref().unwrap_or("default"))
}

/// The name of a Secret, for a message.
pub(super) fn name(secret: &Secret) -> &str {
    secret.metadata.name.as_deref().unwrap_or_default()
}

/// A value that changes when one of these Secrets is written again or recreated. Not for people.
pub(super) fn version(secrets: &[Result<Secret, Fault>]) -> String {
    let version = |secret: &Secret| format!("{:?}/{:?}", secret.metadata.uid, secret.metadata.resource_version);
    let versions = secrets.iter().map(|secret| secret.as_ref().map_or_else(|_| "none".into(), version));
    versions.collect::<Vec<_>>().join(" ")
}

/// A key whose value cannot be used.
pub(super) fn invalid(key: &str, why: &str) -> Fault {
    Fault::credentials(
        reason::KEY_INVALID,
        &format!("Secret: {key} is not usable"),
        format!("the Secret's {key} {why}"),
    )
}

#[cfg(test)]
mod tests {
    use k8s_openapi::ByteString;
    use proptest::prelude::*;

    use super::*;
    use crate::api::{LICENSE_KEY_TYPE, SECRET_TYPE};
    use crate::vendors::CREDENTIALS;

    const OURS: CredentialKeys = CredentialKeys { vendor: "Acme", names: &["clientId"] };

    #[test]
    fn no_two_vendors_credentials_share_a_key_and_none_is_a_place() {
        let names: Vec<_> = CREDENTIALS.iter().flat_map(|keys| keys.names).collect();
        let different: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len(), "{names:?}");
        assert!(crate::api::PLACE_KEYS.iter().all(|place| !names.contains(&place)), "{names:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn key_of_any_bytes_is_one_clean_line_and_fault_repeats_none_of_it(
            bytes in prop_oneof![proptest::collection::vec(any::<u8>(), 0..40), any::<String>().prop_map(String::into_bytes), "[\u{a0}\u{2003} \n]{1,3}".prop_map(String::into_bytes)],
        ) {
            let data = [("token".to_owned(), ByteString(bytes.clone()))].into();
            let secret = Secret { type_: Some(SECRET_TYPE.into()), data: Some(data), ..Secret::default() };
            let read = SecretData::credentials(&secret, &OURS).unwrap();
            match read.required("token") {
                Ok(text) => prop_assert!(!text.is_empty() && !text.contains(char::is_control) && text == text.trim()),
                Err(fault) => prop_assert!([reason::KEY_MISSING, reason::KEY_INVALID].contains(&fault.reason)),
            }
            prop_assert!(read.bytes("token").is_none_or(|read| !read.is_empty() && read.len() <= bytes.len()));
        }

        #[test]
        fn secret_of_another_type_is_refused_in_clean_words(kind in prop_oneof![any::<String>(), Just(LICENSE_KEY_TYPE.to_owned())]) {
            let secret = Secret { type_: Some(kind.clone()), ..Secret::default() };
            if let Err(fault) = SecretData::credentials(&secret, &OURS) {
                prop_assert!(!fault.message.chars().any(char::is_control), "{}", fault.message);
            } else {
                prop_assert_eq!(kind, SECRET_TYPE);
            }
        }
    }
}
