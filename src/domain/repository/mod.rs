//! Repositories: where they are cloned from, and how git is run for them.

mod catalogue;
mod error;
mod git_failure;
mod script;
mod url;

pub(crate) use catalogue::{Repository, Spec, check, resolve, verify_command};
pub(crate) use error::Error;
pub(crate) use git_failure::GitFailure;
pub(crate) use script::GIT;
pub(crate) use url::Url;
