//! One call that a harness made, as the stand-in saw it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::system::stand_in::{Event, Record};

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
    /// Whether it stood still in a write to standard error, at the end or when the first signal came.
    pub(super) stuck_in_stderr: bool,
    /// Whether it stood still in a write to standard output, at the end or when the first signal came.
    pub(super) stuck_in_stdout: bool,
    /// Whether standard output was closed before all was written.
    pub(super) nobody_reads: bool,
    /// When its whole line was taken.
    pub(super) answered: Option<Duration>,
    /// When it ended as its part has it; nothing where it was killed, or still runs.
    pub(super) ended: Option<Duration>,
}

/// One call that a harness made, for whoever reads the verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Seen {
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
    /// Milliseconds after which its whole answer was taken; null where it gave none.
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
                Event::Asked { input, role, .. } => call.asked = Some((*role, input.clone())),
                Event::Complaining => call.stuck_in_stderr |= call.signals.is_empty(),
                Event::Complained => call.stuck_in_stderr &= !call.signals.is_empty(),
                Event::Printing => call.stuck_in_stdout |= call.signals.is_empty(),
                Event::Printed => call.stuck_in_stdout &= !call.signals.is_empty(),
                Event::Answered => call.answered = Some(at),
                Event::NobodyReads => call.nobody_reads = true,
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

    /// Shows it to whoever reads the verdict.
    pub(super) fn seen(
        &self,
        start: Duration,
        before: Option<&Self>,
        expected: Option<&Value>,
    ) -> Seen {
        let since = |from: Duration, to: Duration| milliseconds(to.saturating_sub(from));
        Seen {
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
