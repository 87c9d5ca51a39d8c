//! The state of a call of the script while the judge goes through what happened.

use std::time::Duration;

use serde_json::Value;

use super::call::Call;
use crate::contract::Retry;

/// The state of one call of the script.
#[derive(Clone, Debug, Default)]
pub(super) struct CallState {
    /// How often it was made.
    pub(super) tries: usize,
    /// How many of its tries got so far that their input was read.
    pub(super) turns: usize,
    /// What came of it the last time; nothing before the first.
    pub(super) last: Option<Outcome>,
}

/// What came of a call.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    /// The answer; nothing where there was none.
    pub(super) answer: Option<Value>,
    /// When the harness could know; nothing where it killed the call.
    pub(super) known: Option<Duration>,
    /// When the call had ended by itself.
    pub(super) ended: Option<Duration>,
}

impl Outcome {
    /// Notes what came of a call.
    pub(super) fn of(call: &Call, answer: Option<Value>) -> Self {
        Self {
            answer,
            known: call.known(),
            ended: call.ended,
        }
    }

    /// Returns whether it is a success.
    pub(super) fn succeeded(&self) -> bool {
        self.answer
            .as_ref()
            .is_some_and(|answer| answer.get("ok") == Some(&Value::Bool(true)))
    }

    /// Returns the advice of a failure; nothing where it is none.
    pub(super) fn retry(&self) -> Option<Retry> {
        let retry = self.answer.as_ref()?.get("retry")?;
        serde_json::from_value(retry.clone()).ok()
    }

    /// Returns whether the call must be sent again.
    pub(super) fn is_due(&self) -> bool {
        self.answer.is_none() || self.retry().is_some_and(Retry::is_safe)
    }
}
