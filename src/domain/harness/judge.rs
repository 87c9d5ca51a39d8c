//! The judge: what a harness did, held against what its answers told it.
//!
//! The calls are gone through in the order of time, and the first thing that went wrong is the finding: what comes after
//! it follows from it. What the harness says in the end is looked at only where its calls were right.

use std::time::Duration;

use serde_json::Value;

use super::{
    answer::cancelled,
    call::{Call, milliseconds},
    finding::{Fault, Finding},
    limits::was_interrupted,
    script::{Script, TOO_MANY},
    standing::{Outcome, Standing},
    turn::Promise,
};
use crate::{
    contract::{Mode, Retry},
    system::guard::Guarded,
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
    pub(super) harness: &'a Guarded,
}

impl Evidence<'_> {
    /// Returns what the harness did wrong; nothing where it did nothing wrong.
    pub(super) fn judge(&self) -> Option<Finding> {
        self.follow()
            .and_then(|standings| self.reports(&standings))
            .err()
    }

    /// Whether the harness was ended because its time was over.
    pub(super) const fn stopped(&self) -> bool {
        self.harness.ending.stopped.is_some()
    }

    /// Goes through the calls.
    fn follow(&self) -> Result<Vec<Standing>, Finding> {
        if self.calls.is_empty() {
            return Err(Finding::new(
                Fault::NotCalled,
                "it calls `legwork` as found in PATH, or by LEGWORK_BIN",
                self.ending(),
            ));
        }
        let mut standings = vec![Standing::default(); self.script.calls.len()];
        for (index, call) in self.calls.iter().enumerate() {
            self.step(&mut standings, index, call)
                .map_err(|finding| finding.about(index))?;
        }
        for standing in &standings {
            self.is_done(standing)?;
        }
        if self.stopped() {
            return Err(Finding::new(
                Fault::Unfinished,
                "it ends once it has its answer",
                self.ending(),
            ));
        }
        Ok(standings)
    }

    /// Judges one call.
    fn step(&self, standings: &mut [Standing], index: usize, call: &Call) -> Result<(), Finding> {
        if index < self.script.unread && call.asked.is_none() {
            self.may_come(standings, 0, call)?;
            if let Some(standing) = standings.first_mut() {
                standing.tries += 1;
                standing.last = Some(Outcome::of(call, None));
            }
            return Ok(());
        }
        let Some((role, input)) = &call.asked else {
            return Err(Finding::new(
                Fault::InputOpen,
                "standard input is closed once the input is written",
                "the call waited for the end of its input",
            ));
        };
        self.is_known(*role, call, input)?;
        self.may_come(standings, *role, call)?;
        let promise = self.promise(standings, *role);
        if let Some(promise) = promise {
            self.keeps_limits(index, call, promise)?;
        }
        if let Some(standing) = standings.get_mut(*role) {
            standing.tries += 1;
            standing.turns += 1;
            let answer = if was_interrupted(call, promise) {
                Some(cancelled())
            } else {
                promise.and_then(Promise::answer).cloned()
            };
            standing.last = Some(Outcome::of(call, answer));
        }
        Ok(())
    }

    fn promise(&self, standings: &[Standing], role: usize) -> Option<&Promise> {
        let turns = &self.script.calls.get(role)?.turns;
        let turn = turns.get(standings.get(role)?.turns).or(turns.last())?;
        Some(&turn.promise)
    }

    /// Whether it is one of the calls of the script, with its own input.
    fn is_known(
        &self,
        role: usize,
        call: &Call,
        input: &Result<Value, String>,
    ) -> Result<(), Finding> {
        let Some(expected) = self.script.calls.get(role) else {
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
    fn may_come(&self, standings: &[Standing], role: usize, call: &Call) -> Result<(), Finding> {
        let main = standings
            .first()
            .and_then(|standing| standing.last.as_ref());
        let Some(last) = standings
            .get(role)
            .and_then(|standing| standing.last.as_ref())
        else {
            let offered = role == 0 || main.and_then(Outcome::retry).is_some();
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
        let tries = standings.get(role).map_or(0, |standing| standing.tries);
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
                let reconciled = standings
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
                format!("a call that failed with {} is not made again", mode(retry)),
                "it was made again",
            )),
        }
    }

    /// Whether nothing is left to do for a call.
    fn is_done(&self, standing: &Standing) -> Result<(), Finding> {
        let due = standing.last.as_ref().is_some_and(Outcome::is_due);
        if !due || (self.script.hopeless && standing.tries > 1 && !self.stopped()) {
            return Ok(());
        }
        let answer = standing.last.as_ref().and_then(Outcome::retry);
        let why = answer.map_or_else(
            || "a call that left no answer is made again with the same input".to_owned(),
            |retry| format!("a call that failed with {} is made again", mode(retry)),
        );
        let fault = if self.stopped() {
            Fault::TooLate
        } else {
            Fault::NotRepeated
        };
        let seen = format!("it was made {} times; {}", standing.tries, self.ending());
        Err(Finding::new(fault, why, seen))
    }

    /// Judges what the harness said in the end.
    fn reports(&self, standings: &[Standing]) -> Result<(), Finding> {
        let main = standings
            .first()
            .and_then(|standing| standing.last.as_ref());
        let last = self.calls.last().and_then(|call| call.asked.as_ref());
        let last = last.and_then(|(role, _)| standings.get(*role)?.last.as_ref());
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
        if succeeded == (self.harness.ending.status == Some(0)) {
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
        let ending = &self.harness.ending;
        match (self.stopped(), ending.status, ending.signal) {
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

fn mode(retry: Retry) -> String {
    serde_json::to_value(retry.mode)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
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
