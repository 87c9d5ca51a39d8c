//! `list-tasks`: the tasks that are known here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::TaskView;
use crate::{
    contract::{Answer, Code, Cursor, Effects, Failure, Name, Pager, Reach, Violation, Violations},
    domain::task::{self, Filter, State, TaskId},
    primitives::Primitive,
    system::Context,
};

/// Lists tasks, newest first, or with `tree` one task and what it depends on.
///
/// The answer is bounded; `next_cursor` continues it.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// Only those in one of these states.
    #[serde(default)]
    #[schemars(length(max = 9))]
    pub(crate) states: Vec<State>,
    /// Only those with all of these labels.
    #[serde(default)]
    #[schemars(length(max = 8))]
    pub(crate) labels: Vec<Name>,
    /// Only those for this agent.
    #[serde(default)]
    pub(crate) agent: Option<Name>,
    /// This task and all that it depends on, directly or not, the nearest first; without any of the other filters.
    #[serde(default)]
    pub(crate) tree: Option<TaskId>,
    /// How many to list.
    #[serde(default = "limit")]
    #[schemars(range(min = 1, max = 500))]
    pub(crate) limit: u32,
    /// Where to go on: `next_cursor` of the answer before, with the same filters.
    #[serde(default)]
    pub(crate) cursor: Option<Cursor>,
}

const fn limit() -> u32 {
    50
}

/// The tasks.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The tasks.
    pub(crate) tasks: Vec<ListedTask>,
    /// What to send as `cursor` for the next part; null where this is the last.
    pub(crate) next_cursor: Option<Cursor>,
}

/// A task in the list.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ListedTask {
    /// How many steps away from the first task of a `tree` it is; null in a list.
    pub(crate) depth: Option<u32>,
    /// The task.
    pub(crate) task: TaskView,
}

/// Carries the declaration of `list-tasks`.
pub(crate) struct ListTasks;

impl Primitive for ListTasks {
    const NAME: &'static str = "list-tasks";
    const SUMMARY: &'static str = "List the tasks of the queue";
    const EFFECTS: Effects = Effects::READS;
    const CODES: &'static [Code] = &[Code::CursorInvalid, Code::TaskNotFound];
    const REACHES: &'static [(&'static str, Reach)] = &[("cursor", Reach::Data)];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        let input = |tree, states| Input {
            states,
            labels: Vec::new(),
            agent: None,
            tree,
            limit: limit(),
            cursor: None,
        };
        vec![
            input(None, vec![State::Waiting, State::Claimed]),
            input(Some(TaskId::fixed("task-4-00000004")), Vec::new()),
        ]
    }

    fn check(input: &Input) -> Violations {
        let filtered =
            !input.states.is_empty() || !input.labels.is_empty() || input.agent.is_some();
        if input.tree.is_some() && filtered {
            return Violation::new("/tree", "oneOf", "a tree is shown whole")
                .expecting("no states, labels or agent beside it")
                .into();
        }
        Violations::default()
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let filters = json!([input.states, input.labels, input.agent, input.tree]);
        let pager = Pager::new(Self::NAME, &filters);
        let place: Option<i64> = match &input.cursor {
            Some(cursor) => Some(pager.position(cursor)?),
            None => None,
        };
        if let Some(task_id) = &input.tree {
            let skip = usize::try_from(place.unwrap_or(0)).unwrap_or(0);
            let (listed, next) = task::tree(context, task_id, skip, input.limit as usize)?;
            let listed = listed.into_iter().map(|(task, depth)| ListedTask {
                depth: Some(depth),
                task: task.into(),
            });
            return Ok(Answer::read(Output {
                tasks: listed.collect(),
                next_cursor: next.map(|place| pager.cursor(&place)),
            }));
        }
        let filter = Filter {
            states: input.states,
            labels: input.labels,
            agent: input.agent,
            before: place,
            limit: input.limit,
        };
        let found = task::list(context, &filter)?;
        let warnings = found.warnings();
        let next = found.last_number().filter(|_| found.more);
        let listed = found.read.into_iter().map(|task| ListedTask {
            depth: None,
            task: task.into(),
        });
        let mut answer = Answer::read(Output {
            next_cursor: next.map(|number| pager.cursor(&number)),
            tasks: listed.collect(),
        });
        answer.warnings.extend(warnings);
        Ok(answer)
    }
}
