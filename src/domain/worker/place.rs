//! Where the run of an attempt keeps its files on this machine.

use std::path::{Path, PathBuf};

use crate::{
    domain::task::TaskId,
    system::{Context, files},
};

/// The folder of the runs of one attempt, named by task and number: whoever starts it again finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place(PathBuf);

impl Place {
    /// Names the folder of an attempt.
    pub(crate) fn of(context: &Context, task_id: &TaskId, attempt: u32) -> Self {
        Self(of_task(context, task_id).join(attempt.to_string()))
    }

    /// Returns the folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }

    /// Returns the file that holds what the run prints.
    pub(crate) fn log(&self) -> PathBuf {
        self.0.join("output.log")
    }

    /// Returns the file that says who runs the command.
    pub(super) fn leader(&self) -> PathBuf {
        self.0.join("leader")
    }

    /// Returns the file that says how the command ended.
    pub(super) fn exit(&self) -> PathBuf {
        self.0.join("exit")
    }
}

/// Removes what the runs of a task left on this machine.
pub(crate) fn forget(context: &Context, task_id: &TaskId) {
    if let Err(error) = files::remove_folder(&of_task(context, task_id)) {
        tracing::warn!(%error, %task_id, "the files of its runs stay");
    }
}

fn of_task(context: &Context, task_id: &TaskId) -> PathBuf {
    let home = context.environment().home();
    home.join("tasks").join(task_id.as_str())
}
