//! The states of a run.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a run stands, by the last evidence from its host.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// A scheduler has it and has not started it.
    Queued,
    /// Its supervisor is there, its agent is not yet.
    Launching,
    /// Its agent runs.
    Running,
    /// Its agent ended with exit status 0.
    Succeeded,
    /// Its agent ended otherwise, or could not be started.
    Failed,
    /// It was ended on request.
    Cancelled,
    /// It was ended because it reached a limit.
    TimedOut,
    /// Its agent is certainly gone and did not leave word how it ended: a reboot, for example.
    Lost,
}

impl State {
    /// All of them.
    pub(crate) const ALL: [Self; 8] = [
        Self::Queued,
        Self::Launching,
        Self::Running,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
        Self::TimedOut,
        Self::Lost,
    ];

    /// Returns whether nothing follows it.
    pub(crate) const fn is_terminal(self) -> bool {
        match self {
            Self::Queued | Self::Launching | Self::Running => false,
            Self::Succeeded | Self::Failed | Self::Cancelled | Self::TimedOut | Self::Lost => true,
        }
    }

    /// Returns its name, as in state lines and envelopes.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Launching => "launching",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed_out",
            Self::Lost => "lost",
        }
    }

    /// Finds a state by its name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::State;

    #[test]
    fn names_are_those_of_the_envelope() {
        for state in State::ALL {
            assert_eq!(
                serde_json::to_value(state).expect("a name"),
                serde_json::Value::from(state.name())
            );
            assert_eq!(State::named(state.name()), Some(state));
        }
        assert_eq!(State::named("Running"), None);
    }
}
