//! Whether an agent is logged in, by its own word.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether an agent is logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LoginState {
    /// It says that it is, or a key for it is in its environment. Whether the service accepts it was not tried.
    LoggedIn,
    /// It says that it is not.
    LoggedOut,
    /// It did not say, or it is set up in a way that its word does not cover.
    Unknown,
}

/// Whether an agent is logged in, and how that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Login {
    /// Whether it is logged in.
    pub(crate) state: LoginState,
    /// What it said, without any part of a key.
    pub(crate) evidence: String,
}

impl Login {
    /// It is logged in.
    pub(super) fn inside(evidence: impl Into<String>) -> Self {
        Self::new(LoginState::LoggedIn, evidence)
    }

    /// It is not.
    pub(super) fn outside(evidence: impl Into<String>) -> Self {
        Self::new(LoginState::LoggedOut, evidence)
    }

    /// Nobody knows.
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
