//! Paths as they stand in diffs: bytes, possibly hostile.

use std::fmt::{self, Write as _};

use crate::contract::text::is_safe;

/// A path in a diff, as bytes, relative to the top of the tree.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RawPath(Vec<u8>);

impl RawPath {
    /// Takes the bytes as they are.
    pub(crate) fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// Returns the bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns whether a person can read the name for what it is: UTF-8 of characters that show and do not mislead.
    pub(crate) fn is_printable(&self) -> bool {
        std::str::from_utf8(&self.0).is_ok_and(|text| text.chars().all(is_safe))
    }
}

impl fmt::Display for RawPath {
    /// Writes a printable path as it is, any other between quotes with its bytes escaped as git does.
    ///
    /// A path with a quote or a backslash is written so too: what begins with a quote is always an escaped path.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = !self.0.iter().any(|byte| matches!(byte, b'"' | b'\\'));
        if is_plain && self.is_printable() {
            return formatter.write_str(&String::from_utf8_lossy(&self.0));
        }
        formatter.write_char('"')?;
        for &byte in &self.0 {
            match byte {
                b'"' | b'\\' => write!(formatter, "\\{}", char::from(byte))?,
                b'\n' => formatter.write_str("\\n")?,
                b'\t' => formatter.write_str("\\t")?,
                b'\r' => formatter.write_str("\\r")?,
                0x20..=0x7e => formatter.write_char(char::from(byte))?,
                _ => write!(formatter, "\\{byte:03o}")?,
            }
        }
        formatter.write_char('"')
    }
}

impl fmt::Debug for RawPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// Reads a name between double quotes with C escapes, as git writes it, and returns it with what follows.
///
/// The text must start with the opening quote. Returns nothing where it is not such a name.
pub(crate) fn unquote(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut rest = text.strip_prefix(b"\"")?;
    let mut name = Vec::new();
    loop {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        match byte {
            b'"' => return Some((name, rest)),
            b'\\' => {
                let (&escape, after) = rest.split_first()?;
                rest = after;
                name.push(match escape {
                    b'a' => 7,
                    b'b' => 8,
                    b't' => b'\t',
                    b'n' => b'\n',
                    b'v' => 11,
                    b'f' => 12,
                    b'r' => b'\r',
                    b'"' | b'\\' => escape,
                    b'0'..=b'3' => {
                        let (digits, after) = rest.split_at_checked(2)?;
                        if !digits.iter().all(|digit| (b'0'..=b'7').contains(digit)) {
                            return None;
                        }
                        rest = after;
                        digits
                            .iter()
                            .fold(escape - b'0', |value, digit| value << 3 | (digit - b'0'))
                    }
                    _ => return None,
                });
            }
            _ => name.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{RawPath, unquote};

    #[test]
    fn a_quoted_name_is_read_as_git_wrote_it() {
        let (name, rest) = unquote(br#""a/t\303\244b\there \"x\"\\" tail"#).unwrap();
        assert_eq!(name, "a/täb\there \"x\"\\".as_bytes());
        assert_eq!(rest, b" tail");
        for broken in [
            &b"\"open"[..],
            b"\"\\",
            b"\"\\3",
            b"\"\\389\"",
            b"\"\\q\"",
            b"x",
        ] {
            assert_eq!(unquote(broken), None);
        }
    }

    #[test]
    fn a_name_is_shown_without_its_tricks() {
        assert_eq!(RawPath::new("ä b").to_string(), "ä b");
        assert_eq!(
            RawPath::new("a\n\u{1b}[31m").to_string(),
            r#""a\n\033[31m""#
        );
        assert_eq!(
            RawPath::new("x\u{202e}y").to_string(),
            r#""x\342\200\256y""#
        );
        assert_eq!(RawPath::new(vec![0xff]).to_string(), r#""\377""#);
        assert_eq!(RawPath::new("quo\"te").to_string(), r#""quo\"te""#);
        assert_eq!(RawPath::new("a\\nb").to_string(), r#""a\\nb""#);
    }
}
