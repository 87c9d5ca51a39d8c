//! `enqueue-tasks`: put tasks in the queue.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::TaskView;
use crate::{
    contract::{
        Answer, Code, Effects, Failure, Name, Next, Reach, Violation, Violations, unknown_primitive,
    },
    domain::task::{self, Resources, State, TaskSpec},
    primitives::Primitive,
    system::Context,
};

/// Puts tasks in the queue, all of them or none: prompts for agents, commands, or calls of primitives, to be claimed by whoever does them.
///
/// What was acknowledged is on the disk. Tasks of the batch may depend on each other by `name`, and on others by id. A task whose
/// `idempotency_key` is known (or, without one, one of the same content) is not enqueued again, and stands in the answer as it is; with
/// other content it is `idempotency_key_reused`. The key of a task that comes again (`every`) is that of its series. Where it ended without success, `next` says how to try it again.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The tasks.
    #[schemars(length(min = 1, max = 1000))]
    pub(crate) tasks: Vec<TaskSpec>,
    /// Whether only to say what would be done; the ids are not those that the tasks would have.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

/// The tasks.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The tasks, in the order in which they were given.
    pub(crate) tasks: Vec<EnqueuedTask>,
}

/// A task of the batch.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct EnqueuedTask {
    /// The name that it has in the batch.
    pub(crate) name: Option<Name>,
    /// Whether this call enqueued it, or would have in a dry run.
    pub(crate) enqueued: bool,
    /// The task as it stands.
    pub(crate) task: TaskView,
}

/// Carries the declaration of `enqueue-tasks`.
pub(crate) struct EnqueueTasks;

impl Primitive for EnqueueTasks {
    const NAME: &'static str = "enqueue-tasks";
    const SUMMARY: &'static str = "Put tasks in the queue, all or none";
    const EFFECTS: Effects = Effects::ENSURES;
    const CODES: &'static [Code] = &[
        Code::TaskNotFound,
        Code::DependencyCycle,
        Code::IdempotencyKeyReused,
    ];
    const REACHES: &'static [(&'static str, Reach)] = &[("tasks", Reach::Task)];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        let build = TaskSpec {
            name: Some(Name::fixed("build")),
            command: ["make", "--jobs=4"].map(str::to_owned).into(),
            cwd: Some("widgets".to_owned()),
            ..TaskSpec::default()
        };
        let fix = TaskSpec {
            title: Some("Fix the total of an empty cart".to_owned()),
            prompt: Some("The total of an empty cart is None; it must be 0.".to_owned()),
            depends_on: vec![Name::fixed("build")],
            priority: 70,
            agent: Some(Name::fixed("claude")),
            resources: Resources {
                gpus: 1,
                ..Resources::default()
            },
            budget_usd: Some(2.5),
            ..TaskSpec::default()
        };
        let nightly = TaskSpec {
            idempotency_key: Some("nightly-tests".to_owned()),
            command: ["make", "test"].map(str::to_owned).into(),
            cwd: Some("widgets".to_owned()),
            every: Some("0 2 * * 1-5".to_owned()),
            time_zone: Some("Europe/Berlin".to_owned()),
            ..TaskSpec::default()
        };
        [vec![build, fix], vec![nightly]]
            .map(|tasks| Input {
                tasks,
                dry_run: false,
            })
            .into()
    }

    fn check(input: &Input) -> Violations {
        let mut wrong = Violations::default();
        let mut names = std::collections::BTreeSet::new();
        for (index, spec) in input.tasks.iter().enumerate() {
            let at = format!("/tasks/{index}");
            wrong.append(spec.violations(&at));
            if let Some(name) = &spec.name
                && !names.insert(name)
            {
                let message = "another task of the batch has this name";
                wrong.push(Violation::new(format!("{at}/name"), "uniqueItems", message));
            }
        }
        wrong
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        check_calls(context, &input)?;
        let names: Vec<Option<Name>> = input.tasks.iter().map(|spec| spec.name.clone()).collect();
        let (enqueued, effect) = task::enqueue(context, input.tasks, input.dry_run).await?;
        let mut warnings = Vec::new();
        let mut next = Vec::new();
        let mut tasks = Vec::new();
        for (name, one) in names.into_iter().zip(enqueued) {
            let task_id = one.task.task_id.clone();
            for (limit, needed, total) in one.over_limit {
                warnings.push(format!(
                    "{task_id} needs {needed} of {limit}, of which there are {total}: it cannot run before that is raised"
                ));
            }
            if !one.is_new && one.task.state.is_final() && one.task.state != State::Succeeded {
                let stands = one.task.state.name();
                warnings.push(format!("{task_id} was enqueued before, and is {stands}"));
                next.push(Next::new(
                    "retry-task",
                    json!({"task_id": task_id, "after_attempt": one.task.attempts}),
                    "let it run again; another idempotency_key makes another task",
                ));
            }
            tasks.push(EnqueuedTask {
                name,
                enqueued: one.is_new,
                task: one.task.into(),
            });
        }
        next.truncate(20);
        next.push(Next::new(
            "peek-queue",
            json!({}),
            "see what comes first, and what waits for what",
        ));
        let mut answer = Answer::new(effect, Output { tasks });
        answer.warnings = warnings;
        answer.next = next;
        Ok(answer)
    }
}

/// Refuses calls of primitives that there are not, and inputs that do not fit: nobody would be there to see that later.
fn check_calls(context: &Context, input: &Input) -> Result<(), Failure> {
    let known = context.descriptions();
    let mut wrong = Violations::default();
    for (index, spec) in input.tasks.iter().enumerate() {
        let Some(call) = &spec.call else { continue };
        let Some(about) = known
            .iter()
            .find(|about| about.name == call.primitive.as_str())
        else {
            return Err(unknown_primitive(call.primitive.as_str(), &known));
        };
        for violation in &about.violations(Value::Object(call.input.clone())) {
            let at = format!("/tasks/{index}/call/input{}", violation.pointer());
            let placed = Violation::new(at, violation.keyword(), violation.message());
            wrong.push(placed.maybe_expecting(violation.expected()));
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    let own = known.iter().find(|about| about.name == EnqueueTasks::NAME);
    Err(own.map_or_else(
        || Failure::internal("enqueue-tasks is not registered"),
        |about| about.refuse(wrong),
    ))
}
