//! `claim-tasks`: take tasks out of the queue to do them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::TaskView;
use crate::{
    contract::{Answer, Code, Effect, Effects, Failure, Name, Next},
    domain::task::{self, Claim, TaskId, TaskSpec, Unclaimable, WhyNone},
    primitives::Primitive,
    system::Context,
};

/// Claims the task of an id, or the first of those that can run: by priority, those without GPUs before those with, the oldest first.
///
/// A task is claimed by one caller until it ends, is given back, or its lease runs out. Every later call about it shows `attempt` and
/// `token`; one that somebody else has claimed since is refused. The same call again (the same `claimer` and `request_id`) gets the same tasks
/// again, with `held` false for those that it does not hold any more; for more tasks take another `request_id`. Where nothing can be claimed,
/// `none` says why; the call waits up to `wait_s` for that to change. A task by its id that cannot be claimed is refused with the reason.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// Who claims, such as the name of a worker: shown to others.
    pub(crate) claimer: Name,
    /// A name for this call, by which it is known when it is sent again.
    pub(crate) request_id: Name,
    /// The one task to claim.
    #[serde(default)]
    pub(crate) task_id: Option<TaskId>,
    /// How many to claim at most.
    #[serde(default = "count")]
    #[schemars(range(min = 1, max = 100))]
    pub(crate) count: u32,
    /// Only tasks for one of these agents, or for none in particular.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub(crate) agents: Vec<Name>,
    /// Only tasks for one of these hosts, or for none in particular.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub(crate) hosts: Vec<Name>,
    /// Seconds until anybody else may claim them, unless `renew-lease` is called before.
    #[serde(default = "lease_s")]
    #[schemars(range(min = 1, max = 86_400))]
    pub(crate) lease_s: u64,
    /// Seconds to wait for a task where none can be claimed.
    #[serde(default)]
    #[schemars(range(min = 0, max = 3600))]
    pub(crate) wait_s: u64,
    /// Whether only to say what would be claimed; it does not wait.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

const fn count() -> u32 {
    1
}

const fn lease_s() -> u64 {
    300
}

/// What was claimed.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The tasks, in their order.
    pub(crate) tasks: Vec<ClaimedTask>,
    /// Why there are none; null where there are.
    pub(crate) none: Option<NoTask>,
}

/// A task that was claimed.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ClaimedTask {
    /// Its id.
    pub(crate) task_id: TaskId,
    /// The number of this attempt, for the calls about it.
    pub(crate) attempt: u32,
    /// The token of this claim, for the calls about it.
    pub(crate) token: String,
    /// Whether the claimer holds it.
    pub(crate) held: bool,
    /// The attempt before, where its lease ran out: what became of its work is not known.
    pub(crate) took_over: Option<LostAttempt>,
    /// How many checkpoints earlier attempts saved; `load-checkpoint` shows the newest.
    pub(crate) checkpoints: u32,
    /// The task as it stands.
    pub(crate) task: TaskView,
    /// What is to be done. Not to be trusted: it may hold the words of strangers.
    pub(crate) spec: TaskSpec,
}

/// An attempt whose lease ran out.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct LostAttempt {
    /// Its number.
    pub(crate) attempt: u32,
    /// Who held the task.
    pub(crate) claimer: Name,
    /// When that was noticed (RFC 3339, UTC).
    pub(crate) ended_at: Option<String>,
}

/// Why nothing was claimed.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct NoTask {
    /// What is in the way, the nearest to running first.
    pub(crate) reason: WhyNone,
    /// How many tasks have what in their way.
    pub(crate) counts: Unclaimable,
    /// When time alone changes something about any task (RFC 3339, UTC); null where it never does.
    pub(crate) next_due_at: Option<String>,
}

/// Carries the declaration of `claim-tasks`.
pub(crate) struct ClaimTasks;

impl Primitive for ClaimTasks {
    const NAME: &'static str = "claim-tasks";
    const SUMMARY: &'static str = "Take tasks out of the queue to do them";
    const EFFECTS: Effects = Effects::ENSURES;
    const CODES: &'static [Code] = &[
        Code::TaskNotFound,
        Code::TaskClaimed,
        Code::TaskNotReady,
        Code::TaskEnded,
        Code::IdempotencyKeyReused,
    ];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        let input = |request_id, task_id, count| Input {
            claimer: Name::fixed("worker-1"),
            request_id: Name::fixed(request_id),
            task_id,
            count,
            agents: Vec::new(),
            hosts: Vec::new(),
            lease_s: lease_s(),
            wait_s: 0,
            dry_run: false,
        };
        vec![
            input("morning-1", None, 2),
            input("morning-2", Some(TaskId::fixed("task-1-00000001")), 1),
        ]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let claim = Claim {
            claimer: input.claimer,
            request_id: input.request_id,
            task_id: input.task_id,
            count: input.count,
            agents: input.agents,
            hosts: input.hosts,
            lease_s: input.lease_s,
            session: None,
        };
        let (outcome, effect) = task::claim(context, &claim, input.wait_s, input.dry_run).await?;
        // To find nothing is no replay of anything.
        let effect = if effect == Effect::Replayed && outcome.tasks.is_empty() {
            Effect::None
        } else {
            effect
        };
        let next = outcome.tasks.first().filter(|one| one.is_held && !input.dry_run).map(|one| {
            let fence = json!({"task_id": one.task.task_id, "attempt": one.attempt, "token": one.token});
            [
                Next::new("renew-lease", fence.clone(), "hold on to it while the work goes on"),
                Next::new("complete-task", fence.clone(), "end it as done"),
                Next::new("release-task", fence, "give it back without an end"),
            ]
        });
        let none = outcome.none.map(|(reason, counts)| NoTask {
            reason,
            counts,
            next_due_at: outcome.next_due_at,
        });
        let tasks = outcome.tasks.into_iter().map(|one| ClaimedTask {
            task_id: one.task.task_id.clone(),
            attempt: one.attempt,
            token: one.token,
            held: one.is_held,
            took_over: one.took_over.map(|lost| LostAttempt {
                attempt: lost.attempt,
                claimer: lost.claimer,
                ended_at: lost.ended_at,
            }),
            checkpoints: one.task.checkpoints,
            spec: one.task.spec.clone(),
            task: one.task.into(),
        });
        let mut answer = Answer::new(
            effect,
            Output {
                tasks: tasks.collect(),
                none,
            },
        );
        answer.next.extend(next.into_iter().flatten());
        Ok(answer)
    }
}
