//! Profiles: how the environment of a repository is made.

mod catalogue;
mod error;

pub(crate) use catalogue::{Origin, list, resolve};
pub(crate) use error::Error;
