//! What can go wrong with an issue.

use crate::{
    contract::{
        Code, Coded, Retry, Violation,
        details::{self, Details},
    },
    domain::forge,
};

/// Why there is no issue.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The text is no reference to an issue.
    #[error("{text:?} names no issue")]
    Reference {
        /// The text.
        text: String,
    },
    /// Neither an issue nor a text was given, or both were.
    #[error("give either an issue or a text")]
    Unspecified,
    /// The file holds no issue.
    #[error("read the issue in {path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The forge has no such issue, or does not show it.
    #[error("{url} does not exist or is not shown: {message}")]
    NotFound {
        /// What was asked for.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The reason the forge gives.
        message: String,
    },
    /// The number is that of a pull request.
    #[error("{url} is a pull request")]
    PullRequest {
        /// Its page.
        url: String,
    },
    /// The forge gave no usable answer.
    #[error(transparent)]
    Forge(#[from] forge::Error),
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Reference { .. } | Self::Unspecified => Code::SpecInvalid,
            Self::File { .. } => Code::IssueInvalid,
            Self::NotFound { .. } | Self::PullRequest { .. } => Code::IssueNotFound,
            Self::Forge(inner) => inner.code(),
        }
    }

    fn remediation(&self) -> String {
        match self {
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
            Self::Forge(inner) => return inner.remediation(),
        }
        .to_owned()
    }

    fn details(&self) -> Details {
        match self {
            Self::Reference { .. } => invalid(
                Violation::new("/issue", "format", self.to_string())
                    .expecting("owner/repo#12, a page's address, or a path"),
            ),
            Self::Unspecified => {
                invalid(Violation::new("", "oneOf", self.to_string()).expecting("issue or text"))
            }
            Self::File { path, reason } => details::File::new(path, reason).into(),
            Self::NotFound {
                url,
                status,
                message,
            } => missing(url, *status, message),
            Self::PullRequest { url } => missing(url, 200, "it is a pull request"),
            Self::Forge(inner) => inner.details(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Forge(inner) => inner.retry(),
            Self::Reference { .. }
            | Self::Unspecified
            | Self::File { .. }
            | Self::NotFound { .. }
            | Self::PullRequest { .. } => self.code().retry(),
        }
    }
}

fn invalid(violation: Violation) -> Details {
    details::Input::new(violation, None).into()
}

fn missing(url: &str, status: u16, message: &str) -> Details {
    details::Forge::new(url, message)
        .status(Some(status))
        .into()
}
