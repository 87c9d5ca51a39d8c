//! What can go wrong with naming a repository.

use std::path::PathBuf;

use crate::{
    contract::{Code, Coded, Name, Violation, details, details::Details, validation},
    system::configuration,
};

/// Why it is not known which repository is meant.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// It is not configured, and the call gave no url.
    #[error("no repository {name} is configured, and no url was given")]
    Unknown {
        /// The name.
        name: Name,
        /// Names that are configured.
        known: Vec<String>,
    },
    /// Its url or ref is none.
    #[error("{pointer} is not {rule}")]
    Invalid {
        /// The configuration file, where the text stands there and not in the call.
        configuration: Option<PathBuf>,
        /// Where it stands.
        pointer: String,
        /// What it should be.
        rule: &'static str,
    },
    /// The configuration cannot be used.
    #[error(transparent)]
    Configuration(#[from] configuration::Error),
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Unknown { .. } => Code::RepositoryUnknown,
            Self::Invalid {
                configuration: Some(_),
                ..
            } => Code::ConfigInvalid,
            Self::Invalid {
                configuration: None,
                ..
            } => Code::SpecInvalid,
            Self::Configuration(inner) => inner.code(),
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::Unknown { name, .. } => {
                format!("Give url, or add [repositories.{name}] to the configuration.")
            }
            Self::Invalid {
                configuration: Some(file),
                pointer,
                ..
            } => format!("Correct {pointer} in {}.", file.display()),
            Self::Invalid { pointer, rule, .. } => format!("Give {rule} in {pointer}."),
            Self::Configuration(inner) => inner.remediation(),
        }
    }

    fn details(&self) -> Details {
        match self {
            Self::Unknown { name, known } => details::Unknown::new("repository", name.to_string())
                .nearest(validation::nearest(
                    name.as_str(),
                    known.iter().map(String::as_str),
                ))
                .known(known.iter())
                .into(),
            Self::Invalid {
                configuration,
                pointer,
                rule,
            } => {
                let violations = vec![Violation::new(
                    pointer,
                    "value",
                    format!("this is not {rule}"),
                )];
                match configuration {
                    Some(file) => {
                        details::Config::new(file.display().to_string(), violations).into()
                    }
                    None => details::Input::new(violations, None).into(),
                }
            }
            Self::Configuration(inner) => inner.details(),
        }
    }
}
