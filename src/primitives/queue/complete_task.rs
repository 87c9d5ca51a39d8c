//! `complete-task`: end a task as done.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::TaskOutput;
use crate::{
    contract::{Answer, Code, Effects, Failure, Reach, Violations},
    domain::task::{self, Fence, Spent, TaskId},
    primitives::Primitive,
    system::Context,
};

/// Ends a task as succeeded, with a summary and a result for whoever asked for it.
///
/// Where it has cost what it may, its end is `budget_exhausted`; a task that ended so by a report can still be handed in once. The same
/// call again changes nothing. Where somebody else has claimed the task since, the call is `lease_lost` and says who.
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
    /// What was done, for a reader.
    #[serde(default)]
    #[schemars(length(max = 16_384))]
    pub(crate) summary: Option<String>,
    /// What it brought back, as JSON of at most 262,144 bytes; large things are left where they are and named.
    #[serde(default)]
    pub(crate) result: Option<Map<String, Value>>,
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

/// Carries the declaration of `complete-task`.
pub(crate) struct CompleteTask;

impl Primitive for CompleteTask {
    const NAME: &'static str = "complete-task";
    const SUMMARY: &'static str = "End a task as done";
    const EFFECTS: Effects = Effects::ENSURES;
    const CODES: &'static [Code] = &[Code::TaskNotFound, Code::LeaseLost, Code::TaskEnded];
    const REACHES: &'static [(&'static str, Reach)] = &[
        ("token", Reach::Data),
        ("summary", Reach::Data),
        ("result", Reach::Data),
    ];
    type Input = Input;
    type Output = TaskOutput;

    fn examples() -> Vec<Input> {
        vec![Input {
            task_id: TaskId::fixed("task-2-00000002"),
            attempt: 1,
            token: "2-0000000000000002".to_owned(),
            summary: Some("The total of an empty cart is 0.".to_owned()),
            result: Some(Map::from_iter([(
                "branch".to_owned(),
                json!("fix-empty-cart"),
            )])),
            cost_usd: 0.25,
            wall_s: 61.5,
            dry_run: false,
        }]
    }

    fn check(input: &Input) -> Violations {
        super::bounded("/result", input.result.as_ref())
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
        let result = input.result.map(Value::from);
        let (task, effect) = task::complete(
            context,
            &fence,
            input.summary.as_deref(),
            result,
            spent,
            input.dry_run,
        )
        .await?;
        Ok(Answer::new(effect, task.into()))
    }
}
