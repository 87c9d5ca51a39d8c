//! One turn of a stub: what it does in one try of a call, and what the harness has in hand afterwards.

use serde_json::Value;

use super::{
    answer::{cancelled, line},
    call::Call,
};
use crate::system::stub::{OnSignal, Response, Step};

/// How long a stub that is told to stop takes to answer, in milliseconds.
const STOPPING_MS: u64 = 500;

/// What one call does, and what comes of it.
#[derive(Clone, Debug)]
pub(super) struct Turn {
    /// What the stub does.
    pub(super) response: Response,
    /// What a harness has in hand afterwards.
    pub(super) promise: Promise,
}

/// What a harness has in hand after a call, as long as it does nothing wrong.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Promise {
    /// The call answers by itself.
    Answers(Value),
    /// It ends by itself and leaves no whole line.
    CutOff,
    /// It hangs, and answers when it is told to stop.
    AnswersOnStop(Value),
    /// It hangs, and ignores the signal.
    Deaf,
}

impl Promise {
    /// Returns the answer; nothing where the call leaves none.
    pub(super) const fn answer(&self) -> Option<&Value> {
        match self {
            Self::Answers(answer) | Self::AnswersOnStop(answer) => Some(answer),
            Self::CutOff | Self::Deaf => None,
        }
    }
}

impl Promise {
    /// Returns whether a call that would have answered by itself was stopped because this machine is too slow: the harness
    /// was right.
    pub(super) fn was_interrupted(&self, call: &Call) -> bool {
        let stopped = call.signals.first().map(|(at, _)| *at);
        matches!(self, Self::Answers(_))
            && stopped
                .is_some_and(|stopped| call.answered.is_none_or(|answered| stopped < answered))
    }
}

impl Turn {
    /// Answers at once, and exits as legwork would.
    pub(super) fn answers(answer: Value) -> Self {
        let status = u8::from(answer.get("ok") != Some(&Value::Bool(true)));
        let steps = vec![print(&answer), Step::Exit(status)];
        Self::playing(steps, Promise::Answers(answer))
    }

    /// Answers, and exits with a status.
    pub(super) fn answers_and_exits(answer: Value, status: u8) -> Self {
        let steps = vec![print(&answer), Step::Exit(status)];
        Self::playing(steps, Promise::Answers(answer))
    }

    /// Answers, and is killed then.
    pub(super) fn answers_and_dies(answer: Value) -> Self {
        let steps = vec![print(&answer), Step::Die];
        Self::playing(steps, Promise::Answers(answer))
    }

    /// Answers in two pieces, the first of which ends within the last character that takes several bytes.
    pub(super) fn answers_in_pieces(answer: Value, between: Vec<Step>) -> Self {
        let (text, cut) = cut_within_a_character(&answer);
        let end = text.len();
        let mut steps = vec![piece(&text, 0, cut)];
        steps.extend(between);
        steps.extend([piece(&text, cut, end), Step::Exit(0)]);
        Self::playing(steps, Promise::Answers(answer))
    }

    /// Is killed in the middle of its line.
    pub(super) fn dies_within(answer: &Value) -> Self {
        let (text, cut) = cut_within_a_character(answer);
        let steps = vec![piece(&text, 0, cut), Step::Die];
        Self::playing(steps, Promise::CutOff)
    }

    /// Is killed before it writes anything.
    pub(super) fn dies() -> Self {
        Self::playing(vec![Step::Die], Promise::CutOff)
    }

    /// Hangs until it is told to stop, and answers then.
    pub(super) fn answers_on_stop(answer: Value) -> Self {
        Self {
            response: Response {
                steps: vec![Step::Hang],
                on_signal: OnSignal::Answer {
                    line: line(&answer),
                    after_ms: STOPPING_MS,
                },
            },
            promise: Promise::AnswersOnStop(answer),
        }
    }

    /// Hangs, and ignores signals.
    pub(super) fn deaf() -> Self {
        Self {
            response: Response {
                steps: vec![Step::Hang],
                on_signal: OnSignal::Ignore,
            },
            promise: Promise::Deaf,
        }
    }

    /// Does something before all else.
    pub(super) fn after(mut self, step: Step) -> Self {
        self.response.steps.insert(0, step);
        self
    }

    /// Does something once it has answered.
    pub(super) fn and_then(mut self, step: Step) -> Self {
        let end = self.response.steps.len().saturating_sub(1);
        self.response.steps.insert(end, step);
        self
    }

    fn playing(steps: Vec<Step>, promise: Promise) -> Self {
        let line = line(&cancelled());
        Self {
            response: Response {
                steps,
                on_signal: OnSignal::Answer { line, after_ms: 0 },
            },
            promise,
        }
    }
}

fn print(answer: &Value) -> Step {
    let text = line(answer);
    piece(&text, 0, text.len())
}

fn piece(text: &str, from: usize, to: usize) -> Step {
    Step::Stdout {
        text: text.to_owned(),
        from,
        to,
    }
}

/// Returns the line of an answer, and a place within its last character of several bytes, or else near its end.
fn cut_within_a_character(answer: &Value) -> (String, usize) {
    let text = line(answer);
    let wide = text.char_indices().rev().find(|(_, c)| c.len_utf8() > 1);
    let cut = wide.map_or(text.len().saturating_sub(4), |(at, _)| at + 1);
    (text, cut)
}
