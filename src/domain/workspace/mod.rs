//! Workspaces: a repository on a host, cloned, with its environment, ready for jobs.

mod check;
mod error;
mod plan;
mod provision;
mod record;
mod state;
mod variables;
mod worktree;

pub(crate) use check::{Status, check};
pub(crate) use error::{CloneReason, Error};
pub(crate) use plan::{Specification, Step};
pub(crate) use provision::{StepState, Wish, provision};
pub(crate) use record::{Record, WORKSPACES, list, ready};
pub(crate) use variables::exports;
pub(crate) use worktree::{worktree_failure, worktree_script};
