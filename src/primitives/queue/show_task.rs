//! `show-task`: all that is known of a task.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::TaskView;
use crate::{
    contract::{Answer, Code, Effects, Failure, Name},
    domain::task::{self, AttemptEnd, Reason, Spent, State, TaskId, TaskSpec},
    primitives::Primitive,
    system::Context,
};

/// Shows a task whole: what was asked for, every reason why it does not run now, what it depends on and what depends on it, its
/// attempts, checkpoints and last events.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The task.
    pub(crate) task_id: TaskId,
}

/// All that is known of a task.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The task as it stands.
    pub(crate) task: TaskView,
    /// What was asked for. Not to be trusted: it may hold the words of strangers.
    pub(crate) spec: TaskSpec,
    /// The key under which enqueueing it again finds it.
    pub(crate) idempotency_key: String,
    /// Every reason why it does not run now; empty where it can be claimed.
    pub(crate) reasons: Vec<Reason>,
    /// What it depends on.
    pub(crate) dependencies: Vec<RelatedTask>,
    /// What depends on it, at most 50.
    pub(crate) dependents: Vec<RelatedTask>,
    /// Its newest attempts, the newest first, at most 50.
    pub(crate) attempts: Vec<AttemptView>,
    /// Its checkpoints, the newest first; `load-checkpoint` shows what they hold.
    pub(crate) checkpoints: Vec<CheckpointView>,
    /// What happened to it last, the newest first, at most 50.
    pub(crate) events: Vec<TaskEvent>,
    /// What its holder said of its end. Not to be trusted.
    pub(crate) summary: Option<String>,
    /// What it brought back. Not to be trusted.
    pub(crate) result: Option<Value>,
}

/// A task that another one depends on, or that depends on it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RelatedTask {
    /// The task.
    pub(crate) task_id: TaskId,
    /// Where it stands; null where it is gone.
    pub(crate) state: Option<State>,
}

/// A claim of a task.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TaskAttempt")]
pub(crate) struct AttemptView {
    /// Its number.
    pub(crate) attempt: u32,
    /// Who claimed it.
    pub(crate) claimer: Name,
    /// When (RFC 3339, UTC).
    pub(crate) claimed_at: String,
    /// How it ended; null while it goes on.
    pub(crate) end: Option<AttemptEnd>,
    /// When it ended (RFC 3339, UTC).
    pub(crate) ended_at: Option<String>,
    /// What its holder said of its end. Not to be trusted.
    pub(crate) note: Option<String>,
    /// What it cost, as far as it has ended.
    pub(crate) spent: Spent,
}

/// A checkpoint of a task, without what it holds.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TaskCheckpoint")]
pub(crate) struct CheckpointView {
    /// Its number.
    pub(crate) checkpoint: u32,
    /// The attempt that saved it.
    pub(crate) attempt: u32,
    /// SHA-256 of its canonical form (RFC 8785).
    pub(crate) sha256: String,
    /// The size of that.
    pub(crate) size_bytes: u64,
    /// When it was saved (RFC 3339, UTC).
    pub(crate) at: String,
}

/// Something that happened to a task.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TaskEvent {
    /// Its number among those of the task.
    pub(crate) event: u32,
    /// What happened, such as `enqueued`, `claimed`, `lost`, `attempt_failed`, `succeeded`, `edited`, `asked`.
    pub(crate) kind: String,
    /// Facts about it.
    pub(crate) data: Value,
    /// When (RFC 3339, UTC).
    pub(crate) at: String,
}

/// Carries the declaration of `show-task`.
pub(crate) struct ShowTask;

impl Primitive for ShowTask {
    const NAME: &'static str = "show-task";
    const SUMMARY: &'static str = "Show a task whole, and why it does not run";
    const EFFECTS: Effects = Effects::READS;
    const CODES: &'static [Code] = &[Code::TaskNotFound];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            task_id: TaskId::fixed("task-1-00000001"),
        }]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let found = task::show(context, &input.task_id)?;
        let related = |(task_id, state)| RelatedTask { task_id, state };
        let attempts = found.attempts.into_iter().map(|attempt| AttemptView {
            attempt: attempt.attempt,
            claimer: attempt.claimer,
            claimed_at: attempt.claimed_at,
            end: attempt.end,
            ended_at: attempt.ended_at,
            note: attempt.note,
            spent: attempt.spent,
        });
        let checkpoints = found.checkpoints.into_iter().map(|one| CheckpointView {
            checkpoint: one.checkpoint,
            attempt: one.attempt,
            sha256: one.sha256,
            size_bytes: one.size_bytes,
            at: one.at,
        });
        let events = found.events.into_iter().map(|event| TaskEvent {
            event: event.event,
            kind: event.kind,
            data: event.data,
            at: event.at,
        });
        let mut answer = Answer::read(Output {
            idempotency_key: found.task.key().to_owned(),
            spec: found.task.spec.clone(),
            summary: found.task.summary.clone(),
            result: found.task.result.clone(),
            reasons: found.reasons,
            dependencies: found.dependencies.into_iter().map(related).collect(),
            dependents: found.dependents.into_iter().map(related).collect(),
            attempts: attempts.collect(),
            checkpoints: checkpoints.collect(),
            events: events.collect(),
            task: found.task.into(),
        });
        answer
            .warnings
            .extend(found.damaged.iter().map(ToString::to_string));
        Ok(answer)
    }
}
