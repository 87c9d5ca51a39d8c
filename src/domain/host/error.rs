//! What can go wrong with hosts.

use crate::{
    contract::{Code, Coded, Name, details, details::Details, validation},
    system::{configuration, machine, store},
};

/// Why a host cannot be used, added or removed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Neither legwork nor the ssh client knows the name.
    #[error("there is no host {name}")]
    Unknown {
        /// The name.
        name: Name,
        /// Names that are known.
        known: Vec<String>,
    },
    /// A host of that name exists with other settings.
    #[error("a host {name} exists already with other settings, from {origin}")]
    Exists {
        /// The name.
        name: Name,
        /// Where the existing one comes from.
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
    /// Jobs on it have not ended.
    #[error("{} jobs on {name} have not ended", .jobs.len())]
    InUse {
        /// The name.
        name: Name,
        /// The jobs.
        jobs: Vec<String>,
    },
    /// The probe did not run to its end there.
    #[error("the probe ended with status {status}")]
    Probe {
        /// Its exit status.
        status: i32,
        /// Its stdout.
        stdout: String,
        /// Its stderr.
        stderr: String,
    },
    /// The host gave no whole answer.
    #[error(transparent)]
    Machine(#[from] machine::Error),
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
            Self::Unknown { .. } | Self::NotOurs { .. } => Code::HostUnknown,
            Self::Exists { .. } => Code::HostExists,
            Self::InUse { .. } => Code::HostInUse,
            Self::Probe { .. } => Code::HostScriptFailed,
            Self::Machine(inner) => inner.code(),
            Self::Configuration(inner) => inner.code(),
            Self::Store(inner) => inner.code(),
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::Unknown { name, known } => match nearest(name, known) {
                Some(near) => format!("Use {near}, or another name from list-hosts."),
                None => format!(
                    "Add {name} with add-host or to your ssh configuration, or use a name from list-hosts."
                ),
            },
            Self::Exists { name, .. } => {
                format!("Remove {name} first with remove-host, or choose another name.")
            }
            Self::NotOurs { origin, .. } => format!("Remove it from {origin} yourself."),
            Self::InUse { .. } => {
                "Wait for the jobs in details.items with wait-job, or cancel them.".to_owned()
            }
            Self::Probe { .. } => {
                "Read details.stderr, fix the host, and send the same call again.".to_owned()
            }
            Self::Machine(inner) => inner.remediation(),
            Self::Configuration(inner) => inner.remediation(),
            Self::Store(inner) => inner.remediation(),
        }
    }

    fn details(&self) -> Details {
        let unknown = |name: &Name, known: &[String]| -> Details {
            details::Unknown::new("host", name.to_string())
                .nearest(nearest(name, known))
                .known(known.iter())
                .into()
        };
        match self {
            Self::Unknown { name, known } => unknown(name, known),
            Self::NotOurs { name, .. } | Self::Exists { name, .. } => unknown(name, &[]),
            Self::InUse { jobs, .. } => details::Items::new(
                jobs.iter()
                    .map(|job| details::Item::new(job, Code::JobNotEnded, "has not ended")),
            )
            .into(),
            Self::Probe {
                status,
                stdout,
                stderr,
            } => details::Step::new("probe", stdout, stderr)
                .exited(Some(i64::from(*status)))
                .into(),
            Self::Machine(inner) => inner.details(),
            Self::Configuration(inner) => inner.details(),
            Self::Store(inner) => inner.details(),
        }
    }
}

fn nearest(name: &Name, known: &[String]) -> Option<String> {
    validation::nearest(name.as_str(), known.iter().map(String::as_str))
}
