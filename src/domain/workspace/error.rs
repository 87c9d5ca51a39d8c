//! Failures of workspaces.

use serde_json::{Value, json};

use crate::{
    contract::{Below, Code, Coded, Mode, Name, Next, Retry, details, details::Details, passes_on},
    domain::{host, profile, repository},
    system::{machine, script_failure::ScriptFailure, store},
};

/// Why a repository could not be cloned or fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CloneReason {
    /// There is no such repository, or it may not be read: somebody must change something.
    Refused,
    /// Anything else, which may pass.
    Other,
}

/// What git was to do on a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GitTask {
    /// Clone the seed, or fetch into it.
    Fetch,
    /// Make or remove a worktree.
    Worktree,
}

impl GitTask {
    const fn name(self) -> &'static str {
        match self {
            Self::Fetch => "fetch",
            Self::Worktree => "worktree",
        }
    }
}

/// Why a workspace cannot be made, found or used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// There is none.
    #[error("there is no workspace of {repository} on {host}")]
    NotFound {
        /// The host.
        host: Name,
        /// The repository.
        repository: Name,
    },
    /// It is not complete.
    #[error("the workspace of {repository} on {host} is not ready: {step} is missing")]
    NotReady {
        /// The host.
        host: Name,
        /// The repository.
        repository: Name,
        /// The first step that is missing.
        step: String,
        /// The input of the call that completes it.
        input: Box<Value>,
    },
    /// The seed clone belongs to another repository.
    #[error("{path} on {host} was cloned from {found:?} and not from {wanted:?}")]
    Mismatch {
        /// The host.
        host: Name,
        /// The seed clone.
        path: String,
        /// Where it was cloned from.
        found: String,
        /// Where it should have been.
        wanted: String,
    },
    /// The ref does not exist.
    #[error("{} of {repository} does not exist", .reference.as_deref().map_or_else(|| "the default branch".to_owned(), |it| format!("the ref {it:?}")))]
    Reference {
        /// The repository.
        repository: Name,
        /// The seed clone.
        path: String,
        /// The ref.
        reference: Option<String>,
        /// What git wrote to stderr.
        message: String,
    },
    /// git could not clone or fetch.
    #[error("git on {host} could not {step} {url}")]
    Clone {
        /// The host.
        host: Name,
        /// What was cloned.
        url: String,
        /// The step.
        step: &'static str,
        /// Why, as far as can be told.
        reason: CloneReason,
        /// git's exit status.
        exit: i64,
        /// What git wrote to stderr.
        message: String,
    },
    /// A step failed.
    #[error("the step {step} failed on {host} with exit status {exit}")]
    Step {
        /// The host.
        host: Name,
        /// The step.
        step: &'static str,
        /// The exit status of what it ran.
        exit: i64,
        /// The end of what that wrote.
        message: String,
        /// The file that holds all of it, on the host.
        log: String,
    },
    /// What environments are made from is not what was made at provisioning.
    #[error(
        "what environments of {repository} on {host} are made from is not what it was: {message}"
    )]
    Changed {
        /// The host.
        host: Name,
        /// The repository.
        repository: Name,
        /// What differs.
        message: String,
        /// The input of the call that makes it anew.
        input: Box<Value>,
    },
    /// The environment of a tree could not be made.
    #[error("no environment could be made on {host}")]
    Environment {
        /// The host.
        host: Name,
        /// The end of what was printed.
        message: String,
        /// The file that holds all of it, on the host; empty where there is none.
        log: String,
    },
    /// The command that prepares a tree failed.
    #[error("the command that prepares each tree failed on {host} with exit status {exit}")]
    Prepare {
        /// The host.
        host: Name,
        /// Its exit status; 124 or 137 where it took too long.
        exit: i64,
        /// The end of what it printed.
        message: String,
        /// The file that holds all of it, on the host.
        log: String,
    },
    /// A program is missing.
    #[error("there is no {tool} on {host}")]
    Tool {
        /// The host.
        host: Name,
        /// The program.
        tool: &'static str,
    },
    /// legwork's folder on the host cannot be used.
    #[error("cannot write {path} on {host}")]
    Folder {
        /// The host.
        host: Name,
        /// The folder.
        path: String,
        /// The error of the host's system.
        message: String,
    },
    /// The host's disk is full.
    #[error("no room for {path} on {host}")]
    DiskFull {
        /// The host.
        host: Name,
        /// What was being written.
        path: String,
        /// The error of the host's system.
        message: String,
    },
    /// Another call is making or changing the same workspace.
    #[error("another call is at work on the same workspace on {host}")]
    Busy {
        /// The host.
        host: Name,
    },
    /// A lock file that a git left behind is in the way of another one.
    #[error("{path} on {host} is in the way of git")]
    Locked {
        /// The host.
        host: Name,
        /// The lock file.
        path: String,
        /// What git was to do.
        task: GitTask,
        /// What git wrote to stderr.
        message: String,
    },
    /// git could not make or remove a worktree.
    #[error("git on {host} could not make or remove a worktree: {}", .message.trim())]
    Worktree {
        /// The host.
        host: Name,
        /// Whether it may well work the next time.
        again: bool,
        /// What git wrote to stderr.
        message: String,
    },
    /// What the database holds of a workspace cannot be read.
    #[error("what the database holds of a workspace cannot be read")]
    Record(#[source] serde_json::Error),
    /// An error of a noun or floor below.
    #[error(transparent)]
    Below(Below),
}

passes_on!(
    Error: host::Error, repository::Error, profile::Error, machine::Error, ScriptFailure, store::Error,
);

/// Returns whether the words of a program are those of a full disk.
pub(super) fn is_full(message: &str) -> bool {
    repository::GitFailure::of(message) == repository::GitFailure::DiskFull
        || message.contains("os error 28")
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::NotFound { .. } => Code::WorkspaceNotFound,
            Self::NotReady { .. } | Self::Changed { .. } => Code::WorkspaceNotReady,
            Self::Environment { .. } => Code::EnvironmentFailed,
            Self::Prepare { .. } => Code::PrepareFailed,
            Self::Mismatch { .. } => Code::RepositoryMismatch,
            Self::Reference { .. } => Code::RefNotFound,
            Self::Clone { .. } => Code::CloneFailed,
            Self::Step { .. } => Code::ProvisionStepFailed,
            Self::Tool { .. } => Code::HostToolMissing,
            Self::Folder { .. } => Code::HostFolderUnwritable,
            Self::DiskFull { .. } => Code::DiskFull,
            Self::Busy { .. } => Code::OperationInProgress,
            Self::Worktree { .. }
            | Self::Locked {
                task: GitTask::Worktree,
                ..
            } => Code::WorktreeFailed,
            Self::Locked {
                task: GitTask::Fetch,
                ..
            } => Code::CloneFailed,
            Self::Record(_) => Code::Internal,
            Self::Below(inner) => inner.code(),
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::NotFound { .. } => "Make it with provision-workspace.".to_owned(),
            Self::NotReady { .. } => {
                "Complete it with provision-workspace; only missing steps run.".to_owned()
            }
            Self::Changed { .. } => {
                "Make it anew with provision-workspace; what was changed is replaced.".to_owned()
            }
            Self::Environment { host, log, .. } if log.is_empty() => {
                format!("Read details.stderr, remove the cause on {host}, and send the same call again.")
            }
            Self::Environment { host, log, .. } => format!(
                "Read details.stderr, or {log} on {host}; remove the cause and send the same call again."
            ),
            Self::Prepare { host, log, .. } => format!(
                "Read details.stderr, or {log} on {host}; mend `prepare` of the profile or the repository, or what it needs, provision the workspace, and send the same call again."
            ),
            Self::Mismatch { host, path, .. } => format!(
                "Use another repository name, or remove {path} on {host} if no job needs it."
            ),
            Self::Reference { .. } => {
                "Check the name; push it first if it is new, then send the same call again.".to_owned()
            }
            Self::Clone { host, reason, .. } => match reason {
                CloneReason::Refused => format!(
                    "Check the url and that {host} may read it; details.stderr has git's own words."
                ),
                CloneReason::Other => format!(
                    "Check that {host} reaches the url, then send the same call again."
                ),
            },
            Self::Step { host, log, .. } => format!(
                "Read details.stderr, or {log} on {host}; remove the cause and send the same call again: only missing steps run."
            ),
            Self::Tool { host, tool } => format!(
                "Install {tool} on {host}, or put its folder into the host's path in the configuration."
            ),
            Self::Folder { host, path, .. } => format!(
                "Make {path} writable on {host}, or configure another root for it."
            ),
            Self::DiskFull { host, .. } => {
                format!("Free room on {host}, then send the same call again.")
            }
            Self::Busy { .. } => "Send the same call again in a moment.".to_owned(),
            Self::Locked { host, path, .. } => format!(
                "See that no git is at work there, remove {path} on {host}, and send the same call again."
            ),
            Self::Worktree { again: true, .. } => {
                "Read details.stderr; send the same call again.".to_owned()
            }
            Self::Worktree { again: false, .. } => {
                "Look at the folder that details.stderr names, and move it away if it is not needed.".to_owned()
            }
            Self::Record(_) => "Make the workspace anew with provision-workspace.".to_owned(),
            Self::Below(inner) => inner.remediation(),
        }
    }

    fn details(&self) -> Details {
        let step = |step: &str, exit: Option<i64>, stderr: &str| -> Details {
            details::Step::new(step, "", stderr).exited(exit).into()
        };
        match self {
            Self::NotFound { host, repository } => {
                details::Unknown::new("workspace", format!("{repository} on {host}")).into()
            }
            Self::NotReady { step: missing, .. } => step(missing, None, ""),
            Self::Changed { message, .. } => step("install", None, message),
            Self::Environment { message, .. } => step("environment", None, message),
            Self::Prepare { exit, message, .. } => step("prepare", Some(*exit), message),
            Self::Mismatch {
                path,
                found,
                wanted,
                ..
            } => {
                details::Checkout::new(path, format!("cloned from {found:?}, not from {wanted:?}"))
                    .into()
            }
            Self::Reference {
                path,
                reference,
                message,
                ..
            } => details::Checkout::new(
                path,
                if message.trim().is_empty() {
                    "no branch, tag or commit of that name"
                } else {
                    message
                },
            )
            .reference(reference.clone())
            .into(),
            Self::Clone {
                step: name,
                exit,
                message,
                ..
            }
            | Self::Step {
                step: name,
                exit,
                message,
                ..
            } => step(name, Some(*exit), message),
            Self::Tool { host, tool } => details::Tool::new(
                *tool,
                host.to_string(),
                "looked for on PATH, in ~/.local/bin and in ~/.cargo/bin",
            )
            .into(),
            Self::Folder { path, message, .. } | Self::DiskFull { path, message, .. } => {
                details::File::new(path, message).into()
            }
            Self::Busy { .. } => details::Key::new("", "provision-workspace").into(),
            Self::Locked { task, message, .. } => step(task.name(), None, message),
            Self::Worktree { message, .. } => step("worktree", None, message),
            Self::Record(_) => Details::NONE,
            Self::Below(inner) => inner.details(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Clone {
                reason: CloneReason::Refused,
                ..
            }
            | Self::Locked { .. }
            | Self::Worktree { again: false, .. } => Retry::of(Mode::AfterFix),
            Self::Below(inner) => inner.retry(),
            Self::NotFound { .. }
            | Self::NotReady { .. }
            | Self::Changed { .. }
            | Self::Environment { .. }
            | Self::Prepare { .. }
            | Self::Mismatch { .. }
            | Self::Reference { .. }
            | Self::Clone { .. }
            | Self::Step { .. }
            | Self::Tool { .. }
            | Self::Folder { .. }
            | Self::DiskFull { .. }
            | Self::Busy { .. }
            | Self::Worktree { .. }
            | Self::Record(_) => self.code().retry(),
        }
    }

    fn next(&self) -> Vec<Next> {
        let call = |primitive: &str, input, why: &str| vec![Next::new(primitive, input, why)];
        match self {
            Self::NotFound { host, repository } => call(
                "provision-workspace",
                json!({"host": host, "repository": repository}),
                "make what is missing",
            ),
            Self::NotReady { input, .. } | Self::Changed { input, .. } => call(
                "provision-workspace",
                Value::clone(input),
                "make what is missing",
            ),
            Self::Tool { host, .. } => call(
                "preflight",
                json!({"host": host}),
                "see all that is missing on the host",
            ),
            Self::Below(inner) => inner.next(),
            Self::Mismatch { .. }
            | Self::Reference { .. }
            | Self::Clone { .. }
            | Self::Step { .. }
            | Self::Environment { .. }
            | Self::Prepare { .. }
            | Self::Folder { .. }
            | Self::DiskFull { .. }
            | Self::Busy { .. }
            | Self::Locked { .. }
            | Self::Worktree { .. }
            | Self::Record(_) => Vec::new(),
        }
    }
}
