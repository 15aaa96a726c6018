//! What people store by mistake in the place of a part of a credential. None of it is repeated.

use base64::Engine;
use base64::prelude::BASE64_STANDARD as STANDARD;

/// What examples have in the place of a value, in lower case and without what is no letter.
const PLACEHOLDERS: [&str; 7] =
    ["replaceme", "changeme", "placeholder", "secret", "todo", "yoursecret", "clientsecret"];

/// Fewer characters may be base64 by chance, and more are no placeholder.
const LEAST_BASE64: usize = 24;

/// What is wrong with a text that no vendor gives out as a part of a credential.
pub(super) fn mistake(text: &str) -> Option<&'static str> {
    let quoted = |quote| text.len() > 1 && text.starts_with(quote) && text.ends_with(quote);
    let letters: String = text.chars().filter(char::is_ascii_alphabetic).collect();
    if quoted('"') || quoted('\'') {
        Some("is in quotation marks, which are not part of it: store it without them")
    } else if text.contains("{{") || text.contains("${") || (text.starts_with('<') && text.ends_with('>')) {
        Some("is a template that was not rendered: render it, or store the value itself")
    } else if text.len() < LEAST_BASE64 && PLACEHOLDERS.contains(&letters.to_ascii_lowercase().as_str()) {
        Some("is a placeholder: store the value itself")
    } else if text.len() >= LEAST_BASE64 && is_base64_of_text(text) {
        Some("is base64 of a text: put the value itself into stringData, or encode it once in data")
    } else {
        None
    }
}

fn is_base64_of_text(text: &str) -> bool {
    STANDARD.decode(text).is_ok_and(|bytes| {
        let text = bytes.trim_ascii();
        !text.is_empty() && text.iter().all(u8::is_ascii_graphic)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn mistake_is_found_in_placeholders_and_not_in_vendor_secrets() {
        for text in [
            "\"w5kTj2hD9cQ4mLx8RzVb6nYp3GfS7a\"",
            "'w5kT'",
            "{{ .Values.key }}",
            "${KEY}",
            "<your key>",
            "replace-me",
            "Replace-Me",
            "SECRET",
            "dzVrVGoyaEQ5Y1E0bUx4OFJ6VmI2bllwM0dmUzdh",
            "dzVrVGoyaEQ5Y1E0bUx4OFJ6VmI2bllwM0dmUzdhCg==",
        ] {
            assert!(mistake(text).is_some(), "{text}");
        }
        for text in
            ["w5kTj2hD9cQ4mLx8RzVb6nYp3GfS7a", "organization.0c2a5a8e-3d55-4a4e-9a15-5d2f4c7f1e11", "s", "a'b", "'"]
        {
            assert_eq!(mistake(text), None, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn key_of_random_characters_is_accepted(
            bitwarden in "[0-9A-Za-z]{30}", immuta in proptest::collection::vec(0u8..16, 32),
        ) {
            let immuta: String = immuta.iter().map(|digit| format!("{digit:x}")).collect();
            prop_assert_eq!((mistake(&bitwarden), mistake(&immuta)), (None, None));
        }
    }
}
