//! What can go wrong with a job that is known here.

use serde_json::json;

use crate::{
    contract::{
        Below, Code, Coded, JobId, Name, Next, Retry, details, details::Details, passes_on,
    },
    domain::{host, run},
    system::{files, machine, script_failure::ScriptFailure, store},
};

/// Why an operation on a job failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// No job of that id is recorded here.
    #[error("there is no job {job_id}")]
    NotFound {
        /// The id.
        job_id: JobId,
    },
    /// The job has not ended.
    #[error("the job {job_id} has not ended: it is {state}")]
    NotEnded {
        /// The job.
        job_id: JobId,
        /// Its last known state.
        state: run::State,
        /// When its host last reported it.
        last_evidence_at: Option<String>,
    },
    /// Processes of the job live on after KILL.
    #[error("{} processes of {job_id} did not end", .pids.len())]
    Survivors {
        /// The job.
        job_id: JobId,
        /// The processes.
        pids: Vec<u32>,
    },
    /// The job did not end in the time to wait.
    #[error("{job_id} had not ended when the time to wait was over")]
    WaitOver {
        /// The job.
        job_id: JobId,
        /// Its last known state.
        state: run::State,
        /// When its host last reported it.
        last_evidence_at: Option<String>,
    },
    /// The job's host does not answer.
    #[error("the host of {job_id} does not answer")]
    Unreachable {
        /// The job.
        job_id: JobId,
        /// Its last known state.
        state: run::State,
        /// When its host last reported it.
        last_evidence_at: Option<String>,
    },
    /// The job's folder is gone from its host.
    #[error("the folder of {job_id} is gone from {host}")]
    FolderMissing {
        /// The job.
        job_id: JobId,
        /// The host.
        host: Name,
        /// Its last known state.
        state: run::State,
        /// When its host last reported it.
        last_evidence_at: Option<String>,
    },
    /// The job ended otherwise than required.
    #[error("{job_id} is required to be {required} and is {state}{}", .outcome.as_ref().map_or_else(String::new, |outcome| format!(", {outcome}")))]
    Requirement {
        /// The job.
        job_id: JobId,
        /// What was required.
        required: String,
        /// How the run ended.
        state: run::State,
        /// What the evidence says.
        outcome: Option<String>,
    },
    /// An error from below.
    #[error(transparent)]
    Below(Below),
}

passes_on!(Error: host::Error, run::Error, machine::Error, ScriptFailure, files::Error, store::Error);

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::NotFound { .. } => Code::JobNotFound,
            Self::NotEnded { .. } => Code::JobNotEnded,
            Self::Survivors { .. } => Code::ProcessesSurvived,
            Self::WaitOver { .. } => Code::WaitTimedOut,
            Self::Unreachable { .. } => Code::JobUnreachable,
            Self::FolderMissing { .. } => Code::JobFolderMissing,
            Self::Requirement { .. } => Code::RequirementUnmet,
            Self::Below(inner) => inner.code(),
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::NotFound { .. } => "Use an id from list-jobs.".to_owned(),
            Self::NotEnded { job_id, .. } => {
                format!("Wait for {job_id} with wait-job, or cancel it.")
            }
            Self::Survivors { .. } => {
                "Send the same call again; if they stay, look at details.pids on the host."
                    .to_owned()
            }
            Self::WaitOver { .. } => {
                "Send the same call again to wait longer; the job runs on.".to_owned()
            }
            Self::Unreachable { .. } => {
                "Send the same call again later; the job may well be running.".to_owned()
            }
            Self::FolderMissing { job_id, host, .. } => format!(
                "Restore the folder of {job_id} on {host}, or launch again with a new idempotency_key."
            ),
            Self::Requirement { .. } => {
                "Read the report; launch again with a new idempotency_key if another try is wanted."
                    .to_owned()
            }
            Self::Below(inner) => inner.remediation(),
        }
    }

    fn details(&self) -> Details {
        match self {
            Self::NotFound { job_id } => details::Unknown::new("job", job_id.to_string()).into(),
            Self::NotEnded {
                job_id,
                state,
                last_evidence_at,
            }
            | Self::WaitOver {
                job_id,
                state,
                last_evidence_at,
            }
            | Self::Unreachable {
                job_id,
                state,
                last_evidence_at,
            }
            | Self::FolderMissing {
                job_id,
                state,
                last_evidence_at,
                ..
            } => details::Job::new(job_id.to_string(), Some(state.name()))
                .last_seen(last_evidence_at.as_ref())
                .into(),
            Self::Survivors { job_id, pids } => {
                details::Survivors::new(job_id.to_string(), pids.iter().copied().map(u64::from))
                    .into()
            }
            Self::Requirement {
                job_id,
                required,
                state,
                outcome,
            } => details::Requirement::new(
                job_id.to_string(),
                required,
                state.name(),
                outcome.as_ref(),
            )
            .into(),
            Self::Below(inner) => inner.details(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Below(inner) => inner.retry(),
            Self::NotFound { .. }
            | Self::NotEnded { .. }
            | Self::Survivors { .. }
            | Self::WaitOver { .. }
            | Self::Unreachable { .. }
            | Self::FolderMissing { .. }
            | Self::Requirement { .. } => self.code().retry(),
        }
    }

    fn next(&self) -> Vec<Next> {
        match self {
            Self::NotEnded { job_id, .. } | Self::WaitOver { job_id, .. } => vec![Next::new(
                "wait-job",
                json!({"job_id": job_id, "wait_s": 600}),
                "wait for its end",
            )],
            Self::NotFound { .. } => vec![Next::new(
                "list-jobs",
                json!({}),
                "see which jobs there are",
            )],
            Self::Unreachable { job_id, .. } | Self::FolderMissing { job_id, .. } => {
                vec![Next::new(
                    "poll-job",
                    json!({"job_ids": [job_id]}),
                    "see where it stands",
                )]
            }
            Self::Survivors { .. } | Self::Requirement { .. } => Vec::new(),
            Self::Below(inner) => inner.next(),
        }
    }
}
