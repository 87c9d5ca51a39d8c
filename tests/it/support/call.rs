//! One call of legwork and its answer, read as a stranger would read it.

use std::process::Output;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::schemas;

/// The fields that every answer has.
#[derive(Debug, Deserialize)]
struct Common {
    ok: bool,
    v: u64,
    primitive: String,
    effect: String,
    next: Vec<NextCall>,
    meta: Cost,
}

/// What the call cost.
#[derive(Debug, Deserialize)]
struct Cost {
    round_trips: u64,
}

/// A call that usually follows.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct NextCall {
    /// The primitive to call.
    pub(crate) primitive: String,
    /// Its input.
    pub(crate) input: Value,
}

/// The fields of an answer that did what was asked.
#[derive(Debug, Deserialize)]
struct Success {
    data: Map<String, Value>,
    warnings: Vec<String>,
}

/// The fields of an answer that did not.
#[derive(Debug, Deserialize)]
struct Refusal {
    error_code: String,
    kind: String,
    retry_safe: bool,
    retry: Retry,
    message: String,
    remediation: String,
    details: Value,
}

/// When to try again.
#[derive(Debug, Deserialize)]
struct Retry {
    mode: String,
}

/// One call and its answer.
#[derive(Debug)]
pub(crate) struct Call {
    raw: String,
    common: Common,
    outcome: Result<Success, Refusal>,
    stderr: String,
}

impl Call {
    /// Reads what a call left behind, and fails unless it keeps the contract of every call.
    pub(crate) fn read(output: &Output) -> Self {
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let raw = std::str::from_utf8(&output.stdout).expect("stdout in UTF-8");
        let line = raw
            .strip_suffix('\n')
            .unwrap_or_else(|| refuse(&format!("no whole line on stdout: {raw:?}\n{stderr}")));
        assert!(!line.contains('\n'), "more than one line: {raw:?}");
        let value: Value = serde_json::from_str(line).expect("one line of JSON");
        let common: Common =
            serde_json::from_value(value.clone()).expect("the fields of every answer");
        assert_eq!(common.v, 1, "the contract version in {line}");
        let outcome = if common.ok {
            Ok(serde_json::from_value(value).expect("the fields of a success"))
        } else {
            Err(serde_json::from_value(value).expect("the fields of a refusal"))
        };
        let call = Self {
            raw: line.to_owned(),
            common,
            outcome,
            stderr,
        };
        if let Err(refusal) = &call.outcome {
            let (primitive, code) = (&call.common.primitive, &refusal.error_code);
            assert!(
                schemas::may_return(primitive, code),
                "{primitive} does not declare {code}: {line}"
            );
        }
        let expected = call.expected_exit();
        assert!(
            output
                .status
                .code()
                .is_some_and(|code| expected.contains(&code)),
            "{} where {expected:?} was due for {line}",
            output.status
        );
        call
    }

    /// Returns the exit statuses that agree with the answer.
    fn expected_exit(&self) -> &'static [i32] {
        let Err(refusal) = &self.outcome else {
            return &[0];
        };
        assert_eq!(
            refusal.retry_safe,
            matches!(refusal.retry.mode.as_str(), "same_call" | "after"),
            "retry_safe against retry in {}",
            self.raw
        );
        assert!(
            !refusal.message.is_empty() && !refusal.remediation.is_empty(),
            "{}",
            self.raw
        );
        let exits = schemas::exits(&refusal.kind);
        assert!(!exits.is_empty(), "an unknown kind in {}", self.raw);
        exits
    }

    /// Returns the call again, having made sure that it did what was asked.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert!(self.is_ok(), "{}\n{}", self.raw, self.stderr);
        self
    }

    /// Returns whether it did what was asked.
    pub(crate) fn is_ok(&self) -> bool {
        self.outcome.is_ok()
    }

    /// Returns the data of a success.
    #[track_caller]
    pub(crate) fn data(&self) -> &Map<String, Value> {
        let Ok(success) = &self.outcome else {
            refuse(&format!("refused: {}\n{}", self.raw, self.stderr))
        };
        &success.data
    }

    /// Returns a value of the data by JSON pointer; null where there is none.
    #[track_caller]
    pub(crate) fn at(&self, pointer: &str) -> Value {
        Value::Object(self.data().clone())
            .pointer(pointer)
            .cloned()
            .unwrap_or(Value::Null)
    }

    /// Returns a text of the data by JSON pointer.
    #[track_caller]
    pub(crate) fn text(&self, pointer: &str) -> String {
        let Some(text) = self.at(pointer).as_str().map(str::to_owned) else {
            refuse(&format!("no text at {pointer} in {}", self.raw))
        };
        text
    }

    /// Returns the warnings of a success.
    #[track_caller]
    pub(crate) fn warnings(&self) -> &[String] {
        let Ok(success) = &self.outcome else {
            refuse(&format!("refused: {}", self.raw))
        };
        &success.warnings
    }

    #[track_caller]
    fn refusal(&self) -> &Refusal {
        let Err(refusal) = &self.outcome else {
            refuse(&format!("not refused: {}", self.raw))
        };
        refusal
    }

    /// Returns the code of a refusal.
    #[track_caller]
    pub(crate) fn error_code(&self) -> &str {
        &self.refusal().error_code
    }

    /// Returns the kind of a refusal.
    #[track_caller]
    pub(crate) fn kind(&self) -> &str {
        &self.refusal().kind
    }

    /// Returns the facts of a refusal.
    #[track_caller]
    pub(crate) fn details(&self) -> &Value {
        &self.refusal().details
    }

    /// Returns what the call did to the world.
    pub(crate) fn effect(&self) -> &str {
        &self.common.effect
    }

    /// Returns the commands that were sent to other hosts.
    pub(crate) fn round_trips(&self) -> u64 {
        self.common.meta.round_trips
    }

    /// Returns the calls that usually follow.
    pub(crate) fn next(&self) -> &[NextCall] {
        &self.common.next
    }

    /// Returns the name of the primitive that answered.
    pub(crate) fn primitive(&self) -> &str {
        &self.common.primitive
    }

    /// Returns the line itself.
    pub(crate) fn line(&self) -> &str {
        &self.raw
    }

    /// Returns what was said on stderr.
    pub(crate) fn stderr(&self) -> &str {
        &self.stderr
    }
}

/// Fails the test.
#[track_caller]
#[expect(clippy::panic, reason = "a test fails by panicking")]
fn refuse(message: &str) -> ! {
    panic!("{message}")
}
