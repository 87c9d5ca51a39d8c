//! `collect-tasks`: remove tasks that ended long ago.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    contract::{Answer, Code, Effects, Failure},
    domain::{
        task::{self, State, TaskId},
        worker,
    },
    primitives::Primitive,
    system::Context,
};

/// Removes tasks that ended at least `older_than_s` seconds ago, with all that belongs to them, the longest ended first.
///
/// What others depend on is kept as long as they are there. The keys of removed tasks are free again.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// Seconds since their end.
    #[serde(default = "older_than_s")]
    #[schemars(range(min = 0, max = 3_153_600_000_u64))]
    pub(crate) older_than_s: u64,
    /// How many to remove at most.
    #[serde(default = "limit")]
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) limit: u32,
    /// Whether only to say what would be done.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

const fn older_than_s() -> u64 {
    604_800
}

const fn limit() -> u32 {
    1000
}

/// What was removed, or would be.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The tasks that were removed.
    pub(crate) removed_tasks: Vec<Removed>,
    /// Tasks that ended long enough ago and are kept, at most 50.
    pub(crate) kept: Vec<Kept>,
    /// Whether the same call again would remove more.
    pub(crate) truncated: bool,
}

/// A task that was removed.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RemovedTask")]
pub(crate) struct Removed {
    /// The task.
    pub(crate) task_id: TaskId,
    /// How it ended.
    pub(crate) state: State,
    /// When (RFC 3339, UTC).
    pub(crate) finished_at: Option<String>,
}

/// A task that is kept.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "KeptTask")]
pub(crate) struct Kept {
    /// The task.
    pub(crate) task_id: TaskId,
    /// What depends on it, at most 50.
    pub(crate) dependents: Vec<TaskId>,
}

/// Carries the declaration of `collect-tasks`.
pub(crate) struct CollectTasks;

impl Primitive for CollectTasks {
    const NAME: &'static str = "collect-tasks";
    const SUMMARY: &'static str = "Remove tasks that ended long ago";
    const EFFECTS: Effects = Effects::REMOVES;
    const CODES: &'static [Code] = &[];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            older_than_s: 0,
            limit: limit(),
            dry_run: false,
        }]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let (found, effect) =
            task::collect(context, input.older_than_s, input.limit, input.dry_run).await?;
        if !input.dry_run {
            for task in &found.removed {
                worker::forget(context, &task.task_id);
            }
        }
        Ok(Answer::new(
            effect,
            Output {
                removed_tasks: found
                    .removed
                    .into_iter()
                    .map(|task| Removed {
                        task_id: task.task_id,
                        state: task.state,
                        finished_at: task.finished_at,
                    })
                    .collect(),
                kept: found
                    .kept
                    .into_iter()
                    .map(|(task_id, dependents)| Kept {
                        task_id,
                        dependents,
                    })
                    .collect(),
                truncated: found.is_cut,
            },
        ))
    }
}
