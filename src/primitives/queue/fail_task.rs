//! `fail-task`: end an attempt as failed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TaskOutput;
use crate::{
    contract::{Answer, Code, Effects, Failure, Reach},
    domain::task::{self, Fence, Spent, TaskId},
    primitives::Primitive,
    system::Context,
};

/// Ends an attempt as failed.
///
/// The task waits for its back-off and can then be claimed again, as long as fewer than `max_attempts` have failed; otherwise, or with `retry`
/// false, it has failed for good, and what depends on it fails, is skipped or is held, as that says itself.
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
    /// What went wrong, for a reader.
    #[schemars(length(min = 1, max = 16_384))]
    pub(crate) error: String,
    /// Whether another attempt could do better.
    #[serde(default = "retry")]
    pub(crate) retry: bool,
    /// US dollars that this attempt cost so far, all in all.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub(crate) cost_usd: f64,
    /// Seconds that this attempt took so far, all in all.
    #[serde(default)]
    #[schemars(range(min = 0, max = 31_536_000))]
    pub(crate) wall_s: f64,
    /// Whether only to say what would be done.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

const fn retry() -> bool {
    true
}

/// Carries the declaration of `fail-task`.
pub(crate) struct FailTask;

impl Primitive for FailTask {
    const NAME: &'static str = "fail-task";
    const SUMMARY: &'static str = "End an attempt as failed";
    const EFFECTS: Effects = Effects::ENSURES;
    const CODES: &'static [Code] = &[Code::TaskNotFound, Code::LeaseLost, Code::TaskEnded];
    const REACHES: &'static [(&'static str, Reach)] =
        &[("token", Reach::Data), ("error", Reach::Data)];
    type Input = Input;
    type Output = TaskOutput;

    fn examples() -> Vec<Input> {
        vec![Input {
            task_id: TaskId::fixed("task-2-00000002"),
            attempt: 1,
            token: "2-0000000000000002".to_owned(),
            error: "the tests fail as before".to_owned(),
            retry: true,
            cost_usd: 0.0,
            wall_s: 12.0,
            dry_run: false,
        }]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<TaskOutput>, Failure> {
        let fence = Fence {
            task_id: input.task_id,
            attempt: input.attempt,
            token: input.token,
        };
        let spent = Spent {
            cost_usd: input.cost_usd,
            wall_s: input.wall_s,
        };
        let (task, effect) = task::fail(
            context,
            &fence,
            &input.error,
            input.retry,
            spent,
            input.dry_run,
        )
        .await?;
        Ok(Answer::new(effect, task.into()))
    }
}
