//! The id of a task.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{InvalidName, Name};

/// How an id begins.
const PREFIX: &str = "task-";

/// Hexadecimal digits of randomness at its end, which tell the tasks of two stores apart.
const RANDOM: usize = 8;

/// The id of a task, such as `task-17-0a1b2c3d`: its number, and some randomness.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"))]
pub(crate) struct TaskId(String);

impl TaskId {
    /// Makes one.
    pub(super) fn of(number: i64, random: &str) -> Self {
        Self(format!("{PREFIX}{number}-{random}"))
    }

    /// Creates an id from a text of this program's own, such as one in an example.
    pub(crate) fn fixed(text: &str) -> Self {
        Self(Name::fixed(text).to_string())
    }

    /// Returns the number in it; nothing where no task has such an id.
    pub(super) fn number(&self) -> Option<i64> {
        let (number, random) = self.0.strip_prefix(PREFIX)?.split_once('-')?;
        let is_random = random.len() == RANDOM && random.bytes().all(|b| b.is_ascii_hexdigit());
        let number: i64 = number.parse().ok()?;
        (is_random && number > 0).then_some(number)
    }

    /// Returns the text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for TaskId {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        Name::new(text).map(|name| Self(name.into()))
    }
}

impl From<TaskId> for String {
    fn from(id: TaskId) -> Self {
        id.0
    }
}

impl From<&Name> for TaskId {
    fn from(name: &Name) -> Self {
        Self(name.to_string())
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::TaskId;

    #[test]
    fn the_number_is_read_off_an_id_and_off_nothing_else() {
        assert_eq!(TaskId::of(17, "0a1b2c3d").number(), Some(17));
        for bad in [
            "task-17",
            "task-0-0a1b2c3d",
            "task--1-0a1b2c3d",
            "task-17-xyz",
            "job-17-0a1b2c3d",
        ] {
            assert_eq!(TaskId::fixed(bad).number(), None, "{bad}");
        }
    }
}
