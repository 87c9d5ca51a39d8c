//! Repositories: where they are cloned from, and how git is run for them.

mod catalogue;
mod error;
mod script;
mod trouble;
mod url;

pub(crate) use catalogue::{Repository, Wish, check, resolve, verify_command};
pub(crate) use error::Error;
pub(crate) use script::GIT;
pub(crate) use trouble::Trouble;
pub(crate) use url::Url;
