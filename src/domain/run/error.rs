//! What can go wrong with a run.

use crate::{
    contract::{
        Code, Coded, Next, Retry, Violation,
        details::{Details, Input, Step, Store},
    },
    system::machine,
};

/// Why a run could not be described, started, polled or ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A line of the host is not what a supervisor writes.
    #[error("the host's line about the {what} cannot be read: {field} is missing or odd")]
    Garbled {
        /// What it is about: `state`, `poll`.
        what: &'static str,
        /// The field at fault.
        field: &'static str,
        /// The line, its beginning at most.
        line: String,
    },
    /// The answer of a script lacks the line it must have.
    #[error("the host's answer to {what} lacks its first line")]
    Incomplete {
        /// The script.
        what: &'static str,
        /// The answer, its beginning at most.
        answer: String,
    },
    /// A value that must stand on one line does not.
    #[error("{field} holds a line break")]
    LineBreak {
        /// Whose value it is.
        field: &'static str,
    },
    /// A text for a shell holds a NUL.
    #[error("{field} holds a NUL")]
    Nul {
        /// Whose value it is.
        field: &'static str,
    },
    /// There is no program to run.
    #[error("the command names no program, or one that begins with a dash")]
    Program,
    /// An environment variable's name is none.
    #[error("{name:?} is no name of an environment variable")]
    Variable {
        /// The name.
        name: String,
    },
    /// The record of a job names a runner that this legwork does not have.
    #[error("this legwork has no runner {name}")]
    RunnerUnknown {
        /// The runner.
        name: String,
        /// The runners that there are.
        known: Vec<&'static str>,
    },
    /// The machine gave no whole answer.
    #[error(transparent)]
    Machine(#[from] machine::Error),
}

impl Error {
    /// Returns whether the machine was certainly sent nothing.
    pub(crate) fn is_before_sending(&self) -> bool {
        match self {
            Self::Machine(inner) => inner.is_before_sending(),
            Self::LineBreak { .. }
            | Self::Nul { .. }
            | Self::Program
            | Self::Variable { .. }
            | Self::RunnerUnknown { .. } => true,
            Self::Garbled { .. } | Self::Incomplete { .. } => false,
        }
    }

    /// Keeps so much of a foreign text as helps.
    pub(super) fn excerpt(text: &str) -> String {
        text.chars().take(400).collect()
    }
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Garbled { .. } | Self::Incomplete { .. } => Code::HostScriptFailed,
            Self::LineBreak { .. } | Self::Nul { .. } | Self::Program | Self::Variable { .. } => {
                Code::SpecInvalid
            }
            Self::RunnerUnknown { .. } => Code::StoreNewer,
            Self::Machine(inner) => inner.code(),
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::Garbled { .. } | Self::Incomplete { .. } => {
                "Look at the run's folder on the host; `preflight` tells whether the disk there is full or the shell is unusual.".to_owned()
            }
            Self::LineBreak { field } => format!("Give {field} on one line."),
            Self::Nul { field } => format!("Leave the NUL out of {field}."),
            Self::Program => "Give a program, by name or path, as the first word of the command.".to_owned(),
            Self::Variable { .. } => {
                "Use letters, digits and underscores, not beginning with a digit.".to_owned()
            }
            Self::RunnerUnknown { known, .. } => {
                format!("Use the legwork that launched the job; this one has {}.", known.join(", "))
            }
            Self::Machine(inner) => inner.remediation(),
        }
    }

    fn details(&self) -> Details {
        let violation = |pointer: String, keyword: &str| {
            Details::from(Input {
                violations: vec![Violation {
                    pointer,
                    keyword: keyword.to_owned(),
                    message: self.to_string(),
                    expected: None,
                }],
                skeleton: None,
            })
        };
        match self {
            Self::Garbled { what, line, .. } => Step {
                step: format!("read the {what}"),
                stdout: line.clone(),
                ..Step::default()
            }
            .into(),
            Self::Incomplete { what, answer } => Step {
                step: (*what).to_owned(),
                stdout: answer.clone(),
                ..Step::default()
            }
            .into(),
            Self::LineBreak { field } | Self::Nul { field } => {
                violation(format!("/{field}"), "pattern")
            }
            Self::Program => violation("/argv".to_owned(), "minItems"),
            Self::Variable { name } => violation(format!("/variables/{name}"), "propertyNames"),
            Self::RunnerUnknown { .. } => Store {
                reason: self.to_string(),
                ..Store::default()
            }
            .into(),
            Self::Machine(inner) => inner.details(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Machine(inner) => inner.retry(),
            Self::Garbled { .. }
            | Self::Incomplete { .. }
            | Self::LineBreak { .. }
            | Self::Nul { .. }
            | Self::Program
            | Self::Variable { .. }
            | Self::RunnerUnknown { .. } => self.code().retry(),
        }
    }

    fn next(&self) -> Vec<Next> {
        match self {
            Self::Machine(inner) => inner.next(),
            Self::Garbled { .. }
            | Self::Incomplete { .. }
            | Self::LineBreak { .. }
            | Self::Nul { .. }
            | Self::Program
            | Self::Variable { .. }
            | Self::RunnerUnknown { .. } => Vec::new(),
        }
    }
}
