//! How a job looks from outside; the primitives about jobs share it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    contract::{Code, JobId, Name},
    domain::{
        agent,
        job::{CaveatKind, Job, Limits, Observed, Outcome},
        run::{Changes, Contained, DiffNote, State},
    },
};

/// A job, by the last evidence.
#[derive(Debug, Serialize, JsonSchema)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each flag is a field of the contract"
)]
#[schemars(rename = "Job")]
pub(crate) struct JobView {
    /// Its id.
    pub(crate) job_id: JobId,
    /// Where its run stands.
    pub(crate) state: State,
    /// Whether the run has ended; false where nobody knows.
    pub(crate) ended: bool,
    /// What the evidence says of it; null before the end.
    pub(crate) outcome: Option<Outcome>,
    /// SHA-256 of the diff that a verified outcome speaks of; null where its diff was not verified.
    pub(crate) verified_diff: Option<String>,
    /// The kinds of caveats of that verification that block `require`.
    pub(crate) caveats: Vec<CaveatKind>,
    /// One line on what it is about. Not to be trusted: it comes from an issue or a message.
    pub(crate) title: String,
    /// The host it runs on.
    pub(crate) host: Name,
    /// The repository it works on.
    pub(crate) repository: Name,
    /// The commit it started from.
    pub(crate) base_commit: String,
    /// The agent at work.
    pub(crate) agent: Name,
    /// The model, where one was named.
    pub(crate) model: Option<String>,
    /// The number of its run.
    pub(crate) run: u32,
    /// How its host runs it: `direct` is under a supervisor of its own.
    pub(crate) runner: String,
    /// Why its host gave no answer; null where it answered or was not asked. The job may be running all the same.
    pub(crate) unreachable: Option<Unreachable>,
    /// Whether its supervisor gave no sign for over a minute although the host answers.
    pub(crate) stalled: bool,
    /// Whether another machine that shares the job's folder supervises it, so that its host cannot tell whether it lives; false where
    /// the host was not asked.
    pub(crate) supervised_elsewhere: bool,
    /// Whether the folder in which its host keeps what is known of its run is gone.
    pub(crate) missing: bool,
    /// When its state was last seen (RFC 3339, UTC); null where never.
    pub(crate) last_evidence_at: Option<String>,
    /// When it was launched (RFC 3339, UTC).
    pub(crate) created_at: String,
    /// When the agent was started, by the host's clock (RFC 3339, UTC).
    pub(crate) started_at: Option<String>,
    /// When the run ended, by the host's clock (RFC 3339, UTC).
    pub(crate) ended_at: Option<String>,
    /// Seconds the run took.
    pub(crate) wall_s: Option<u64>,
    /// The exit status of the agent, as a shell gives it.
    pub(crate) exit_code: Option<i32>,
    /// The signal that ended it.
    pub(crate) signal: Option<i32>,
    /// Why it ended as it did, in one word, such as `exit_status`, `wall_limit`, `cancel_requested`, `rebooted`.
    pub(crate) reason: Option<String>,
    /// What keeps the run together, so that its end ends all that it started; null where no agent was started yet.
    pub(crate) contained: Option<Contained>,
    /// Processes that did not end; null before the end, and where it cannot be known whether there are any.
    pub(crate) survivors: Option<Vec<u32>>,
    /// Bytes in the agent's log when last seen.
    pub(crate) log_bytes: Option<u64>,
    /// When the agent last wrote anything, by the host's clock (RFC 3339, UTC).
    pub(crate) log_at: Option<String>,
    /// Whether its changes were recorded; null before the end.
    pub(crate) changes: Option<Changes>,
    /// What was left out of the diff that the supervisor made, and what in it is no text, by kind.
    pub(crate) diff_notes: Vec<DiffNote>,
    /// Bytes in the diff that the supervisor made; null before the end.
    pub(crate) diff_bytes: Option<u64>,
    /// What the agent's own log says of its end; null before the end.
    pub(crate) summary: Option<agent::Summary>,
    /// The limits it runs under.
    pub(crate) limits: Limits,
    /// The command that judges a fix, where one was given.
    pub(crate) verify: Option<String>,
}

/// Why a host gave no answer.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Unreachable {
    /// The stable name of the failure.
    pub(crate) error_code: Code,
    /// One sentence for a reader.
    pub(crate) message: String,
}

impl From<Observed> for JobView {
    fn from(observed: Observed) -> Self {
        let mut view = Self::from(observed.job);
        view.stalled = observed.stalled;
        view.supervised_elsewhere = observed.supervised_elsewhere;
        view.missing = observed.missing;
        view.unreachable = observed.unreachable.map(|unreachable| Unreachable {
            error_code: unreachable.code,
            message: unreachable.message,
        });
        view
    }
}

impl From<Job> for JobView {
    fn from(job: Job) -> Self {
        let verified = job.verification();
        let verified_diff = verified.map(|verified| verified.diff_sha256.clone());
        let caveats = verified
            .into_iter()
            .flat_map(|verified| verified.blocking(&[]));
        let caveats = caveats.map(|caveat| caveat.kind).collect();
        let (spec, progress) = (job.spec, job.progress);
        Self {
            job_id: job.job_id,
            ended: job.state.is_terminal(),
            state: job.state,
            outcome: job.outcome,
            verified_diff,
            caveats,
            title: spec.title,
            host: spec.host,
            repository: spec.repository,
            base_commit: spec.base_commit,
            agent: spec.agent,
            model: spec.model,
            run: job.run,
            runner: job.runner,
            unreachable: None,
            stalled: false,
            supervised_elsewhere: false,
            missing: false,
            last_evidence_at: progress.last_evidence_at,
            created_at: job.created_at,
            started_at: progress.started_at,
            ended_at: progress.ended_at,
            wall_s: progress.wall_s,
            exit_code: progress.exit_code,
            signal: progress.signal,
            reason: progress.reason,
            contained: progress.contained,
            survivors: progress.survivors,
            log_bytes: progress.log_bytes,
            log_at: progress.log_at,
            changes: progress.changes,
            diff_notes: progress.diff_notes,
            diff_bytes: progress.diff_bytes,
            summary: progress.summary,
            limits: spec.limits,
            verify: spec.verify,
        }
    }
}
