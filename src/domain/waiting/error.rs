//! What can go wrong with the list of what waits.

use crate::{
    contract::{Below, Code, Coded, Next, Retry, details::Details, passes_on},
    domain::{authorization, task},
};

/// Why the list cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// An error from below.
    #[error(transparent)]
    Below(Below),
}

passes_on!(Error: authorization::Error, task::Error);

impl Coded for Error {
    fn code(&self) -> Code {
        let Self::Below(inner) = self;
        inner.code()
    }

    fn remediation(&self) -> String {
        let Self::Below(inner) = self;
        inner.remediation()
    }

    fn details(&self) -> Details {
        let Self::Below(inner) = self;
        inner.details()
    }

    fn retry(&self) -> Retry {
        let Self::Below(inner) = self;
        inner.retry()
    }

    fn next(&self) -> Vec<Next> {
        let Self::Below(inner) = self;
        inner.next()
    }
}
