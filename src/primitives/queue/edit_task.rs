//! `edit-task`: change what is asked of a task.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TaskOutput;
use crate::{
    contract::{Answer, Code, Effects, Failure, Name, Reach, Violation, Violations},
    domain::task::{self, Backoff, Clearable, Edit, OnDependencyFailure, Resources, TaskId},
    primitives::Primitive,
    system::Context,
};

/// Changes what is asked of a task that has not ended; what is not given stays as it is.
///
/// `expected_version` is that of the task when it was looked at: where somebody changed it since, the call is `version_conflict`. A task that is
/// as wanted already stays as it is. The work itself cannot be changed. A task that a person let run, and whose resources, caps, budgets or attempts
/// are changed, or when it comes again, waits for a person again; `requires_approval` can be set and not taken away, which is for `decide-approval`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The task.
    pub(crate) task_id: TaskId,
    /// The version that the task has.
    #[schemars(range(min = 1))]
    pub(crate) expected_version: u64,
    /// One line on what it is about.
    #[serde(default)]
    #[schemars(length(max = 300))]
    pub(crate) title: Option<String>,
    /// Which of the tasks that can run comes first: 100 is first, 0 last.
    #[serde(default)]
    #[schemars(range(min = 0, max = 100))]
    pub(crate) priority: Option<u8>,
    /// What must have succeeded before, in place of what it was.
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub(crate) depends_on: Option<Vec<TaskId>>,
    /// What becomes of it when one of those does not succeed.
    #[serde(default)]
    pub(crate) on_dependency_failure: Option<OnDependencyFailure>,
    /// What it takes of the named limits while it is claimed; not of a task that is claimed.
    #[serde(default)]
    pub(crate) resources: Option<Resources>,
    /// Whether it waits until a person lets it run. Only `true`: by `decide-approval` a person lets it run.
    #[serde(default)]
    pub(crate) requires_approval: Option<bool>,
    /// How many attempts may fail before it has failed.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) max_attempts: Option<u32>,
    /// How long it waits after an attempt that failed.
    #[serde(default)]
    pub(crate) backoff: Option<Backoff>,
    /// When it is too late to start it (RFC 3339).
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub(crate) deadline: Option<String>,
    /// Before when it does not start (RFC 3339).
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub(crate) not_before: Option<String>,
    /// When it comes again, as in `enqueue-tasks`, from the next time on; the time of the task at hand is changed by `not_before`.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    pub(crate) every: Option<String>,
    /// The time zone in which the fields of `every` are read; UTC where none is named.
    #[serde(default)]
    #[schemars(length(min = 1, max = 64))]
    pub(crate) time_zone: Option<String>,
    /// US dollars that it may cost in all.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub(crate) budget_usd: Option<f64>,
    /// Seconds that its attempts may take in all.
    #[serde(default)]
    #[schemars(range(min = 1, max = 31_536_000))]
    pub(crate) max_wall_s: Option<u64>,
    /// The budgets that it spends of, in place of those it had.
    #[serde(default)]
    #[schemars(length(max = 8))]
    pub(crate) budgets: Option<Vec<Name>>,
    /// Words to find it by, in place of those it had.
    #[serde(default)]
    #[schemars(length(max = 32))]
    pub(crate) labels: Option<Vec<Name>>,
    /// What is taken out of it.
    #[serde(default)]
    #[schemars(length(max = 6))]
    pub(crate) clear: Vec<Clearable>,
    /// Whether only to say what would be done.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

/// Carries the declaration of `edit-task`.
pub(crate) struct EditTask;

impl Primitive for EditTask {
    const NAME: &'static str = "edit-task";
    const SUMMARY: &'static str = "Change what is asked of a task";
    const EFFECTS: Effects = Effects::ENSURES;
    const CODES: &'static [Code] = &[
        Code::TaskNotFound,
        Code::TaskEnded,
        Code::TaskClaimed,
        Code::VersionConflict,
        Code::DependencyCycle,
    ];
    const REACHES: &'static [(&'static str, Reach)] = &[
        ("title", Reach::Data),
        ("resources", Reach::Data),
        ("deadline", Reach::Data),
        ("not_before", Reach::Data),
        ("every", Reach::Data),
        ("time_zone", Reach::Data),
    ];
    type Input = Input;
    type Output = TaskOutput;

    fn examples() -> Vec<Input> {
        vec![Input {
            task_id: TaskId::fixed("task-1-00000001"),
            expected_version: 1,
            title: None,
            priority: Some(80),
            depends_on: None,
            on_dependency_failure: None,
            resources: None,
            requires_approval: None,
            max_attempts: None,
            backoff: None,
            deadline: None,
            not_before: None,
            every: None,
            time_zone: None,
            budget_usd: None,
            max_wall_s: None,
            budgets: None,
            labels: Some(vec![Name::fixed("urgent")]),
            clear: Vec::new(),
            dry_run: false,
        }]
    }

    fn check(input: &Input) -> Violations {
        let mut wrong = Violations::default();
        if input.requires_approval == Some(false) {
            let message = "no edit lets a task run that waits for a person";
            wrong.push(
                Violation::new("/requires_approval", "const", message)
                    .expecting("true, or nothing; a person calls decide-approval"),
            );
        }
        let times = [
            ("deadline", &input.deadline),
            ("not_before", &input.not_before),
        ];
        task::times("", times, &mut wrong);
        task::recurrence("", (&input.every, &input.time_zone), &mut wrong);
        if let Some(resources) = &input.resources {
            task::resources("/resources", resources, &mut wrong);
        }
        wrong
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<TaskOutput>, Failure> {
        let edit = Edit {
            title: input.title,
            priority: input.priority,
            depends_on: input.depends_on,
            on_dependency_failure: input.on_dependency_failure,
            resources: input.resources,
            requires_approval: input.requires_approval,
            max_attempts: input.max_attempts,
            backoff: input.backoff,
            deadline: input.deadline,
            not_before: input.not_before,
            every: input.every.map(|every| (every, input.time_zone)),
            budget_usd: input.budget_usd,
            max_wall_s: input.max_wall_s,
            budgets: input.budgets,
            labels: input.labels,
            clear: input.clear,
        };
        let (task, effect) = task::edit(
            context,
            &input.task_id,
            input.expected_version,
            edit,
            input.dry_run,
        )
        .await?;
        Ok(Answer::new(effect, task.into()))
    }
}
