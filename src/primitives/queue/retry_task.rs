//! `retry-task`: let a task that ended run again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TaskOutput;
use crate::{
    contract::{Answer, Code, Effects, Failure},
    domain::task::{self, TaskId},
    primitives::Primitive,
    system::Context,
};

/// Lets a task that failed, was cancelled or skipped, or cost what it may wait for another attempt.
///
/// One that waits already stays as it is. Of a series that goes on with another task (`every`) none is retried: that is `task_ended`; the last one of
/// a series that is over lets it go on. What failed because this one did is retried by calls of its own.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The task.
    pub(crate) task_id: TaskId,
    /// The attempt after which another one is wanted: where a later one was made already, nothing is done. Send it where the answer
    /// to this call may get lost.
    #[serde(default)]
    pub(crate) after_attempt: Option<u32>,
    /// Whether the failures so far count no more; otherwise one more attempt may fail.
    #[serde(default)]
    pub(crate) reset_failures: bool,
    /// Whether only to say what would be done.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

/// Carries the declaration of `retry-task`.
pub(crate) struct RetryTask;

impl Primitive for RetryTask {
    const NAME: &'static str = "retry-task";
    const SUMMARY: &'static str = "Let a task that ended run again";
    const EFFECTS: Effects = Effects::ENSURES;
    const CODES: &'static [Code] = &[Code::TaskNotFound, Code::TaskEnded, Code::TaskNotEnded];
    type Input = Input;
    type Output = TaskOutput;

    fn examples() -> Vec<Input> {
        vec![Input {
            task_id: TaskId::fixed("task-3-00000003"),
            after_attempt: Some(1),
            reset_failures: false,
            dry_run: false,
        }]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<TaskOutput>, Failure> {
        let (task, effect) = task::retry(
            context,
            &input.task_id,
            input.after_attempt,
            input.reset_failures,
            input.dry_run,
        )
        .await?;
        Ok(Answer::new(effect, task.into()))
    }
}
