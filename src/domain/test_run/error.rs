//! What can go wrong with what a caller says of tests.

use crate::contract::{
    Code, Coded, Violation,
    details::{self, Details},
};

/// Why what was said of tests cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A pattern for paths of tests is none.
    #[error("{pattern:?} is no pattern for paths: {reason}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Pattern { .. } => Code::SpecInvalid,
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::Pattern { .. } => {
                "Write a path below the top of the repository; `*` stands for anything but `/`, `?` for one character, `**` for any folders."
                    .to_owned()
            }
        }
    }

    fn details(&self) -> Details {
        match self {
            Self::Pattern { .. } => details::Input::new(
                vec![Violation::new("/tests", "pattern", self.to_string())],
                None,
            )
            .into(),
        }
    }
}
