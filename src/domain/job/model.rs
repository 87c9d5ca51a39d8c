//! The record of a job: what it was launched with, and what the last evidence says of it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::verdict::Verified;
use crate::{
    contract::{JobId, Name},
    domain::{
        agent,
        run::{self, Changes, RunId, State, Status},
    },
};

/// The reason of a job that ended because its launch never reached the host.
pub(super) const NEVER_STARTED: &str = "never_started";

/// What the evidence says of a job that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// Verified: the check fails without the diff and passes with it.
    Fixed,
    /// There is a diff, and nobody has verified it.
    Unverified,
    /// Verified, and the check fails with the diff too, or could not be judged.
    NotFixed,
    /// The check passes without the diff: the problem did not show.
    NotReproduced,
    /// The agent ended well and changed nothing.
    NoEffect,
    /// The agent did not end well.
    Failed,
}

impl Outcome {
    /// Returns its name, as in envelopes.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Unverified => "unverified",
            Self::NotFixed => "not_fixed",
            Self::NotReproduced => "not_reproduced",
            Self::NoEffect => "no_effect",
            Self::Failed => "failed",
        }
    }
}

/// Limits of a run, enforced where the agent runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Limits {
    /// Seconds the agent may run.
    pub(crate) max_wall_s: u64,
    /// Seconds the agent may be silent; 0 for any number.
    pub(crate) max_idle_s: u64,
    /// Turns the agent may take, for agents that count them.
    pub(crate) max_turns: Option<u32>,
    /// US dollars the agent may spend, as it reckons itself, for agents that do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_cost_usd: Option<f64>,
}

/// What a job was launched with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct JobSpec {
    /// The host.
    pub(crate) host: Name,
    /// The repository.
    pub(crate) repository: Name,
    /// The commit the worktree starts from.
    pub(crate) base_commit: String,
    /// The agent.
    pub(crate) agent: Name,
    /// The adapter that runs it and reads its log.
    pub(crate) adapter: &'static dyn agent::Adapter,
    /// The model, where one was named.
    pub(crate) model: Option<String>,
    /// Where the issue came from, where there is one.
    pub(crate) issue: Option<String>,
    /// One line on what it is about.
    pub(crate) title: String,
    /// The command that fails without a fix and passes with it.
    pub(crate) verify: Option<String>,
    /// The limits.
    pub(crate) limits: Limits,
    /// The seed clone, as a folder below the root on the host.
    pub(crate) seed: String,
    /// The environment of the workspace, as a folder below the root on the host.
    pub(crate) environment: Option<String>,
    /// Variables of the workspace, with placeholders.
    pub(crate) variables: BTreeMap<String, String>,
}

/// How a run ended, and how it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// The last state line of the host; the hint for the next question is made from it.
    pub(crate) line: Option<String>,
    /// When it was last seen (RFC 3339, UTC).
    pub(crate) last_evidence_at: Option<String>,
    /// When the host's heartbeat was written, by the host's clock.
    pub(crate) beat_at: Option<u64>,
    /// Bytes in the agent's log.
    pub(crate) log_bytes: Option<u64>,
    /// When the agent last wrote anything (RFC 3339, UTC).
    pub(crate) log_at: Option<String>,
    /// When the agent was started (RFC 3339, UTC).
    pub(crate) started_at: Option<String>,
    /// When the run ended (RFC 3339, UTC).
    pub(crate) ended_at: Option<String>,
    /// Seconds it ran.
    pub(crate) wall_s: Option<u64>,
    /// The exit status.
    pub(crate) exit_code: Option<i32>,
    /// The signal that ended it.
    pub(crate) signal: Option<i32>,
    /// Why it ended as it did, in one word.
    pub(crate) reason: Option<String>,
    /// Processes that did not end.
    pub(crate) survivors: Vec<u32>,
    /// Whether its changes were recorded.
    pub(crate) changes: Option<Changes>,
    /// Bytes in the diff that the supervisor made.
    pub(crate) diff_bytes: Option<u64>,
    /// What the agent's log says of its end.
    pub(crate) summary: Option<agent::Summary>,
}

/// What is known of a job here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Job {
    /// Its id.
    pub(crate) job_id: JobId,
    /// The key under which launching it again finds it.
    pub(crate) idempotency_key: String,
    /// Digest of the input it was launched with.
    pub(crate) input_digest: String,
    /// What it was launched with.
    #[serde(alias = "order")]
    pub(crate) spec: JobSpec,
    /// The number of its current run.
    pub(crate) run: u32,
    /// The name of the runner that has it.
    #[serde(default = "first_runner")]
    pub(crate) runner: String,
    /// Where the run stands, by the last evidence.
    pub(crate) state: State,
    /// What the evidence says of it; none before the end.
    pub(crate) outcome: Option<Outcome>,
    /// How it is.
    pub(crate) progress: Progress,
    /// The last verification.
    pub(crate) verification: Option<Verified>,
    /// The names of all verifications whose verdicts were recorded, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) verified: Vec<String>,
    /// When it was launched (RFC 3339, UTC).
    pub(crate) created_at: String,
    /// When something of it last changed (RFC 3339, UTC).
    pub(crate) updated_at: String,
}

/// Jobs recorded before there was a choice ran under the only runner of that time.
fn first_runner() -> String {
    "direct".to_owned()
}

impl Job {
    /// Names the current run.
    pub(crate) fn run_id(&self) -> RunId {
        RunId::of_job(self.job_id.clone(), self.run)
    }

    /// Returns whether the job ended because its launch never reached the host.
    pub(crate) fn was_never_started(&self) -> bool {
        self.progress.reason.as_deref() == Some(NEVER_STARTED)
    }

    /// Returns whether nothing about the end can change any more, so that its host need not be asked.
    pub(crate) fn is_settled(&self) -> bool {
        self.state.is_terminal() && self.outcome.is_some() && !self.was_never_started()
    }

    /// Returns the last state line, read.
    pub(crate) fn status(&self) -> Option<Status> {
        let line = self.progress.line.as_deref()?;
        run::parse_state(line).ok()
    }
}
