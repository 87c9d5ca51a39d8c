//! What can go wrong with a task.

use std::io;

use serde_json::json;

use super::{
    id::TaskId,
    model::{State, Task},
    readiness::Reason,
};
use crate::{
    contract::{Below, Code, Coded, Next, Retry, details, details::Details, passes_on},
    domain::authorization,
    system::store,
};

/// A task as it stands, for an error about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    /// The task.
    pub(crate) task_id: TaskId,
    /// Its state.
    pub(crate) state: State,
    /// Its version.
    pub(crate) version: u64,
    /// The number of its newest attempt.
    pub(crate) attempt: u32,
    /// Who holds it.
    pub(crate) claimer: Option<String>,
    /// Until when (RFC 3339, UTC).
    pub(crate) lease_until: Option<String>,
}

impl From<&Task> for Known {
    fn from(task: &Task) -> Self {
        Self {
            task_id: task.task_id.clone(),
            state: task.state,
            version: task.version,
            attempt: task.attempts,
            claimer: task.lease.as_ref().map(|lease| lease.claimer.to_string()),
            lease_until: task.lease.as_ref().map(|lease| lease.until.clone()),
        }
    }
}

impl Known {
    /// Returns who holds it and until when, in words.
    fn holder(&self) -> String {
        match (&self.claimer, &self.lease_until) {
            (Some(claimer), Some(until)) => format!("{claimer} holds it until {until}"),
            _ => format!("nobody holds it, and it is {}", self.state.name()),
        }
    }

    fn details(&self) -> details::Task {
        details::Task::new(
            self.task_id.as_str(),
            self.state.name(),
            self.version,
            u64::from(self.attempt),
        )
        .held_by(self.claimer.as_deref(), self.lease_until.as_deref())
    }
}

/// Why an operation on tasks failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// No task of that id is recorded here.
    #[error("there is no task {task_id}")]
    NotFound {
        /// The id.
        task_id: TaskId,
    },
    /// Somebody else holds the task.
    #[error("{} is claimed: {}", .0.task_id, .0.holder())]
    Claimed(Known),
    /// Something is in the way of the task.
    #[error("{} cannot be claimed now: {}", .known.task_id, words(.reasons))]
    NotReady {
        /// The task.
        known: Known,
        /// What is in the way.
        reasons: Vec<Reason>,
    },
    /// The task has ended.
    #[error("{} has ended: it is {}", .0.task_id, .0.state.name())]
    Ended(Known),
    /// The task has ended, and its series goes on with another one.
    #[error("{} has ended: it is {}, and its series goes on with {by}", .known.task_id, .known.state.name())]
    Followed {
        /// The task.
        known: Known,
        /// The one that has not ended.
        by: TaskId,
    },
    /// The task has not ended.
    #[error("{} has not ended: it is {}", .0.task_id, .0.state.name())]
    NotEnded(Known),
    /// The fence of a write is not that of the holder any more.
    #[error("attempt {attempt} does not hold {} any more: {}", .known.task_id, .known.holder())]
    LeaseLost {
        /// The task.
        known: Known,
        /// The attempt that wrote.
        attempt: u32,
    },
    /// Somebody changed the task.
    #[error("{} has version {}, not {expected}", .known.task_id, .known.version)]
    VersionConflict {
        /// The task.
        known: Known,
        /// The version that was expected.
        expected: u64,
    },
    /// Tasks depend on each other in a circle.
    #[error("these tasks depend on each other in a circle: {}", .0.join(" → "))]
    Cycle(Vec<String>),
    /// The key belongs to another input.
    #[error("the idempotency key {key:?} was used for something else")]
    KeyReused {
        /// The key.
        key: String,
        /// The primitive it was used with.
        primitive: &'static str,
        /// The task that has it.
        task_id: TaskId,
    },
    /// Nobody's leave is needed for the task.
    #[error("{task_id} waits for nobody's leave")]
    NoApproval {
        /// The task.
        task_id: TaskId,
    },
    /// The task runs already.
    #[error("{} runs already: {}", .0.task_id, .0.holder())]
    Running(Known),
    /// The task has no such checkpoint.
    #[error("{task_id} has no such checkpoint")]
    NoCheckpoint {
        /// The task.
        task_id: TaskId,
    },
    /// This machine gives no random bytes.
    #[error("no random bytes: {0}")]
    Random(io::Error),
    /// An error from below.
    #[error(transparent)]
    Below(Below),
}

passes_on!(Error: authorization::Error, store::Error);

fn words(reasons: &[Reason]) -> String {
    let words: Vec<&str> = reasons
        .iter()
        .take(3)
        .map(|reason| reason.message.as_str())
        .collect();
    words.join("; ")
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::NotFound { .. } => Code::TaskNotFound,
            Self::Claimed(_) | Self::Running(_) => Code::TaskClaimed,
            Self::NotReady { .. } => Code::TaskNotReady,
            Self::Ended(_) | Self::Followed { .. } => Code::TaskEnded,
            Self::NotEnded(_) => Code::TaskNotEnded,
            Self::LeaseLost { .. } => Code::LeaseLost,
            Self::VersionConflict { .. } => Code::VersionConflict,
            Self::Cycle(_) => Code::DependencyCycle,
            Self::KeyReused { .. } => Code::IdempotencyKeyReused,
            Self::NoApproval { .. } => Code::RequestUnknown,
            Self::NoCheckpoint { .. } => Code::CheckpointNotFound,
            Self::Random(_) => Code::Internal,
            Self::Below(inner) => inner.code(),
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::NotFound { .. } => "Use an id from list-tasks.".to_owned(),
            Self::Claimed(known) => match &known.lease_until {
                Some(until) => format!(
                    "Take another task, or this one after {until} if its lease is not renewed."
                ),
                None => "Take another task.".to_owned(),
            },
            Self::NotReady { .. } => {
                "Remove what is in the way, or claim without a task_id what can run.".to_owned()
            }
            Self::Ended(_) => {
                "Look at it with show-task; retry-task lets one that did not succeed run again."
                    .to_owned()
            }
            Self::Followed { by, .. } => {
                format!(
                    "Send the call with {by}, which is the one of the series that has not ended."
                )
            }
            Self::NotEnded(_) => "Wait for its end, or end it with cancel-task.".to_owned(),
            Self::LeaseLost { .. } => {
                "Stop working on it: somebody else may be. What it stands at says show-task."
                    .to_owned()
            }
            Self::VersionConflict { known, .. } => format!(
                "Look at it with show-task, and send the change with expected_version {} if it is still wanted.",
                known.version
            ),
            Self::Cycle(_) => "Take one of these dependencies out.".to_owned(),
            Self::KeyReused { task_id, .. } => {
                format!("Use another key, or the input of {task_id}, which has this one.")
            }
            Self::NoApproval { .. } => {
                "Leave it: it runs when its turn comes. list-waiting shows what waits for a person."
                    .to_owned()
            }
            Self::Running(_) => {
                "Ask its holder to stop by cancel-task, or take it away by cancel-task with force."
                    .to_owned()
            }
            Self::NoCheckpoint { .. } => {
                "Use a number that show-task lists, or start from the beginning.".to_owned()
            }
            Self::Random(_) => "Make /dev/urandom readable.".to_owned(),
            Self::Below(inner) => inner.remediation(),
        }
    }

    fn details(&self) -> Details {
        match self {
            Self::NotFound { task_id } => details::Unknown::new("task", task_id.as_str()).into(),
            Self::Claimed(known)
            | Self::Running(known)
            | Self::Ended(known)
            | Self::NotEnded(known)
            | Self::Followed { known, .. }
            | Self::LeaseLost { known, .. }
            | Self::VersionConflict { known, .. } => known.details().into(),
            Self::NotReady { known, reasons } => known
                .details()
                .reasons(reasons.iter().map(|reason| reason.message.as_str()))
                .into(),
            Self::Cycle(tasks) => details::Cycle::new(tasks.iter().map(String::as_str)).into(),
            Self::KeyReused { key, primitive, .. } => details::Key::new(key, *primitive).into(),
            Self::NoApproval { task_id } => {
                details::Unknown::new("approval", task_id.as_str()).into()
            }
            Self::NoCheckpoint { task_id } => {
                details::Unknown::new("checkpoint", task_id.as_str()).into()
            }
            Self::Random(_) => Details::NONE,
            Self::Below(inner) => inner.details(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Below(inner) => inner.retry(),
            Self::NotFound { .. }
            | Self::Claimed(_)
            | Self::NotReady { .. }
            | Self::Ended(_)
            | Self::Followed { .. }
            | Self::NotEnded(_)
            | Self::LeaseLost { .. }
            | Self::VersionConflict { .. }
            | Self::Cycle(_)
            | Self::KeyReused { .. }
            | Self::NoApproval { .. }
            | Self::Running(_)
            | Self::NoCheckpoint { .. }
            | Self::Random(_) => self.code().retry(),
        }
    }

    fn next(&self) -> Vec<Next> {
        let show = |task_id: &TaskId| {
            vec![Next::new(
                "show-task",
                json!({"task_id": task_id}),
                "see how it stands, and why",
            )]
        };
        match self {
            Self::NotFound { .. } => {
                vec![Next::new(
                    "list-tasks",
                    json!({}),
                    "see which tasks there are",
                )]
            }
            Self::Claimed(known)
            | Self::Running(known)
            | Self::Ended(known)
            | Self::NotEnded(known)
            | Self::LeaseLost { known, .. }
            | Self::NotReady { known, .. }
            | Self::VersionConflict { known, .. } => show(&known.task_id),
            Self::Followed { by, .. } => show(by),
            Self::KeyReused { task_id, .. }
            | Self::NoApproval { task_id }
            | Self::NoCheckpoint { task_id } => show(task_id),
            Self::Cycle(_) | Self::Random(_) => Vec::new(),
            Self::Below(inner) => inner.next(),
        }
    }
}
