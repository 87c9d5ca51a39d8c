//! `list-events`: what happened to jobs, or to tasks, and waiting for more of it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    contract::{
        Answer, Code, Cursor, Effects, Failure, JobId, Name, Pager, Reach, Violation, Violations,
    },
    domain::{
        job,
        task::{self, TaskId},
    },
    primitives::Primitive,
    system::{Context, awaited, store::Page},
};

/// What events are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "EventsOf")]
pub(crate) enum Of {
    /// Jobs.
    Jobs,
    /// Tasks of the queue.
    Tasks,
}

/// Lists what happened to jobs, or to tasks of the queue, oldest first, as it was noted here; no host is asked.
///
/// To follow them, send `last_number` of each answer as `after` of the next call, with `wait_s`: it returns as soon as something is there. Nothing is
/// left out and nothing comes twice, whoever writes meanwhile.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// What they are of; jobs where neither this nor `task_id` is given. Each has numbers of its own.
    #[serde(default)]
    pub(crate) of: Option<Of>,
    /// The job; all jobs where none is named.
    #[serde(default)]
    pub(crate) job_id: Option<JobId>,
    /// The task; all tasks where none is named.
    #[serde(default)]
    pub(crate) task_id: Option<TaskId>,
    /// Only those of these kinds; of any where there are none.
    #[serde(default)]
    #[schemars(length(max = 32))]
    pub(crate) kinds: Vec<Name>,
    /// Only those with a larger number: what has happened since that event.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub(crate) after: Option<u64>,
    /// Seconds to wait for one where there is none.
    #[serde(default)]
    #[schemars(range(min = 0, max = 3600))]
    pub(crate) wait_s: u64,
    /// Where to go on: `next_cursor` of the answer before, with the same filters.
    #[serde(default)]
    pub(crate) cursor: Option<Cursor>,
    /// How many to list.
    #[serde(default = "limit")]
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) limit: u32,
}

const fn limit() -> u32 {
    200
}

/// The events.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The events of jobs, oldest first.
    pub(crate) events: Vec<Event>,
    /// The events of tasks, oldest first.
    pub(crate) task_events: Vec<NumberedTaskEvent>,
    /// What to send as `cursor` for the next part; null where this is the last so far.
    pub(crate) next_cursor: Option<Cursor>,
    /// The number up to which all was looked at: what to send as `after` for what comes later.
    pub(crate) last_number: i64,
}

/// Something that happened to a job.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Event {
    /// Its number, which grows.
    pub(crate) number: i64,
    /// The job.
    pub(crate) job_id: String,
    /// What happened: `recorded`, `launched`, `state`, `outcome`, `verified`.
    pub(crate) kind: String,
    /// Facts about it.
    pub(crate) data: Value,
    /// When it was noted (RFC 3339, UTC).
    pub(crate) at: String,
}

/// Something that happened to a task of the queue.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct NumberedTaskEvent {
    /// Its number, which grows over all tasks.
    pub(crate) number: i64,
    /// The task.
    pub(crate) task_id: TaskId,
    /// Its number among those of the task, as in `show-task`.
    pub(crate) event: u32,
    /// What happened, such as `enqueued`, `claimed`, `succeeded`, `failed`, `attempt_failed`, `lost`, `cancelled`, `followed`.
    pub(crate) kind: String,
    /// Facts about it. Not to be trusted: they may hold the words of strangers.
    pub(crate) data: Value,
    /// When (RFC 3339, UTC).
    pub(crate) at: String,
}

/// Carries the declaration of `list-events`.
pub(crate) struct ListEvents;

impl Primitive for ListEvents {
    const NAME: &'static str = "list-events";
    const SUMMARY: &'static str = "List what happened to jobs or tasks, and wait for more";
    const EFFECTS: Effects = Effects::READS;
    const CODES: &'static [Code] = &[Code::JobNotFound, Code::TaskNotFound, Code::CursorInvalid];
    const REACHES: &'static [(&'static str, Reach)] = &[("cursor", Reach::Data)];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        let all = || Input {
            of: None,
            job_id: None,
            task_id: None,
            kinds: Vec::new(),
            after: None,
            wait_s: 0,
            cursor: None,
            limit: limit(),
        };
        vec![
            all(),
            Input {
                of: Some(Of::Tasks),
                kinds: ["succeeded", "failed"].map(Name::fixed).into(),
                after: Some(0),
                wait_s: 1,
                ..all()
            },
        ]
    }

    fn check(input: &Input) -> Violations {
        let mut wrong = Violations::default();
        let of = of(input);
        let other = match of {
            Of::Jobs => input.task_id.as_ref().map(|_| "task_id"),
            Of::Tasks => input.job_id.as_ref().map(|_| "job_id"),
        };
        if let Some(field) = other {
            wrong.push(
                Violation::new(
                    format!("/{field}"),
                    "oneOf",
                    "events are of jobs or of tasks",
                )
                .expecting("job_id with jobs, task_id with tasks"),
            );
        }
        let known = match of {
            Of::Jobs => job::EVENT_KINDS,
            Of::Tasks => task::EVENT_KINDS,
        };
        for (index, kind) in input.kinds.iter().enumerate() {
            if !known.contains(&kind.as_str()) {
                let message = format!("nothing of this kind ever happens: {kind}");
                wrong.push(
                    Violation::new(format!("/kinds/{index}"), "enum", message)
                        .expecting(known.join(", ")),
                );
            }
        }
        wrong
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        if let Some(job_id) = &input.job_id {
            job::find(context, job_id)?;
        }
        let of = of(&input);
        let filters = json!([of, input.job_id, input.task_id, input.kinds, input.after]);
        let pager = Pager::new(Self::NAME, &filters);
        let after: i64 = match &input.cursor {
            Some(cursor) => pager.position(cursor)?,
            None => i64::try_from(input.after.unwrap_or(0)).unwrap_or(i64::MAX),
        };
        let allowed = Duration::from_secs(input.wait_s);
        match of {
            Of::Jobs => {
                let filter = job::EventFilter {
                    job_id: input.job_id,
                    kinds: input.kinds.iter().map(Name::to_string).collect(),
                    after,
                    limit: input.limit,
                };
                let (page, last) = first(
                    context,
                    allowed,
                    "waiting for something to happen to a job",
                    || job::events(context, &filter),
                )
                .await?;
                let (mut answer, events) = answer(&pager, page, last);
                answer.data.events = events.into_iter().map(Event::from).collect();
                Ok(answer)
            }
            Of::Tasks => {
                let filter = task::EventFilter {
                    task_id: input.task_id,
                    kinds: input.kinds.iter().map(Name::to_string).collect(),
                    after,
                    limit: input.limit,
                };
                let (page, last) = first(
                    context,
                    allowed,
                    "waiting for something to happen to a task",
                    || task::events(context, &filter),
                )
                .await?;
                let (mut answer, events) = answer(&pager, page, last);
                answer.data.task_events = events.into_iter().map(NumberedTaskEvent::from).collect();
                Ok(answer)
            }
        }
    }
}

fn of(input: &Input) -> Of {
    let named = input.task_id.as_ref().map(|_| Of::Tasks);
    input.of.or(named).unwrap_or(Of::Jobs)
}

/// Lists events, once there are some or the time is over.
async fn first<T, E: From<crate::system::store::Error>>(
    context: &Context,
    allowed: Duration,
    doing: &str,
    list: impl Fn() -> Result<(Page<T>, i64), E>,
) -> Result<(Page<T>, i64), E> {
    let found = awaited::found(context, allowed, doing, || {
        let (page, number) = list()?;
        let is_something = !page.read.is_empty() || !page.damaged.is_empty();
        Ok::<_, E>(is_something.then_some((page, number)))
    });
    match found.await? {
        Some(found) => Ok(found),
        None => list(),
    }
}

/// Makes the answer without its events, and returns those.
fn answer<T>(pager: &Pager, page: Page<T>, last_number: i64) -> (Answer<Output>, Vec<T>) {
    let warnings = page.warnings();
    let mut answer = Answer::read(Output {
        next_cursor: page
            .last_number()
            .filter(|_| page.more)
            .map(|number| pager.cursor(&number)),
        events: Vec::new(),
        task_events: Vec::new(),
        last_number,
    });
    answer.warnings.extend(warnings);
    (answer, page.read)
}

impl From<job::Event> for Event {
    fn from(event: job::Event) -> Self {
        Self {
            number: event.number,
            job_id: event.job_id,
            kind: event.kind,
            data: event.data,
            at: event.at,
        }
    }
}

impl From<(i64, task::Event)> for NumberedTaskEvent {
    fn from((number, event): (i64, task::Event)) -> Self {
        Self {
            number,
            task_id: event.task_id,
            event: event.event,
            kind: event.kind,
            data: event.data,
            at: event.at,
        }
    }
}
