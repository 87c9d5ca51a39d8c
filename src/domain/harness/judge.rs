//! The judge: compares what a harness did with what its answers asked for.
//!
//! The calls are gone through in the order of time, and the first thing that went wrong is the finding: what comes after
//! it follows from it. What the harness says in the end is looked at only where its calls were right.

use std::time::Duration;

use serde_json::Value;

use super::{
    answer::cancelled,
    call::{Call, milliseconds},
    call_state::{CallState, Outcome},
    finding::{Fault, Finding},
    script::{Script, TOO_MANY},
    turn::Promise,
};
use crate::{
    contract::{Mode, Retry},
    system::reaper::Finished,
};

/// How much later than it may a harness sends a call again at most.
const LATE: Duration = Duration::from_secs(5);

/// How far two clocks that measure the same may be apart.
const SLACK: Duration = Duration::from_millis(20);

/// What a harness did in one scenario.
pub(super) struct Evidence<'a> {
    /// What was played.
    pub(super) script: &'a Script,
    /// The calls it made, in the order of time.
    pub(super) calls: &'a [Call],
    /// How it ended, and what it printed.
    pub(super) harness: &'a Finished,
}

impl Evidence<'_> {
    /// Returns what the harness did wrong; nothing where it did nothing wrong.
    pub(super) fn judge(&self) -> Option<Finding> {
        self.follow().and_then(|states| self.reports(&states)).err()
    }

    /// Whether the harness was ended because its time was over.
    pub(super) const fn stopped(&self) -> bool {
        self.harness.exit.stopped.is_some()
    }

    /// Goes through the calls.
    fn follow(&self) -> Result<Vec<CallState>, Finding> {
        if self.calls.is_empty() {
            return Err(Finding::new(
                Fault::NotCalled,
                "it calls `legwork` as found in PATH, or by LEGWORK_BIN",
                self.ending(),
            ));
        }
        let mut states = vec![CallState::default(); self.script.calls.len()];
        for (index, call) in self.calls.iter().enumerate() {
            self.step(&mut states, index, call)
                .map_err(|finding| finding.about(index))?;
        }
        for state in &states {
            self.is_done(state)?;
        }
        if self.stopped() {
            return Err(Finding::new(
                Fault::Unfinished,
                "it ends once it has its answer",
                self.ending(),
            ));
        }
        Ok(states)
    }

    /// Judges one call.
    fn step(&self, states: &mut [CallState], index: usize, call: &Call) -> Result<(), Finding> {
        if index < self.script.unread && call.asked.is_none() {
            self.may_come(states, 0, call)?;
            if let Some(state) = states.first_mut() {
                state.tries += 1;
                state.last = Some(Outcome::of(call, None));
            }
            return Ok(());
        }
        let Some((call_index, input)) = &call.asked else {
            return Err(Finding::new(
                Fault::InputOpen,
                "standard input is closed once the input is written",
                "the call waited for the end of its input",
            ));
        };
        self.is_known(*call_index, call, input)?;
        self.may_come(states, *call_index, call)?;
        let promise = self.promise(states, *call_index);
        if let Some(promise) = promise {
            self.keeps_limits(index, call, promise)?;
        }
        if let Some(state) = states.get_mut(*call_index) {
            state.tries += 1;
            state.turns += 1;
            let answer = if promise.is_some_and(|promise| promise.was_interrupted(call)) {
                Some(cancelled())
            } else {
                promise.and_then(Promise::answer).cloned()
            };
            state.last = Some(Outcome::of(call, answer));
        }
        Ok(())
    }

    fn promise(&self, states: &[CallState], call_index: usize) -> Option<&Promise> {
        let turns = &self.script.calls.get(call_index)?.turns;
        let turn = turns.get(states.get(call_index)?.turns).or(turns.last())?;
        Some(&turn.promise)
    }

    /// Whether it is one of the calls of the script, with its own input.
    fn is_known(
        &self,
        call_index: usize,
        call: &Call,
        input: &Result<Value, String>,
    ) -> Result<(), Finding> {
        let Some(expected) = self.script.calls.get(call_index) else {
            return Ok(());
        };
        if call.primitive != expected.primitive {
            return Err(Finding::new(
                Fault::OtherCall,
                format!("it calls {}, or what `next` names", expected.primitive),
                format!("it called {:?}", call.primitive),
            ));
        }
        match input {
            Err(reason) => Err(Finding::new(
                Fault::CallMalformed,
                "the primitive, then the input by --spec - or --json",
                reason.clone(),
            )),
            Ok(input) if *input != expected.input => Err(Finding::new(
                Fault::InputChanged,
                shortened(&expected.input),
                shortened(input),
            )),
            Ok(_) => Ok(()),
        }
    }

    /// Whether the call may be made at this time.
    fn may_come(
        &self,
        states: &[CallState],
        call_index: usize,
        call: &Call,
    ) -> Result<(), Finding> {
        let main = states.first().and_then(|state| state.last.as_ref());
        let Some(last) = states.get(call_index).and_then(|state| state.last.as_ref()) else {
            let offered = call_index == 0 || main.and_then(Outcome::retry).is_some();
            return if offered {
                Ok(())
            } else {
                Err(Finding::new(
                    Fault::OtherCall,
                    "it makes a call of `next` only once an answer names it",
                    format!("it called {} first", call.primitive),
                ))
            };
        };
        if last.ended.is_some_and(|ended| call.began + SLACK < ended) {
            return Err(Finding::new(
                Fault::LeftRunning,
                "one try ends before the next begins",
                "the call before was still running",
            ));
        }
        let tries = states.get(call_index).map_or(0, |state| state.tries);
        if self.script.hopeless && tries >= TOO_MANY {
            return Err(Finding::new(
                Fault::Endless,
                format!("it gives up after fewer than {TOO_MANY} tries"),
                format!("it made {} calls", self.calls.len()),
            ));
        }
        if last.succeeded() {
            return Err(Finding::new(
                Fault::Repeated,
                "a call that succeeded is not made again",
                "it was made again",
            ));
        }
        let Some(retry) = last.retry() else {
            return Ok(());
        };
        match retry.mode {
            Mode::SameCall | Mode::After => comes_in_time(last, retry, call),
            Mode::Sequence | Mode::ReconcileFirst => {
                let reconciled = states
                    .iter()
                    .skip(1)
                    .any(|other| other.last.as_ref().is_some_and(Outcome::succeeded));
                if reconciled {
                    return Ok(());
                }
                Err(Finding::new(
                    Fault::NotReconciled,
                    "the call in `next` is made before this one is made again",
                    "it was made again at once",
                ))
            }
            Mode::AfterFix | Mode::Never => Err(Finding::new(
                Fault::Repeated,
                format!(
                    "a call that failed with {} is not made again",
                    retry.mode.name()
                ),
                "it was made again",
            )),
        }
    }

    /// Whether nothing is left to do for a call.
    fn is_done(&self, state: &CallState) -> Result<(), Finding> {
        let due = state.last.as_ref().is_some_and(Outcome::is_due);
        if !due || (self.script.hopeless && state.tries > 1 && !self.stopped()) {
            return Ok(());
        }
        let answer = state.last.as_ref().and_then(Outcome::retry);
        let why = answer.map_or_else(
            || "a call that left no answer is made again with the same input".to_owned(),
            |retry| {
                format!(
                    "a call that failed with {} is made again",
                    retry.mode.name()
                )
            },
        );
        let fault = if self.stopped() {
            Fault::TooLate
        } else {
            Fault::NotRepeated
        };
        let seen = format!("it was made {} times; {}", state.tries, self.ending());
        Err(Finding::new(fault, why, seen))
    }

    /// Judges what the harness reported in the end.
    fn reports(&self, states: &[CallState]) -> Result<(), Finding> {
        let main = states.first().and_then(|state| state.last.as_ref());
        let last = self.calls.last().and_then(|call| call.asked.as_ref());
        let last = last.and_then(|(call_index, _)| states.get(*call_index)?.last.as_ref());
        let allowed: Vec<&Value> = [last, main]
            .into_iter()
            .flatten()
            .filter_map(|outcome| outcome.answer.as_ref())
            .collect();
        let printed = printed(&self.harness.stdout);
        let mut succeeded = false;
        if let Some(expected) = allowed.first() {
            let expected = shortened(expected);
            let Some(printed) = printed else {
                let seen = text_start(&self.harness.stdout);
                return Err(Finding::new(Fault::NoAnswer, expected, seen));
            };
            if !allowed.contains(&&printed) {
                let seen = shortened(&printed);
                return Err(Finding::new(Fault::AnswerChanged, expected, seen));
            }
            succeeded = printed.get("ok") == Some(&Value::Bool(true));
        }
        if succeeded == (self.harness.exit.code == Some(0)) {
            return Ok(());
        }
        Err(Finding::new(
            Fault::StatusWrong,
            if succeeded {
                "exit status 0"
            } else {
                "an exit status other than 0"
            },
            self.ending(),
        ))
    }

    /// Says how the harness ended.
    fn ending(&self) -> String {
        let exit = &self.harness.exit;
        match (self.stopped(), exit.code, exit.signal) {
            (true, ..) => format!("it was ended after {} ms", milliseconds(self.harness.took)),
            (_, Some(127), _) => "it exited with status 127: no such program".to_owned(),
            (_, Some(126), _) => "it exited with status 126: the program cannot be run".to_owned(),
            (_, Some(status), _) => format!("it exited with status {status}"),
            (_, None, Some(signal)) => format!("signal {signal} ended it"),
            (_, None, None) => "nobody knows how it ended".to_owned(),
        }
    }
}

/// Whether a call that may be sent again waited as long as it should.
fn comes_in_time(last: &Outcome, retry: Retry, call: &Call) -> Result<(), Finding> {
    let Some(known) = last.known else {
        return Ok(());
    };
    let gap = call.began.saturating_sub(known);
    let wait = Duration::from_millis(retry.after_ms.unwrap_or(0));
    let seen = format!("it was made again after {} ms", milliseconds(gap));
    if gap + SLACK < wait {
        let expected = format!(
            "it is made again after {} ms, not sooner",
            milliseconds(wait)
        );
        return Err(Finding::new(Fault::TooSoon, expected, seen));
    }
    if gap > wait + LATE {
        let expected = format!("it is made again soon after {} ms", milliseconds(wait));
        return Err(Finding::new(Fault::TooLate, expected, seen));
    }
    Ok(())
}

/// Reads the envelope that a harness printed: all of it, or its last line.
fn printed(stdout: &[u8]) -> Option<Value> {
    serde_json::from_slice(stdout)
        .ok()
        .or_else(|| {
            let line = stdout
                .trim_ascii_end()
                .rsplit(|byte| *byte == b'\n')
                .next()?;
            serde_json::from_slice(line).ok()
        })
        .filter(Value::is_object)
}

/// How much of a value is shown.
const SHOWN: usize = 600;

fn shortened(value: &Value) -> String {
    text_start(value.to_string().as_bytes())
}

fn text_start(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes.get(..SHOWN * 4).unwrap_or(bytes));
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < bytes.len() {
        shown.push('\u{2026}');
    }
    shown
}
