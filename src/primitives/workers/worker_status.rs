//! `worker-status`: what the workers do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::SessionView;
use crate::{
    contract::{Answer, Code, Effects, Failure, Name, Next},
    domain::{
        task::{Asked, TaskId},
        worker::{self, Overview, SessionState, WorkerTask},
    },
    primitives::Primitive,
    system::Context,
};

/// Tasks that are shown of one worker.
const MOST: usize = 200;

/// Shows the workers of this machine that run, each with what it has under way, and those that are gone and left something. Of one by its
/// name the newest session is shown, whether it runs or not. `stalled` lists tasks that nobody looks after: a worker that starts takes
/// them over.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// Only the worker of this name.
    #[serde(default)]
    pub(crate) name: Option<Name>,
}

/// The workers.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The workers, the newest first.
    pub(crate) workers: Vec<WorkerView>,
    /// Tasks whose worker is gone or has not renewed their leases.
    pub(crate) stalled: Vec<TaskId>,
}

/// A worker, with what it has under way.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Worker")]
pub(crate) struct WorkerView {
    /// Its session.
    pub(crate) session: SessionView,
    /// What it has under way, at most 200.
    pub(crate) tasks: Vec<UnderWay>,
    /// How many more it has under way.
    pub(crate) more_tasks: u64,
}

/// A task under way.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct UnderWay {
    /// The task.
    pub(crate) task_id: TaskId,
    /// The number of the attempt.
    pub(crate) attempt: u32,
    /// Until when its worker has it (RFC 3339, UTC).
    pub(crate) lease_until: Option<String>,
    /// What is asked of its worker.
    pub(crate) asked: Option<Asked>,
    /// The program and arguments that follow what it prints; null where it is no command on this machine, or has not begun.
    pub(crate) follow: Option<Vec<String>>,
}

impl From<WorkerTask> for UnderWay {
    fn from(under_way: WorkerTask) -> Self {
        let lease = under_way.task.lease.as_ref();
        Self {
            attempt: under_way.task.attempts,
            lease_until: lease.map(|lease| lease.until.clone()),
            asked: under_way.task.asked,
            follow: under_way.log.map(|log| {
                ["tail", "-n", "+1", "-F"]
                    .map(str::to_owned)
                    .into_iter()
                    .chain([log.display().to_string()])
                    .collect()
            }),
            task_id: under_way.task.task_id,
        }
    }
}

/// Carries the declaration of `worker-status`.
pub(crate) struct WorkerStatus;

impl Primitive for WorkerStatus {
    const NAME: &'static str = "worker-status";
    const SUMMARY: &'static str = "Show what the workers do";
    const EFFECTS: Effects = Effects::READS;
    const CODES: &'static [Code] = &[Code::WorkerNotFound];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![
            Input { name: None },
            Input {
                name: Some(Name::fixed("nightly")),
            },
        ]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let (found, warnings) = worker::overview(context, input.name.as_ref())?;
        let stalled: Vec<TaskId> = found.iter().flat_map(stalled_of).collect();
        let workers = found.into_iter().map(|one| {
            let more = one.tasks.len().saturating_sub(MOST);
            WorkerView {
                session: one.session.into(),
                more_tasks: more as u64,
                tasks: one.tasks.into_iter().take(MOST).map(Into::into).collect(),
            }
        });
        let has_stalled = !stalled.is_empty();
        let mut answer = Answer::read(Output {
            workers: workers.collect(),
            stalled,
        });
        answer.warnings.extend(warnings);
        Ok(if has_stalled {
            answer.with_next(Next::new(
                "start-worker",
                json!({}),
                "let a worker take over what is stalled",
            ))
        } else {
            answer
        })
    }
}

/// Lists the tasks of a session that nobody looks after.
fn stalled_of(one: &Overview) -> Vec<TaskId> {
    let is_gone = one.session.state() != SessionState::Running;
    let stalled = one
        .tasks
        .iter()
        .filter(|under_way| is_gone || under_way.is_unattended);
    stalled
        .map(|under_way| under_way.task.task_id.clone())
        .collect()
}
