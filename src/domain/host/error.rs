//! What can go wrong with hosts.

use crate::{
    contract::{Code, Coded, Name, details, details::Details},
    system::{configuration, store},
};

/// Why a host cannot be used, added or removed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// No host has that name.
    #[error("there is no registered host {name}")]
    NotRegistered {
        /// The name.
        name: Name,
        /// Names that are registered.
        known: Vec<String>,
    },
    /// A host of that name is there with other settings.
    #[error("a host {name} is there already with other settings, from {origin}")]
    Exists {
        /// The name.
        name: Name,
        /// Where the one that is there comes from.
        origin: &'static str,
    },
    /// The host comes from a file that belongs to the user.
    #[error("the host {name} is not registered here: it comes from {origin}")]
    NotOurs {
        /// The name.
        name: Name,
        /// Where it comes from.
        origin: &'static str,
    },
    /// Jobs that have not ended stand on it.
    #[error("{} jobs on {name} have not ended", .jobs.len())]
    InUse {
        /// The name.
        name: Name,
        /// The jobs.
        jobs: Vec<String>,
    },
    /// The configuration cannot be used.
    #[error(transparent)]
    Configuration(#[from] configuration::Error),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::NotRegistered { .. } | Self::NotOurs { .. } => Code::HostUnknown,
            Self::Exists { .. } => Code::HostExists,
            Self::InUse { .. } => Code::HostInUse,
            Self::Configuration(inner) => inner.code(),
            Self::Store(inner) => inner.code(),
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::NotRegistered { .. } => "Use a name from list-hosts.".to_owned(),
            Self::Exists { name, .. } => {
                format!("Remove {name} first with remove-host, or choose another name.")
            }
            Self::NotOurs { origin, .. } => format!("Remove it from {origin} yourself."),
            Self::InUse { .. } => {
                "Wait for the jobs in details.items with wait-job, or cancel them.".to_owned()
            }
            Self::Configuration(inner) => inner.remediation(),
            Self::Store(inner) => inner.remediation(),
        }
    }

    fn details(&self) -> Details {
        let unknown = |name: &Name, known: &[String]| -> Details {
            details::Unknown {
                what: "host".to_owned(),
                name: name.to_string(),
                did_you_mean: crate::contract::validation::nearest(
                    name.as_str(),
                    known.iter().map(String::as_str),
                ),
                known: known.iter().take(50).cloned().collect(),
            }
            .into()
        };
        match self {
            Self::NotRegistered { name, known } => unknown(name, known),
            Self::NotOurs { name, .. } | Self::Exists { name, .. } => unknown(name, &[]),
            Self::InUse { jobs, .. } => details::Items {
                items: jobs
                    .iter()
                    .map(|job| details::Item {
                        id: job.clone(),
                        error_code: Code::JobNotEnded,
                        message: "has not ended".to_owned(),
                    })
                    .collect(),
            }
            .into(),
            Self::Configuration(inner) => inner.details(),
            Self::Store(inner) => inner.details(),
        }
    }
}
