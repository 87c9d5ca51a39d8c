//! The one dialect of paging: opaque text that says where an answer left off.
//!
//! A cursor holds a position and a digest over the primitive, the filters and the position. A caller sends back what it
//! was given and nothing else: text that was changed, made by another primitive or for other filters, or not by legwork
//! at all, does not match its digest and is refused, instead of being taken for a position that means something else.
//! The digest keeps mistakes out, not attackers: a cursor gives access to nothing that its caller cannot list anyway.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{
    Code, Coded,
    details::{self, Details},
};

/// How many bytes of the digest a cursor carries.
const DIGEST_BYTES: usize = 9;

/// A longer text was not made here; it is refused before it is decoded.
const MAX_BYTES: usize = 2048;

/// Where an answer left off: opaque text, to be sent back as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct Cursor(String);

impl Cursor {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a cursor is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{primitive} did not make this cursor for these filters")]
pub struct InvalidCursor {
    primitive: &'static str,
    cursor: String,
}

impl Coded for InvalidCursor {
    fn code(&self) -> Code {
        Code::CursorInvalid
    }

    fn remediation(&self) -> String {
        format!(
            "Leave `cursor` out to start {} from the beginning, and repeat the filters with each cursor.",
            self.primitive
        )
    }

    fn details(&self) -> Details {
        details::Unknown::new("cursor", &self.cursor).into()
    }
}

/// Makes and reads the cursors of one primitive with one set of filters.
#[derive(Clone, Debug)]
pub struct Pager {
    primitive: &'static str,
    filters: String,
}

impl Pager {
    /// Creates one; `filters` is all of the input that decides what is listed, and in which order.
    pub fn new(primitive: &'static str, filters: &Value) -> Self {
        Self {
            primitive,
            filters: filters.to_string(),
        }
    }

    /// Makes the cursor of a position.
    pub fn cursor<P: Serialize>(&self, position: &P) -> Cursor {
        // Positions are numbers and names, which can always be written.
        let position = serde_json::to_vec(position).unwrap_or_default();
        let mut bytes = self.digest(&position);
        bytes.extend(position);
        Cursor(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Reads the position of a cursor.
    pub fn position<P: DeserializeOwned>(&self, cursor: &Cursor) -> Result<P, InvalidCursor> {
        self.opened(cursor).ok_or_else(|| InvalidCursor {
            primitive: self.primitive,
            cursor: cursor.0.chars().take(200).collect(),
        })
    }

    fn opened<P: DeserializeOwned>(&self, cursor: &Cursor) -> Option<P> {
        if cursor.0.len() > MAX_BYTES {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(&cursor.0).ok()?;
        let (digest, position) = bytes.split_at_checked(DIGEST_BYTES)?;
        (digest == self.digest(position))
            .then(|| serde_json::from_slice(position).ok())
            .flatten()
    }

    fn digest(&self, position: &[u8]) -> Vec<u8> {
        let mut digest = Sha256::new();
        for part in [
            b"legwork cursor 1",
            self.primitive.as_bytes(),
            self.filters.as_bytes(),
            position,
        ] {
            digest.update(part);
            digest.update([0]);
        }
        digest.finalize().into_iter().take(DIGEST_BYTES).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Coded as _, Cursor, Pager};
    use crate::contract::Code;

    fn pager() -> Pager {
        Pager::new("list-things", &json!({"host": "box"}))
    }

    #[test]
    fn a_cursor_holds_its_position() {
        for position in [
            json!(0),
            json!(i64::MAX),
            json!(["box", "demo"]),
            json!("x".repeat(300)),
        ] {
            let cursor = pager().cursor(&position);
            assert_eq!(pager().position(&cursor), Ok(position));
        }
    }

    #[test]
    fn any_other_cursor_is_refused() {
        let good = pager().cursor(&7);
        let elsewhere = Pager::new("list-others", &json!({"host": "box"}));
        let otherwise = Pager::new("list-things", &json!({"host": null}));
        for foreign in [elsewhere, otherwise] {
            assert!(foreign.position::<u64>(&good).is_err());
            assert!(pager().position::<u64>(&foreign.cursor(&7)).is_err());
        }
        let mut texts: Vec<String> = ["", " ", "7", "-1", "!", "AAAA", "💥"]
            .map(str::to_owned)
            .into();
        texts.push("A".repeat(1 << 20));
        texts.push(format!("{}A", good.as_str()));
        // Each character changed by itself.
        for index in 0..good.as_str().len() {
            let mut changed = good.as_str().as_bytes().to_vec();
            changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
            texts.push(String::from_utf8(changed).expect("ASCII"));
        }
        for text in texts {
            let refused = pager()
                .position::<u64>(&Cursor(text.clone()))
                .expect_err(&text);
            assert_eq!(refused.code(), Code::CursorInvalid);
        }
        // A good digest over a position of another type.
        let name = pager().cursor(&"seven");
        assert!(pager().position::<u64>(&name).is_err());
    }
}
