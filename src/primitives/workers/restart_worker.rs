//! `restart-worker`: put a new process in the place of a worker's.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{SessionView, StoppedView};
use crate::{
    contract::{Answer, Code, Effects, Failure, Name, Scope, Scoped},
    domain::worker::{self, Halt},
    primitives::Primitive,
    system::Context,
};

/// Ends a worker and starts it again with the same options, such as after an update of legwork. `session_id` names the session that is to
/// be replaced: where another one runs by now nothing is done. With `force` it is killed where it has not ended by the end of `wait_s`; what it
/// runs goes on, and the new one takes it over. Calls of primitives that it has under way are broken off and sent again.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The worker.
    pub(crate) name: Name,
    /// The session that is to be replaced, as `worker-status` shows it.
    pub(crate) session_id: Name,
    /// Seconds to wait for its end.
    #[serde(default = "wait_s")]
    #[schemars(range(min = 0, max = 3600))]
    pub(crate) wait_s: u64,
    /// Whether it is killed where it has not ended by then.
    #[serde(default)]
    pub(crate) force: bool,
    /// Whether only to say what would be done.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

const fn wait_s() -> u64 {
    30
}

/// The worker before and after.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The session that was replaced, with what it had under way; null where another one runs already.
    pub(crate) before: Option<StoppedView>,
    /// The session that runs now; null in a dry run.
    pub(crate) session: Option<SessionView>,
}

/// Carries the declaration of `restart-worker`.
pub(crate) struct RestartWorker;

impl Primitive for RestartWorker {
    const NAME: &'static str = "restart-worker";
    const SUMMARY: &'static str = "Put a new process in the place of a worker's";
    const EFFECTS: Effects = Effects::REMOVES;
    const SCOPES: &'static [Scoped] = &[Scope::WorkerControl.always(), Scope::Destructive.always()];
    const CODES: &'static [Code] = &[
        Code::WorkerNotFound,
        Code::WorkerNotEnded,
        Code::WorkerNotStarted,
        Code::WorkerRunning,
    ];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            name: Name::fixed("nightly"),
            session_id: Name::fixed("session-1-00000001"),
            wait_s: wait_s(),
            force: false,
            dry_run: false,
        }]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let halt = Halt {
            wait_s: input.wait_s,
            force: input.force,
        };
        let replaced = (&input.name, &input.session_id);
        let (before, session, effect) =
            worker::restart(context, replaced, halt, input.dry_run).await?;
        Ok(Answer::new(
            effect,
            Output {
                before: before.map(Into::into),
                session: session.map(Into::into),
            },
        ))
    }
}
