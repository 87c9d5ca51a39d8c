//! SHA-256 in hexadecimal, and the canonical form of JSON (RFC 8785) that keys are made over.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use serde::Serialize;
use sha2::Digest as _;

/// Returns the SHA-256 of bytes in lower-case hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&sha2::Sha256::digest(bytes))
}

/// Returns the SHA-256 of bytes as it is.
pub(crate) fn sha256_bytes(bytes: &[u8]) -> [u8; 32] {
    sha2::Sha256::digest(bytes).into()
}

/// Returns the SHA-1 of bytes as it is, for formats of git that have it as a checksum.
pub(crate) fn sha1_bytes(bytes: &[u8]) -> [u8; 20] {
    sha1::Sha1::digest(bytes).into()
}

/// Returns the SHA-256 of bytes in unpadded base64, as OpenSSH writes fingerprints.
pub(crate) fn sha256_base64(bytes: &[u8]) -> String {
    STANDARD_NO_PAD.encode(sha2::Sha256::digest(bytes))
}

/// Returns whether a text is a SHA-256 in lower-case hexadecimal.
pub(crate) fn is_sha256(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Writes a value as canonical JSON (RFC 8785); nothing where it is none, such as a number that is not finite.
pub(crate) fn canonical_json<T: Serialize>(value: &T) -> Option<Vec<u8>> {
    serde_json_canonicalizer::to_vec(value).ok()
}

/// The SHA-256 of bytes that come piece by piece.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sha256(sha2::Sha256);

impl Sha256 {
    /// Adds bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Returns the digest of all that was added, in lower-case hexadecimal.
    pub(crate) fn finish(self) -> String {
        hex(&self.0.finalize())
    }
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
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value & 15)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(*byte)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Sha256, canonical, sha256};

    #[test]
    fn known_digest() {
        let wanted = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc"), wanted);
        let mut digest = Sha256::default();
        digest.update(b"a");
        digest.update(b"bc");
        assert_eq!(digest.finish(), wanted);
    }

    #[test]
    fn field_order_does_not_matter() {
        let one = serde_json::json!({"a": 1, "b": [2]});
        let two = serde_json::json!({"b": [2], "a": 1});
        assert_eq!(canonical(&one), canonical(&two));
    }
}
