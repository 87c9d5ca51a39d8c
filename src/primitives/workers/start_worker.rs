//! `start-worker`: start a worker in the background.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::SessionView;
use crate::{
    contract::{Answer, Code, Effect, Effects, Failure, Name, Next},
    domain::worker::{self, Options},
    primitives::Primitive,
    system::{Context, process},
};

/// Starts `run-worker` in the background, in a session of its own that outlives this call, and answers once it works. Where a worker of
/// that name runs already, that one is the answer. What it writes goes to `workers/NAME.log` in legwork's folder. It has the environment
/// of this call: what agents need as secrets must be set in it.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// Its name, which others see as the claimer of its tasks.
    #[serde(default = "name")]
    pub(crate) name: Name,
    /// How many tasks it runs at once; as many as there are processors where none is given. With 0 it takes none, and only sees to its
    /// end what workers that are gone left.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1000))]
    pub(crate) concurrency: Option<u32>,
    /// Only tasks for one of these agents, or for none in particular.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub(crate) agents: Vec<Name>,
    /// Only tasks for one of these hosts, or for none in particular.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub(crate) hosts: Vec<Name>,
    /// Seconds of its leases, which it renews as long as it lives.
    #[serde(default = "lease_s")]
    #[schemars(range(min = 3, max = 86_400))]
    pub(crate) lease_s: u64,
    /// Ends after so many tasks.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub(crate) max_tasks: Option<u64>,
    /// Ends once for so many seconds there was nothing to do.
    #[serde(default)]
    #[schemars(range(min = 0, max = 31_536_000))]
    pub(crate) idle_exit_s: Option<u64>,
    /// Seconds that what runs may take to end when the worker is told to end.
    #[serde(default = "drain_s")]
    #[schemars(range(min = 0, max = 604_800))]
    pub(crate) drain_s: u64,
    /// Whether only to say what would be done.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

fn name() -> Name {
    Name::fixed("worker")
}

const fn lease_s() -> u64 {
    60
}

const fn drain_s() -> u64 {
    60
}

/// The worker.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// Its session; null in a dry run that would start it.
    pub(crate) session: Option<SessionView>,
}

/// Carries the declaration of `start-worker`.
pub(crate) struct StartWorker;

impl Primitive for StartWorker {
    const NAME: &'static str = "start-worker";
    const SUMMARY: &'static str = "Start a worker in the background";
    const EFFECTS: Effects = Effects::ENSURES;
    const CODES: &'static [Code] = &[Code::WorkerNotStarted, Code::WorkerRunning];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            name: Name::fixed("caretaker"),
            concurrency: Some(0),
            agents: Vec::new(),
            hosts: Vec::new(),
            lease_s: lease_s(),
            max_tasks: None,
            idle_exit_s: None,
            drain_s: drain_s(),
            dry_run: false,
        }]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let options = Options {
            worker: input.name.clone(),
            concurrency: input.concurrency.unwrap_or_else(process::processors),
            agents: input.agents,
            hosts: input.hosts,
            lease_s: input.lease_s,
            max_tasks: input.max_tasks,
            idle_exit_s: input.idle_exit_s,
            drain_s: input.drain_s,
        };
        let (session, effect) = worker::start(context, &options, input.dry_run).await?;
        let is_other = session
            .as_ref()
            .is_some_and(|session| effect == Effect::Replayed && session.options != options);
        let mut answer = Answer::new(
            effect,
            Output {
                session: session.map(Into::into),
            },
        );
        if is_other {
            answer = answer.with_warning(
                "the worker that runs was started with other options; stop-worker ends it",
            );
        }
        Ok(if input.dry_run {
            answer
        } else {
            answer.with_next(Next::new(
                "worker-status",
                json!({"name": input.name}),
                "see what it does",
            ))
        })
    }
}
