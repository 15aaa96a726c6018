//! Reads a credentials Secret. Every failure names the key and the fix, and none of them repeats a value.

use k8s_openapi::api::core::v1::Secret;
use secrecy::SecretString;

use crate::api::SECRET_TYPE;
use crate::plan::{Fault, reason};

/// Holds at compile time that these types cannot be put into text by accident: no log line, message or panic can show
/// what has no `Debug`, no `Display` and no `Serialize`. A type that had one would be `Shows` in two ways, and which of
/// them is meant could not be told.
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

/// The data of a Secret whose owner has opted in by its type.
pub(super) struct SecretData<'a>(&'a Secret);

never_shown!(SecretData<'static>);

impl<'a> SecretData<'a> {
    pub(super) fn of(secret: &'a Secret) -> Result<Self, Fault> {
        let found = secret.type_.as_deref().unwrap_or("Opaque");
        if found != SECRET_TYPE {
            let name = secret.metadata.name.as_deref().unwrap_or_default();
            // The type is set by whoever made the Secret: say it only as far as it can be a type.
            let found: String =
                found.chars().filter(|c| c.is_ascii_alphanumeric() || "./-_".contains(*c)).take(60).collect();
            let message = format!(
                "Secret {name} has type {found}, not {SECRET_TYPE}: its owner allows its use by that type; a type cannot be \
                 changed, so delete the Secret and create it again with type: {SECRET_TYPE}"
            );
            return Err(Fault::credentials(reason::SECRET_NOT_PERMITTED, "Secret has another type", message));
        }
        Ok(Self(secret))
    }

    /// The bytes of a key, if it is there and not empty, without blanks and newlines around them.
    pub(super) fn bytes(&self, key: &str) -> Option<&'a [u8]> {
        let data = self.0.data.as_ref().and_then(|data| data.get(key));
        data.map(|bytes| bytes.0.trim_ascii()).filter(|bytes| !bytes.is_empty())
    }

    /// A key as text, without the newline that editors and `echo` leave behind. Blanks that are not ASCII are nothing too.
    pub(super) fn text(&self, key: &str) -> Result<Option<&'a str>, Fault> {
        let Some(bytes) = self.bytes(key) else { return Ok(None) };
        let text = str::from_utf8(bytes)
            .map_err(|_| invalid(key, "is not UTF-8 text: store the text itself, not a binary file"))?;
        let text = text.trim();
        if text.chars().any(|c| c.is_control() || c == '\u{feff}') {
            return Err(invalid(key, "contains control characters: store it again as one line of text"));
        }
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    /// A key that must be there.
    pub(super) fn required(&self, key: &str) -> Result<&'a str, Fault> {
        self.text(key)?.ok_or_else(|| {
            let there = self.0.data.as_ref().is_some_and(|data| data.contains_key(key));
            let how = if there { "is empty" } else { "is missing" };
            let name = self.0.metadata.name.as_deref().unwrap_or_default();
            let message =
                format!("key {key} of Secret {name} {how}: add it, for example with kubectl edit secret {name}");
            Fault::credentials(reason::KEY_MISSING, &format!("Secret: {key} {how}"), message)
        })
    }

    /// A key that must be there and must not be seen.
    pub(super) fn secret(&self, key: &str) -> Result<SecretString, Fault> {
        self.required(key).map(SecretString::from)
    }
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

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_bytes_a_key_holds_its_text_is_one_clean_line_and_a_fault_repeats_none_of_it(
            bytes in prop_oneof![proptest::collection::vec(any::<u8>(), 0..40), any::<String>().prop_map(String::into_bytes), "[\u{a0}\u{2003} \n]{1,3}".prop_map(String::into_bytes)],
        ) {
            let data = [("clientId".to_owned(), ByteString(bytes.clone()))].into();
            let secret = Secret { type_: Some(SECRET_TYPE.into()), data: Some(data), ..Secret::default() };
            let read = SecretData::of(&secret).unwrap();
            match read.required("clientId") {
                Ok(text) => prop_assert!(!text.is_empty() && !text.contains(char::is_control) && text == text.trim()),
                Err(fault) => prop_assert!([reason::KEY_MISSING, reason::KEY_INVALID].contains(&fault.reason)),
            }
            prop_assert!(read.bytes("clientId").is_none_or(|read| !read.is_empty() && read.len() <= bytes.len()));
        }

        #[test]
        fn a_secret_of_another_type_is_refused_in_clean_words(kind in any::<String>()) {
            let secret = Secret { type_: Some(kind.clone()), ..Secret::default() };
            if let Err(fault) = SecretData::of(&secret) {
                prop_assert!(!fault.message.chars().any(char::is_control), "{}", fault.message);
            } else {
                prop_assert_eq!(kind, SECRET_TYPE);
            }
        }
    }
}
