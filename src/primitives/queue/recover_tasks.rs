//! `recover-tasks`: take up leases that ran out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TaskView;
use crate::{
    contract::{Answer, Code, Effects, Failure, Name},
    domain::task::{self},
    primitives::Primitive,
    system::Context,
};

/// Takes up all leases that have run out: their attempts are `lost`, never failed, and the tasks can be claimed again, or are paused
/// or cancelled where their holders were asked for that. `claim-tasks` does the same by itself before it looks for a task.
///
/// A task that a worker runs is not among them: a worker has to look what became of its run first (`worker-status`).
///
/// What became of the work of a lost attempt is not known: look before it is done again, where doing it twice does harm.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// Whether only to say what would be done.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

/// What was taken up.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The tasks whose leases had run out.
    pub(crate) recovered: Vec<Recovered>,
    /// When time alone changes something about any task next (RFC 3339, UTC); null where it never does.
    pub(crate) next_due_at: Option<String>,
}

/// A task whose lease had run out.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Recovered {
    /// The task as it stands now.
    pub(crate) task: TaskView,
    /// The attempt that was lost.
    pub(crate) attempt: u32,
    /// Who held it.
    pub(crate) claimer: Name,
    /// Until when (RFC 3339, UTC).
    pub(crate) lease_until: String,
}

/// Carries the declaration of `recover-tasks`.
pub(crate) struct RecoverTasks;

impl Primitive for RecoverTasks {
    const NAME: &'static str = "recover-tasks";
    const SUMMARY: &'static str = "Take up leases that ran out";
    const EFFECTS: Effects = Effects::ENSURES;
    const CODES: &'static [Code] = &[];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input { dry_run: false }]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let ((taken, next_due_at), effect) = task::recover(context, input.dry_run).await?;
        let recovered = taken
            .into_iter()
            .filter_map(|(before, after)| {
                let lease = before.lease?;
                Some(Recovered {
                    task: after.into(),
                    attempt: lease.attempt,
                    claimer: lease.claimer,
                    lease_until: lease.until,
                })
            })
            .collect();
        Ok(Answer::new(
            effect,
            Output {
                recovered,
                next_due_at,
            },
        ))
    }
}
