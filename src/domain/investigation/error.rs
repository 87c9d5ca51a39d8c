//! What can go wrong with investigations.

use serde_json::json;

use crate::{
    contract::{
        Below, Code, Coded, JobId, Mode, Next, Retry, Violation, details, details::Details,
        passes_on,
    },
    domain::{agent, artifact, host, issue, job, patch, prompt, run, verification, workspace},
    system::{configuration, files, machine, script_failure::ScriptFailure, store},
};

/// Why an operation on an investigation failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The key was used with another input.
    #[error("the idempotency key {key} was used before with another input, for job {job_id}")]
    KeyReused {
        /// The key.
        key: String,
        /// The job that carries it.
        job_id: JobId,
    },
    /// Neither an issue nor a message was given.
    #[error("neither an issue nor a message says what to work on")]
    NothingToDo,
    /// The agent's program is not on the host.
    #[error("the program {program} of agent {agent} was not found on {host}")]
    AgentMissing {
        /// The agent.
        agent: String,
        /// The program.
        program: String,
        /// The host.
        host: String,
    },
    /// A step of the launch failed before anything was started.
    #[error("the launch of {job_id} failed at the step {step} on {host}")]
    Launch {
        /// The job.
        job_id: JobId,
        /// The host.
        host: String,
        /// The step.
        step: String,
        /// The host's standard error.
        stderr: String,
    },
    /// The run was asked to start and has not reported anything yet.
    #[error("{job_id} was started on {host} and has not reported anything yet")]
    LaunchSilent {
        /// The job.
        job_id: JobId,
        /// The host.
        host: String,
        /// The host's standard error.
        stderr: String,
    },
    /// The host's disk is full.
    #[error("no room for {path} on {host}")]
    DiskFull {
        /// The host.
        host: String,
        /// The file.
        path: String,
        /// The host's standard error.
        stderr: String,
    },
    /// The folder of a file cannot be written on the host.
    #[error("cannot write {path} on {host}")]
    FolderUnwritable {
        /// The host.
        host: String,
        /// The file.
        path: String,
        /// The host's standard error.
        stderr: String,
    },
    /// There is nothing to judge a fix by.
    #[error("no check was given with the launch of {job_id} by which its fix could be judged")]
    NothingToVerifyBy {
        /// The job.
        job_id: JobId,
        /// Its state.
        state: run::State,
        /// Whether its issue holds code that may show the problem.
        has_issue_repro: bool,
    },
    /// The held-out files cannot be read.
    #[error("the held-out files of {path} cannot be read: {reason}")]
    HeldOut {
        /// The folder.
        path: String,
        /// Why.
        reason: String,
    },
    /// A verification did not find what was required.
    #[error("{} is required to be fixed and is {verdict}{}{}", .job_id.as_ref().map_or("the diff", JobId::as_str), .reason.as_ref().map_or_else(String::new, |reason| format!(" ({reason})")), caveats_named(.caveats))]
    Unmet {
        /// The job, where the diff is one's.
        job_id: Option<JobId>,
        /// What was found.
        verdict: &'static str,
        /// Why a verdict is `inconclusive` or `flaky`, in one word.
        reason: Option<String>,
        /// The caveats that stand in the way.
        caveats: Vec<&'static str>,
    },
    /// The job's diff changes nothing.
    #[error("the diff of {job_id} changes nothing")]
    NoDiff {
        /// The job.
        job_id: JobId,
    },
    /// A file of the job that is needed cannot be had.
    #[error("{name} of {job_id} cannot be had: {reason}")]
    NoArtifact {
        /// The job.
        job_id: JobId,
        /// The file.
        name: String,
        /// Why.
        reason: String,
    },
    /// An error from below.
    #[error(transparent)]
    Below(Below),
}

fn caveats_named(caveats: &[&str]) -> String {
    if caveats.is_empty() {
        return String::new();
    }
    format!(", with the caveats {}", caveats.join(", "))
}

passes_on!(
    Error: agent::Error, artifact::Error, host::Error, issue::Error, job::Error, patch::Error, prompt::Error, run::Error,
    verification::Error, workspace::Error, configuration::Error, files::Error, machine::Error, ScriptFailure, store::Error,
);

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::KeyReused { .. } => Code::IdempotencyKeyReused,
            Self::NothingToDo => Code::SpecInvalid,
            Self::AgentMissing { .. } => Code::AgentMissing,
            Self::Launch { .. } | Self::LaunchSilent { .. } => Code::LaunchFailed,
            Self::DiskFull { .. } => Code::DiskFull,
            Self::FolderUnwritable { .. } => Code::HostFolderUnwritable,
            Self::NothingToVerifyBy { .. } => Code::VerifyUnspecified,
            Self::NoDiff { .. } => Code::DiffEmpty,
            Self::NoArtifact { .. } => Code::ArtifactMissing,
            Self::HeldOut { .. } => Code::SpecInvalid,
            Self::Unmet { .. } => Code::RequirementUnmet,
            Self::Below(inner) => inner.code(),
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::KeyReused { .. } => {
                "Use a new idempotency_key, or the input that this one was first used with."
                    .to_owned()
            }
            Self::NothingToDo => "Give issue, or message, or both.".to_owned(),
            Self::AgentMissing { program, host, .. } => format!(
                "Install {program} on {host}, or set its full path under agents in the configuration."
            ),
            Self::Launch { .. } => {
                "Read details.stderr, run preflight for the host, then send the same call again."
                    .to_owned()
            }
            Self::LaunchSilent { .. } => {
                "Send the same call again: it finds out what became of the start.".to_owned()
            }
            Self::DiskFull { host, path, .. } => {
                format!("Free room on the disk of {path} on {host}, then send the same call again.")
            }
            Self::FolderUnwritable { host, path, .. } => {
                format!(
                    "Make the folder of {path} on {host} writable, or configure another root for it."
                )
            }
            Self::NothingToVerifyBy {
                has_issue_repro: true,
                ..
            } => "Judge it with check-diff by a command that fails without the fix and passes with it, or look at the issue's own code (`repro: issue`, `dry_run`) before naming it."
                .to_owned(),
            Self::NothingToVerifyBy { .. } => {
                "Judge it with check-diff by a command that fails without the fix and passes with it, or launch with verify."
                    .to_owned()
            }
            Self::HeldOut { .. } => {
                "Name a folder that holds the files at the places that they have in the repository.".to_owned()
            }
            Self::Unmet { caveats, .. } if caveats.is_empty() => {
                "The same call without require shows the evidence; launch again with a new idempotency_key if another try is wanted.".to_owned()
            }
            Self::Unmet { caveats, .. } => format!(
                "Look at what the caveats name; where that is acceptable, name them in accept: {}.",
                caveats.join(", ")
            ),
            Self::NoDiff { .. } => {
                "Read the agent's report; there is nothing to apply or verify.".to_owned()
            }
            Self::NoArtifact { name, .. } => {
                format!("Read the agent's report, and look for {name} with fetch-artifacts.")
            }
            Self::Below(inner) => inner.remediation(),
        }
    }

    fn details(&self) -> Details {
        match self {
            Self::KeyReused { key, job_id } => details::Key::new(key, "launch-investigation")
                .of_job(job_id.to_string())
                .into(),
            Self::NothingToDo => details::Input::new(
                Violation::new("", "anyOf", self.to_string()).expecting("issue or message"),
                None,
            )
            .into(),
            Self::AgentMissing {
                program,
                host,
                agent,
            } => details::Tool::new(
                program,
                host,
                format!("the program of agent {agent} is not on PATH there"),
            )
            .into(),
            Self::Launch { step, stderr, .. } => details::Step::new(step, "", stderr).into(),
            Self::LaunchSilent { stderr, .. } => details::Step::new("start", "", stderr).into(),
            Self::DiskFull { path, stderr, .. } | Self::FolderUnwritable { path, stderr, .. } => {
                details::File::new(path, stderr).into()
            }
            Self::HeldOut { path, reason } => details::Input::new(
                Violation::new("/tests_from", "format", format!("{path}: {reason}")),
                None,
            )
            .into(),
            Self::Unmet {
                job_id,
                verdict,
                caveats,
                ..
            } => details::Requirement::new(
                job_id
                    .as_ref()
                    .map_or_else(String::new, ToString::to_string),
                "fixed",
                *verdict,
                Some(*verdict),
            )
            .caveats(caveats.iter().copied())
            .into(),
            Self::NothingToVerifyBy { job_id, state, .. } => {
                details::Job::new(job_id.to_string(), Some(state.name())).into()
            }
            Self::NoDiff { job_id } => details::Diff::new(job_id.to_string(), Vec::new()).into(),
            Self::NoArtifact {
                job_id,
                name,
                reason,
            } => details::Artifact::new(job_id.to_string(), name, reason).into(),
            Self::Below(inner) => inner.details(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::LaunchSilent { .. } => Retry::of(Mode::SameCall),
            Self::Below(inner) => inner.retry(),
            Self::KeyReused { .. }
            | Self::NothingToDo
            | Self::AgentMissing { .. }
            | Self::Launch { .. }
            | Self::DiskFull { .. }
            | Self::FolderUnwritable { .. }
            | Self::NothingToVerifyBy { .. }
            | Self::HeldOut { .. }
            | Self::Unmet { .. }
            | Self::NoDiff { .. }
            | Self::NoArtifact { .. } => self.code().retry(),
        }
    }

    fn next(&self) -> Vec<Next> {
        match self {
            Self::KeyReused { job_id, .. } => vec![Next::new(
                "poll-job",
                json!({"job_ids": [job_id]}),
                "see where it stands",
            )],
            Self::AgentMissing { host, agent, .. } => vec![Next::new(
                "preflight",
                json!({"host": host, "agent": agent}),
                "see everything that is missing",
            )],
            Self::NothingToVerifyBy {
                job_id,
                has_issue_repro: true,
                ..
            } => vec![Next::new(
                "verify-fix",
                json!({"job_id": job_id, "repro": "issue", "dry_run": true}),
                "see the code of the issue, which a stranger wrote, before running it",
            )],
            Self::NothingToDo
            | Self::HeldOut { .. }
            | Self::Unmet { .. }
            | Self::Launch { .. }
            | Self::LaunchSilent { .. }
            | Self::DiskFull { .. }
            | Self::FolderUnwritable { .. }
            | Self::NothingToVerifyBy { .. }
            | Self::NoDiff { .. }
            | Self::NoArtifact { .. } => Vec::new(),
            Self::Below(inner) => inner.next(),
        }
    }
}
