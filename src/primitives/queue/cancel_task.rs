//! `cancel-task`: end a task without its work.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TaskOutput;
use crate::{
    contract::{Answer, Code, Effects, Failure, Reach, Scope, Scoped},
    domain::task::{self, TaskId},
    primitives::Primitive,
    system::Context,
};

/// Cancels a task. One that waits has ended then; the holder of one that is claimed is asked to stop, learns it from `renew-lease` and
/// `report-progress`, and gives it back with `release-task`, or loses it when its lease runs out.
///
/// With the task at hand of a series (`every`) the series ends too. With `force` it is taken from its holder at once, whose next write is refused. Whether the work goes on all the same is the holder's to say.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The task.
    pub(crate) task_id: TaskId,
    /// Why, in one line.
    #[serde(default)]
    #[schemars(length(max = 4000))]
    pub(crate) reason: Option<String>,
    /// Whether to take it from its holder.
    #[serde(default)]
    pub(crate) force: bool,
    /// Whether only to say what would be done.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

/// Carries the declaration of `cancel-task`.
pub(crate) struct CancelTask;

impl Primitive for CancelTask {
    const NAME: &'static str = "cancel-task";
    const SUMMARY: &'static str = "Cancel a task";
    const EFFECTS: Effects = Effects::REMOVES;
    const CODES: &'static [Code] = &[Code::TaskNotFound, Code::TaskEnded];
    const REACHES: &'static [(&'static str, Reach)] = &[("reason", Reach::Data)];
    // `retry-task` brings it back, with what its attempts left; what ends is somebody's work on it.
    const SCOPES: &'static [Scoped] = &[Scope::LocalWrite.always(), Scope::WorkerControl.always()];
    type Input = Input;
    type Output = TaskOutput;

    fn examples() -> Vec<Input> {
        vec![Input {
            task_id: TaskId::fixed("task-1-00000001"),
            reason: Some("no longer wanted".to_owned()),
            force: false,
            dry_run: false,
        }]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<TaskOutput>, Failure> {
        let (task, effect) = task::cancel(
            context,
            &input.task_id,
            input.reason.as_deref(),
            input.force,
            input.dry_run,
        )
        .await?;
        Ok(Answer::new(effect, task.into()))
    }
}
