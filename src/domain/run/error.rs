//! Failures of a run.

use crate::{
    contract::{
        Code, Coded, Violation,
        details::{self, Details},
    },
    system::records::Malformed,
};

/// What can go wrong when a run is described or its host's answer is read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
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
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Record(inner) => inner.code(),
            Self::LineBreak { .. } | Self::Nul { .. } | Self::Program | Self::Variable { .. } => {
                Code::SpecInvalid
            }
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
        }
    }
}
