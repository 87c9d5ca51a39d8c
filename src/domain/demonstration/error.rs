//! What can go wrong with the demonstration.

use crate::{
    contract::{Below, Code, Coded, Name, Next, Retry, details, details::Details, passes_on},
    domain::{agent, host, investigation, job, preflight, workspace},
    system::{configuration, files, machine},
};

/// Why the demonstration did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The small repository could not be made.
    #[error("the demonstration's repository could not be made on {host}")]
    Repository {
        /// The machine.
        host: String,
        /// The exit status of the script that makes it.
        status: i32,
        /// Its standard error.
        stderr: String,
    },
    /// The agent made no fix that a verification proved.
    #[error("the demonstration's job {job_id} ended as {outcome}")]
    NotFixed {
        /// The job.
        job_id: String,
        /// Its outcome.
        outcome: String,
        /// The summary of the agent.
        why: String,
    },
    /// Each new job of the demonstration lost its folder.
    #[error("the jobs of the demonstration on {repository} lose their folders")]
    Lost {
        /// The demonstration's repository.
        repository: Name,
    },
    /// An error from below.
    #[error(transparent)]
    Below(Below),
}

passes_on!(
    Error: agent::Error, host::Error, investigation::Error, job::Error, preflight::Error, workspace::Error, configuration::Error,
    files::Error, machine::Error,
);

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Repository { .. } | Self::NotFixed { .. } | Self::Lost { .. } => Code::StepFailed,
            Self::Below(inner) => inner.code(),
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::NotFixed { job_id, .. } => format!(
                "Look at what the agent did with tail-log for {job_id}, or run the demonstration with agent demo, which needs no model."
            ),
            Self::Repository { .. } => {
                "Read details.stderr, repair the machine, and send the same call again.".to_owned()
            }
            Self::Lost { .. } => {
                "Find out what removes legwork's folder from the host, then give the demonstration another name.".to_owned()
            }
            Self::Below(inner) => inner.remediation(),
        }
    }

    fn details(&self) -> Details {
        match self {
            Self::NotFixed { outcome, why, .. } => {
                details::Step::new("verify", outcome, why).into()
            }
            Self::Repository { status, stderr, .. } => details::Step::new("repository", "", stderr)
                .exited(Some(i64::from(*status)))
                .into(),
            Self::Lost { repository } => details::Step::new(
                "launch",
                "",
                format!("no job of {repository} keeps its folder"),
            )
            .into(),
            Self::Below(inner) => inner.details(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Repository { .. } | Self::NotFixed { .. } | Self::Lost { .. } => {
                self.code().retry()
            }
            Self::Below(inner) => inner.retry(),
        }
    }

    fn next(&self) -> Vec<Next> {
        match self {
            Self::NotFixed { job_id, .. } => vec![Next::new(
                "tail-log",
                serde_json::json!({"job_id": job_id}),
                "see what the agent did",
            )],
            Self::Repository { .. } | Self::Lost { .. } => Vec::new(),
            Self::Below(inner) => inner.next(),
        }
    }
}
