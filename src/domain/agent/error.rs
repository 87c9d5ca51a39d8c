//! What can be wrong with the choice of an agent.

use crate::contract::{Code, Coded, Violation, details, validation};

/// Why an agent cannot be used as asked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(crate) enum Error {
    /// No agent has that name.
    #[error("no agent is named {name:?}")]
    Unknown {
        /// The name as given.
        name: String,
        /// The known names.
        known: Vec<String>,
    },
    /// The configuration of an agent cannot be used.
    #[error("the configuration of agent {agent:?} cannot be used: {}", violation.message())]
    Misconfigured {
        /// The agent.
        agent: String,
        /// What is wrong with it.
        violation: Violation,
    },
    /// The agent has no such option.
    #[error("agent {agent:?} has no option {option:?}")]
    OptionUnsupported {
        /// The agent.
        agent: String,
        /// The option.
        option: &'static str,
        /// The options it has.
        known: Vec<String>,
    },
    /// A secret that the configuration names is not set here.
    #[error("the variable {variable} that agent {agent} takes a secret from is not set")]
    SecretMissing {
        /// The agent.
        agent: String,
        /// The variable.
        variable: String,
    },
}

impl Error {
    /// Makes the error for a field of an agent's configuration.
    pub(super) fn misconfigured(agent: &str, field: &str, message: impl Into<String>) -> Self {
        let message: String = message.into();
        Self::Misconfigured {
            agent: agent.to_owned(),
            violation: Violation::new(format!("/agents/{agent}/{field}"), "agent", message),
        }
    }
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Unknown { .. } => Code::AgentUnknown,
            Self::Misconfigured { .. } => Code::ConfigInvalid,
            Self::OptionUnsupported { .. } => Code::AgentOptionUnsupported,
            Self::SecretMissing { .. } => Code::SecretUnavailable,
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::Unknown { .. } => {
                "Use a name from `list-agents`, or add the agent to the configuration.".to_owned()
            }
            Self::Misconfigured { agent, .. } => {
                format!("Correct `[agents.{agent}]` in the configuration.")
            }
            Self::OptionUnsupported { agent, option, .. } => {
                format!("Leave `{option}` out, or choose another agent than {agent:?}.")
            }
            Self::SecretMissing { variable, .. } => {
                format!("Set {variable} in the environment of legwork.")
            }
        }
    }

    fn details(&self) -> details::Details {
        match self {
            Self::Unknown { name, known } => details::Unknown::new("agent", name)
                .nearest(validation::nearest(name, known.iter().map(String::as_str)))
                .known(known.iter())
                .into(),
            Self::Misconfigured { violation, .. } => {
                details::Config::new("", violation.clone()).into()
            }
            Self::OptionUnsupported { option, known, .. } => {
                details::Unknown::new("option", *option)
                    .known(known.clone())
                    .into()
            }
            Self::SecretMissing { variable, .. } => {
                details::Unknown::new("environment variable", variable).into()
            }
        }
    }
}
