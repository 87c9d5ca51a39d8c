//! What can go wrong with the demonstration.

use crate::{
    contract::{Code, Coded, Next, Retry, details, details::Details},
    domain::{host, investigation, workspace},
    system::{files, machine},
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
        /// What was complained.
        stderr: String,
    },
    /// The agent did not bring a proven fix.
    #[error("the demonstration's job {job_id} ended as {outcome}")]
    NotFixed {
        /// The job.
        job_id: String,
        /// What the evidence says of it.
        outcome: String,
        /// What the agent says.
        why: String,
    },
    /// The host cannot be used.
    #[error(transparent)]
    Host(#[from] host::Error),
    /// The host gave no whole answer.
    #[error(transparent)]
    Machine(#[from] machine::Error),
    /// The workspace could not be made.
    #[error(transparent)]
    Workspace(#[from] workspace::Error),
    /// The job did not come to its end.
    #[error(transparent)]
    Investigation(#[from] investigation::Error),
    /// The disk here cannot be used.
    #[error(transparent)]
    Files(#[from] files::Error),
}

impl Error {
    fn inner(&self) -> Option<&dyn Coded> {
        match self {
            Self::Host(inner) => Some(inner),
            Self::Machine(inner) => Some(inner),
            Self::Workspace(inner) => Some(inner),
            Self::Investigation(inner) => Some(inner),
            Self::Files(inner) => Some(inner),
            Self::Repository { .. } | Self::NotFixed { .. } => None,
        }
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "errors that are only passed on are answered before, by `inner`"
)]
impl Coded for Error {
    fn code(&self) -> Code {
        self.inner().map_or(Code::StepFailed, Coded::code)
    }

    fn remediation(&self) -> String {
        if let Some(inner) = self.inner() {
            return inner.remediation();
        }
        match self {
            Self::NotFixed { job_id, .. } => format!(
                "Look at what the agent did with tail-log for {job_id}, or run the demonstration with agent demo, which needs no model."
            ),
            _ => "Read details.stderr, mend the machine, and send the same call again.".to_owned(),
        }
    }

    fn details(&self) -> Details {
        if let Some(inner) = self.inner() {
            return inner.details();
        }
        match self {
            Self::NotFixed { outcome, why, .. } => details::Step {
                step: "verify".to_owned(),
                stdout: outcome.clone(),
                stderr: why.clone(),
                ..details::Step::default()
            }
            .into(),
            Self::Repository { status, stderr, .. } => details::Step {
                step: "repository".to_owned(),
                exit_status: Some(i64::from(*status)),
                stderr: stderr.clone(),
                ..details::Step::default()
            }
            .into(),
            _ => Details::None,
        }
    }

    fn retry(&self) -> Retry {
        self.inner()
            .map_or_else(|| self.code().retry(), Coded::retry)
    }

    fn next(&self) -> Vec<Next> {
        match self {
            Self::NotFixed { job_id, .. } => vec![Next::new(
                "tail-log",
                serde_json::json!({"job_id": job_id}),
                "see what the agent did",
            )],
            _ => self.inner().map(Coded::next).unwrap_or_default(),
        }
    }
}
