//! What can go wrong with a worker, and with what it runs.

use std::io;

use crate::{
    contract::{Below, Code, Coded, Name, Next, Retry, details, details::Details, passes_on},
    domain::{agent, gpu, host, run, task},
    system::{configuration, files, living_process::LivingProcess, store},
};

/// Why a worker or what it runs cannot be started, found or ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// No worker of that name ever ran here.
    #[error("there is no worker {worker}")]
    NotFound {
        /// The name.
        worker: Name,
    },
    /// A worker of that name runs already.
    #[error("the worker {worker} runs already")]
    Running {
        /// The name.
        worker: Name,
        /// Its process, where that is known.
        process: Option<LivingProcess>,
    },
    /// A worker of that name runs where it cannot be seen from here.
    #[error("the worker {worker} runs already, on {node}")]
    Taken {
        /// The name.
        worker: Name,
        /// The machine.
        node: String,
    },
    /// A worker runs, or may run, where it cannot be ended from here.
    #[error("the worker {worker} runs on {node}, or for another home, and can be ended only there")]
    OutOfReach {
        /// The name.
        worker: Name,
        /// The machine.
        node: String,
    },
    /// A worker that was started did not come up.
    #[error("the worker {worker} did not start: {reason}")]
    NotStarted {
        /// The name.
        worker: Name,
        /// Why, as far as is known.
        reason: String,
        /// The end of what it printed.
        log: String,
    },
    /// A worker that was asked to end has not ended.
    #[error("the worker {worker} has not ended: process {pid} is still at work")]
    NotEnded {
        /// The name.
        worker: Name,
        /// Its process.
        pid: u32,
    },
    /// A worker cannot be signalled by this user.
    #[error("process {pid} of the worker {worker} cannot be signalled: {reason}")]
    NotYours {
        /// The name.
        worker: Name,
        /// Its process.
        pid: u32,
        /// Why not.
        reason: String,
    },
    /// A folder of this machine cannot be made.
    #[error(transparent)]
    Folder(files::Error),
    /// A program of this machine cannot be started.
    #[error("cannot start a program: {0}")]
    Start(io::Error),
    /// An error from below.
    #[error(transparent)]
    Below(Below),
}

passes_on!(Error: agent::Error, configuration::Error, files::Error, gpu::Error, host::Error, run::Error, store::Error, task::Error);

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::NotFound { .. } => Code::WorkerNotFound,
            Self::Running { .. } | Self::Taken { .. } => Code::WorkerRunning,
            Self::NotStarted { .. } => Code::WorkerNotStarted,
            Self::NotEnded { .. } | Self::NotYours { .. } | Self::OutOfReach { .. } => {
                Code::WorkerNotEnded
            }
            Self::Folder(inner) => inner.code(),
            Self::Start(_) => Code::HostToolMissing,
            Self::Below(inner) => inner.code(),
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::NotFound { .. } => {
                "Use a name from list-sessions, or start it with start-worker.".to_owned()
            }
            Self::Running { .. } => {
                "Use another name, or end that one with stop-worker first.".to_owned()
            }
            Self::Taken { .. } => {
                "Use another name: of each there is one among all who share the store.".to_owned()
            }
            Self::OutOfReach { node, .. } => {
                format!("Send the same call on {node}, with the LEGWORK_HOME of that worker.")
            }
            Self::NotStarted { .. } => {
                "Read details.stderr, remove the cause, and send the same call again.".to_owned()
            }
            Self::NotEnded { .. } => {
                "Wait for what it runs, look at worker-status, or send the call again with force."
                    .to_owned()
            }
            Self::NotYours { .. } => "Send the call as the user who started it.".to_owned(),
            Self::Folder(inner) => inner.remediation(),
            Self::Start(_) => "Make /bin/sh work on this machine.".to_owned(),
            Self::Below(inner) => inner.remediation(),
        }
    }

    fn details(&self) -> Details {
        match self {
            Self::NotFound { worker } => details::Unknown::new("worker", worker.as_str()).into(),
            Self::Running { worker, .. } | Self::Taken { worker, .. } => {
                details::Unknown::new("worker", worker.as_str()).into()
            }
            Self::NotStarted { reason, log, .. } => {
                details::Step::new("start-worker", reason, log).into()
            }
            Self::NotEnded { worker, .. }
            | Self::NotYours { worker, .. }
            | Self::OutOfReach { worker, .. } => {
                details::Unknown::new("worker", worker.as_str()).into()
            }
            Self::Folder(inner) => inner.details(),
            Self::Start(source) => {
                details::Tool::new("/bin/sh", "local", source.to_string()).into()
            }
            Self::Below(inner) => inner.details(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Folder(inner) => inner.retry(),
            Self::Below(inner) => inner.retry(),
            Self::NotFound { .. }
            | Self::Running { .. }
            | Self::NotStarted { .. }
            | Self::NotEnded { .. }
            | Self::NotYours { .. }
            | Self::Taken { .. }
            | Self::OutOfReach { .. }
            | Self::Start(_) => self.code().retry(),
        }
    }

    fn next(&self) -> Vec<Next> {
        match self {
            Self::NotFound { .. } => vec![Next::new(
                "list-sessions",
                serde_json::json!({}),
                "see which workers there were",
            )],
            Self::Running { worker, .. }
            | Self::Taken { worker, .. }
            | Self::NotEnded { worker, .. }
            | Self::OutOfReach { worker, .. } => vec![Next::new(
                "worker-status",
                serde_json::json!({"name": worker}),
                "see what it does",
            )],
            Self::Below(inner) => inner.next(),
            Self::NotStarted { .. } | Self::NotYours { .. } | Self::Folder(_) | Self::Start(_) => {
                Vec::new()
            }
        }
    }
}
