//! `list-events`: what happened to jobs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    contract::{Answer, Code, Effects, Failure, JobId},
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
    /// Where an earlier answer left off.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub(crate) cursor: i64,
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
    /// The cursor that continues the list, now or once more has happened.
    pub(crate) cursor: i64,
    /// Whether there are more already.
    pub(crate) more: bool,
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
    const CODES: &'static [Code] = &[Code::JobNotFound];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            job_id: None,
            cursor: 0,
            limit: limit(),
        }]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        if let Some(job_id) = &input.job_id {
            job::find(context, job_id)?;
        }
        let found = job::events(context, input.job_id.as_ref(), input.cursor, input.limit)?;
        let warnings = found.warnings();
        let mut answer = Answer::read(Output {
            cursor: found.last_number().unwrap_or(input.cursor),
            more: found.more,
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
