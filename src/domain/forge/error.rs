//! What can go wrong with a forge.

use crate::{
    contract::{
        Code, Coded, Retry,
        details::{self, Details},
    },
    system::{configuration, store},
};

/// Why a forge gave no usable answer.
///
/// That a thing is not there is no error of the forge: see [`Lookup`](super::Lookup).
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The forge refused the token, or wants one.
    #[error("the forge wants a login: {message}")]
    Unauthenticated {
        /// What was asked for.
        url: String,
        /// The reason the forge gives.
        message: String,
        /// How to log in there.
        advice: &'static str,
    },
    /// The token may not do this.
    #[error("the forge forbids it: {message}")]
    Forbidden {
        /// What was asked for.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The reason the forge gives.
        message: String,
    },
    /// Too much was asked in too short a time.
    #[error("the forge's rate limit is used up: {message}")]
    RateLimited {
        /// What was asked for.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The reason the forge gives.
        message: String,
        /// Milliseconds to wait.
        after_ms: u64,
        /// When the limit ends (RFC 3339, UTC), where the forge gives it.
        resets_at: Option<String>,
    },
    /// The forge answered with an error of its own.
    #[error("the forge answered with status {status}: {message}")]
    Unavailable {
        /// What was asked for.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The reason the forge gives.
        message: String,
    },
    /// The forge gave no whole answer.
    #[error("the forge did not answer: {reason}")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// What happened.
        reason: String,
    },
    /// The answer is not what the forge's interface describes.
    #[error("read the forge's answer: {reason}")]
    Unexpected {
        /// What was asked for.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An address is on a host that is no forge known here.
    #[error("{host} is no forge that is known here")]
    UnknownHost {
        /// The host.
        host: String,
        /// The hosts that are known.
        known: Vec<String>,
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
            Self::Unauthenticated { .. } => Code::ForgeUnauthenticated,
            Self::Forbidden { .. } => Code::ForgeForbidden,
            Self::RateLimited { .. } => Code::ForgeRateLimited,
            Self::Unavailable { .. } | Self::Unreachable { .. } | Self::Unexpected { .. } => {
                Code::ForgeUnavailable
            }
            Self::UnknownHost { .. } => Code::ForgeUnknown,
            Self::Configuration(inner) => inner.code(),
            Self::Store(inner) => inner.code(),
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::Unauthenticated { advice, .. } => (*advice).to_owned(),
            Self::Forbidden { .. } => {
                "Give a token that may read the repository's issues.".to_owned()
            }
            Self::RateLimited { .. } => {
                "Send the same call again after `retry.after_ms`; a token raises the limit."
                    .to_owned()
            }
            Self::Unavailable { .. } | Self::Unreachable { .. } | Self::Unexpected { .. } => {
                "Send the same call again after `retry.after_ms`.".to_owned()
            }
            Self::UnknownHost { host, .. } => {
                format!("Add {host:?} to hosts in [github] of the configuration, if you trust it.")
            }
            Self::Configuration(inner) => inner.remediation(),
            Self::Store(inner) => inner.remediation(),
        }
    }

    fn details(&self) -> Details {
        let (url, status, message, resets_at) = match self {
            Self::Unauthenticated { url, message, .. } => (url, Some(401), message, None),
            Self::Forbidden {
                url,
                status,
                message,
            }
            | Self::Unavailable {
                url,
                status,
                message,
            } => (url, Some(*status), message, None),
            Self::RateLimited {
                url,
                status,
                message,
                resets_at,
                after_ms: _,
            } => (url, Some(*status), message, resets_at.clone()),
            Self::Unreachable { url, reason } | Self::Unexpected { url, reason } => {
                (url, None, reason, None)
            }
            Self::UnknownHost { host, known } => {
                return details::Unknown::new("forge", host)
                    .known(known.iter())
                    .into();
            }
            Self::Configuration(inner) => return inner.details(),
            Self::Store(inner) => return inner.details(),
        };
        details::Forge::new(url, message)
            .status(status)
            .resets_at(resets_at)
            .into()
    }

    fn retry(&self) -> Retry {
        match self {
            Self::RateLimited { after_ms, .. } => Retry::after(*after_ms),
            Self::Unauthenticated { .. }
            | Self::Forbidden { .. }
            | Self::Unavailable { .. }
            | Self::Unreachable { .. }
            | Self::Unexpected { .. }
            | Self::UnknownHost { .. } => self.code().retry(),
            Self::Configuration(inner) => inner.retry(),
            Self::Store(inner) => inner.retry(),
        }
    }
}
