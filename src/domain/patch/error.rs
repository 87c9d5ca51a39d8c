//! What can go wrong with a diff.

use std::path::PathBuf;

use super::rule::Rule;
use crate::{
    contract::{
        Code, Coded, Retry, Violation,
        details::{self, Conflicted, Details, Finding},
    },
    system::{lock_file::LockFile, quote::quote},
};

/// Why a diff does not apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Its lines end in CR LF, and those of the files may not.
    LineEnds,
    /// It has hunks without context, which are taken on the commit it was made on alone.
    NoContext,
}

/// Why a diff cannot be used or put on a branch.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Neither a job nor a file gives the diff, or both do.
    #[error("either a job or a file gives the diff")]
    Unspecified,
    /// The diff's file cannot be read.
    #[error("the diff {path} cannot be read: {reason}")]
    File {
        /// The file.
        path: String,
        /// The error of the system.
        reason: String,
    },
    /// There is nothing in it.
    #[error("the diff is empty")]
    Empty,
    /// The commit it is put on has the change already.
    #[error("the diff changes nothing: {onto} has it already")]
    AlreadyThere {
        /// The commit.
        onto: String,
    },
    /// It is larger than is read.
    #[error("the diff has {bytes} bytes, more than {max_bytes}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The largest size.
        max_bytes: usize,
    },
    /// It is no diff.
    #[error("read the diff at line {line}: {reason}")]
    Invalid {
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        reason: &'static str,
    },
    /// It is written in an encoding that git does not read.
    #[error("the diff is {encoding}, which git does not read")]
    Encoding {
        /// The encoding.
        encoding: &'static str,
    },
    /// It has other bytes than the caller expects.
    #[error("the diff has the SHA-256 {found}, and {expected} was expected")]
    OtherDigest {
        /// The digest that was expected.
        expected: String,
        /// The digest that it has.
        found: String,
    },
    /// A binary file is named and its bytes are not there.
    #[error("the diff says that {path} differs and does not hold its bytes")]
    BinaryMissing {
        /// The file.
        path: String,
    },
    /// git does not read it.
    #[error("git does not read the diff: {stderr}")]
    Unreadable {
        /// What git wrote to stderr.
        stderr: String,
    },
    /// git would change a file that the diff does not name.
    #[error("git reads the diff otherwise: it would also change {path}")]
    ReadOtherwise {
        /// The file.
        path: String,
    },
    /// It touches what it must not.
    #[error("the diff touches what it must not, in {} places", findings.len())]
    Refused {
        /// What, and which rule that breaks.
        findings: Vec<Finding>,
    },
    /// It does not apply.
    #[error("the diff does not apply to {onto}: {} files conflict", files.len())]
    Conflict {
        /// The commit it was put on.
        onto: String,
        /// The files.
        files: Vec<Conflicted>,
        /// Why, where that is known.
        cause: Option<Cause>,
    },
    /// git needs an object that is not in the checkout.
    #[error("the checkout lacks objects of {commit} that the diff needs")]
    ObjectsMissing {
        /// The checkout.
        checkout: PathBuf,
        /// The commit.
        commit: String,
        /// The files that the diff changes.
        paths: Vec<String>,
        /// What git wrote to stderr.
        stderr: String,
    },
    /// The checkout has uncommitted changes.
    #[error("{} files have uncommitted changes", files.len())]
    Dirty {
        /// The checkout.
        checkout: PathBuf,
        /// The files.
        files: Vec<String>,
    },
    /// The folder is not a checkout that can be used.
    #[error("{} cannot be used: {reason}", checkout.display())]
    Checkout {
        /// The folder.
        checkout: PathBuf,
        /// What is the matter.
        reason: String,
    },
    /// The commit the diff was made on is not there.
    #[error("the base commit {base} is not in the checkout")]
    BaseMissing {
        /// The checkout.
        checkout: PathBuf,
        /// The commit.
        base: String,
    },
    /// The commit to put the diff on is not there.
    #[error("{onto} names no commit in the checkout")]
    OntoMissing {
        /// The checkout.
        checkout: PathBuf,
        /// What was asked for.
        onto: String,
    },
    /// The branch cannot be called so.
    #[error("{branch:?} is not a name for a branch")]
    BranchName {
        /// The name.
        branch: String,
    },
    /// The branch exists with other content.
    #[error("the branch {branch} is taken: {reason}")]
    BranchTaken {
        /// The checkout.
        checkout: PathBuf,
        /// The branch.
        branch: String,
        /// How it is taken.
        reason: String,
    },
    /// The branch was not there when the call began, and now it stands at another commit.
    #[error("the branch {branch} was made by somebody else meanwhile, at {at}")]
    BranchMoved {
        /// The checkout.
        checkout: PathBuf,
        /// The branch.
        branch: String,
        /// Where it stands.
        at: String,
    },
    /// A lock file keeps git from making the branch.
    #[error("git cannot make the branch: {lock}")]
    Locked {
        /// The lock file.
        lock: LockFile,
    },
    /// There is no git here.
    #[error("git was not found on this machine")]
    GitMissing,
    /// git is too old for what is asked.
    #[error("{what} needs git {needed} or newer, this is {found}")]
    GitTooOld {
        /// What needs a newer one.
        what: &'static str,
        /// The oldest that will do.
        needed: &'static str,
        /// The one that is here.
        found: String,
    },
    /// There is no room left.
    #[error("there is no room left at {}", path.display())]
    DiskFull {
        /// Where.
        path: PathBuf,
        /// What git wrote to stderr.
        reason: String,
    },
    /// git failed for a reason that has no name here.
    #[error("{step} failed")]
    Git {
        /// What was being done.
        step: &'static str,
        /// git's exit status.
        status: Option<i32>,
        /// What it printed.
        stdout: String,
        /// The end of its stderr.
        stderr: String,
    },
    /// This machine did not let a program or a temporary folder be made.
    #[error("{step}")]
    System {
        /// What was being done.
        step: &'static str,
        /// The error of the system.
        #[source]
        source: std::io::Error,
    },
}

impl Error {
    /// Describes the fault of the input, and where it is.
    fn violation(&self, pointer: &str, keyword: &str, expected: &str) -> Details {
        details::Input::new(
            Violation::new(pointer, keyword, self.to_string()).expecting(expected),
            None,
        )
        .into()
    }
}

/// Describes the step at which git or this machine failed.
fn failed_step(step: &str, exit: Option<i32>, stdout: &str, stderr: &str) -> Details {
    details::Step::new(step, stdout, stderr)
        .exited(exit.map(i64::from))
        .into()
}

/// Says what to do about a refusal.
fn refused(findings: &[Finding]) -> String {
    let mut rules: Vec<_> = findings.iter().map(Finding::rule).collect();
    rules.sort_unstable();
    rules.dedup();
    let (allowable, never): (Vec<_>, Vec<_>) = rules
        .into_iter()
        .partition(|rule| Rule::ALLOWABLE.iter().any(|it| it.name() == *rule));
    let cannot = match never.as_slice() {
        [] => String::new(),
        never => format!(" What breaks {} cannot be allowed.", never.join(" or ")),
    };
    if allowable.is_empty() {
        return format!("Look at `details.findings`.{cannot}");
    }
    format!(
        "Look at `details.findings`; where the change is wanted, name its rule in `allow` ({}), or a single file there as `path:<path>`.{cannot}",
        allowable.join(", ")
    )
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Empty | Self::AlreadyThere { .. } => Code::DiffEmpty,
            Self::File { .. }
            | Self::TooLarge { .. }
            | Self::Invalid { .. }
            | Self::BinaryMissing { .. }
            | Self::Unreadable { .. }
            | Self::Encoding { .. }
            | Self::ReadOtherwise { .. } => Code::DiffInvalid,
            Self::Refused { .. } | Self::OtherDigest { .. } => Code::DiffRefused,
            Self::Conflict { .. } => Code::DiffConflict,
            Self::Dirty { .. } => Code::DirtyTree,
            Self::Checkout { .. } => Code::CheckoutInvalid,
            Self::BaseMissing { .. } | Self::ObjectsMissing { .. } => Code::BaseMissing,
            Self::OntoMissing { .. } => Code::RefNotFound,
            Self::BranchName { .. } | Self::Unspecified => Code::SpecInvalid,
            Self::BranchTaken { .. } => Code::BranchExists,
            Self::BranchMoved { .. } => Code::BranchMoved,
            Self::GitMissing => Code::GitMissing,
            Self::GitTooOld { .. } => Code::HostToolMissing,
            Self::DiskFull { .. } => Code::DiskFull,
            Self::Git { .. } | Self::System { .. } | Self::Locked { .. } => Code::GitFailed,
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::Unspecified => "Give `job_id` or `diff`, one of them.".to_owned(),
            Self::File { .. } => "Give the path of a readable file.".to_owned(),
            Self::Empty => "Read the agent's report; there is nothing to apply.".to_owned(),
            Self::AlreadyThere { onto } => {
                format!("Nothing is left to do: {onto} holds the change.")
            }
            Self::TooLarge { .. } => "Leave built and generated files out of the diff.".to_owned(),
            Self::Encoding { .. } => {
                "Write it with `git diff --binary --full-index --output=FILE`, which no shell encodes anew."
                    .to_owned()
            }
            Self::OtherDigest { .. } => {
                "Do not use it: verify this diff, or get the one that was verified.".to_owned()
            }
            Self::Invalid { .. }
            | Self::BinaryMissing { .. }
            | Self::Unreadable { .. }
            | Self::ReadOtherwise { .. } => {
                "Make the diff with `git diff --binary --full-index`.".to_owned()
            }
            Self::Refused { findings } => refused(findings),
            Self::Conflict { cause, .. } => match cause {
                None => {
                    "Put the diff on its own base commit, or give `base` and ask for `three_way`."
                }
                Some(Cause::LineEnds) => {
                    "Its lines end in CR LF: where the files have LF, make it anew with `git diff --binary --full-index --output=FILE`."
                }
                Some(Cause::NoContext) => {
                    "It has hunks without context (`-U0`): give the commit it was made on as `base`, or make it with context."
                }
            }
            .to_owned(),
            Self::ObjectsMissing {
                checkout,
                commit,
                paths,
                ..
            } => {
                let paths: Vec<_> = paths.iter().take(5).map(|path| quote(path)).collect();
                format!(
                    "Fetch what is missing with `git -C {} archive --output=/dev/null --format=tar {commit} -- {}`, then send the same call again.",
                    quote(&checkout.display().to_string()),
                    paths.join(" ")
                )
            }
            Self::Dirty { checkout, .. } => format!(
                "Commit or stash the changes in {}, then send the same call again.",
                checkout.display()
            ),
            Self::Checkout { .. } => {
                "Give the path of a git working tree with no merge or rebase under way.".to_owned()
            }
            Self::BaseMissing { checkout, base } => format!(
                "Fetch {base} into {} from the repository the job worked on.",
                checkout.display()
            ),
            Self::OntoMissing { .. } => {
                "Give a commit, branch or tag of the checkout in `onto`.".to_owned()
            }
            Self::BranchName { .. } => "Give a name that git takes for a branch.".to_owned(),
            Self::BranchTaken { .. } => {
                "Choose another `branch`, or remove that one yourself.".to_owned()
            }
            Self::BranchMoved { .. } => "Send the same call again.".to_owned(),
            Self::Locked { lock } => lock.holder.as_ref().map_or_else(
                || {
                    format!(
                        "Make sure that no git works in the checkout, remove {}, then send the same call again.",
                        lock.path.display()
                    )
                },
                |holder| {
                    format!(
                        "Wait until process {} has let go of {}, then send the same call again.",
                        holder.pid,
                        lock.path.display()
                    )
                },
            ),
            Self::GitMissing => "Install git.".to_owned(),
            Self::GitTooOld { needed, .. } => {
                format!("Install git {needed} or newer, or leave `three_way` out.")
            }
            Self::DiskFull { path, .. } => {
                format!(
                    "Free room at {}, then send the same call again.",
                    path.display()
                )
            }
            Self::Git { .. } | Self::System { .. } => {
                "Read `details.stderr`, repair what it names, and send the same call again."
                    .to_owned()
            }
        }
    }

    fn details(&self) -> Details {
        let checkout = |path: &PathBuf, reference: Option<&String>, reason: &str| {
            Details::from(
                details::Checkout::new(path.display().to_string(), reason)
                    .reference(reference.cloned()),
            )
        };
        match self {
            Self::Unspecified => self.violation("", "oneOf", "job_id or diff"),
            Self::Empty
            | Self::AlreadyThere { .. }
            | Self::File { .. }
            | Self::TooLarge { .. }
            | Self::Invalid { .. }
            | Self::BinaryMissing { .. }
            | Self::Unreadable { .. }
            | Self::Encoding { .. }
            | Self::ReadOtherwise { .. } => details::Diff::new(self.to_string(), Vec::new()).into(),
            Self::OtherDigest { .. } => {
                let finding = details::Finding::new("", "diff_sha256", self.to_string());
                details::Diff::new("", [finding]).into()
            }
            Self::Refused { findings } => {
                details::Diff::new(self.to_string(), findings.clone()).into()
            }
            Self::Conflict { onto, files, .. } => {
                details::Conflict::new(onto, files.clone()).into()
            }
            Self::Dirty {
                checkout: path,
                files,
            } => details::Checkout::new(path.display().to_string(), self.to_string())
                .files(files.iter())
                .into(),
            Self::Checkout {
                checkout: path,
                reason,
            } => checkout(path, None, reason),
            Self::BaseMissing {
                checkout: path,
                base: reference,
            }
            | Self::OntoMissing {
                checkout: path,
                onto: reference,
            } => checkout(path, Some(reference), &self.to_string()),
            Self::ObjectsMissing {
                checkout: path,
                commit,
                stderr,
                ..
            } => checkout(path, Some(commit), stderr),
            Self::BranchTaken {
                checkout: path,
                branch,
                reason,
            }
            | Self::BranchMoved {
                checkout: path,
                branch,
                at: reason,
            } => checkout(path, Some(branch), reason),
            Self::BranchName { .. } => {
                let rule = "a name that `git check-ref-format --branch` takes";
                self.violation("/branch", "format", rule)
            }
            Self::GitMissing | Self::GitTooOld { .. } => {
                details::Tool::new("git", "local", self.to_string()).into()
            }
            Self::DiskFull { path, reason } => {
                details::File::new(path.display().to_string(), reason).into()
            }
            Self::Git {
                step,
                status,
                stdout,
                stderr,
            } => failed_step(step, *status, stdout, stderr),
            Self::System { step, source } => failed_step(step, None, "", &source.to_string()),
            Self::Locked { lock } => failed_step("make the branch", None, "", &lock.to_string()),
        }
    }

    fn retry(&self) -> Retry {
        // A process that works lets go of its lock by itself; a lock that no process holds stays for ever.
        if let Self::Locked { lock } = self
            && lock.holder.is_some()
        {
            return Retry::after(1_000);
        }
        self.code().retry()
    }
}
