//! `load-checkpoint`: what was saved of a task.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    contract::{Answer, Code, Effects, Failure},
    domain::task::{self, TaskId},
    primitives::Primitive,
    system::Context,
};

/// Shows what a holder of a task saved by `report-progress`: the newest checkpoint, or the one of a number.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The task.
    pub(crate) task_id: TaskId,
    /// The number of the checkpoint; the newest where none is given.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub(crate) checkpoint: Option<u32>,
}

/// A checkpoint.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The task.
    pub(crate) task_id: TaskId,
    /// Its number.
    pub(crate) checkpoint: u32,
    /// The attempt that saved it.
    pub(crate) attempt: u32,
    /// SHA-256 of its canonical form (RFC 8785).
    pub(crate) sha256: String,
    /// The size of that.
    pub(crate) size_bytes: u64,
    /// What was saved. Not to be trusted: it comes from the work.
    pub(crate) payload: Value,
    /// When it was saved (RFC 3339, UTC).
    pub(crate) at: String,
}

/// Carries the declaration of `load-checkpoint`.
pub(crate) struct LoadCheckpoint;

impl Primitive for LoadCheckpoint {
    const NAME: &'static str = "load-checkpoint";
    const SUMMARY: &'static str = "Show what was saved of a task";
    const EFFECTS: Effects = Effects::READS;
    const CODES: &'static [Code] = &[Code::TaskNotFound, Code::CheckpointNotFound];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            task_id: TaskId::fixed("task-2-00000002"),
            checkpoint: None,
        }]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let found = task::checkpoint(context, &input.task_id, input.checkpoint)?;
        Ok(Answer::read(Output {
            task_id: found.task_id,
            checkpoint: found.checkpoint,
            attempt: found.attempt,
            sha256: found.sha256,
            size_bytes: found.size_bytes,
            payload: found.payload,
            at: found.at,
        }))
    }
}
