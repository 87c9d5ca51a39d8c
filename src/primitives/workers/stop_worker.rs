//! `stop-worker`: let a worker end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::StoppedView;
use crate::{
    contract::{Answer, Code, Effects, Failure, Name, Next, Scope, Scoped},
    domain::worker::{self, Halt},
    primitives::Primitive,
    system::Context,
};

/// Asks a worker of this machine to end, and waits for that. It takes no more tasks, and waits for those that run as long as its `drain_s`
/// says; what still runs then goes on, and the next worker takes it over. `ended` says whether it has ended by the end of `wait_s`. Only the
/// very process that its session names is signalled, never one that has got its number since.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The worker.
    pub(crate) name: Name,
    /// Seconds to wait for its end.
    #[serde(default = "wait_s")]
    #[schemars(range(min = 0, max = 3600))]
    pub(crate) wait_s: u64,
    /// Whether it is killed where it has not ended by then. No task is lost by that.
    #[serde(default)]
    pub(crate) force: bool,
    /// Whether only to say what would be done.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

const fn wait_s() -> u64 {
    30
}

/// Carries the declaration of `stop-worker`.
pub(crate) struct StopWorker;

impl Primitive for StopWorker {
    const NAME: &'static str = "stop-worker";
    const SUMMARY: &'static str = "Let a worker end";
    const EFFECTS: Effects = Effects::REMOVES;
    const SCOPES: &'static [Scoped] = &[Scope::LocalWrite.always(), Scope::WorkerControl.always()];
    const CODES: &'static [Code] = &[Code::WorkerNotFound, Code::WorkerNotEnded];
    type Input = Input;
    type Output = StoppedView;

    fn examples() -> Vec<Input> {
        vec![Input {
            name: Name::fixed("nightly"),
            wait_s: wait_s(),
            force: false,
            dry_run: false,
        }]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<StoppedView>, Failure> {
        let halt = Halt {
            wait_s: input.wait_s,
            force: input.force,
        };
        let (stopped, effect) = worker::stop(context, &input.name, halt, input.dry_run).await?;
        let ended = stopped.has_ended;
        let answer = Answer::new(effect, stopped.into());
        Ok(if ended || input.dry_run {
            answer
        } else {
            answer.with_next(Next::new(
                "stop-worker",
                json!({"name": input.name, "wait_s": 600}),
                "wait for its end",
            ))
        })
    }
}
