//! What can go wrong with a hook itself.

use std::io;

use serde_json::json;

use crate::{
    contract::{Below, Code, Coded, Name, Next, Retry, details, details::Details, passes_on},
    system::{files, store},
};

/// Why a hook cannot be added or found.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// There is no hook of that name.
    #[error("there is no hook {0}")]
    NotFound(Name),
    /// A hook of that name tells something else.
    #[error("there is another hook {0}")]
    Exists(Name),
    /// There are as many as there can be.
    #[error("there are {0} hooks, which is as many as there can be")]
    TooMany(i64),
    /// This machine gives no random bytes.
    #[error("no random bytes: {0}")]
    Random(io::Error),
    /// An error from below.
    #[error(transparent)]
    Below(Below),
}

passes_on!(Error: files::Error, store::Error);

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::NotFound(_) => Code::HookNotFound,
            Self::Exists(_) | Self::TooMany(_) => Code::HookExists,
            Self::Random(_) => Code::Internal,
            Self::Below(inner) => inner.code(),
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::NotFound(_) => "Use a name from list-hooks.".to_owned(),
            Self::Exists(_) => {
                "Remove it first with remove-hook, or choose another name.".to_owned()
            }
            Self::TooMany(_) => "Remove one with remove-hook first.".to_owned(),
            Self::Random(_) => "Make /dev/urandom readable.".to_owned(),
            Self::Below(inner) => inner.remediation(),
        }
    }

    fn details(&self) -> Details {
        match self {
            Self::NotFound(name) | Self::Exists(name) => {
                details::Unknown::new("hook", name.as_str()).into()
            }
            Self::TooMany(count) => details::Unknown::new("hook", count.to_string()).into(),
            Self::Random(_) => Details::NONE,
            Self::Below(inner) => inner.details(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Below(inner) => inner.retry(),
            Self::NotFound(_) | Self::Exists(_) | Self::TooMany(_) | Self::Random(_) => {
                self.code().retry()
            }
        }
    }

    fn next(&self) -> Vec<Next> {
        match self {
            Self::NotFound(_) | Self::Exists(_) | Self::TooMany(_) => {
                vec![Next::new("list-hooks", json!({}), "see which there are")]
            }
            Self::Random(_) => Vec::new(),
            Self::Below(inner) => inner.next(),
        }
    }
}
