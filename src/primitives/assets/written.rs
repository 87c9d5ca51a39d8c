//! What both primitives of the chapter take and give.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::asset;

/// What assets go into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    /// The user's own folder: `~/.claude`, or what `CLAUDE_CONFIG_DIR` names.
    User,
    /// The folder `.claude` of a project.
    Project,
    /// A marked block in a project's `AGENTS.md`.
    AgentsMd,
    /// A marked block in a project's `CLAUDE.md`.
    ClaudeMd,
}

impl From<Target> for asset::Target {
    fn from(target: Target) -> Self {
        match target {
            Target::User => Self::User,
            Target::Project => Self::Project,
            Target::AgentsMd => Self::AgentsMd,
            Target::ClaudeMd => Self::ClaudeMd,
        }
    }
}

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

/// A file.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct File {
    /// Its path below `folder`; `overwrite` names it so.
    pub(crate) path: String,
    /// What happened to it, or would.
    pub(crate) change: Change,
    /// What would change, as a unified diff; null outside of a dry run, and where nothing would.
    pub(crate) diff: Option<String>,
}

/// What was done, or would be.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The folder.
    pub(crate) folder: String,
    /// The files.
    pub(crate) files: Vec<File>,
}

impl Output {
    /// Tells what was done.
    pub(super) fn of(written: &asset::Written, dry_run: bool) -> Self {
        Self {
            folder: written.folder.display().to_string(),
            files: written
                .files
                .iter()
                .map(|file| File {
                    path: file.path.clone(),
                    change: match file.change {
                        asset::Change::Created => Change::Created,
                        asset::Change::Updated => Change::Updated,
                        asset::Change::Overwritten => Change::Overwritten,
                        asset::Change::Unchanged => Change::Unchanged,
                        asset::Change::Removed => Change::Removed,
                        asset::Change::Kept => Change::Kept,
                    },
                    diff: dry_run.then(|| file.diff()).flatten(),
                })
                .collect(),
        }
    }
}

/// The project's folder where none is given.
pub(super) fn directory() -> String {
    ".".to_owned()
}
