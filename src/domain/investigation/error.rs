//! What can go wrong with investigations.

use serde_json::json;

use crate::{
    contract::{Code, Coded, JobId, Mode, Next, Retry, details, details::Details},
    domain::{agent, artifact, host, issue, patch, prompt, run, workspace},
    system::{configuration, files, machine, store},
};

/// Why an operation on an investigation did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// There is no such job here.
    #[error("there is no job {job_id}")]
    NotFound {
        /// The id.
        job_id: JobId,
    },
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
    /// The job has not ended.
    #[error("the job {job_id} has not ended: it is {state}")]
    NotEnded {
        /// The job.
        job_id: JobId,
        /// Where it stands.
        state: run::State,
        /// When that was seen.
        last_evidence_at: Option<String>,
    },
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
    /// A secret named in the configuration is not set.
    #[error("the variable {variable} that agent {agent} takes a secret from is not set")]
    SecretMissing {
        /// The agent.
        agent: String,
        /// The variable.
        variable: String,
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
        /// What the host said.
        stderr: String,
    },
    /// Processes did not end.
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
        /// Where it stands.
        state: run::State,
        /// When that was seen.
        last_evidence_at: Option<String>,
    },
    /// The job's host does not answer.
    #[error("the host of {job_id} does not answer")]
    Unreachable {
        /// The job.
        job_id: JobId,
        /// Where it stood.
        state: run::State,
        /// When that was seen.
        last_evidence_at: Option<String>,
    },
    /// The job ended otherwise than demanded.
    #[error("{job_id} is required to be {required} and is {state}{}", .outcome.as_ref().map_or_else(String::new, |outcome| format!(", {outcome}")))]
    Requirement {
        /// The job.
        job_id: JobId,
        /// What was demanded.
        required: String,
        /// How the run ended.
        state: run::State,
        /// What the evidence says.
        outcome: Option<String>,
    },
    /// There is nothing to judge a fix by.
    #[error("neither a verify command nor a repro says how to judge the fix of {job_id}")]
    NothingToVerifyBy {
        /// The job.
        job_id: JobId,
        /// Where it stands.
        state: run::State,
    },
    /// The job's diff changes nothing.
    #[error("the diff of {job_id} changes nothing")]
    NoDiff {
        /// The job.
        job_id: JobId,
    },
    /// A script of ours ended badly on the host.
    #[error("the step {step} ended badly on {host}")]
    Script {
        /// The host.
        host: String,
        /// The step.
        step: &'static str,
        /// Its exit status.
        status: i32,
        /// What it printed.
        stdout: String,
        /// What it complained.
        stderr: String,
    },
    /// The host cannot be used.
    #[error(transparent)]
    Host(#[from] host::Error),
    /// The host gave no whole answer.
    #[error(transparent)]
    Machine(#[from] machine::Error),
    /// The host's answer cannot be read.
    #[error(transparent)]
    Run(#[from] run::Error),
    /// The workspace cannot be used.
    #[error(transparent)]
    Workspace(#[from] workspace::Error),
    /// The agent cannot be used.
    #[error(transparent)]
    Agent(#[from] agent::Error),
    /// The issue cannot be had.
    #[error(transparent)]
    Issue(#[from] issue::Error),
    /// The prompt cannot be made.
    #[error(transparent)]
    Prompt(#[from] prompt::Error),
    /// The artifacts cannot be had.
    #[error(transparent)]
    Artifact(#[from] artifact::Error),
    /// The diff cannot be used.
    #[error(transparent)]
    Patch(#[from] patch::Error),
    /// A file of the job that is needed is not to be had.
    #[error("{name} of {job_id} is not to be had: {reason}")]
    NoArtifact {
        /// The job.
        job_id: JobId,
        /// The file.
        name: String,
        /// Why.
        reason: String,
    },
    /// The configuration cannot be used.
    #[error(transparent)]
    Configuration(#[from] configuration::Error),
    /// The disk here cannot be used.
    #[error(transparent)]
    Files(#[from] files::Error),
    /// The database cannot be used.
    #[error(transparent)]
    Store(store::Error),
}

impl Error {
    /// Returns the error of the floor or noun below, where this only passes one on.
    fn inner(&self) -> Option<&dyn Coded> {
        match self {
            Self::Host(inner) => Some(inner),
            Self::Machine(inner) => Some(inner),
            Self::Run(inner) => Some(inner),
            Self::Workspace(inner) => Some(inner),
            Self::Agent(inner) => Some(inner),
            Self::Issue(inner) => Some(inner),
            Self::Prompt(inner) => Some(inner),
            Self::Artifact(inner) => Some(inner),
            Self::Patch(inner) => Some(inner),
            Self::Configuration(inner) => Some(inner),
            Self::Files(inner) => Some(inner),
            Self::Store(inner) => Some(inner),
            Self::NotFound { .. }
            | Self::KeyReused { .. }
            | Self::NothingToDo
            | Self::NotEnded { .. }
            | Self::AgentMissing { .. }
            | Self::SecretMissing { .. }
            | Self::Launch { .. }
            | Self::Survivors { .. }
            | Self::WaitOver { .. }
            | Self::Unreachable { .. }
            | Self::Requirement { .. }
            | Self::NothingToVerifyBy { .. }
            | Self::NoDiff { .. }
            | Self::NoArtifact { .. }
            | Self::Script { .. } => None,
        }
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "errors that are only passed on are answered before, by `inner`"
)]
impl Coded for Error {
    fn code(&self) -> Code {
        if let Some(inner) = self.inner() {
            return inner.code();
        }
        match self {
            Self::NotFound { .. } => Code::JobNotFound,
            Self::KeyReused { .. } => Code::IdempotencyKeyReused,
            Self::NothingToDo => Code::SpecInvalid,
            Self::NotEnded { .. } => Code::JobNotEnded,
            Self::AgentMissing { .. } => Code::AgentMissing,
            Self::SecretMissing { .. } => Code::SecretUnavailable,
            Self::Launch { .. } => Code::LaunchFailed,
            Self::Survivors { .. } => Code::ProcessesSurvived,
            Self::WaitOver { .. } => Code::WaitTimedOut,
            Self::Unreachable { .. } => Code::JobUnreachable,
            Self::Requirement { .. } => Code::RequirementUnmet,
            Self::NothingToVerifyBy { .. } => Code::VerifyUnspecified,
            Self::NoDiff { .. } => Code::DiffEmpty,
            Self::NoArtifact { .. } => Code::ArtifactMissing,
            _ => Code::HostScriptFailed,
        }
    }

    fn remediation(&self) -> String {
        if let Some(inner) = self.inner() {
            return inner.remediation();
        }
        match self {
            Self::NotFound { .. } => "Use an id from list-jobs.".to_owned(),
            Self::KeyReused { .. } => {
                "Use a new idempotency_key, or the input that this one was first used with."
                    .to_owned()
            }
            Self::NothingToDo => "Give issue, or message, or both.".to_owned(),
            Self::NotEnded { job_id, .. } => {
                format!("Wait for {job_id} with wait-job, or cancel it.")
            }
            Self::AgentMissing { program, host, .. } => {
                format!(
                    "Install {program} on {host}, or set its full path under agents in the configuration."
                )
            }
            Self::SecretMissing { variable, .. } => {
                format!("Set {variable} in the environment of legwork.")
            }
            Self::Launch { .. } => {
                "Read details.stderr, run preflight for the host, then send the same call again."
                    .to_owned()
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
            Self::Requirement { .. } => {
                "Read the report; launch again with a new idempotency_key if another try is wanted."
                    .to_owned()
            }
            Self::NothingToVerifyBy { .. } => {
                "Give verify, a command that fails without the fix and passes with it.".to_owned()
            }
            Self::NoArtifact { name, .. } => {
                format!("Read the agent's report, and look for {name} with fetch-artifacts.")
            }
            Self::NoDiff { .. } => {
                "Read the agent's report; there is nothing to apply or verify.".to_owned()
            }
            _ => "Read details.stderr, mend the host, and send the same call again.".to_owned(),
        }
    }

    #[expect(clippy::too_many_lines, reason = "a table: each error with its facts")]
    fn details(&self) -> Details {
        if let Some(inner) = self.inner() {
            return inner.details();
        }
        let job = |job_id: &JobId, state: &run::State, at: &Option<String>| -> Details {
            details::Job {
                job_id: job_id.to_string(),
                state: Some(state.name().to_owned()),
                last_evidence_at: at.clone(),
            }
            .into()
        };
        match self {
            Self::NotFound { job_id } => details::Unknown {
                what: "job".to_owned(),
                name: job_id.to_string(),
                ..details::Unknown::default()
            }
            .into(),
            Self::KeyReused { key, job_id } => details::Key {
                idempotency_key: key.clone(),
                primitive: "launch-investigation".to_owned(),
                job_id: Some(job_id.to_string()),
            }
            .into(),
            Self::NothingToDo => details::Input {
                violations: vec![crate::contract::Violation {
                    pointer: String::new(),
                    keyword: "anyOf".to_owned(),
                    message: self.to_string(),
                    expected: Some("issue or message".to_owned()),
                }],
                skeleton: None,
            }
            .into(),
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
            } => job(job_id, state, last_evidence_at),
            Self::NothingToVerifyBy { job_id, state } => job(job_id, state, &None),
            Self::AgentMissing {
                program,
                host,
                agent,
            } => details::Tool {
                tool: program.clone(),
                host: host.clone(),
                evidence: format!("the program of agent {agent} is not on PATH there"),
            }
            .into(),
            Self::SecretMissing { variable, .. } => details::Unknown {
                what: "environment variable".to_owned(),
                name: variable.clone(),
                ..details::Unknown::default()
            }
            .into(),
            Self::Launch { step, stderr, .. } => details::Step {
                step: step.clone(),
                stderr: stderr.clone(),
                ..details::Step::default()
            }
            .into(),
            Self::Script {
                step,
                status,
                stdout,
                stderr,
                ..
            } => details::Step {
                step: (*step).to_owned(),
                exit_status: Some(i64::from(*status)),
                stdout: stdout.chars().take(4000).collect(),
                stderr: stderr.chars().take(4000).collect(),
            }
            .into(),
            Self::Survivors { job_id, pids } => details::Survivors {
                job_id: job_id.to_string(),
                pids: pids.iter().copied().map(u64::from).collect(),
            }
            .into(),
            Self::Requirement {
                job_id,
                required,
                state,
                outcome,
            } => details::Requirement {
                job_id: job_id.to_string(),
                required: required.clone(),
                state: state.name().to_owned(),
                outcome: outcome.clone(),
            }
            .into(),
            Self::NoArtifact {
                job_id,
                name,
                reason,
            } => details::Artifact {
                job_id: job_id.to_string(),
                name: name.clone(),
                reason: reason.clone(),
            }
            .into(),
            Self::NoDiff { job_id } => details::Diff {
                source: job_id.to_string(),
                findings: Vec::new(),
            }
            .into(),
            _ => Details::None,
        }
    }

    fn retry(&self) -> Retry {
        if let Some(inner) = self.inner() {
            return inner.retry();
        }
        match self {
            // It was asked to start and has not said anything yet: the same call finds what became of it.
            Self::Launch { step, .. } if step == "supervisor" => Retry::of(Mode::SameCall),
            _ => self.code().retry(),
        }
    }

    fn next(&self) -> Vec<Next> {
        if let Some(inner) = self.inner() {
            return inner.next();
        }
        match self {
            Self::NotEnded { job_id, .. } | Self::WaitOver { job_id, .. } => vec![Next::new(
                "wait-job",
                json!({"job_id": job_id, "wait_s": 600}),
                "wait for its end",
            )],
            Self::NotFound { .. } => {
                vec![Next::new(
                    "list-jobs",
                    json!({}),
                    "see which jobs there are",
                )]
            }
            Self::KeyReused { job_id, .. } | Self::Unreachable { job_id, .. } => vec![Next::new(
                "poll-job",
                json!({"job_ids": [job_id]}),
                "see where it stands",
            )],
            Self::AgentMissing { host, agent, .. } => vec![Next::new(
                "preflight",
                json!({"host": host, "agent": agent}),
                "see everything that is missing",
            )],
            _ => Vec::new(),
        }
    }
}
