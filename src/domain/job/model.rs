//! The record of a job: what it was launched with, and what the last evidence says of it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::verdict::{Author, DiffSource, Verdict, Verified};
use crate::{
    contract::{JobId, Name},
    domain::{
        agent,
        run::{self, Changes, Contained, DiffNote, State, Status, Token},
    },
};

/// The reason of a job that ended because its launch never reached the host.
pub(super) const NEVER_STARTED: &str = "never_started";

/// The reason of a run whose secrets went down with its supervisor, before the agent was started.
const SECRETS_LOST: &str = "secrets_lost";

/// What the evidence says of a job that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// Verified: something fails without the diff, passes with it, and nothing that passed before fails now.
    Fixed,
    /// There is a diff, and nobody has verified it.
    Unverified,
    /// Verified: the check passes with the diff, and something else that passed before fails.
    Regressed,
    /// Verified, and the check fails with the diff too.
    NotFixed,
    /// The check passes without the diff: the problem did not show.
    NotReproduced,
    /// The same check ended differently in the same tree.
    Flaky,
    /// The check could not be judged.
    Inconclusive,
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
            Self::Regressed => "regressed",
            Self::NotFixed => "not_fixed",
            Self::NotReproduced => "not_reproduced",
            Self::Flaky => "flaky",
            Self::Inconclusive => "inconclusive",
            Self::NoEffect => "no_effect",
            Self::Failed => "failed",
        }
    }
}

impl From<Verdict> for Outcome {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Fixed => Self::Fixed,
            Verdict::Regressed => Self::Regressed,
            Verdict::NotFixed => Self::NotFixed,
            Verdict::NotReproduced => Self::NotReproduced,
            Verdict::Flaky => Self::Flaky,
            Verdict::Inconclusive => Self::Inconclusive,
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
    /// Who gave it.
    #[serde(default)]
    pub(crate) verify_author: Author,
    /// Commands under which what passes before must pass with the fix.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) regression: Vec<String>,
    /// Code of the issue that may reproduce the problem, as it was when the job was launched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) issue_repro: Option<IssueRepro>,
    /// The limits.
    pub(crate) limits: Limits,
    /// The seed clone, as a folder below the root on the host.
    pub(crate) seed: String,
    /// The store that environments are made from, as a folder below the root on the host.
    pub(crate) environment: Option<String>,
    /// The command that prepares each tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) prepare: Option<String>,
    /// What there is in each tree beside the repository's own files, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) offers: Vec<String>,
    /// Variables of the workspace, with placeholders.
    pub(crate) variables: BTreeMap<String, String>,
    /// SHA-256 of the prompt that the agent was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) prompt_sha256: Option<String>,
}

/// Code of an issue that may reproduce the problem. It is a stranger's: nobody runs it unless whoever calls names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IssueRepro {
    /// The name of its file in the job's folder, such as `issue-repro.py`.
    pub(crate) file: String,
    /// Who wrote it, as far as the forge says.
    pub(crate) author: Option<String>,
    /// The code.
    pub(crate) code: String,
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
    /// Processes that did not end; none before the end, and where it cannot be known whether there are any.
    #[serde(default)]
    pub(crate) survivors: Option<Vec<u32>>,
    /// What keeps the run together; none where no agent was started yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) contained: Option<Contained>,
    /// Whether its changes were recorded.
    pub(crate) changes: Option<Changes>,
    /// What was left out of the diff, and what in it is no text.
    #[serde(default)]
    pub(crate) diff_notes: Vec<DiffNote>,
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
    /// The random name of the run's control folder on the host; none in records of a legwork that had no such folders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<Token>,
    /// The name of the runner that has it.
    #[serde(default = "first_runner")]
    pub(crate) runner: String,
    /// Where the run stands, by the last evidence.
    pub(crate) state: State,
    /// What the evidence says of it; none before the end.
    pub(crate) outcome: Option<Outcome>,
    /// How it is.
    pub(crate) progress: Progress,
    /// The verifications of its diffs: the last one of each digest, the newest last, at most [`MOST_VERIFICATIONS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) verifications: Vec<Verified>,
    /// The ids of all verifications that were recorded, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) verified: Vec<String>,
    /// When it was launched (RFC 3339, UTC).
    pub(crate) created_at: String,
    /// When something of it last changed (RFC 3339, UTC).
    pub(crate) updated_at: String,
}

/// Verifications kept with a job: more digests than these mean that somebody changes the diff on its host.
const MOST_VERIFICATIONS: usize = 8;

/// Jobs recorded before there was a choice ran under the only runner of that time.
fn first_runner() -> String {
    "direct".to_owned()
}

impl Job {
    /// Returns whether the job ended because its launch never reached the host.
    pub(crate) fn was_never_started(&self) -> bool {
        self.progress.reason.as_deref() == Some(NEVER_STARTED)
    }

    /// Returns whether its run ended before the agent was started for a reason that another start does not have.
    pub(crate) fn can_start_again(&self) -> bool {
        self.state == State::Failed && self.progress.reason.as_deref() == Some(SECRETS_LOST)
    }

    /// Returns the processes that did not end, as far as they are known.
    pub(crate) fn survivors(&self) -> &[u32] {
        self.progress.survivors.as_deref().unwrap_or_default()
    }

    /// Returns whether nothing of its run can live any more, so that its host need not be asked to end it.
    pub(super) fn has_certainly_ended(&self) -> bool {
        let is_certain = match self.progress.contained {
            Some(contained) => contained.is_certain(),
            // No agent was started.
            None => true,
        };
        let has_ended = self.state.is_terminal() && !self.was_never_started();
        // What no host can be asked about is as it is recorded.
        has_ended && (self.token.is_none() || is_certain && self.survivors().is_empty())
    }

    /// Returns whether nothing about the end can change any more, so that its host need not be asked.
    pub(crate) fn is_settled(&self) -> bool {
        self.state.is_terminal() && self.outcome.is_some() && !self.was_never_started()
    }

    /// Returns the verification that the outcome of the job comes from: the last of the diff that its supervisor made.
    pub(crate) fn verification(&self) -> Option<&Verified> {
        let mut newest_first = self.verifications.iter().rev();
        newest_first.find(|verified| verified.which == Some(DiffSource::Supervisor))
    }

    /// Returns the last verification of the diff with this digest, the only one that says anything of these bytes.
    pub(crate) fn verification_of(&self, diff_sha256: &str) -> Option<&Verified> {
        self.verifications
            .iter()
            .find(|verified| verified.diff_sha256 == diff_sha256)
    }

    /// Returns the last verification that judged other bytes than these under the name of the supervisor's diff.
    pub(crate) fn verification_of_other(&self, diff_sha256: &str) -> Option<&Verified> {
        self.verifications
            .iter()
            .rev()
            .find(|verified| {
                verified.which == Some(DiffSource::Supervisor) && !verified.diff_sha256.is_empty()
            })
            .filter(|verified| verified.diff_sha256 != diff_sha256)
    }

    /// Returns the outcome that belongs to the diff with this digest: `unverified` where nobody verified these bytes.
    pub(crate) fn outcome_of(&self, diff_sha256: &str) -> Outcome {
        self.verification_of(diff_sha256)
            .map_or(Outcome::Unverified, |verified| verified.verdict.into())
    }

    /// Records a verification in place of an earlier one of the same diff; the outcome is that of the supervisor's diff.
    ///
    /// One that is inconclusive takes nothing back: it says no more of the diff than was known before.
    pub(crate) fn add_verification(&mut self, verified: Verified) {
        let is_known = self
            .verification_of(&verified.diff_sha256)
            .is_some_and(|known| known.verdict != Verdict::Inconclusive);
        if verified.verdict == Verdict::Inconclusive && is_known {
            return;
        }
        if verified.which != Some(DiffSource::Agent) {
            self.outcome = Some(verified.verdict.into());
        }
        self.verifications
            .retain(|other| other.diff_sha256 != verified.diff_sha256);
        let excess = (self.verifications.len() + 1).saturating_sub(MOST_VERIFICATIONS);
        self.verifications.drain(..excess);
        self.verifications.push(verified);
    }

    /// Returns the last state line, read.
    pub(crate) fn status(&self) -> Option<Status> {
        let line = self.progress.line.as_deref()?;
        run::parse_state(line).ok()
    }
}
