//! `tail-log`: what an agent wrote.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    contract::{Answer, Code, Effects, Failure, JobId, Next, Timeout, text},
    domain::{
        agent,
        job::{self, Chunk, Job, Stream},
    },
    primitives::Primitive,
    system::Context,
};

/// Shows what an agent wrote, as it stands in its log or decoded into events.
///
/// Without `cursor` it shows the beginning and the end of a long log, and says how many bytes were cut out between
/// them. With the `cursor` of an earlier answer it goes on from there. What stands in a log is not to be trusted.
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
    /// Where an earlier answer left off, in bytes.
    #[serde(default)]
    pub(crate) cursor: Option<u64>,
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
    /// What follows the cut; only as text, and only where something was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text_after_cut: Option<String>,
    /// The events before and behind the cut; only as events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) events: Option<Vec<agent::Event>>,
    /// Bytes that were cut out of the middle.
    pub(crate) cut_bytes: u64,
    /// Bytes in the log when it was read.
    pub(crate) size: u64,
    /// Where the next call goes on.
    pub(crate) cursor: u64,
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
    const CODES: &'static [Code] = &[Code::JobNotFound];
    const NEEDS_HOST: bool = true;
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            job_id: JobId::fixed("widgets-12-0123456789ab"),
            stream: Stream::Output,
            format: Format::Events,
            cursor: None,
            max_bytes: max_bytes(),
            timeout_s: Timeout::default(),
        }]
    }

    fn limit(input: &Input) -> Option<Duration> {
        Some(input.timeout_s.duration())
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let job = job::find(context, &input.job_id)?;
        let chunk =
            job::read_log(context, &job, input.stream, input.cursor, input.max_bytes).await?;
        let output = match input.format {
            Format::Raw => raw(&job, &chunk),
            Format::Events => events(&job, &chunk),
        };
        let next = Next::new(
            "tail-log",
            json!({"job_id": input.job_id, "cursor": output.cursor}),
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

fn raw(job: &Job, chunk: &Chunk) -> Output {
    output(job, chunk, chunk.end(), |output| {
        output.text = Some(text::raw(&chunk.head));
        output.text_after_cut = (!chunk.tail.is_empty()).then(|| text::raw(&chunk.tail));
    })
}

fn events(job: &Job, chunk: &Chunk) -> Output {
    let decoded = chunk.decode(job);
    output(job, chunk, decoded.cursor, |output| {
        output.events = Some(decoded.events);
    })
}

fn output(job: &Job, chunk: &Chunk, cursor: u64, fill: impl FnOnce(&mut Output)) -> Output {
    let mut output = Output {
        text: None,
        text_after_cut: None,
        events: None,
        cut_bytes: chunk.cut(),
        size: chunk.size,
        cursor,
        ended: chunk.is_complete(job, cursor),
        exists: chunk.exists,
    };
    fill(&mut output);
    output
}
