//! Repositories: where they are cloned from, and how git is run for them.

mod catalogue;
mod error;
mod git_failure;
mod script;
mod switches;
mod url;

pub(crate) use catalogue::{
    Repository, Spec, check, excludes, resolve, verify_command, wants_large_files,
};
pub(crate) use error::Error;
pub(crate) use git_failure::GitFailure;
pub(crate) use script::GIT;
pub(crate) use switches::Switches;
pub(crate) use url::Url;
