//! What can go wrong with an issue.

use crate::{
    contract::{
        Code, Coded, Retry, Violation,
        details::{self, Details},
    },
    system::{configuration, store},
};

/// Why there is no issue.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The text names no issue.
    #[error("{text:?} names no issue")]
    Reference {
        /// The text.
        text: String,
    },
    /// Nothing was given to read, or two things.
    #[error("either an issue or a text is to be read")]
    Unspecified,
    /// The file holds no issue.
    #[error("read the issue in {path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The forge knows no such issue, or does not show it.
    #[error("{url} does not exist or is not shown: {message}")]
    NotFound {
        /// What was asked for.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What the forge said.
        message: String,
    },
    /// The number is that of a pull request.
    #[error("{url} is a pull request")]
    PullRequest {
        /// Its page.
        url: String,
    },
    /// The forge refused the token, or wants one.
    #[error("the forge wants a login: {message}")]
    Unauthenticated {
        /// What was asked for.
        url: String,
        /// What the forge said.
        message: String,
    },
    /// The token may not do this.
    #[error("the forge forbids it: {message}")]
    Forbidden {
        /// What was asked for.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What the forge said.
        message: String,
    },
    /// Too much was asked in too short a time.
    #[error("the forge's rate limit is used up: {message}")]
    RateLimited {
        /// What was asked for.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What the forge said.
        message: String,
        /// Milliseconds to wait.
        after_ms: u64,
        /// When the limit ends (RFC 3339, UTC), where the forge said it.
        resets_at: Option<String>,
    },
    /// The forge answered with an error of its own.
    #[error("the forge answered with status {status}: {message}")]
    Unavailable {
        /// What was asked for.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What the forge said.
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
            Self::Configuration(inner) => inner.code(),
            Self::Store(inner) => inner.code(),
            Self::Reference { .. } | Self::Unspecified => Code::SpecInvalid,
            Self::File { .. } => Code::IssueInvalid,
            Self::NotFound { .. } | Self::PullRequest { .. } => Code::IssueNotFound,
            Self::Unauthenticated { .. } => Code::ForgeUnauthenticated,
            Self::Forbidden { .. } => Code::ForgeForbidden,
            Self::RateLimited { .. } => Code::ForgeRateLimited,
            Self::Unavailable { .. } | Self::Unreachable { .. } | Self::Unexpected { .. } => {
                Code::ForgeUnavailable
            }
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::Configuration(inner) => return inner.remediation(),
            Self::Store(inner) => return inner.remediation(),
            Self::Reference { .. } => {
                "Give `owner/repo#12`, the address of the issue's page, or the path of a file."
            }
            Self::Unspecified => "Give `issue` or `text`, one of them.",
            Self::File { .. } => {
                "Give a UTF-8 Markdown file, or JSON with at least `title` and `body`."
            }
            Self::NotFound { .. } => {
                "Check the repository and the number; for a private one set `GH_TOKEN`."
            }
            Self::PullRequest { .. } => "Give the number of an issue.",
            Self::Unauthenticated { .. } => "Set `GH_TOKEN`, or log in with `gh auth login`.",
            Self::Forbidden { .. } => "Give a token that may read the repository's issues.",
            Self::RateLimited { .. } => {
                "Send the same call again after `retry.after_ms`; a token raises the limit."
            }
            Self::Unavailable { .. } | Self::Unreachable { .. } | Self::Unexpected { .. } => {
                "Send the same call again after `retry.after_ms`."
            }
        }
        .to_owned()
    }

    fn details(&self) -> Details {
        let forge =
            |url: &String, status: Option<u16>, message: &str, resets_at: Option<&String>| {
                Details::from(details::Forge {
                    url: url.clone(),
                    status,
                    message: message.to_owned(),
                    resets_at: resets_at.cloned(),
                })
            };
        match self {
            Self::Configuration(inner) => inner.details(),
            Self::Store(inner) => inner.details(),
            Self::Reference { .. } => details::Input {
                violations: vec![Violation {
                    pointer: "/issue".to_owned(),
                    keyword: "format".to_owned(),
                    message: self.to_string(),
                    expected: Some("owner/repo#12, a page's address, or a path".to_owned()),
                }],
                skeleton: None,
            }
            .into(),
            Self::Unspecified => details::Input {
                violations: vec![Violation {
                    pointer: String::new(),
                    keyword: "oneOf".to_owned(),
                    message: self.to_string(),
                    expected: Some("issue or text".to_owned()),
                }],
                skeleton: None,
            }
            .into(),
            Self::File { path, reason } => details::File {
                path: path.clone(),
                reason: reason.clone(),
            }
            .into(),
            Self::NotFound {
                url,
                status,
                message,
            }
            | Self::Forbidden {
                url,
                status,
                message,
            }
            | Self::Unavailable {
                url,
                status,
                message,
            } => forge(url, Some(*status), message, None),
            Self::PullRequest { url } => forge(url, Some(200), "it is a pull request", None),
            Self::Unauthenticated { url, message } => forge(url, Some(401), message, None),
            Self::RateLimited {
                url,
                status,
                message,
                resets_at,
                after_ms: _,
            } => forge(url, Some(*status), message, resets_at.as_ref()),
            Self::Unreachable { url, reason } | Self::Unexpected { url, reason } => {
                forge(url, None, reason, None)
            }
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::RateLimited { after_ms, .. } => Retry::after(*after_ms),
            Self::Reference { .. }
            | Self::File { .. }
            | Self::NotFound { .. }
            | Self::PullRequest { .. }
            | Self::Unauthenticated { .. }
            | Self::Forbidden { .. }
            | Self::Unavailable { .. }
            | Self::Unreachable { .. }
            | Self::Unexpected { .. }
            | Self::Unspecified
            | Self::Configuration(_)
            | Self::Store(_) => self.code().retry(),
        }
    }
}
