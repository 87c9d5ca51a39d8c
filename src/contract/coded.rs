//! How errors of the lower floors become failures.

use super::{Code, Failure, Next, Retry, details::Details};

/// An error that knows its code.
///
/// Implemented beside each error enum, so that `?` turns it into a [`Failure`].
pub trait Coded: std::error::Error {
    /// Returns the stable name of the failure.
    fn code(&self) -> Code;

    /// Returns one sentence with the concrete next step.
    fn remediation(&self) -> String;

    /// Returns the facts that belong to the code.
    fn details(&self) -> Details {
        Details::NONE
    }

    /// Returns when to try again, where this differs from what the code says.
    fn retry(&self) -> Retry {
        self.code().retry()
    }

    /// Returns the calls that usually follow.
    fn next(&self) -> Vec<Next> {
        Vec::new()
    }
}

impl<E: Coded> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            message = format!("{message}: {inner}");
            cause = inner.source();
        }
        Self {
            code: error.code(),
            message,
            remediation: error.remediation(),
            details: error.details(),
            retry: error.retry(),
            next: error.next(),
            effect: None,
        }
    }
}
