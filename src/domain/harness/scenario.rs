//! The scenarios: what may happen to a call.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a stub of legwork plays to a harness, and what is expected of the harness.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub(crate) enum Scenario {
    /// The call succeeds: it is made once, and its answer is passed on.
    Success,
    /// The input holds quotes, line ends, shell syntax and other scripts: it arrives as it was.
    HostileInput,
    /// The first call is killed before it reads its input: the same input is sent again.
    InputUnread,
    /// Answers hold fields that nobody knows yet, in every place: they are ignored and passed on.
    UnknownFields,
    /// Failures carry a code that nobody knows yet: `retry` is followed all the same.
    UnknownCode,
    /// The answer takes 3 MiB.
    LargeAnswer,
    /// The answer comes in two pieces, cut within a character.
    SplitAnswer,
    /// Before the answer and in the middle of it 4 MiB of logs come on standard error.
    StderrFlood,
    /// Standard error holds envelopes that say the contrary of the answer.
    StderrEnvelope,
    /// A job has failed: that is the answer of a call that did not, and is not sent again.
    FailedJob,
    /// The first call fails with `same_call`: it is sent again.
    SameCall,
    /// Two calls fail with `after`, each with another `after_ms`: it is sent again, not sooner.
    After,
    /// Every call fails with `after`: after some tries the failure is passed on.
    AlwaysBusy,
    /// The call fails with `after_fix`: it is not sent again.
    AfterFix,
    /// The call fails with `never`: it is not sent again.
    Never,
    /// The call fails with `sequence`: it is not sent again before the call in `next` was made.
    Sequence,
    /// The call fails in part, with `sequence`: `next` holds the call for the rest.
    Partial,
    /// The effect is unknown, with `reconcile_first`: it is not sent again before the call in `next` was made.
    ReconcileFirst,
    /// The effect is unknown, with `same_call`: it is sent again.
    EffectUnknown,
    /// Messages say the contrary of `retry`: they are not read.
    MisleadingMessage,
    /// A call answers that it failed, with `same_call`, and its exit status is 0: the answer counts.
    StatusZero,
    /// A call answers that it succeeded, and is killed then: the answer counts.
    KilledAfterAnswer,
    /// The first call is killed without a word: the same input is sent again.
    Killed,
    /// The first call is killed in the middle of its line: that is no answer, and the same input is sent again.
    CutLine,
    /// Every call is killed without a word: after some tries the harness gives up.
    AlwaysKilled,
    /// The first call hangs: it is stopped by SIGTERM, answers `cancelled` a moment later, and is sent again as that says.
    Stopped,
    /// The call hangs, is stopped by SIGTERM, and answers a moment later that it succeeded: the answer counts.
    AnswerOnStop,
    /// The first call hangs and ignores SIGTERM: it is killed after a while, and the same input is sent again.
    Deaf,
}

impl Scenario {
    /// Lists all scenarios: first the one that any harness should pass, then those that take long.
    pub(crate) const ALL: &'static [Self] = &[
        Self::Success,
        Self::Deaf,
        Self::Stopped,
        Self::AnswerOnStop,
        Self::AlwaysBusy,
        Self::AlwaysKilled,
        Self::After,
        Self::SplitAnswer,
        Self::StderrFlood,
        Self::LargeAnswer,
        Self::HostileInput,
        Self::InputUnread,
        Self::UnknownFields,
        Self::UnknownCode,
        Self::StderrEnvelope,
        Self::FailedJob,
        Self::SameCall,
        Self::AfterFix,
        Self::Never,
        Self::Sequence,
        Self::Partial,
        Self::ReconcileFirst,
        Self::EffectUnknown,
        Self::MisleadingMessage,
        Self::StatusZero,
        Self::KilledAfterAnswer,
        Self::Killed,
        Self::CutLine,
    ];

    /// Returns the name as it stands in answers.
    pub(crate) fn name(self) -> &'static str {
        self.into()
    }
}
