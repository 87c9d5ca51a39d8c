//! What can go wrong with verifications.

use std::io;

use crate::{
    contract::{Below, Code, Coded, Mode, Next, Retry, details, details::Details, passes_on},
    domain::{job, patch, run, test_run, workspace},
    system::{files, machine, script_failure::ScriptFailure, store},
};

/// Why a verification could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The text of the diff does not agree with how it was read.
    #[error("the diff can be read in two ways")]
    ReadOtherwise,
    /// This machine gives no random bytes.
    #[error("no random bytes: {0}")]
    Random(io::Error),
    /// Nothing was started, because a file could not be written.
    #[error("cannot write {path} on {host}")]
    Unwritten {
        /// The host.
        host: String,
        /// The file.
        path: String,
        /// Whether the disk there has no room left.
        is_full: bool,
        /// The host's standard error.
        stderr: String,
    },
    /// The verification was asked to start and has not reported anything yet.
    #[error("a verification on {host} has not reported anything yet")]
    Silent {
        /// The host.
        host: String,
        /// The host's standard error.
        stderr: String,
    },
    /// An error from below.
    #[error(transparent)]
    Below(Below),
}

passes_on!(
    Error: job::Error, patch::Error, run::Error, test_run::Error, workspace::Error, files::Error, machine::Error, ScriptFailure,
    store::Error,
);

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::ReadOtherwise => Code::DiffInvalid,
            Self::Random(_) => Code::Internal,
            Self::Unwritten { is_full: true, .. } => Code::DiskFull,
            Self::Unwritten { .. } => Code::HostFolderUnwritable,
            Self::Silent { .. } => Code::HostScriptFailed,
            Self::Below(inner) => inner.code(),
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::ReadOtherwise => {
                "Make the diff with git, and give it as git wrote it.".to_owned()
            }
            Self::Random(_) => "Make /dev/urandom readable.".to_owned(),
            Self::Unwritten {
                host,
                path,
                is_full: true,
                ..
            } => {
                format!("Free room on the disk of {path} on {host}, then send the same call again.")
            }
            Self::Unwritten { host, path, .. } => format!(
                "Make the folder of {path} on {host} writable, or configure another root for it."
            ),
            Self::Silent { .. } => {
                "Send the same call again: it finds out what became of the start.".to_owned()
            }
            Self::Below(inner) => inner.remediation(),
        }
    }

    fn details(&self) -> Details {
        match self {
            Self::ReadOtherwise => details::Diff::new("", Vec::new()).into(),
            Self::Random(source) => details::File::new("/dev/urandom", source.to_string()).into(),
            Self::Unwritten { path, stderr, .. } => details::File::new(path, stderr).into(),
            Self::Silent { stderr, .. } => details::Step::new("start", "", stderr).into(),
            Self::Below(inner) => inner.details(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Silent { .. } => Retry::of(Mode::SameCall),
            Self::Below(inner) => inner.retry(),
            Self::ReadOtherwise | Self::Random(_) | Self::Unwritten { .. } => self.code().retry(),
        }
    }

    fn next(&self) -> Vec<Next> {
        match self {
            Self::Below(inner) => inner.next(),
            Self::ReadOtherwise
            | Self::Random(_)
            | Self::Unwritten { .. }
            | Self::Silent { .. } => Vec::new(),
        }
    }
}
