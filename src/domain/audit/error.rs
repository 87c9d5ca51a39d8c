//! What can go wrong with the audit log.

use crate::{
    contract::{Code, Coded, details::Details},
    system::store,
};

/// Why the audit log cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Store(inner) => inner.code(),
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::Store(inner) => inner.remediation(),
        }
    }

    fn details(&self) -> Details {
        match self {
            Self::Store(inner) => inner.details(),
        }
    }
}
