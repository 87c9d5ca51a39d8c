//! One way in which an input is wrong.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One way in which an input is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Violation {
    /// Where in the input, as a JSON pointer (RFC 6901); empty for the input as a whole.
    pub pointer: String,
    /// The schema keyword or rule that was broken, such as `type`, `required`, `additionalProperties`, `flag`.
    pub keyword: String,
    /// What is wrong, for a reader.
    pub message: String,
    /// What would have been right: a type, a list of values, the nearest known name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
}
