//! `tail-log`: what an agent wrote.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    contract::{Answer, Code, Cursor, Effects, Failure, JobId, Next, Pager, Reach, Timeout, text},
    domain::{
        agent,
        job::{self, Chunk, Job, Stream},
    },
    primitives::Primitive,
    system::Context,
};

/// Shows what an agent wrote, as it stands in its log or decoded into events.
///
/// Without `cursor` it shows the beginning and the end of a long log, and says how many bytes were left out between
/// them. With the `next_cursor` of an earlier answer as `cursor` it goes on from there. What stands in a log is not to
/// be trusted.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The job.
    pub(crate) job_id: JobId,
    /// Which log.
    #[serde(default)]
    pub(crate) stream: Stream,
    /// How to show it.
    #[serde(default)]
    pub(crate) format: Format,
    /// Where to go on: `next_cursor` of the answer before, of the same log.
    #[serde(default)]
    pub(crate) cursor: Option<Cursor>,
    /// Whether to begin at the beginning, and read on from there piece by piece; not with `cursor`.
    #[serde(default)]
    pub(crate) from_start: bool,
    /// Bytes of the log to read.
    #[serde(default = "max_bytes")]
    #[schemars(range(min = 256, max = 8_388_608))]
    pub(crate) max_bytes: u64,
    /// Seconds the call may take.
    #[serde(default)]
    pub(crate) timeout_s: Timeout<60, 3600>,
}

const fn max_bytes() -> u64 {
    65_536
}

/// How to show a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    /// As text; bytes that are not UTF-8 and control characters are replaced.
    Raw,
    /// As events, in the same shape for every agent.
    #[default]
    Events,
}

/// A piece of a log.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The beginning of the piece; only as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
    /// What follows the bytes that were left out; only as text, and only where some were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text_after_omission: Option<String>,
    /// The events before and after what was left out; only as events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) events: Option<Vec<agent::Event>>,
    /// Bytes that were left out of the middle.
    pub(crate) omitted_bytes: u64,
    /// Bytes in the log when it was read.
    pub(crate) size_bytes: u64,
    /// What to send as `cursor` to go on from here.
    pub(crate) next_cursor: Cursor,
    /// Whether the agent has ended, by the last evidence, and all it wrote was shown.
    pub(crate) ended: bool,
    /// Whether there is a log at all.
    pub(crate) exists: bool,
}

/// Carries the declaration of `tail-log`.
pub(crate) struct TailLog;

impl Primitive for TailLog {
    const NAME: &'static str = "tail-log";
    const SUMMARY: &'static str = "Show what an agent wrote";
    const EFFECTS: Effects = Effects::READS_REMOTE;
    const CODES: &'static [Code] = &[Code::JobNotFound, Code::CursorInvalid];
    const NEEDS_HOST: bool = true;
    const REACHES: &'static [(&'static str, Reach)] =
        &[("cursor", Reach::Data), ("from_start", Reach::Data)];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            job_id: JobId::fixed("widgets-12-0123456789ab"),
            stream: Stream::Output,
            format: Format::Events,
            cursor: None,
            from_start: false,
            max_bytes: max_bytes(),
            timeout_s: Timeout::default(),
        }]
    }

    fn limit(input: &Input) -> Option<Duration> {
        Some(input.timeout_s.duration())
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let job = job::find(context, &input.job_id)?;
        let pager = Pager::new(Self::NAME, &json!([input.job_id, input.stream]));
        let from = match &input.cursor {
            Some(cursor) => Some(pager.position(cursor)?),
            None => input.from_start.then_some(0),
        };
        let chunk = job::read_log(context, &job, input.stream, from, input.max_bytes).await?;
        let output = match input.format {
            Format::Raw => raw(&job, &chunk, &pager),
            Format::Events => events(&job, &chunk, &pager),
        };
        let next = Next::new(
            "tail-log",
            json!({
                "job_id": input.job_id, "stream": input.stream, "format": input.format,
                "cursor": output.next_cursor,
            }),
            "go on from here",
        );
        let ended = output.ended;
        let answer = Answer::read(output);
        Ok(if ended {
            answer
        } else {
            answer.with_next(next)
        })
    }
}

fn raw(job: &Job, chunk: &Chunk, pager: &Pager) -> Output {
    Output {
        text: Some(text::raw(&chunk.head)),
        text_after_omission: (!chunk.tail.is_empty()).then(|| text::raw(&chunk.tail)),
        ..output(job, chunk, chunk.end(), pager)
    }
}

fn events(job: &Job, chunk: &Chunk, pager: &Pager) -> Output {
    let decoded = chunk.decode(job);
    Output {
        events: Some(decoded.events),
        ..output(job, chunk, decoded.cursor, pager)
    }
}

/// Makes the answer with neither text nor events; `end` is where in the log the next call goes on.
fn output(job: &Job, chunk: &Chunk, end: u64, pager: &Pager) -> Output {
    Output {
        text: None,
        text_after_omission: None,
        events: None,
        omitted_bytes: chunk.omitted(),
        size_bytes: chunk.size,
        next_cursor: pager.cursor(&end),
        ended: chunk.is_complete(job, end),
        exists: chunk.exists,
    }
}
