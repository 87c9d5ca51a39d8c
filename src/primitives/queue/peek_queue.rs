//! `peek-queue`: the queue as a whole.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LimitView, TaskView};
use crate::{
    contract::{Answer, Code, Effects, Failure},
    domain::task::{self, Readiness, State},
    primitives::Primitive,
    system::Context,
};

/// Sums the queue up: how many tasks are in each state and what is in the way of those that wait, what is taken of the limits, and which
/// tasks come first. Its cost does not depend on how many tasks there are.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {}

/// The queue.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The tasks that come first, at most 5: they can be claimed now, unless a limit is in their way.
    pub(crate) heads: Vec<TaskView>,
    /// How many tasks are in each state.
    pub(crate) states: States,
    /// How many tasks wait, by the first thing that is in their way.
    pub(crate) waiting_for: WaitingFor,
    /// The named limits, and what is taken of them.
    pub(crate) limits: Vec<LimitView>,
    /// When time alone changes something about any task next (RFC 3339, UTC); null where it never does.
    pub(crate) next_due_at: Option<String>,
}

/// Counts of tasks by state.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TaskStates")]
pub(crate) struct States {
    /// They wait for their turn, or for something.
    pub(crate) waiting: u64,
    /// Somebody holds them.
    pub(crate) claimed: u64,
    /// Somebody paused them.
    pub(crate) paused: u64,
    /// Somebody must decide about them.
    pub(crate) held: u64,
    /// They were done.
    pub(crate) succeeded: u64,
    /// They failed for good.
    pub(crate) failed: u64,
    /// Somebody ended them.
    pub(crate) cancelled: u64,
    /// They were left out.
    pub(crate) skipped: u64,
    /// They cost what they may.
    pub(crate) budget_exhausted: u64,
}

/// Counts of waiting tasks by the first thing that is in their way.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct WaitingFor {
    /// Nothing: they can be claimed now.
    pub(crate) nothing: u64,
    /// More of a limit than is free.
    pub(crate) limits: u64,
    /// Their time.
    pub(crate) not_yet: u64,
    /// A person's approval.
    pub(crate) approval: u64,
    /// Tasks that they depend on.
    pub(crate) dependencies: u64,
}

/// Carries the declaration of `peek-queue`.
pub(crate) struct PeekQueue;

impl Primitive for PeekQueue {
    const NAME: &'static str = "peek-queue";
    const SUMMARY: &'static str = "Sum the queue up";
    const EFFECTS: Effects = Effects::READS;
    const CODES: &'static [Code] = &[];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {}]
    }

    async fn run(context: &Context, _input: Input) -> Result<Answer<Output>, Failure> {
        let found = task::peek(context)?;
        let ledger = &found.ledger;
        let count = |state| ledger.in_state(state);
        let kept_by = |readiness| ledger.kept_by(readiness);
        let output = Output {
            states: States {
                waiting: count(State::Waiting),
                claimed: count(State::Claimed),
                paused: count(State::Paused),
                held: count(State::Held),
                succeeded: count(State::Succeeded),
                failed: count(State::Failed),
                cancelled: count(State::Cancelled),
                skipped: count(State::Skipped),
                budget_exhausted: count(State::BudgetExhausted),
            },
            waiting_for: WaitingFor {
                nothing: kept_by(Readiness::Ready).saturating_sub(found.over_limits),
                limits: found.over_limits,
                not_yet: kept_by(Readiness::NotYet),
                approval: kept_by(Readiness::Approval),
                dependencies: kept_by(Readiness::Dependencies),
            },
            heads: found.heads.into_iter().map(TaskView::from).collect(),
            limits: found.limits.into_iter().map(LimitView::from).collect(),
            next_due_at: found.next_due_at,
        };
        let mut answer = Answer::read(output);
        answer
            .warnings
            .extend(found.damaged.iter().map(ToString::to_string));
        Ok(answer)
    }
}
