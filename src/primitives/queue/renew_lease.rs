//! `renew-lease`: hold on to a task.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TaskOutput;
use crate::{
    contract::{Answer, Code, Effects, Failure, Reach},
    domain::task::{self, Fence, TaskId},
    primitives::Primitive,
    system::Context,
};

/// Renews the lease of a task, so that it runs `lease_s` seconds from now.
///
/// The lease is the one sign of life: renew it every third of its length. Where more than nine tenths of `lease_s` are left, nothing is
/// written. A holder whose lease ran out and whose task nobody claimed since may renew it; otherwise the call is `lease_lost`, and
/// the work should stop. `task.asked` says whether somebody wants the task back: stop then, save a checkpoint, and `release-task`.
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
    /// Seconds of the lease from now.
    #[serde(default = "lease_s")]
    #[schemars(range(min = 1, max = 86_400))]
    pub(crate) lease_s: u64,
    /// Whether only to say what would be done.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

const fn lease_s() -> u64 {
    300
}

/// Carries the declaration of `renew-lease`.
pub(crate) struct RenewLease;

impl Primitive for RenewLease {
    const NAME: &'static str = "renew-lease";
    const SUMMARY: &'static str = "Renew the lease of a task that is held";
    const EFFECTS: Effects = Effects::ENSURES;
    const CODES: &'static [Code] = &[Code::TaskNotFound, Code::LeaseLost];
    const REACHES: &'static [(&'static str, Reach)] = &[("token", Reach::Data)];
    type Input = Input;
    type Output = TaskOutput;

    fn examples() -> Vec<Input> {
        vec![Input {
            task_id: TaskId::fixed("task-2-00000002"),
            attempt: 1,
            token: "2-0000000000000002".to_owned(),
            lease_s: 1800,
            dry_run: false,
        }]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<TaskOutput>, Failure> {
        let fence = Fence {
            task_id: input.task_id,
            attempt: input.attempt,
            token: input.token,
        };
        let (task, effect) = task::renew(context, &fence, input.lease_s, input.dry_run).await?;
        Ok(Answer::new(effect, task.into()))
    }
}
