//! `report-progress`: how far the work on a task is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::TaskOutput;
use crate::{
    contract::{Answer, Code, Effects, Failure, Reach, Violations},
    domain::task::{self, Fence, Report, Spent, TaskId},
    primitives::Primitive,
    system::Context,
};

/// Notes how far the work on a task is and what it has cost, and keeps a checkpoint for whoever claims the task next.
///
/// It is no sign of life: that is `renew-lease`. Where the task has cost what it may, it ends as `budget_exhausted` at once, what it
/// took of the limits is free, and what was done can be handed in by one `complete-task`. `task.asked` says whether somebody wants it back.
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
    /// How much is done, in percent.
    #[serde(default)]
    #[schemars(range(min = 0, max = 100))]
    pub(crate) done_percent: Option<f64>,
    /// One line on it.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub(crate) message: Option<String>,
    /// US dollars that this attempt cost so far, all in all.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub(crate) cost_usd: f64,
    /// Seconds that this attempt took so far, all in all.
    #[serde(default)]
    #[schemars(range(min = 0, max = 31_536_000))]
    pub(crate) wall_s: f64,
    /// What whoever claims it next should know, as JSON of at most 262,144 bytes. The ten newest are kept; one that is as the
    /// newest adds nothing.
    #[serde(default)]
    pub(crate) checkpoint: Option<Map<String, Value>>,
    /// Whether only to say what would be done.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

/// Carries the declaration of `report-progress`.
pub(crate) struct ReportProgress;

impl Primitive for ReportProgress {
    const NAME: &'static str = "report-progress";
    const SUMMARY: &'static str = "Note how far the work on a task is";
    const EFFECTS: Effects = Effects::ENSURES;
    const CODES: &'static [Code] = &[Code::TaskNotFound, Code::LeaseLost];
    const REACHES: &'static [(&'static str, Reach)] = &[
        ("token", Reach::Data),
        ("message", Reach::Data),
        ("checkpoint", Reach::Data),
    ];
    type Input = Input;
    type Output = TaskOutput;

    fn examples() -> Vec<Input> {
        vec![Input {
            task_id: TaskId::fixed("task-2-00000002"),
            attempt: 1,
            token: "2-0000000000000002".to_owned(),
            done_percent: Some(40.0),
            message: Some("the bug is reproduced".to_owned()),
            cost_usd: 0.1,
            wall_s: 30.0,
            checkpoint: Some(Map::from_iter([("commit".to_owned(), json!("4b825dc"))])),
            dry_run: false,
        }]
    }

    fn check(input: &Input) -> Violations {
        super::bounded("/checkpoint", input.checkpoint.as_ref())
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
        let report = Report {
            done_percent: input.done_percent,
            message: input.message,
            spent,
            checkpoint: input.checkpoint.map(Value::from),
        };
        let (task, effect) = task::report(context, &fence, report, input.dry_run).await?;
        Ok(Answer::new(effect, task.into()))
    }
}
