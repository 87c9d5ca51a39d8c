//! What can go wrong with profiles.

use std::path::PathBuf;

use serde_json::json;

use crate::{
    contract::{Code, Coded, Name, Next, Violation, details, details::Details, validation},
    system::configuration,
};

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// There is none of that name.
    #[error("there is no profile {name}")]
    Unknown {
        /// The name.
        name: Name,
        /// Names there are.
        known: Vec<String>,
    },
    /// What the configuration says of it does not fit.
    #[error("{pointer}: {reason}")]
    Invalid {
        /// The configuration file.
        file: PathBuf,
        /// Where in it.
        pointer: String,
        /// What is wrong.
        reason: String,
    },
    /// The built-in ones cannot be read, which is a bug.
    #[error("the built-in profiles cannot be read")]
    BuiltIn(#[source] toml::de::Error),
    /// The configuration cannot be used.
    #[error(transparent)]
    Configuration(#[from] configuration::Error),
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Unknown { .. } => Code::ProfileUnknown,
            Self::Invalid { .. } => Code::ConfigInvalid,
            Self::BuiltIn(_) => Code::Internal,
            Self::Configuration(inner) => inner.code(),
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::Unknown { name, .. } => format!(
                "Use a name from list-profiles, or add [profiles.{name}] to the configuration."
            ),
            Self::Invalid { file, pointer, .. } => {
                format!("Correct {pointer} in {}.", file.display())
            }
            Self::BuiltIn(_) => "Report this; it is a bug in legwork.".to_owned(),
            Self::Configuration(inner) => inner.remediation(),
        }
    }

    fn details(&self) -> Details {
        match self {
            Self::Unknown { name, known } => details::Unknown::new("profile", name.to_string())
                .nearest(validation::nearest(
                    name.as_str(),
                    known.iter().map(String::as_str),
                ))
                .known(known.iter())
                .into(),
            Self::Invalid {
                file,
                pointer,
                reason,
            } => details::Config::new(
                file.display().to_string(),
                Violation::new(pointer, "value", reason),
            )
            .into(),
            Self::BuiltIn(_) => Details::NONE,
            Self::Configuration(inner) => inner.details(),
        }
    }

    fn next(&self) -> Vec<Next> {
        match self {
            Self::Unknown { .. } => vec![Next::new(
                "list-profiles",
                json!({}),
                "see the profiles there are",
            )],
            Self::Invalid { .. } | Self::BuiltIn(_) | Self::Configuration(_) => Vec::new(),
        }
    }
}
