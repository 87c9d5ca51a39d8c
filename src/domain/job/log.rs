//! Reading the logs of a run, a bounded piece at a time, raw or decoded into events.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{error::Error, model::Job};
use crate::{
    domain::{agent, host},
    system::{
        Context,
        records::{Malformed, Record},
        script::Script,
        script_failure::ScriptFailure,
        shell,
    },
};

/// Which of a run's logs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stream {
    /// What the agent wrote to stdout.
    #[default]
    Output,
    /// What the agent wrote to stderr.
    Errors,
}

impl Stream {
    const fn file(self) -> &'static str {
        match self {
            Self::Output => "agent.log",
            Self::Errors => "agent.err",
        }
    }
}

/// A piece of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// Bytes in the log when it was read.
    pub(crate) size: u64,
    /// Where the piece begins.
    pub(crate) from: u64,
    /// The bytes before the gap, or all of the piece.
    pub(crate) head: Vec<u8>,
    /// The bytes behind the gap; empty where there is none.
    pub(crate) tail: Vec<u8>,
    /// Whether the log is there at all.
    pub(crate) exists: bool,
}

/// The events of a piece.
#[derive(Clone, Debug)]
pub(crate) struct Decoded {
    /// The events, in their order.
    pub(crate) events: Vec<agent::Event>,
    /// Where the next piece begins: behind the last line that was whole.
    pub(crate) cursor: u64,
}

impl Chunk {
    /// Returns where the piece ends.
    pub(crate) fn end(&self) -> u64 {
        if self.tail.is_empty() {
            self.from + self.head.len() as u64
        } else {
            self.size
        }
    }

    /// Returns how many bytes were left out between head and tail.
    pub(crate) fn omitted(&self) -> u64 {
        if self.tail.is_empty() {
            0
        } else {
            self.size - self.from - (self.head.len() + self.tail.len()) as u64
        }
    }

    /// Returns whether a reader at `cursor` has seen everything that the job will ever write.
    pub(crate) const fn is_complete(&self, job: &Job, cursor: u64) -> bool {
        job.state.is_terminal() && cursor >= self.size
    }

    /// Decodes the whole lines of the piece into events.
    ///
    /// A line that the gap cut in two is left out, and an unfinished line at the end is left to the next piece, unless
    /// the job has ended and nothing can follow.
    pub(crate) fn decode(&self, job: &Job) -> Decoded {
        let complete = self.is_complete(job, self.end());
        let has_gap = !self.tail.is_empty();
        let (head, head_rest) = whole_lines(&self.head, complete && !has_gap);
        let behind_gap = match self.tail.iter().position(|byte| *byte == b'\n') {
            Some(end) => &self.tail[end + 1..],
            None => &[],
        };
        let (tail, tail_rest) = whole_lines(behind_gap, complete);
        let events = head
            .split(|byte| *byte == b'\n')
            .chain(tail.split(|byte| *byte == b'\n'))
            .filter(|line| !line.is_empty())
            .flat_map(|line| agent::decode(job.spec.adapter, line))
            .collect();
        let rest = if has_gap { tail_rest } else { head_rest };
        let cursor = self.end() - rest as u64;
        // A line longer than the largest piece would never be whole: it is skipped.
        let is_stuck = cursor == self.from && rest > 0 && !has_gap && self.end() < self.size;
        Decoded {
            events,
            cursor: if is_stuck { self.end() } else { cursor },
        }
    }
}

/// Splits off an unfinished last line; returns the whole lines and the number of bytes left over.
fn whole_lines(bytes: &[u8], complete: bool) -> (&[u8], usize) {
    if complete {
        return (bytes, 0);
    }
    let end = bytes
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    (&bytes[..end], bytes.len() - end)
}

/// Reads a piece of a log: from `cursor` on, or its beginning and its end.
pub(crate) async fn read(
    context: &Context,
    job: &Job,
    stream: Stream,
    cursor: Option<u64>,
    max_bytes: u64,
) -> Result<Chunk, Error> {
    let machine = host::resolve(context, Some(&job.spec.host))?;
    let script = Script::new([shell::WITH_PLAIN, include_str!("tail.sh")].concat())
        .argument(format!("{}/{}", job.run_id()?.folder(), stream.file()))
        .argument(cursor.map_or_else(|| "-".to_owned(), |cursor| cursor.to_string()))
        .argument(max_bytes.to_string());
    let reply = machine.run(context, script).await?;
    let unreadable = || ScriptFailure::of(&machine.name, "tail-log", &reply);
    let (list, bytes) = reply.split_body().ok_or_else(unreadable)?;
    let Ok((size, head, exists)) = lengths(&list) else {
        return Err(unreadable().into());
    };
    let head = usize::try_from(head).unwrap_or(usize::MAX).min(bytes.len());
    let from = cursor.unwrap_or(0);
    // The lengths come from the host: where they do not add up, a cursor made from them would be wrong.
    let is_sound = bytes.len() as u64 <= max_bytes
        && (head == bytes.len() || from + bytes.len() as u64 <= size);
    if !is_sound {
        return Err(unreadable().into());
    }
    Ok(Chunk {
        size,
        from,
        head: bytes[..head].to_vec(),
        tail: bytes[head..].to_vec(),
        exists,
    })
}

/// Reads how long a log is, how many of its bytes come from before the gap, and whether there is a log at all.
fn lengths(list: &str) -> Result<(u64, u64, bool), Malformed> {
    let log = Record::tagged("log", list)?;
    Ok((log.number("size")?, log.number("head")?, log.is("exists")?))
}
