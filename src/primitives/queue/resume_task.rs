//! `resume-task`: let a paused or held task run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TaskOutput;
use crate::{
    contract::{Answer, Code, Effects, Failure},
    domain::task::{self, TaskId},
    primitives::Primitive,
    system::Context,
};

/// Lets a task that is paused or held wait for its turn again, whatever became of what it was held for: tasks that it depends on must
/// still succeed, or be taken out with `edit-task`. A holder who was asked to pause is not any more.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The task.
    pub(crate) task_id: TaskId,
    /// Whether only to say what would be done.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

/// Carries the declaration of `resume-task`.
pub(crate) struct ResumeTask;

impl Primitive for ResumeTask {
    const NAME: &'static str = "resume-task";
    const SUMMARY: &'static str = "Let a paused or held task run";
    const EFFECTS: Effects = Effects::ENSURES;
    const CODES: &'static [Code] = &[Code::TaskNotFound, Code::TaskEnded];
    type Input = Input;
    type Output = TaskOutput;

    fn examples() -> Vec<Input> {
        vec![Input {
            task_id: TaskId::fixed("task-4-00000004"),
            dry_run: false,
        }]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<TaskOutput>, Failure> {
        let (task, effect) = task::resume(context, &input.task_id, input.dry_run).await?;
        Ok(Answer::new(effect, task.into()))
    }
}
