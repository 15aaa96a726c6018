//! Tells credentials apart without keeping them. In memory only: what is recorded of a license key is `domain::fingerprint`.

use sha2::{Digest, Sha256};

use super::secret_data::never_shown;

/// A hash of a credential and of where it is used. Not `Debug`: a guess could be compared with it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct CredentialHash([u8; 32]);

never_shown!(CredentialHash);

impl CredentialHash {
    /// Of these parts in this order. Each is hashed with its length, so that no two lists of parts run into each other.
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    /// All of it, as a part of another one.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Its first 16 bytes, for an identifier that is made from a credential.
    pub fn half(&self) -> [u8; 16] {
        let mut half = [0; 16];
        half.copy_from_slice(&self.0[..16]);
        half
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_are_cut_elsewhere_have_another_fingerprint() {
        let of = |parts: &[&str]| CredentialHash::of(parts.iter().map(|part| part.as_bytes()));
        assert!(of(&["ab", "c"]) == of(&["ab", "c"]));
        for other in [&["a", "bc"][..], &["abc"], &["abc", ""], &["c", "ab"], &["ab", "c", ""]] {
            assert!(of(&["ab", "c"]) != of(other), "{other:?}");
        }
    }
}
