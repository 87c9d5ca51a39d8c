//! Failures of a run.

use super::protocol::PROTOCOL;
use crate::{
    contract::{
        Code, Coded, JobId, Next, Retry, Violation,
        details::{self, Details},
    },
    system::{machine, records::Malformed},
};

/// Why a run could not be described, started, polled or ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A line of the host is not what a supervisor or a script writes.
    #[error(transparent)]
    Record(#[from] Malformed),
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
    /// The run was started by a legwork of another protocol.
    #[error("the run of {job} is of protocol {protocol}, and this legwork reads {PROTOCOL}")]
    Protocol {
        /// What is run.
        job: JobId,
        /// Its protocol.
        protocol: u32,
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
            | Self::Protocol { .. }
            | Self::RunnerUnknown { .. } => true,
            Self::Record(_) => false,
        }
    }
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Record(inner) => inner.code(),
            Self::LineBreak { .. } | Self::Nul { .. } | Self::Program | Self::Variable { .. } => {
                Code::SpecInvalid
            }
            Self::RunnerUnknown { .. } => Code::StoreNewer,
            Self::Protocol { .. } => Code::RunUnsupported,
            Self::Machine(inner) => inner.code(),
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::Record(inner) => inner.remediation(),
            Self::LineBreak { field } => format!("Give {field} on one line."),
            Self::Nul { field } => format!("Leave the NUL out of {field}."),
            Self::Program => {
                "Give a program, by name or path, as the first word of the command.".to_owned()
            }
            Self::Variable { .. } => {
                "Use letters, digits and underscores, not beginning with a digit.".to_owned()
            }
            Self::RunnerUnknown { known, .. } => {
                format!(
                    "Use the legwork that launched the job; this one has {}.",
                    known.join(", ")
                )
            }
            Self::Protocol { .. } => {
                "Use the legwork that started it, or update this one.".to_owned()
            }
            Self::Machine(inner) => inner.remediation(),
        }
    }

    fn details(&self) -> Details {
        let violation = |pointer: String, keyword: &str| {
            Details::from(details::Input::new(
                Violation::new(pointer, keyword, self.to_string()),
                None,
            ))
        };
        match self {
            Self::Record(inner) => inner.details(),
            Self::LineBreak { field } | Self::Nul { field } => {
                violation(format!("/{field}"), "pattern")
            }
            Self::Program => violation("/argv".to_owned(), "minItems"),
            Self::Variable { name } => violation(format!("/variables/{name}"), "propertyNames"),
            Self::Protocol { job, .. } => details::Job::new(job.to_string(), None::<&str>).into(),
            Self::RunnerUnknown { .. } => details::Store::new("", self.to_string()).into(),
            Self::Machine(inner) => inner.details(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Machine(inner) => inner.retry(),
            Self::Record(inner) => inner.retry(),
            Self::LineBreak { .. }
            | Self::Nul { .. }
            | Self::Program
            | Self::Variable { .. }
            | Self::Protocol { .. }
            | Self::RunnerUnknown { .. } => self.code().retry(),
        }
    }

    fn next(&self) -> Vec<Next> {
        match self {
            Self::Machine(inner) => inner.next(),
            Self::Record(inner) => inner.next(),
            Self::LineBreak { .. }
            | Self::Nul { .. }
            | Self::Program
            | Self::Variable { .. }
            | Self::Protocol { .. }
            | Self::RunnerUnknown { .. } => Vec::new(),
        }
    }
}
