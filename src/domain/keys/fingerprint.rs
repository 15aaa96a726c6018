//! How license keys are distinguished without being shown.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Identifies a key without showing it: HMAC-SHA-256 of its bytes, keyed with the object's uid, 16 hexadecimal characters. Another
/// object gives another fingerprint.
pub fn fingerprint(object_uid: &str, key: &[u8]) -> String {
    let bytes = match Hmac::<Sha256>::new_from_slice(object_uid.as_bytes()) {
        Ok(mut mac) => {
            mac.update(key);
            mac.finalize().into_bytes()
        }
        // HMAC takes keys of any length.
        Err(_) => return String::new(),
    };
    bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Whether two fingerprints are of the same key. An empty fingerprint is of no key.
pub(super) fn same(one: &str, other: &str) -> bool {
    !one.is_empty() && one == other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprint_is_hmac_sha256_keyed_with_uid_and_reveals_no_key() {
        // Key and message of RFC 4231, test case 2.
        assert_eq!(fingerprint("Jefe", b"what do ya want for nothing?"), "5bdcc146bf60754e");
        assert_ne!(fingerprint("one", b"key"), fingerprint("other", b"key"));
        assert!(same("ab", "ab") && !same("ab", "ac") && !same("ab", "abc") && !same("", ""));
    }
}
