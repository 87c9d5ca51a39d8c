//! One call that a harness made, as the stub recorded it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::system::stub::{Event, Record};

/// One call that a harness made.
#[derive(Clone, Debug, Default)]
pub(super) struct Call {
    /// The number of its process.
    pub(super) pid: i32,
    /// When it began, by the clock of the record.
    pub(super) began: Duration,
    /// The primitive as it was named; empty where none was.
    pub(super) primitive: String,
    /// Which call of the script it counts as, and its input or why that cannot be read; nothing where it was never read
    /// to its end.
    pub(super) asked: Option<(usize, Result<Value, String>)>,
    /// The signals that came.
    pub(super) signals: Vec<(Duration, i32)>,
    /// Whether a write to stderr was blocked, at the end or when the first signal came.
    pub(super) stuck_in_stderr: bool,
    /// Whether a write to stdout was blocked, at the end or when the first signal came.
    pub(super) stuck_in_stdout: bool,
    /// Whether stdout was closed before all was written.
    pub(super) stdout_closed: bool,
    /// When its whole line was read.
    pub(super) answered: Option<Duration>,
    /// When it ended as its script says; nothing where it was killed, or still runs.
    pub(super) ended: Option<Duration>,
}

/// One call that a harness made, as the verdict shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct ObservedCall {
    /// The primitive that it called.
    pub(crate) primitive: String,
    /// Milliseconds from the start of the harness to the start of the call.
    pub(crate) began_ms: u64,
    /// Milliseconds from the answer, or the end, of the call before to the start of this one; null for the first, and where that was killed.
    pub(crate) gap_ms: Option<u64>,
    /// Whether its input was the one that was expected; null where it was not read to its end.
    pub(crate) input_as_given: Option<bool>,
    /// Signals that the harness sent, by number, each with the milliseconds since the call began.
    pub(crate) signals: Vec<Signalled>,
    /// Milliseconds after which its whole answer was read; null where it gave none.
    pub(crate) answered_ms: Option<u64>,
    /// Milliseconds after which it ended by itself; null where it was killed, or still ran.
    pub(crate) ended_ms: Option<u64>,
}

/// A signal that a call was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Signalled {
    /// Its number, such as 15 for SIGTERM.
    pub(crate) signal: i32,
    /// Milliseconds since the call began.
    pub(crate) after_ms: u64,
}

impl Call {
    /// Reads a record up to a time; nothing where the call began later.
    pub(super) fn of(record: &Record, until: Option<Duration>) -> Option<Self> {
        let mut call = Self::default();
        let counts = |at: Duration| until.is_none_or(|until| at < until);
        record.first().filter(|(at, _)| counts(*at))?;
        for (at, event) in record.iter().filter(|(at, _)| counts(*at)) {
            let at = *at;
            match event {
                Event::Started { pid, arguments } => {
                    call.pid = *pid;
                    call.began = at;
                    call.primitive = arguments.first().cloned().unwrap_or_default();
                }
                Event::Asked {
                    input, call: index, ..
                } => call.asked = Some((*index, input.clone())),
                Event::StderrBegun => call.stuck_in_stderr |= call.signals.is_empty(),
                Event::StderrRead => call.stuck_in_stderr &= !call.signals.is_empty(),
                Event::StdoutBegun => call.stuck_in_stdout |= call.signals.is_empty(),
                Event::StdoutRead => call.stuck_in_stdout &= !call.signals.is_empty(),
                Event::Answered => call.answered = Some(at),
                Event::StdoutClosed => call.stdout_closed = true,
                Event::Signalled(signal) => call.signals.push((at, *signal)),
                Event::Ending => call.ended = Some(at),
            }
        }
        Some(call)
    }

    /// Returns when the harness could know what came of it; nothing where it killed it.
    pub(super) fn known(&self) -> Option<Duration> {
        self.answered.or(self.ended)
    }

    /// Returns the first signal, as the time since the call began.
    pub(super) fn first_signal(&self) -> Option<Duration> {
        let (at, _) = self.signals.first()?;
        Some(at.saturating_sub(self.began))
    }

    /// Makes what the verdict shows of it.
    pub(super) fn observed(
        &self,
        start: Duration,
        before: Option<&Self>,
        expected: Option<&Value>,
    ) -> ObservedCall {
        let since = |from: Duration, to: Duration| milliseconds(to.saturating_sub(from));
        ObservedCall {
            primitive: self.primitive.clone(),
            began_ms: since(start, self.began),
            gap_ms: before
                .and_then(Self::known)
                .map(|known| since(known, self.began)),
            input_as_given: self
                .asked
                .as_ref()
                .map(|(_, input)| input.as_ref().ok() == expected),
            signals: self
                .signals
                .iter()
                .map(|(at, signal)| Signalled {
                    signal: *signal,
                    after_ms: since(self.began, *at),
                })
                .collect(),
            answered_ms: self.answered.map(|at| since(self.began, at)),
            ended_ms: self.ended.map(|at| since(self.began, at)),
        }
    }
}

/// Returns whole milliseconds.
pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
