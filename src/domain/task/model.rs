//! The record of a task: what was asked for, where it stands, who holds it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{id::TaskId, spec::TaskSpec, spent::Spent};
use crate::{contract::Name, domain::authorization::Decision};

/// Attempts that may be lost before each one more counts as one that failed.
const LOSSES_FORGIVEN: u32 = 2;

/// Where a task stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "TaskState")]
pub(crate) enum State {
    /// It waits for its turn, or for what `readiness` says.
    Waiting,
    /// Somebody holds it and works on it.
    Claimed,
    /// Somebody paused it.
    Paused,
    /// One that it depends on did not succeed, and somebody must decide.
    Held,
    /// It was done.
    Succeeded,
    /// It failed for good.
    Failed,
    /// Somebody ended it.
    Cancelled,
    /// One that it depends on did not succeed, and it was left out.
    Skipped,
    /// What it may cost is spent.
    BudgetExhausted,
}

impl State {
    /// Returns its name, as in envelopes.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Claimed => "claimed",
            Self::Paused => "paused",
            Self::Held => "held",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
            Self::BudgetExhausted => "budget_exhausted",
        }
    }

    /// Returns whether it is an end.
    pub(crate) const fn is_final(self) -> bool {
        match self {
            Self::Waiting | Self::Claimed | Self::Paused | Self::Held => false,
            Self::Succeeded
            | Self::Failed
            | Self::Cancelled
            | Self::Skipped
            | Self::BudgetExhausted => true,
        }
    }
}

/// Whether a task could be claimed, limits aside, and otherwise the first thing in its way.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Readiness {
    /// Nothing is in its way.
    Ready,
    /// Tasks that it depends on have not succeeded.
    Dependencies,
    /// A person must let it run.
    Approval,
    /// Its time has not come: `not_before`, or the pause after a failure.
    NotYet,
    /// It is paused.
    Paused,
    /// It is held.
    Held,
    /// Somebody holds it.
    Claimed,
    /// It has ended.
    Ended,
}

impl Readiness {
    /// Returns its name, as in envelopes.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Dependencies => "dependencies",
            Self::Approval => "approval",
            Self::NotYet => "not_yet",
            Self::Paused => "paused",
            Self::Held => "held",
            Self::Claimed => "claimed",
            Self::Ended => "ended",
        }
    }
}

/// What somebody asks of the holder of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Asked {
    /// To stop and `release-task`; the task is paused then.
    Pause,
    /// To stop and `release-task`; the task is cancelled then.
    Cancel,
}

/// How far the work is, as its holder reported it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TaskProgress")]
pub(crate) struct Progress {
    /// How much is done, in percent.
    pub(crate) done_percent: Option<f64>,
    /// One line on it.
    pub(crate) message: Option<String>,
    /// When it was reported (RFC 3339, UTC).
    pub(crate) at: String,
}

/// Who holds a task, and until when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Lease {
    /// The number of the attempt.
    pub(crate) attempt: u32,
    /// What every write of the holder must show.
    pub(crate) token: String,
    /// Who holds it.
    pub(crate) claimer: Name,
    /// Until when (RFC 3339, UTC).
    pub(crate) until: String,
    /// What this attempt cost so far.
    pub(crate) spent: Spent,
    /// The run of a worker that does the work, where one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) run: Option<WorkerRun>,
}

/// The work of an attempt as a worker does it.
///
/// It may go on when its worker is gone. So a lease that runs out does not let anybody claim the task: first a worker has to
/// look what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WorkerRun {
    /// The session of the worker that looks after it.
    pub(crate) session: String,
    /// 32 hexadecimal digits that name the run where it goes on; they stay when another worker takes over.
    pub(crate) key: String,
}

/// What a holder shows with every write: nobody else has claimed the task since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fence {
    /// The task.
    pub(crate) task_id: TaskId,
    /// The number of the attempt.
    pub(crate) attempt: u32,
    /// The token of the claim.
    pub(crate) token: String,
}

/// Where a task stands in the series of those that come again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Occurrence {
    /// The first task of the series.
    pub(crate) series: TaskId,
    /// Which one of it this is; the first is 1.
    pub(crate) number: u32,
    /// For when it was made (RFC 3339, UTC).
    pub(crate) scheduled_at: String,
    /// The one that was made when this one ended.
    pub(crate) followed_by: Option<TaskId>,
}

/// A series of tasks, one after another: at most one of them has not ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Series {
    /// Its first task.
    pub(crate) series: TaskId,
    /// The key under which enqueueing it again finds it.
    pub(crate) idempotency_key: String,
    /// Digest of what was asked for first.
    pub(crate) content_digest: String,
    /// The task at hand, or the last one once the series is over.
    pub(crate) newest: TaskId,
    /// Whether no other follows, because somebody ended it or its time is over.
    pub(crate) is_over: bool,
    /// How many tasks were made.
    pub(crate) occurrences: u32,
}

/// A task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Task {
    /// Its id.
    pub(crate) task_id: TaskId,
    /// What was asked for; `depends_on` holds ids.
    pub(crate) spec: TaskSpec,
    /// Digest of what was asked for first; an edit leaves it.
    pub(crate) content_digest: String,
    /// Where it stands in its series, where it comes again.
    #[serde(default)]
    pub(crate) occurrence: Option<Occurrence>,
    /// Grows with each change but progress.
    pub(crate) version: u64,
    /// Where it stands.
    pub(crate) state: State,
    /// What is in its way.
    pub(crate) readiness: Readiness,
    /// When time alone changes something about it (RFC 3339, UTC).
    pub(crate) due_at: Option<String>,
    /// Until when it waits after a failure, or because its holder asked for that (RFC 3339, UTC).
    pub(crate) back_off_until: Option<String>,
    /// How often it was claimed.
    pub(crate) attempts: u32,
    /// How many of those failed.
    pub(crate) failures: u32,
    /// How many were lost since it last waited for a fresh start.
    #[serde(default)]
    pub(crate) losses: u32,
    /// How many events were noted.
    pub(crate) events: u32,
    /// How many checkpoints were saved.
    pub(crate) checkpoints: u32,
    /// Who holds it.
    pub(crate) lease: Option<Lease>,
    /// What is asked of the holder.
    pub(crate) asked: Option<Asked>,
    /// What a person said to its running, where it needs that; an edit of what they saw takes it back.
    #[serde(default)]
    pub(crate) decision: Option<Decision>,
    /// Why it ended, or is paused or held, in one word.
    pub(crate) reason: Option<String>,
    /// The error of the last attempt that failed.
    pub(crate) error: Option<String>,
    /// What its holder said of its end.
    pub(crate) summary: Option<String>,
    /// What it brought back.
    pub(crate) result: Option<Value>,
    /// How far it is.
    pub(crate) progress: Option<Progress>,
    /// What the attempts that ended cost.
    pub(crate) spent_before: Spent,
    /// When it was enqueued (RFC 3339, UTC).
    pub(crate) created_at: String,
    /// When something of it last changed (RFC 3339, UTC).
    pub(crate) updated_at: String,
    /// When it ended (RFC 3339, UTC).
    pub(crate) finished_at: Option<String>,
}

impl Task {
    /// Makes one that nobody has touched yet.
    pub(super) const fn new(
        task_id: TaskId,
        spec: TaskSpec,
        content_digest: String,
        occurrence: Option<Occurrence>,
    ) -> Self {
        Self {
            task_id,
            spec,
            content_digest,
            occurrence,
            version: 0,
            state: State::Waiting,
            readiness: Readiness::Ready,
            due_at: None,
            back_off_until: None,
            attempts: 0,
            failures: 0,
            losses: 0,
            events: 0,
            checkpoints: 0,
            lease: None,
            asked: None,
            decision: None,
            reason: None,
            error: None,
            summary: None,
            result: None,
            progress: None,
            spent_before: Spent {
                cost_usd: 0.0,
                wall_s: 0.0,
            },
            created_at: String::new(),
            updated_at: String::new(),
            finished_at: None,
        }
    }

    /// Returns its number, by which tasks of the same priority are ordered.
    pub(crate) fn number(&self) -> i64 {
        self.task_id.number().unwrap_or(0)
    }

    /// Returns the key under which enqueueing it again finds it.
    pub(crate) fn key(&self) -> &str {
        let given = self.spec.idempotency_key.as_deref();
        given.unwrap_or(&self.content_digest)
    }

    /// Returns what all its attempts cost so far.
    pub(crate) fn spent(&self) -> Spent {
        let now = self.lease.as_ref().map(|lease| lease.spent);
        self.spent_before.and(now.unwrap_or_default())
    }

    /// Returns whether a person let it run.
    pub(super) fn is_approved(&self) -> bool {
        self.decision.as_ref().is_some_and(|said| said.approved)
    }

    /// Returns whether a person rejected it.
    pub(super) fn is_rejected(&self) -> bool {
        self.decision.as_ref().is_some_and(|said| !said.approved)
    }

    /// Returns whether it does not run before a person lets it.
    pub(super) fn awaits_approval(&self) -> bool {
        self.spec.requires_approval && !self.is_approved()
    }

    /// Returns whether it cost what it may.
    pub(super) fn is_spent(&self) -> bool {
        let spent = self.spent();
        let reaches = |most: Option<f64>, spent: f64| most.is_some_and(|most| spent >= most);
        #[expect(clippy::cast_precision_loss, reason = "at most a year of seconds")]
        let wall = self.spec.max_wall_s.map(|most| most as f64);
        reaches(self.spec.budget_usd, spent.cost_usd) || reaches(wall, spent.wall_s)
    }

    /// Returns whether too many of its attempts were lost or failed for another one.
    ///
    /// The first [`LOSSES_FORGIVEN`] that were lost are nobody's fault; each one more counts like one that failed, so that a
    /// task which ends every worker that takes it does not do so for ever.
    pub(super) fn is_worn_out(&self) -> bool {
        let counted = self.losses.saturating_sub(LOSSES_FORGIVEN);
        counted > 0 && self.failures + counted >= self.spec.max_attempts
    }

    /// Returns which of the lanes it waits in.
    pub(super) fn lane(&self) -> Lane {
        Lane {
            agent: self.spec.agent.clone(),
            host: self.spec.host.clone(),
            needs: self.spec.resources.needs(),
            budgets: self.spec.budgets.clone(),
        }
    }
}

/// Tasks that need the same: the first of a lane can be claimed, or none of it can.
///
/// So a claim looks at the head of each lane and never at what waits behind a limit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Lane {
    /// The agent that is to do them.
    pub(super) agent: Option<Name>,
    /// Where they are to be done.
    pub(super) host: Option<Name>,
    /// What each takes of the limits.
    pub(super) needs: BTreeMap<String, u64>,
    /// The budgets that each spends of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) budgets: Vec<Name>,
}

impl Lane {
    /// Returns it as it stands in columns and in the ledger.
    pub(super) fn text(&self) -> String {
        // Names and numbers can always be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Returns whether its tasks need a GPU.
    pub(super) fn has_gpu(&self) -> bool {
        ["gpus", "gpu_mem_bytes"]
            .iter()
            .any(|name| self.needs.contains_key(*name))
    }
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AttemptEnd {
    /// Its holder completed the task.
    Succeeded,
    /// Its holder reported a failure.
    Failed,
    /// Its holder gave the task back.
    Released,
    /// Its lease ran out, and what became of the work is not known.
    Lost,
    /// The task was cancelled without its holder.
    Cancelled,
    /// What the task may cost was spent.
    BudgetExhausted,
}

/// One claim of a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Attempt {
    /// The task.
    pub(crate) task_id: TaskId,
    /// Its number.
    pub(crate) attempt: u32,
    /// The token of its claim.
    pub(crate) token: String,
    /// Who claimed it.
    pub(crate) claimer: Name,
    /// The id of the call that claimed it.
    pub(crate) request_id: Name,
    /// Digest of what that call asked for.
    pub(crate) request_digest: String,
    /// When (RFC 3339, UTC).
    pub(crate) claimed_at: String,
    /// How it ended; none while it goes on.
    pub(crate) end: Option<AttemptEnd>,
    /// When it ended (RFC 3339, UTC).
    pub(crate) ended_at: Option<String>,
    /// The error or summary of its end.
    pub(crate) note: Option<String>,
    /// Digest of what ended it, by which the same call is known again.
    pub(crate) end_digest: Option<String>,
    /// What it cost.
    pub(crate) spent: Spent,
}

/// What can happen to a task.
pub(crate) const EVENT_KINDS: &[&str] = &[
    "adopted",
    "approved",
    "asked",
    "attempt_failed",
    "budget_exhausted",
    "cancelled",
    "checkpoint",
    "claimed",
    "edited",
    "enqueued",
    "failed",
    "followed",
    "handed_in",
    "held",
    "lost",
    "paused",
    "rejected",
    "released",
    "resumed",
    "retried",
    "series_ended",
    "skipped",
    "succeeded",
    "unattended",
];

/// Something that happened to a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Event {
    /// The task.
    pub(crate) task_id: TaskId,
    /// Its number among those of the task.
    pub(crate) event: u32,
    /// What happened.
    pub(crate) kind: String,
    /// Facts about it.
    pub(crate) data: Value,
    /// When (RFC 3339, UTC).
    pub(crate) at: String,
}

/// What a holder saved, for whoever claims the task next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    /// The task.
    pub(crate) task_id: TaskId,
    /// Its number among those of the task.
    pub(crate) checkpoint: u32,
    /// The attempt that saved it.
    pub(crate) attempt: u32,
    /// SHA-256 of its canonical form (RFC 8785).
    pub(crate) sha256: String,
    /// Its size in bytes.
    pub(crate) size_bytes: u64,
    /// What it holds.
    pub(crate) payload: Value,
    /// When it was saved (RFC 3339, UTC).
    pub(crate) at: String,
}
