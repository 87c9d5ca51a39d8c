//! Facts about tasks in the queue.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Facts;
use crate::contract::bounded::{Few, Head};

/// A task that is not as needed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TaskDetails")]
pub struct Task {
    /// The task.
    task_id: Head<200>,
    /// The state it is in.
    state: Head<40>,
    /// Its version.
    version: u64,
    /// The number of its newest attempt.
    attempt: u64,
    /// Who holds it; null where nobody does.
    claimer: Option<Head<200>>,
    /// Until when (RFC 3339, UTC).
    lease_until: Option<Head<40>>,
    /// What is in its way, for a reader; at most 20.
    reasons: Few<Head<300>, 20>,
}

/// Tasks that depend on each other in a circle.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CycleDetails")]
pub struct Cycle {
    /// The tasks by id, or by their names in the batch: each depends on the next, and the last is the first again. At most 100.
    tasks: Few<Head<200>, 100>,
}

impl Facts for Task {}
impl Facts for Cycle {}

impl Task {
    /// Creates the facts from the task, its state, its version and its newest attempt.
    pub fn new(
        task_id: impl Into<Head<200>>,
        state: impl Into<Head<40>>,
        version: u64,
        attempt: u64,
    ) -> Self {
        Self {
            task_id: task_id.into(),
            state: state.into(),
            version,
            attempt,
            ..Self::default()
        }
    }

    /// Adds who holds it and until when, where somebody does.
    #[must_use]
    pub fn held_by(
        mut self,
        claimer: Option<impl Into<Head<200>>>,
        until: Option<impl Into<Head<40>>>,
    ) -> Self {
        self.claimer = claimer.map(Into::into);
        self.lease_until = until.map(Into::into);
        self
    }

    /// Adds what is in its way, of which the first 20 are taken.
    #[must_use]
    pub fn reasons<R: Into<Head<300>>>(mut self, reasons: impl IntoIterator<Item = R>) -> Self {
        self.reasons = reasons.into_iter().map(Into::into).collect();
        self
    }
}

impl Cycle {
    /// Creates the facts from the tasks, of which the first 100 are taken.
    pub fn new<N: Into<Head<200>>>(tasks: impl IntoIterator<Item = N>) -> Self {
        Self {
            tasks: tasks.into_iter().map(Into::into).collect(),
        }
    }
}
