//! Workspaces: a repository on a host, cloned, with its environment, ready for jobs.

mod check;
mod error;
mod provision;
mod record;
mod specification;
mod state;
mod step;
mod take;
mod variables;
mod worktree;

pub(crate) use check::{Status, check};
pub(crate) use error::{CloneReason, Error};
pub(crate) use provision::{StepState, Wish, provision};
pub(crate) use record::{Record, WORKSPACES, list, ready};
pub(crate) use specification::Specification;
pub(crate) use step::Step;
pub(crate) use variables::exports;
pub(crate) use worktree::{worktree_failure, worktree_script};
