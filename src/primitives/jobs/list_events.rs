//! `list-events`: what happened to jobs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    contract::{Answer, Code, Cursor, Effects, Failure, JobId, Pager, Reach},
    domain::job,
    primitives::Primitive,
    system::Context,
};

/// Lists what happened to one job or to all, oldest first, as it was noted here; no host is asked.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The job; all jobs where none is named.
    #[serde(default)]
    pub(crate) job_id: Option<JobId>,
    /// Only those with a larger number: what has happened since that event.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub(crate) after: Option<u64>,
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
    /// The events, oldest first.
    pub(crate) events: Vec<Event>,
    /// What to send as `cursor` for the next part; null where this is the last so far.
    pub(crate) next_cursor: Option<Cursor>,
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

/// Carries the declaration of `list-events`.
pub(crate) struct ListEvents;

impl Primitive for ListEvents {
    const NAME: &'static str = "list-events";
    const SUMMARY: &'static str = "List what happened to jobs";
    const EFFECTS: Effects = Effects::READS;
    const CODES: &'static [Code] = &[Code::JobNotFound, Code::CursorInvalid];
    const REACHES: &'static [(&'static str, Reach)] = &[("cursor", Reach::Data)];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            job_id: None,
            after: None,
            cursor: None,
            limit: limit(),
        }]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        if let Some(job_id) = &input.job_id {
            job::find(context, job_id)?;
        }
        let pager = Pager::new(Self::NAME, &json!([input.job_id, input.after]));
        let after: i64 = match &input.cursor {
            Some(cursor) => pager.position(cursor)?,
            None => i64::try_from(input.after.unwrap_or(0)).unwrap_or(i64::MAX),
        };
        let found = job::events(context, input.job_id.as_ref(), after, input.limit)?;
        let warnings = found.warnings();
        let mut answer = Answer::read(Output {
            next_cursor: found
                .last_number()
                .filter(|_| found.more)
                .map(|number| pager.cursor(&number)),
            events: found
                .read
                .into_iter()
                .map(|event| Event {
                    number: event.number,
                    job_id: event.job_id,
                    kind: event.kind,
                    data: event.data,
                    at: event.at,
                })
                .collect(),
        });
        answer.warnings.extend(warnings);
        Ok(answer)
    }
}
