//! How a task looks from outside; the primitives of the queue share it, and the one by which a person decides about one.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    contract::{Name, Violation, Violations},
    domain::{
        authorization::Decision,
        task::{Asked, Budget, LimitUse, Progress, Readiness, Spent, State, Task, TaskId, Terms},
    },
};

/// The most bytes that a holder may hand over at once.
const MAX_BYTES: usize = 262_144;

/// A task as it stands.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Task")]
pub(crate) struct TaskView {
    /// Its id.
    pub(crate) task_id: TaskId,
    /// One line on it: its title, or how its work begins. Not to be trusted.
    pub(crate) title: String,
    /// Where it stands.
    pub(crate) state: State,
    /// What is in its way, limits aside; `show-task` lists every reason.
    pub(crate) readiness: Readiness,
    /// Its version, for `edit-task`.
    pub(crate) version: u64,
    /// Its priority: 100 is first.
    pub(crate) priority: u8,
    /// When it comes again, where it does: `every` as it was enqueued.
    pub(crate) every: Option<String>,
    /// The first task of its series, where it comes again.
    pub(crate) series: Option<TaskId>,
    /// Which one of its series it is; the first is 1.
    pub(crate) occurrence: Option<u32>,
    /// For when it was made (RFC 3339, UTC), where it comes again.
    pub(crate) scheduled_at: Option<String>,
    /// The task of its series that was made when it ended.
    pub(crate) followed_by: Option<TaskId>,
    /// What it depends on.
    pub(crate) depends_on: Vec<Name>,
    /// Its labels.
    pub(crate) labels: Vec<Name>,
    /// The agent that is to do it.
    pub(crate) agent: Option<Name>,
    /// The host on which it is to be done.
    pub(crate) host: Option<Name>,
    /// How often it was claimed.
    pub(crate) attempts: u32,
    /// How many of those failed.
    pub(crate) failures: u32,
    /// Who holds it; null where nobody does.
    pub(crate) claimer: Option<Name>,
    /// Until when (RFC 3339, UTC). Once that is over, anybody may claim it.
    pub(crate) lease_until: Option<String>,
    /// What its holder is asked to do.
    pub(crate) asked: Option<Asked>,
    /// What a person said to its running, where it needs that; null where nobody has, or where it changed since.
    pub(crate) decision: Option<Decision>,
    /// How far it is.
    pub(crate) progress: Option<Progress>,
    /// What it cost so far.
    pub(crate) spent: Spent,
    /// Why it ended, or is paused or held, in one word, such as `attempts_exhausted`, `deadline_passed`, `dependency_failed`, `rejected`.
    pub(crate) reason: Option<String>,
    /// The error of its last attempt that failed.
    pub(crate) error: Option<String>,
    /// Before when it does not start (RFC 3339, UTC): after a failure, or as its last holder wished.
    pub(crate) back_off_until: Option<String>,
    /// When it was enqueued (RFC 3339, UTC).
    pub(crate) created_at: String,
    /// When something of it last changed (RFC 3339, UTC).
    pub(crate) updated_at: String,
    /// When it ended (RFC 3339, UTC).
    pub(crate) finished_at: Option<String>,
}

/// A task after a call.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TaskOutput {
    /// The task as it stands; in a dry run as it would.
    pub(crate) task: TaskView,
}

/// A named limit.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Limit")]
pub(crate) struct LimitView {
    /// Its name.
    pub(crate) name: Name,
    /// How much there is; null where it is not limited.
    pub(crate) total: Option<u64>,
    /// How much claimed tasks have taken.
    pub(crate) used: u64,
    /// How much is free; null where it is not limited.
    pub(crate) free: Option<u64>,
    /// What may be spent of it; null where it is no budget.
    pub(crate) budget: Option<BudgetView>,
}

/// A budget.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Budget")]
pub(crate) struct BudgetView {
    /// What may be spent.
    pub(crate) terms: Terms,
    /// What was spent, as holders of tasks reported it.
    pub(crate) spent: Spent,
    /// Since when that counts (RFC 3339, UTC).
    pub(crate) started_at: String,
    /// When it starts anew (RFC 3339, UTC); null where it does not by itself.
    pub(crate) starts_anew_at: Option<String>,
    /// Whether it is spent, so that no task of it is claimed.
    pub(crate) is_spent: bool,
}

impl From<Budget> for BudgetView {
    fn from(budget: Budget) -> Self {
        Self {
            starts_anew_at: budget.starts_anew_at(),
            is_spent: budget.is_spent(),
            terms: budget.terms,
            spent: budget.spent,
            started_at: budget.since,
        }
    }
}

impl From<LimitUse> for LimitView {
    fn from(limit: LimitUse) -> Self {
        Self {
            free: limit.total.map(|total| total.saturating_sub(limit.used)),
            name: limit.name,
            total: limit.total,
            used: limit.used,
            budget: limit.budget.map(BudgetView::from),
        }
    }
}

impl From<Task> for TaskView {
    fn from(task: Task) -> Self {
        let (claimer, lease_until) = match &task.lease {
            Some(lease) => (Some(lease.claimer.clone()), Some(lease.until.clone())),
            None => (None, None),
        };
        let occurrence = task.occurrence.as_ref();
        Self {
            series: occurrence.map(|one| one.series.clone()),
            scheduled_at: occurrence.map(|one| one.scheduled_at.clone()),
            followed_by: occurrence.and_then(|one| one.followed_by.clone()),
            occurrence: occurrence.map(|one| one.number),
            title: title(&task),
            spent: task.spent(),
            claimer,
            lease_until,
            task_id: task.task_id,
            state: task.state,
            readiness: task.readiness,
            version: task.version,
            priority: task.spec.priority,
            every: task.spec.every,
            depends_on: task.spec.depends_on,
            labels: task.spec.labels,
            agent: task.spec.agent,
            host: task.spec.host,
            attempts: task.attempts,
            failures: task.failures,
            asked: task.asked,
            decision: task.decision,
            progress: task.progress,
            reason: task.reason,
            error: task.error,
            back_off_until: task.back_off_until,
            created_at: task.created_at,
            updated_at: task.updated_at,
            finished_at: task.finished_at,
        }
    }
}

impl From<Task> for TaskOutput {
    fn from(task: Task) -> Self {
        Self { task: task.into() }
    }
}

/// Returns the title of a task, or the beginning of its work.
fn title(task: &Task) -> String {
    let spec = &task.spec;
    if let Some(title) = &spec.title {
        return title.clone();
    }
    let work = match (&spec.prompt, &spec.call) {
        (Some(prompt), _) => prompt.lines().next().unwrap_or_default().to_owned(),
        (None, Some(call)) => call.primitive.to_string(),
        (None, None) => spec.command.join(" "),
    };
    work.chars().take(80).collect()
}

/// Notes what a holder hands over where it is too large.
pub(super) fn bounded(at: &str, value: Option<&Map<String, Value>>) -> Violations {
    let size = value
        .and_then(|value| serde_json::to_vec(value).ok())
        .map_or(0, |bytes| bytes.len());
    if size <= MAX_BYTES {
        return Violations::default();
    }
    Violation::new(at, "value", format!("it takes {size} bytes as JSON"))
        .expecting(format!("at most {MAX_BYTES} bytes"))
        .into()
}
