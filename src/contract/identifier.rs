//! Names that are safe as file names, arguments and keys.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a text is not a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a name: {rule}")]
pub struct InvalidName {
    /// The text that was given.
    pub text: String,
    /// The rule it breaks.
    pub rule: &'static str,
}

/// The pattern of names in schemas; the types repeat it, because an attribute takes no constant.
pub(super) const PATTERN: &str = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$";

/// The pattern in words.
pub(super) const RULE: &str = "1 to 64 of a-z A-Z 0-9 . _ -, starting with a letter or digit";

/// A short name: of a host, a repository, a profile, an agent.
///
/// Safe by construction as one path component and as an argument that no program takes for an option.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"))]
pub struct Name(String);

impl Name {
    /// Checks a text.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidName> {
        let text = text.into();
        if is_name(&text) {
            Ok(Self(text))
        } else {
            Err(InvalidName { text, rule: RULE })
        }
    }

    /// Creates a name from a text of this program's own, such as one in an example.
    ///
    /// A text that is no name is a bug, which shows in the name `invalid-name`.
    pub(crate) fn fixed(text: &str) -> Self {
        Self::new(text).unwrap_or_else(|_| Self("invalid-name".to_owned()))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a text is a name; the same as matching [`PATTERN`], and far cheaper than compiling it.
pub(super) fn is_name(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

impl TryFrom<String> for Name {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The id of a job: also the name of its folder on the host.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"))]
pub struct JobId(String);

impl JobId {
    /// Checks a text.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidName> {
        Name::new(text).map(|name| Self(name.0))
    }

    /// Creates an id from a text of this program's own, such as one in an example.
    pub(crate) fn fixed(text: &str) -> Self {
        Self(Name::fixed(text).0)
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for JobId {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(text)
    }
}

impl From<JobId> for String {
    fn from(id: JobId) -> Self {
        id.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Name;

    #[test]
    fn the_pattern_of_the_schemas_is_the_one_that_is_checked() {
        let schemas = [
            schemars::schema_for!(Name),
            schemars::schema_for!(super::JobId),
        ];
        for schema in schemas {
            assert_eq!(schema.as_value()["pattern"], super::PATTERN);
        }
    }

    #[test]
    fn a_name_is_one_harmless_path_component() {
        for good in ["a", "gpu-box", "n1.example.org", "A_b-9"] {
            assert!(Name::new(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            ".",
            "..",
            "-rf",
            "a/b",
            "a b",
            "a\n",
            "ä",
            &"x".repeat(65),
        ] {
            assert!(Name::new(bad).is_err(), "{bad:?}");
        }
    }
}
