//! An error of a lower floor or noun that is passed on unchanged.

use std::{error, fmt};

use super::{Code, Coded, Next, Retry, details::Details};

/// An error from below, with its code, facts and advice as they are.
///
/// An error enum that has one variant for everything it only passes on can match its own variants exhaustively: no
/// wildcard arm decides a code. [`passes_on`](super::passes_on) makes `?` wrap the errors of the named types.
#[derive(Debug)]
pub struct Below(Box<dyn Coded + Send + Sync>);

impl Below {
    /// Wraps an error from below.
    pub fn new(error: impl Coded + Send + Sync + 'static) -> Self {
        Self(Box::new(error))
    }
}

impl fmt::Display for Below {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

impl error::Error for Below {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.0.source()
    }
}

impl Coded for Below {
    fn code(&self) -> Code {
        self.0.code()
    }

    fn remediation(&self) -> String {
        self.0.remediation()
    }

    fn details(&self) -> Details {
        self.0.details()
    }

    fn retry(&self) -> Retry {
        self.0.retry()
    }

    fn next(&self) -> Vec<Next> {
        self.0.next()
    }
}

/// Makes `?` turn errors of the named types into the `Below` variant of an error enum.
macro_rules! passes_on {
    ($error:ty: $($below:ty),+ $(,)?) => {
        $(impl From<$below> for $error {
            fn from(error: $below) -> Self {
                Self::Below($crate::contract::Below::new(error))
            }
        })+
    };
}
pub(crate) use passes_on;
