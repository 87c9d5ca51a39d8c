//! `release-task`: give a task back without an end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TaskOutput;
use crate::{
    contract::{Answer, Code, Effects, Failure, Reach},
    domain::task::{self, Fence, TaskId},
    primitives::Primitive,
    system::Context,
};

/// Gives a task back: it waits again, and what it took of the limits is free. This burns no attempt of `max_attempts`.
///
/// Where somebody asked for it (`task.asked`), it is paused or cancelled instead. Save a checkpoint with `report-progress` first, if
/// whoever claims it next should know how far it is.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The task.
    pub(crate) task_id: TaskId,
    /// The number of the attempt, as `claim-tasks` gave it.
    #[schemars(range(min = 1))]
    pub(crate) attempt: u32,
    /// The token of the claim, as `claim-tasks` gave it.
    #[schemars(length(min = 1, max = 100))]
    pub(crate) token: String,
    /// Why, in one line.
    #[serde(default)]
    #[schemars(length(max = 4000))]
    pub(crate) note: Option<String>,
    /// Seconds before it may be claimed again.
    #[serde(default)]
    #[schemars(range(min = 0, max = 604_800))]
    pub(crate) delay_s: u64,
    /// Whether only to say what would be done.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

/// Carries the declaration of `release-task`.
pub(crate) struct ReleaseTask;

impl Primitive for ReleaseTask {
    const NAME: &'static str = "release-task";
    const SUMMARY: &'static str = "Give a task back without an end";
    const EFFECTS: Effects = Effects::ENSURES;
    const CODES: &'static [Code] = &[Code::TaskNotFound, Code::LeaseLost, Code::TaskEnded];
    const REACHES: &'static [(&'static str, Reach)] =
        &[("token", Reach::Data), ("note", Reach::Data)];
    type Input = Input;
    type Output = TaskOutput;

    fn examples() -> Vec<Input> {
        vec![Input {
            task_id: TaskId::fixed("task-2-00000002"),
            attempt: 1,
            token: "2-0000000000000002".to_owned(),
            note: Some("the machine is needed otherwise".to_owned()),
            delay_s: 0,
            dry_run: false,
        }]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<TaskOutput>, Failure> {
        let fence = Fence {
            task_id: input.task_id,
            attempt: input.attempt,
            token: input.token,
        };
        let (task, effect) = task::release(
            context,
            &fence,
            input.note.as_deref(),
            input.delay_s,
            input.dry_run,
        )
        .await?;
        Ok(Answer::new(effect, task.into()))
    }
}
