//! Repositories: where they are cloned from, and how git is run for them.

mod catalogue;
mod error;
mod trouble;
mod url;

pub(crate) use catalogue::{Repository, Wish, resolve, verify_command};
pub(crate) use error::Error;
pub(crate) use trouble::Trouble;
pub(crate) use url::Url;

/// Shell functions that run git on a host: no prompts, no hooks, nothing left running behind.
pub(crate) const GIT: &str = include_str!("git.sh");
