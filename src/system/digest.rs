//! SHA-256, and the canonical form of JSON (RFC 8785) that keys are made over.

use serde::Serialize;
use sha2::{Digest, Sha256};

/// Returns the SHA-256 of bytes in lower-case hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// Returns the SHA-256 over the canonical JSON form (RFC 8785) of a value.
///
/// Two values that are the same JSON have the same digest, whatever the order of their fields.
pub(crate) fn canonical<T: Serialize>(value: &T) -> String {
    match serde_json_canonicalizer::to_vec(value) {
        Ok(bytes) => sha256(&bytes),
        // Only a map with keys that are no strings cannot be written, and no type here has one.
        Err(error) => sha256(error.to_string().as_bytes()),
    }
}

/// Writes bytes in lower-case hexadecimal.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::{canonical, sha256};

    #[test]
    fn known_digest() {
        assert_eq!(
            sha256(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn field_order_does_not_matter() {
        let one = serde_json::json!({"a": 1, "b": [2]});
        let two = serde_json::json!({"b": [2], "a": 1});
        assert_eq!(canonical(&one), canonical(&two));
    }
}
