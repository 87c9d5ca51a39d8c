//! What both primitives of the chapter give.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::asset::{self, Change};

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
                    change: file.change,
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
