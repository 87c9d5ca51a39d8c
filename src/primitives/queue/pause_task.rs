//! `pause-task`: keep a task from running.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TaskOutput;
use crate::{
    contract::{Answer, Code, Effects, Failure, Scope, Scoped},
    domain::task::{self, TaskId},
    primitives::Primitive,
    system::Context,
};

/// Pauses a task that waits or is held. The holder of one that is claimed is asked to give it back, learns it from `renew-lease` and
/// `report-progress`, and the task is paused once they do or their lease runs out.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The task.
    pub(crate) task_id: TaskId,
    /// Whether only to say what would be done.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

/// Carries the declaration of `pause-task`.
pub(crate) struct PauseTask;

impl Primitive for PauseTask {
    const NAME: &'static str = "pause-task";
    const SUMMARY: &'static str = "Keep a task from running";
    const EFFECTS: Effects = Effects::ENSURES;
    const CODES: &'static [Code] = &[Code::TaskNotFound, Code::TaskEnded];
    // The holder of a claimed one is asked to stop.
    const SCOPES: &'static [Scoped] = &[Scope::LocalWrite.always(), Scope::WorkerControl.always()];
    type Input = Input;
    type Output = TaskOutput;

    fn examples() -> Vec<Input> {
        vec![Input {
            task_id: TaskId::fixed("task-1-00000001"),
            dry_run: false,
        }]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<TaskOutput>, Failure> {
        let (task, effect) = task::pause(context, &input.task_id, input.dry_run).await?;
        Ok(Answer::new(effect, task.into()))
    }
}
