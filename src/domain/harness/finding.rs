//! What a harness did wrong.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A point of the contract of a harness, by the word it begins with in `docs/integrations/README.md`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub(crate) enum Rule {
    /// How a call is made.
    Spawn,
    /// How its answer is read.
    Read,
    /// How it is held to its time.
    Limits,
    /// When it is made again.
    Retry,
    /// What the harness itself says in the end.
    Report,
}

/// A way in which a harness breaks the contract.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub(crate) enum Fault {
    /// It never called legwork.
    NotCalled,
    /// It made a call that it was not given, and that no answer named in `next`.
    OtherCall,
    /// It made a call that legwork cannot read.
    CallMalformed,
    /// The input that arrived is another than the one it was given.
    InputChanged,
    /// It left the standard input of the call open.
    InputOpen,
    /// It did not read all of standard error, so that the call stood still.
    StderrUnread,
    /// It did not read all of standard output, so that the call stood still or lost its reader.
    StdoutUnread,
    /// It stopped a call whose time was not over.
    StoppedTooSoon,
    /// It did not stop a call whose time was over.
    NotStopped,
    /// It killed a call that it had not told to stop.
    KilledFirst,
    /// It told a call to stop, and killed it before it could answer.
    KilledTooSoon,
    /// It did not kill a call that would not stop.
    NotKilled,
    /// A call still ran when the harness went on or ended.
    LeftRunning,
    /// It did not send a call again that must be.
    NotRepeated,
    /// It sent a call again that must not be.
    Repeated,
    /// It sent a call again before it had made the one in `next`.
    NotReconciled,
    /// It sent a call again before `after_ms` had passed.
    TooSoon,
    /// It sent a call again much later than it might have.
    TooLate,
    /// It did not give up.
    Endless,
    /// It had all it needed, and did not end.
    Unfinished,
    /// It printed no envelope.
    NoAnswer,
    /// It printed another envelope than the last that it got.
    AnswerChanged,
    /// Its exit status and the envelope disagree.
    StatusWrong,
}

impl Rule {
    /// Returns the name as it stands in answers.
    pub(super) fn name(self) -> &'static str {
        self.into()
    }
}

impl Fault {
    /// Returns the name as it stands in answers.
    pub(super) fn name(self) -> &'static str {
        self.into()
    }

    /// Returns the point of the contract that it breaks.
    pub(crate) const fn rule(self) -> Rule {
        match self {
            Self::NotCalled
            | Self::OtherCall
            | Self::CallMalformed
            | Self::InputChanged
            | Self::InputOpen => Rule::Spawn,
            Self::StderrUnread | Self::StdoutUnread => Rule::Read,
            Self::StoppedTooSoon
            | Self::NotStopped
            | Self::KilledFirst
            | Self::KilledTooSoon
            | Self::NotKilled
            | Self::LeftRunning => Rule::Limits,
            Self::NotRepeated
            | Self::Repeated
            | Self::NotReconciled
            | Self::TooSoon
            | Self::TooLate
            | Self::Endless => Rule::Retry,
            Self::Unfinished | Self::NoAnswer | Self::AnswerChanged | Self::StatusWrong => {
                Rule::Report
            }
        }
    }
}

/// One thing that a harness did wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Finding {
    /// What it is.
    pub(crate) fault: Fault,
    /// The point of the contract that it breaks.
    pub(crate) rule: Rule,
    /// Which of the calls it is about, counted from 1; null where it is about none.
    pub(crate) call: Option<usize>,
    /// What was expected, for a reader.
    pub(crate) expected: String,
    /// What was observed, for a reader.
    pub(crate) observed: String,
}

impl Finding {
    /// Creates one that is about no call.
    pub(super) fn new(
        fault: Fault,
        expected: impl Into<String>,
        observed: impl Into<String>,
    ) -> Self {
        Self {
            fault,
            rule: fault.rule(),
            call: None,
            expected: expected.into(),
            observed: observed.into(),
        }
    }

    /// Says which call it is about, counted from 0.
    pub(super) const fn about(mut self, call: usize) -> Self {
        self.call = Some(call + 1);
        self
    }
}
