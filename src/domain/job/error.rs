//! What can go wrong with a job that is known here.

use serde_json::json;

use super::model::Job;
use crate::{
    contract::{
        Below, Code, Coded, JobId, Name, Next, Retry, details, details::Details, passes_on,
    },
    domain::{host, run},
    system::{files, machine, script_failure::ScriptFailure, store},
};

/// A job by the last evidence, for an error about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LastKnown {
    /// The job.
    pub(crate) job_id: JobId,
    /// Its last known state.
    pub(crate) state: run::State,
    /// When its host last reported it (RFC 3339, UTC).
    pub(crate) last_evidence_at: Option<String>,
}

impl From<&Job> for LastKnown {
    fn from(job: &Job) -> Self {
        Self {
            job_id: job.job_id.clone(),
            state: job.state,
            last_evidence_at: job.progress.last_evidence_at.clone(),
        }
    }
}

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
    #[error("the job {} has not ended: it is {}", .0.job_id, .0.state)]
    NotEnded(LastKnown),
    /// Processes of the job live on after KILL.
    #[error("{} processes of {job_id} did not end", .pids.len())]
    Survivors {
        /// The job.
        job_id: JobId,
        /// The processes.
        pids: Vec<u32>,
    },
    /// The job did not end in the time to wait.
    #[error("{} had not ended when the time to wait was over", .0.job_id)]
    WaitOver(LastKnown),
    /// The job's host does not answer.
    #[error("the host of {} does not answer", .0.job_id)]
    Unreachable(LastKnown),
    /// The job's folder is gone from its host.
    #[error("the folder of {} is gone from {host}", .job.job_id)]
    FolderMissing {
        /// The job.
        job: LastKnown,
        /// The host.
        host: Name,
    },
    /// The job's run was started by a legwork whose runs this one does not read.
    #[error("the run of {} was started by another version of legwork, and this one cannot tell how it stands", .job.job_id)]
    Unsupported {
        /// The job.
        job: LastKnown,
        /// The host.
        host: Name,
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
        /// The caveats that stand in the way.
        caveats: Vec<&'static str>,
    },
    /// An error from below.
    #[error(transparent)]
    Below(Below),
}

passes_on!(Error: host::Error, run::Error, machine::Error, ScriptFailure, files::Error, store::Error);

impl Error {
    /// Says that this legwork does not read the run of a job.
    pub(super) fn unsupported(job: &Job) -> Self {
        Self::Unsupported {
            job: job.into(),
            host: job.spec.host.clone(),
        }
    }

    /// Says that the folder of a job is gone from its host.
    pub(crate) fn folder_missing(job: &Job) -> Self {
        Self::FolderMissing {
            job: job.into(),
            host: job.spec.host.clone(),
        }
    }
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::NotFound { .. } => Code::JobNotFound,
            Self::NotEnded(_) => Code::JobNotEnded,
            Self::Survivors { .. } => Code::ProcessesSurvived,
            Self::WaitOver(_) => Code::WaitTimedOut,
            Self::Unreachable(_) => Code::JobUnreachable,
            Self::FolderMissing { .. } => Code::JobFolderMissing,
            Self::Unsupported { .. } => Code::RunUnsupported,
            Self::Requirement { .. } => Code::RequirementUnmet,
            Self::Below(inner) => inner.code(),
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::NotFound { .. } => "Use an id from list-jobs.".to_owned(),
            Self::NotEnded(job) => {
                format!("Wait for {} with wait-job, or cancel it.", job.job_id)
            }
            Self::Survivors { .. } => {
                "Send the same call again; if they stay, look at details.pids on the host."
                    .to_owned()
            }
            Self::WaitOver(_) => {
                "Send the same call again to wait longer; the job runs on.".to_owned()
            }
            Self::Unreachable(_) => {
                "Send the same call again later; the job may well be running.".to_owned()
            }
            Self::FolderMissing { job, host } => format!(
                "Restore the folder of {} on {host}, or launch again with a new idempotency_key.",
                job.job_id
            ),
            Self::Unsupported { job, host } => format!(
                "Use the legwork that launched {}, or look at it on {host}; to start over, launch with a new idempotency_key.",
                job.job_id
            ),
            Self::Requirement { caveats, .. } if !caveats.is_empty() => format!(
                "Look at what the caveats name; where that is acceptable, name them in accept: {}.",
                caveats.join(", ")
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
            Self::NotEnded(job)
            | Self::WaitOver(job)
            | Self::Unreachable(job)
            | Self::FolderMissing { job, .. }
            | Self::Unsupported { job, .. } => {
                details::Job::new(job.job_id.to_string(), Some(job.state.name()))
                    .last_seen(job.last_evidence_at.as_ref())
                    .into()
            }
            Self::Survivors { job_id, pids } => {
                details::Survivors::new(job_id.to_string(), pids.iter().copied().map(u64::from))
                    .into()
            }
            Self::Requirement {
                job_id,
                required,
                state,
                outcome,
                caveats,
            } => details::Requirement::new(
                job_id.to_string(),
                required,
                state.name(),
                outcome.as_ref(),
            )
            .caveats(caveats.iter().copied())
            .into(),
            Self::Below(inner) => inner.details(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Below(inner) => inner.retry(),
            Self::NotFound { .. }
            | Self::NotEnded(_)
            | Self::Survivors { .. }
            | Self::WaitOver(_)
            | Self::Unreachable(_)
            | Self::FolderMissing { .. }
            | Self::Unsupported { .. }
            | Self::Requirement { .. } => self.code().retry(),
        }
    }

    fn next(&self) -> Vec<Next> {
        match self {
            Self::NotEnded(job) | Self::WaitOver(job) => vec![Next::new(
                "wait-job",
                json!({"job_id": job.job_id, "wait_s": 600}),
                "wait for its end",
            )],
            Self::NotFound { .. } => vec![Next::new(
                "list-jobs",
                json!({}),
                "see which jobs there are",
            )],
            Self::Unreachable(job) | Self::FolderMissing { job, .. } => {
                vec![Next::new(
                    "poll-job",
                    json!({"job_ids": [job.job_id]}),
                    "see where it stands",
                )]
            }
            Self::Survivors { .. } | Self::Unsupported { .. } | Self::Requirement { .. } => {
                Vec::new()
            }
            Self::Below(inner) => inner.next(),
        }
    }
}
