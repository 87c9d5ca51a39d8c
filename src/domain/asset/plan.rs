//! What is to be done to each file, found out before anything is done.

use schemars::JsonSchema;
use serde::Serialize;
use similar::TextDiff;

/// What happened to a file, or would.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Change {
    /// It was made.
    Created,
    /// It was brought up to date.
    Updated,
    /// It was edited and is given up, as it was named.
    Overwritten,
    /// It is as it should be.
    Unchanged,
    /// It was removed.
    Removed,
    /// It was edited, and stays.
    Kept,
}

/// What is to be done to one file.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    /// Its path below the folder.
    pub(crate) path: String,
    /// What happens.
    pub(crate) change: Change,
    /// What was there.
    pub(super) old: Option<String>,
    /// What will be there.
    pub(super) new: Option<String>,
    /// The mode of a new file.
    pub(super) mode: u32,
}

impl Planned {
    /// Returns whether anything is done to the file.
    pub(crate) fn changes(&self) -> bool {
        !matches!(self.change, Change::Unchanged | Change::Kept)
    }

    /// Returns the unified diff of what is done; none where nothing is.
    pub(crate) fn diff(&self) -> Option<String> {
        if !self.changes() {
            return None;
        }
        let name = |side: &str, text: &Option<String>| {
            text.as_ref().map_or_else(
                || "/dev/null".to_owned(),
                |_| format!("{side}/{}", self.path),
            )
        };
        let (old, new) = (name("a", &self.old), name("b", &self.new));
        Some(
            TextDiff::from_lines(
                self.old.as_deref().unwrap_or_default(),
                self.new.as_deref().unwrap_or_default(),
            )
            .unified_diff()
            .header(&old, &new)
            .to_string(),
        )
    }
}
