//! What is asked of an application of a diff, and what came of it.

use std::path::PathBuf;

use super::{Change, RawPath, allow::Allowances, difference::Difference, identity::Identity};
use crate::{
    contract::{Effect, details::Finding},
    system::secrets::Leaks,
};

/// A diff to put on a branch, and how.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    /// A folder of the checkout.
    pub(crate) checkout: PathBuf,
    /// The diff.
    pub(crate) diff: Vec<u8>,
    /// The commit the diff was made on, where that is known.
    pub(crate) base: Option<String>,
    /// The revision to put it on; the base where none is given, else HEAD.
    pub(crate) onto: Option<String>,
    /// The branch to make.
    pub(crate) branch: String,
    /// Whether to merge where the diff was made on another commit than it is put on.
    pub(crate) three_way: bool,
    /// The commit's message.
    pub(crate) message: String,
    /// The commit's author; git's own committer in the checkout where none is given.
    pub(crate) author: Option<Identity>,
    /// Whether only to say what would be done.
    pub(crate) dry_run: bool,
    /// Whether uncommitted changes in the checkout do not matter.
    pub(crate) allow_dirty: bool,
    /// What the diff may do that is refused otherwise.
    pub(crate) allow: Allowances,
    /// The secrets that it must not hold.
    pub(crate) secrets: Leaks,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// `applied` where this call made the branch, `replayed` where it had the diff already, `none` for a dry run.
    pub(crate) effect: Effect,
    /// The branch.
    pub(crate) branch: String,
    /// The commit the branch stands at, or would.
    pub(crate) commit: String,
    /// Its tree.
    pub(crate) tree: String,
    /// The commit the diff was made on, where that is known.
    pub(crate) base: Option<String>,
    /// The commit the diff was put on.
    pub(crate) onto: String,
    /// The files that the commit changes.
    pub(crate) files: Vec<Changed>,
    /// What it changes that is not plainly source: what was allowed by name, and what runs once somebody builds or tests.
    pub(crate) sensitive: Vec<Finding>,
}

/// A file that a commit changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Changed {
    /// The path, after the change where there is one.
    pub(crate) path: RawPath,
    /// The path before, of a file that was moved.
    pub(crate) renamed_from: Option<RawPath>,
    /// What happened to it.
    pub(crate) change: Change,
    /// Lines added and removed; nothing for a binary file.
    pub(crate) lines: Option<(u64, u64)>,
}

impl From<Difference> for Changed {
    fn from(one: Difference) -> Self {
        Self {
            path: one.path,
            renamed_from: one.renamed_from,
            change: one.change,
            lines: one.lines,
        }
    }
}
