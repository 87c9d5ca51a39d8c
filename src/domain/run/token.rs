//! The random name of a run's control folder.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::error::Error;
use crate::system::{files, machine};

/// Bytes of randomness in a token.
const BYTES: usize = 16;

/// The random name of a run's control folder, made here and recorded before anything is sent.
///
/// Nobody who did not see it can make the folder beforehand.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Token(String);

impl Token {
    /// Makes a new one.
    pub(crate) fn random() -> Result<Self, Error> {
        files::random_hexadecimal(BYTES)
            .map(Self)
            .map_err(|error| machine::Error::Shell(error).into())
    }

    /// Reads one: 32 hexadecimal digits in lower case.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let is_token = text.len() == 2 * BYTES
            && text
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        is_token.then(|| Self(text.to_owned()))
    }

    /// Returns the token as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl From<Token> for String {
    fn from(token: Token) -> Self {
        token.0
    }
}

impl TryFrom<String> for Token {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(&text).ok_or("a token has 32 hexadecimal digits")
    }
}

#[cfg(test)]
mod tests {
    use super::Token;

    #[test]
    fn a_token_is_a_plain_word_of_32_digits() {
        let token = Token::random().expect("randomness");
        assert_eq!(Token::new(token.as_str()), Some(token.clone()));
        assert_ne!(Token::random().expect("randomness"), token);
        for bad in [
            "",
            "..",
            "0123456789abcdef0123456789abcde",
            "0123456789ABCDEF0123456789abcdef",
            "0123456789abcdef/123456789abcdef",
            "0123456789abcdef0123456789abcdef\n",
        ] {
            assert_eq!(Token::new(bad), None, "{bad:?}");
        }
    }
}
