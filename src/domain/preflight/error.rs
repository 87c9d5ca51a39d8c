//! What can go wrong with a preflight itself. What it finds wrong with a host is data, not an error.

use crate::{
    contract::{Below, Code, Coded, Next, Retry, details::Details, passes_on},
    domain::{host, repository},
    system::{machine, store},
};

/// Why the checks could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// An error from below.
    #[error(transparent)]
    Below(Below),
}

passes_on!(Error: host::Error, machine::Error, repository::Error, store::Error);

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Below(inner) => inner.code(),
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::Below(inner) => inner.remediation(),
        }
    }

    fn details(&self) -> Details {
        match self {
            Self::Below(inner) => inner.details(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Below(inner) => inner.retry(),
        }
    }

    fn next(&self) -> Vec<Next> {
        match self {
            Self::Below(inner) => inner.next(),
        }
    }
}
