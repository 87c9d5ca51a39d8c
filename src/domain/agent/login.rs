//! Whether an agent is logged in, by what it reports itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether an agent is logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LoginState {
    /// It reports so, or a key for it is in its environment. Whether the service accepts it was not tried.
    LoggedIn,
    /// It reports that it is not.
    LoggedOut,
    /// It reported nothing, or it is set up in a way that its report does not cover.
    Unknown,
}

/// Whether an agent is logged in, and how that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Login {
    /// Whether it is logged in.
    pub(crate) state: LoginState,
    /// What it reported, without any part of a key.
    pub(crate) evidence: String,
}

impl Login {
    /// Makes the answer that it is logged in.
    pub(super) fn logged_in(evidence: impl Into<String>) -> Self {
        Self::new(LoginState::LoggedIn, evidence)
    }

    /// Makes the answer that it is not.
    pub(super) fn logged_out(evidence: impl Into<String>) -> Self {
        Self::new(LoginState::LoggedOut, evidence)
    }

    /// Makes the answer that it is not known.
    pub(super) fn unknown(evidence: impl Into<String>) -> Self {
        Self::new(LoginState::Unknown, evidence)
    }

    fn new(state: LoginState, evidence: impl Into<String>) -> Self {
        Self {
            state,
            evidence: evidence.into(),
        }
    }
}
